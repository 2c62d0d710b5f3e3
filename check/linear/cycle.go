package linear

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rondo/model"
)

// This file shows why the clock contradicts an order. Every rule about time bounds a difference of
// two instants, x - y <= c: a reading is not before the tick of the call and not after that of the
// return, readings do not decrease along the order, a key that was found alive has a deadline that
// is not below the reading, a TTL that was reported is the difference of two. Such bounds have no
// solution exactly if some of them form a cycle whose sum is below zero. That cycle is the
// explanation: its facts in order, each of them something that somebody saw, and the sum is by how
// many milliseconds they miss each other.
//
// The order is run once more, with a variable for each reading and all bounds noted down. Where a
// comparison could go either way both are tried, if the replies fit; of several contradictions the
// one that misses least is shown, since it is the hardest to explain away.

// bound says x[a] - x[b] <= most, and why; "" if only because a takes effect before b.
type bound struct {
	a, b int
	most int64
	why  string
	step int // of whom that is known
}

// variable is an instant: the reading of a step, or what text says.
type variable struct {
	step int // in the order; 0: of none
	text string
}

// ledger is a clock that notes every bound down. Variable 0 is the constant, 1 the tick at which the
// client's clock was 0, where that is not known.
type ledger struct {
	x      *explainer
	live   bool
	base   int64 // tick that is shown as 0
	names  []variable
	bounds []bound

	state    model.State // in which a line of the unit is executed
	step     int
	unit     *unit
	who      string
	now      int
	last     int
	first    int // where the unit's bounds begin
	script   []decision
	at       int
	rejected bool
	lenient  bool // show also what is absurd

	runs int
	best *contradiction // that misses least
}

// contradiction is a cycle with a sum below zero.
type contradiction struct {
	ledger *ledger
	bounds []bound
	miss   int64
	names  []variable
}

const (
	ledgerRunsMax = 500
	ledgerOrigin  = 1
)

// contradiction is why no readings of the clock fit the order that ends with end; nil if that is not
// found.
func (x *explainer) contradiction(t *trail, end *step) *contradiction {
	l := &ledger{x: x, live: t.engine.live, names: []variable{{}, {text: "the offset"}},
		base: x.firstTick()}
	state := model.Initial(model.Options{Databases: x.part.databases()})
	if t.edge == nil {
		state = x.part.startState(state)
	}
	for _, l.lenient = range []bool{false, true} {
		if l.follow(t, end.path(), 1, state); l.best != nil {
			return l.best
		}
	}
	return nil
}

// firstTick is the server's tick at the component's first call.
func (x *explainer) firstTick() int64 {
	call := x.part.units[0].rec.Call
	if x.part.meta.Offset != nil {
		call = plus(call, x.part.meta.Offset.Low)
	}
	return floor(call)
}

// startState adds the keys that the recording began with.
func (p *part) startState(s model.State) model.State {
	for _, k := range p.meta.Start {
		line := [][]byte{[]byte("SET"), k.Key, k.Value}
		if k.Deadline != nil {
			line = append(line, []byte("PXAT"), strconv.AppendInt(nil, *k.Deadline, 10))
		}
		s = put(s, k.DB, line)
	}
	return s
}

// put executes a command of nobody's, long before everything.
func put(s model.State, db int, line [][]byte) model.State {
	env := &model.Concrete{Ms: 0}
	s, _ = model.Step(env, s, asker, words("SELECT", strconv.Itoa(db)))
	s, _ = model.Step(env, s, asker, line)
	return model.Close(s, asker)
}

// follow runs the order from its step i, in every way that the replies allow.
func (l *ledger) follow(t *trail, path []*step, i int, s model.State) {
	if i == len(path) {
		l.judge()
		return
	}
	n := len(l.names)
	for _, from := range l.opened(t, path[i], s) {
		l.try(t, path, i, from)
	}
	l.names = l.names[:n]
}

// opened gives the states in which the keys that the step is the first to touch hold something.
func (l *ledger) opened(t *trail, at *step, s model.State) []model.State {
	out := []model.State{s}
	if t.edge == nil {
		return out
	}
	for i, k := range l.x.part.keys {
		slot := t.counted + i
		if at.from.used[slot] == 0 || at.used[slot] == 1 {
			continue
		}
		var next []model.State
		for _, from := range out {
			if next = append(next, from); len(next) > openMax {
				return next
			}
			for _, v := range t.edge.values {
				set := words("SET", k.name, v)
				next = append(next, put(from, k.db, set), l.mortal(put(from, k.db,
					append(set, []byte("PXAT"), strconv.AppendInt(nil, farTick, 10))), k))
			}
		}
		out = next
	}
	return out
}

// mortal gives a deadline that nothing is known of a variable.
func (l *ledger) mortal(s model.State, k key) model.State {
	at := l.variable(0, "the deadline of "+l.x.plain(k.String()))
	instants := s.Instants(nil)
	return s.WithInstants(func(slot int) model.Instant {
		if instants[slot] == (model.Instant{Off: farTick}) {
			return model.Instant{Var: uint16(at)}
		}
		return instants[slot]
	})
}

func (l *ledger) variable(step int, text string) int {
	l.names = append(l.names, variable{step, text})
	return len(l.names) - 1
}

// try runs step i from one state, once for each script.
func (l *ledger) try(t *trail, path []*step, i int, s model.State) {
	var script []decision
	for more := true; more; {
		if l.runs++; l.runs > ledgerRunsMax {
			return
		}
		saved := *l
		l.begin(path[i], i)
		l.script, l.at = script, 0
		next, ok := l.run(s)
		script = l.script
		if ok && (l.lenient || !l.absurd()) {
			l.follow(t, path, i+1, next)
		}
		runs, best := l.runs, l.best
		*l = saved
		l.names, l.bounds = l.names[:len(l.names):len(l.names)], l.bounds[:len(l.bounds):len(l.bounds)]
		l.runs, l.best = runs, best
		script, more = turn(script)
	}
}

// absurd: what the unit itself saw cannot be, whenever it was. A deadline that is at once before and
// after the reading explains nothing.
func (l *ledger) absurd() bool {
	own := slices.Clone(l.bounds[l.first:])
	for _, v := range variables(own) {
		own = append(own, bound{a: 0, b: v}) // no instant is before 1970
	}
	return !feasible(own)
}

// turn goes to the next combination of decisions.
func turn(script []decision) ([]decision, bool) {
	for n := len(script); n > 0; n-- {
		if d := &script[n-1]; d.taken+1 < d.of {
			d.taken++
			return script[:n], true
		}
	}
	return nil, false
}

// begin notes what is known of the reading of a step.
func (l *ledger) begin(s *step, i int) {
	u := l.x.part.units[s.unit.index]
	l.unit, l.step, l.rejected = s.unit, i, false
	l.who = l.x.plain(command(u.rec))
	before := l.last
	l.now = l.variable(i, "")
	l.last = l.now
	if i > 1 {
		l.note(before, l.now, 0, "")
	}
	l.note(l.origin(), l.now, -u.lo, fmt.Sprintf("%s was called at %s ms", l.who, l.x.ms(u.rec.Call)))
	if s.weak == nil && !u.lost() {
		l.note(l.now, l.origin(), u.hi, fmt.Sprintf("%s had returned at %s ms", l.who, l.x.ms(u.rec.Return)))
	}
	l.first = len(l.bounds)
}

func (l *ledger) origin() int {
	if l.x.part.meta.Offset == nil {
		return ledgerOrigin
	}
	return 0
}

func (l *ledger) note(a, b int, most int64, why string) {
	if most != inf {
		l.bounds = append(l.bounds, bound{a, b, most, why, l.step})
	}
}

// run executes the unit; its reply has to fit but for time.
func (l *ledger) run(s model.State) (model.State, bool) {
	var outs []model.Out
	for _, line := range l.unit.lines {
		l.state = s
		if s, outs = model.Step(l, s, l.unit.client, line); l.rejected {
			return s, false
		}
	}
	if l.unit.lost() {
		return s, true
	}
	for _, o := range outs {
		if o.To == l.unit.client {
			return s, model.Match(o.Msg, *l.unit.reply, l.between)
		}
	}
	return s, false
}

func (l *ledger) Now() model.Instant { return model.Instant{Var: uint16(l.now)} }

func (l *ledger) Read() model.Instant {
	if !l.live {
		return l.Now()
	}
	r := l.variable(l.step, l.names[l.now].text+"'")
	l.note(l.last, r, 0, "a later reading of "+l.who)
	l.note(r, l.origin(), l.x.part.units[l.unit.index].hi, l.who+" had returned")
	l.last = r
	return model.Instant{Var: uint16(r)}
}

func (l *ledger) decide(n int) int {
	if l.at == len(l.script) {
		l.script = append(l.script, decision{0, n})
	}
	l.at++
	return l.script[l.at-1].taken
}

func (l *ledger) Before(a, b model.Instant) bool {
	if a.Var == b.Var {
		return a.Off < b.Off
	}
	i, j, off := int(a.Var), int(b.Var), plus(b.Off, -a.Off)
	why := l.who + l.answered()
	if answer, known := l.implied(i, j, off); known {
		return answer
	}
	if l.decide(2) == 0 {
		l.note(i, j, plus(off, -1), why+l.when(a, b, "had expired"))
		return true
	}
	l.note(j, i, -off, why+l.when(a, b, "had not expired"))
	return false
}

// when puts into words what a comparison means if it is that of a key's deadline with a reading.
func (l *ledger) when(a, b model.Instant, expired string) string {
	slot := slices.Index(l.state.Instants(nil), a)
	if b != l.Now() || slot < 0 {
		return ""
	}
	marked := l.state.WithInstants(func(s int) model.Instant { return model.Instant{Var: uint16(s + 1)} })
	for _, line := range strings.Split(marked.Describe(), "\n") {
		for _, k := range l.x.part.keys {
			name := model.Str(k.name).String()
			if k.db != 0 {
				name = fmt.Sprintf("%d:%s", k.db, name)
			}
			if strings.HasPrefix(line, name+" = ") && strings.HasSuffix(line, fmt.Sprintf(", deadline t%d", slot+1)) {
				return ", when " + l.x.plain(k.String()) + " " + expired
			}
		}
	}
	return ""
}

// implied: this unit has asked before, which decides whether x[i] - x[j] < off.
func (l *ledger) implied(i, j int, off int64) (answer, known bool) {
	for _, b := range l.bounds[l.first:] {
		switch {
		case b.a == i && b.b == j && b.most <= plus(off, -1):
			return true, true
		case b.a == j && b.b == i && b.most <= -off:
			return false, true
		}
	}
	return false, false
}

func (l *ledger) answered() string {
	if l.unit.lost() {
		return " took effect"
	}
	return " answered " + l.unit.reply.String()
}

func (l *ledger) Choose(n int, _ func(int) string) int { return l.decide(n) }
func (l *ledger) Reject()                              { l.rejected = true }

func (l *ledger) between(a, b model.Instant, lo, hi int64) bool {
	i, j, off := int(a.Var), int(b.Var), plus(a.Off, -b.Off)
	if hi != inf {
		l.note(i, j, plus(hi, -off), l.who+l.answered())
	}
	if lo > -inf {
		l.note(j, i, plus(off, -lo), l.who+l.answered())
	}
	return true
}

// judge looks for the shortest cycle below zero among the bounds, and keeps it if it misses less
// than the one of another way.
func (l *ledger) judge() {
	if feasible(l.bounds) {
		return
	}
	cycle, sum := negative(l.bounds)
	if cycle != nil && (l.best == nil || sum > -l.best.miss) {
		l.best = &contradiction{l, cycle, -sum, slices.Clone(l.names)}
	}
}

// variables lists those that occur in bounds.
func variables(bounds []bound) []int {
	var out []int
	for _, b := range bounds {
		out = append(out, b.a, b.b)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// feasible: the bounds have a solution. Each round lowers what a bound says is too high; with a
// solution that ends after as many rounds as there are variables.
func feasible(bounds []bound) bool {
	x := map[int]int64{}
	for range len(variables(bounds)) + 1 {
		changed := false
		for _, b := range bounds {
			if high := plus(x[b.b], b.most); x[b.a] > high {
				x[b.a], changed = high, true
			}
		}
		if !changed {
			return true
		}
	}
	return false
}

// negative finds a cycle with a sum below zero and as few bounds as possible. The variables are a
// dozen, so every start is tried.
func negative(bounds []bound) ([]bound, int64) {
	vars := variables(bounds)
	for length := 2; length <= len(vars); length++ {
		for _, start := range vars {
			if cycle, sum := walk(bounds, start, length); sum < 0 {
				return cycle, sum
			}
		}
	}
	return nil, 0
}

// walk is the least sum of exactly so many bounds from a variable back to it.
func walk(bounds []bound, start, length int) ([]bound, int64) {
	best := []map[int]int64{{start: 0}}
	by := []map[int]int{nil}
	for k := 1; k <= length; k++ {
		sums, last := map[int]int64{}, map[int]int{}
		for at, b := range bounds {
			before, reached := best[k-1][b.b]
			if !reached {
				continue
			}
			sum := plus(before, b.most)
			if old, ok := sums[b.a]; !ok || sum < old {
				sums[b.a], last[b.a] = sum, at
			}
		}
		best, by = append(best, sums), append(by, last)
	}
	sum, reached := best[length][start]
	if !reached || sum >= 0 {
		return nil, 0
	}
	cycle := make([]bound, length)
	for k, v := length, start; k > 0; k-- {
		cycle[k-1] = bounds[by[k][v]]
		v = cycle[k-1].b
	}
	return cycle, sum
}

// tell writes the cycle as a chain of facts that begins, if it can, with a time that is known. The
// readings have the numbers of the rows.
func (c *contradiction) tell(rows []shown) []string {
	if c == nil {
		return nil
	}
	name := func(v int) string {
		at := c.names[v]
		if n := slices.IndexFunc(rows, func(r shown) bool { return r.step == at.step }); at.step > 0 && n >= 0 {
			return fmt.Sprintf("t%d%s", n+1, at.text)
		}
		return at.text
	}
	out := []string{"t1, t2, ... are the readings of the server's clock for rows 1, 2, ..., " +
		"in whole ms since that of the first call:"}
	var lines [][4]string
	for _, b := range c.bounds {
		why := b.why
		if why == "" {
			why = name(b.a) + " takes effect before " + name(b.b)
		}
		lines = append(lines, [4]string{"  " + c.inequality(b, name), "since " + why})
	}
	out = append(out, columns(lines)...)
	return append(out, fmt.Sprintf("together these miss each other by %d ms", c.miss))
}

// cites reports that a fact is about a step.
func (c *contradiction) cites(step int) bool {
	return c != nil && slices.ContainsFunc(c.bounds, func(b bound) bool {
		return b.step == step || c.names[b.a].step == step || c.names[b.b].step == step
	})
}

// inequality writes x[a] - x[b] <= most.
func (c *contradiction) inequality(b bound, name func(int) string) string {
	l := c.ledger
	switch {
	case b.b == l.origin():
		return fmt.Sprintf("%s <= %d", name(b.a), b.most-l.base)
	case b.a == l.origin():
		return fmt.Sprintf("%s >= %d", name(b.b), -b.most-l.base)
	case b.most == 0:
		return fmt.Sprintf("%s <= %s", name(b.a), name(b.b))
	}
	sum := strings.NewReplacer(" +", " + ", " -", " - ").Replace(fmt.Sprintf(" %+d", b.most))
	return name(b.a) + " <= " + name(b.b) + sum
}
