// Package fuzz holds the fuzz targets. Each reads operations from bytes and calls one property; here the
// server, the model and the judge meet. A target is the function Fuzz and the name:
//
//	Decode      the server's decoder and the judge's agree on any bytes
//	Split       any chunking of the bytes gives the same frames (WIRE-2)
//	RoundTrip   what one side encodes the other decodes unchanged
//	Program     a program of some clients, one command after the other: the model allows each reply
//	Dict        operations on the keyspace, its housekeeping between them, beside a plain map
//	Expiry      deadlines, and clocks that pass, jump and are late: no key is there too long or too short
//	Config      a configuration file, and the same by CONFIG SET: all or nothing, and it reads back
//	History     a recorded history as text: reading, judging and reporting it stays within bounds
//	Judge       clients whose operations overlap: what the model served is legal, by every engine
//	Conn        what happens on one connection, its ends, its waiting and the network's faults included: every
//	            reply is judged
//	Turns       some clients, who may wait for each other, and a schedule: server against model, and the
//	            history by check/linear
//
// A test of no fuzzing holds the server, in a synctest bubble, to those laws of check/property in which
// time passes (bubble_test.go).
//
// Package world, below, is the server on a simulated kernel, for whatever needs a schedule; package
// small holds small worlds of it, which check/explore explores to the end.
//
// The seeds are the reviewed vectors, conversations and histories of testdata, and bytes of chance
// that are always the same (reader_test.go). What a target has failed at is kept in testdata/fuzz.
// reach.txt says which code each is for, and how much of it the seeds must reach at least.
//
//	make fuzz FUZZTIME=10m            all targets of the module in turn, and a table
//	go run ./fuzz/run -time 8h Dict   one overnight
//	go run ./fuzz/run -reach          what the seeds reach
//
// With RONDO_TARGET=host:port Program holds its programs with that server instead of the one in memory.
package fuzz
