package linear

import (
	"slices"
	"sort"
	"time"
)

// This file reduces an illegal component to the operations that contradict each other, by
// weakening (weaken.go), in three steps, each of which keeps the rest illegal:
//
//  1. the shortest prefix, which the frontier finds: what was called after the return at which no
//     order is left can have had no part; what was in flight then is weakened;
//  2. the latest start: what was called before it is weakened. It is sought from the end, in
//     windows of doubling size, because small ones are cheap to decide;
//  3. of the operations left, as many as possible are weakened, in ever smaller groups; reads
//     first, since a weakened read is gone, and with it what it could tell of others' values.
//
// Effort is counted in executions of the model, so that the same history gets the same
// explanation. Where a question takes too many, the answer is taken as "not known to be illegal"
// and the operations stay: the core is then larger than it need be, and still a contradiction.
const (
	askRunsMax     = 100_000 // for one question; the first ones, about everything, get more
	wholeRunsMax   = 2_000_000
	explainRunsMax = 6_000_000 // for all questions about one component
	verdictRunsMax = 3_000_000 // and then for finding out what the core means
	explainedMax   = 4         // components of a history that are reduced: the smallest ones
)

// explainer holds the state of the reduction.
type explainer struct {
	part     *part
	deadline time.Time // a last resort: on an overloaded machine
	left     int64     // executions
	view     view      // the best so far: illegal
}

// explain fills in what an illegal component's report says.
func explain(p *part, c *Component, timeout time.Duration) {
	x := &explainer{part: p, deadline: time.Now().Add(timeout), left: explainRunsMax}
	x.view = view{kept: slices.Clone(p.units)}
	x.shortenEnd()
	x.shortenStart()
	x.thinOut((*unit).readsOnly)
	x.thinOut(func(*unit) bool { return true })
	x.left, x.deadline = verdictRunsMax, time.Now().Add(timeout)
	x.verdict(c)
}

// ask answers one question; of an illegal view it also gives the operation at whose return no order
// is left.
func (x *explainer) ask(v view, most int64) (Verdict, *unit) {
	runs, limit := min(x.left, most), time.Until(x.deadline)
	if runs <= 0 || limit <= 0 {
		return Unknown, nil
	}
	s := x.part.view(v, runs)
	verdict, last := s.frontierRun(limit)
	x.left -= s.engine.runs
	return verdict, last
}

// refute finds out whether v is illegal, and in which form: as it is, or coarse where that is too
// much to decide.
func (x *explainer) refute(v view) (view, bool) {
	verdict, _ := x.ask(v, askRunsMax)
	if verdict == Unknown && !v.coarse {
		v.coarse = true
		verdict, _ = x.ask(v, askRunsMax)
	}
	return v, verdict == Illegal
}

func (x *explainer) illegal(v view) bool {
	_, ok := x.refute(v)
	return ok
}

// legal asks porcupine where the frontier does not know: it is the better one at finding an order.
func (x *explainer) legal(v view) bool {
	verdict, _ := x.ask(v, askRunsMax)
	if limit := time.Until(x.deadline); verdict == Unknown && x.left > 0 && limit > 0 {
		s := x.part.view(v, min(x.left, askRunsMax))
		verdict = s.run(limit)
		x.left -= askRunsMax // porcupine may still be at it: its own count must not be read
	}
	return verdict == OK
}

// try takes a smaller view if it is illegal too.
func (x *explainer) try(v view) bool {
	v, ok := x.refute(v)
	if ok {
		x.view = v
	}
	return ok
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

// shortenEnd cuts the history at the return at which no order is left. Operations of unknown
// outcome are weakened if it is illegal all the same.
func (x *explainer) shortenEnd() {
	v := x.weaken((*unit).lost)
	verdict, last := x.ask(v, wholeRunsMax)
	if verdict != Illegal {
		v = x.view
		verdict, last = x.ask(v, wholeRunsMax)
	}
	if verdict != Illegal {
		return
	}
	end := last.rec.Return
	var cut view
	for _, u := range v.kept {
		switch {
		case u.rec.Call > end:
		case u.lost() || u.rec.Return <= end:
			cut.kept = append(cut.kept, u)
		default:
			cut.weak = append(cut.weak, u)
		}
	}
	for _, u := range v.weak {
		if u.rec.Call <= end {
			cut.weak = append(cut.weak, u)
		}
	}
	x.view = cut
	x.try(x.weaken(func(u *unit) bool { return !u.lost() && u.rec.Return > end }))
}

// shortenStart finds the latest call before which everything can be weakened.
func (x *explainer) shortenStart() {
	byReturn := slices.Clone(x.view.kept)
	slices.SortStableFunc(byReturn, laterFirst)
	lastOnes := func(n int) view {
		return x.weaken(func(u *unit) bool { return !slices.Contains(byReturn[:n], u) })
	}
	n := 1
	for n < len(byReturn) && !x.illegal(lastOnes(n)) {
		n *= 2
	}
	if n >= len(byReturn) {
		return
	}
	n = n/2 + 1 + sort.Search(n-n/2-1, func(i int) bool { return x.illegal(lastOnes(n/2 + 1 + i)) })
	x.try(lastOnes(n))
}

func laterFirst(a, b *unit) int { return compare(b.rec.Return, a.rec.Return) }

// thinOut weakens groups of the operations that which picks, half of them at first, single ones at
// last, until no single one can be weakened any more.
func (x *explainer) thinOut(which func(*unit) bool) {
	for size := (len(x.view.kept) + 1) / 2; size > 0; {
		changed := x.thinBy(size, which)
		switch {
		case size > 1:
			size = (size + 1) / 2
		case !changed || x.left <= 0:
			return
		}
	}
}

// thinBy goes through the operations once, in groups of one size.
func (x *explainer) thinBy(size int, which func(*unit) bool) (changed bool) {
	for at := 0; ; {
		picked := slices.DeleteFunc(slices.Clone(x.view.kept), func(u *unit) bool { return !which(u) })
		if at >= len(picked) {
			return changed
		}
		group := picked[at:min(at+size, len(picked))]
		smaller := x.weaken(func(u *unit) bool { return slices.Contains(group, u) })
		if len(smaller.kept) > 0 && x.try(smaller) {
			changed = true
		} else {
			at += size
		}
	}
}
