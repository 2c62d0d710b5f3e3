package linear

import (
	"fmt"
	"slices"
	"time"
)

// This file decides which searches a component gets, in which order, and for how long.

// decide judges a component by the own engine.
func (p *part) decide(opt Options) outcome {
	deadline := time.Now().Add(opt.Timeout)
	if k, ok := newOneKey(p); ok {
		return k.decide(p, opt, bounds{deadline: deadline, memory: opt.Memory})
	}
	return newGeneral(p, opt.faults).decide(p, opt, deadline)
}

// decide judges a one-key component. Where replies were lost, what is likely is tried first: that
// those operations took effect soon. Tightening refutes most of what is illegal. Then later virtual
// returns are tried. Then, in ever longer turns until the time is over, a search that jumps back
// where it is stuck, which finds an order sooner, and one that does not, which finds out that there
// is none. Each goes on where its last turn ended.
func (k *oneKey) decide(p *part, opt Options, b bounds) outcome {
	for i := range k.acts {
		if k.acts[i].reply == saysOther {
			return outcome{verdict: Illegal, last: p.units[i], suspects: p.units[i : i+1]}
		}
	}
	e := &attempt{k: k, p: p, opt: opt, bounds: b, recorded: k.layout(p)}
	var delays []int64
	if !opt.off.noVirtual && e.recorded.hasLost() {
		delays = e.recorded.delays()
	}
	if len(delays) > 0 && e.within(delays[0]) {
		return e.out
	}
	if suspects := e.prepare(false, 0); suspects != nil {
		if last := k.lastOf(p, nil, opt); last != nil {
			return outcome{verdict: Illegal, last: last}
		}
		return outcome{verdict: Illegal, suspects: suspects}
	}
	if len(delays) > 0 {
		if slices.ContainsFunc(delays[1:], e.within) {
			return e.out
		}
		e.prepare(false, 0)
	}
	finder, refuter := e.depthFirst(true), e.depthFirst(false)
	for nodes := int64(turnMin); ; nodes *= 4 {
		v := e.run(finder, 0, nodes)
		if v == Unknown && !e.over() {
			v = e.run(refuter, refuter.nodes+nodes, 0)
		}
		if v != Unknown || e.over() {
			return e.finish(v)
		}
	}
}

// within reports that the component is legal if virtual returns come so soon.
func (e *attempt) within(delay int64) bool {
	return e.prepare(true, delay) == nil && e.run(e.depthFirst(true), 0, stallLost) == OK
}

// The turns that searches have: turnMin nodes, or until the one that jumps has come no further in so
// many, and ever more; and what the one with virtual returns has.
const (
	turnMin   = 100_000
	stallLost = 1_000_000
)

// attempt is a component on its way through the portfolio.
type attempt struct {
	k      *oneKey
	p      *part
	opt    Options
	bounds bounds
	out    outcome
	full   bool // the last search ended for want of memory

	recorded *layout // with the intervals that were recorded
	l        *layout // with those of this attempt
	f        *facts
}

// prepare lays the component out; with a delay, for operations of unknown outcome that return. It
// gives the units of a contradiction that needs no search.
func (e *attempt) prepare(assume bool, delay int64) []*unit {
	e.l = e.recorded.clone()
	if delay > 0 {
		e.l.virtual(delay)
	}
	e.k.acts = e.k.compiled
	e.k.doubtful = nil
	e.f = e.k.learn(e.l, assume)
	if assume && e.k.traits.adds {
		e.k.doubt(e.l, e.f)
	}
	if !e.opt.off.noInstances {
		orphan, changed := e.k.instances(e.l, e.f, e.opt.slips.classesApart)
		if orphan != none {
			return []*unit{e.p.units[e.l.ops[orphan].unit]}
		}
		if changed {
			e.f = e.k.learn(e.l, assume)
		}
	}
	if e.opt.slips.endsAll {
		for i := range e.l.ops {
			e.l.ops[i].flags |= ends
		}
	}
	if !e.opt.off.noLives {
		e.f.lives = e.k.lives(e.l, e.opt.slips.livesApart)
	}
	if !e.opt.off.noTighten {
		if suspects := tighten(e.l, e.opt.slips.misled(e.f)); suspects != nil {
			return suspects
		}
	}
	e.k.windows(e.l, e.opt)
	e.f.calls(e.l)
	e.k.kinds(e.l, e.f)
	e.l.finish()
	return nil
}

func (e *attempt) over() bool { return e.full || time.Now().After(e.bounds.deadline) }

// depthFirst prepares a search.
func (e *attempt) depthFirst(jumps bool) *dfs[cell] {
	d := newDFS[cell](e.k, e.l, e.f, e.k.first, e.opt.off)
	d.slips, d.jumps = e.opt.slips, jumps
	d.patience = e.opt.patience
	return d
}

// run lets a search visit some nodes, and go on while it comes further at least once in stall nodes;
// 0 is no bound.
func (e *attempt) run(d *dfs[cell], nodes, stall int64) Verdict {
	b := e.bounds
	b.nodes, b.stall = nodes, stall
	b.memory /= 2 // there are two at most
	before := d.nodes
	v := d.run(b)
	e.out.nodes += d.nodes - before
	e.out.verdict = v
	e.out.moment = max(e.out.moment, e.l.momentAt(d.deepest))
	e.full = v == Unknown && d.full
	if v == Illegal {
		e.out.last = e.l.unitAt(d.deepest)
	}
	return v
}

// finish words the outcome.
func (e *attempt) finish(v Verdict) outcome {
	e.out.verdict = v
	switch {
	case v == Illegal:
		e.out.last = e.k.lastOf(e.p, e.out.last, e.opt)
	case v == Unknown && e.full:
		e.out.reason = fmt.Sprintf("not decided within %d MiB", e.bounds.memory>>20)
	case v == Unknown:
		e.out.reason = fmt.Sprintf("not decided within %v", e.opt.Timeout)
	}
	return e.out
}

// layout lays the component out, without reads whose reply was lost: they never matter.
func (k *oneKey) layout(p *part) *layout {
	return newLayout(p, func(i int) bool { return k.acts[i].reply == saysLost && k.acts[i].reads() })
}

// windows computes the windows of ticks from the ranks, which may have moved. Where no command has
// to do with deadlines the clock does not matter.
func (k *oneKey) windows(l *layout, opt Options) {
	timeless := !k.traits.timed && !opt.off.noTimeless
	for i := range l.ops {
		o := &l.ops[i]
		if timeless {
			o.lo, o.hi = -far, far
			continue
		}
		call, ret := l.times[o.call], l.times[o.call]
		if o.ret != never {
			ret = l.times[o.ret]
		}
		if o.lo, o.hi = windowOf(call, ret, l.part.meta); o.ret == never {
			o.hi = far
		}
	}
}

// lastOf finds the unit at whose return no order is left. What looks ahead may have refuted the
// history earlier than that, so the search is run again without; where that takes too long, the
// answer is how far the search with all reductions came.
func (k *oneKey) lastOf(p *part, last *unit, opt Options) *unit {
	opt.off.noTighten, opt.off.noNeeded, opt.off.noLocks = true, true, true
	e := &attempt{k: k, p: p, opt: opt, recorded: k.layout(p)}
	e.bounds = bounds{deadline: time.Now().Add(lastTimeMax), memory: opt.Memory}
	e.prepare(false, 0)
	if e.run(e.depthFirst(false), 2*int64(len(e.l.ops))+lastNodesMax, 0) == Illegal {
		return e.out.last
	}
	return last
}

const (
	lastTimeMax  = time.Second
	lastNodesMax = 100_000
)

// misled is what facts say by mistake.
func (s slips) misled(f *facts) *facts {
	if !s.tightenAll {
		return f
	}
	wrong := *f
	wrong.unique = make([]bool, len(f.unique))
	for v := range wrong.unique {
		wrong.unique[v] = true
	}
	return &wrong
}
