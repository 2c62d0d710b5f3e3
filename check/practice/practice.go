// Package practice holds short recordings for people who learn what a server with concurrent
// clients and expiring keys may do, and what it may not.
//
// Each scenario is a real recording, of a correct server or of a mutant, as a history or as a wire
// log (testdata/practice). The question is always the same: is this allowed, and if not, which
// operation cannot be? No answer is stored. The engine that judges servers judges the recording,
// and so the learner's answer, each time.
//
//	scenarios.go  the scenarios: a title, a story, and what there is to learn
//	judge.go      what the engine says of a recording and of each of its operations
//	wire.go       a wire log read as a history
//	draw.go       lanes and bars for a terminal
//	play.go       the questions, one after another
//	page.go       the same as one page for a browser
package practice

import (
	"bytes"
	"fmt"
	"sync"

	"rondo/check/history"
	"rondo/testdata"
)

// Scenario is one recording with its story.
type Scenario struct {
	Name   string // of the file
	Title  string
	Story  string // what was done, and what to look at
	Lesson string // begins with "Allowed" or "Not allowed (CLAUSE)", which a test holds to the engine

	History *history.History
	Wire    []Line // of a scenario about bytes; History is then what they say
	Broken  string // why they say nothing a history can hold, "CLAUSE: what happened"
	At      int    // and the operation (from 0) at which
}

// load reads the recording of a scenario.
func (s *Scenario) load() error {
	if text, err := testdata.FS.ReadFile("practice/" + s.Name + ".wire"); err == nil {
		return s.loadWire(string(text))
	}
	text, err := testdata.FS.ReadFile("practice/" + s.Name + ".jsonl")
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	s.History, err = history.Read(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return nil
}

// All are the scenarios, the easy ones first.
var All = sync.OnceValues(func() ([]*Scenario, error) {
	out := make([]*Scenario, len(scenarios))
	for i, s := range scenarios {
		out[i] = &s
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// origin is what the times that people read count from.
func (s *Scenario) origin() int64 { return s.History.Ops[0].Call }
