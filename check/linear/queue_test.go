package linear

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/model"
)

// This file is the agreement test (agree_test.go) for operations that wait. Its histories come from
// a server that the model plays event by event: a client calls when it has been answered, or before
// that; a command that waits is served by another, unblocked, or its time is up; some connections end
// while they wait. Timeouts are 1 to 4 ms, about as long as the pauses. Then the history is left
// valid, or something is changed, or it came from a server whose timeouts were wrong.

// queueAim is the mechanism that a history of waiting is made for.
type queueAim int

const (
	queuePlain queueAim = iota
	queueKeys           // several keys, RENAME, COPY
	queuePipeline
	queueChain // BLMOVE from key to key
	queueExec
	queueLost
	queueUnblock
	queueMixed
	queueLists // nothing waits
	queueAims
)

// queueForms are the commands by aim: K a key, V a new value, S a timeout.
var queueForms = map[queueAim]string{
	queuePlain:    "RPUSH K V|RPUSH K V|LPUSH K V|BLPOP K S|BLPOP K S|BRPOP K S|LLEN K|LPOP K",
	queueKeys:     "RPUSH K V|LPUSH K V V|BLPOP K K S|BLPOP K S|RENAME K K|COPY K K|BLMPOP S 2 K K LEFT COUNT 2|LRANGE K 0 -1",
	queuePipeline: "RPUSH K V|RPUSH K V|BLPOP K S|BLPOP K S|LLEN K|GET K|SET K V PX 2",
	queueChain:    "RPUSH K V|RPUSH K V|BLMOVE K K LEFT RIGHT S|BRPOPLPUSH K K S|BLPOP K S|LRANGE K 0 -1|DEL K",
	queueExec:     "RPUSH K V|BLPOP K S|BLPOP K S|EXEC|EXEC|LLEN K|WATCH K",
	queueLost:     "RPUSH K V|RPUSH K V|BLPOP K S|BLPOP K S|BLPOP K K 0|LRANGE K 0 -1",
	queueUnblock:  "RPUSH K V|BLPOP K S|BLPOP K 0|BLMOVE K K LEFT LEFT 0|CLIENT UNBLOCK C|CLIENT UNBLOCK C ERROR",
	queueMixed: "RPUSH K V|LPUSH K V V|BLPOP K S|BRPOP K K S|BLMOVE K K RIGHT LEFT S|LMOVE K K LEFT LEFT|EXEC|" +
		"CLIENT UNBLOCK C|RENAME K K|PEXPIRE K 2|LPOP K 2|SET K V|DEL K|PTTL K",
	queueLists: "RPUSH K V|RPUSH K V V|LPUSH K V|LPUSHX K V|LPOP K|RPOP K 2|LRANGE K 0 -1|LINDEX K 0|LINSERT K BEFORE x V|" +
		"LSET K 0 V|LREM K 0 x|LTRIM K 1 -1|LPOS K x|RPOPLPUSH K K|LMPOP 2 K K RIGHT COUNT 2|PEXPIRE K 2|EXEC|COPY K K",
}

// queueMaker makes one history.
type queueMaker struct {
	*rand.Rand
	aim     queueAim
	keys    []string
	h       *history.History
	delta   int64 // the server's offset, ns
	early   int64 // its fault: timeouts come so many ms too early
	values  int
	state   model.State
	now     int64 // the server's time
	last    int64 // its last reading, ms
	clients []*queueClient
}

// queueClient is a connection: what it has sent, and what of it the server has not begun.
type queueClient struct {
	id, left int
	sent     []int // places in h.Ops
	call     int64 // of the next command; -1: once all that was sent is answered
	back     int64 // the latest return
	dies     int64 // it reads nothing that comes later, and the server finds out then
}

// makeQueue makes the history of a seed.
func makeQueue(seed uint64) *history.History {
	for try := uint64(0); ; try++ {
		m := &queueMaker{Rand: rand.New(rand.NewPCG(seed, try+1<<32)), aim: queueAim(seed % uint64(queueAims))}
		m.settings()
		for m.next() {
		}
		m.finish()
		if m.early == 0 && m.IntN(2) == 0 {
			m.mutate()
		}
		slices.SortStableFunc(m.h.Ops, func(a, b history.Op) int { return compare(a.Call, b.Call) })
		if m.h.Validate() == nil && len(m.h.Ops) > 1 {
			return m.h
		}
	}
}

// anyHistory is a history of waiting for one seed in four.
func anyHistory(seed uint64) *history.History {
	if seed%4 == 0 {
		return makeQueue(seed / 4)
	}
	return makeHistory(seed)
}

func (m *queueMaker) settings() {
	m.h = &history.History{Meta: history.Meta{Profile: history.Frozen}}
	if m.IntN(2) == 0 {
		m.h.Meta.Profile = history.Live
	}
	m.keys = []string{"p", "q", "r"}[:1+m.IntN(3)]
	if m.aim == queueChain && len(m.keys) == 1 {
		m.keys = []string{"p", "q"}
	}
	m.delta = 1_000_000_000 + m.Int64N(3_000_000)
	m.h.Meta.Offset = &history.Offset{Low: m.delta, High: m.delta}
	if m.IntN(4) == 0 {
		m.h.Meta.Slack = m.Int64N(1_500_000)
	}
	if m.IntN(5) == 0 {
		m.early = 1 + m.Int64N(2)
	}
	m.state = model.Initial(model.Options{})
	for i := range 2 + m.IntN(3) {
		c := &queueClient{id: i + 1, left: 1 + m.IntN(3), call: m.Int64N(2_000_000), dies: history.Never}
		if (m.aim == queueLost || m.aim == queueMixed) && m.IntN(3) == 0 {
			c.dies = m.Int64N(6_000_000)
		}
		m.clients = append(m.clients, c)
	}
}

// next lets the event that is next happen; false if there is none.
func (m *queueMaker) next() bool {
	at, what := int64(history.Never), func() {}
	consider := func(t int64, f func()) {
		if t = max(t, m.now); t < at {
			at, what = t, f
		}
	}
	for _, c := range m.clients {
		if c.left > 0 && c.call >= 0 && c.call < c.dies && len(m.h.Ops) < 8 {
			consider(c.call, func() { m.call(c) })
		}
		if len(c.sent) > 0 && !m.state.Waiting(model.Client(c.id)) {
			consider(m.h.Ops[c.sent[0]].Call+m.Int64N(400_000), func() { m.execute(c) })
		}
		if m.state.Waiting(model.Client(c.id)) && c.dies < history.Never && m.IntN(2) == 0 {
			consider(c.dies, func() {
				m.state = model.Close(m.state, model.Client(c.id))
				c.sent, c.left = nil, 0
			})
		}
	}
	for _, e := range model.Due(m.state) {
		consider((e.At.Off-m.early)*1e6-m.delta+m.Int64N(300_000), func() { m.fire(e) })
	}
	if at == history.Never || at > 40_000_000 {
		return false
	}
	m.now = at
	what()
	m.now += 1 + m.Int64N(100_000)
	return true
}

// call sends a command, and says when the next one is sent.
func (m *queueMaker) call(c *queueClient) {
	c.left--
	op := history.Op{Client: c.id, Call: m.now, Return: history.Never, N: 1}
	for i := range m.h.Ops {
		if m.h.Ops[i].Client == c.id {
			op.N++
		}
	}
	op.Cmd = m.line()
	if string(op.Cmd[0]) == "EXEC" {
		for range 1 + m.IntN(3) {
			if line := m.line(); string(line[0]) != "EXEC" && string(line[0]) != "WATCH" {
				op.Body = append(op.Body, line)
			}
		}
		if op.Body == nil {
			op.Cmd = words("PING")
		}
	}
	c.sent = append(c.sent, len(m.h.Ops))
	m.h.Ops = append(m.h.Ops, op)
	c.call = -1
	if (m.aim == queuePipeline || m.aim == queueMixed || m.aim == queueLost) && m.IntN(2) == 0 {
		c.call = m.now + m.Int64N(200_000)
	}
}

// execute lets the server execute the first command that a connection has sent.
func (m *queueMaker) execute(c *queueClient) {
	op := &m.h.Ops[c.sent[0]]
	env := &queueEnv{m: m, now: m.reading()}
	var lines [][][]byte
	if op.Body != nil {
		lines = append([][][]byte{words("MULTI")}, op.Body...)
	}
	var outs []model.Out
	for _, line := range append(lines, op.Cmd) {
		m.state, outs = model.Step(env, m.state, model.Client(c.id), line)
	}
	m.answer(outs)
}

func (m *queueMaker) fire(e model.Event) {
	var outs []model.Out
	m.state, outs = model.Fire(&queueEnv{m: m, now: m.reading()}, m.state, e)
	m.answer(outs)
}

// reading is what the server's clock shows, or has shown within the slack.
func (m *queueMaker) reading() int64 {
	m.last = max(m.last, (m.now+m.delta-m.Int64N(m.h.Meta.Slack+1))/1e6)
	return m.last
}

// answer sends replies on their way.
func (m *queueMaker) answer(outs []model.Out) {
	for _, out := range outs {
		c := m.clients[out.To-1]
		op := &m.h.Ops[c.sent[0]]
		c.sent = c.sent[1:]
		reply := model.Fix(out.Msg)
		op.Reply, op.Return = &reply, max(c.back, m.now)+m.Int64N(300_000)
		c.back = op.Return
		if len(c.sent) == 0 && c.call < 0 {
			c.call = op.Return + 1 + m.Int64N(3_000_000)*int64(m.IntN(2))
		}
	}
}

// finish takes the replies away that nobody was there to read.
func (m *queueMaker) finish() {
	for i := range m.h.Ops {
		if op := &m.h.Ops[i]; op.Reply != nil && op.Return > m.clients[op.Client-1].dies {
			op.Reply, op.Return = nil, history.Never
		}
	}
}

// queueEnv is the server's clock.
type queueEnv struct {
	m   *queueMaker
	now int64
}

func (e *queueEnv) Now() model.Instant { return model.At(e.now) }
func (e *queueEnv) Read() model.Instant {
	if e.m.h.Meta.Profile == history.Live { // as time goes on before the next event
		e.m.last = max(e.m.last, (e.m.now+e.m.delta)/1e6)
	}
	return model.At(max(e.now, e.m.last))
}
func (e *queueEnv) Before(a, b model.Instant) bool         { return a.Off < b.Off }
func (e *queueEnv) Choose(n int, _ func(i int) string) int { return e.m.IntN(n) }
func (e *queueEnv) Reject()                                {}

func (m *queueMaker) line() [][]byte {
	forms := strings.Split(queueForms[m.aim], "|")
	fields := strings.Fields(forms[m.IntN(len(forms))])
	for i, f := range fields {
		switch f {
		case "K":
			fields[i] = m.keys[m.IntN(len(m.keys))]
		case "V":
			fields[i] = m.value()
		case "S":
			fields[i] = fmt.Sprintf("0.00%d", 1+m.IntN(4))
		case "C":
			fields[i] = fmt.Sprint(1 + m.IntN(3))
		}
	}
	return words(fields...)
}

// value is mostly one that no other command has.
func (m *queueMaker) value() string {
	if m.values++; m.IntN(4) == 0 {
		return "x"
	}
	return fmt.Sprint("v", m.values)
}

// mutate changes one fact of the recording.
func (m *queueMaker) mutate() {
	var waited, answered []*history.Op
	for i := range m.h.Ops {
		op := &m.h.Ops[i]
		if op.Reply == nil {
			continue
		}
		answered = append(answered, op)
		if mayWait(op.Cmd) {
			waited = append(waited, op)
		}
	}
	if len(answered) == 0 {
		return
	}
	op, other := answered[m.IntN(len(answered))], answered[m.IntN(len(answered))]
	if len(waited) > 1 && m.IntN(3) > 0 {
		op, other = waited[m.IntN(len(waited))], waited[m.IntN(len(waited))]
	}
	switch m.IntN(6) {
	case 0: // who waited last is served first
		op.Reply, other.Reply = other.Reply, op.Reply
	case 1: // an element taken twice, or a timeout in place of one
		op.Reply = other.Reply
	case 2:
		op.Reply = &model.Reply{Kind: model.NullArray}
	case 3: // a client's clock was wrong
		by := m.Int64N(4_000_000) - 2_000_000
		for i := range m.h.Ops {
			if o := &m.h.Ops[i]; o.Client == op.Client {
				o.Call = max(0, o.Call+by)
				if o.Reply != nil {
					o.Return = max(o.Call, o.Return+by)
				}
			}
		}
	case 4:
		op.Call += m.Int64N(max(1, op.Return-op.Call))
	case 5:
		if op.Reply.Kind == model.Int {
			op.Reply = &model.Reply{Kind: model.Int, Int: op.Reply.Int + int64(m.IntN(3)) - 1}
		}
	}
}

// queueClasses says what is in a history.
func queueClasses(h *history.History) []string {
	in := map[string]bool{"aim": false}
	back := map[int]int64{}
	for i := range h.Ops {
		op := &h.Ops[i]
		word := string(op.Cmd[0])
		switch word {
		case "EXEC", "WATCH", "RENAME", "COPY", "CLIENT", "BLMOVE", "BLMPOP":
			in["with "+word] = true
		}
		waits := mayWait(op.Cmd)
		in["waits, reply lost"] = in["waits, reply lost"] || waits && op.Reply == nil
		in["waits, served"] = in["waits, served"] || waits && op.Reply != nil && !op.Reply.IsNull()
		in["waits, timed out"] = in["waits, timed out"] || waits && op.Reply != nil && op.Reply.IsNull()
		in["waits, pipelined"] = in["waits, pipelined"] || waits && back[op.Client] > op.Call
		back[op.Client] = max(back[op.Client], op.Return)
	}
	in["profile "+h.Meta.Profile], in["slack"] = true, h.Meta.Slack > 0
	var out []string
	for class, there := range in {
		if there {
			out = append(out, class)
		}
	}
	return out
}

// TestQueueAgreement is the definition against the engines, for operations that wait. Replay one
// history with RONDO_HISTORY=<seed> go test -run TestOneQueue -v ./check/linear
func TestQueueAgreement(t *testing.T) {
	n := howMany()
	if !full() {
		n /= 2
	}
	c := &census{counts: map[string]*[4]int{}}
	var wrong atomic.Int64
	eachHistory(n, func(i uint64) bool {
		seed := *firstSeed + i - 1
		h := makeQueue(seed)
		want := bruteVerdict(h, false, seed%16 != 0)
		c.add(queueClasses(h), column(h, want))
		if want == Unknown {
			return true
		}
		for name, got := range verdicts(h, seed) {
			if got != want && wrong.Add(1) <= 3 {
				t.Errorf("seed %d: %s says %s, the definition %s\n%s", seed, name, got, want, show(h))
			}
		}
		return true
	})
	t.Logf("%d histories, %d disagreements\n%s", n, wrong.Load(), c)
	if len(c.counts) < 14 {
		t.Errorf("only %d classes of histories", len(c.counts))
	}
	for class, k := range c.counts {
		if k[legalOnes] < n/500 || k[illegalOnes] < n/1000 || k[undecided]*100 > n {
			t.Errorf("too few of class %q, or too many not decided: %v of %d", class, *k, n)
		}
	}
}

// TestOneQueue prints all verdicts on the history of RONDO_HISTORY.
func TestOneQueue(t *testing.T) {
	var seed uint64
	if _, err := fmt.Sscan(os.Getenv("RONDO_HISTORY"), &seed); err != nil {
		t.Skip("RONDO_HISTORY names no seed")
	}
	h := makeQueue(seed)
	t.Logf("%sdefinition %s, engines %v", show(h), bruteVerdict(h, false, false), verdicts(h, 0))
}

// TestQueueFaults turns on one mistake about waiting at a time. Each must lead to a disagreement.
func TestQueueFaults(t *testing.T) {
	mistakes{
		"a timeout may be a tick early":            faulty(faults{fireEarly: true}),
		"a timeout may be at any time":             faulty(faults{fireAnyTime: true}),
		"the reply of who is served is not tested": faulty(faults{servedUnseen: true}),
		"served after the return":                  faulty(faults{servedLate: true}),
		"its window does not end":                  faulty(faults{hiIgnored: true}),
		"over before it has started":               faulty(faults{orderIgnored: true}),
		"the same in the search":                   slipping(slips{followerFree: true}),
		"who is answered null started too early":   slipping(slips{hurried: true}),
		"a lost one never happened":                faulty(faults{lostNever: true}),
		"a lost one happened at once":              faulty(faults{lostHappens: true}),
	}.show(t, faultsWithin, makeQueue, generally)
}

// TestQueueContradictions: what is taken for a contradiction by itself is one, so it is never found in a
// history that is legal; and each of the three is found in some that are not.
func TestQueueContradictions(t *testing.T) {
	var found [3]atomic.Int64
	eachHistory(faultsWithin/10, func(seed uint64) bool {
		h := makeQueue(seed)
		for _, p := range split(h) {
			x := newExplainer(p, 1, time.Minute)
			for i, find := range queueFaults {
				f := find(x)
				if f == nil {
					continue
				}
				found[i].Add(1)
				if soundVerdict(h) == OK {
					t.Errorf("seed %d: a legal history, and %s: %s\n%s", seed, f.clause, f.sentence, show(h))
				}
			}
		}
		return true
	})
	for i := range found {
		if t.Logf("contradiction %d: %d times", i, found[i].Load()); found[i].Load() == 0 {
			t.Errorf("contradiction %d was never found", i)
		}
	}
}

func faulty(f faults) func(*history.History) Verdict {
	return func(h *history.History) Verdict { return faultyVerdict(h, f) }
}

func slipping(s slips) func(*history.History) Verdict {
	opt := generous.withDefaults()
	opt.slips = s
	return func(h *history.History) Verdict { return generalVerdict(h, opt) }
}
