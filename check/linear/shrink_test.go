package linear

import (
	"slices"
	"strings"
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

// TestShrinkKeepsTheCreation: what the core needs of before is kept also where no plain write made it,
// and nothing else of a long history is.
func TestShrinkKeepsTheCreation(t *testing.T) {
	for _, made := range [][]did{
		{{1, 0, 1, "EXEC: SET k v; PEXPIRE k 500", arr(ok, num(1))}},
		{{1, 0, 1.2, "SET old v PX 500", ok}, {1, 1.3, 1.6, "RENAME old k", ok}},
		{{1, 0, 0.5, "APPEND k v", num(1)}, {1, 0.6, 1, "PEXPIRE k 500", num(1)}},
	} {
		ops := slices.Clone(made)
		for i := range 100 {
			at := float64(2 + 4*i)
			ops = append(ops, did{2, at, at + 1, "STRLEN k", num(1)},
				did{3, at + 2, at + 3, "APPEND other x", num(int64(i + 1))},
				did{3, at + 2, at + 3, "MGET k other", arr(str("v"), str(strings.Repeat("x", i+1)))})
		}
		ops = append(ops, did{1, 406, 407, "PTTL k", num(95)}, did{2, 510, 511, "GET k", str("v")})
		small, of, was := Shrink(recorded(ops...), generous)
		if small == nil {
			t.Errorf("%s: %s", made[0].cmd, was.Verdict)
			continue
		}
		core := of.Components[0].Core
		if of.Findings[0].Clause != "TIME-5" || len(small.Ops) > len(core)+5 {
			t.Errorf("%s: %s, %d operations with a core of %d", made[0].cmd, of.Findings[0].Clause, len(small.Ops), len(core))
		}
	}
}
