package linear

import "math/bits"

// This file is the breadth-first search as a stream: it carries the exact set of situations through
// a segment of a component, return by return, and hands over the set at its end, from which the next
// segment starts (segment.go). Unlike the batch searches it may use nothing that looks beyond the
// segment, nor what finds one order only: every configuration that some order reaches is in the set,
// or is included in one that is.
//
// Just in time is enough (frontier.go says why): at the return of an operation that has not taken
// effect, a sequence of operations in flight takes effect, ending with it. Two reductions keep the
// set complete. A pure read that leaves a configuration as it is takes effect at once: wherever it
// came later, it can be left out there. And a situation in which fewer operations of unknown outcome
// have happened makes one with more superfluous, since they need not happen; but not if operations
// behind them on a pipelining connection need them to have happened (LIN-6).

// situation is a configuration, and what has taken effect to get there of what is in flight.
type reached[C any] struct {
	done slotSet
	c    C
}

// slotSet is a set of slots.
type slotSet [walkSlots / 64]uint64

// walkSlots bounds the operations in flight at once in a segment.
const walkSlots = 128

func (s *slotSet) has(slot int32) bool { return s[slot>>6]>>(slot&63)&1 == 1 }
func (s *slotSet) add(slot int32)      { s[slot>>6] |= 1 << (slot & 63) }
func (s *slotSet) drop(slot int32)     { s[slot>>6] &^= 1 << (slot & 63) }

func (s *slotSet) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// walker is one search.
type walker[C any] struct {
	th   theory[C]
	lay  *layout
	set  []reached[C]
	open [walkSlots]int32 // the operation in a slot, or none
	high int32            // slots above are not in use
	// spare are the slots in which lost operations are that dominance may speak of; lonely tells them
	// by operation. A slot is theirs from the call on, and may have been another's before.
	spare  slotSet
	lonely []bool
	// steps counts, and ends the search beyond stepsMax.
	steps, stepsMax int
	faults          walkFaults

	levels []level[C] // scratch, by the number of operations done
	ended  level[C]   // scratch: situations in which the returning operation is done
	out    []C        // scratch
}

// run takes the set through all events. At an illegal return it gives the unit; ok is false if a
// bound was reached.
func (w *walker[C]) run(start []reached[C]) (last *unit, ok bool) {
	if w.lay.slots > walkSlots {
		return nil, false
	}
	for i := range w.open {
		w.open[i] = none
	}
	w.high = int32(w.lay.slots)
	w.set = start
	for at, e := range w.lay.events {
		o := &w.lay.ops[e>>1]
		if e&1 == 0 {
			w.open[o.slot] = e >> 1
			if w.lonely[e>>1] {
				w.spare.add(o.slot)
			}
			continue
		}
		w.leave(at, e>>1)
		if w.steps > w.stepsMax {
			return nil, false
		}
		if len(w.set) == 0 {
			return w.lay.part.units[o.unit], true
		}
	}
	return nil, true
}

// leave takes the set over the return of operation i.
func (w *walker[C]) leave(at int, i int32) {
	o := &w.lay.ops[i]
	floor := w.floor(at)
	w.ended.reset()
	for n := range w.levels {
		w.levels[n].reset()
	}
	for n := range w.set {
		w.arrive(&w.set[n], o, floor)
	}
	for n := 0; n < len(w.levels); n++ {
		for k := 0; k < len(w.levels[n].set); k++ {
			if s := w.levels[n].set[k]; !w.levels[n].gone[k] {
				w.extend(&s, o, floor)
			}
			if w.steps > w.stepsMax {
				return
			}
		}
	}
	w.set = w.set[:0]
	for k := range w.ended.set {
		if s := w.ended.set[k]; !w.ended.gone[k] {
			s.done.drop(o.slot)
			w.set = append(w.set, s)
		}
	}
	w.open[o.slot] = none
}

// floor is a bound that no reading to come is below: of those in flight, and those to be called.
func (w *walker[C]) floor(at int) int64 {
	least := w.lay.floors[at]
	for _, i := range w.open[:w.high] {
		if i != none {
			least = min(least, w.lay.ops[i].lo)
		}
	}
	return least
}

// arrive brings a situation into normal form, lets reads take effect that change nothing, and puts
// it where it belongs.
func (w *walker[C]) arrive(s *reached[C], until *op, floor int64) {
	w.th.settle(&s.c, floor)
	w.eager(s, until)
	if s.done.has(until.slot) {
		w.ended.add(w, s)
		return
	}
	n := s.done.len()
	for n >= len(w.levels) {
		w.levels = append(w.levels, level[C]{})
	}
	w.levels[n].add(w, s)
}

func (w *walker[C]) eager(s *reached[C], until *op) {
	for _, i := range w.open[:w.high] {
		if i == none {
			continue
		}
		p := &w.lay.ops[i]
		if !p.is(pure|completes) || s.done.has(p.slot) || !w.inTurn(s, p) {
			continue
		}
		w.steps++
		w.out = w.th.step(w.out[:0], &s.c, p, min(p.hi, until.hi))
		if len(w.out) == 1 && (w.th.includes(&w.out[0], &s.c) || w.faults.eagerAll) {
			s.done.add(p.slot)
		}
	}
}

// inTurn: the operation before it on its connection has taken effect.
func (w *walker[C]) inTurn(s *reached[C], p *op) bool {
	if p.after == none {
		return true
	}
	before := &w.lay.ops[p.after]
	return w.open[before.slot] != p.after || s.done.has(before.slot)
}

// extend lets each operation that is possible next take effect.
func (w *walker[C]) extend(s *reached[C], until *op, floor int64) {
	for _, i := range w.open[:w.high] {
		if i == none {
			continue
		}
		p := &w.lay.ops[i]
		if s.done.has(p.slot) || !w.inTurn(s, p) {
			continue
		}
		w.steps++
		w.out = w.th.step(w.out[:0], &s.c, p, min(p.hi, until.hi))
		for k := 0; k < len(w.out); k++ {
			next := reached[C]{s.done, w.out[k]}
			next.done.add(p.slot)
			out := w.out
			w.out = nil // arrive uses it
			w.arrive(&next, until, floor)
			w.out = out
		}
	}
}

// level is a set of situations without superfluous ones.
type level[C any] struct {
	set   []reached[C]
	gone  []bool
	index map[uint64][]int32
}

func (l *level[C]) reset() {
	clear(l.set)
	l.set, l.gone = l.set[:0], l.gone[:0]
	if len(l.index) > 0 {
		clear(l.index)
	}
}

// few is the size up to which a level is searched through.
const few = 8

// add puts s in, unless it is superfluous, and takes out what it makes superfluous.
func (l *level[C]) add(w *walker[C], s *reached[C]) {
	if len(l.set) < few {
		for k := range l.set {
			if l.meet(w, k, s) {
				return
			}
		}
	} else {
		if len(l.set) == few {
			l.index = map[uint64][]int32{}
			for k := range l.set {
				h := l.hash(w, &l.set[k])
				l.index[h] = append(l.index[h], int32(k))
			}
		}
		h := l.hash(w, s)
		for _, k := range l.index[h] {
			if l.meet(w, int(k), s) {
				return
			}
		}
		l.index[h] = append(l.index[h], int32(len(l.set)))
	}
	l.set = append(l.set, *s)
	l.gone = append(l.gone, false)
}

// meet compares s with element k: true if s is superfluous.
func (l *level[C]) meet(w *walker[C], k int, s *reached[C]) bool {
	switch {
	case l.gone[k]:
	case w.covers(&l.set[k], s):
		return true
	case w.covers(s, &l.set[k]):
		l.gone[k] = true
	}
	return false
}

// covers: whatever can follow b can follow a.
func (w *walker[C]) covers(a, b *reached[C]) bool {
	for i := range a.done {
		if (a.done[i]^b.done[i])&^w.spare[i] != 0 || a.done[i]&^b.done[i] != 0 {
			return false
		}
	}
	return w.th.includes(&a.c, &b.c)
}

func (l *level[C]) hash(w *walker[C], s *reached[C]) uint64 {
	h := w.th.hash(&s.c)
	for i, d := range s.done {
		h = (h ^ d&^w.spare[i]) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return h
}

// lonely finds the lost operations of which dominance may speak: those behind which nothing was sent
// on their connection, within the segment, and surely none will be.
func (l *layout) lonely(surely func(u *unit) bool) []bool {
	lonely := make([]bool, len(l.ops))
	for i := range l.ops {
		o := &l.ops[i]
		lonely[i] = o.is(lost) && !o.is(follows) && surely(l.part.units[o.unit])
	}
	return lonely
}
