// Package suite is the conformance suite: the conversations of the spec and of testdata, and the
// cases that no conversation can express.
package suite

import (
	"time"

	"rondo/check/target"
	"rondo/check/wire"
)

// Verdict is the outcome of a case.
type Verdict string

// The verdicts, as the report defines them.
const (
	Pass      Verdict = "pass"
	NonStrict Verdict = "non-strict" // a SHOULD is not met
	Fail      Verdict = "fail"       // a MUST is broken
	Info      Verdict = "info"       // a MAY is not taken up, or a measurement
	Skip      Verdict = "skip"       // could not be asked; Reason says why
	Error     Verdict = "error"      // harness or environment: no evidence
)

// Case is one thing to find out about a target.
type Case struct {
	Name      string // "time/TIME-3", "script/set-options", "conn/slow-reader"
	Clauses   []string
	Needs     []string // words of spec.Needs and names of commands
	Exclusive bool     // runs alone, after the others
	Run       func(*T)
}

// Result is what came of a case.
type Result struct {
	Name     string
	Clauses  []string
	Verdict  Verdict
	Reason   string // one sentence, for every verdict but pass
	Expected string
	Actual   string
	Wire     []wire.Entry
	Took     time.Duration
	Replay   string // the command that runs this case again
}

// RunOptions of Run.
type RunOptions struct {
	Parallel int   // how many cases run side by side; 0: a default
	Seed     int64 // every random choice derives from it
	Progress func(Result)
}

// T is a case's handle on its target.
type T struct{}

// Cases returns all cases in the order of the spec's chapters.
func Cases() []Case { panic("todo") }

// Select returns the cases that match any of the patterns: a clause ("TIME-3"), a name with
// wildcards ("time/*"), or a part of a name. No patterns select all; one that selects nothing is
// an error.
func Select(cases []Case, patterns []string) ([]Case, error) { panic("todo") }

// Run runs the cases and returns their results in the order of the cases.
func Run(t *target.Target, cases []Case, opt RunOptions) []Result { panic("todo") }
