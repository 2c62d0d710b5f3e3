// Package reactor is the check of the server's own tests: small faults in the server's source, which
// those tests must find. Some clauses no client can see: the order of a turn, how long the loop
// sleeps, what it does with an event for a descriptor that has been closed. Their evidence is the
// tests of the server, on a kernel in memory and on the real pollers; the faults show that those
// tests can fail. A few are in the judge itself, where a fuzz target is what finds them.
//
//	reactor.go    Fault, and All: those in the folder faults
//	entry.go      a file of that folder: one fault, as edits that must match
//	overlay.go    the edits applied to a tree, beside it
//	run.go        the faults built and tried, and what killed them
//
// # A fault
//
// Each is a file, faults/timer-early.txt for the fault "timer early". Four lines say what it is,
// then each edit says what stands in the source, once, and what stands there instead:
//
//	clause: LOOP-3
//	fault: A time event runs up to a millisecond before it is due.
//	file: impl/timer.go
//	caught by: ./impl TestLOOP3
//	-- find --
//		for len(h.heap) > 0 && h.heap[0].at <= now {
//	-- replace --
//		for len(h.heap) > 0 && h.heap[0].at <= now+1_000_000 {
//
// "caught by" is a package and a pattern of `go test -run`: of the tests that should find the fault
// the cheapest. The edited file is put in the original's place by the overlay of the go command, so
// that nothing is copied and all but its package comes from the cache.
//
// A fault that matches nowhere is an error, and so is one that does not build: it proves nothing.
// When the source has changed, bring the edit up to date with it so that the fault is the same; when
// the code that it was in is gone, look for where the same mistake could be made now.
package reactor

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// Fault is one deliberate error in the server.
type Fault struct {
	Name    string
	Does    string   // one sentence
	Clauses []string // what it breaks
	File    string   // relative to the module
	Edits   []Edit   // of that file
	Package string   // whose tests find it, as the go command names it
	Tests   string   // the pattern of those that do
}

// Edit replaces a text that stands in the file once.
type Edit struct{ Find, Replace string }

//go:embed faults/*.txt
var files embed.FS

// All are the faults of this package, by name.
func All() ([]Fault, error) {
	entries, err := files.ReadDir("faults")
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, e := range entries {
		text, err := files.ReadFile("faults/" + e.Name())
		if err != nil {
			return nil, err
		}
		f, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("check/mutant/reactor/faults/%s: %w", e.Name(), err)
		}
		f.Name = nameOf(e.Name())
		faults = append(faults, f)
	}
	return faults, nil
}

func nameOf(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(file, path.Ext(file)), "-", " ")
}

// Path is the file that holds the fault, relative to the module.
func (f Fault) Path() string {
	return "check/mutant/reactor/faults/" + strings.ReplaceAll(f.Name, " ", "-") + ".txt"
}
