package synth

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/model"
)

// simulation is one run: clients in a heap by when the server next hears of them, and the server.
type simulation struct {
	Options
	plan   plan
	server server
	rng    *rand.Rand
	groups []*group
	heap   []*client
	shared map[string][]byte
	made   int64 // values and long times to live made so far
	conns  int   // connections opened
}

// group is keys that are used together, under one name after the other.
type group struct {
	names  [][]byte
	index  int
	used   int // operations called on these names
	life   int // how many names there were before
	state  model.State
	past   []past       // for bugs that look back
	buried *model.State // for bugs that raise the dead
}

// client is one simulated client. Of its burst, the operation sent[at] is on its way to the server
// and arrives at the time due.
type client struct {
	conn     int
	n        int // position on the connection
	group    *group
	due      int64
	sent     []request
	at       int
	returned int64 // of the burst's last reply
	form     *form
	line     int
	half     *halfDone
}

// request is an operation and how it fares.
type request struct {
	op     history.Op
	arrive int64
	lost   bool
}

// wayMin is what any way takes, wayMax by how many means the rest is bounded: a stream of
// operations in the order of their effects is then sorted within a known distance.
const (
	wayMin = 10 * time.Microsecond
	wayMax = 20
)

// disorder is how far the order of effects can be from the order of calls: an effect comes at most
// a way and a burst's stagger after its call; a racy bug doubles that.
func (s *simulation) disorder() int64 {
	return 2 * int64(wayMin+wayMax*s.Latency+time.Duration(s.Pipeline)*time.Microsecond)
}

func (s *simulation) start() {
	s.rng = rand.New(rand.NewPCG(s.Seed, 0x726f6e646f))
	s.shared = map[string][]byte{}
	s.server.rng = s.rng
	for i := range max(1, s.Keys/s.plan.keys) {
		s.groups = append(s.groups, s.newGroup(i, 0))
	}
	for range s.Clients {
		s.conns++
		c := &client{conn: s.conns, returned: s.rng.Int64N(int64(wayMin))}
		s.send(c)
		s.heap = append(s.heap, c)
		s.up(len(s.heap) - 1)
	}
}

func (s *simulation) newGroup(index, life int) *group {
	g := &group{index: index, life: life, state: model.Initial(model.Options{})}
	for i := range s.plan.keys {
		name := "k" + strconv.Itoa(index)
		if life > 0 {
			name += "." + strconv.Itoa(life)
		}
		if s.plan.keys > 1 {
			name = "{" + name + "}" + string(rune('a'+i))
		}
		g.names = append(g.names, []byte(name))
	}
	return g
}

// run lets the server hear of its clients until there are enough operations; emit gets each when
// its effect has happened. What is in flight then is not part of the recording: it was not called.
func (s *simulation) run(emit func(*history.Op) error) error {
	for done := 0; done < s.Ops; {
		c := s.heap[0]
		r := &c.sent[c.at]
		if finished := s.hear(c, r); finished {
			done++
			if err := emit(&r.op); err != nil {
				return err
			}
			s.next(c, r)
		}
		s.down()
	}
	return nil
}

// hear is the arrival of a request; false if the server comes back to it later.
func (s *simulation) hear(c *client, r *request) bool {
	switch {
	case c.half != nil:
		s.server.finish(c)
	case r.lost && s.rng.IntN(2) == 0:
		r.op.Return = history.Never
		return true
	default:
		reply, half := s.server.execute(c.group, &r.op, c.due)
		if reply.IsNull() { // a file has one null
			reply = model.Reply{Kind: model.Null}
		}
		r.op.Reply = &reply
		if half {
			c.half = &halfDone{reply: reply}
			c.due += (s.way() - int64(wayMin)) / 4
			return false
		}
	}
	c.half = nil
	if r.lost {
		r.op.Reply, r.op.Return = nil, history.Never
		return true
	}
	c.returned = max(c.returned, c.due+s.way())
	r.op.Return = c.returned
	return true
}

// next sets a client up for its next arrival. A lost reply takes the connection and the rest of the
// burst with it, and the client comes back on a new one.
func (s *simulation) next(c *client, r *request) {
	switch {
	case r.lost:
		c.group.state = model.Close(c.group.state, model.Client(c.conn))
		s.conns++
		c.conn, c.n, c.form = s.conns, 0, nil
		c.returned = r.arrive + 2*s.way()
		s.send(c)
	case c.at+1 < len(c.sent):
		c.at++
		c.due = max(c.due, c.sent[c.at].arrive)
	default:
		s.send(c)
	}
}

// send makes a client think and then send its next request or burst.
func (s *simulation) send(c *client) {
	call := c.returned + 1 + int64(s.rng.ExpFloat64()*float64(s.Think))
	burst := 1
	if s.Pipeline > 1 {
		burst += s.rng.IntN(s.Pipeline)
	}
	if c.form == nil {
		c.group = s.pick()
	}
	c.sent, c.at = make([]request, 0, burst), 0
	arrive := int64(0)
	for range burst {
		c.n++
		r := request{op: history.Op{Client: c.conn, Call: call}}
		if s.Pipeline > 1 {
			r.op.N = c.n
		}
		s.fill(c, &r.op)
		arrive = max(arrive, call+s.way())
		r.arrive = arrive
		r.lost = s.Loss > 0 && s.rng.Float64() < s.Loss
		c.sent = append(c.sent, r)
		call += 1 + s.rng.Int64N(int64(time.Microsecond))
	}
	c.due = c.sent[0].arrive
}

// pick chooses a group, and leaves its names behind when they have been used enough.
func (s *simulation) pick() *group {
	i := 0
	if len(s.groups) > 1 {
		i = s.rng.IntN(len(s.groups))
	}
	g := s.groups[i]
	if s.Rotate > 0 && g.used >= s.Rotate {
		g = s.newGroup(i, g.life+1)
		s.groups[i] = g
	}
	return g
}

// fill writes the next command of a client: the next line of its form, or the first of a new one.
func (s *simulation) fill(c *client, op *history.Op) {
	c.group.used++
	if c.form == nil {
		c.form, c.line = s.plan.drawn[s.rng.IntN(len(s.plan.drawn))], 0
	}
	line := c.form.lines[c.line]
	if c.line++; c.line == len(c.form.lines) {
		c.form = nil
	}
	if line[0] != "MULTI" {
		op.Cmd = s.words(c.group, line, s.server.clock(op.Call))
		return
	}
	op.Cmd = [][]byte{s.fixed("EXEC")}
	most, _ := strconv.Atoi(line[1])
	for range 1 + s.rng.IntN(most) {
		f := s.plan.single[s.rng.IntN(len(s.plan.single))]
		op.Body = append(op.Body, s.words(c.group, f.lines[0], s.server.clock(op.Call)))
	}
}

func (s *simulation) way() int64 {
	return int64(wayMin) + int64(min(wayMax, s.rng.ExpFloat64())*float64(s.Latency))
}

// up and down keep the heap by due. Only the top ever changes.
func (s *simulation) up(i int) {
	for h := s.heap; i > 0 && h[i].due < h[(i-1)/2].due; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
}

func (s *simulation) down() {
	h, i := s.heap, 0
	for {
		least := i
		for j := 2*i + 1; j <= 2*i+2 && j < len(h); j++ {
			if h[j].due < h[least].due {
				least = j
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// same reports whether a word of a command line is this one.
func same(word []byte, s string) bool { return strings.EqualFold(string(word), s) }
