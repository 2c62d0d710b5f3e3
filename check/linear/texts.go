package linear

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// This file says what replies prove about values where there are several keys. RENAME and COPY
// move values about, and a transaction sets many, so that a value here is its text, wherever it
// stands. A reply that holds a text proves that it stood somewhere when the operation began, unless
// the operation itself made it. If only one operation can have made it, three things follow:
//
//   - an order that loses the text is wrong while somebody needs it yet;
//   - so is one in which somebody is owed who needs it, when it is neither there nor to be made;
//   - who makes it was called before all return that need it.
//
// An element of a list is such a text. Of a command that waits (wait.go) only the last holds: it may
// be given what it answers in the very step that makes it, and then that stands nowhere.
//
// That only one can have made it is counted, over all that may have happened: a lost INCR can make
// any number, APPEND any text that ends with its argument, and what is not listed here anything.

// texts are the values of a component that facts speak of.
type texts struct {
	ids     map[string]int32 // from 1
	creator []int32          // by id: the unit
	needs   [][]int32        // by unit
}

// in lists the texts of a state.
func (t *texts) in(s model.State) []int32 {
	if t == nil || len(t.ids) == 0 {
		return nil
	}
	var has []int32
	s.Values(func(v string) {
		if id := t.ids[v]; id != 0 {
			has = append(has, id)
		}
	})
	return has
}

// origin is where texts may come from.
type origin struct {
	maker    map[string]int32 // the unit that makes a text, or many
	suffixes []string
	integers bool // any integer may have been made
	anything bool
	// A deliberate mistake (slips).
	uncounted bool
}

const many = int32(-2)

// newTexts finds the texts of a component that have one maker and are needed.
func newTexts(p *part, slips slips) *texts {
	from := &origin{maker: map[string]int32{}, uncounted: slips.uniqueAll}
	for _, k := range p.meta.Start {
		from.makes(string(k.Value), many)
	}
	for i := range p.from {
		p.from[i].state.Values(func(v string) { from.makes(v, many) })
	}
	for i, u := range p.units {
		each(u.rec, func(line [][]byte, reply *model.Reply) { from.line(line, reply, int32(i)) })
	}
	t := &texts{ids: map[string]int32{}, creator: []int32{none}, needs: make([][]int32, len(p.units))}
	if from.anything {
		return t
	}
	for i, u := range p.units {
		each(u.rec, func(line [][]byte, reply *model.Reply) {
			if reply != nil {
				met(line, *reply, func(text string) { t.need(int32(i), text, from) })
			}
		})
		slices.Sort(t.needs[i])
		t.needs[i] = slices.Compact(t.needs[i])
	}
	return t
}

// each calls f with the lines of an operation that may have had an effect, and their replies where
// they are known.
func each(op *history.Op, f func(line [][]byte, reply *model.Reply)) {
	if op.Body == nil {
		f(op.Cmd, op.Reply)
		return
	}
	known := op.Reply != nil && op.Reply.Kind == model.Array && len(op.Reply.Elems) == len(op.Body)
	if op.Reply != nil && !known {
		return // aborted, or refused
	}
	for i, line := range op.Body {
		if known {
			f(line, &op.Reply.Elems[i])
		} else {
			f(line, nil)
		}
	}
}

// need notes that unit i met a text.
func (t *texts) need(i int32, text string, from *origin) {
	w, made := from.maker[text]
	if !made || w == many || w == i || from.other(text) {
		return
	}
	id := t.ids[text]
	if id == 0 {
		id = int32(len(t.creator))
		t.ids[text], t.creator = id, append(t.creator, w)
	}
	t.needs[i] = append(t.needs[i], id)
}

func (o *origin) makes(text string, by int32) {
	if _, again := o.maker[text]; again && !o.uncounted {
		by = many
	}
	o.maker[text] = by
}

// other reports that a text may also have been made by an operation whose reply does not tell.
func (o *origin) other(text string) bool {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil && o.integers {
		return true
	}
	return slices.ContainsFunc(o.suffixes, func(s string) bool { return strings.HasSuffix(text, s) })
}

// line adds what a line may make.
func (o *origin) line(line [][]byte, reply *model.Reply, by int32) {
	if reply != nil && reply.Kind == model.Error {
		return
	}
	arg := func(i int) {
		if i < len(line) {
			o.makes(string(line[i]), by)
		}
	}
	switch lower(line[0]) {
	case "set", "setnx", "getset":
		arg(2)
	case "setex", "psetex":
		arg(3)
	case "mset", "msetnx":
		for i := 2; i < len(line); i += 2 {
			arg(i)
		}
	case "incr", "decr", "incrby", "decrby":
		if reply == nil || reply.Kind != model.Int {
			o.integers = true
		} else {
			o.makes(strconv.FormatInt(reply.Int, 10), by)
		}
	case "lpush", "rpush", "lpushx", "rpushx":
		for i := 2; i < len(line); i++ {
			arg(i)
		}
	case "linsert":
		arg(4)
	case "lset":
		arg(3)
	case "append":
		if len(line) > 2 {
			o.suffixes = append(o.suffixes, string(line[2]))
		}
	case "get", "mget", "getdel", "getex", "strlen", "getrange", "exists", "touch", "type", "del",
		"unlink", "expire", "pexpire", "expireat", "pexpireat", "persist", "ttl", "pttl", "expiretime",
		"pexpiretime", "rename", "renamenx", "copy", "move", "watch", "unwatch", "discard", "exec",
		"multi", "select", "time", "ping", "echo", "dbsize", "keys", "scan", "randomkey", "flushdb",
		"flushall", "object", "lpop", "rpop", "llen", "lrange", "lindex", "lrem", "ltrim", "lpos", "lmove",
		"rpoplpush", "lmpop", "blpop", "brpop", "blmove", "brpoplpush", "blmpop", "client":
	default:
		o.anything = true
	}
}

// met calls f with the texts that the reply to a line proves to have been there before it.
func met(line [][]byte, reply model.Reply, f func(text string)) {
	switch name := lower(line[0]); name {
	case "get", "getdel", "getex", "getset", "set": // SET answers a bulk only with GET
		if reply.Kind == model.Bulk {
			f(reply.Str)
		}
	case "lpop", "rpop", "lindex", "lmove", "rpoplpush", "blmove", "brpoplpush", "mget", "lrange":
		bulksOf(reply, f)
	case "lmpop", "blmpop", "blpop", "brpop":
		if len(reply.Elems) == 2 { // the first is the key
			bulksOf(reply.Elems[1], f)
		}
	case "incr", "decr", "incrby", "decrby":
		if by, ok := increment(name, line); ok && reply.Kind == model.Int {
			if before := reply.Int - by; before != 0 {
				f(strconv.FormatInt(before, 10))
			}
		}
	}
}

// bulksOf calls f with every bulk string of a reply.
func bulksOf(r model.Reply, f func(text string)) {
	if r.Kind == model.Bulk {
		f(r.Str)
	}
	for i := range r.Elems {
		bulksOf(r.Elems[i], f)
	}
}

// increment is by how much a counter was moved.
func increment(name string, line [][]byte) (int64, bool) {
	by, err := int64(1), error(nil)
	if len(line) > 2 {
		by, err = strconv.ParseInt(string(line[2]), 10, 64)
	}
	if name[0] == 'd' {
		by = -by
	}
	return by, err == nil && by != math.MinInt64
}

// learn gives the search what the texts prove.
func (g *general) learn(l *layout, slips slips) *facts {
	t := newTexts(l.part, slips)
	g.engine.texts = t
	for i := range g.first {
		g.first[i].has = t.in(g.first[i].state)
	}
	f := newFacts(len(t.creator))
	f.wants, f.given = make([][]int32, len(l.ops)), map[int32][]int32{}
	byUnit := map[int32]int32{}
	for i := range l.ops {
		byUnit[l.ops[i].unit] = int32(i)
		switch g.units[l.ops[i].unit].half {
		case starts:
		case collects:
			f.given[int32(i)] = t.needs[l.ops[i].unit]
		default:
			f.wants[i] = t.needs[l.ops[i].unit]
		}
		for _, id := range f.wants[i] {
			f.needers[id]++
		}
	}
	for id := 1; id < len(t.creator); id++ {
		f.unique[id], f.creator[id] = true, byUnit[t.creator[id]]
	}
	return f
}

// shows are the texts that operation i shows to have been made.
func (f *facts) shows(i int32) []int32 {
	if given := f.given[i]; given != nil {
		return given
	}
	return f.wants[i]
}

// tightenPasses is how often the intervals are gone through: more find a little more.
const tightenPasses = 4

// tighten makes intervals smaller. Who makes a text takes effect before all return that need it,
// and those after it is called. It gives two operations for which that leaves no order, if there
// are such.
func (f *facts) tighten(l *layout) (maker, needer int32) {
	for range tightenPasses {
		changed := false
		for i := range l.ops {
			for _, v := range f.shows(int32(i)) {
				w, n := &l.ops[f.creator[v]], &l.ops[i]
				if n.ret < w.ret {
					w.ret, w.hi, changed = n.ret, min(w.hi, n.hi), true
					w.flags &^= lost // it did happen
				}
				if w.call > n.call {
					n.call, n.lo, changed = w.call, max(n.lo, w.lo), true
				}
				if w.call > w.ret || n.call > n.ret {
					return f.creator[v], int32(i)
				}
			}
		}
		if !changed {
			break
		}
	}
	for i := range l.ops {
		for _, v := range f.wants[i] {
			f.lastCall[v] = max(f.lastCall[v], l.ops[i].call)
		}
	}
	return none, none
}
