package linear

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync/atomic"

	"rondo/check/history"
	"rondo/model"
)

// This file applies one operation to one configuration. A configuration is a model state whose
// instants are variables, and the zone of values these may have. The model runs on it unchanged: it
// meets time only as the comparison Before, and where a comparison could go either way the unit is
// executed once for each answer, from its beginning, with the zone cut accordingly. Answers that
// the zone implies do not fork, so nearly every operation is executed once.
//
// The variables of a zone, which are also the Vars of the state's instants: the constant, the
// server's last clock reading, with an unknown offset the tick at which the client's clock was 0,
// and then one for each deadline in the state (its slots).
const (
	rowZero   = 0
	rowNow    = 1
	rowOrigin = 2 // only if the offset is unknown; otherwise the first slot
)

// forksMax bounds the executions of one unit: k undecided comparisons can mean 2^k.
const forksMax = 4096

// unit is what takes effect at one moment: a command, or MULTI with its body and EXEC (LIN-7).
type unit struct {
	rec    *history.Op
	index  int // in the component, by call
	client model.Client
	lines  [][][]byte
	reply  *model.Reply // of the last line; nil: unknown, every reply will do (LIN-5)
	// LIN-4: the readings lie in [lo, hi]; hi is inf if the operation never returned.
	lo, hi int64
	// conn and pos say which operation of which pipelining connection this is (LIN-6); conn is -1
	// where no two operations of the connection overlap, since real time then orders them anyway.
	conn, pos int
	final     bool // the connection's last operation
	half      half // of an operation that may wait
	mute      bool // it was answered, and any reply will do
	free      bool // time is left out: comparisons go either way, reported times match anything
	// told, where set, hears the last line's reply of every execution (met.go, why.go).
	told func(r model.Reply, z *zone)
}

func (u *unit) lost() bool { return u.reply == nil }

// config is a configuration in canonical form: two of them stand for the same set of (state, now,
// deadlines) exactly if key and zone are equal.
type config struct {
	state model.State
	zone  zone
	dead  uint64  // by connection: a lost operation did not happen, so no later one did (LIN-6)
	used  string  // explain.go: how often each weakened class has happened; else ""
	waits []*unit // those that wait and were answered later; shared
	key   string  // state without instants, dead, used and waits
	hash  uint64  // of key
	has   []int32 // the texts (texts.go) that stand in it
}

// engine holds what is the same for all steps of one component.
type engine struct {
	live   bool // further readings may differ from the first: profile live, or unknown
	origin int  // the variable from which windows count: rowZero, or rowOrigin
	faults faults
	texts  *texts // nil: of no interest
	// gaveUp is set when a bound was reached. It is atomic because porcupine, timed out, leaves its
	// search running for a moment.
	gaveUp atomic.Bool
	made   int64 // configurations so far, which are memory
	runs   int64 // executions so far, which are time
	// How many of each there may be. Unlike a time limit they make the outcome repeatable.
	madeMax, runsMax int64
	env              env    // reused from step to step
	buf              []byte // and so is this
}

// faults are deliberate mistakes of the engine, all off but in the test that shows that the
// agreement test would find each of them.
type faults struct {
	noElapse, nowStays, hiIgnored, loIgnored, liveFrozen, includesReversed, orderIgnored,
	deadIgnored, lostHappens, lostNever, termsMatch, beforeLoose, offsetsDropped,
	entailedWrong, rejectIgnored, fireEarly, fireAnyTime, servedUnseen, servedLate bool
}

func newEngine(live, offsetKnown bool) *engine {
	e := &engine{live: live, madeMax: configsMax, runsMax: inf}
	if !offsetKnown {
		e.origin = rowOrigin
	}
	return e
}

// first is the row of slot 0.
func (e *engine) first() int {
	if e.origin == rowZero {
		return rowNow + 1
	}
	return rowOrigin + 1
}

// initial is the configuration before everything: a clock that may show any time from 0 on.
func (e *engine) initial(s model.State) config {
	z := newZone(e.first())
	z.limit(rowZero, rowNow, 0)
	return e.withKey(config{state: s, zone: z})
}

func (e *engine) withKey(c config) config {
	buf := binary.LittleEndian.AppendUint64(e.buf[:0], c.dead)
	buf = append(binary.LittleEndian.AppendUint16(buf, uint16(len(c.used))), c.used...)
	buf = binary.AppendUvarint(buf, uint64(len(c.waits)))
	for _, u := range c.waits {
		buf = binary.AppendUvarint(buf, uint64(u.index))
	}
	e.buf = c.state.Shape(buf)
	c.key = string(e.buf)
	c.hash = hashText(c.key)
	return c
}

// step appends to out the configurations that u can lead to from c. There may be none (the reply
// contradicts the state, or no instant fits), or several (the same reply from different causes).
func (e *engine) step(out []config, c *config, u *unit) []config {
	return e.stepWithin(out, c, u, u.lo, u.hi)
}

// stepWithin is step with all readings of the clock in [lo, hi].
func (e *engine) stepWithin(out []config, c *config, u *unit, lo, hi int64) []config {
	if u.half == collects {
		switch {
		case !c.state.Waiting(u.client):
			return append(out, *c) // it has been answered
		case !u.lost() && !u.mute && !u.reply.IsNull():
			return out // and will be by somebody else
		}
	}
	v := &e.env
	v.engine, v.unit, v.script = e, u, v.script[:0]
	v.lo, v.hi, v.free = lo, hi, u.free
	if e.faults.loIgnored {
		v.lo = -inf
	}
	if e.faults.hiIgnored {
		v.hi = inf
	}
	for runs := 0; ; runs++ {
		e.runs++
		if runs == forksMax || e.made > e.madeMax || e.runs > e.runsMax {
			e.gaveUp.Store(true)
			return out
		}
		if !v.begin(c) {
			return out
		}
		if next, ok := v.run(c.state); ok {
			out = append(out, e.canon(v, next, c))
			e.made++
		}
		if !v.nextScript() {
			return out
		}
	}
}

// canon brings the outcome of a run into canonical form. Deadlines that have surely passed are
// swept out of the state, those that remain become the slots, in the state's own order, and the
// rows of all else are dropped. Then time elapses: the next unit may read any later instant.
func (e *engine) canon(v *env, s model.State, from *config) config {
	s = model.Sweep(s, func(t model.Instant) bool {
		return !v.free && plus(v.zone.at(int(t.Var), v.last), t.Off) < 0
	})
	v.slots = s.Instants(v.slots[:0])
	now := v.last
	if e.faults.nowStays {
		now = rowNow
	}
	v.rows = append(v.rows[:0], row{of: rowZero}, row{of: now})
	if e.origin == rowOrigin {
		v.rows = append(v.rows, row{of: rowOrigin})
	}
	for _, t := range v.slots {
		r := row{int(t.Var), t.Off}
		if e.faults.offsetsDropped {
			r.off = 0
		}
		v.rows = append(v.rows, r)
	}
	z := v.zone.project(v.rows)
	if !e.faults.noElapse {
		z.elapse(rowNow)
	}
	first := e.first()
	s = s.WithInstants(func(slot int) model.Instant {
		return model.Instant{Var: uint16(first + slot)}
	})
	return e.withKey(config{
		state: s, zone: z, dead: from.dead, used: from.used, waits: v.waits,
		has: e.texts.in(s),
	})
}

// env is the symbolic clock: model.Env over a zone. One value serves one execution of a unit.
type env struct {
	engine *engine
	unit   *unit
	lo, hi int64 // where its readings lie
	free   bool  // see unit
	zone   zone
	last   int     // the row of the latest reading
	waits  []*unit // see config
	// script holds the decisions of this execution: those given by the odometer, then those taken
	// beyond it, each time the first alternative.
	script   []decision
	at       int
	rejected bool
	slots    []model.Instant // scratch
	rows     []row
	labels   []int
}

type decision struct{ taken, of int }

// begin prepares an execution; false means that the unit's window lies wholly before the last
// reading, so that the unit cannot come now.
func (v *env) begin(c *config) bool {
	v.zone.assign(&c.zone)
	v.at, v.last, v.rejected, v.waits = 0, rowNow, false, c.waits
	origin := v.engine.origin
	if v.lo == -inf {
		return v.zone.limit(rowNow, origin, v.hi)
	}
	return v.zone.limit(origin, rowNow, -v.lo) && v.zone.limit(rowNow, origin, v.hi)
}

// run executes the unit's lines under this one clock and tests the replies: the unit's own, and
// those to others that have been waiting for it.
func (v *env) run(s model.State) (model.State, bool) {
	if v.unit.half == collects {
		return v.fire(s)
	}
	var outs []model.Out
	for _, line := range v.unit.lines {
		if s, outs = model.Step(v, s, v.unit.client, line); v.wasRejected() {
			return s, false
		}
	}
	own := false
	for i := range outs {
		test := v.served
		if outs[i].To == v.unit.client {
			own, test = true, v.answered
		}
		if !test(&outs[i]) {
			return s, false
		}
	}
	return s, own || v.waiting(s)
}

// answered tests the unit's own reply.
func (v *env) answered(o *model.Out) bool {
	if v.unit.told != nil {
		v.unit.told(o.Msg, &v.zone)
	}
	return v.unit.lost() || v.unit.mute || model.Match(o.Msg, *v.unit.reply, v.between)
}

// nextScript turns the odometer of decisions; false when every combination has been executed.
func (v *env) nextScript() bool {
	for n := len(v.script); n > 0; n-- {
		d := &v.script[n-1]
		if d.taken+1 < d.of {
			d.taken++
			v.script = v.script[:n]
			return true
		}
	}
	return false
}

// decide answers the next open question: by the script, and beyond it with 0.
func (v *env) decide(n int) int {
	if v.at == len(v.script) {
		v.script = append(v.script, decision{0, n})
	}
	v.at++
	return v.script[v.at-1].taken
}

// Now is the unit's expiry reading.
func (v *env) Now() model.Instant { return model.Instant{Var: rowNow} }

// Read is the same reading in profile frozen. In profile live it is a new variable between the
// last reading and the end of the window: 7.0.15 reads its clock anew for every relative deadline
// and every TTL, also inside EXEC.
func (v *env) Read() model.Instant {
	if !v.engine.live || v.engine.faults.liveFrozen {
		return v.Now()
	}
	r := v.zone.grow()
	v.zone.limit(v.last, r, 0)
	v.zone.limit(r, v.engine.origin, v.hi)
	v.last = r
	return model.Instant{Var: uint16(r)}
}

// Before is the one branch on time. Instants of one variable compare by their offsets alone; then
// the zone may imply the answer; else both answers are possible, since the zone is closed, and the
// one taken cuts it.
func (v *env) Before(a, b model.Instant) bool {
	if v.free {
		return v.decide(2) == 0
	}
	if a.Var == b.Var {
		return a.Off < b.Off
	}
	i, j := int(a.Var), int(b.Var)
	less := plus(plus(b.Off, -a.Off), -1) // a < b: x[i]-x[j] <= less
	if v.engine.faults.beforeLoose {
		less++
	}
	notLess := plus(a.Off, -b.Off) // b <= a: x[j]-x[i] <= notLess
	switch {
	case v.zone.at(i, j) <= less:
		return true
	case v.zone.at(j, i) <= notLess:
		return v.engine.faults.entailedWrong
	case v.decide(2) == 0:
		v.zone.limit(i, j, less)
		return true
	}
	v.zone.limit(j, i, notLess)
	return false
}

// Choose tries each alternative that the observed reply allows: one whose label the reply does not
// contain cannot have been taken. With an unknown reply all are tried.
func (v *env) Choose(n int, label func(i int) string) int {
	v.labels = v.labels[:0]
	for i := range n {
		if v.allowed(i, label) {
			v.labels = append(v.labels, i)
		}
	}
	if len(v.labels) == 0 {
		v.rejected = true
		return 0
	}
	return v.labels[v.decide(len(v.labels))]
}

func (v *env) allowed(i int, label func(i int) string) bool {
	if label == nil || v.unit.lost() {
		return true
	}
	want := label(i)
	return want == "" || contains(*v.unit.reply, want)
}

// contains reports that r is or holds the string s.
func contains(r model.Reply, s string) bool {
	if r.Kind != model.Array && r.Str == s {
		return true
	}
	return slices.ContainsFunc(r.Elems, func(e model.Reply) bool { return contains(e, s) })
}

// Reject marks this execution as one that does not happen.
func (v *env) Reject() { v.rejected = true }

func (v *env) wasRejected() bool { return v.rejected && !v.engine.faults.rejectIgnored }

// between is how a reply that reports a time constrains the zone: lo <= a-b <= hi.
func (v *env) between(a, b model.Instant, lo, hi int64) bool {
	if v.free || v.engine.faults.termsMatch {
		return hi >= 0 || v.engine.faults.termsMatch // no time that is reported is negative
	}
	i, j, off := int(a.Var), int(b.Var), plus(a.Off, -b.Off)
	if hi != inf && !v.zone.limit(i, j, plus(hi, -off)) {
		return false
	}
	return lo <= -inf || v.zone.limit(j, i, plus(off, -lo))
}

// compare orders configurations, so that a set of them has one form.
func (c *config) compare(d *config) int {
	if r := strings.Compare(c.key, d.key); r != 0 {
		return r
	}
	return slices.Compare(c.zone.d, d.zone.d)
}
