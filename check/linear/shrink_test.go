package linear

import (
	"sync/atomic"
	"testing"

	"rondo/check/history"
)

// TestShrink: what is left of an illegal history is illegal by the definition too, and holds nothing
// that was not there; of a legal one nothing is made.
func TestShrink(t *testing.T) {
	var shrunk atomic.Int64
	eachHistory(min(howMany()/10, 4_000), func(seed uint64) bool {
		h := makeHistory(seed)
		small, of, was := Shrink(h, generous)
		switch {
		case was.Verdict != Illegal:
			if small != nil {
				t.Errorf("seed %d: %s, and yet made smaller", seed, was.Verdict)
			}
			return true
		case small == nil || of.Verdict != Illegal:
			t.Errorf("seed %d: nothing illegal is left\n%s", seed, show(h))
			return true
		case bruteVerdict(small, false, true) == OK || len(small.Ops) > len(h.Ops) || !drawn(small, h):
			t.Errorf("seed %d:\n%s\nbecame\n%s", seed, show(h), show(small))
		}
		if len(small.Ops) < len(h.Ops) {
			shrunk.Add(1)
		}
		return true
	})
	if shrunk.Load() < 50 {
		t.Errorf("only %d histories became smaller", shrunk.Load())
	}
}

// drawn reports that each operation of small is one of h, or one whose reply was taken away.
func drawn(small, h *history.History) bool {
	had := map[string]bool{}
	for i := range h.Ops {
		op := h.Ops[i]
		had[describe(&op)] = true
		op.Reply = nil
		had[describe(&op)] = true
	}
	for i := range small.Ops {
		if !had[describe(&small.Ops[i])] {
			return false
		}
	}
	return true
}

// TestShrinkKeepsTheReason: a torn transaction is still one when it is small.
func TestShrinkKeepsTheReason(t *testing.T) {
	for _, tt := range twins {
		small, of, was := Shrink(recorded(tt.bad...), Options{})
		if small == nil || of.Findings[0].Clause != was.Findings[0].Clause {
			t.Errorf("%s: from %v to %v", tt.name, was.Findings, of.Findings)
		}
		if small, _, was := Shrink(recorded(tt.good...), Options{}); small != nil || was.Verdict != OK {
			t.Errorf("%s: the good one is %s", tt.name, was.Verdict)
		}
	}
}
