package linear

import (
	"fmt"
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

// decide judges a one-key component.
func (k *oneKey) decide(p *part, opt Options, b bounds) outcome {
	for i := range k.acts {
		if k.acts[i].reply == saysOther {
			return outcome{verdict: Illegal, last: p.units[i], suspects: p.units[i : i+1]}
		}
	}
	l := k.layout(p)
	f := k.learn(l, false)
	if !opt.off.noTighten {
		if suspects := tighten(l, opt.slips.misled(f)); suspects != nil {
			return outcome{verdict: Illegal, suspects: suspects}
		}
	}
	k.windows(l, opt)
	f.calls(l)
	l.finish()
	d := newDFS[cell](k, l, f, opt.off)
	d.slips = opt.slips
	out := outcome{verdict: d.run(k.first, b), nodes: d.nodes}
	out.moment = l.momentAt(d.deepest)
	switch out.verdict {
	case Illegal:
		out.last = k.lastOf(p, l, d, opt)
	case Unknown:
		out.reason = fmt.Sprintf("not decided within %v", opt.Timeout)
	}
	return out
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
func (k *oneKey) lastOf(p *part, l *layout, d *dfs[cell], opt Options) *unit {
	off := opt.off
	off.noTighten, off.noNeeded, off.noLocks = true, true, true
	l = k.layout(p)
	k.learn(l, false)
	k.windows(l, opt)
	l.finish()
	again := newDFS[cell](k, l, d.facts, off)
	again.slips = opt.slips
	limit := bounds{
		deadline: time.Now().Add(lastTimeMax), nodes: 2*int64(len(l.ops)) + lastNodesMax,
		memory: opt.Memory,
	}
	if again.run(k.first, limit) == Illegal {
		return l.unitAt(again.deepest)
	}
	return l.unitAt(d.deepest)
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
