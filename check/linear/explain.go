package linear

import (
	"cmp"
	"slices"
	"time"
)

// This file reduces an illegal component to the operations that contradict each other, by
// weakening (weaken.go). It begins with what the search knows: the operation at whose return no
// order is left, which ends the shortest illegal prefix, and the operations whose windows
// contradict, if that is how the component was refuted. All others are weakened.
//
//  1. If the last few operations contradict each other by themselves (window), or a few that are
//     guessed (guess.go), these are taken.
//  2. Otherwise the core grows (grow): as long as an order explains the kept operations, one that this order
//     contradicts is kept too. Such an operation is first sought among those that could be near the
//     kept ones, then in windows of growing size before the end. At a window's edge the state may
//     be any, so that the effort depends on the distance of the operations that contradict each
//     other, and not on the length of the history.
//     If that leads nowhere, larger windows are tried.
//  3. The core shrinks (shrink): each operation that can be weakened is.
//  4. It is asked which facts of the core matter: which calls, returns and replies (facts).
//
// Effort is counted in executions of the model, so that the same history gets the same
// explanation. Where a question takes too many, the answer is taken as "not known to be illegal"
// and the operations stay: the core is then larger than it need be, and still a contradiction.
const (
	askRunsMax     = 60_000    // for one question
	windowRunsMax  = 3_000     // for one about the last few operations
	explainRunsMax = 400_000   // for all questions about one component
	verdictRunsMax = 200_000   // and then for finding out what the core means
	wholeRunsMax   = 2_000_000 // for finding the end, where the search did not say it
	exactMax       = 100       // weakened operations, beyond which the coarse form is asked first
	poolFirst      = 32        // operations in the first window; each next one is poolGrowth times as long
	poolGrowth     = 4
	poolMax        = 20_000
	coreMax        = 32 // operations to which a core may grow
	sketchDivisor  = 10 // of the effort, where many components are illegal
)

// explainer holds the state of the reduction.
type explainer struct {
	part     *part
	deadline time.Time // a last resort: on an overloaded machine
	left     int64     // executions
	most     int64     // executions for one question; 0: askRunsMax
	end      int64     // the return at which no order is left
	pool     []*unit   // what was called by the end and returned after from, by call
	whole    bool      // the pool holds all that was called by the end
	from     int64
	view     view // the best so far

	writersBy map[string][]*unit // memo of writersOf
}

// Fact says what of an operation of the core matters: without it the core would be legal.
type Fact struct{ Call, Return, Reply bool }

// explain fills in what an illegal component's report says, with one part in effort of the effort.
func explain(p *part, c *Component, effort int64, timeout time.Duration) {
	started := time.Now()
	defer func() { c.Explained = time.Since(started) }()
	x := newExplainer(p, effort, timeout)
	if x.queueFault(c) {
		p.core = x.view
		x.core(c)
		c.Steps = x.draw(x.rows(nil, nil))
		return
	}
	proven := x.reduce()
	if proven {
		x.shrink()
		c.Facts = x.facts()
	}
	p.core = x.view
	if !proven {
		x.unproven(c)
		return
	}
	x.left, x.most, x.deadline = verdictRunsMax/effort, 0, time.Now().Add(timeout)
	x.verdict(c)
}

// bound names what left a question without an answer.
func (x *explainer) bound() string {
	switch {
	case x.left <= 0:
		return "the effort for it ran out"
	case time.Until(x.deadline) <= 0:
		return "the time for it ran out"
	}
	return "too hard a question"
}

func newExplainer(p *part, effort int64, timeout time.Duration) *explainer {
	x := &explainer{part: p, deadline: time.Now().Add(timeout), left: explainRunsMax / effort}
	x.begin(p.found)
	return x
}

// reduce finds operations that contradict each other: those close to the end, or by growing from
// the last, and more of either only if that was not enough.
func (x *explainer) reduce() bool {
	first := x.view
	x.most = windowRunsMax
	left := x.left
	if x.window(2, 8) {
		return true
	}
	x.most = 0
	if x.guess(x.part.found) {
		return true
	}
	x.view, x.left = first, left
	x.fill(first.edge)
	return x.grow(coreMax/3, poolMax) || x.window(16, keptMax) || x.grow(coreMax, poolMax)
}

// begin finds the end and what to keep first.
func (x *explainer) begin(f outcome) {
	if f.last == nil && len(f.suspects) == 0 {
		s := x.part.search()
		s.engine.runsMax = wholeRunsMax
		_, f.last = s.frontierRun(time.Until(x.deadline))
	}
	var kept []*unit
	x.end = -inf
	for _, u := range append(slices.Clone(f.suspects), f.last) {
		if u != nil && !slices.Contains(kept, u) && len(kept) < coreMax {
			kept = append(kept, u)
			x.end = max(x.end, u.rec.Return)
		}
	}
	if len(kept) == 0 {
		x.end = inf
		kept = x.part.units[len(x.part.units)-1:]
	}
	x.view = x.keep(kept)
}

// keep is the view in which these are kept, cut where the first of them was called.
func (x *explainer) keep(kept []*unit) view {
	edge := int64(inf)
	for _, u := range kept {
		edge = min(edge, u.rec.Call)
		if u.isNullExec() {
			edge = min(edge, x.part.watched(u))
		}
	}
	return x.viewFrom(kept, edge)
}

// watched is the call of the first WATCH that an EXEC looks at, or inf.
func (p *part) watched(exec *unit) int64 {
	first := int64(inf)
	for i := exec.index - 1; i >= 0; i-- {
		if w := p.units[i]; w.client == exec.client {
			switch lower(w.rec.Cmd[0]) {
			case "watch":
				first = w.rec.Call
			case "exec", "discard", "unwatch", "reset":
				return first
			}
		}
	}
	return first
}

// viewFrom is the view with a given edge.
func (x *explainer) viewFrom(kept []*unit, edge int64) view {
	if edge < x.from || x.pool == nil {
		x.fill(edge)
	}
	v := view{part: x.part, edge: edge}
	for _, u := range kept {
		if u.lost() || u.rec.Return <= x.end { // others may meet what was called after the end
			v.kept = append(v.kept, u)
		}
	}
	slices.SortFunc(v.kept, func(a, b *unit) int { return a.index - b.index })
	v.cut = !x.whole || x.part.continued()
	for _, u := range x.pool {
		switch {
		case slices.Contains(v.kept, u):
		case u.rec.Return < edge:
			v.cut = true
		default:
			v.weak = append(v.weak, u)
		}
	}
	return v
}

// fill makes the pool reach back to an instant. What returned before it lies, but for operations
// that took long, behind one place in the order of calls.
func (x *explainer) fill(from int64) {
	x.from = from
	first := x.called(plus(from, -x.part.longest()))
	if from == -inf {
		first = 0
	}
	x.pool, x.whole = []*unit{}, first == 0
	for _, u := range x.part.slow[:x.part.slowBefore(first)] {
		if u.rec.Return >= from {
			x.pool = append(x.pool, u)
		}
	}
	for _, u := range x.part.units[first:x.called(x.end)] {
		if u.rec.Return >= from {
			x.pool = append(x.pool, u)
		} else {
			x.whole = false
		}
	}
}

// called counts the operations called by an instant.
func (x *explainer) called(at int64) int {
	n, _ := slices.BinarySearchFunc(x.part.units, at, func(u *unit, at int64) int {
		if u.rec.Call <= at {
			return -1
		}
		return 1
	})
	return n
}

// longest is how long operations take, but for one in sixteen, which are listed in slow by call.
func (p *part) longest() int64 {
	if p.slow != nil {
		return p.length
	}
	var sample []int64
	for i := 0; i < len(p.units); i += 1 + len(p.units)/1000 {
		if u := p.units[i]; !u.lost() {
			sample = append(sample, u.rec.Return-u.rec.Call)
		}
	}
	slices.Sort(sample)
	if n := len(sample); n > 0 {
		p.length = sample[n-1-n/16]
	}
	p.slow = []*unit{}
	for _, u := range p.units {
		if u.lost() || u.rec.Return-u.rec.Call > p.length {
			p.slow = append(p.slow, u)
		}
	}
	return p.length
}

// slowBefore counts the slow operations among the first n.
func (p *part) slowBefore(n int) int {
	at, _ := slices.BinarySearchFunc(p.slow, n, func(u *unit, n int) int { return u.index - n })
	return at
}

// reach makes the pool hold about n operations.
func (x *explainer) reach(n int) {
	last := x.called(x.end)
	from := x.part.units[max(0, last-n)].rec.Call
	if n >= last {
		from = -inf
	}
	if from < x.from {
		x.fill(from)
	}
}

// forms says whether to ask first about the view as it is, or about its coarse form.
func (v view) forms() []bool {
	if len(v.weak) > exactMax {
		return []bool{true, false}
	}
	return []bool{false, true}
}

// ask answers one question. What is known to be illegal is so; an order of a coarse view may not be
// one of the operations themselves.
func (x *explainer) ask(v view) (verdict Verdict, t *trail) {
	verdict = Unknown
	for _, v.coarse = range v.forms() {
		next := x.run(v, false)
		if next == nil {
			return Unknown, t
		}
		if t, verdict = next, next.verdict; verdict != Unknown {
			break
		}
	}
	return verdict, t
}

func (x *explainer) illegal(v view) bool {
	verdict, _ := x.ask(v)
	return verdict == Illegal
}

// exactly decides a view, and takes no order of its coarse form for an answer.
func (x *explainer) exactly(v view) Verdict {
	v.coarse = false
	if t := x.run(v, false); t != nil {
		return t.verdict
	}
	return Unknown
}

// order decides a view and gives a search that has found an order of it. That is looked for first
// among the kept operations alone, which is a handful, and the weakened ones need not have happened.
// An order of the coarse form is taken only where the view itself is too much: it is then as good as
// the proof of the core, which rested on that form too.
func (x *explainer) order(v view) (Verdict, *trail) {
	alone := v
	alone.weak = nil
	if t := x.run(alone, false); t != nil && len(t.ends) > 0 {
		return OK, t
	}
	return x.orders(v, false)
}

// orders decides a view, with every order that differs or with the first.
func (x *explainer) orders(v view, every bool) (verdict Verdict, found *trail) {
	verdict = Unknown
	for _, v.coarse = range v.forms() {
		switch t := x.run(v, every); {
		case t == nil:
		case t.verdict == Illegal:
			return Illegal, nil
		case len(t.ends) == 0:
		case !v.coarse:
			return OK, t
		default:
			verdict, found = OK, t
		}
	}
	return verdict, found
}

// run searches a view; nil if the effort is spent.
func (x *explainer) run(v view, every bool) *trail {
	runs := min(x.left, cmp.Or(x.most, askRunsMax))
	if runs <= 0 || time.Until(x.deadline) <= 0 {
		return nil
	}
	t := x.part.trail(v, runs)
	t.every = every
	t.verdict = t.run()
	x.left -= t.engine.runs
	return t
}

// grow keeps more operations until no order is left.
func (x *explainer) grow(most, pool int) bool {
	for size := poolFirst; ; size *= poolGrowth {
		x.reach(size)
		for len(x.view.kept) < most {
			u, done := x.contradicted()
			if done {
				return true
			}
			if u == nil {
				break
			}
			x.view = x.keep(append(x.view.kept, u))
		}
		if x.whole || size > pool || len(x.view.kept) >= most || x.left <= 0 {
			return false
		}
	}
}

// contradicted finds an operation that an order of the kept ones contradicts; done: there is no
// such order.
func (x *explainer) contradicted() (u *unit, done bool) {
	for _, v := range []view{x.view, x.viewFrom(x.view.kept, x.from)} {
		verdict, t := x.ask(v)
		switch {
		case verdict == Illegal:
			x.view = v
			return nil, true
		case verdict == OK:
			runs := t.engine.runs
			t.engine.runsMax = runs + min(x.left, askRunsMax)
			u := newFitting(x, v, t).misfit()
			x.left -= t.engine.runs - runs
			if u != nil {
				return u, false
			}
		}
	}
	return nil, false
}

// window keeps the last operations all at once: least of them, then twice as many, up to most.
func (x *explainer) window(least, most int) bool {
	for n := least; n <= most; n *= 2 {
		x.reach(n)
		byReturn := slices.Clone(x.pool)
		slices.SortStableFunc(byReturn, laterFirst)
		kept := slices.DeleteFunc(byReturn, func(u *unit) bool { return u.rec.Return > x.end })
		kept = kept[:min(n, len(kept))]
		if v := x.keep(kept); len(kept) > 0 && x.illegal(v) {
			x.view = v
			return true
		}
		if len(kept) < n {
			break
		}
	}
	v := x.viewFrom(x.pool, -inf) // all there is
	if !x.whole || len(v.kept) > most || !x.illegal(v) {
		return false
	}
	x.view = v
	return true
}

func laterFirst(a, b *unit) int { return cmp.Compare(b.rec.Return, a.rec.Return) }

// shrink weakens groups of operations, half of them at first, single ones at last, until no single
// one can be weakened any more. Reads come first, since a weakened read is gone, and with it what
// it could tell of others' values.
func (x *explainer) shrink() {
	for _, which := range []func(*unit) bool{(*unit).readsOnly, func(*unit) bool { return true }} {
		for size := (len(x.view.kept) + 1) / 2; size > 0; {
			changed := x.shrinkBy(size, which)
			switch {
			case size > 1:
				size = (size + 1) / 2
			case !changed || x.left <= 0:
				size = 0
			}
		}
	}
}

// shrinkBy goes through the operations once, in groups of one size.
func (x *explainer) shrinkBy(size int, which func(*unit) bool) (changed bool) {
	for at := 0; ; {
		var picked []*unit
		for _, u := range x.view.kept {
			if which(u) {
				picked = append(picked, u)
			}
		}
		if at >= len(picked) {
			return changed
		}
		group := picked[at:min(at+size, len(picked))]
		if x.without(group) {
			changed = true
		} else {
			at += size
		}
	}
}

// facts asks what of each operation of the core matters. One fact is dropped at a time, so two that
// can replace each other both seem not to.
func (x *explainer) facts() []Fact {
	kept := operations(x.view.kept)
	out := make([]Fact, len(kept))
	needed := func(change func(u *unit)) bool {
		v := x.view
		v.change = change
		return !x.illegal(v)
	}
	for i, u := range kept {
		rec := u.rec
		only := func(f func(u *unit)) func(u *unit) {
			return func(u *unit) {
				if u.rec == rec {
					f(u)
				}
			}
		}
		out[i].Call = needed(only((*unit).anyCall))
		if u.lost() {
			continue
		}
		out[i].Return = needed(only((*unit).anyReturn))
		out[i].Reply = needed(only((*unit).anyReply))
	}
	return out
}

// operations leaves out the second of two halves.
func operations(units []*unit) []*unit {
	var out []*unit
	for i, u := range units {
		if i == 0 || units[i-1].rec != u.rec {
			out = append(out, u)
		}
	}
	return out
}

// anyCall lets an operation have been called long ago.
func (u *unit) anyCall() {
	rec := *u.rec
	rec.Call, u.rec, u.lo = -inf, &rec, -inf
}

// anyReturn lets an operation return never; it has to take effect all the same.
func (u *unit) anyReturn() {
	rec := *u.rec
	rec.Return, u.rec, u.hi = inf, &rec, inf
}

// anyReply lets an operation answer anything.
func (u *unit) anyReply() { u.mute = true }

// without weakens operations if what is left is illegal too: cut where it begins, or where it was.
func (x *explainer) without(group []*unit) bool {
	var rest []*unit
	for _, u := range x.view.kept {
		if !slices.Contains(group, u) {
			rest = append(rest, u)
		}
	}
	if len(rest) == 0 {
		return false
	}
	tight, same := x.keep(rest), x.viewFrom(rest, x.view.edge)
	for _, v := range []view{tight, same} {
		if x.illegal(v) {
			x.view = v
			return true
		}
		if tight.edge == same.edge {
			break
		}
	}
	return false
}
