package linear

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"

	"rondo/check/history"
)

// Slack is a measured staleness of the server's clock: the least slack, in whole milliseconds, with
// which a history is legal.
type Slack struct {
	Ms     int64
	Found  bool   // otherwise Ms is where the search stopped, and Reason says why
	Reason string // one line
}

// SmallestSlack finds the smallest slack, up to most milliseconds, that makes h legal, whatever
// slack h declares. Windows only grow with the slack, so legality is monotone in it, and each
// component has a threshold of its own; the history's is the greatest. The search carries the
// greatest threshold found so far: a component that is legal there costs one judgement, which for a
// good server are all of them.
func SmallestSlack(h *history.History, most int64, opt Options) Slack {
	opt = opt.withDefaults()
	if err := h.Validate(); err != nil {
		return Slack{Reason: err.Error()}
	}
	m := &slackMeter{most: most, opt: opt}
	parts := split(withSlack(h.Meta, h.Ops, 0))
	slices.SortStableFunc(parts, func(a, b *part) int {
		return cmp.Compare(len(a.units), len(b.units))
	})
	inParallel(len(parts), func(i int) { m.component(parts[i]) })
	if failed := m.failed.Load(); failed != nil {
		return *failed
	}
	return Slack{Ms: m.least.Load(), Found: true}
}

type slackMeter struct {
	most   int64
	opt    Options
	least  atomic.Int64 // the greatest threshold so far
	failed atomic.Pointer[Slack]
}

// component raises least to the threshold of one component.
func (m *slackMeter) component(p *part) {
	low := m.least.Load()
	if m.failed.Load() != nil || m.legal(p, low) {
		return
	}
	// Most of what is illegal has nothing to do with the clock: one look at the end tells.
	if !m.legal(p, m.most) {
		m.fail(Slack{Ms: m.most, Reason: fmt.Sprintf(
			"keys %v are illegal with a slack of %d ms too", names(p), m.most)})
		return
	}
	high := m.most // legal; low is not
	for step := int64(1); low+step < high; step *= 2 {
		if m.legal(p, low+step) {
			high = low + step
			break
		}
		low += step
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; m.legal(p, mid) {
			high = mid
		} else {
			low = mid
		}
	}
	for {
		old := m.least.Load()
		if old >= high || m.least.CompareAndSwap(old, high) {
			return
		}
	}
}

// legal judges a component with another slack. What cannot be decided ends the measurement.
func (m *slackMeter) legal(p *part, ms int64) bool {
	for _, q := range split(withSlack(p.meta, opsOf(p.units), ms*tick)) {
		switch o := q.opinions(m.opt); {
		case q.foreign != "":
			m.fail(Slack{Ms: ms, Reason: q.foreign + " is not a command that the model decides"})
			return false
		case o.verdict == Illegal:
			return false
		case o.verdict != OK:
			m.fail(Slack{Ms: ms, Reason: fmt.Sprintf(
				"keys %v with a slack of %d ms: %s", names(p), ms, o.reason)})
			return false
		}
	}
	return true
}

// fail keeps the first failure.
func (m *slackMeter) fail(s Slack) { m.failed.CompareAndSwap(nil, &s) }

func opsOf(units []*unit) []history.Op {
	ops := make([]history.Op, 0, len(units))
	for _, u := range units {
		if u.half != collects {
			ops = append(ops, *u.rec)
		}
	}
	return ops
}

func withSlack(meta history.Meta, ops []history.Op, ns int64) *history.History {
	meta.Slack = ns
	return &history.History{Meta: meta, Ops: ops}
}

func names(p *part) []string {
	out := make([]string, len(p.keys))
	for i, k := range p.keys {
		out[i] = k.String()
	}
	return out
}
