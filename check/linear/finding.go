package linear

import (
	"cmp"
	"slices"
	"time"
)

// This file says what a history did wrong as a whole. A server that breaks a rule breaks it for
// most keys, and one good counterexample is worth more than a thousand: illegal components are
// grouped by the clause they break and by the cause, and each group shows its smallest example.

// Finding is one way in which a history breaks a clause.
type Finding struct {
	Clause, Cause string
	Count         int // components
	Example       int // the smallest of them, in Result.Components
}

// How many illegal components of a history are explained with all effort, and how many at all. The
// smallest come first.
const (
	explainedMax = 16
	sketchedMax  = 64
)

// explainSome explains the illegal components. Beyond sketchedMax they keep what judge said.
func explainSome(parts []*part, cs []Component, opt Options) {
	var illegal []int
	for i := range cs {
		if cs[i].Verdict == Illegal {
			illegal = append(illegal, i)
		}
	}
	slices.SortStableFunc(illegal, func(a, b int) int {
		return cmp.Or(len(cs[a].Keys)-len(cs[b].Keys), cs[a].Ops-cs[b].Ops)
	})
	until := time.Now().Add(opt.Timeout)
	inParallel(min(len(illegal), sketchedMax), func(i int) {
		effort := int64(1)
		if i >= explainedMax {
			effort = sketchDivisor
		}
		explain(parts[illegal[i]], &cs[illegal[i]], effort, time.Until(until))
	})
	for _, i := range illegal {
		cs[i].Reason = cs[i].Clause + ": " + cs[i].Sentence
	}
}

// findings groups the illegal components, the most frequent finding first.
func findings(cs []Component) []Finding {
	var out []Finding
	for i := range cs {
		c := &cs[i]
		if c.Verdict != Illegal {
			continue
		}
		at := slices.IndexFunc(out, func(f Finding) bool {
			return f.Clause == c.Clause && f.Cause == c.Cause
		})
		if at < 0 {
			out = append(out, Finding{c.Clause, c.Cause, 1, i})
			continue
		}
		out[at].Count++
		if c.Reading() < cs[out[at].Example].Reading() {
			out[at].Example = i
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return b.Count - a.Count })
	return out
}

// Reading is how much there is to read. One operation alone takes more than two or three: what it
// contradicts is not shown. What proves nothing comes after all proofs, and nothing at all takes most.
func (c *Component) Reading() int {
	switch n := len(c.Core); {
	case n == 0:
		return 1 << 20
	case c.Unproven:
		return 1<<19 + n
	case n == 1:
		return 2*3 + 1
	default:
		return 2 * n
	}
}
