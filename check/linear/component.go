package linear

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// This file cuts a history into components that can be judged one by one.
//
// Why that is sound (LIN-9): give each component the real instants of its own witness and merge
// them by time. Real-time precedence holds, since what returned before another was called has the
// earlier instant, and components share no state. So the whole is legal if each part is. The
// converse is plain restriction. Four things tie keys together and are joined first:
//   - the keys of one command, and of one transaction;
//   - the keys that a connection watches, with those of the EXEC that looks at them;
//   - the keys of operations that overlap on one connection: they take effect in the order sent
//     (LIN-6), and two connections that pipeline "SET a; GET b" and "SET b; GET a" can get nil and
//     nil for each key alone, but not for both;
//   - a command about the whole keyspace, which joins all keys of its database.
//
// With slack the clock of two components need not run forwards relative to each other; that accepts
// a little more than one clock would, and never less.

// key is a key of one database.
type key struct {
	db   int
	name string
}

func (k key) String() string {
	if k.db == 0 {
		return k.name
	}
	return strconv.Itoa(k.db) + ":" + k.name
}

// part is one component, ready to be searched.
type part struct {
	meta    history.Meta
	keys    []key
	units   []*unit // by call
	conns   int     // connections on which operations overlap
	clients int     // see Component.Clients
	found   outcome // once it was searched, for the explanation
	core    view    // once it was explained, for the grades
	slow    []*unit // see longest
	length  int64   // ns, see longest
	foreign string  // a command that the model does not decide; "" if there is none
	slab    []unit  // room for units
	selects bool    // an earlier operation of the component was outside database 0
	// from, where set, is what the component starts from instead of the recording's start.
	from    []config
	first   *standing        // the same of one key
	origins map[string]int64 // see findOrigins
	wild    int64
	traced  int // operations in origins
	// unblocking are those that may have ended somebody's waiting; nil: not looked for yet.
	unblocking []*unit
}

func (p *part) unanswered() int {
	n := 0
	for _, u := range p.units {
		if u.lost() && u.half != collects {
			n++
		}
	}
	return n
}

// split returns the components in the order of their first calls. Operations that no key and no
// clock ties to anything (SELECT, CLIENT SETNAME, ...) belong to none.
func split(h *history.History) []*part {
	s := newSplitter(h.Meta)
	order := callOrder(h.Ops)
	of := make([]int32, len(order))
	for i, at := range order {
		of[i] = s.add(&h.Ops[at])
	}
	sizes := make([]int32, len(s.nodes))
	for i, n := range of {
		if n != none {
			of[i] = s.root(n)
			halves(h.Ops[order[i]].Cmd, func(half) { sizes[of[i]]++ })
		}
	}
	byRoot := make([]*part, len(s.nodes))
	var out []*part
	for i, at := range order {
		if of[i] == none {
			continue
		}
		p := byRoot[of[i]]
		if p == nil {
			p = &part{meta: h.Meta, foreign: s.outside}
			p.units, p.slab = make([]*unit, 0, sizes[of[i]]), make([]unit, sizes[of[i]])
			byRoot[of[i]], out = p, append(out, p)
		}
		p.add(&h.Ops[at])
	}
	for n := range s.nodes {
		if p := byRoot[s.root(int32(n))]; p != nil && s.nodes[n].kind == 'k' {
			p.keys = append(p.keys, s.nodes[n].key)
		}
	}
	inParallel(len(out), func(i int) { out[i].finish() })
	return out
}

// Of is what h says of the components of these keys (of database 0; others as "3:key").
func Of(h *history.History, keys []string) *history.History {
	wanted := map[string]bool{}
	for _, name := range keys {
		wanted[name] = true
	}
	out := &history.History{Meta: h.Meta, Marks: h.Marks}
	for _, p := range split(h) {
		if slices.ContainsFunc(names(p), func(name string) bool { return wanted[name] }) {
			out.Ops = append(out.Ops, opsOf(p.units)...)
		}
	}
	return out
}

// callOrder is the order of calls; operations of one connection whose calls tie are in the order
// sent.
func callOrder(ops []history.Op) []int32 {
	order := make([]int32, len(ops))
	for i := range order {
		order[i] = int32(i)
	}
	byCall := func(i, j int32) int {
		a, b := &ops[i], &ops[j]
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Client, b.Client), cmp.Compare(a.N, b.N))
	}
	if !slices.IsSortedFunc(order, byCall) {
		slices.SortStableFunc(order, byCall)
	}
	return order
}

// sentBefore orders two operations of one connection: by call, and by position where calls tie.
func sentBefore(a, b *history.Op) int {
	return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.N, b.N))
}

// add appends an operation, whose units lie in the slab.
func (p *part) add(op *history.Op) {
	halves(op.Cmd, func(h half) {
		u := &p.slab[0]
		p.slab = p.slab[1:]
		*u = newUnit(op, h)
		u.index = len(p.units)
		p.units = append(p.units, u)
	})
}

func newUnit(op *history.Op, h half) unit {
	return unit{rec: op, half: h, client: model.Client(op.Client), reply: op.Reply, conn: -1}
}

// ops counts operations.
func (p *part) ops() int {
	n := 0
	for _, u := range p.units {
		if u.half != collects {
			n++
		}
	}
	return n
}

// finish computes what depends on the component as a whole.
func (p *part) finish() {
	slices.SortFunc(p.keys, func(a, b key) int {
		return cmp.Or(a.db-b.db, strings.Compare(a.name, b.name))
	})
	words := newVocabulary()
	several := p.selects
	for _, u := range p.units {
		several = several || selects(u.rec)
		if p.foreign == "" {
			p.foreign = words.foreign(u.rec)
		}
	}
	lines := make([][][]byte, len(p.units))
	for i, u := range p.units {
		u.prepare(p.meta, several, lines[i:i:i+1])
	}
	p.number()
	p.clients = clientsAtOnce(p.units)
}

// number gives the operations of each connection, in the order sent, their positions, if any two of
// them overlap. A tie of return and next call counts as an overlap, as porcupine counts it.
func (p *part) number() {
	type conn struct {
		last       *unit
		overlap    bool
		number, at int
	}
	conns := map[int]*conn{}
	for _, u := range p.units {
		c := conns[u.rec.Client]
		if c == nil {
			c = &conn{number: -1}
			conns[u.rec.Client] = c
		}
		c.overlap = c.overlap || c.last != nil && u.rec.Call <= c.last.rec.Return
		c.last = u
	}
	p.conns = 0
	for _, u := range p.units {
		c := conns[u.rec.Client]
		u.conn, u.pos, u.final = -1, 0, false
		if !c.overlap {
			continue
		}
		if c.number < 0 {
			c.number = p.conns
			p.conns++
		}
		u.conn, u.pos, u.final = c.number, c.at, u == c.last
		c.at++
	}
}

// clientsAtOnce counts connections whose lives overlap: from the first call to the last return, or
// to the last call if that was never answered.
func clientsAtOnce(units []*unit) int {
	type life struct{ from, to int64 }
	lives := map[int]*life{}
	for _, u := range units {
		end := u.rec.Return
		if u.lost() {
			end = u.rec.Call
		}
		if l := lives[u.rec.Client]; l == nil {
			lives[u.rec.Client] = &life{u.rec.Call, end}
		} else {
			l.to = max(l.to, end)
		}
	}
	var from, to []int64
	for _, l := range lives {
		from, to = append(from, l.from), append(to, l.to)
	}
	slices.Sort(from)
	slices.Sort(to)
	most, ended := 0, 0
	for i, at := range from {
		for to[ended] < at {
			ended++
		}
		most = max(most, i+1-ended)
	}
	return most
}

// selects reports that the operation needs databases to be told apart.
func selects(op *history.Op) bool {
	for _, line := range op.Body {
		if _, ok := selected(line); ok {
			return true
		}
	}
	return op.DB != 0
}

// prepare spells out the lines of the unit, in the room given if there is one line, and computes
// its window.
func (u *unit) prepare(meta history.Meta, selects bool, lines [][][]byte) {
	u.lines = lines
	if selects {
		u.lines = append(u.lines, words("SELECT", strconv.Itoa(u.rec.DB)))
	}
	switch {
	case is(u.rec.Cmd[0], "exec") && !u.refusedWithoutMulti():
		u.lines = append(u.lines, words("MULTI"))
		u.lines = append(u.lines, u.rec.Body...)
	case is(u.rec.Cmd[0], "discard") && !u.refusedWithoutMulti():
		u.lines = append(u.lines, words("MULTI"))
	}
	u.lines = append(u.lines, u.rec.Cmd)
	u.lo, u.hi = window(u.rec, meta)
}

// refusedWithoutMulti recognises an EXEC or DISCARD outside a transaction, which has a line too.
func (u *unit) refusedWithoutMulti() bool {
	return u.rec.Body == nil && u.reply != nil && u.reply.Kind == model.Error &&
		strings.HasSuffix(u.reply.Str, "without MULTI")
}

const tick = 1_000_000 // the server's clock counts milliseconds; recordings count ns

// window is the range of ticks that the server's clock can have shown while the operation ran
// (LIN-4). Call and return differ from the server's clock by an offset within [Low, High], and a
// reading may be Slack old:
//
//	lo = F(call + Low - Slack)    hi = F(return + High)    F(x) = floor(x / tick)
//
// If the offset is not known, it is an unknown number of whole ticks, which is a variable of the
// zone, plus an unknown part p of a tick, 0 <= p < tick. F(x+p) is F(x) or F(x)+1, so one more tick
// at the end covers every p. That loses at most one millisecond and is never wrongly illegal; but
// each component may pick its own offset, so less is found.
func window(op *history.Op, meta history.Meta) (lo, hi int64) {
	lo, hi = windowOf(op.Call, op.Return, meta)
	if op.Return == history.Never {
		return lo, inf
	}
	return lo, hi
}

func windowOf(call, ret int64, meta history.Meta) (lo, hi int64) {
	low, high := int64(0), int64(tick)
	if meta.Offset != nil {
		low, high = meta.Offset.Low, meta.Offset.High
	}
	return floor(plus(plus(call, low), -meta.Slack)), floor(plus(ret, high))
}

// floor divides by tick, rounding down also below zero.
func floor(ns int64) int64 {
	q := ns / tick
	if ns%tick < 0 {
		q--
	}
	return q
}

func words(w ...string) [][]byte {
	out := make([][]byte, len(w))
	for i, s := range w {
		out[i] = []byte(s)
	}
	return out
}

func compare(a, b int64) int { return cmp.Compare(a, b) }

// is compares a word of a command, in any case; name is in lower case.
func is(word []byte, name string) bool {
	return len(word) == len(name) && strings.EqualFold(string(word), name)
}

func lower(b []byte) string { return string(bytes.ToLower(b)) }

func number(line [][]byte, at int) (int, bool) {
	if at >= len(line) {
		return 0, false
	}
	n, err := strconv.Atoi(string(line[at]))
	return n, err == nil && n >= 0
}

// selected reports the database that a SELECT line asks for.
func selected(line [][]byte) (int, bool) {
	if len(line) != 2 || lower(line[0]) != "select" {
		return 0, false
	}
	return number(line, 1)
}
