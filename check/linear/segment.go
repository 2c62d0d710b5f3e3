package linear

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rondo/check/history"
)

// This file judges one component segment by segment. A segment ends at a quiescent moment, when no
// answered operation of the component is in flight. What it hands to the next is a carry: the exact
// set of configurations, with the operations of unknown outcome that may still take effect.
//
// A segment that is too hard for the walk (walk.go) is held, and so is what follows it; the batch
// search decides all that is held, from the carry in front of it, whenever that has doubled, and at
// the end.

// carry is what one segment hands to the next.
type carry struct {
	lost  []*unit
	set   []standing
	cells bool // the configurations are cells of one key:
	key   key
}

// standing is a configuration, with which of the lost operations have happened to get there.
type standing struct {
	done []bool
	c    config
	cell cell
	text string // the value of cell
}

// segment is the operations of a component between two quiescent moments.
type segment struct {
	units []*unit // by call
	// next is a bound that no reading of a later segment is below; last: there is no later segment.
	next int64
	last bool
	// now is when it was cut, by the recording's clock.
	now   int64
	bytes int64
	// What holds for the component from here on.
	keys    []key
	foreign string
	selects bool
}

// judging is the state of one component's judgement. It is used by one goroutine at a time.
type judging struct {
	meta    history.Meta
	opt     Options
	keys    []key
	foreign string
	selects bool
	carry   *carry // nil: before the first segment
	recent  []segment
	before  *carry    // in front of recent
	held    []segment // from carry on: too hard for the walk
	tried   int       // operations held when they were last tried
	window  int       // how many operations recent may hold
	clients int
	faults  walkFaults
	// Of one key: a deadline has been set; a value may have been made by APPEND.
	timed, appends bool
}

// walkFaults are deliberate mistakes, for the test that shows that it would find them.
type walkFaults struct {
	dropsLost, spareAlways, eagerAll, floorHigh, keepsFirst, apart, hard bool
}

// segmentStepsMin and segmentStepsEach bound a walk; more means that it is too hard.
const (
	segmentStepsMin  = 100_000
	segmentStepsEach = 200
	standingsMax     = 2000
	// What is carried on; more is not worth it, since the batch search tries one after the other.
	standingsKept = 32
	lostKept      = 24
	// burst is how long after a lost operation another may be sent on the same connection before
	// which it must have happened (LIN-6). A later one makes the component unknown.
	burst = int64(time.Second)
)

// next judges the next segment. The verdict is final if it is illegal or unknown, or if the segment
// is the last.
func (j *judging) next(s segment) outcome {
	j.keys, j.foreign, j.selects = s.keys, s.foreign, s.selects
	if j.foreign != "" {
		return outcome{verdict: Unknown, reason: j.foreign + " is not a command that the model decides"}
	}
	if late := j.late(s); late != nil {
		return outcome{verdict: Unknown, moment: late.rec.Call,
			reason: late.rec.String() + " was sent long after the reply before it was lost"}
	}
	if len(j.held) > 0 {
		return j.hold(s)
	}
	if j.carry == nil && s.last {
		j.held = []segment{s}
		return j.batch()
	}
	return j.walk(s)
}

// late finds an operation behind which dominance has been wrong (burst).
func (j *judging) late(s segment) *unit {
	if j.carry == nil || len(j.carry.lost) == 0 {
		return nil
	}
	for _, l := range j.carry.lost {
		for _, u := range s.units {
			if u.rec.Client == l.rec.Client && u.rec.Call > l.rec.Call+burst {
				return u
			}
		}
	}
	return nil
}

// part lays out lost operations and those of a segment as a component.
func (j *judging) part(lost, units []*unit) *part {
	p := &part{meta: j.meta, keys: j.keys, selects: j.selects, units: byCall(lost, units)}
	for i, u := range p.units {
		u.index = i
	}
	p.finish()
	j.clients = max(j.clients, p.clients)
	return p
}

// layout puts the lost operations of the carry, which may have happened already, in front of all
// others. Where components have been joined, one of them may have been called later than operations
// of another that are still to be judged. These do not touch the same keys, so that it may as well
// be called with the first of them; its window stays, and its place on its connection.
func (p *part) layout(lost []*unit) *layout {
	carried := map[*unit]bool{}
	for _, u := range lost {
		carried[u] = true
	}
	rest := slices.DeleteFunc(slices.Clone(p.units), func(u *unit) bool { return carried[u] })
	p.units = slices.Concat(lost, rest)
	for i := range lost {
		if u := lost[i]; len(rest) > 0 && u.rec.Call > rest[0].rec.Call {
			early, rec := *u, *u.rec
			rec.Call, early.rec = rest[0].rec.Call, &rec
			p.units[i] = &early
		}
	}
	l := newLayout(p, nil)
	byPos := make([]int32, 0, len(l.ops))
	for i := range l.ops {
		l.ops[i].flags &^= follows
		byPos = append(byPos, int32(i))
	}
	slices.SortStableFunc(byPos, func(a, b int32) int { return p.units[a].pos - p.units[b].pos })
	last := map[int]int32{}
	for _, i := range byPos {
		if c := p.units[i].conn; c >= 0 {
			l.ops[i].after = none
			if before, ok := last[c]; ok {
				l.ops[i].after = before
				l.ops[before].flags |= follows
			}
			last[c] = i
		}
	}
	return l
}

// walk judges a segment from the carry, and makes the next carry: over the four integers of one key
// as long as the component is of that kind, else over the model.
func (j *judging) walk(s segment) outcome {
	var lost []*unit
	if j.carry != nil {
		lost = j.carry.lost
	}
	p := j.part(lost, s.units)
	lay := p.layout(lost)
	if j.carry == nil || j.carry.cells {
		if k, ok := newOneKey(p); ok {
			return j.walkCells(s, p, lay, k)
		}
	}
	g := newGeneral(p, j.opt.faults)
	j.carry = j.started(g.engine)
	g.describe(lay, j.opt.slips)
	w := newWalk(j, s, lay, theory[config](g))
	start := make([]reached[config], len(j.carry.set))
	for i := range start {
		start[i].c = j.carry.set[i].c
	}
	next := &carry{}
	out := finishWalk(j, s, w, start, lost, next, func(c *config) standing {
		c.has = nil
		return standing{c: *c}
	})
	return j.proceed(s, out, next)
}

// walkCells is walk for one key.
func (j *judging) walkCells(s segment, p *part, lay *layout, k *oneKey) outcome {
	if j.carry == nil {
		j.timed = k.traits.dates && k.first.mortal
		first := standing{cell: k.first, text: k.values.text[k.first.value]}
		j.carry = &carry{cells: true, key: p.keys[0], set: []standing{first}}
	}
	for i := range lay.ops {
		a := &k.acts[lay.ops[i].unit]
		fl, _, _ := a.proves()
		lay.ops[i].flags |= fl & pure
		j.timed = j.timed || fl&pure == 0 && (a.code == aExpire || a.is(timed) || a.is(date))
	}
	start := make([]reached[cell], len(j.carry.set))
	for i := range start {
		start[i].c = k.cellOf(&j.carry.set[i])
	}
	j.appends = j.appends || k.traits.joins
	next := &carry{cells: true, key: p.keys[0]}
	w := newWalk(j, s, lay, theory[cell](k))
	out := finishWalk(j, s, w, start, j.carry.lost, next, func(c *cell) standing {
		return standing{cell: *c, text: k.values.text[c.value]}
	})
	return j.proceed(s, out, next)
}

// cellOf is a cell of an earlier segment, whose values had other numbers.
func (k *oneKey) cellOf(s *standing) cell {
	c := s.cell
	if c.value != noValue {
		c.value = k.values.id(s.text)
	}
	return c
}

// newWalk prepares the search of a segment.
func newWalk[C any](j *judging, s segment, lay *layout, th theory[C]) *walker[C] {
	lay.finish()
	if j.faults.floorHigh {
		s.next += 5
	}
	for i := range lay.floors {
		lay.floors[i] = min(lay.floors[i], s.next)
	}
	w := &walker[C]{th: th, lay: lay, faults: j.faults,
		stepsMax: segmentStepsMin + segmentStepsEach*len(lay.ops)}
	if j.faults.hard {
		w.stepsMax = len(lay.ops)
	}
	w.lonely = lay.lonely(func(u *unit) bool {
		return s.last || j.faults.spareAlways || s.now-u.rec.Call > burst
	})
	return w
}

// finishWalk runs the search and fills the next carry. Unknown means that it was too hard.
func finishWalk[C any](j *judging, s segment, w *walker[C], start []reached[C], lost []*unit,
	next *carry, of func(c *C) standing) outcome {
	if w.lay.slots > walkSlots {
		return outcome{verdict: Unknown}
	}
	for i := range start { // the slots are known by now
		start[i].done = j.carry.set[i].slots(w.lay)
	}
	last, ok := w.run(start)
	switch {
	case !ok || len(w.set) > standingsMax:
		return outcome{verdict: Unknown}
	case last != nil:
		return outcome{verdict: Illegal, last: last, moment: last.rec.Return}
	case !s.last:
		fillCarry(w, lost, next, of)
	}
	return outcome{verdict: OK}
}

// proceed takes the next carry, or keeps what it would have come from.
func (j *judging) proceed(s segment, out outcome, next *carry) outcome {
	switch {
	case out.verdict == Unknown:
		return j.hold(s)
	case out.verdict == Illegal:
		j.held = append(j.held, s)
	case s.last:
	case len(next.set) > standingsKept || len(next.lost) > lostKept:
		return j.hold(s) // from a carry that is smaller
	default:
		j.remember(s)
		j.carry = next
	}
	return out
}

// slots says which of the lost operations have happened, which are the first ones of lay.
func (s *standing) slots(lay *layout) (set slotSet) {
	for k, done := range s.done {
		if done {
			set.add(lay.ops[k].slot)
		}
	}
	return set
}

// fillCarry hands over the end of a walk: of the lost operations those that can still change
// something.
func fillCarry[C any](w *walker[C], before []*unit, next *carry, of func(c *C) standing) {
	var slots []int32
	for i := range w.lay.ops {
		o := &w.lay.ops[i]
		u := w.lay.part.units[o.unit]
		if int(o.unit) < len(before) {
			u = before[o.unit]
		}
		if !o.is(lost) || u.readsOnly() || w.faults.dropsLost {
			continue
		}
		open := false // in some situation it has not happened
		for k := range w.set {
			open = open || !w.set[k].done.has(o.slot)
		}
		if open {
			next.lost, slots = append(next.lost, u), append(slots, o.slot)
		}
	}
	if w.faults.keepsFirst {
		w.set = w.set[:1]
	}
	for k := range w.set {
		s := of(&w.set[k].c)
		s.done = make([]bool, len(slots))
		for i, slot := range slots {
			s.done[i] = w.set[k].done.has(slot)
		}
		next.set = append(next.set, s)
	}
}

// remember keeps the latest segments, so that an illegal one can be explained.
func (j *judging) remember(s segment) {
	if len(j.recent) == 0 {
		j.before = j.carry
	}
	j.recent = append(j.recent, s)
	n := 0
	for _, r := range j.recent {
		n += len(r.units)
	}
	if n > j.window { // all but this one are old: their carries are gone
		j.recent, j.before = []segment{s}, j.carry
	}
}

// hold keeps a segment that is too hard for the walk, and lets the batch search decide all that is
// held when it is time to.
func (j *judging) hold(s segment) outcome {
	j.held = append(j.held, s)
	n := 0
	for _, h := range j.held {
		n += len(h.units)
	}
	if !s.last && n < 2*j.tried {
		return outcome{verdict: OK}
	}
	j.tried = n
	return j.batch()
}

// batch decides what is held by the batch search, from every start that the carry allows.
func (j *judging) batch() outcome {
	var units []*unit
	for _, h := range j.held {
		units = append(units, h.units...)
	}
	if j.carry == nil {
		return j.part(nil, units).decide(j.opt)
	}
	if !j.carry.cells {
		return worstOf(j, j.carry.groups(), units, func(p *part, g *group) { p.from = g.set })
	}
	starts := make([]*group, len(j.carry.set))
	for i := range j.carry.set {
		s := &j.carry.set[i]
		starts[i] = &group{lost: j.carry.missing(s.done), one: s}
	}
	return worstOf(j, starts, units, func(p *part, g *group) {
		p.first = g.one
		one := &carry{key: j.carry.key, set: []standing{*g.one}}
		for _, s := range j.modelled(p.search().engine, one).set {
			p.from = append(p.from, s.c)
		}
	})
}

// worstOf decides units from each start: legal if that is legal from any. All of them share the time
// of one search, and one that is not decided ends the attempt.
func worstOf(j *judging, starts []*group, units []*unit, begin func(p *part, g *group)) outcome {
	out, deadline := outcome{verdict: Illegal}, time.Now().Add(j.opt.Timeout)
	for _, g := range starts {
		p, opt := j.part(g.lost, units), j.opt
		begin(p, g)
		opt.Timeout = max(time.Until(deadline), time.Millisecond)
		if out = p.decide(opt); out.verdict != Illegal {
			break
		}
	}
	return out
}

// group is the configurations before which the same lost operations have not happened yet.
type group struct {
	done []bool
	lost []*unit
	set  []config
	one  *standing // a cell, instead of a set
}

// missing are the lost operations that have not happened.
func (c *carry) missing(done []bool) (lost []*unit) {
	for k, happened := range done {
		if !happened {
			lost = append(lost, c.lost[k])
		}
	}
	return lost
}

func (c *carry) groups() []*group {
	var out []*group
	for i := range c.set {
		s := &c.set[i]
		at := slices.IndexFunc(out, func(g *group) bool { return slices.Equal(g.done, s.done) })
		if at < 0 {
			g := &group{done: s.done, lost: c.missing(s.done)}
			at, out = len(out), append(out, g)
		}
		out[at].set = append(out[at].set, s.c)
	}
	return out
}

// heldUnits takes out what has not been judged.
func (j *judging) heldUnits() (units []*unit) {
	for _, s := range j.held {
		units = append(units, s.units...)
	}
	j.held, j.tried = nil, 0
	return units
}

// unite makes j the judgement of what j and k have judged apart.
func (j *judging) unite(k *judging) {
	if (j.carry != nil || k.carry != nil) && !j.faults.apart {
		e := newEngine(j.meta.Profile != history.Frozen, j.meta.Offset != nil)
		j.carry = j.started(e).unite(k.started(e), e)
	}
	j.recent, j.before = nil, nil
	j.clients = max(j.clients, k.clients)
}

// started is the carry in terms of the model, or the one in front of everything.
func (j *judging) started(e *engine) *carry {
	switch {
	case j.carry != nil && j.carry.cells:
		return j.modelled(e, j.carry)
	case j.carry != nil:
		return j.carry
	}
	c := &carry{}
	for _, first := range (&part{meta: j.meta, keys: j.keys}).start(e) {
		c.set = append(c.set, standing{c: first})
	}
	return c
}

// evidence is the component as it can be explained when it is illegal: the latest segments and what
// is held. Lost operations that had happened before may happen again, which is a weakening.
func (j *judging) evidence() *part {
	var units []*unit
	from := j.carry
	if len(j.recent) > 0 {
		from = j.before
	}
	for _, s := range slices.Concat(j.recent, j.held) {
		units = append(units, s.units...)
	}
	if from == nil {
		return j.part(nil, units)
	}
	p := j.part(from.lost, units)
	if from.cells {
		from = j.modelled(newEngine(j.meta.Profile != history.Frozen, j.meta.Offset != nil), from)
	}
	for i := range from.set {
		p.from = append(p.from, from.set[i].c)
	}
	return p
}

// at is the reason, with the moment that was too hard.
func (o *outcome) at() string {
	if o.moment == 0 {
		return o.reason
	}
	return fmt.Sprintf("%s, at %.3f s", o.reason, float64(o.moment)/1e9)
}

// byCall merges two lists of units.
func byCall(a, b []*unit) []*unit {
	if len(a) == 0 {
		return b
	}
	out := slices.Concat(a, b)
	slices.SortStableFunc(out, func(x, y *unit) int {
		return cmp.Or(cmp.Compare(x.rec.Call, y.rec.Call), cmp.Compare(x.rec.Client, y.rec.Client),
			cmp.Compare(x.rec.N, y.rec.N))
	})
	return out
}
