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
	x.core(c)
	free := x.view
	free.allFree = true
	switch verdict, t := x.order(free); verdict {
	case OK:
		x.timeConflict(c, t)
	case Illegal:
		x.orderConflict(c, free)
		rows := x.rows(nil, nil)
		if c.Clause == "LIN-7" {
			rows = append(rows, x.transactions()...)
		}
		c.Steps, c.Why = x.draw(rows), x.table(x.view)
	default:
		c.Clause, c.Cause, c.Steps = "LIN-3", causeNoRule, x.draw(x.rows(nil, nil))
		c.Sentence = fmt.Sprintf("%s: whatever all operations did that are not listed, those listed cannot be; "+
			"whether by their order or by the clock is not known (%s)", x.says(x.view.lastReturn()), x.bound())
	}
}

// lastReturn is the kept operation that returned last.
func (v view) lastReturn() *unit {
	return slices.MaxFunc(v.kept, func(a, b *unit) int { return compare(a.rec.Return, b.rec.Return) })
}

// core writes the operations that are kept.
func (x *explainer) core(c *Component) {
	c.Origin, c.Tag = x.part.units[0].rec.Call, x.tag()
	for _, u := range operations(x.view.kept) {
		c.Core = append(c.Core, *u.rec)
	}
}

// unproven writes a core of which no contradiction is known. It accuses no operation, names no rule
// and gives no reasons: each of them would read as a proof.
func (x *explainer) unproven(c *Component) {
	x.core(c)
	c.Unproven, c.Clause, c.Cause, c.Steps = true, "LIN-3", causeUnproven, x.draw(x.rows(nil, nil))
	c.Sentence = fmt.Sprintf("no order of effects explains the replies of the component as a whole; which of its "+
		"operations contradict each other is not proven (%s), and those listed are where the search ended", x.bound())
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

// The causes of what has not been reduced, of what could not be, and of a core that no question about
// rules was answered for.
const (
	causeUnknown  = "not looked into"
	causeUnproven = "which operations contradict each other is not proven"
	causeNoRule   = "which rule is broken is not known"
)

// rule is a rule about order, with what it means if a core is legal without it.
type rule struct {
	clause, cause, sentence string
	lift                    func(v *view)
}

var rules = []rule{
	{"LIN-6", "pipelined commands change places", "commands pipelined on one connection take effect in another order than they were sent",
		func(v *view) { v.noOrder = true }},
	{"LIN-8", "EXEC ignores what was watched", "EXEC ignores what was watched: it executed although a watched key had changed, or " +
		"answered null although none had", func(v *view) { v.noWatch = true }},
	{"LIN-7", "a transaction is torn", "the commands of a transaction take effect one by one, with something in between",
		func(v *view) {
			v.noWatch, v.noAtomic = true, true
			v.weak = takeApart(v.weak)
		}},
	{"LIN-5", "a lost command takes effect twice", "a command whose reply was lost takes effect more than once",
		func(v *view) { *v = v.weakenedLost(); v.often = true }},
	{"LIN-2", "an answer is older or newer than it can be",
		"an operation takes effect outside of the time between its call and its return",
		func(v *view) { v.noRealTime = true }},
}

// orderConflict names the rule about order without which the core is legal. Time is left out in
// every question: it is not what makes the core illegal.
func (x *explainer) orderConflict(c *Component, v view) {
	last := v.lastReturn()
	kept := operations(v.kept)
	c.Clause, c.Cause, c.Sentence = "LIN-3", "no order gives the replies", x.noOrder(kept, last)
	if len(kept) == 1 {
		c.Cause = "a reply is never right"
	}
	for _, r := range rules {
		lifted := v
		r.lift(&lifted)
		if r.clause == "LIN-5" && !slices.ContainsFunc(slices.Concat(v.kept, v.weak), (*unit).lost) {
			continue
		}
		if verdict, t := x.order(lifted); verdict == OK {
			c.Clause, c.Cause = r.clause, r.cause
			c.Sentence = x.says(last) + ": possible only if " + r.sentence
			if r.clause == "LIN-2" {
				c.Sentence = x.outOfTime(t.ends[0], c.Sentence)
			}
			return
		}
	}
}

// outOfTime names the two operations that an order without real time has the other way round, of
// several those that are closest in time: the others follow from these as a rule.
func (x *explainer) outOfTime(end *step, otherwise string) string {
	var early, late *unit
	path := end.path()
	gap := int64(inf)
	for i, s := range path[1:] {
		for _, t := range path[i+2:] {
			if s.weak != nil || t.weak != nil {
				continue
			}
			a, b := x.part.units[t.unit.index], x.part.units[s.unit.index] // a takes effect after b
			if d := b.rec.Call - a.rec.Return; d > 0 && d < gap {
				early, late, gap = a, b, d
			}
		}
	}
	if early == nil {
		return otherwise
	}
	return fmt.Sprintf("%s: that is possible only before %s by client %d takes effect, "+
		"which had returned at %s ms, %.3f ms earlier", x.says(late), x.plain(command(early.rec)),
		early.rec.Client, x.ms(early.rec.Return), float64(gap)/tick)
}

// says is what an operation did, when and by whom.
func (x *explainer) says(u *unit) string {
	answered := "was not answered"
	if !u.lost() {
		answered = "answered " + x.plain(u.rec.Reply.String())
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

// timeConflict finds the operation whose view of the clock is wrong, and by how much: the last
// answered one without whose view of time the core is legal, with a deadline to compare it with if
// there is such a one.
func (x *explainer) timeConflict(c *Component, free *trail) {
	c.Clause = "TIME-5"
	core := slices.Clone(x.view.kept)
	slices.SortStableFunc(core, laterFirst)
	for _, u := range core {
		if t := x.withoutClock(u); t != nil && x.accuse(c, u, t) {
			return
		}
	}
	last := core[slices.IndexFunc(core, func(u *unit) bool { return !u.lost() })]
	c.Cause = "the clock explains no order"
	c.Sentence = x.says(last)
	if len(core) > 1 {
		c.Sentence += fmt.Sprintf(": an order of these %d operations explains it, but", len(core))
	} else {
		c.Sentence += ", which"
	}
	end, cycle := x.hardest(free)
	c.Sentence += " no clock reading inside its window gives" + x.staleness(cycle)
	if len(core) > 1 {
		c.Sentence = strings.Replace(c.Sentence, "but no clock reading inside its window gives",
			"but no clock readings inside their windows do", 1)
	}
	rows := x.rows(free.moments(end), cycle)
	for i := range rows {
		rows[i].deadline = "" // of an order without a clock
	}
	c.Steps, c.Why = x.draw(rows), cycle.tell(rows)
}

// withoutClock gives the orders that explain the core if the clock of one operation is not asked.
func (x *explainer) withoutClock(u *unit) *trail {
	if u.lost() {
		return nil
	}
	v := x.view
	v.free = func(o *unit) bool { return o.rec == u.rec }
	_, t := x.orders(v, true)
	return t
}

// moment is one step of an order that explains the core when the culprit's clock is not asked.
type moment struct {
	unit          *unit
	weak          bool
	before, after config
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
// legal. It says nothing if that is not known, or if the facts about the clock that are shown miss
// each other by another number: that one counts for one order, and this one for any.
func (x *explainer) staleness(shown *contradiction) string {
	ms, found := x.needsStale()
	if !found || shown != nil && shown.miss != ms {
		return ""
	}
	return fmt.Sprintf(": only a clock that is at least %d ms old would explain them", ms)
}

// needsStale is the smallest slack (LIN-4), in ms, that makes the core legal, if one up to a day
// does and all questions on the way to it are answered. Else no less than ms is known to do.
func (x *explainer) needsStale() (ms int64, found bool) {
	const most = 1 << 27
	stale := func(ms int64) Verdict {
		v := x.view
		v.late = ms
		return x.exactly(v)
	}
	low, high := int64(0), int64(1) // illegal; perhaps not
	verdict := stale(high)
	for ; verdict == Illegal; verdict = stale(high) {
		if low, high = high, 4*high; high > most {
			return high, false
		}
	}
	for verdict == OK && low+1 < high {
		mid := (low + high) / 2
		switch stale(mid) {
		case OK:
			high = mid
		case Illegal:
			low = mid
		default:
			verdict = Unknown
		}
	}
	return low + 1, verdict == OK
}

// accuse says what one operation answered, and where the deadline lies; false if there is none. Of
// several orders the one is told that misses least, so that "at least" is true of them all.
func (x *explainer) accuse(c *Component, u *unit, t *trail) bool {
	end, cycle := x.hardest(t)
	path := t.moments(end)
	i := slices.IndexFunc(path, func(m moment) bool { return m.unit.rec == u.rec })
	all := x.meetings(t, path[i].before, u)
	if len(all) == 0 {
		return false
	}
	c.Sentence = ""
	for _, m := range all {
		if a, proven := m.accuse(u); proven && (c.Sentence == "" || cycle != nil && a.ms == cycle.miss) {
			c.Clause, c.Cause = a.clause, a.cause
			c.Sentence = x.accused(u, m) + a.ending(cycle)
		}
	}
	if c.Sentence == "" {
		a, _ := all[0].accuse(u)
		c.Clause, c.Cause = a.clause, a.cause
		c.Sentence = x.says(u) + " although " + x.where(u, all) + x.staleness(cycle)
	}
	rows := x.rows(path, cycle)
	c.Steps, c.Why = x.draw(rows), cycle.tell(rows)
	return true
}

// accused is an answer and the deadline of the key that it contradicts.
func (x *explainer) accused(u *unit, m meeting) string {
	text := x.says(u)
	if m.met == lasting {
		text += ", as if the key had no deadline,"
	}
	return text + " although " + x.where(u, []meeting{m})
}

// hardest is the end of the order whose facts about the clock miss each other least: it is the
// hardest to explain away.
func (x *explainer) hardest(t *trail) (end *step, best *contradiction) {
	end = t.ends[0]
	for _, e := range t.ends[:min(len(t.ends), endsMax)] {
		if c := x.contradiction(t, e); c != nil && (best == nil || c.miss < best.miss) {
			end, best = e, c
		}
	}
	return end, best
}

const endsMax = 16 // orders that are compared

// reportsTime recognises commands whose reply is a time.
func reportsTime(u *unit) bool {
	switch lower(u.rec.Cmd[0]) {
	case "ttl", "pttl", "expiretime", "pexpiretime":
		return u.rec.Reply.Kind == model.Int && u.rec.Reply.Int >= 0
	}
	return false
}

// shown is one line: an operation of the core, or a weakened one that a fact cites.
type shown struct {
	unit     *unit
	step     int // in the order that is told; 0: there is none
	weak     bool
	deadline string
}

// rows are the core by call, as it is numbered, and behind it what else the facts cite.
func (x *explainer) rows(path []moment, cycle *contradiction) []shown {
	var core, cited []shown
	for _, u := range operations(x.view.kept) {
		r := shown{unit: u}
		for i, m := range path {
			if !m.weak && m.unit.index == u.index {
				r.step, r.deadline = i+1, x.deadlines(m)
			}
		}
		core = append(core, r)
	}
	for i, m := range path {
		if m.weak && cycle.cites(i+1) {
			cited = append(cited, shown{x.part.units[m.unit.index], i + 1, true, x.deadlines(m)})
		}
	}
	slices.SortStableFunc(cited, func(a, b shown) int { return a.unit.index - b.unit.index })
	return append(core, cited...)
}

// draw aligns rows as text.
func (x *explainer) draw(rows []shown) []string {
	var cells [][4]string
	for _, r := range rows {
		note := r.deadline
		if r.weak {
			note = strings.TrimSuffix("whenever it was, if it was; "+note, "; ")
		}
		cells = append(cells, [4]string{fmt.Sprintf("client %d", r.unit.rec.Client), x.interval(r.unit) + " ms",
			x.plain(describe(r.unit.rec)), note})
	}
	return columns(cells)
}

// deadlines says where the deadlines of a step's keys lie after it.
func (x *explainer) deadlines(m moment) string {
	e := newEngine(x.part.meta.Profile != history.Frozen, x.part.meta.Offset != nil)
	var parts []string
	keys, _ := keysOf(m.unit)
	for _, k := range keys {
		at, ok := deadlineOf(e, &m.after, k, -inf, inf)
		switch {
		case !ok:
		case len(keys) == 1:
			parts = append(parts, "deadline in "+x.span(at.low, at.high))
		default:
			parts = append(parts, fmt.Sprintf("deadline of %s in %s", x.plain(k.String()), x.span(at.low, at.high)))
		}
	}
	return strings.Join(parts[:min(len(parts), meetingsShown)], ", ")
}

// transactions are the weakened ones, a few of them: a torn transaction is seen by others, and the
// core holds only what was seen.
func (x *explainer) transactions() []shown {
	var rows []shown
	for _, u := range x.view.weak {
		if u.rec.Body != nil && len(rows) < transactionsShown {
			rows = append(rows, shown{unit: u, weak: true})
		}
	}
	return rows
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

// span places an interval of the server's ticks on the recording's clock.
func (x *explainer) span(low, high int64) string {
	off := history.Offset{High: tick}
	if x.part.meta.Offset != nil {
		off = *x.part.meta.Offset
	}
	return fmt.Sprintf("[%s, %s]", x.ms(low*tick-off.High), x.ms(high*tick-off.Low))
}
