package linear

import (
	"cmp"
	"slices"
)

// This file says what replies prove about deadlines, as facts.go does about values. A PTTL or a
// PEXPIRETIME tells when the deadline is that it met, to within the window of its call. Where only
// one operation can have set one that is there, the reply needs that deadline: the life which that
// operation began. Lives then are to the search and to tightening what values are: one that is
// needed may not be ended (R1), what needs it waits for it to begin (R2), and it may not begin while
// somebody waits who must end it and cannot wait until it is no longer needed (R3).
//
// Lives are numbered from 1 on, only those that are needed.

// begin is an operation that begins a life, with the least and the greatest deadline.
type begin struct {
	lo, hi int64
	of     int32
}

// The bounds of looking for who began a life.
const (
	beginsWide = int64(1) << 20 // ms: beside a wider one, of a lost reply, hardly anything is sole
	beginsMax  = 256            // looked at for one reply
)

// lives finds the lives that are needed, and writes them into operations and commands; nil if
// there are none. With slip, a mistake for the test, the last of several is taken for the only one.
func (k *oneKey) lives(l *layout, slip bool) *facts {
	begins, ok := k.begins(l)
	if !ok {
		return nil
	}
	var width int64
	for _, b := range begins {
		width = max(width, b.hi-b.lo)
	}
	ended := endedBefore(l, ends)
	ids := map[int32]int32{}
	f := newFacts(1)
	for i := range l.ops {
		o := &l.ops[i]
		lo, hi, ok := k.acts[o.unit].deadline(o)
		if !ok || k.first.mortal && k.first.dl <= hi && lo <= k.first.du {
			continue
		}
		w := soleBegin(l, begins, width, o, lo, hi, ended[o.call], slip)
		if w == none {
			continue
		}
		id, ok := ids[w]
		if !ok {
			id = f.add(w)
			ids[w] = id
		}
		o.life = id
		f.needers[id]++
	}
	if len(ids) == 0 {
		return nil
	}
	k.acts = slices.Clone(k.acts)
	for w, id := range ids {
		k.acts[l.ops[w].unit].life = id
	}
	return f
}

// add is a new number for what only w makes.
func (f *facts) add(w int32) int32 {
	f.unique, f.creator = append(f.unique, true), append(f.creator, w)
	f.needers, f.lastCall = append(f.needers, 0), append(f.lastCall, 0)
	f.opaque = append(f.opaque, true)
	return int32(len(f.unique) - 1)
}

// begins gathers those that set deadlines, by the least they can set; false if there are none, or
// one that can set any.
func (k *oneKey) begins(l *layout) ([]begin, bool) {
	var out []begin
	for i := range l.ops {
		o := &l.ops[i]
		a := &k.acts[o.unit]
		if !a.is(timed) && a.code != aExpire || o.is(pure) {
			continue
		}
		b := begin{a.n, a.n, int32(i)}
		if !a.is(date) {
			lo, hi := o.lo, o.hi
			if o.is(lost) && o.ret != never { // a virtual return
				lo, hi = windowOf(l.times[o.call], l.times[o.ret], l.part.meta)
			}
			if hi-lo > beginsWide {
				return nil, false
			}
			b.lo, b.hi = lo+a.n, hi+a.n
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b begin) int { return cmp.Compare(a.lo, b.lo) })
	return out, len(out) > 0
}

// deadline is what the reply says: the deadline that the operation met is from lo to hi.
func (a *act) deadline(o *op) (lo, hi int64, ok bool) {
	if a.code != aLeft && a.code != aUntil || a.reply != saysNumber || a.num <= 0 || a.num > far/1000 {
		return 0, 0, false
	}
	lo, hi = a.num, a.num
	if a.is(seconds) {
		lo, hi = 1000*a.num-500, 1000*a.num+499
	}
	if a.code == aLeft {
		lo, hi = lo+o.lo, hi+o.hi
	}
	return lo, hi, true
}

// soleBegin is the one operation whose deadline o can have met, or none.
func soleBegin(l *layout, begins []begin, width int64, o *op, lo, hi int64,
	since int32, slip bool) int32 {
	at, _ := slices.BinarySearchFunc(begins, lo-width, func(b begin, x int64) int {
		return cmp.Compare(b.lo, x)
	})
	found := none
	for n := 0; at < len(begins) && begins[at].lo <= hi; at, n = at+1, n+1 {
		if n == beginsMax {
			return none
		}
		b := &begins[at]
		if w := &l.ops[b.of]; b.hi < lo || w.call > o.ret || w.ret < since {
			continue
		}
		if found != none && !slip {
			return none
		}
		found = b.of
	}
	return found
}
