package linear

import (
	"slices"
	"strconv"

	"rondo/model"
)

// This file makes one component of two that were judged apart, when an operation ties them
// together. Their keys are disjoint, so what either can have come to is independent of the other:
// every configuration of one goes with every configuration of the other. The states are put
// together, and of the zones all constraints hold; they share the clock, whose last reading is the
// later of the two. For a clock without slack that is what one search of both would have reached.
// With slack each had a clock of its own until now (component.go), which accepts no less.

// unite is the configuration of a and b together; false if they exclude each other, which only an
// offset that is not known can bring about.
func (e *engine) unite(a, b *config) (config, bool) {
	a, b = e.timeless(a), e.timeless(b)
	first := e.first()
	ofA, ofB := a.state.Instants(nil), b.state.Instants(nil)
	z := zone{}
	z.assign(&a.zone)
	for range ofB {
		z.grow()
	}
	rename := func(row int) int { // of b, in z
		if row < first {
			return row
		}
		return row + len(ofA)
	}
	for i := range b.zone.n {
		for j := range b.zone.n {
			if c := b.zone.at(i, j); i != j && c != inf && !z.limit(rename(i), rename(j), c) {
				return config{}, false
			}
		}
	}
	second := b.state.WithInstants(func(slot int) model.Instant {
		return model.Instant{Var: uint16(first + len(ofA) + slot)}
	})
	return e.inOrder(model.Union(a.state, second), &z), true
}

// timeless forgets the last reading.
func (e *engine) timeless(c *config) *config {
	var rows []row
	for i := range c.zone.n {
		if i != rowNow {
			rows = append(rows, row{of: i})
		}
	}
	rest := c.zone.project(rows)
	z := newZone(c.zone.n)
	for i := range rows {
		for j := range rows {
			z.d[rows[i].of*z.stride+rows[j].of] = rest.at(i, j)
		}
	}
	z.limit(rowZero, rowNow, 0)
	return &config{state: c.state, zone: z}
}

// inOrder renames the instants of a state, whose variables are rows of z, to slots in the state's
// own order.
func (e *engine) inOrder(s model.State, z *zone) config {
	first := e.first()
	var rows []row
	for i := range first {
		rows = append(rows, row{of: i})
	}
	for _, t := range s.Instants(nil) {
		rows = append(rows, row{int(t.Var), t.Off})
	}
	s = s.WithInstants(func(slot int) model.Instant { return model.Instant{Var: uint16(first + slot)} })
	return e.withKey(config{state: s, zone: z.project(rows)})
}

// unite is the product of two carries.
func (a *carry) unite(b *carry, e *engine) *carry {
	c := &carry{lost: byCall(a.lost, b.lost)}
	for i := range a.set {
		for j := range b.set {
			x, y := &a.set[i], &b.set[j]
			both, ok := e.unite(&x.c, &y.c)
			if !ok {
				continue
			}
			s := standing{done: make([]bool, len(c.lost)), c: both}
			for k, u := range c.lost {
				if at := slices.Index(a.lost, u); at >= 0 {
					s.done[k] = x.done[at]
				} else {
					s.done[k] = y.done[slices.Index(b.lost, u)]
				}
			}
			c.set = append(c.set, s)
		}
	}
	return c
}

// modelled is a carry of cells in terms of the model. How a value was made can be seen (OBJECT
// ENCODING), and so can whether there was ever a deadline (DBSIZE); a cell does not know. Where
// both are possible, both are taken: of APPEND, of which that happens, too much may be accepted.
func (j *judging) modelled(e *engine, from *carry) *carry {
	c := &carry{lost: from.lost}
	for i := range from.set {
		s := &from.set[i]
		c.set = append(c.set, standing{done: s.done, c: j.configOf(e, from.key, s, false)})
		if j.appends && s.cell.value != noValue {
			c.set = append(c.set, standing{done: s.done, c: j.configOf(e, from.key, s, true)})
		}
	}
	return c
}

// configOf makes a state by commands, and writes the zone down.
func (j *judging) configOf(e *engine, k key, s *standing, appended bool) config {
	far := strconv.FormatInt(1<<50, 10)
	lines := [][][]byte{words("SELECT", strconv.Itoa(k.db))}
	if j.timed {
		lines = append(lines, words("SET", k.name, "x", "PXAT", far), words("DEL", k.name))
	}
	set := words("SET", k.name, s.text)
	if appended {
		lines = append(lines, words("SET", k.name, ""), words("APPEND", k.name, s.text))
	} else if s.cell.value != noValue {
		lines = append(lines, set)
	}
	if s.cell.mortal {
		lines = append(lines, words("PEXPIREAT", k.name, far))
	}
	const setter = model.Client(-1)
	c := e.initial(model.Initial(model.Options{Databases: (&part{keys: []key{k}}).databases()}))
	c.zone.limit(rowNow, rowZero, 0)
	c = e.step(nil, &c, &unit{client: setter, lo: -inf, hi: inf, conn: -1, lines: lines})[0]
	z := newZone(c.zone.n)
	z.limit(rowZero, rowNow, 0)
	z.limit(e.origin, rowNow, -s.cell.a)
	if at := e.first(); s.cell.mortal {
		z.limit(at, e.origin, s.cell.du)
		z.limit(e.origin, at, -s.cell.dl)
		z.limit(at, rowNow, s.cell.b)
	}
	return e.withKey(config{state: model.Close(c.state, setter), zone: z})
}
