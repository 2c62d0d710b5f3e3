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
	l := newLayout(p, func(i int) bool { return k.acts[i].reply == saysLost && k.acts[i].reads() })
	f := k.learn(l, false)
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

// lastOf finds the unit at whose return no order is left. What looks ahead may have refuted the
// history earlier than that, so the search is run again without; where that takes too long, the
// answer is how far the search with all reductions came.
func (k *oneKey) lastOf(p *part, l *layout, d *dfs[cell], opt Options) *unit {
	off := opt.off
	off.noTighten, off.noNeeded, off.noLocks = true, true, true
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
