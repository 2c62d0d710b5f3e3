package linear

import (
	"slices"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// This file stands for everything before a window: where a view is cut at an edge, what returned
// before the edge is not looked at, and each key may then be in any state that it can have left:
// absent, or any value, without a deadline or with any deadline. That includes the state that was
// there, so that a window that is illegal so is illegal.
//
// Of the values only those count that the window's operations can tell from others; all others are
// one (coarse.go). And a value is left out if nothing that returned before the edge can have stored
// it: otherwise a read of what was never written would pass for a late one. Keys are opened only
// when an operation touches them, so that ten keys do not mean all combinations of ten.

// edge is the state of the keys at the start of a cut view.
type edge struct {
	part   *part
	trail  *trail
	values []string // that a key may hold
	keys   map[*history.Op][]int
}

// openMax bounds the combinations of one operation's keys.
const openMax = 2_000

// newEdge is nil if the values cannot be told apart by equality alone.
func newEdge(p *part, v view, t *trail) *edge {
	seen := v.seen(t.kept)
	if !seen.exact() {
		return nil
	}
	e := &edge{part: p, trail: t, keys: map[*history.Op][]int{}}
	for value := range seen.values {
		if v.stored(value) {
			e.values = append(e.values, value)
		}
	}
	slices.Sort(e.values)
	e.values = append(e.values, anyValue)
	return e
}

// start is the configuration in which nothing is known. The databases count as having had keys with
// deadlines, which is what lets DBSIZE be vague.
func (e *edge) start() []config {
	state := model.Initial(model.Options{Databases: e.part.databases()})
	from := []config{e.trail.engine.initial(state)}
	for _, k := range e.part.keys {
		if len(from) == 1 {
			from = e.set(from[0], k, "", true, words("DEL", k.name))
		}
	}
	return from
}

// open forks a configuration by what the keys hold that u is the first to touch.
func (e *edge) open(c config, u *unit) []config {
	out := []config{c}
	for _, at := range e.touched(u) {
		slot := e.trail.counted + at
		if c.used[slot] == 0 {
			continue
		}
		var next []config
		for _, from := range out {
			used := []byte(from.used)
			used[slot] = 0
			from.used = string(used)
			next = append(next, e.trail.engine.withKey(from)) // absent
			for _, value := range e.values {
				next = append(next, e.set(from, e.part.keys[at], value, false)...)
				next = append(next, e.set(from, e.part.keys[at], value, true)...)
			}
		}
		if out = next; len(out) > openMax {
			e.trail.engine.gaveUp.Store(true)
			return nil
		}
	}
	return out
}

// touched are the numbers of the keys of u, or of all if it asks about all.
func (e *edge) touched(u *unit) []int {
	if at, ok := e.keys[u.rec]; ok {
		return at
	}
	var at []int
	keys, whole := keysOf(u)
	for i, k := range e.part.keys {
		if whole || slices.Contains(keys, k) {
			at = append(at, i)
		}
	}
	e.keys[u.rec] = at
	return at
}

// far is a deadline that no recording has, and soon an instant before it and after all others.
const (
	farTick  = 1 << 52
	soonTick = 1 << 51
)

// set gives a key a value, and any deadline if it is to be mortal; further lines follow.
func (e *edge) set(c config, k key, value string, mortal bool, more ...[][]byte) []config {
	line := [][]byte{[]byte("SET"), []byte(k.name), []byte(value)}
	if mortal {
		line = append(line, []byte("PXAT"), strconv.AppendInt(nil, farTick, 10))
	}
	u := &unit{client: asker, lo: -inf, hi: soonTick, conn: -1,
		lines: append([][][]byte{words("SELECT", strconv.Itoa(k.db)), line}, more...)}
	out := e.trail.engine.step(nil, &c, u)
	for i := range out {
		s := &out[i]
		s.state = model.Close(s.state, asker)
		for r := e.trail.engine.first(); r < s.zone.n; r++ {
			if s.zone.at(r, rowZero) == farTick && s.zone.at(rowZero, r) == -farTick {
				s.zone.forget(r)
			}
		}
		*s = e.trail.engine.withKey(*s)
	}
	return out
}

// forget drops every bound of variable i.
func (z *zone) forget(i int) {
	z.elapse(i)
	for j := range z.n {
		if j != i {
			z.d[j*z.stride+i] = inf
		}
	}
}

// stored reports that an operation before the edge can have stored the value.
func (v view) stored(value string) bool {
	v.part.findOrigins(v.edge)
	first, known := v.part.origins[value]
	return known && first < v.edge || v.part.wild < v.edge
}

// continued: the component is the rest of one, and begins with what the part before it left.
func (p *part) continued() bool { return p.from != nil || p.first != nil }

// findOrigins notes for each value when the first operation had returned that can have stored it,
// and when the first had that can have stored any; of those called before the edge. What contradicts
// stands near the beginning of a history as a rule, and the rest need not be looked at.
func (p *part) findOrigins(edge int64) {
	if p.origins == nil {
		p.origins, p.wild = map[string]int64{}, inf
		for i := range p.meta.Start {
			p.origins[string(p.meta.Start[i].Value)] = -inf
		}
		if p.continued() {
			p.wild = -inf
		}
	}
	for ; p.traced < len(p.units) && p.units[p.traced].rec.Call < edge; p.traced++ {
		u := p.units[p.traced]
		any := u.written(func(value []byte) {
			if first, known := p.origins[string(value)]; !known || u.rec.Return < first {
				p.origins[string(value)] = u.rec.Return
			}
		})
		if any {
			p.wild = min(p.wild, u.rec.Return)
		}
	}
}

// stores reports that the operation can have stored the value, as far as its words and its reply
// tell.
func (u *unit) stores(value string) bool {
	found := false
	any := u.written(func(v []byte) { found = found || string(v) == value })
	return found || any
}

// written gives the values that the operation can have stored; true: any other, too.
func (u *unit) written(f func(value []byte)) (any bool) {
	if u.rec.Body == nil {
		return writtenBy(u.rec.Cmd, u.reply, f)
	}
	for i, line := range u.rec.Body {
		var reply *model.Reply
		if u.reply != nil && i < len(u.reply.Elems) {
			reply = &u.reply.Elems[i]
		}
		any = writtenBy(line, reply, f) || any
	}
	return any
}

func writtenBy(line [][]byte, reply *model.Reply, f func(value []byte)) (any bool) {
	switch name := lower(line[0]); name {
	case "incr", "decr", "incrby", "decrby":
		if reply != nil && reply.Kind == model.Int {
			f(strconv.AppendInt(nil, reply.Int, 10))
		}
		return reply == nil
	case "incrbyfloat":
		if reply != nil {
			f([]byte(reply.Str))
		}
		return reply == nil
	case "append", "setrange":
		return true
	case "get", "exists", "pttl", "ttl", "del":
	default:
		for i := range line {
			if storesValue(name, i) {
				f(line[i])
			}
		}
	}
	return false
}

// keysOf lists the keys that an operation names, and whether it concerns whole databases.
func keysOf(u *unit) ([]key, bool) {
	s := newSplitter(history.Meta{})
	s.add(u.rec)
	var keys []key
	for _, n := range s.nodes {
		if n.kind == 'k' {
			keys = append(keys, n.key)
		}
	}
	return keys, s.all != none || len(s.whole) > 0
}

// inert operations changed nothing, by their replies, whenever they were.
func (u *unit) inert() bool {
	switch {
	case u.lost():
		return u.readsOnly()
	case u.isNullExec() || u.readsOnly():
		return true
	case u.rec.Body != nil:
		return len(u.reply.Elems) != len(u.rec.Body)
	case isSession(u):
		return false
	case u.reply.Kind == model.Error:
		return true
	}
	return inertReply(u.rec.Cmd, u.reply)
}

// inertReply knows the replies that say "I did nothing".
func inertReply(line [][]byte, reply *model.Reply) bool {
	name := lower(line[0])
	zero := reply.Kind == model.Int && reply.Int == 0
	switch name {
	case "set": // SET GET answers nil where it did set
		return reply.IsNull() && !slices.ContainsFunc(line[3:], func(w []byte) bool {
			return strings.EqualFold(string(w), "get")
		})
	case "setnx", "msetnx", "del", "unlink", "expire", "pexpire", "expireat", "pexpireat", "persist",
		"renamenx", "copy", "move":
		return zero
	case "getdel", "getex":
		return reply.IsNull()
	}
	return false
}
