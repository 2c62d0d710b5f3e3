package linear

import (
	"slices"
	"sort"
	"time"
)

// This file reduces an illegal component to the operations that contradict each other, by
// weakening (weaken.go), in four steps, each of which keeps the rest illegal:
//
//  1. operations of unknown outcome are weakened, if that is still illegal;
//  2. the shortest prefix: what was called after its end is gone, for it can have had no part, and
//     what was in flight then is weakened;
//  3. the latest start: what was called before it is weakened;
//  4. of the operations left, as many as possible are weakened, in ever smaller groups.
//
// The time limit covers all steps. When it runs out, or a closure grows too large, the answer is
// taken as "not known to be illegal" and the operations stay: the core is then larger than it need
// be, and still a contradiction.

// checkShare is the part of the time limit that one check may take.
const checkShare = 8

// explainer holds the state of the reduction.
type explainer struct {
	part     *part
	deadline time.Time
	each     time.Duration
	view     view // the best so far: illegal
}

// explain fills in what an illegal component's report says.
func explain(p *part, c *Component, timeout time.Duration) {
	x := &explainer{part: p, deadline: time.Now().Add(timeout), each: timeout / checkShare}
	x.view = view{kept: slices.Clone(p.units)}
	x.weakenLost()
	x.shortenEnd()
	x.shortenStart()
	x.thinOut()
	x.verdict(c)
}

// illegal asks one question within the time that is left.
func (x *explainer) illegal(v view) bool {
	return x.ask(v) == Illegal
}

func (x *explainer) ask(v view) Verdict {
	left := min(x.each, time.Until(x.deadline))
	if left <= 0 {
		return Unknown
	}
	return x.part.view(v).run(left)
}

// try takes a smaller view if it is illegal too.
func (x *explainer) try(v view) bool {
	if !x.illegal(v) {
		return false
	}
	x.view = v
	return true
}

func (x *explainer) weakenLost() {
	x.try(x.weaken(func(u *unit) bool { return u.lost() }))
}

// weaken is the view with further operations weakened.
func (x *explainer) weaken(which func(*unit) bool) view {
	v := view{weak: slices.Clone(x.view.weak)}
	for _, u := range x.view.kept {
		if which(u) {
			v.weak = append(v.weak, u)
		} else {
			v.kept = append(v.kept, u)
		}
	}
	slices.SortStableFunc(v.weak, func(a, b *unit) int { return a.index - b.index })
	return v
}

// shortenEnd finds the first return up to which the history is illegal already. More of a history
// is never less illegal, so bisection is right.
func (x *explainer) shortenEnd() {
	var returns []int64
	for _, u := range x.view.kept {
		if !u.lost() {
			returns = append(returns, u.rec.Return)
		}
	}
	slices.Sort(returns)
	all := x.view
	until := func(t int64) view {
		var v view
		for _, u := range all.kept {
			switch {
			case u.lost() && u.rec.Call <= t || u.rec.Return <= t:
				v.kept = append(v.kept, u)
			case u.rec.Call <= t:
				v.weak = append(v.weak, u)
			}
		}
		for _, u := range all.weak {
			if u.rec.Call <= t {
				v.weak = append(v.weak, u)
			}
		}
		return v
	}
	first := sort.Search(len(returns), func(i int) bool { return x.illegal(until(returns[i])) })
	if first < len(returns) {
		x.view = until(returns[first])
	}
}

// shortenStart finds the latest call before which everything can be weakened.
func (x *explainer) shortenStart() {
	calls := make([]int64, 0, len(x.view.kept))
	for _, u := range x.view.kept {
		calls = append(calls, u.rec.Call)
	}
	slices.Sort(calls)
	from := func(t int64) view {
		return x.weaken(func(u *unit) bool { return u.rec.Call < t })
	}
	first := sort.Search(len(calls), func(i int) bool { return !x.illegal(from(calls[i])) })
	if first > 0 {
		x.try(from(calls[first-1]))
	}
}

// thinOut weakens groups of operations, half of all at first, single ones at last, until no single
// one can be weakened any more.
func (x *explainer) thinOut() {
	for size := (len(x.view.kept) + 1) / 2; size > 0 && len(x.view.kept) > 1; {
		changed := false
		for at := 0; at < len(x.view.kept) && len(x.view.kept) > 1; {
			group := x.view.kept[at:min(at+size, len(x.view.kept))]
			if x.try(x.weaken(func(u *unit) bool { return slices.Contains(group, u) })) {
				changed = true
			} else {
				at += size
			}
		}
		switch {
		case size > 1:
			size = (size + 1) / 2
		case !changed || time.Now().After(x.deadline):
			return
		}
	}
}
