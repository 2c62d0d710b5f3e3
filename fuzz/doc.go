// Package fuzz holds the fuzz targets. Each parses its input and calls one property; here the
// server, the model and the judge's own codec meet.
//
//	FuzzDecode     the server's decoder and the judge's agree on any bytes
//	FuzzSplit      any chunking of the bytes gives the same frames (WIRE-2)
//	FuzzRoundTrip  what one side encodes the other decodes unchanged
//	FuzzProgram    bytes become a program; the server answers what the model allows
//
// The seeds are the reviewed vectors and conversations of testdata. With RONDO_TARGET=host:port
// FuzzProgram holds its programs with that server instead of the one in memory. Run one overnight:
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzProgram$' -fuzzminimizetime 20x
//
// Without the last flag the engine spends up to a minute on making each new input smaller, and
// hardly comes to anything else.
package fuzz
