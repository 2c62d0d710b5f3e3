// Package impl is the server: one event loop, its clients and its options.
//
// # The life of a request
//
// Follow the bytes of "SET k v" from the wire and back. All of it happens on one goroutine, in
// the phases of a turn (loop.go), which come round like the theme of a rondo:
//
//	before sleep      expiry scheduled, replies flushed, the dead closed
//	wait              until something is ready or the next time event is due
//	after sleep       the clock is read
//	file events       accept, read, execute, go on writing
//	time events       the tick, active expiry, the end of pauses
//	completions       of background work
//
// 1. In the socket. The request lies in the operating system's receive buffer. The poller reports
// the descriptor readable, with the tag it was watched with; table.find turns the two into a conn
// (conn.go), or into nothing if that conn has gone in the meantime (LOOP-8).
//
// 2. In the read arena. Server.readable (input.go) reads once, 64 KiB at most (LOOP-7), into
// Server.arena: one array for all clients. The bytes are never copied from there unless the
// frame is incomplete.
//
// 3. As arguments. resp.Decoder finds the frame and returns its arguments as views of the arena.
// If the last byte of the frame has not come, nothing happens but this: the beginning is copied to
// conn.in, a buffer of the pool, and the decoder, which remembers how far it got, stays with the
// connection. The next read goes on from there: a short beginning is carried back to the front of
// the arena, a long one grows in place, and an argument of 32 KiB or more is read straight into
// conn.in, which was made long enough for it (WIRE-24).
//
// 4. In the keyspace. Server.execute hands the arguments to command.Executor.Run, which tests the
// gates, finds the handler and calls it. The handler copies k and v into the store: the first and
// only copy of the value. The clock the handler sees was read once, after the read of the batch.
//
// 5. In the lent arena. The reply is appended to Session.Out, which is the tail of one array that
// all connections of a turn share (lender, in buffers.go). When the batch of a connection ends,
// Server.settle (output.go) cuts its piece off, tests the output limits, and queues the
// connection for the flush. Nothing has been sent yet.
//
// 6. In the other socket buffer. Before the loop sleeps again, Server.flush writes the piece
// with one call, 64 KiB at most (LOOP-5, LOOP-6). Nearly always that takes all of it, and the
// connection is back to owning nothing but its struct.
//
// 7. In the connection's own buffer. What the socket did not take is moved from the lent arena to a
// buffer of the pool, and the connection is watched for writability, for exactly as long as there
// is something left (LOOP-5). Later replies are appended behind it, so all bytes leave in order.
//
// 8. On their way. Written is not arrived: if the connection is to end while the other socket
// buffer still holds something, only our side of the stream is ended, and what the peer still sends
// is read into nothing until it has got all of it (Server.part, in conn.go).
//
// # Where to look
//
//	server.go   the Server: made, run, stopped          loop.go    the turn and its phases
//	listen.go   listening, accepting, refusing          conn.go    states of a connection, the table
//	input.go    socket to executor                      output.go  reply to socket, output limits
//	buffers.go  arena, lender, pool                     limits.go  every bound
//	timer.go    the heap of time events                 tick.go    idle clients, soft limits, upkeep
//	expire.go   active expiry                           host.go    what commands ask of the server
//	config.go   Config, its file                        options.go the table of options
//	info.go     INFO                                    main.go    the program; help.go its manual
//
// # What an error does
//
// It is a reply, if a command is at fault. It ends one connection, if its bytes, its socket or its
// appetite are (Server.fail, Server.finish). It ends the process with a trace, if an invariant of
// this package is broken. There is no fourth way.
package impl
