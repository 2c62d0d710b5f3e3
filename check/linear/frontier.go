package linear

import (
	"cmp"
	"context"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// This file is a second search, breadth first, which the explanation asks many times. It carries
// every configuration that some order of effects can have reached through the history, return by
// return. That is the wrong way to accept a long history, which needs one order only (porcupine's
// depth-first search finds it), and the right way to refute a short one: nothing is tried twice,
// configurations that another one includes are dropped, and the return at which none is left ends
// the shortest illegal prefix.
//
// Just in time is enough: at the return of an operation that has not taken effect, a sequence of
// operations in flight takes effect, ending with it. For take an order that explains the history:
// all that precede the returning operation in it have been called by now, so they are in flight or
// have returned.

// frontier is the state of a breadth-first search: for each set of operations that are in flight
// and have taken effect, a bit each, the configurations reached.
type frontier struct {
	search *search
	groups map[uint64][]config
	open   []*flight // by slot; nil: free
}

// flight is an operation in flight.
type flight struct {
	unit *unit
	// after is the operation sent before it on a pipelining connection (LIN-6).
	after *flight
	gone  bool // it has returned
}

// flightsMax is how many operations may be in flight at once: the bits of a group.
const flightsMax = 64

// event is a call or a return of a unit.
type event struct {
	at      int64
	return_ bool
	flight  *flight
}

// frontierRun decides a search; of an illegal one it also gives the unit at whose return nothing
// is left.
func (s *search) frontierRun(timeout time.Duration) (Verdict, *unit) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	f := &frontier{search: s, groups: map[uint64][]config{0: slices.Clone(s.start)}}
	for _, e := range s.events() {
		if !e.return_ {
			if !f.enter(e.flight) {
				return Unknown, nil
			}
			continue
		}
		f.leave(ctx, e.flight)
		switch {
		case ctx.Err() != nil || s.engine.gaveUp.Load():
			return Unknown, nil
		case len(f.groups) == 0:
			return Illegal, e.flight.unit
		}
	}
	return OK, nil
}

// events lists calls and returns in time order, calls first where they tie, for intervals are
// closed. What never returned has a call only.
func (s *search) events() []event {
	var out []event
	last := make([]*flight, s.conns)
	for _, u := range s.units {
		f := &flight{unit: u}
		if u.conn >= 0 {
			f.after, last[u.conn] = last[u.conn], f
		}
		out = append(out, event{u.rec.Call, false, f})
		if !u.lost() {
			out = append(out, event{u.rec.Return, true, f})
		}
	}
	slices.SortStableFunc(out, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(toInt(a.return_), toInt(b.return_)))
	})
	return out
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// enter gives a called operation a slot.
func (f *frontier) enter(fl *flight) bool {
	at := slices.Index(f.open, nil)
	if at < 0 {
		at = len(f.open)
		f.open = append(f.open, nil)
	}
	f.open[at] = fl
	return at < flightsMax
}

// leave takes the frontier over the return of an operation: groups without it are carried on until
// it has taken effect, smaller sets first, so that each is complete when its turn comes.
func (f *frontier) leave(ctx context.Context, fl *flight) {
	slot := slices.Index(f.open, fl)
	bit := uint64(1) << slot
	for size := 0; size <= len(f.open); size++ {
		for _, done := range slices.Sorted(maps.Keys(f.groups)) {
			if bits.OnesCount64(done) == size && done&bit == 0 && ctx.Err() == nil {
				f.extend(done)
				delete(f.groups, done)
			}
		}
	}
	left := map[uint64][]config{}
	for done, configs := range f.groups {
		left[done&^bit] = configs
	}
	f.groups = left
	fl.gone = true
	f.open[slot] = nil
}

// extend lets each operation that is possible next take effect.
func (f *frontier) extend(done uint64) {
	set := newSet(f.groups[done], nil, f.search.engine.faults)
	for slot, fl := range f.open {
		if fl == nil || done>>slot&1 == 1 || !f.possible(done, fl) {
			continue
		}
		next := done | 1<<slot
		for i := range set.configs {
			f.groups[next] = f.search.engine.step(f.groups[next], &set.configs[i], fl.unit)
		}
		if len(f.groups[next]) == 0 {
			delete(f.groups, next)
		}
	}
}

// possible: the operation's predecessor on its connection has taken effect.
func (f *frontier) possible(done uint64, fl *flight) bool {
	if fl.after == nil || fl.after.gone {
		return true
	}
	slot := slices.Index(f.open, fl.after)
	return slot >= 0 && done>>slot&1 == 1
}
