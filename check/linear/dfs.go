package linear

import (
	"slices"
	"time"
	"unsafe"
)

// This file is the depth-first search. It walks along the events. Calls put operations in flight,
// and returns of those that have taken effect take them out. At a return that is still owed a
// sequence of operations in flight takes effect, ending with the one that returns (just in time is
// enough: what precedes it in any legal order has been called by now). Each such place is a node;
// what can take effect next are its candidates, tried in an order that on legal histories is nearly
// always right at once. A node all of whose candidates fail is remembered, and so is everything
// that it includes.
//
// All changes of the position go through one trail, so that taking back is reading it backwards.

// dfs is one depth-first search.
type dfs[C any] struct {
	th    theory[C]
	lay   *layout
	facts *facts
	off   reductions
	slips slips

	start C
	// The position: the next event, the configuration, the operations in flight that have not taken
	// effect (a list by call), the slots of those that have, and how often each value is needed yet.
	at         int
	cfg        C
	next, prev []int32
	done       bitset // all of them, then two parts of it
	reads      bitset
	chances    bitset
	left, ages []int32 // by value, and by life
	skipped    []bool

	trail []int32
	stack []frame[C]
	arena []uint64 // keys of candidates still to try, of the frames that were come back to
	memo  memo[C]
	buf   []C
	buf2  []C

	node    frame[C] // where the search is now
	fits    int      // whether the owed operation is possible now
	deepest int
	nodes   int64
	latest  int64 // the node at which it came further last
	full    bool  // it ended for want of memory

	// A search that jumps and fails again and again without coming further jumps back, and lets
	// chance move candidates to other classes: then it can accept, but not refute.
	jumps    bool
	patience int64 // failures before a jump, doubled in each round
	fails    int64
	stuck    int   // the deepest event when it came further last
	jump     int32 // how many events it jumps back
	rounds   int   // of jumps of every length, since it came further last
	seed     uint64
	until    int // chance has a say up to this event
	jumped   bool
	taint    int // nodes at this depth of the stack and below have children that were left
}

// frame is a node that was left through one of its candidates.
type frame[C any] struct {
	cfg    C
	key    uint64 // of that candidate
	at     int32
	trail  int32
	sub    int32 // the next of the candidate's configurations
	lo, hi int32 // the keys to try later, in arena, if listed
	listed bool
}

// What the trail tells of an operation.
const (
	opened  = iota // it was called
	taken          // it took effect
	closed         // it returned, having taken effect
	skipped        // its virtual return came, and it never happens
)

// entry is how the trail tells it.
func entry(i, what int32) int32 { return i<<2 | what }

// slips are deliberate mistakes of the search, all off but in the test that shows that the
// agreement test would find each of them.
type slips struct {
	floorLate, eagerAlways, killIgnoresNeed, lockAll, memoLoose, memoNoZone, symmetryAny,
	followerFree, forgetAll, tightenAll, uniqueAll, allReads, sessionsAlike, chanceFollows,
	classesApart, livesApart, endsAll, untainted, hurried bool
}

func newDFS[C any](th theory[C], lay *layout, f *facts, start C, off reductions) *dfs[C] {
	n := len(lay.ops)
	d := &dfs[C]{th: th, lay: lay, facts: f, off: off}
	d.next, d.prev = make([]int32, n+1), make([]int32, n+1)
	d.next[n], d.prev[n] = int32(n), int32(n)
	words := (lay.slots + 63) / 64
	d.done, d.reads, d.chances = make(bitset, words), make(bitset, words), make(bitset, words)
	d.left = slices.Clone(f.needers)
	if f.lives != nil {
		d.ages = slices.Clone(f.lives.needers)
	}
	d.skipped = make([]bool, n)
	d.trail = make([]int32, 0, 3*n)
	d.memo.words = words
	d.start = start
	d.restart()
	return d
}

// restart goes back to where the search began.
func (d *dfs[C]) restart() {
	d.undo(0)
	d.at, d.cfg, d.jumped = 0, d.start, false
}

// run searches: OK, Illegal, or Unknown if a bound was reached; then it can be run on.
func (d *dfs[C]) run(b bounds) Verdict {
	d.latest = d.nodes
	for {
		legal, dead := d.arrive()
		if legal {
			return OK
		}
		for dead || !d.descend() {
			if !dead && (!d.jumped || len(d.stack) > d.taint) {
				d.memo.add(d)
			}
			switch {
			case len(d.stack) > 0:
				d.jumpBack()
			case !d.jumped || d.slips.untainted:
				return Illegal
			}
			if len(d.stack) == 0 {
				d.restart()
				d.rounds++ // so that at last it jumps no more
				break
			}
			d.pop()
			d.taint = min(d.taint, len(d.stack))
			dead = false
		}
		if d.nodes++; d.nodes&1023 == 0 && d.exhausted(b) {
			return Unknown
		}
	}
}

func (d *dfs[C]) exhausted(b bounds) bool {
	if b.stop != nil && b.stop.Load() || b.nodes > 0 && d.nodes >= b.nodes ||
		b.stall > 0 && d.nodes-d.latest >= b.stall {
		return true
	}
	size := int64(unsafe.Sizeof(frame[C]{}))
	held := int64(cap(d.stack))*size + int64(cap(d.trail))*4 + int64(cap(d.arena))*8
	if held+d.memo.bytes() > b.memory {
		if held > b.memory*3/4 {
			d.full = true
			return true
		}
		d.memo = memo[C]{words: d.memo.words} // only a cache
	}
	return d.nodes&8191 == 0 && time.Now().After(b.deadline)
}

// The bounds of a search that jumps. Much depends on them: histories of all commands and 64 clients
// take 17 to 28 nodes an operation with these, 60 to 90 with 300 failures, and up to 71 with jumps of
// up to 1 << 14 events.
const (
	failsMin  = 8_000 // failures without coming further before a jump; doubled in each round
	jumpMin   = 64    // events, doubled with each jump of a round
	jumpMax   = 1 << 10
	margin    = 64 // events beyond the deepest up to which chance has a say
	roundsMax = 20
)

// jumpBack counts a failure, and after many without coming further leaves the frames of the last
// events, and lets chance choose anew from there. What was left so was not refuted, nor was what
// leads to it: the frames below are tainted.
func (d *dfs[C]) jumpBack() {
	if !d.jumps {
		return
	}
	if d.deepest > d.stuck {
		d.stuck, d.fails, d.jump, d.rounds = d.deepest, 0, jumpMin, 0
	}
	if d.fails++; d.fails < d.patience<<min(d.rounds, roundsMax) {
		return
	}
	d.fails = 0
	d.seed, d.until = mix(d.seed+1), d.deepest+margin
	for len(d.stack) > 1 && d.stack[len(d.stack)-1].at > int32(d.deepest)-d.jump {
		d.pop()
	}
	d.jumped, d.taint = true, len(d.stack)
	if d.jump *= 2; d.jump > jumpMax {
		d.jump = jumpMin
		d.rounds++
	}
}

// arrive walks on to the next node. It reports that there is none, or that nothing can come of it.
func (d *dfs[C]) arrive() (legal, dead bool) {
	for {
		if !d.advance() {
			return true, false
		}
		if d.at > d.deepest {
			d.deepest, d.latest = d.at, d.nodes
		}
		if d.settle() {
			return false, true
		}
		d.eager()
		if !d.done.has(d.owed().slot) {
			break
		}
	}
	d.node, d.fits = frame[C]{}, unknownYet
	return false, d.orphaned(d.owed()) || !d.off.noMemo && d.memo.knows(d)
}

// owed is the operation whose return is next.
func (d *dfs[C]) owed() *op { return &d.lay.ops[d.lay.events[d.at]>>1] }

// advance takes all events up to a return that is owed; false if there is none.
func (d *dfs[C]) advance() bool {
	for d.at < len(d.lay.events) {
		e := d.lay.events[d.at]
		i := e >> 1
		switch o := &d.lay.ops[i]; {
		case e&1 == 0:
			d.append(i)
			d.trail = append(d.trail, entry(i, opened))
		case d.done.has(o.slot):
			d.clear(o)
			d.trail = append(d.trail, entry(i, closed))
		default:
			return true
		}
		d.at++
	}
	return false
}

func (d *dfs[C]) append(i int32) {
	end := int32(len(d.lay.ops))
	last := d.prev[end]
	d.next[last], d.prev[i], d.next[i], d.prev[end] = i, last, end, i
}

func (d *dfs[C]) set(o *op) {
	d.done.set(o.slot)
	if o.is(pure) {
		d.reads.set(o.slot)
	}
	if o.is(lost) && (!o.is(follows) || d.slips.chanceFollows) { // having happened lets others follow
		d.chances.set(o.slot)
	}
}

func (d *dfs[C]) clear(o *op) {
	d.done.clear(o.slot)
	d.reads.clear(o.slot)
	d.chances.clear(o.slot)
}

// take lets operation i have taken effect; the caller sets the configuration.
func (d *dfs[C]) take(i int32) {
	o := &d.lay.ops[i]
	d.next[d.prev[i]], d.prev[d.next[i]] = d.next[i], d.prev[i]
	d.set(o)
	if o.needs > 0 {
		d.left[o.needs]--
	}
	if o.life > 0 {
		d.ages[o.life]--
	}
	d.want(i, -1)
	d.trail = append(d.trail, entry(i, taken))
}

// undo takes back what the trail tells beyond a length.
func (d *dfs[C]) undo(length int) {
	for n := len(d.trail) - 1; n >= length; n-- {
		i := d.trail[n] >> 2
		o := &d.lay.ops[i]
		switch d.trail[n] & 3 {
		case opened:
			d.next[d.prev[i]], d.prev[d.next[i]] = d.next[i], d.prev[i]
		case closed:
			d.set(o)
		case skipped:
			d.skipped[i] = false
			d.clear(o)
			d.next[d.prev[i]], d.prev[d.next[i]] = i, i
		case taken:
			d.clear(o)
			d.next[d.prev[i]], d.prev[d.next[i]] = i, i
			if o.needs > 0 {
				d.left[o.needs]++
			}
			if o.life > 0 {
				d.ages[o.life]++
			}
			d.want(i, 1)
		}
	}
	d.trail = d.trail[:length]
}

// settle brings the configuration into normal form: no reading to come is below those of the
// operations in flight, the first of which has the lowest, nor of those to be called. A value that
// nobody needs any more is forgotten. It reports that a value is gone which is needed yet.
func (d *dfs[C]) settle() (dead bool) {
	floor := d.lay.floors[d.at]
	if first := d.next[len(d.lay.ops)]; int(first) < len(d.lay.ops) {
		floor = min(floor, d.lay.ops[first].lo)
	}
	if d.slips.floorLate {
		floor = d.lay.floors[d.at]
	}
	before, life, several := d.th.value(&d.cfg), d.th.life(&d.cfg), d.th.holds(&d.cfg)
	d.th.settle(&d.cfg, floor)
	v := d.th.value(&d.cfg)
	if v != before && d.destroys(before, 0) || d.spoils(several, &d.cfg, none) {
		return true
	}
	if life > 0 {
		switch {
		case d.ages[life] == 0:
			d.th.forgetLife(&d.cfg)
		case d.th.life(&d.cfg) != life && !d.off.noNeeded:
			return true
		}
	}
	if v > 0 && !d.off.noAnonymous && int(v) < len(d.left) && d.left[v] == 0 &&
		(d.facts.opaque[v] || d.slips.forgetAll) {
		d.th.forget(&d.cfg)
	}
	return false
}

// destroys: R1. Value v ends here, but is needed by more than this operation, and cannot come back.
func (d *dfs[C]) destroys(v, needs int32) bool {
	if v <= 0 || d.off.noNeeded || int(v) >= len(d.left) ||
		!d.facts.unique[v] && !d.slips.uniqueAll {
		return false
	}
	left := d.left[v]
	if v == needs && !d.slips.killIgnoresNeed {
		left--
	}
	return left > 0
}

// orphaned: R2. The operation that is owed needs a value that nobody in flight can make.
func (d *dfs[C]) orphaned(o *op) bool {
	u := o.needs
	if d.facts.wants != nil && !d.off.noNeeded && d.lacks(d.lay.events[d.at]>>1) {
		return true
	}
	if o.life > 0 && !d.off.noNeeded && o.life != d.th.life(&d.cfg) &&
		!d.waits(d.facts.lives.creator[o.life]) {
		return true
	}
	if u <= 0 || d.off.noNeeded || !d.facts.unique[u] || u == d.th.value(&d.cfg) {
		return false
	}
	w := d.facts.creator[u]
	return w == none || d.lay.ops[w].callAt >= int32(d.at) || !d.waits(w)
}

// waits: the operation is in flight and has not taken effect.
func (d *dfs[C]) waits(i int32) bool {
	o := &d.lay.ops[i]
	return o.callAt < int32(d.at) && o.retAt >= int32(d.at) && !d.done.has(o.slot)
}

// eager lets every read take effect now that changes nothing of what is possible: whoever does it
// later can leave it out there. So does the end of an operation that has been answered.
func (d *dfs[C]) eager() {
	if d.off.noEager {
		return
	}
	v, end := d.th.value(&d.cfg), int32(len(d.lay.ops))
	for i := d.next[end]; i != end; i = d.next[i] {
		o := &d.lay.ops[i]
		if !o.is(pure|completes) || o.needs > 0 && o.needs != v || !d.inTurn(o) {
			continue
		}
		d.buf = d.th.step(d.buf[:0], &d.cfg, o, o.hi)
		for j := range d.buf {
			if d.th.includes(&d.buf[j], &d.cfg) || d.slips.eagerAlways {
				d.take(i)
				break
			}
		}
	}
}

// inTurn: what the connection sent before it has taken effect (LIN-6).
func (d *dfs[C]) inTurn(o *op) bool {
	if o.after == none || d.slips.followerFree {
		return true
	}
	p := &d.lay.ops[o.after]
	if p.retAt < int32(d.at) {
		return !d.skipped[o.after]
	}
	return p.callAt < int32(d.at) && d.done.has(p.slot) && !d.skipped[o.after]
}

// descend leaves the node through its next candidate; false if there is none left.
func (d *dfs[C]) descend() bool {
	for {
		if d.node.sub == 0 && !d.nextKey() {
			return false
		}
		i, skip := d.candidate(d.node.key)
		results := d.results(i, skip)
		if int(d.node.sub) >= len(results) {
			d.node.sub = 0
			continue
		}
		c := results[d.node.sub]
		d.node.sub++
		d.node.cfg, d.node.at, d.node.trail = d.cfg, int32(d.at), int32(len(d.trail))
		if !d.node.listed {
			d.node.hi = int32(len(d.arena))
		}
		d.stack = append(d.stack, d.node)
		d.take(i)
		if skip {
			d.skipped[i] = true
			d.trail[len(d.trail)-1] = entry(i, skipped)
		}
		d.cfg = c
		return true
	}
}

// pop comes back to the node left last.
func (d *dfs[C]) pop() {
	n := len(d.stack) - 1
	d.node = d.stack[n]
	d.stack = d.stack[:n]
	d.undo(int(d.node.trail))
	d.at, d.cfg = int(d.node.at), d.node.cfg
	d.arena = d.arena[:d.node.hi]
	d.fits = unknownYet
}

// nextKey moves to the next candidate. A node that is new takes the least key, which is mostly all
// that is ever asked of it; one that was come back to lists and sorts the others.
func (d *dfs[C]) nextKey() bool {
	n := &d.node
	if n.key == 0 {
		n.key = d.least()
		return n.key != noKey
	}
	if !n.listed {
		d.list()
	}
	if n.lo == n.hi {
		return false
	}
	n.key = d.arena[n.lo]
	n.lo++
	return true
}

const noKey = ^uint64(0)

func (d *dfs[C]) least() uint64 {
	best, end := noKey, int32(len(d.lay.ops))
	o := d.owed()
	for i := d.next[end]; i != end; i = d.next[i] {
		best = min(best, d.key(i, o))
	}
	if o.is(lost) {
		best = min(best, place(o, classFirst))
	}
	return best
}

func (d *dfs[C]) list() {
	n, end := &d.node, int32(len(d.lay.ops))
	o := d.owed()
	n.listed, n.lo = true, int32(len(d.arena))
	if o.is(lost) {
		if k := place(o, classFirst); k > n.key {
			d.arena = append(d.arena, k)
		}
	}
	for i := d.next[end]; i != end; i = d.next[i] {
		if k := d.key(i, o); k != noKey && k > n.key {
			d.arena = append(d.arena, k)
		}
	}
	n.hi = int32(len(d.arena))
	slices.Sort(d.arena[n.lo:n.hi])
}

// The classes of candidates, in the order in which they are tried. Inside a class the one that
// returns first comes first. An operation of unknown outcome that is owed (lost.go) is first of all
// taken not to happen.
const (
	classFirst   = iota // the owed operation, if it destroys nothing
	classRead           // reads that are possible
	classNeeds          // what needs the value and ends it
	classEnables        // what makes the owed operation possible
	classForced         // what must come before the value that is to come is made
	classOwed
	classOther
	classLost
)

// place is a key: a class, and in it the place of the return, or of the call after all returns.
func place(o *op, class uint64) uint64 {
	if o.ret == never {
		return class<<32 | 1<<31 | uint64(o.callAt)
	}
	return class<<32 | uint64(o.retAt)
}

// candidate is the operation of a key, and whether the key says that it does not happen.
func (d *dfs[C]) candidate(key uint64) (i int32, skip bool) {
	i = d.lay.events[key&(1<<31-1)] >> 1
	return i, key>>32 == classFirst && d.lay.ops[i].is(lost)
}

// key is noKey for what cannot come next.
func (d *dfs[C]) key(i int32, o *op) uint64 {
	p := &d.lay.ops[i]
	v := d.th.value(&d.cfg)
	if p.needs > 0 && p.needs != v || p.life > 0 && p.life != d.th.life(&d.cfg) ||
		d.misses(i) != 0 || !d.inTurn(p) || !d.off.noSymmetry && d.second(i, p) {
		return noKey
	}
	if d.off.noOrder {
		return place(p, classOther)
	}
	class := d.class(p, o, v)
	if d.at < d.until {
		if h := mix(d.seed ^ mix(uint64(d.at)<<32|uint64(i))); h&15 == 0 && !o.is(lost) {
			class = classRead + h>>8%(classLost-classRead+1)
		}
	}
	return place(p, class)
}

func (d *dfs[C]) class(p, o *op, v int32) uint64 {
	switch {
	case p == o && !p.is(kills|lost):
		return classFirst
	case p.is(pure):
		return classRead
	case p.is(kills) && p.needs != 0 || p.is(vacant) && v == noValue:
		return classNeeds
	case p == o:
		return classOwed
	case p.makes != 0 && p.makes == o.needs && o.needs != v:
		return classEnables
	}
	if p.is(kills) && p.ret < d.facts.lastCall[d.target(o, v)] {
		return classForced
	}
	switch {
	case d.enables(p, o):
		return classEnables
	case p.is(lost):
		return classLost
	}
	return classOther
}

// target is the value that is to come next: what the owed operation needs, or what it makes.
func (d *dfs[C]) target(o *op, v int32) int32 {
	if o.needs > 0 && o.needs != v {
		return o.needs
	}
	return max(o.makes, 0)
}

const (
	unknownYet = iota
	fitsNow
	fitsNot
)

// enables looks one step ahead, where the owed operation is not possible now.
func (d *dfs[C]) enables(p, o *op) bool {
	if d.fits == unknownYet {
		d.fits = fitsNot
		if len(d.th.step(d.buf2[:0], &d.cfg, o, o.hi)) > 0 {
			d.fits = fitsNow
		}
	}
	if d.fits == fitsNow {
		return false
	}
	d.buf = d.th.step(d.buf[:0], &d.cfg, p, min(p.hi, o.hi))
	for i := range d.buf {
		if d.buf2 = d.th.step(d.buf2[:0], &d.buf[i], o, o.hi); len(d.buf2) > 0 {
			return true
		}
	}
	return false
}

// second: symmetry. An equal operation that was called earlier and returns earlier goes first:
// whatever order has them the other way round is as legal with the two exchanged.
func (d *dfs[C]) second(i int32, p *op) bool {
	if p.kind == none {
		return false
	}
	for j := d.prev[i]; int(j) < len(d.lay.ops); j = d.prev[j] {
		q := &d.lay.ops[j]
		if q.kind == p.kind && (q.ret <= p.ret || d.slips.symmetryAny) {
			return true
		}
	}
	return false
}

// results are the configurations that a candidate leads to and of which something can come.
func (d *dfs[C]) results(i int32, skip bool) []C {
	if skip {
		d.buf = append(d.buf[:0], d.cfg)
		return d.buf
	}
	o, p := d.owed(), &d.lay.ops[i]
	d.buf = d.th.step(d.buf[:0], &d.cfg, p, min(p.hi, o.hi))
	v, kept := d.th.value(&d.cfg), d.buf[:0]
	for j := range d.buf {
		w := d.th.value(&d.buf[j])
		switch {
		case w != v && (d.destroys(v, p.needs) || d.locked(w, i)):
		case d.outlives(&d.buf[j], i):
		case d.spoils(d.th.holds(&d.cfg), &d.buf[j], i):
		case !d.off.noMatter && d.idle(p, &d.buf[j], min(p.hi, o.hi)):
		default:
			kept = append(kept, d.buf[j])
		}
	}
	return kept
}

// locked: R3. While value w is needed nobody may overwrite it, nor meet another value or none; who
// has to return before the last one that needs it is called must do so before.
func (d *dfs[C]) locked(w, by int32) bool {
	if w <= 0 || d.off.noLocks || int(w) >= len(d.left) || d.left[w] == 0 ||
		!d.facts.unique[w] && !d.slips.uniqueAll {
		return false
	}
	until, end := d.facts.lastCall[w], int32(len(d.lay.ops))
	for i := d.next[end]; i != end; i = d.next[i] {
		if p := &d.lay.ops[i]; i != by && p.ret < until &&
			(p.is(kills|vacant) || p.needs > 0 && p.needs != w || d.slips.lockAll) {
			return true
		}
	}
	return false
}

// outlives: R1 and R3 for the lives of deadlines. A life ends that is needed yet, or one begins that
// is needed, while somebody has to end it before the last one that needs it is called.
func (d *dfs[C]) outlives(after *C, by int32) bool {
	if d.ages == nil {
		return false
	}
	before, now := d.th.life(&d.cfg), d.th.life(after)
	switch {
	case before == now:
		return false
	case before > 0 && !d.off.noNeeded && d.ages[before] > 0:
		return true
	case now <= 0 || d.off.noLocks || d.ages[now] == 0:
		return false
	}
	until, end := d.facts.lives.lastCall[now], int32(len(d.lay.ops))
	for i := d.next[end]; i != end; i = d.next[i] {
		if p := &d.lay.ops[i]; i != by && p.ret < until &&
			(p.is(ends|vacant) || p.life > 0 && p.life != now) {
			return true
		}
	}
	return false
}

// idle: an operation of unknown outcome that took effect just now must matter to the next one; a
// legal order with the fewest of them holds none that could be left out.
func (d *dfs[C]) idle(p *op, after *C, hi int64) bool {
	if len(d.stack) == 0 || len(d.trail) == 0 {
		return false
	}
	last := d.trail[len(d.trail)-1]
	before := &d.stack[len(d.stack)-1]
	i := last >> 2
	if last&3 != taken || !d.lay.ops[i].is(lost) || d.lay.ops[i].is(follows) ||
		int(before.at) != d.at || int(before.trail) != len(d.trail)-1 {
		return false
	}
	d.buf2 = d.th.step(d.buf2[:0], &before.cfg, p, hi)
	for j := range d.buf2 {
		if d.th.includes(&d.buf2[j], after) {
			return true
		}
	}
	return false
}
