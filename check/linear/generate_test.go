package linear

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// This file makes tiny histories from a seed: up to 4 clients, up to 6 operations, 1 to 3 keys,
// deadlines of 1 to 4 ms and operations of about that length, so that most of them meet a deadline.
// The model plays the server at random instants. Then the history is left valid, or a reply or a
// time is changed, or it came from a server whose deadlines were off by 1 or 2 ms all along. Some
// have times of a coarse grain, so that calls, returns, ticks and deadlines coincide; some begin
// with a key; some do not say what the offset of the server's clock was.

// aim is the mechanism that a history is made for.
type aim int

const (
	aimPlain aim = iota
	aimExec
	aimWatch
	aimPipeline
	aimLost
	aimPipelineLost
	aimMixed
	aimAlike
	aims
)

type maker struct {
	*rand.Rand
	aim   aim
	keys  []string
	h     *history.History
	delta int64    // the server's true offset, ns
	skew  int64    // its fault: deadlines are off by this many ms
	grain int64    // all times are its multiples
	blind bool     // the offset is left out of the recording
	r     []int64  // by operation: when it took effect
	did   []bool   // false: lost, and did not happen
	only  []string // forms of commands, where not all
}

// make makes the history of a seed.
func makeHistory(seed uint64) *history.History {
	for try := uint64(0); ; try++ {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, try)), aim: aim(seed % uint64(aims))}
		m.settings()
		m.schedule()
		unique := m.IntN(3)
		if m.aim == aimAlike {
			unique = 0
		}
		for i := range m.h.Ops {
			m.rename(&m.h.Ops[i], i, unique)
		}
		m.lose()
		if !m.simulate() {
			continue
		}
		if m.skew == 0 && m.IntN(2) == 0 {
			m.mutate()
		}
		slices.SortStableFunc(m.h.Ops, func(a, b history.Op) int { return compare(a.Call, b.Call) })
		if m.blind && !m.roundsTTL() {
			m.h.Meta.Offset = nil
			if m.IntN(4) == 0 {
				m.h.Meta.Profile = ""
			}
		}
		if m.h.Validate() == nil {
			return m.h
		}
	}
}

// roundsTTL: with seconds in a reply the offsets that differ are too many for the definition.
func (m *maker) roundsTTL() bool {
	return slices.ContainsFunc(m.h.Ops, func(op history.Op) bool {
		return slices.ContainsFunc(append(slices.Clone(op.Body), op.Cmd), func(line [][]byte) bool {
			return string(line[0]) == "TTL"
		})
	})
}

func (m *maker) settings() {
	m.h = &history.History{Meta: history.Meta{Profile: history.Frozen}}
	if m.IntN(2) == 0 {
		m.h.Meta.Profile = history.Live
	}
	m.keys = []string{"a", "b", "c"}[:1+m.IntN(3)]
	if m.aim == aimPipelineLost {
		m.keys = []string{"a", "b"}
	}
	if m.aim == aimAlike { // many equal operations, some of connections that watch
		m.keys, m.only = []string{"a"}, alike
	}
	m.delta = 1_000_000_000 + m.Int64N(3_000_000)
	m.h.Meta.Offset = &history.Offset{Low: m.delta, High: m.delta}
	if m.IntN(4) == 0 {
		m.h.Meta.Slack = m.Int64N(2_500_000)
	}
	if m.IntN(6) == 0 {
		m.h.Meta.Offset.Low -= m.Int64N(1_000_000)
		m.h.Meta.Offset.High += m.Int64N(1_000_000)
	}
	if m.IntN(4) == 0 {
		m.skew = []int64{-2, -1, 1, 2}[m.IntN(4)]
	}
	m.grain = 1
	if m.IntN(3) == 0 {
		m.grain = tick / int64(1+m.IntN(3))
	}
	m.blind = m.IntN(12) == 0
	if m.IntN(8) == 0 {
		m.beginWith(m.key())
	}
}

// beginWith lets the recording say that a key was there before it.
func (m *maker) beginWith(name string) {
	k := history.StartKey{Key: []byte(name), Value: []byte(m.value())}
	if m.IntN(2) == 0 {
		d := m.delta/tick + m.Int64N(6)
		k.Deadline = &d
	}
	m.h.Meta.Start = append(m.h.Meta.Start, k)
}

// coarsen rounds down to the grain. That keeps every order, for it is monotone.
func (m *maker) coarsen(t int64) int64 { return t - t%m.grain }

// schedule invents the operations of each client with call, effect and return.
func (m *maker) schedule() {
	n := 3 + m.IntN(4)
	clients := 1 + m.IntN(4)
	if m.aim == aimPipelineLost {
		clients = 2 + m.IntN(2)
	}
	now := make([]int64, clients)
	last := make([]int64, clients) // effect and return of the client's last operation
	back := make([]int64, clients)
	count := make([]int, clients)
	for i := range now {
		now[i] = m.Int64N(3_000_000)
	}
	pipelines := m.aim == aimPipeline || m.aim == aimPipelineLost || m.aim == aimMixed
	for i := range n {
		c := m.IntN(clients)
		if m.aim == aimPipelineLost && i < n/2 {
			c = 0 // a burst on one connection, that lose takes
		}
		call := now[c]
		long := int64(900_000)
		if m.aim == aimAlike && m.IntN(2) == 0 {
			long = 3_000_000
		}
		effect := max(call, last[c]) + m.Int64N(long)
		ret := max(effect, back[c]) + m.Int64N(long)
		call, effect, ret = m.coarsen(call), m.coarsen(effect), m.coarsen(ret)
		last[c], back[c] = effect, ret
		count[c]++
		op := history.Op{Client: c + 1, Call: call, Return: ret, N: count[c]}
		m.command(&op)
		m.h.Ops, m.r = append(m.h.Ops, op), append(m.r, effect)
		if pipelines && m.IntN(3) > 0 {
			now[c] = call + m.Int64N(max(1, ret-call)) // before the return
		} else {
			now[c] = ret + 1 + m.Int64N(3_000_000)*int64(m.IntN(2))
		}
	}
}

// lose drops the replies of one or two connections from some operation on.
func (m *maker) lose() {
	m.did = make([]bool, len(m.h.Ops))
	for i := range m.did {
		m.did[i] = true
	}
	if m.aim != aimLost && m.aim != aimPipelineLost && (m.aim != aimMixed || m.IntN(2) == 0) {
		return
	}
	for range 1 + m.IntN(2) {
		client, from := 1+m.IntN(4), 1+m.IntN(4)
		if m.aim == aimPipelineLost {
			client, from = 1, 1
		}
		until := from + m.IntN(4) // those before this position did happen
		for i := range m.h.Ops {
			if op := &m.h.Ops[i]; op.Client == client && op.N >= from {
				op.Return, op.Reply = history.Never, nil
				m.did[i] = m.did[i] && op.N < until
				m.r[i] = m.coarsen(m.r[i] + m.Int64N(1_500_000))
			}
		}
	}
	if m.aim == aimPipelineLost && m.IntN(2) == 0 { // a server that skips one of a burst
		for i := range m.h.Ops {
			if m.h.Ops[i].Client == 1 {
				m.did[i] = i > 0
			}
		}
	}
	for i := range m.h.Ops { // effects of one connection stay in order
		for j := range m.h.Ops[:i] {
			if m.h.Ops[j].Client == m.h.Ops[i].Client {
				m.r[i] = max(m.r[i], m.r[j])
			}
		}
	}
}

// simulate plays the server; false if a choice of the server could not be made.
func (m *maker) simulate() bool {
	order := make([]int, len(m.h.Ops))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(m.r[i], m.r[j]) })
	s := startState(m.h)
	last := int64(0)
	for at, i := range order {
		if !m.did[i] {
			continue
		}
		op := &m.h.Ops[i]
		end := min(op.Return, m.r[i]+1_000_000)
		if at+1 < len(order) {
			end = min(end, m.r[order[at+1]])
		}
		env := &played{m: m, hi: (end + m.delta) / 1e6}
		env.now = max(last, (m.r[i]+m.delta-m.Int64N(m.h.Meta.Slack+1))/1e6)
		next, reply, ok := env.play(op, s)
		if !ok {
			return false
		}
		s, last = next, env.last
		if op.Return != history.Never {
			op.Reply = &reply
		}
	}
	return true
}

// played is the clock and the chance of the simulated server.
type played struct {
	m             *maker
	now, last, hi int64
	rejected      bool
}

func (e *played) play(op *history.Op, s model.State) (model.State, model.Reply, bool) {
	for range 30 {
		e.last, e.rejected = e.now, false
		next, outs := s, []model.Out(nil)
		var lines [][][]byte
		if op.Body != nil || string(op.Cmd[0]) == "DISCARD" {
			lines = append(lines, words("MULTI"))
		}
		for _, line := range append(append(lines, op.Body...), op.Cmd) {
			next, outs = model.Step(e, next, model.Client(op.Client), line)
		}
		if !e.rejected {
			return next, model.Fix(outs[0].Msg), true
		}
	}
	return s, model.Reply{}, false
}

func (e *played) Now() model.Instant { return model.At(e.now) }
func (e *played) Read() model.Instant {
	if e.m.h.Meta.Profile == history.Live && e.hi > e.last {
		e.last += e.m.Int64N(e.hi - e.last + 1)
		return model.At(e.last)
	}
	return model.At(max(e.now, e.last))
}
func (e *played) Before(a, b model.Instant) bool { return a.Off+e.m.skew < b.Off }
func (e *played) Choose(n int, _ func(int) string) int {
	return e.m.IntN(n)
}
func (e *played) Reject() { e.rejected = true }

// command fills in a random command.
func (m *maker) command(op *history.Op) {
	k := m.IntN(10)
	switch {
	case m.aim == aimAlike && op.Client < 3 && m.skew == 0 && op.N%2 == 1:
		op.Cmd = words("WATCH", "a")
	case m.aim == aimAlike && op.Client < 3 && m.skew == 0:
		op.Cmd, op.Body = words("EXEC"), [][][]byte{words("GET", "a")}
	case m.aim == aimExec && k < 5, m.aim == aimMixed && k < 2, m.aim == aimWatch && k < 3:
		op.Cmd = words("EXEC")
		op.Body = [][][]byte{}
		for range 1 + m.IntN(3) {
			op.Body = append(op.Body, m.line())
		}
	case m.aim == aimWatch && k < 6, m.aim == aimMixed && k < 3:
		op.Cmd = words("WATCH", m.key())
		switch m.IntN(12) {
		case 0:
			op.Cmd = words("UNWATCH")
		case 1:
			op.Cmd = words("DISCARD")
		case 2:
			op.Cmd = words("WATCH", m.key(), m.key())
		}
	case m.aim == aimPipelineLost && k < 8: // simple, so that an effect is seen
		op.Cmd = m.lineOf(simple)
	default:
		op.Cmd = m.line()
	}
}

func (m *maker) key() string   { return m.keys[m.IntN(len(m.keys))] }
func (m *maker) value() string { return []string{"1", "2", "x"}[m.IntN(3)] }
func (m *maker) ttl() string   { return fmt.Sprint(1 + m.IntN(4)) }

// at is an absolute deadline near the recording's time.
func (m *maker) at() string { return fmt.Sprint(m.delta/1_000_000 + m.Int64N(10)) }

// forms are the commands: K a key, V a value, T a TTL, A an absolute time in ms.
var forms = strings.Split("SET K V PX T|SET K V PX T|SET K V PX T|SET K V|GET K|GET K|GET K|GET K|"+
	"EXISTS K|PTTL K|TTL K|PEXPIRETIME K|SET K V NX PX T|SET K V XX|SET K V KEEPTTL|SET K V GET|"+
	"SET K V PXAT A|INCR K|DEL K|GETDEL K|PEXPIRE K T|PEXPIRE K T|PEXPIRE K T NX|PEXPIRE K T GT|"+
	"PEXPIRE K T LT|PEXPIRE K T XX|PEXPIRE K 0|PEXPIREAT K A|PERSIST K|GETEX K PX T|GETEX K PERSIST|"+
	"GETEX K PXAT A|APPEND K V|MGET K K|MSET K V K V|MSETNX K V K V|EXISTS K K|DEL K K|RENAME K K|"+
	"RENAMENX K K|COPY K K|COPY K K REPLACE|TIME|RANDOMKEY|KEYS *|DBSIZE|PING|GETSET K V|"+
	"STRLEN K", "|")

var alike = strings.Split("SET K 1|SET K 1|DEL K|EXISTS K|GET K", "|")

var simple = strings.Split("SET K V|SET K V|SET K V|GET K|MGET K K|INCR K|DEL K", "|")

func (m *maker) line() [][]byte {
	if m.only != nil {
		return m.lineOf(m.only)
	}
	return m.lineOf(forms)
}

func (m *maker) lineOf(forms []string) [][]byte {
	fields := strings.Fields(forms[m.IntN(len(forms))])
	for i, f := range fields {
		switch f {
		case "K":
			fields[i] = m.key()
		case "V":
			fields[i] = m.value()
		case "T":
			fields[i] = m.ttl()
		case "A":
			fields[i] = m.at()
		}
	}
	return words(fields...)
}

// mutate changes one fact of the recording.
func (m *maker) mutate() {
	op := &m.h.Ops[m.IntN(len(m.h.Ops))]
	if op.Reply == nil {
		return
	}
	switch m.IntN(5) {
	case 0, 1:
		r := m.changed(*op.Reply)
		op.Reply = &r
	case 2:
		if other := &m.h.Ops[m.IntN(len(m.h.Ops))]; other.Reply != nil {
			op.Reply, other.Reply = other.Reply, op.Reply
		}
	case 3: // one client's clock was wrong
		by := m.Int64N(6_000_000) - 3_000_000
		for i := range m.h.Ops {
			if o := &m.h.Ops[i]; o.Client == op.Client {
				o.Call = max(0, o.Call+by)
				if o.Return != history.Never {
					o.Return = max(o.Call, o.Return+by)
				}
			}
		}
	case 4:
		op.Call += m.Int64N(max(1, op.Return-op.Call))
	}
}

func (m *maker) changed(r model.Reply) model.Reply {
	switch {
	case r.Kind == model.Int:
		return model.Num(r.Int + int64(m.IntN(5)) - 2)
	case r.IsNull():
		return model.Str(m.value())
	case r.Kind == model.Bulk && m.IntN(2) == 0:
		return model.Reply{Kind: model.Null}
	case r.Kind == model.Bulk:
		return model.Str(m.value())
	case r.Kind == model.Array && len(r.Elems) > 0:
		r.Elems = slices.Clone(r.Elems)
		i := m.IntN(len(r.Elems))
		r.Elems[i] = m.changed(r.Elems[i])
	}
	return r
}
