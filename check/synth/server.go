package synth

import (
	"math/rand/v2"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/model"
)

// server is a sequential machine: the model, one command after the other.
type server struct {
	cached int64 // ns; the clock is read when this has passed
	lateMs int64
	bug    Bug
	rng    *rand.Rand
}

const tick = 1_000_000

// clock is what the server's clock shows at a moment of the recording: milliseconds of the last
// refresh.
func (s *server) clock(t int64) int64 {
	t += offset
	if s.cached > 0 {
		t -= t % s.cached
	}
	return t / tick
}

// call is one operation at the server.
type call struct {
	server *server
	group  *group
	env    *linear.Shifted
	client model.Client
	t      int64
	before model.State
	half   bool
}

// execute gives an operation its effect at time t. half says that the bug at work has not written
// yet.
func (s *server) execute(g *group, op *history.Op, t int64) (reply model.Reply, half bool) {
	c := &call{server: s, group: g, client: model.Client(op.Client), t: t, before: g.state}
	c.env = &linear.Shifted{LateMs: s.lateMs}
	c.env.Ms = s.clock(t)
	if s.bug.oneIn > 0 {
		defer c.bury()
		if s.rng.IntN(s.bug.oneIn) > 0 {
			c.env.LateMs = 0
		} else if g.buried != nil {
			g.state = *g.buried
		}
	}
	if s.bug.instead != nil {
		if r, done := s.bug.instead(c, op.Cmd); done {
			return model.Fix(r), c.half
		}
	}
	if op.Body != nil {
		c.run([][]byte{[]byte("MULTI")})
		for _, line := range op.Body {
			c.run(s.rewritten(line))
		}
	}
	reply = c.run(s.rewritten(op.Cmd))
	if s.bug.after != nil {
		reply = s.bug.after(c, op.Cmd, reply)
	}
	if s.bug.lookback > 0 {
		g.remember(t, s.bug.lookback)
	}
	return model.Fix(reply), false
}

func (s *server) rewritten(line [][]byte) [][]byte {
	if s.bug.rewrite == nil {
		return line
	}
	return s.bug.rewrite(line)
}

func (c *call) run(line [][]byte) model.Reply {
	next, outs := model.Step(c.env, c.group.state, c.client, line)
	c.group.state = next
	return outs[0].Msg
}

// bury keeps what an operation has found expired as if it had stayed in memory until it is
// overwritten: a server that deletes lazily, and at times forgets to look at the deadline.
func (c *call) bury() {
	g := c.group
	for _, deadline := range c.before.Instants(nil) {
		if deadline.Off < c.env.Ms {
			g.buried = &c.before
		}
	}
	for _, name := range g.names {
		_, outs := model.Step(c.env, g.state, c.client, [][]byte{[]byte("EXISTS"), name})
		if outs[0].Msg.Int > 0 {
			g.buried = nil
		}
	}
}

// past is what a group was from a moment on.
type past struct {
	from  int64
	state model.State
}

// remember keeps the states of the last while, and one from before it.
func (g *group) remember(t, while int64) {
	g.past = append(g.past, past{t, g.state})
	for len(g.past) > 1 && g.past[1].from < t-while {
		g.past = g.past[1:]
	}
}

// at is the state at a moment not longer ago than is remembered.
func (g *group) at(t int64) model.State {
	for i := len(g.past) - 1; i >= 0; i-- {
		if g.past[i].from <= t {
			return g.past[i].state
		}
	}
	return g.state
}
