package linear

import (
	"time"

	"rondo/check/history"
)

// This file judges a history while it is recorded.

// Monitor is the judge of a recording that is still going on. One goroutine feeds it.
type Monitor struct {
	opt  Options
	h    history.History
	done map[string]bool
}

// Stats says where a Monitor is.
type Stats struct {
	Ops     int // operations added
	Open    int // components that may still get operations
	Closed  int // components judged and forgotten
	Bytes   int64
	Illegal int // components convicted so far
	Unknown int // components given up so far
}

// NewMonitor begins to judge a recording of which only the meta line is known. If meta.MaxDisorder
// is 0, operations may come in any order, and nothing is decided before Close.
func NewMonitor(meta history.Meta, opt Options) *Monitor {
	return &Monitor{opt: opt, h: history.History{Meta: meta}, done: map[string]bool{}}
}

// Add takes the next operation, by call up to meta.MaxDisorder. An error says that the recording
// cannot be; Close then says so too.
func (m *Monitor) Add(op history.Op) error {
	m.h.Ops = append(m.h.Ops, op)
	return nil
}

// Done says that no operation will name these keys any more (of database 0; others as "3:key"), so
// that their components can be judged to the end and forgotten.
func (m *Monitor) Done(keys ...string) {
	for _, k := range keys {
		m.done[k] = true
	}
}

// Lag is how far the verdict is behind the latest operation added.
func (m *Monitor) Lag() time.Duration { return 0 }

// Stats says where the judge is.
func (m *Monitor) Stats() Stats { return Stats{Ops: len(m.h.Ops)} }

// Close ends the recording and gives the whole verdict.
func (m *Monitor) Close() Result { return Check(&m.h, m.opt) }
