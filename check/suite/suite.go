// Package suite is the conformance suite: the conversations of the spec and of testdata
// (conversation.go), and the cases that no conversation can express, one file for each chapter of
// the spec (wire.go, conn.go, limit.go, loop.go, exec.go, data.go, time.go, order.go, wait.go).
//
// A case gets a T (t.go): connections to the target, keys that nobody else uses, random numbers
// that follow from the seed, and the ways to end. Run (run.go) first runs side by side what can
// run so, then one by one what needs the server for itself.
//
// The machine may be busy, so no case compares a sleep with a clock. What must not happen before a
// moment is judged strictly; what must happen by a moment gets seconds; and where an edge of 1 ms
// matters the target's own clock is read before and after (clock.go), so that a late observation
// decides less, never wrongly.
package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"rondo/check/wire"
)

// Verdict is the outcome of a case.
type Verdict string

// The verdicts, as the report defines them.
const (
	Pass      Verdict = "pass"
	NonStrict Verdict = "non-strict" // a SHOULD is not met
	Fail      Verdict = "fail"       // a MUST is broken
	Info      Verdict = "info"       // a MAY is not taken up
	Skip      Verdict = "skip"       // could not be asked; Reason says why
	NotRun    Verdict = "not run"    // the run ended before it
	Error     Verdict = "error"      // harness or environment: no evidence
)

// Case is one thing to find out about a target.
type Case struct {
	Name      string // "time/TIME-3", "script/set-options", "conn/slow-reader"
	Clauses   []string
	Needs     []string // words of spec.Needs, names of commands, "started", "databases": see unmet
	Exclusive bool     // runs alone, after the others
	Run       func(*T)

	plain bool // a conversation that needs nothing but its commands and lets no time pass
	brief bool // a conversation that needs no more, and takes a moment
}

// Result is what came of a case.
type Result struct {
	Name     string
	Clauses  []string // where the case failed on one of them, only that one
	Verdict  Verdict
	Reason   string // one sentence; a pass may have one that says what was measured
	Sent     string // the request that it is about; "" where Expected says it
	Expected string
	Actual   string
	Wire     []wire.Entry
	Took     time.Duration
	Replay   string // the command that runs this case again

	late bool // a busy machine may be what failed
}

// Quick says whether a case belongs into a run of some seconds.
func (c Case) Quick() bool { return c.brief }

// Cases returns all cases in the order of the spec's chapters, the conversations of testdata last.
func Cases() []Case {
	var all []Case
	own := map[string][]Case{"wire": wireCases, "conn": slices.Concat(connCases, limitCases),
		"loop": loopCases, "exec": execCases, "data": slices.Concat(dataCases, memoryCases, usageCases),
		"time":  timeCases,
		"order": orderCases, "wait": waitCases}
	for _, chapter := range chapters() {
		all = append(all, specCases(chapter)...)
		all = append(all, own[chapter]...)
	}
	return append(all, scriptCases()...)
}

var clauseID = regexp.MustCompile(`^[A-Za-z]+-[0-9]+$`)

// Select returns the cases that match any of the patterns: a clause ("TIME-3"), a name with
// wildcards ("time/*"), or a part of a name. No patterns select all; one that selects nothing is
// an error.
func Select(cases []Case, patterns []string) ([]Case, error) {
	if len(patterns) == 0 {
		return cases, nil
	}
	chosen := map[string]bool{}
	for _, p := range patterns {
		found := false
		exact := slices.ContainsFunc(cases, func(c Case) bool { return c.Name == p })
		for _, c := range cases {
			if c.Name == p || !exact && c.matches(p) {
				chosen[c.Name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("no case matches %q; \"rondo-check list\" names them all: give a "+
				"clause (TIME-3), a name with wildcards ('time/*') or a part of a name", p)
		}
	}
	var some []Case
	for _, c := range cases {
		if chosen[c.Name] {
			some = append(some, c)
		}
	}
	return some, nil
}

func (c Case) matches(pattern string) bool {
	switch {
	case clauseID.MatchString(pattern):
		return slices.Contains(c.Clauses, strings.ToUpper(pattern))
	case strings.ContainsAny(pattern, "*?"):
		return glob(strings.ToLower(pattern), strings.ToLower(c.Name))
	}
	return strings.Contains(strings.ToLower(c.Name), strings.ToLower(pattern))
}

// glob knows * (anything, slashes included) and ?.
func glob(pattern, name string) bool {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(expr)
	ok, err := regexp.MatchString("^"+expr+"$", name)
	return err == nil && ok
}
