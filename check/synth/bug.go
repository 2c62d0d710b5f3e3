package synth

import (
	"slices"
	"time"

	"rondo/check/linear"
	"rondo/model"
)

// Bug is one deliberate error of the server.
type Bug struct {
	Name     string
	lateMs   int64 // keys expire so much late
	oneIn    int   // only in one of so many commands; 0: in all
	lookback int64 // ns of the past that it needs
	rewrite  func(line [][]byte) [][]byte
	instead  func(c *call, line [][]byte) (model.Reply, bool) // false: execute as always
	after    func(c *call, line [][]byte, r model.Reply) model.Reply
}

// Bugs are all of them.
var Bugs = []Bug{
	{Name: "expired key served 5 ms late", lateMs: 5},
	{Name: "expired key served 5 ms late, 1 op in 50", lateMs: 5, oneIn: 50},
	{Name: "expires 3 ms early", lateMs: -3},
	{Name: "expired iff now >= deadline", lateMs: -1},
	{Name: "SET keeps the old TTL", rewrite: on("SET", func(line [][]byte) [][]byte {
		if has(line, "PX") || has(line, "KEEPTTL") {
			return line
		}
		return append(slices.Clone(line), []byte("KEEPTTL"))
	})},
	{Name: "KEEPTTL lost", rewrite: on("SET", without("KEEPTTL"))},
	{Name: "INCR drops the TTL", after: func(c *call, line [][]byte, r model.Reply) model.Reply {
		if same(line[0], "INCR") || same(line[0], "INCRBY") {
			c.run([][]byte{[]byte("PERSIST"), line[1]})
		}
		return r
	}},
	{Name: "PERSIST does nothing", after: func(c *call, line [][]byte, r model.Reply) model.Reply {
		if same(line[0], "PERSIST") {
			c.group.state = c.before
		}
		return r
	}},
	{Name: "GETEX option ignored", rewrite: on("GETEX", func(line [][]byte) [][]byte {
		return line[:2]
	})},
	{Name: "PEXPIRE NX ignored", rewrite: on("PEXPIRE", without("NX"))},
	{Name: "PEXPIRE GT and LT swapped", rewrite: on("PEXPIRE", func(line [][]byte) [][]byte {
		line = slices.Clone(line)
		for i := range line {
			switch string(line[i]) {
			case "GT":
				line[i] = []byte("LT")
			case "LT":
				line[i] = []byte("GT")
			}
		}
		return line
	})},
	{Name: "TTL rounded down", after: func(_ *call, _ [][]byte, r model.Reply) model.Reply {
		if r.Kind == model.DiffTerm && r.Unit == 1000 {
			return model.Num((r.A.Off - r.B.Off) / 1000)
		}
		return r
	}},
	{Name: "lost update in INCR, 20 % racy", instead: racy},
	{Name: "stale read of 1 ms, 2 % of GETs", lookback: int64(time.Millisecond),
		instead: stale(int64(time.Millisecond))},
	{Name: "stale read of 0.2 ms, 2 % of GETs", lookback: int64(200 * time.Microsecond),
		instead: stale(int64(200 * time.Microsecond))},
}

func on(command string, f func([][]byte) [][]byte) func([][]byte) [][]byte {
	return func(line [][]byte) [][]byte {
		if same(line[0], command) {
			return f(line)
		}
		return line
	}
}

func has(line [][]byte, word string) bool {
	return slices.ContainsFunc(line, func(w []byte) bool { return same(w, word) })
}

func without(word string) func([][]byte) [][]byte {
	return func(line [][]byte) [][]byte {
		return slices.DeleteFunc(slices.Clone(line), func(w []byte) bool { return same(w, word) })
	}
}

// halfDone is an increment that has read its key and not yet written it.
type halfDone struct{ reply model.Reply }

// racy increments in two steps, one time in five: others may come between.
func racy(c *call, line [][]byte) (model.Reply, bool) {
	if !same(line[0], "INCR") && !same(line[0], "INCRBY") || c.server.rng.IntN(5) > 0 {
		return model.Reply{}, false
	}
	r := c.run(line)
	c.group.state, c.half = c.before, true
	return r, true
}

// finish writes what a racy increment has computed, over whatever is there by now.
func (s *server) finish(cl *client) {
	op := &cl.sent[cl.at].op
	c := &call{server: s, group: cl.group, client: model.Client(op.Client), env: &linear.Shifted{}}
	c.env.Ms = s.clock(cl.due)
	sum := number(cl.half.reply.Int)
	c.run([][]byte{[]byte("SET"), op.Cmd[1], sum, []byte("KEEPTTL")})
}

// stale answers one GET in fifty from what was there so long ago.
func stale(ns int64) func(*call, [][]byte) (model.Reply, bool) {
	return func(c *call, line [][]byte) (model.Reply, bool) {
		if !same(line[0], "GET") || c.server.rng.IntN(50) > 0 {
			return model.Reply{}, false
		}
		c.group.state = c.group.at(c.t - ns)
		c.env.Ms = c.server.clock(c.t - ns)
		r := c.run(line)
		c.group.state = c.before
		return r, true
	}
}
