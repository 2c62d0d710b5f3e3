package linear

import (
	"slices"
	"sync/atomic"
	"time"

	"rondo/check/history"
)

// This file lays a component out for the own search. The search itself is in dfs.go and bfs.go,
// who asks which of them in portfolio.go; they know operations, intervals and facts, and leave it
// to a theory what an operation does. There are two theories: four integers for one key
// (onekey.go), and the model with zones for everything (general.go).
//
// In the order things happen:
//
//  1. units, sorted by call, become operations of 64 bytes in one slice;
//  2. calls and returns become ranks in the one order of all events, calls first where times tie.
//     All that the search knows of time is this order, and the window of clock ticks that belongs
//     to a rank;
//  3. facts (facts.go) and tightening (tighten.go) make intervals smaller, which moves events to
//     other ranks that exist already;
//  4. the events are sorted for good, and every operation gets a slot: the number under which it is
//     known while it is in flight. What has taken effect is a set of slots.

// theory is what a search must know of the meaning of operations: configurations of type C, each a
// set of states and clock readings, and what an operation makes of one.
type theory[C any] interface {
	// start gives the configurations before the first operation.
	start() []C
	// step appends what o can lead to from c, with all readings of the clock at most hi.
	step(out []C, c *C, o *op, hi int64) []C
	// settle brings c into normal form, where no reading to come is below lo.
	settle(c *C, lo int64)
	// includes reports that b is a part of a: all that can follow b can follow a.
	includes(a, b *C) bool
	// hash is equal for two configurations of which one includes the other.
	hash(c *C) uint64
	// value is the value that facts speak of; 0 where the theory has none.
	value(c *C) int32
	// life is the deadline that facts speak of (lives.go), 0 where there is none.
	life(c *C) int32
	// holds gives those that facts speak of, where there can be several at once; else nil.
	holds(c *C) []int32
	// forget replaces the value, which nobody will ask for any more, by "some value".
	forget(c *C)
	// forgetLife does so with the life; the deadline stays.
	forgetLife(c *C)
}

// op is an operation in a search.
type op struct {
	call, ret     int32 // ranks of its events; ret is never if nothing tells when it is over
	callAt, retAt int32 // places of its events in layout.events
	lo, hi        int64 // the window of the clock's ticks
	unit          int32 // in part.units
	after         int32 // the operation sent before it on a pipelining connection, or none
	slot          int32
	makes, needs  int32 // values (facts.go); 0: none that is known
	kind          int32 // equal for operations with equal command and reply, or none
	life          int32 // the deadline that it needs (lives.go)
	flags         flags
}

type flags uint16

const (
	lost      flags = 1 << iota // its outcome is unknown: it may be left out
	pure                        // its reply proves that it changed nothing
	kills                       // its reply proves that whatever value was there is gone
	vacant                      // its reply proves that it met no value
	ends                        // its reply proves that whatever deadline was there is gone
	follows                     // some operation has it as its after
	completes                   // it is the end of an operation that may wait
)

func (o *op) is(f flags) bool { return o.flags&f != 0 }

const (
	never = int32(1) << 30 // the rank of a return that does not happen
	none  = int32(-1)
)

// layout is a component laid out for a search.
type layout struct {
	part   *part
	ops    []op    // by call, as recorded
	times  []int64 // by rank: ns
	events []int32 // places: op<<1, with 1 for a return
	floors []int64 // by place: no reading of what is called here or later is below
	slots  int
}

// outcome is what a search of one component came to.
type outcome struct {
	verdict  Verdict
	reason   string  // of unknown: which bound ended it
	last     *unit   // of illegal: at its return no order is left. Look-ahead may have come earlier
	suspects []*unit // of illegal: the units whose intervals contradict each other, if that is why
	moment   int64   // ns: how far the search came
	nodes    int64
}

// reductions are switches that turn parts of the search off, for the tests: each is exact, so that
// the verdict may not depend on them. The zero value has all on.
type reductions struct {
	noTighten, noEager, noNeeded, noLocks, noAnonymous, noSymmetry, noMemo, noDominance, noMatter,
	noVirtual, noOrder, noTimeless, noInstances, noLives bool
}

// bounds ends a search: at a time, at a number of bytes, or when somebody says so.
type bounds struct {
	deadline time.Time
	memory   int64
	nodes    int64 // 0: any number
	stall    int64 // so many without coming further; 0: any number
	stop     *atomic.Bool
}

// newLayout copies the units into operations and ranks their events. Units that skip tells of are
// left out: those that change nothing and whose reply was lost.
func newLayout(p *part, skip func(i int) bool) *layout {
	n := len(p.units)
	l := &layout{part: p, ops: make([]op, 0, n), times: make([]int64, 0, 2*n)}
	last := make([]int32, p.conns)
	for i := range last {
		last[i] = none
	}
	for i, u := range p.units {
		if skip != nil && skip(i) {
			continue
		}
		l.ops = append(l.ops, op{})
		o := &l.ops[len(l.ops)-1]
		o.unit, o.after, o.kind, o.ret, o.lo, o.hi = int32(i), none, none, never, u.lo, u.hi
		if u.lost() {
			o.flags |= lost
		}
		if u.conn >= 0 {
			if o.after = last[u.conn]; o.after != none {
				l.ops[o.after].flags |= follows
			}
			last[u.conn] = int32(len(l.ops) - 1)
		}
	}
	l.rank()
	return l
}

// clone is a layout whose intervals may be changed; the times are shared.
func (l *layout) clone() *layout {
	c := *l
	c.ops = slices.Clone(l.ops)
	return &c
}

// rank merges calls, which are sorted, with returns: calls first where they tie, since intervals
// are closed.
func (l *layout) rank() {
	units := l.part.units
	returns := make([]stamp, 0, len(l.ops))
	for i := range l.ops {
		if at := units[l.ops[i].unit].rec.Return; at != history.Never {
			returns = append(returns, stamp{at, int32(i)})
		}
	}
	sortStamps(returns)
	for i, at := 0, 0; i < len(l.ops) || at < len(returns); {
		r := int32(len(l.times))
		if i < len(l.ops) {
			if call := units[l.ops[i].unit].rec.Call; at == len(returns) || call <= returns[at].at {
				l.ops[i].call = r
				l.times = append(l.times, call)
				i++
				continue
			}
		}
		l.ops[returns[at].of].ret = r
		l.times = append(l.times, returns[at].at)
		at++
	}
}

type stamp struct {
	at int64
	of int32
}

// sortStamps sorts by time. Returns come nearly sorted by call, by less than the longest operation,
// so that merging runs beats a general sort; a radix sort does not look at order at all.
func sortStamps(s []stamp) {
	if len(s) < 256 {
		slices.SortStableFunc(s, func(a, b stamp) int { return compare(a.at, b.at) })
		return
	}
	least, most := s[0].at, s[0].at
	for _, x := range s {
		least, most = min(least, x.at), max(most, x.at)
	}
	const bits = 11
	from, to := s, make([]stamp, len(s))
	for shift := 0; shift < 64 && uint64(most-least)>>shift != 0; shift += bits {
		var count [1 << bits]int32
		for i := range from {
			count[uint64(from[i].at-least)>>shift&(1<<bits-1)]++
		}
		sum := int32(0)
		for i, c := range count {
			count[i], sum = sum, sum+c
		}
		for i := range from {
			d := uint64(from[i].at-least) >> shift & (1<<bits - 1)
			to[count[d]] = from[i]
			count[d]++
		}
		from, to = to, from
	}
	if &from[0] != &s[0] {
		copy(s, from)
	}
}

// finish sorts the events by rank, gives out slots, and computes the floors. It is called again
// when ranks have changed.
func (l *layout) finish() {
	l.sortEvents()
	l.floors = slices.Grow(l.floors[:0], len(l.events)+1)[:len(l.events)+1]
	least := int64(inf)
	l.floors[len(l.events)] = least
	for at := len(l.events) - 1; at >= 0; at-- {
		e := l.events[at]
		if e&1 == 0 {
			least = min(least, l.ops[e>>1].lo)
		}
		l.floors[at] = least
	}
	var free []int32
	l.slots = 0
	for at, e := range l.events {
		o := &l.ops[e>>1]
		switch {
		case e&1 == 1:
			o.retAt = int32(at)
			free = append(free, o.slot)
		case len(free) > 0:
			o.callAt, o.retAt = int32(at), never
			o.slot, free = free[len(free)-1], free[:len(free)-1]
		default:
			o.callAt, o.retAt = int32(at), never
			o.slot = int32(l.slots)
			l.slots++
		}
	}
}

// sortEvents sorts by counting. Two events may share a rank when tightening has moved one: calls
// come first.
func (l *layout) sortEvents() {
	counts := make([]int32, 2*len(l.times)+1)
	n := 0
	for i := range l.ops {
		counts[2*l.ops[i].call+1]++
		n++
		if r := l.ops[i].ret; r != never {
			counts[2*r+2]++
			n++
		}
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	l.events = slices.Grow(l.events[:0], n)[:n]
	for i := range l.ops {
		o := &l.ops[i]
		at := &counts[2*o.call]
		l.events[*at] = int32(i) << 1
		*at++
		if o.ret != never {
			at := &counts[2*o.ret+1]
			l.events[*at] = int32(i)<<1 | 1
			*at++
		}
	}
}

// unitAt is the unit of the event at a place, and momentAt the time.
func (l *layout) unitAt(at int) *unit { return l.part.units[l.ops[l.events[at]>>1].unit] }

func (l *layout) momentAt(at int) int64 {
	if len(l.events) == 0 {
		return 0
	}
	e := l.events[min(at, len(l.events)-1)]
	if o := &l.ops[e>>1]; e&1 == 1 {
		return l.times[o.ret]
	}
	return l.times[l.ops[e>>1].call]
}
