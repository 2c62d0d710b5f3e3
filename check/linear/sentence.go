package linear

import (
	"fmt"
	"slices"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// This file puts a core into words. Which rule is broken is found by lifting rules one by one: the
// first without which the core is legal is the one. Time comes first, since a wrong expiry makes
// orders impossible that would be fine without a clock.

// verdict writes the core, the clause and the sentence.
func (x *explainer) verdict(c *Component) {
	c.Origin, c.Tag = x.part.units[0].rec.Call, x.tag()
	for _, u := range x.view.kept {
		c.Core = append(c.Core, *u.rec)
	}
	free := x.view
	free.allFree = true
	if x.legal(free) {
		x.timeConflict(c)
	} else {
		x.orderConflict(c, free)
		c.Steps = x.steps(nil)
		if c.Clause == "LIN-7" {
			c.Steps = append(c.Steps, x.transactions()...)
		}
	}
}

// plain leaves the tag out of text.
func (x *explainer) plain(text string) string {
	tag := x.tag()
	if tag == "" {
		return text
	}
	return strings.ReplaceAll(text, tag, "")
}

// tag is the hash tag "{...}" of all keys of the component, with what stands before it, if there is
// one and each key goes on behind it.
func (x *explainer) tag() string {
	if len(x.part.keys) == 0 {
		return ""
	}
	first := x.part.keys[0].name
	end := strings.IndexByte(first, '}') + 1
	if end == 0 || !strings.Contains(first[:end], "{") {
		return ""
	}
	for _, k := range x.part.keys {
		if len(k.name) <= end || k.name[:end] != first[:end] {
			return ""
		}
	}
	return first[:end]
}

// rule is a rule about order, with what it means if a core is legal without it.
type rule struct {
	clause, sentence string
	lift             func(v *view)
}

var rules = []rule{
	{"LIN-6", "commands pipelined on one connection take effect in another order than they were sent",
		func(v *view) { v.noOrder = true }},
	{"LIN-8", "EXEC ignores what was watched: it executed although a watched key had changed, or " +
		"answered null although none had", func(v *view) { v.noWatch = true }},
	{"LIN-7", "the commands of a transaction take effect one by one, with something in between",
		func(v *view) {
			v.noWatch, v.noAtomic = true, true
			v.weak = takeApart(v.weak)
		}},
	{"LIN-5", "a command whose reply was lost takes effect more than once",
		func(v *view) { *v = v.weakenedLost(); v.often = true }},
	{"LIN-2", "an operation takes effect outside of the time between its call and its return",
		func(v *view) { v.noRealTime = true }},
}

// orderConflict names the rule about order without which the core is legal. Time is left out in
// every question: it is not what makes the core illegal.
func (x *explainer) orderConflict(c *Component, v view) {
	last := slices.MaxFunc(v.kept, func(a, b *unit) int { return compare(a.rec.Return, b.rec.Return) })
	c.Clause, c.Sentence = "LIN-3", x.noOrder(v.kept, last)
	for _, r := range rules {
		lifted := v
		r.lift(&lifted)
		if r.clause == "LIN-5" && !slices.ContainsFunc(slices.Concat(v.kept, v.weak), (*unit).lost) {
			continue
		}
		if x.legal(lifted) {
			c.Clause, c.Sentence = r.clause, x.says(last)+": possible only if "+r.sentence
			return
		}
	}
}

// says is what an operation did, when and by whom.
func (x *explainer) says(u *unit) string {
	answered := "was not answered"
	if !u.lost() {
		answered = "answered " + u.rec.Reply.String()
	}
	return fmt.Sprintf("%s by client %d at %s ms %s", x.plain(command(u.rec)), u.rec.Client, x.interval(u),
		answered)
}

func (v view) weakenedLost() view {
	w := v
	w.kept = nil
	for _, u := range v.kept {
		if u.lost() {
			w.weak = append(slices.Clone(w.weak), u)
		} else {
			w.kept = append(w.kept, u)
		}
	}
	return w
}

// noOrder is the sentence for replies that no order at all explains.
func (x *explainer) noOrder(core []*unit, last *unit) string {
	if len(core) == 1 {
		return x.says(last) + ": no state that the other operations can have left gives this reply"
	}
	return fmt.Sprintf("%s: no order of these %d operations gives their replies, "+
		"whatever the others did", x.says(last), len(core))
}

// timeConflict finds the operation whose view of the clock is wrong, and by how much.
func (x *explainer) timeConflict(c *Component) {
	c.Clause = "TIME-5"
	culprit, orders := x.culprit()
	if culprit == nil {
		c.Sentence = "an order explains these replies, but no clock readings inside their windows do" +
			x.staleness()
		c.Steps = x.steps(nil)
		return
	}
	if reportsTime(culprit) {
		c.Clause = "TIME-6"
	}
	c.Steps = x.steps(orders[0])
	c.Sentence = x.accuse(culprit, orders)
}

// moment is one step of an order that explains the core when the culprit's clock is not asked.
type moment struct {
	unit          *unit
	weak          bool
	before, after config
}

// culprit is the last answered operation without whose view of time the core is legal, with the
// orders that then explain everything.
func (x *explainer) culprit() (*unit, [][]moment) {
	core := slices.Clone(x.view.kept)
	slices.SortStableFunc(core, laterFirst)
	for _, u := range core {
		if u.lost() {
			continue
		}
		v := x.view
		v.free = func(o *unit) bool { return o.rec == u.rec }
		if t := x.order(v, true); t != nil {
			var orders [][]moment
			for _, end := range t.ends {
				orders = append(orders, t.moments(end))
			}
			return u, orders
		}
	}
	return nil, nil
}

// moments are the steps to an end.
func (t *trail) moments(end *step) []moment {
	var out []moment
	path := end.path()
	for i, s := range path[1:] {
		out = append(out, moment{unit: s.unit, weak: s.weak != nil, before: path[i].config, after: s.config})
	}
	return out
}

// staleness says by how many milliseconds the server's clock must have been old to make the core
// legal: the smallest slack (LIN-4) that does. It says nothing if none up to a day does.
func (x *explainer) staleness() string {
	const most = 1 << 27
	legal := func(ms int64) bool {
		v := x.view
		v.late = ms
		return x.legal(v)
	}
	high := int64(1)
	for !legal(high) {
		if high *= 4; high > most {
			return ""
		}
	}
	low := high / 4 // not legal
	for low+1 < high {
		if mid := (low + high) / 2; legal(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return fmt.Sprintf(": only a clock that is at least %d ms old would explain them", high)
}

// accuse is the sentence about one operation: what it answered, and where the deadline lies. Both
// its window and the deadline are intervals of ticks; where they do not meet, the distance is the
// least by which the server was wrong.
func (x *explainer) accuse(u *unit, orders [][]moment) string {
	answer := x.says(u)
	var before []config
	for _, path := range orders {
		i := slices.IndexFunc(path, func(m moment) bool { return m.unit.rec == u.rec })
		before = append(before, path[i].before)
	}
	low, high, ok := x.deadlines(u, before, u.lo, u.hi)
	if !ok {
		return answer + ", which no clock reading inside its window gives" + x.staleness()
	}
	where := "the deadline lies in " + x.span(low, high) + " ms"
	switch {
	case reportsTime(u):
		return answer + " although " + where
	case u.lo > high:
		return fmt.Sprintf("%s although %s: served at least %d ms late", answer, where, u.lo-high)
	case u.hi <= low:
		return fmt.Sprintf("%s although %s: expired at least %d ms early", answer, where, low+1-u.hi)
	}
	return answer + " although " + where + x.staleness()
}

// reportsTime recognises commands whose reply is a time.
func reportsTime(u *unit) bool {
	switch lower(u.rec.Cmd[0]) {
	case "ttl", "pttl", "expiretime", "pexpiretime":
		return u.rec.Reply.Kind == model.Int && u.rec.Reply.Int >= 0
	}
	return false
}

// steps draws the core as lines, in the order of the path if there is one, else by call.
func (x *explainer) steps(path []moment) []string {
	var rows [][4]string
	add := func(u *unit, deadline string) {
		rows = append(rows, [4]string{fmt.Sprintf("client %d", u.rec.Client), x.interval(u) + " ms",
			x.plain(describe(u.rec)), deadline})
	}
	for _, m := range path {
		if m.weak {
			continue
		}
		deadline := ""
		if low, high, ok := x.deadlines(m.unit, []config{m.after}, -inf, inf); ok {
			deadline = "deadline in " + x.span(low, high)
		}
		add(m.unit, deadline)
	}
	for _, u := range x.view.kept {
		if path == nil {
			add(u, "")
		}
	}
	return columns(rows)
}

// transactions are the weakened ones, a few of them: a torn transaction is seen by others, and the
// core holds only what was seen.
func (x *explainer) transactions() []string {
	var rows [][4]string
	for _, u := range x.view.weak {
		if u.rec.Body != nil && len(rows) < transactionsShown {
			rows = append(rows, [4]string{fmt.Sprintf("client %d", u.rec.Client), x.interval(u) + " ms",
				x.plain(describe(u.rec)), "whenever it was, if it was"})
		}
	}
	return columns(rows)
}

const transactionsShown = 3

// columns aligns the cells of rows.
func columns(rows [][4]string) []string {
	var width [4]int
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len(cell))
		}
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		var b strings.Builder
		for j, cell := range r {
			fmt.Fprintf(&b, "%-*s  ", width[j], cell)
		}
		out[i] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// interval is when an operation was called and returned, in ms after the component's first call.
func (x *explainer) interval(u *unit) string {
	if u.rec.Return == history.Never {
		return fmt.Sprintf("[%s, never]", x.ms(u.rec.Call))
	}
	return fmt.Sprintf("[%s, %s]", x.ms(u.rec.Call), x.ms(u.rec.Return))
}

func (x *explainer) ms(ns int64) string {
	return fmt.Sprintf("%.3f", float64(ns-x.part.units[0].rec.Call)/tick)
}

// deadlines is the interval of ticks in which the deadlines of u's keys lie, if they have any, when
// the clock reads lo to hi.
func (x *explainer) deadlines(u *unit, configs []config, lo, hi int64) (low, high int64, ok bool) {
	e := newEngine(x.part.meta.Profile != history.Frozen, x.part.meta.Offset != nil)
	low, high = inf, -inf
	keys, _ := keysOf(u)
	for _, k := range keys {
		for i := range configs {
			l, h := e.deadline(&configs[i], k, lo, hi)
			low, high = min(low, l), max(high, h)
		}
	}
	return low, high, low <= high && high < inf && low > -inf
}

// span places an interval of the server's ticks on the recording's clock.
func (x *explainer) span(low, high int64) string {
	off := history.Offset{High: tick}
	if x.part.meta.Offset != nil {
		off = *x.part.meta.Offset
	}
	return fmt.Sprintf("[%s, %s]", x.ms(low*tick-off.High), x.ms(high*tick-off.Low))
}

// deadline asks the model itself when a key of the configuration expires: the term that PEXPIRETIME
// would report names the instant, and the zone has its bounds. Without one, low > high.
func (e *engine) deadline(c *config, k key, lo, hi int64) (low, high int64) {
	u := &unit{client: asker, free: true, lo: lo, hi: hi, conn: -1, lines: [][][]byte{
		words("SELECT", fmt.Sprint(k.db)), {[]byte("PEXPIRETIME"), []byte(k.name)}}}
	low, high = inf, -inf
	u.told = func(r model.Reply, z *zone) {
		if r.Kind == model.DiffTerm {
			at := int(r.A.Var)
			low = min(low, plus(r.A.Off, -z.at(e.origin, at)))
			high = max(high, plus(z.at(at, e.origin), r.A.Off))
		}
	}
	e.step(nil, c, u)
	return low, high
}

// asker is a connection that only looks.
const asker = model.Client(-3)
