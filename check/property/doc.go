// Package property holds laws that every Redis-like server keeps, as properties of random programs.
//
// A conversation shows one case, a history many clients at once. A law says something about every
// sequential program over the model's alphabet, and rapid looks for one that breaks it and shrinks
// it to a short one. What is left is printed as a conversation in the notation of scripts, which
// pastes into testdata/script.
//
//	grammar.go   the alphabet: command templates and pools of words; programs drawn from them
//	server.go    the server under test: connections, its clock, fresh keys
//	talk.go      a conversation that is held and written down at once
//	oracle.go    the model beside it: all states that explain the replies so far
//	laws.go      the laws: refinement and those that compare two ways to do the same
//	deadline.go  the law of deadlines, which are far away
//	expiry.go    the laws of time that passes
//
// As a test it runs against the embedded server, redis-server where it is installed, and any other:
//
//	go test ./check/property -addr HOST:PORT [-rapid.checks N]
//
// In a synctest bubble, with a server in this process, time passes at once and as told: there the laws
// of expiry know to the millisecond what has to come.
package property

import (
	"time"

	"pgregory.net/rapid"
)

// Law is one property of sequential programs.
type Law struct {
	Name    string
	Says    string   // in one sentence
	Clauses []string // what a server breaks that breaks it
	// Holds draws a program, runs it on the server and fails t where the law does not hold. It is
	// for one goroutine at a time and uses keys that nobody else does.
	Holds func(t *rapid.T, s *Server)
}

// Laws are all of them.
var Laws = []Law{
	{"refinement", "every reply is one that the model allows at some millisecond between sending and receiving",
		[]string{"STR-1", "KEY-1", "TIME-3", "EXEC-9"}, refines},
	{"chunking", "how a request is cut into segments changes no reply",
		[]string{"WIRE-2"}, cutsDoNotShow},
	{"pipeline", "commands sent together answer what they answer one by one",
		[]string{"CONN-1", "CONN-2"}, pipelineIsSequence},
	{"independence", "programs on different keys may be interleaved in any way",
		[]string{"LIN-9"}, independentKeysCommute},
	{"transaction", "EXEC answers what its commands answer one by one",
		[]string{"EXEC-2", "EXEC-7"}, execIsItsCommands},
	{"idleness", "a command that failed or did not act has changed nothing",
		[]string{"EXEC-11", "TIME-9", "STR-15"}, idleChangesNothing},
	{"deadline", "a command keeps, sets or clears a deadline, and says so consistently",
		[]string{"TIME-1", "TIME-2", "TIME-6", "TIME-10", "TIME-11", "STR-5", "STR-17"}, deadlinesFollow},
	{"expiry", "a key is there up to the millisecond of its deadline, and not after it",
		[]string{"TIME-2", "TIME-3", "TIME-4", "TIME-5", "TIME-6", "TIME-8", "TIME-12", "TIME-14"}, expires},
	{"timeouts", "a client that waits for what does not come waits for as long as it said",
		[]string{"BLOCK-4", "BLOCK-13"}, waitsEnd},
}

// programTime passes before each program in a bubble. There no other time passes but that of pauses,
// and so -rapid.shrinktime bounds how many programs are tried.
const programTime = 10 * time.Second

// Check looks for a program that breaks a law, and shrinks it. The conversation of the shortest one
// is logged; it is that of the first one found if the law does not break every time.
func Check(t rapid.TB, s *Server, law Law) {
	t.Helper()
	s.failure = ""
	defer func() {
		if t.Failed() && s.failure != "" {
			t.Logf("%s: %s.\n%s", law.Name, law.Says, s.failure)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		if s.exact() {
			time.Sleep(programTime)
		}
		law.Holds(t, s)
	})
}
