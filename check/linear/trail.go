package linear

import (
	"slices"

	"rondo/model"
)

// This file decides a view (weaken.go): whether some order of the kept operations, with weakened
// ones in between, explains their replies. It is asked dozens of times for one explanation, about
// few kept operations and many weakened ones, so it goes the other way than the searches that judge
// a component: weakened operations come in only where nothing goes on without them.
//
// A step stands for "these kept operations have taken effect, and this is a configuration". From
// it any kept operation may follow that was called before all others left have returned. When no
// step is left that a kept operation can follow, every step is carried on by one weakened operation,
// and the kept ones get their chance again; so the order found needs as few weakened operations as
// possible, and is fit to be shown to people. A step that another one includes is dropped. If many
// zones are found for the same shape they are merged into one that includes them all, and one that
// goes on growing is widened, so that the search ends; both only add behaviour.

// step is one node of the search: what has happened, and how it came to it.
type step struct {
	config
	done uint64 // the kept operations that have taken effect
	from *step
	unit *unit // that took effect last; nil at the start
	weak *class
}

// trail is one search.
type trail struct {
	engine  *engine
	kept    []*unit // with the view's rules lifted
	after   []int   // by kept operation: the one sent before it on a pipelining connection; -1
	classes []*class
	counted int // classes with a counter
	times   int // how often each counted operation may happen
	edge    *edge

	now   []*step // to be carried on by kept operations
	later []*step // to be carried on by weakened ones
	found map[spot]*zones
	every bool    // find every end, not only the first
	ends  []*step // where all kept operations have taken effect
	far   []*step // if there is none: where most have

	verdict Verdict // once it has run
}

type spot struct {
	done uint64
	key  string
}

// zones are the steps found at one spot.
type zones struct {
	list  []zone
	grown int
}

const (
	zonesMax   = 6 // at one spot, before they are merged
	growthsMax = 4 // how often a merged zone may grow, before it is widened
	keptMax    = 64
	farMax     = 2 // orders that are shown

	layoutShare = 4 // so many weakened operations cost as much to lay out as one execution
)

// trail prepares the search of a view within so many executions.
func (p *part) trail(v view, runs int64) *trail {
	e := newEngine(p.meta.Profile != "frozen", p.meta.Offset != nil)
	e.runs = int64(len(v.weak)) / layoutShare
	e.madeMax, e.runsMax = inf, e.runs+runs
	t := &trail{engine: e, found: map[spot]*zones{}, times: 1}
	t.kept = v.keptUnits()
	v.numberAgain(t.kept)
	t.after = predecessors(t.kept)
	if v.often {
		t.times = oftenMax
	}
	var ok bool
	if t.classes, ok = v.classes(t.kept); !ok || len(t.kept) > keptMax {
		e.gaveUp.Store(true)
		return t
	}
	for _, c := range t.classes {
		c.count = -1
		if !c.repeats {
			c.count = t.counted
			t.counted++
		}
	}
	t.begin(p, v)
	return t
}

// begin adds the steps before everything.
func (t *trail) begin(p *part, v view) {
	starts := p.start(t.engine)
	unknown := 0
	if v.cut {
		if t.edge = newEdge(p, v, t); t.edge == nil {
			t.engine.gaveUp.Store(true)
			return
		}
		starts, unknown = t.edge.start(), len(p.keys)
	}
	for _, c := range starts {
		used := make([]byte, t.counted+unknown)
		for i := range unknown {
			used[t.counted+i] = 1
		}
		c.used = string(used)
		t.add(&step{config: t.engine.withKey(c)})
	}
}

// predecessors finds the operation before each one on its pipelining connection.
func predecessors(units []*unit) []int {
	out := make([]int, len(units))
	for i, u := range units {
		out[i] = slices.IndexFunc(units, func(w *unit) bool {
			return u.conn >= 0 && w.conn == u.conn && w.pos == u.pos-1
		})
	}
	return out
}

// run decides. Of a legal view ends has an end, or every end that differs.
func (t *trail) run() Verdict {
	for !t.engine.gaveUp.Load() {
		switch n := len(t.now); {
		case n > 0:
			s := t.now[n-1]
			t.now = t.now[:n-1]
			if t.complete(s.done) {
				t.ends = append(t.ends, s)
				if !t.every {
					return OK
				}
				continue
			}
			t.keptMoves(s)
			t.later = append(t.later, s)
		case len(t.later) > 0:
			batch := t.later
			t.later = nil
			for _, s := range batch {
				t.weakMoves(s)
			}
		case len(t.ends) > 0:
			return OK
		default:
			return Illegal
		}
	}
	return Unknown
}

func (t *trail) complete(done uint64) bool {
	for i, u := range t.kept {
		if done>>i&1 == 0 && !u.lost() {
			return false
		}
	}
	return true
}

// until is the first return among the operations that have not taken effect: what is called later
// cannot come next (LIN-2).
func (t *trail) until(done uint64) int64 {
	first := int64(inf)
	for i, u := range t.kept {
		if done>>i&1 == 0 && !u.lost() {
			first = min(first, u.rec.Return)
		}
	}
	return first
}

// next lists the kept operations that may take effect next.
func (t *trail) next(done uint64) []int {
	var out []int
	until := t.until(done)
	for i, u := range t.kept {
		ready := t.after[i] < 0 || done>>t.after[i]&1 == 1
		if done>>i&1 == 0 && u.rec.Call <= until && ready {
			out = append(out, i)
		}
	}
	return out
}

func (t *trail) keptMoves(s *step) {
	for _, i := range t.next(s.done) {
		u := t.kept[i]
		for _, c := range t.apply(s.config, u) {
			t.add(&step{config: c, done: s.done | 1<<i, from: s, unit: u})
		}
	}
}

// weakMoves lets one weakened operation happen, of each class of which one is left that was called
// by then.
func (t *trail) weakMoves(s *step) {
	until := t.until(s.done)
	for _, c := range t.classes {
		called, _ := slices.BinarySearch(c.calls, until+1)
		if called == 0 {
			continue
		}
		from := s.config
		if c.count >= 0 {
			if int(from.used[c.count]) >= min(called*t.times, 255) {
				continue
			}
			used := []byte(from.used)
			used[c.count]++
			from.used = string(used)
		}
		for _, next := range t.apply(from, c.unit) {
			t.add(&step{config: next, done: s.done, from: s, unit: c.unit, weak: c})
		}
		if t.engine.gaveUp.Load() {
			return
		}
	}
}

// apply is what u can make of a configuration, of which it may be unknown what u's keys hold.
func (t *trail) apply(c config, u *unit) []config {
	from := []config{c}
	if t.edge != nil {
		from = t.edge.open(c, u)
	}
	var out []config
	for i := range from {
		out = t.engine.step(out, &from[i], u)
	}
	return out
}

// add takes a step up, unless one that includes it has been found.
func (t *trail) add(s *step) {
	at := spot{s.done, s.key}
	z := t.found[at]
	if z == nil {
		z = &zones{}
		t.found[at] = z
	}
	for i := range z.list {
		if z.list[i].includes(&s.zone) {
			return
		}
	}
	if len(z.list) >= zonesMax {
		z.merge(s)
	}
	z.list = append(z.list, s.zone)
	t.now = append(t.now, s)
	t.farthest(s)
}

// merge replaces all zones of the spot, and that of s, by one that includes them. Widened, it is no
// longer closed, which makes it say less than it could, and nothing wrong.
func (z *zones) merge(s *step) {
	before := z.list[0]
	for i := range z.list {
		before = before.hull(&z.list[i])
	}
	after := before.hull(&s.zone)
	if z.grown++; z.grown > growthsMax {
		after.widen(&before)
	}
	z.list, s.zone = z.list[:0], after
}

// farthest remembers the steps after most kept operations.
func (t *trail) farthest(s *step) {
	n := 0
	if len(t.far) > 0 {
		n = count(t.far[0].done)
	}
	switch m := count(s.done); {
	case m > n:
		t.far = []*step{s}
	case m == n && len(t.far) < farMax && !slices.ContainsFunc(t.far, func(o *step) bool {
		return o.done == s.done && o.state.Describe() == s.state.Describe()
	}):
		t.far = append(t.far, s)
	}
}

func count(bits uint64) int {
	n := 0
	for ; bits != 0; bits &= bits - 1 {
		n++
	}
	return n
}

// path lists the steps to s, in order, the start first.
func (s *step) path() []*step {
	var out []*step
	for ; s != nil; s = s.from {
		out = append(out, s)
	}
	slices.Reverse(out)
	return out
}

// outsider is the connection on which weakened operations run that do not care which it is.
const outsider = model.Client(-2)
