// Package model is the oracle: the sequential server as pure functions, dull on purpose. It says
// for every command line what the reply must be and what state follows, and nothing about how a
// server does it. It shares no code and no trick with impl.
//
// Time enters only through Env: the model stores instants and compares two of them, so the same
// functions run under a concrete clock (conversations, properties), an enumerated one (the
// brute-force definition of correctness) and a symbolic one (the linearizability checker). Replies
// that report a time are terms, Diff and Time, which Match compares with what was observed: the
// oracle never sees the answer. Replies that are the server's choice are relations: RANDOMKEY
// through Env.Choose, the order of KEYS and the result of SCAN through Match.
//
// A state is an immutable value. Step works on a private unit: every access to a key goes through
// one find, which removes the key first if it has expired, and every change and removal through
// one touched, which is what WATCH sees.
//
//	state.go     State, entries, what a checker asks of them (Shape, Instants, WithInstants)
//	step.go      Step: one command line of one connection, from gate to reply; Models, Due, Fire
//	told.go      keys that go unasked, and commands that find no memory
//	unit.go      the private working copy: find, put, drop, touched
//	rules.go     the table from names to the functions below
//	session.go   PING ECHO QUIT RESET HELLO AUTH SELECT CLIENT
//	strings.go   SET and its relatives, GET and its relatives, APPEND, ranges, counters
//	keys.go      DEL EXISTS TYPE KEYS SCAN RANDOMKEY RENAME COPY MOVE OBJECT
//	lists.go     lists; block.go those who wait for them
//	expiry.go    EXPIRE, TTL and their relatives; deadlines of SET and GETEX
//	tx.go        MULTI EXEC DISCARD WATCH UNWATCH
//	server.go    TIME DBSIZE FLUSHDB FLUSHALL SWAPDB
//	number.go    integers and long doubles as Redis reads and prints them; glob.go patterns
//	instant.go   Instant, Env and the concrete Env
//	reply.go     Reply; match.go compares one with an observation; notation.go prints it
//	accept.go    Accept: does the model allow this reply? for drivers with a concrete clock
//	describe.go  a state for people
//
// Not modelled, because it is not determined by the commands alone: INFO, CONFIG, COMMAND, CLIENT
// ID, LIST, INFO and KILL, SHUTDOWN, DEBUG, SLOWLOG, LATENCY, ROLE, REPLICAOF. Models says so for a command line.
package model
