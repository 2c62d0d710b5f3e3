// Package wire is the judge's own side of the protocol: RESP2 and RESP3, written from its public
// description and sharing no code with the server, so that a fault in one is not a fault in both.
//
// Bytes go out through encode.go (a command is an array of bulk strings) and come back through
// decode.go, which is strict: what a lenient client would forgive is an error here, with the offset
// in the stream, what was expected and the bytes that came instead. conn.go puts both on a socket
// with deadlines and a bounded log of what passed. request.go is the other direction, for servers
// that the judge itself plays: requests to arguments.
package wire
