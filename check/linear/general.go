package linear

import (
	"encoding/binary"
	"runtime"
	"slices"
	"time"

	"rondo/model"
)

// This file is the theory for everything that is not one key with the commands of the fast path:
// the model with a zone (symbolic.go), any number of keys, EXEC, WATCH, both clock profiles, an
// offset that is not known. The search (dfs.go, bfs.go) is the same as for one key.

// general is the theory of configurations. It is for one search at a time.
type general struct {
	engine *engine
	units  []*unit
	first  []config
}

func newGeneral(p *part, f faults) *general {
	s := p.search()
	s.engine.faults = f
	// The search counts nodes and bytes by itself.
	s.engine.madeMax = inf
	return &general{engine: s.engine, units: p.units, first: s.start}
}

func (g *general) start() []config { return g.first }

// step lets o take effect in its window, which look-ahead may have made smaller than the unit's.
func (g *general) step(out []config, c *config, o *op, hi int64) []config {
	return g.engine.stepWithin(out, c, g.units[o.unit], o.lo, min(o.hi, hi))
}

// settle raises the clock to lo, below which no reading to come will be, and sweeps out what has
// surely expired by then. Both leave the future as it is: every reading to come passes the same
// bound. A zone is shared by many configurations and is never changed in place.
func (g *general) settle(c *config, lo int64) {
	e := g.engine
	if lo == -inf || lo == inf || c.zone.at(e.origin, rowNow) <= -lo {
		return
	}
	v := &e.env
	v.zone.assign(&c.zone)
	if !v.zone.limit(e.origin, rowNow, -lo) {
		return // cannot be: the clock has no upper bound
	}
	v.last, v.free, v.waits = rowNow, false, c.waits
	*c = e.canon(v, c.state, c)
}

func (g *general) includes(a, b *config) bool {
	return a.hash == b.hash && a.key == b.key && a.zone.includes(&b.zone)
}

func (g *general) hash(c *config) uint64 { return c.hash }

func (g *general) value(*config) int32     { return 0 }
func (g *general) life(*config) int32      { return 0 }
func (g *general) forgetLife(*config)      {}
func (g *general) holds(c *config) []int32 { return c.has }
func (g *general) forget(*config)          {}

// decide judges a component. Operations of unknown outcome first get virtual returns. Then, in
// turns and with ever more nodes until the time is over, it goes depth first with jumps back where
// it is stuck, which finds an order sooner, and without, which finds out that there is none; and
// once breadth first, which is quicker to exhaust a short history.
func (g *general) decide(p *part, opt Options, deadline time.Time) outcome {
	l, f, suspects := g.prepare(p, opt, 0)
	if suspects != nil {
		return outcome{verdict: Illegal, suspects: suspects}
	}
	b := bounds{
		deadline: deadline, nodes: nodesFirst + nodesEach*int64(len(l.ops)),
		memory: opt.Memory / int64(runtime.GOMAXPROCS(0)) / configWeight,
	}
	if out := g.virtual(p, opt, l, b); out.verdict == OK {
		return out
	}
	for again := false; ; again = true {
		for _, jumps := range []bool{true, false} {
			out, full := g.depthFirst(l, f, opt, b, jumps)
			if out.verdict == Illegal {
				out.last = g.last(p, opt, b)
			}
			if out.verdict != Unknown || full || time.Now().After(deadline) {
				return out
			}
		}
		if !again {
			s := p.search()
			s.engine.faults = opt.faults
			if v, last := s.frontierRun(time.Until(deadline) / 4); v != Unknown {
				return outcome{verdict: v, last: last}
			}
		}
		b.nodes *= 4
	}
}

// virtual searches with virtual returns (lost.go): what is accepted so is legal.
func (g *general) virtual(p *part, opt Options, exact *layout, b bounds) outcome {
	if opt.off.noVirtual || !exact.hasLost() {
		return outcome{verdict: Unknown}
	}
	for _, delay := range exact.delays() {
		l, f, refuted := g.prepare(p, opt, delay)
		if refuted != nil {
			continue
		}
		if out, _ := g.depthFirst(l, f, opt, b, true); out.verdict == OK {
			return out
		}
	}
	return outcome{verdict: Unknown}
}

// last finds the unit at whose return no order is left: what looks ahead refutes a history earlier.
func (g *general) last(p *part, opt Options, b bounds) *unit {
	opt.off.noNeeded, b.nodes = true, nodesFirst
	l := newLayout(p, func(int) bool { return false })
	g.describe(l, opt.slips)
	l.finish()
	if out, _ := g.depthFirst(l, noFacts(), opt, b, false); out.verdict == Illegal {
		return out.last
	}
	return nil
}

// prepare lays the component out; with a delay, so long after their calls return operations of
// unknown outcome. It gives the units of a contradiction that needs no search.
func (g *general) prepare(p *part, opt Options, delay int64) (*layout, *facts, []*unit) {
	l := newLayout(p, func(int) bool { return false })
	g.describe(l, opt.slips)
	f := g.learn(l, opt.slips)
	if !opt.off.noTighten {
		if maker, needer := f.tighten(l); maker != none {
			return nil, nil, []*unit{g.units[l.ops[maker].unit], g.units[l.ops[needer].unit]}
		}
	}
	l.hurry(opt.slips.hurried)
	if delay > 0 {
		l.virtual(delay)
	}
	l.finish()
	return l, f, nil
}

// configWeight is how much more a configuration holds than its own bytes, which are what the search
// counts: its state, zone and key.
const configWeight = 4

// How many nodes the first depth-first search may visit.
const (
	nodesFirst = 100_000
	nodesEach  = 100
)

// depthFirst tries each configuration that the component may start from. It also reports that it
// ended for want of memory.
func (g *general) depthFirst(l *layout, f *facts, opt Options, b bounds,
	jumps bool) (out outcome, full bool) {
	out.verdict = Illegal
	deepest := 0
	for _, c := range g.first {
		d := newDFS[config](g, l, f, c, opt.off)
		d.slips, d.jumps, d.patience = opt.slips, jumps, opt.patience
		v := d.run(b)
		out.nodes += d.nodes
		deepest = max(deepest, d.deepest)
		full = full || v == Unknown && d.full
		if v == OK {
			return outcome{verdict: OK, nodes: out.nodes}, false
		}
		if v == Unknown {
			out.verdict, out.reason = Unknown, "not decided in the time or memory given"
		}
	}
	out.moment = l.momentAt(deepest)
	if out.verdict == Illegal {
		out.last = l.unitAt(deepest)
	}
	return out, full
}

// describe tells the search what can be known of each operation from its words and its reply: that
// it changed nothing, and which others are its equals.
func (g *general) describe(l *layout, slips slips) {
	sessions := slices.ContainsFunc(g.units, func(u *unit) bool { return u.sessional() })
	kinds := map[string]int32{}
	var buf []byte
	for i := range l.ops {
		o := &l.ops[i]
		u := g.units[o.unit]
		if u.half == collects {
			o.flags |= completes
		}
		if u.session(sessions) && !slips.sessionsAlike {
			continue
		}
		if u.changesNothing() || slips.allReads && !u.lost() {
			o.flags |= pure
		}
		if u.conn >= 0 {
			continue // its place among the others of its connection tells it apart
		}
		buf = u.appendText(buf[:0])
		k, known := kinds[string(buf)]
		if !known {
			k = int32(len(kinds))
			kinds[string(buf)] = k
		}
		o.kind = k
	}
}

// session reports that the unit reads or changes the state of its connection: watched keys, which
// EXEC looks at, if anybody watches, and the database, if there are several.
func (u *unit) session(watched bool) bool {
	return u.sessional() || watched && u.rec.Body != nil || lower(u.lines[0][0]) == "select"
}

func (u *unit) sessional() bool {
	switch lower(u.rec.Cmd[0]) {
	case "watch", "unwatch", "discard", "select", "multi", "reset", "quit", "hello", "auth", "client":
		return true
	case "exec":
		return u.rec.Body == nil || u.reply != nil && u.reply.Kind != model.Array
	}
	return false
}

// changesNothing: the reply proves it.
func (u *unit) changesNothing() bool {
	if u.lost() || u.half != whole {
		return false
	}
	quiet := true
	each(u.rec, func(line [][]byte, reply *model.Reply) {
		quiet = quiet && reply != nil && quietLine(line, reply)
	})
	return quiet
}

func quietLine(line [][]byte, reply *model.Reply) bool {
	if reply.Kind == model.Error {
		return true
	}
	switch lower(line[0]) {
	case "get", "mget", "strlen", "getrange", "exists", "touch", "type", "ttl", "pttl", "expiretime",
		"pexpiretime", "keys", "dbsize", "randomkey", "scan", "ping", "echo", "time", "object",
		"llen", "lrange", "lindex", "lpos":
		return true
	case "lpop", "rpop", "lmove", "rpoplpush", "lmpop", "blpop", "brpop", "blmove", "brpoplpush", "blmpop":
		return reply.IsNull()
	case "getdel":
		return reply.IsNull()
	case "getex":
		return reply.IsNull() || len(line) == 2
	case "set":
		return reply.IsNull() && !slices.ContainsFunc(line, func(w []byte) bool { return lower(w) == "get" })
	case "setnx", "msetnx", "del", "unlink", "expire", "pexpire", "expireat", "pexpireat", "persist",
		"renamenx", "copy", "move", "lrem", "lpushx", "rpushx":
		return reply.Kind == model.Int && reply.Int == 0
	}
	return false
}

// appendText is equal for units with equal lines and replies.
func (u *unit) appendText(buf []byte) []byte {
	for _, line := range u.lines {
		buf = append(buf, byte(len(line)))
		for _, w := range line {
			buf = append(binary.AppendUvarint(buf, uint64(len(w))), w...)
		}
	}
	if u.reply == nil {
		return append(buf, '?')
	}
	return append(buf, u.reply.String()...)
}

// hashText mixes a text, eight bytes at a time.
func hashText(s string) uint64 {
	h := uint64(len(s))
	for ; len(s) >= 8; s = s[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64([]byte(s[:8])))
	}
	w := uint64(0)
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * i)
	}
	return mix(h ^ w)
}
