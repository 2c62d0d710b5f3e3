package practice

import (
	"slices"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
)

// Judgement is what the engine says of a scenario.
type Judgement struct {
	Allowed  bool
	Unknown  bool   // a bound of the search was reached; no scenario of ours does that
	Clause   string // that is broken
	Sentence string
	Steps    []string
	// Cannot are the operations (from 0) of which one cannot be. If there is one without whose reply
	// all is allowed, these are all such; else those that cannot be whatever the others answered.
	Cannot []int
	Each   bool // the second case: not one of them, but each
}

const judgeTimeout = 10 * time.Second

// Judge asks the engine.
func (s *Scenario) Judge() Judgement {
	if s.Broken != "" {
		clause, sentence, _ := strings.Cut(s.Broken, ": ")
		return Judgement{Clause: clause, Sentence: sentence, Cannot: []int{s.At}}
	}
	res := linear.Check(s.History, linear.Options{Timeout: judgeTimeout})
	if res.Verdict != linear.Illegal {
		return Judgement{Allowed: res.Verdict == linear.OK, Unknown: res.Verdict != linear.OK, Sentence: res.Reason}
	}
	var j Judgement
	for _, c := range res.Components {
		if c.Verdict == linear.Illegal {
			j.Clause, j.Sentence, j.Steps = c.Clause, c.Sentence, c.Steps
		}
	}
	for i := range s.History.Ops {
		if legal(without(s.History, i)) {
			j.Cannot = append(j.Cannot, i)
		}
	}
	if j.Cannot != nil {
		return j
	}
	j.Each = true
	for i := range s.History.Ops {
		if !legal(only(s.History, i)) {
			j.Cannot = append(j.Cannot, i)
		}
	}
	return j
}

func legal(h *history.History) bool {
	return linear.Check(h, linear.Options{Timeout: judgeTimeout}).Verdict == linear.OK
}

// without forgets the reply of one operation, and with it when it ended: it may have happened at any
// time after its call, on a connection of its own, or not at all. Everything that was allowed with
// it is allowed without.
func without(h *history.History, at int) *history.History {
	weak := *h
	weak.Ops = slices.Clone(h.Ops)
	op := &weak.Ops[at]
	op.Return, op.Reply, op.N = history.Never, nil, 0
	for _, other := range h.Ops {
		op.Client = max(op.Client, other.Client+1)
	}
	if len(op.Body) == 0 && watches(op) { // a watch belongs to its connection
		weak.Ops = slices.Delete(weak.Ops, at, at+1)
	}
	return &weak
}

// only forgets the replies of all operations but one.
func only(h *history.History, at int) *history.History {
	for i := len(h.Ops) - 1; i >= 0; i-- {
		if i != at {
			before := len(h.Ops)
			h = without(h, i)
			if len(h.Ops) < before && i < at {
				at--
			}
		}
	}
	return h
}

func watches(op *history.Op) bool {
	name := strings.ToUpper(string(op.Cmd[0]))
	return name == "WATCH" || name == "UNWATCH" || name == "DISCARD"
}
