package linear

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
	"rondo/spec/commands"
)

// This file is the definition of timed linearizability (LIN-1 to LIN-9), run literally on tiny
// histories: every order of effects that extends real time and the order on each connection, every
// clock reading in every window, every choice of the server, every subset of the operations whose
// reply was lost; and of operations that wait every start, every completion, and every end of their
// connection. It shares the model with the engine and nothing else: it computes its own windows and
// its own idea of which operations belong together.

// brute decides one history.
type brute struct {
	ops      []bruteOp
	live     bool
	anytime  bool            // expiry may happen at any time, and reported times match anything
	memo     map[string]bool // failed situations; nil: without, to test the memo itself
	nodes    int
	nodesMax int
}

type bruteOp struct {
	op     *history.Op
	lo, hi int64
	group  int    // its object: readings do not decrease along the order of one object (LIN-4)
	after  uint32 // operations that must have taken effect before: a bit set
	lines  [][][]byte
}

// progress is which operations have taken effect, which have started and wait, and which cannot come
// any more since their connection has ended: bit sets.
type progress struct{ done, waits, ended uint32 }

// bruteForce reports whether h is legal; decided is false if that takes more than nodesMax steps.
func bruteForce(h *history.History, anytime, memo bool) (legal, decided bool) {
	b := &brute{live: h.Meta.Profile != history.Frozen, anytime: anytime, nodesMax: 200_000}
	if memo {
		b.memo = map[string]bool{}
	}
	if h.Meta.Offset == nil && !anytime {
		return b.someOffset(h)
	}
	return b.decide(h)
}

func (b *brute) decide(h *history.History) (legal, decided bool) {
	b.ops, b.nodes = nil, 0
	clear(b.memo)
	b.prepare(h)
	last := make([]int64, len(b.ops))
	legal = b.visit(startState(h), progress{}, last)
	return legal, legal || b.nodes < b.nodesMax
}

// someOffset is the rule for an offset that is not known: a whole number of ticks, the same for all
// operations of one object, and windows one tick longer for the part of a tick that is not known
// either (LIN-4). Absolute times of the generator lie within about 20 ms of 1 s, or near what TIME
// answered, so that all offsets beyond the ranges tried here are alike.
func (b *brute) someOffset(h *history.History) (legal, decided bool) {
	b.prepare(offsetOf(h, 1000))
	groups := map[int]*history.History{}
	for i, o := range b.ops {
		if groups[o.group] == nil {
			groups[o.group] = &history.History{Meta: h.Meta}
		}
		groups[o.group].Ops = append(groups[o.group].Ops, h.Ops[i])
	}
	for _, part := range groups {
		if legal, decided := b.offsets(part); !legal || !decided {
			return legal, decided
		}
	}
	return true, true
}

// offsets tries what can matter for one object.
func (b *brute) offsets(part *history.History) (legal, decided bool) {
	around := []int64{1000}
	for i := range part.Ops {
		if r := part.Ops[i].Reply; r != nil {
			around = reportedTimes(around, *r)
		}
	}
	slices.Sort(around)
	for _, at := range slices.Compact(around) {
		for d := range int64(41) {
			for _, ms := range []int64{at + d, max(0, at-d)} {
				if legal, decided := b.decide(offsetOf(part, ms)); legal || !decided {
					return legal, decided
				}
			}
		}
	}
	return false, true
}

// reportedTimes appends what r says that TIME was, in ms.
func reportedTimes(to []int64, r model.Reply) []int64 {
	if r.Kind == model.Array && len(r.Elems) == 2 {
		sec, err := strconv.ParseInt(r.Elems[0].Str, 10, 64)
		if us, err2 := strconv.ParseInt(r.Elems[1].Str, 10, 64); err == nil && err2 == nil {
			to = append(to, sec*1000+us/1000)
		}
	}
	for _, e := range r.Elems {
		to = reportedTimes(to, e)
	}
	return to
}

// offsetOf is h with an offset of ms, and up to a tick more.
func offsetOf(h *history.History, ms int64) *history.History {
	known := *h
	known.Meta.Offset = &history.Offset{Low: ms * 1e6, High: ms*1e6 + 1e6}
	return &known
}

// startState is what the recording says was there before it.
func startState(h *history.History) model.State {
	s := model.Initial(model.Options{})
	for _, k := range h.Meta.Start {
		line := [][]byte{[]byte("SET"), k.Key, k.Value}
		if k.Deadline != nil {
			line = append(line, []byte("PXAT"), fmt.Append(nil, *k.Deadline))
		}
		s, _ = model.Step(&model.Concrete{}, s, 0, line)
	}
	return s
}

func (b *brute) prepare(h *history.History) {
	anywhere := h.Meta.Offset
	if anywhere == nil { // without time the windows do not matter
		anywhere = &history.Offset{}
	}
	horizon := int64(0)
	for i := range h.Ops {
		op := &h.Ops[i]
		o := bruteOp{op: op, hi: -1}
		o.lo = (op.Call + anywhere.Low - h.Meta.Slack) / 1e6
		if op.Reply != nil {
			o.hi = (op.Return + anywhere.High) / 1e6
			horizon = max(horizon, o.hi)
		}
		for j := range h.Ops {
			p := &h.Ops[j]
			if p.Return < op.Call || p.Client == op.Client && isSentBefore(p, op) {
				o.after |= 1 << j
			}
		}
		switch strings.ToLower(string(op.Cmd[0])) {
		case "exec":
			o.lines = append([][][]byte{{[]byte("MULTI")}}, op.Body...)
		case "discard":
			o.lines = [][][]byte{{[]byte("MULTI")}}
		}
		o.lines = append(o.lines, op.Cmd)
		b.ops = append(b.ops, o)
	}
	for i := range b.ops {
		// After the last answered operation nobody sees what a lost one does.
		if b.ops[i].hi < 0 {
			b.ops[i].hi = horizon
		}
	}
	b.group()
}

// group numbers the objects: operations are of one object if they share a key, follow each other
// overlapping on a connection, or are tied by WATCH, through any number of others.
func (b *brute) group() {
	for i := range b.ops {
		b.ops[i].group = i
	}
	for changed := true; changed; {
		changed = false
		for i := range b.ops {
			for j := range b.ops {
				x, y := &b.ops[i], &b.ops[j]
				if x.group != y.group && b.tied(x, y) {
					changed = true
					x.group = min(x.group, y.group)
					y.group = x.group
				}
			}
		}
	}
}

func (b *brute) tied(x, y *bruteOp) bool {
	kx, ky := bruteKeys(x.op), bruteKeys(y.op)
	whole := func(k []string) bool { return slices.Contains(k, "*") }
	if whole(kx) && len(ky) > 0 || whole(ky) && len(kx) > 0 {
		return true
	}
	for _, k := range kx {
		if slices.Contains(ky, k) {
			return true
		}
	}
	overlap := x.op.Call <= y.op.Return && y.op.Call <= x.op.Return
	if overlap && (unblocks(x.op, y.op) || unblocks(y.op, x.op)) {
		return true
	}
	if x.op.Client != y.op.Client {
		return false
	}
	if len(kx) == 0 && len(ky) == 0 {
		return true // the clock of one connection does not go back (TIME-18)
	}
	return b.watching(x, y) || b.watching(y, x) || overlap && len(kx) > 0 && len(ky) > 0
}

// unblocks: x may end the waiting of y (BLOCK-7).
func unblocks(x, y *history.Op) bool {
	for _, line := range append([][][]byte{x.Cmd}, x.Body...) {
		if len(line) > 2 && strings.EqualFold(string(line[0])+string(line[1]), "clientunblock") &&
			string(line[2]) == strconv.Itoa(y.Client) && strings.HasPrefix(strings.ToLower(string(y.Cmd[0])), "b") {
			return true
		}
	}
	return false
}

// watching: what x watches is watched still when y watches more, asks for it or ends it.
func (b *brute) watching(x, y *bruteOp) bool {
	word := func(o *bruteOp) string { return strings.ToLower(string(o.op.Cmd[0])) }
	ends := func(o *bruteOp) bool {
		return word(o) == "exec" || word(o) == "discard" || word(o) == "unwatch"
	}
	if word(x) != "watch" || word(y) != "watch" && !ends(y) || !isSentBefore(x.op, y.op) {
		return false
	}
	for i := range b.ops {
		z := &b.ops[i]
		if z.op.Client == x.op.Client && ends(z) && isSentBefore(x.op, z.op) && isSentBefore(z.op, y.op) {
			return false
		}
	}
	return true
}

// isSentBefore is the order of a connection.
func isSentBefore(x, y *history.Op) bool {
	return x.Call < y.Call || x.Call == y.Call && x.N < y.N
}

func bruteKeys(op *history.Op) []string {
	var keys []string
	for _, line := range append([][][]byte{op.Cmd}, op.Body...) {
		for _, i := range commands.Keys(line) {
			keys = append(keys, string(line[i]))
		}
		switch strings.ToLower(string(line[0])) {
		case "randomkey", "dbsize", "keys", "flushall", "flushdb":
			keys = append(keys, "*")
		}
	}
	return keys
}

// visit reports whether the operations that have not taken effect yet (those not in done) can do so
// from here in some order; last is the latest reading of each object.
func (b *brute) visit(s model.State, p progress, last []int64) bool {
	complete := true
	for i := range b.ops {
		complete = complete && (p.done>>i&1 == 1 || b.ops[i].op.Reply == nil)
	}
	if complete {
		return true
	}
	if b.nodes++; b.nodes >= b.nodesMax {
		return false
	}
	key := ""
	if b.memo != nil {
		key = situation(s, p, last)
		if b.memo[key] {
			return false
		}
	}
	for i := range b.ops {
		switch {
		case (p.done|p.ended)>>i&1 == 1 || b.ops[i].after&^p.done != 0:
		case p.waits>>i&1 == 1:
			if b.timeout(s, i, p, last) || b.ends(s, i, p, last) {
				return true
			}
		case b.take(s, i, p, last):
			return true
		}
	}
	if b.memo != nil && b.nodes < b.nodesMax {
		b.memo[key] = true
	}
	return false
}

// take lets operation i take effect now, at every possible reading of the clock.
func (b *brute) take(s model.State, i int, p progress, last []int64) bool {
	o := &b.ops[i]
	from, to := max(o.lo, last[o.group]), o.hi
	if b.anytime {
		from, to = 0, 0
	}
	for t := from; t <= to; t++ {
		env := &enumerated{brute: b, hi: to}
		for more := true; more; more = env.again() {
			env.now, env.last, env.at, env.rejected = t, t, 0, false
			next, outs := o.run(env, s)
			q, ok := b.deliver(env, outs, i, p)
			if !ok {
				continue
			}
			then := slices.Clone(last)
			then[o.group] = env.last
			if b.visit(next, q, then) {
				return true
			}
		}
	}
	return false
}

// deliver looks at the replies of one step of operation i: each goes to an operation that has been
// waiting, or to i itself, which waits if there is none. Who is answered must have seen this reply,
// and not have returned before.
func (b *brute) deliver(env *enumerated, outs []model.Out, i int, p progress) (progress, bool) {
	if env.rejected {
		return p, false
	}
	p.waits |= 1 << i
	for _, out := range outs {
		to := slices.IndexFunc(b.ops, func(o bruteOp) bool { return o.op.Client == int(out.To) })
		for to >= 0 && (b.ops[to].op.Client != int(out.To) || p.waits>>to&1 == 0) {
			if to++; to == len(b.ops) {
				return p, false
			}
		}
		o := &b.ops[to]
		if !b.anytime && env.last > o.hi || o.op.Reply != nil && !b.match(out.Msg, *o.op.Reply) {
			return p, false
		}
		p.done, p.waits = p.done|1<<to, p.waits&^(1<<to)
	}
	return p, p.waits>>i&1 == 0 || strings.HasPrefix(strings.ToLower(string(b.ops[i].op.Cmd[0])), "b")
}

func (b *brute) match(r, observed model.Reply) bool {
	return model.Match(r, observed, func(x, y model.Instant, lo, hi int64) bool {
		return b.anytime || lo <= x.Off-y.Off && x.Off-y.Off <= hi
	})
}

// timeout lets the time of operation i, which waits, be up at every reading at which it can be.
func (b *brute) timeout(s model.State, i int, p progress, last []int64) bool {
	o := &b.ops[i]
	for _, e := range model.Due(s) {
		if int(e.Client) != o.op.Client {
			continue
		}
		from, to := max(o.lo, last[o.group], e.At.Off), o.hi
		if b.anytime {
			from, to = 0, 0
		}
		for t := from; t <= to; t++ {
			env := &enumerated{brute: b, hi: to, now: t, last: t}
			next, outs := model.Fire(env, s, e)
			q, ok := b.deliver(env, outs, i, p)
			then := slices.Clone(last)
			then[o.group] = t
			if ok && b.visit(next, q, then) {
				return true
			}
		}
	}
	return false
}

// ends lets the connection of operation i end, which waits and is never answered: nothing that was
// sent behind it takes effect.
func (b *brute) ends(s model.State, i int, p progress, last []int64) bool {
	if b.ops[i].op.Reply != nil {
		return false
	}
	for j := range b.ops {
		if b.ops[j].op.Client == b.ops[i].op.Client {
			p.ended |= 1 << j
		}
	}
	p.waits &^= 1 << i
	return b.visit(model.Close(s, model.Client(b.ops[i].op.Client)), p, last)
}

func (o *bruteOp) run(env *enumerated, s model.State) (_ model.State, outs []model.Out) {
	for _, line := range o.lines {
		s, outs = model.Step(env, s, model.Client(o.op.Client), line)
	}
	return s, outs
}

func situation(s model.State, p progress, last []int64) string {
	buf := binary.LittleEndian.AppendUint32(nil, p.done)
	buf = binary.LittleEndian.AppendUint32(buf, p.waits)
	buf = binary.LittleEndian.AppendUint32(buf, p.ended)
	for _, t := range last {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(t))
	}
	buf = s.Shape(buf)
	for _, t := range s.Instants(nil) {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(t.Off))
	}
	return string(buf)
}

// enumerated is the Env with fixed readings, run again for every combination of choices.
type enumerated struct {
	brute         *brute
	now, last, hi int64
	script        [][2]int // taken, of
	at            int
	rejected      bool
}

func (e *enumerated) choose(n int) int {
	if e.at == len(e.script) {
		e.script = append(e.script, [2]int{0, n})
	}
	e.at++
	return e.script[e.at-1][0]
}

func (e *enumerated) again() bool {
	for n := len(e.script); n > 0; n-- {
		if d := &e.script[n-1]; d[0]+1 < d[1] {
			d[0]++
			e.script = e.script[:n]
			return true
		}
	}
	return false
}

func (e *enumerated) Now() model.Instant { return model.At(e.now) }

// Read: in profile live every value from the last reading to the end of the window.
func (e *enumerated) Read() model.Instant {
	if e.brute.live {
		e.last += int64(e.choose(int(e.hi - e.last + 1)))
		return model.At(e.last)
	}
	return model.At(e.now)
}

func (e *enumerated) Before(a, b model.Instant) bool {
	if e.brute.anytime {
		return e.choose(2) == 0
	}
	return a.Off < b.Off
}

func (e *enumerated) Choose(n int, _ func(int) string) int { return e.choose(n) }
func (e *enumerated) Reject()                              { e.rejected = true }

// show prints a tiny history for a failure's message.
func show(h *history.History) string {
	var b strings.Builder
	fmt.Fprintf(&b, "profile %s, slack %d, offset %+v\n", h.Meta.Profile, h.Meta.Slack, h.Meta.Offset)
	for i := range h.Ops {
		op := &h.Ops[i]
		ret := "never"
		if op.Reply != nil {
			ret = fmt.Sprintf("%.3f", float64(op.Return)/1e6)
		}
		fmt.Fprintf(&b, "client %d n %d [%.3f, %s] %s\n",
			op.Client, op.N, float64(op.Call)/1e6, ret, describe(op))
	}
	return b.String()
}
