package linear

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rondo/model"
	"rondo/spec/commands"
)

// This file decides a component of which some operations are weakened. Deleting an operation from
// a history would make other replies impossible for a silly reason (a read of a value that now
// nobody wrote). Weakening keeps the meaning: the operation may have taken effect, with the reply
// it got, at any time after its call, or not at all. Whatever explains the whole history explains
// it so weakened; so what is illegal weakened is illegal whatever the weakened operations did.
//
// Weakened operations are not searched over one by one, or each would double the search (trail.go).
// Three approximations make what they can do small; each only adds behaviour, so that "illegal"
// stays sound and at worst an operation stays in the core that need not:
//   - an operation may happen any number of times. That stays finite because it needs its reply
//     each time (INCR answers 5 only from 4). Only where the reply was lost, and the command
//     changes a value rather than setting it, or where there are few, are the times counted;
//   - where many configurations differ in their instants only, they are merged into the smallest
//     zone that includes them all;
//   - commands that differ only in a value that no other operation can tell are one.
//
// And a view may be cut: what returned before its edge is replaced by all states that it can have
// left (edge.go), so that a million operations before the edge cost nothing.

// view is one question about a component: these operations kept, those weakened, and some of the
// rules lifted.
type view struct {
	part       *part
	kept, weak []*unit
	cut        bool  // what returned before edge is in neither
	edge       int64 // ns

	free       func(*unit) bool // leave time out for these
	allFree    bool             // for all, and for the weakened
	late       int64            // ticks by which every reading may be older than its window
	noOrder    bool             // pipelined operations in any order (LIN-6 lifted)
	noRealTime bool             // any order at all (LIN-2 lifted)
	noWatch    bool             // EXEC succeeds whatever was watched (LIN-8 lifted)
	noAtomic   bool             // the commands of EXEC one by one (LIN-7 lifted)
	often      bool             // lost operations happen as often as they like (LIN-5 lifted)
	change     func(*unit)      // of what is known of kept operations
	coarse     bool             // weakened operations are simplified further (coarse.go)
}

// keptUnits copies the kept operations with the lifted rules applied.
func (v view) keptUnits() []*unit {
	var out []*unit
	kept := v.kept
	if v.noAtomic {
		kept = takeApart(kept)
	}
	for _, u := range kept {
		if v.noWatch && (lower(u.rec.Cmd[0]) == "watch" || u.isNullExec()) || v.blind(u) {
			continue
		}
		out = append(out, v.lift(u))
	}
	return out
}

func (v view) lift(u *unit) *unit {
	c := *u
	c.lo = plus(c.lo, -v.late)
	if v.allFree {
		c.lo, c.hi = -inf, inf
	}
	c.free = v.allFree || v.free != nil && v.free(u)
	if v.noRealTime {
		rec := *c.rec
		rec.Call = 0
		if !c.lost() {
			rec.Return = inf - 1
		}
		c.rec = &rec
	}
	if v.change != nil {
		v.change(&c)
	}
	return &c
}

// blind: the EXEC answered null, and what it watched is not known, since it began before the edge.
func (v view) blind(u *unit) bool {
	if !v.cut || !u.isNullExec() {
		return false
	}
	for i := u.index - 1; i >= 0; i-- {
		if w := v.part.units[i]; w.client == u.client {
			switch lower(w.rec.Cmd[0]) {
			case "watch":
				if w.rec.Call < v.edge {
					return true
				}
			case "exec", "discard", "unwatch", "reset":
				return false
			}
		}
	}
	return false
}

func (u *unit) isNullExec() bool {
	return lower(u.rec.Cmd[0]) == "exec" && u.reply != nil && u.reply.IsNull()
}

// takeApart replaces the transactions by their commands.
func takeApart(units []*unit) []*unit {
	var out []*unit
	for _, u := range units {
		out = append(out, u.takeApart()...)
	}
	return out
}

// takeApart gives the commands of a transaction one by one, each with its part of the reply.
func (u *unit) takeApart() []*unit {
	if u.rec.Body == nil || u.reply == nil || len(u.reply.Elems) != len(u.rec.Body) {
		return []*unit{u}
	}
	var out []*unit
	before := u.lines[:len(u.lines)-len(u.rec.Body)-2] // SELECT, if databases are told apart
	for i, line := range u.rec.Body {
		c, rec := *u, *u.rec
		rec.Cmd, rec.Body = line, nil
		c.rec, c.lines = &rec, append(slices.Clone(before), line)
		c.reply, c.conn = &u.reply.Elems[i], -1
		out = append(out, &c)
	}
	return out
}

// numberAgain gives the operations of each pipelining connection positions among those kept.
func (v view) numberAgain(units []*unit) (conns int) {
	type chain struct {
		conn int
		call int64 // of an operation of two halves, whose order no rule lifts
	}
	last := map[int]*unit{}
	number := map[chain]int{}
	for _, u := range units {
		of := chain{conn: u.conn}
		if v.noOrder || v.noAtomic {
			if u.half == whole {
				u.conn = -1
			}
			of.call = u.rec.Call
		}
		if u.conn < 0 {
			continue
		}
		conn, ok := number[of]
		if !ok {
			conn = conns
			number[of] = conn
			conns++
		}
		u.conn, u.pos, u.final = conn, 0, true
		if before := last[conn]; before != nil {
			u.pos, before.final = before.pos+1, false
		}
		last[conn] = u
	}
	return conns
}

// class is one or several weakened operations that are interchangeable.
type class struct {
	unit    *unit   // the one called first: it may happen whenever the others may
	all     []*unit // as they were before they were weakened
	calls   []int64 // of all, sorted
	repeats bool    // it may happen any number of times
	count   int     // otherwise its place in config.used
}

// classes groups the weakened operations. Pure reads vanish, as do the session commands of a
// connection of which no EXEC is kept: a transaction without its watches can do no less. False
// means that v is coarse and these kept operations do not allow that.
func (v view) classes(kept []*unit) ([]*class, bool) {
	execs := map[model.Client]bool{}
	for _, u := range kept {
		execs[u.client] = execs[u.client] || lower(u.rec.Cmd[0]) == "exec"
	}
	seen := v.seen(kept)
	if v.coarse && !seen.exact() || (v.coarse || v.cut) && v.part.lists() {
		return nil, false
	}
	g := grouping{view: v, seen: seen, by: map[string]*class{}}
	for _, u := range v.weak {
		session := isSession(u) || u.isNullExec() // which also ends the watches
		if session && !execs[u.client] || !session && u.half == whole && u.inert() {
			continue
		}
		weak := v.weakened(u)
		if !session && !execs[u.client] && u.half == whole {
			weak.client = outsider
		}
		if !g.add(u, weak, session) {
			return nil, false
		}
	}
	n := 0
	for _, c := range g.out {
		n += len(c.calls)
	}
	for _, c := range g.out {
		if n <= countedMax && !v.coarse && !isSession(c.unit) {
			c.repeats = false
		}
	}
	return g.out, true
}

// countedMax: so few weakened operations are counted, each at most once, whatever they do.
const countedMax = 6

// weakened is the operation without its return and its place on the connection.
func (v view) weakened(u *unit) *unit {
	weak := *u
	weak.hi, weak.conn = inf, -1
	weak.lo = plus(u.lo, -v.late)
	if v.allFree {
		weak.lo, weak.free = -inf, true
	}
	return &weak
}

// grouping collects classes.
type grouping struct {
	view view
	seen *observations
	by   map[string]*class
	out  []*class
}

// add puts an operation, or what a coarse view makes of it, into classes.
func (g *grouping) add(was, u *unit, session bool) bool {
	variants := []*unit{u}
	if g.view.coarse && !session {
		var ok bool
		if variants, ok = g.seen.coarsen(u); !ok {
			return false
		}
	}
	for _, w := range variants {
		sign := fmt.Sprintf("%d %d %s", w.client, w.half, g.seen.sign(w))
		if c := g.by[sign]; c != nil && !session {
			c.calls, c.all = append(c.calls, w.rec.Call), append(c.all, was)
			continue
		}
		c := &class{unit: w, all: []*unit{was}, calls: []int64{w.rec.Call},
			repeats: g.view.coarse || w.repeats()}
		g.by[sign], g.out = c, append(g.out, c)
	}
	return true
}

// oftenMax stands for "more than once".
const oftenMax = 3

// isSession reports commands whose effect is on their connection.
func isSession(u *unit) bool {
	switch lower(u.rec.Cmd[0]) {
	case "watch", "unwatch", "discard", "reset", "select":
		return true
	}
	return false
}

// everyLine reports that f holds for the command, or for each command of the transaction.
func (u *unit) everyLine(f func(line [][]byte) bool) bool {
	if u.rec.Body == nil {
		return f(u.rec.Cmd)
	}
	return !slices.ContainsFunc(u.rec.Body, func(line [][]byte) bool { return !f(line) })
}

func (u *unit) readsOnly() bool {
	return lower(u.rec.Cmd[0]) != "exec" && u.everyLine(readsLine)
}

func readsLine(line [][]byte) bool {
	switch lower(line[0]) {
	case "ping", "echo", "time", "touch":
		return true
	}
	c, ok := commands.Find(line)
	return ok && slices.Contains(c.Flags, "readonly")
}

// setters are the write commands that lead to finitely many values, however often and in whatever
// mix they happen.
const setters = " set setnx setex psetex getset getdel getex mset msetnx del unlink expire " +
	"pexpire expireat pexpireat persist rename renamenx copy move flushdb flushall "

func isSetter(line [][]byte) bool {
	return strings.Contains(setters, " "+lower(line[0])+" ")
}

// repeats: happening any number of times leads to finitely many states.
func (u *unit) repeats() bool {
	if !u.lost() || isSession(u) {
		return true
	}
	return u.everyLine(func(line [][]byte) bool { return isSetter(line) || readsLine(line) })
}

// observations is what the operations can tell about values. A value that none of them can tell
// from any other is just "some value", and commands that store one are interchangeable.
type observations struct {
	values  map[string]bool           // in replies, or met by a counter
	accepts []func(value string) bool // of commands that look inside a value
	all     bool                      // by a command of which this is not known
}

// seen is what can tell values in this view.
func (v view) seen(kept []*unit) *observations {
	if v.coarse {
		return observed(kept, nil)
	}
	return observed(kept, v.weak)
}

func observed(kept, weak []*unit) *observations {
	o := &observations{values: map[string]bool{}}
	for _, u := range kept {
		o.unit(u)
	}
	for _, u := range weak {
		if !u.inert() { // it has vanished
			o.unit(u)
		}
	}
	return o
}

// unit notes what the commands of u can tell, beyond what their replies show.
func (o *observations) unit(u *unit) {
	if u.reply != nil {
		o.collect(*u.reply)
	}
	if u.rec.Body == nil {
		o.line(u.rec.Cmd, u.reply)
		return
	}
	for i, line := range u.rec.Body {
		switch {
		case u.reply != nil && u.reply.Kind == model.Array && i < len(u.reply.Elems):
			o.line(line, &u.reply.Elems[i])
		case u.reply == nil:
			o.line(line, nil)
		}
	}
}

// line: what a command that got this reply (nil: lost) says about the value it met.
func (o *observations) line(line [][]byte, reply *model.Reply) {
	name := lower(line[0])
	switch name {
	case "incr", "decr", "incrby", "decrby", "append", "strlen", "getrange", "setrange",
		"incrbyfloat", "object":
	default:
		return // passes values on whole, or looks at none
	}
	by, ok := delta(line)
	switch {
	case reply == nil || reply.Kind == model.Error:
		o.all = true
	case ok && strings.HasPrefix(name, "incr"):
		o.values[strconv.FormatInt(reply.Int-by, 10)] = true
	case ok:
		o.values[strconv.FormatInt(reply.Int+by, 10)] = true
	case name == "append" && len(line) == 3:
		o.accept(func(v string) bool { return int64(len(v)+len(line[2])) == reply.Int })
	case name == "strlen":
		o.accept(func(v string) bool { return int64(len(v)) == reply.Int })
	case name == "getrange":
		o.accept(func(v string) bool { return strings.Contains(v, reply.Str) })
	case name == "setrange":
		o.accept(func(v string) bool { return int64(len(v)) <= reply.Int })
	default:
		o.all = true
	}
}

// delta is by how much a counter command counts.
func delta(line [][]byte) (int64, bool) {
	switch name := lower(line[0]); {
	case (name == "incr" || name == "decr") && len(line) == 2:
		return 1, true
	case (name == "incrby" || name == "decrby") && len(line) == 3:
		n, err := strconv.ParseInt(string(line[2]), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func (o *observations) accept(f func(string) bool) { o.accepts = append(o.accepts, f) }

func (o *observations) collect(r model.Reply) {
	o.values[r.Str] = true
	for _, e := range r.Elems {
		o.collect(e)
	}
}

// tell reports that some operation may tell the value from others.
func (o *observations) tell(value string) bool {
	return o.all || o.values[value] ||
		slices.ContainsFunc(o.accepts, func(f func(string) bool) bool { return f(value) })
}

// sign is equal for operations that the others cannot tell apart.
func (o *observations) sign(u *unit) string {
	var b bytes.Buffer
	for _, line := range u.lines {
		at := valueAt(line)
		for i, word := range line {
			if i == at && !o.tell(string(word)) {
				word = []byte(anyValue)
			}
			b.Write(word)
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	if u.reply != nil {
		b.WriteString(u.reply.String())
	}
	return b.String()
}

// valueAt is where a command has the value it stores; -1 if it has none or several.
func valueAt(line [][]byte) int {
	switch lower(line[0]) {
	case "set", "setnx", "getset":
		return 2
	case "setex", "psetex":
		return 3
	}
	return -1
}
