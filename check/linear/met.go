package linear

import (
	"fmt"
	"slices"
	"strings"

	"rondo/model"
)

// This file says what an operation met: which of its keys had expired for it and which had not. A
// late server and an early one differ in nothing else, so it must not be guessed. The model is asked:
// once with the key gone, once with it alive, once with it alive and without a deadline, all other
// keys either way; what then gives the reply that was observed is what the operation can have met.
// So MGET says it for each key, INCRBY by its sum, EXEC by the replies of its commands.

// found is what an operation can have met of one key, a set.
type found int

const (
	absent  found = 1 << iota // it was not there
	mortal                    // it was there, with a deadline
	lasting                   // it was there, without one
)

// meeting is one key of an operation, with the interval of ticks in which its deadline lies.
type meeting struct {
	key       key
	low, high int64
	met       found
}

// meetings lists u's keys that have a deadline in the configuration in which u takes effect.
func (x *explainer) meetings(t *trail, c config, u *unit) []meeting {
	var out []meeting
	keys, _ := keysOf(u)
	for _, k := range keys {
		t.engine.gaveUp.Store(false) // the search may have ended so
		t.engine.runsMax = t.engine.runs + metRunsMax
		if at, ok := deadlineOf(t.engine, &c, k, u.lo, u.hi); ok {
			out = append(out, meeting{k, at.low, at.high, x.met(t, c, u, k)})
		}
	}
	return out
}

// met asks the model what u can have met of k.
func (x *explainer) met(t *trail, c config, u *unit, k key) (out found) {
	if u.isNullExec() {
		return absent | mortal | lasting // it has met nothing
	}
	asked := *u
	asked.conn, asked.free, asked.told = -1, false, nil
	if u.rec.Body != nil { // what is changed here must not count as a change of a watched key
		asked.lines = slices.Concat([][][]byte{words("UNWATCH")}, u.lines)
	}
	e, from := t.engine, []config{c}
	if t.edge != nil {
		from = t.edge.open(c, u)
	}
	for i := range from {
		timeless := e.anyDeadlines(from[i])
		for _, world := range []struct {
			as      found
			configs []config
		}{
			{absent, e.ask(timeless, k, nil, "DEL")},
			{lasting, e.ask(timeless, k, &model.Reply{Kind: model.Int, Int: 1}, "PERSIST")},
			{mortal, e.alive(timeless, k)},
		} {
			if slices.ContainsFunc(world.configs, func(c config) bool { return len(e.step(nil, &c, &asked)) > 0 }) {
				out |= world.as
			}
		}
	}
	if e.gaveUp.Load() {
		return absent | mortal | lasting
	}
	return out
}

const metRunsMax = 5_000 // executions for one key

// anyDeadlines forgets when the deadlines are.
func (e *engine) anyDeadlines(c config) config {
	c.zone = c.zone.clone()
	for r := e.first(); r < c.zone.n; r++ {
		c.zone.forget(r)
	}
	return c
}

// alive is a configuration in which the next reading is not after the deadline of k.
func (e *engine) alive(c config, k key) []config {
	at, _ := deadlineOf(e, &c, k, -inf, inf)
	c.zone = c.zone.clone()
	if at.row == 0 || !c.zone.limit(rowNow, at.row, at.off) {
		return nil
	}
	return []config{c}
}

// ask executes a command about k on nobody's connection; of its replies only this one counts, if any.
func (e *engine) ask(c config, k key, reply *model.Reply, command string) []config {
	return e.step(nil, &c, &unit{client: asker, free: true, lo: -inf, hi: inf, conn: -1, reply: reply,
		lines: [][][]byte{words("SELECT", fmt.Sprint(k.db)), {[]byte(command), []byte(k.name)}}})
}

func (z *zone) clone() zone {
	c := *z
	c.d = slices.Clone(z.d)
	return c
}

// deadline is where the deadline of a key lies: within [low, high], and x[row]+off exactly.
type deadline struct {
	low, high, off int64
	row            int
}

// deadlineOf asks the model itself when a key of the configuration expires, when the clock reads lo
// to hi: the term that PEXPIRETIME would report names the instant, and the zone has its bounds.
func deadlineOf(e *engine, c *config, k key, lo, hi int64) (at deadline, ok bool) {
	at = deadline{low: inf, high: -inf}
	u := &unit{client: asker, free: true, lo: lo, hi: hi, conn: -1, lines: [][][]byte{
		words("SELECT", fmt.Sprint(k.db)), {[]byte("PEXPIRETIME"), []byte(k.name)}}}
	u.told = func(r model.Reply, z *zone) {
		if r.Kind == model.DiffTerm {
			at.row, at.off = int(r.A.Var), r.A.Off
			at.low = min(at.low, plus(at.off, -z.at(e.origin, at.row)))
			at.high = max(at.high, plus(z.at(at.row, e.origin), at.off))
		}
	}
	e.step(nil, c, u)
	return at, at.low <= at.high && at.high < inf && at.low > -inf
}

// asker is a connection that only looks.
const asker = model.Client(-3)

// accusation compares what an operation met with the interval of a deadline.
type accusation struct {
	clause, cause string
	how           string // what follows from the comparison: "served late"
	ms            int64  // by which the server was wrong at least
}

// accuse says what is wrong with one key. Both the window of u and the deadline are intervals of
// ticks; where they do not meet, the distance is the least by which the server was wrong.
func (m meeting) accuse(u *unit) (a accusation, proven bool) {
	switch {
	case reportsTime(u):
		return accusation{clause: "TIME-6", cause: "a reported time is wrong"}, true
	case m.met == lasting:
		return accusation{clause: "TIME-5", cause: "a deadline is ignored"}, true
	case u.lo > m.high && m.met != 0 && m.met&absent == 0:
		return accusation{"TIME-5", "a key is served after its deadline", "served late", u.lo - m.high}, true
	case u.hi <= m.low && m.met == absent:
		return accusation{"TIME-5", "a key is gone before its deadline", "expired early", m.low + 1 - u.hi}, true
	}
	return accusation{clause: "TIME-5", cause: "a deadline is not what it should be"}, false
}

// ending is what the accusation adds to a sentence. It has the number only if the facts about the
// clock, which are shown below it, miss each other by the same.
func (a accusation) ending(cycle *contradiction) string {
	verb, when, _ := strings.Cut(a.how, " ")
	switch {
	case a.how == "":
		return ""
	case cycle == nil || cycle.miss == a.ms:
		return fmt.Sprintf(": %s at least %d ms %s", verb, a.ms, when)
	}
	return ": " + a.how
}

// where says where the deadlines lie, of which key if u has several.
func (x *explainer) where(u *unit, ms []meeting) string {
	if keys, _ := keysOf(u); len(keys) == 1 {
		return "the deadline lies in " + x.span(ms[0].low, ms[0].high) + " ms"
	}
	var parts []string
	for _, m := range ms[:min(len(ms), meetingsShown)] {
		parts = append(parts, fmt.Sprintf("the deadline of %s lies in %s ms", x.plain(m.key.String()), x.span(m.low, m.high)))
	}
	return strings.Join(parts, " and ")
}

const meetingsShown = 3
