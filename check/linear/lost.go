package linear

import (
	"slices"
	"sort"

	"rondo/check/history"
)

// This file makes operations of unknown outcome bearable (LIN-5). One that may take effect at any
// time from its call on stays in flight for ever, and a hundred of those are a hundred candidates
// at every node. But a server that executes a lost command does so soon. So the search first pretends
// that each has a virtual return, some latencies after its call, by which it has taken effect or
// never will. What is accepted so is legal; what is not is searched again with later returns, and at
// last with none.

// delays are the distances of virtual returns that are tried, in ns. The first is so long that of
// as many answered operations as there are lost ones only one took longer; but it ignores an operation
// that took much longer than nearly all others.
func (l *layout) delays() []int64 {
	var took []int64
	for i := range l.ops {
		if r := l.part.units[l.ops[i].unit].rec; r.Return != history.Never {
			took = append(took, r.Return-r.Call)
		}
	}
	first := int64(tick)
	if n := len(took); n > 0 {
		slices.Sort(took)
		unanswered := max(1, len(l.ops)-n)
		first = max(1, min(took[max(0, n-1-n/unanswered)], 2*took[n*99/100]))
	}
	return []int64{first, 4 * first, 32 * first}
}

// virtual gives returns to the operations that have none; false if there are no such.
func (l *layout) virtual(delay int64) bool {
	found := false
	for i := range l.ops {
		o := &l.ops[i]
		if !o.is(lost) || o.ret != never {
			continue
		}
		found = true
		until := plus(l.times[o.call], delay)
		if r := sort.Search(len(l.times), func(r int) bool { return l.times[r] >= until }); r < len(l.times) {
			o.ret = int32(r)
		}
	}
	return found
}

// hasLost: some operation may be left out.
func (l *layout) hasLost() bool {
	return slices.ContainsFunc(l.ops, func(o op) bool { return o.is(lost) })
}
