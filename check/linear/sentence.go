package linear

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"rondo/check/history"
	"rondo/model"
)

// This file puts a core into words. Which rule is broken is found by lifting rules one by one: the
// first without which the core is legal is the one. Time comes first, since a wrong expiry makes
// orders impossible that would be fine without a clock.

// verdict writes the core, the clause and the sentence.
func (x *explainer) verdict(c *Component) {
	slices.SortStableFunc(x.view.kept, func(a, b *unit) int { return a.index - b.index })
	for _, u := range x.view.kept {
		c.Core = append(c.Core, *u.rec)
	}
	free := x.view
	free.allFree = true
	if x.ask(free) == OK {
		x.timeConflict(c)
		return
	}
	x.orderConflict(c, free)
	c.Steps = x.steps(nil)
}

// orderConflict names the rule about order without which the core is legal. Time is left out in
// every question: it is not what makes the core illegal.
func (x *explainer) orderConflict(c *Component, v view) {
	lost := slices.ContainsFunc(v.kept, (*unit).lost)
	for _, r := range []struct {
		clause, sentence string
		lift             func(v *view)
		asks             bool
	}{
		{"LIN-6", "these replies are possible only if commands pipelined on one connection take " +
			"effect in another order than they were sent", func(v *view) { v.noOrder = true }, true},
		{"LIN-8", "these replies are possible only if EXEC ignores what was watched: it answered " +
			"although a watched key had changed, or null although none had",
			func(v *view) { v.noWatch = true }, true},
		{"LIN-7", "these replies are possible only if the commands of a transaction take effect one " +
			"by one: something came between two commands of one EXEC",
			func(v *view) { v.noWatch, v.noAtomic = true, true }, true},
		{"LIN-5", "these replies are possible only if a command whose reply was lost takes effect " +
			"more than once", func(v *view) { *v = v.weakenedLost() }, lost},
		{"LIN-2", "these replies are possible only if an operation takes effect outside of the time " +
			"between its call and its return", func(v *view) { v.noRealTime = true }, true},
	} {
		lifted := v
		r.lift(&lifted)
		if r.asks && x.ask(lifted) == OK {
			c.Clause, c.Sentence = r.clause, r.sentence
			return
		}
	}
	c.Clause, c.Sentence = "LIN-3", x.noOrder(v.kept)
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
func (x *explainer) noOrder(core []*unit) string {
	if len(core) == 1 {
		return fmt.Sprintf("%s: no state that the other operations can have left gives this reply",
			describe(core[0].rec))
	}
	return fmt.Sprintf("no order of these %d operations gives these replies, "+
		"whatever the others did", len(core))
}

// timeConflict finds the operation whose view of the clock is wrong, and by how much.
func (x *explainer) timeConflict(c *Component) {
	c.Clause = "TIME-5"
	culprit, path := x.culprit()
	late, early := x.smallest(late), x.smallest(early)
	if culprit == nil {
		c.Sentence = "an order explains these replies, but no clock readings inside their windows do" +
			byHowMuch(late, early)
		c.Steps = x.steps(nil)
		return
	}
	if reportsTime(culprit) {
		c.Clause = "TIME-6"
	}
	c.Steps = x.steps(path)
	at := path[slices.IndexFunc(path, func(s moment) bool { return s.unit.rec == culprit.rec })]
	c.Sentence = x.accuse(culprit, at, late, early)
}

// moment is one step of an order that explains the core when the culprit's clock is not asked.
type moment struct {
	unit   *unit
	before []config // those from which the step leads on
	after  []config
}

// culprit is the last answered operation without whose view of time the core is legal, with the
// order that then explains everything.
func (x *explainer) culprit() (*unit, []moment) {
	core := slices.Clone(x.view.kept)
	slices.SortStableFunc(core, func(a, b *unit) int { return cmp.Compare(b.rec.Return, a.rec.Return) })
	for _, u := range core {
		if u.lost() {
			continue
		}
		v := x.view
		v.free = func(o *unit) bool { return o.rec == u.rec }
		if path := x.order(v); path != nil {
			return u, path
		}
	}
	return nil, nil
}

// order gives the steps of an order that explains a legal view; nil if it is not known to be legal.
func (x *explainer) order(v view) []moment {
	s := x.part.view(v)
	left := min(x.each, time.Until(x.deadline))
	if left <= 0 {
		return nil
	}
	result, info := porcupine.CheckOperationsVerbose(s.model(), s.operations(), left)
	if result != porcupine.Ok || s.engine.gaveUp.Load() {
		return nil
	}
	orders := info.PartialLinearizationsOperations()
	if len(orders) != 1 || len(orders[0]) != 1 {
		return nil
	}
	ctx := context.Background()
	set := s.model().Init().(*stateSet)
	var path []moment
	for _, op := range orders[0][0] {
		u := op.Input.(*unit)
		next := s.step(ctx, set, u)
		if next == nil {
			return nil
		}
		path = append(path, moment{unit: u, before: s.supporters(ctx, set, u), after: next.configs})
		set = next
	}
	return path
}

// supporters are the configurations in front of u from which it is possible.
func (s *search) supporters(ctx context.Context, set *stateSet, u *unit) []config {
	from := set.configs
	if s.before != nil {
		from = s.before(ctx, from, u)
	}
	var out []config
	for _, c := range from {
		if len(s.apply(nil, &c, u)) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// smallest is the least number of milliseconds by which the clock must be off, in one direction,
// to make the core legal; 0 if none up to a day does.
func (x *explainer) smallest(set func(v *view, ms int64)) int64 {
	const most = 1 << 27
	legal := func(ms int64) bool {
		v := x.view
		set(&v, ms)
		return x.ask(v) == OK
	}
	high := int64(1)
	for !legal(high) {
		if high *= 4; high > most {
			return 0
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
	return high
}

func late(v *view, ms int64)  { v.late = ms }
func early(v *view, ms int64) { v.early = ms }

// accuse is the sentence about one operation.
func (x *explainer) accuse(u *unit, at moment, late, early int64) string {
	who := fmt.Sprintf("%s by client %d at %s ms", u.rec.String(), u.rec.Client, x.interval(u))
	answer := "answered " + u.rec.Reply.String()
	deadline := x.deadlines(at.unit, at.before)
	switch {
	case deadline == "":
		return fmt.Sprintf("%s %s, which no clock reading inside its window gives%s",
			who, answer, byHowMuch(late, early))
	case reportsTime(u):
		return fmt.Sprintf("%s %s although the deadline lies in %s ms", who, answer, deadline)
	case late > 0 && (early == 0 || late <= early):
		return fmt.Sprintf("%s %s from a key whose deadline lies in %s ms: served at least %d ms late",
			who, answer, deadline, late)
	case early > 0:
		return fmt.Sprintf("%s %s although the deadline lies in %s ms: at least %d ms early",
			who, answer, deadline, early)
	}
	return fmt.Sprintf("%s %s although the deadline lies in %s ms", who, answer, deadline)
}

func byHowMuch(late, early int64) string {
	switch {
	case late > 0 && (early == 0 || late <= early):
		return fmt.Sprintf(": the clock would have to be at least %d ms late", late)
	case early > 0:
		return fmt.Sprintf(": the clock would have to be at least %d ms early", early)
	}
	return ""
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
			describe(u.rec), deadline})
	}
	for _, m := range path {
		deadline := x.deadlines(m.unit, m.after)
		if deadline != "" {
			deadline = "deadline in " + deadline
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

// deadlines is the interval in which the deadlines of u's keys lie, if there are any: the ticks of
// the server's clock, placed on the recording's.
func (x *explainer) deadlines(u *unit, configs []config) string {
	e := newEngine(x.part.meta.Profile != history.Frozen, x.part.meta.Offset != nil)
	low, high := int64(inf), int64(-inf)
	for _, k := range keysOf(u) {
		for i := range configs {
			if lo, hi, ok := e.deadline(&configs[i], k); ok {
				low, high = min(low, lo), max(high, hi)
			}
		}
	}
	if low > high || high == inf || low <= -inf {
		return ""
	}
	off := history.Offset{High: tick}
	if x.part.meta.Offset != nil {
		off = *x.part.meta.Offset
	}
	return fmt.Sprintf("[%s, %s]", x.ms(low*tick-off.High), x.ms(high*tick-off.Low))
}

func keysOf(u *unit) []key {
	s := &splitter{h: &history.History{}, whole: map[int]bool{}}
	var keys []key
	for _, n := range s.nodes(u.rec) {
		if n.kind == 'k' && !slices.Contains(keys, n.key) {
			keys = append(keys, n.key)
		}
	}
	return keys
}

// deadline asks the model itself when a key of the configuration expires: the term that PEXPIRETIME
// would report names the instant, and the zone has its bounds.
func (e *engine) deadline(c *config, k key) (low, high int64, ok bool) {
	u := &unit{client: asker, free: true, lo: -inf, hi: inf, conn: -1, lines: [][][]byte{
		words("SELECT", fmt.Sprint(k.db)), {[]byte("PEXPIRETIME"), []byte(k.name)}}}
	low, high = inf, -inf
	u.told = func(r model.Reply, z *zone) {
		if r.Kind != model.DiffTerm {
			return
		}
		at := int(r.A.Var)
		low = min(low, plus(r.A.Off, -z.at(e.origin, at)))
		high = max(high, plus(z.at(at, e.origin), r.A.Off))
		ok = true
	}
	e.step(nil, c, u)
	return low, high, ok
}

// asker is a connection that only looks.
const asker = model.Client(-3)
