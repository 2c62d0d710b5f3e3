package linear

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
	"rondo/spec/commands"
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
	foreign string  // a command that the model does not decide; "" if there is none
}

func (p *part) unanswered() int {
	n := 0
	for _, u := range p.units {
		if u.lost() {
			n++
		}
	}
	return n
}

// forest is a union-find over keys. Databases and connections take part as keys with names that no
// key has by themselves: they only ever join.
type forest map[node]node

type node struct {
	kind byte // 'k' key, 'd' the whole of a database, 'c' a connection's key-less commands
	key  key
}

func (f forest) root(n node) node {
	if _, ok := f[n]; !ok {
		f[n] = n
	}
	for f[n] != n {
		f[n] = f[f[n]]
		n = f[n]
	}
	return n
}

func (f forest) join(nodes []node) {
	for i := 1; i < len(nodes); i++ {
		f[f.root(nodes[i])] = f.root(nodes[0])
	}
}

// split returns the components in the order of their first calls. Operations that no key and no
// clock ties to anything (SELECT, CLIENT SETNAME, ...) belong to none.
func split(h *history.History) []*part {
	s := &splitter{h: h, forest: forest{}, of: make([]node, len(h.Ops)), whole: map[int]bool{}}
	for _, k := range h.Meta.Start {
		s.forest.root(node{'k', key{k.DB, string(k.Key)}})
	}
	conns := connections(h)
	for _, ops := range conns {
		s.connection(ops)
	}
	s.joinWhole()
	return s.parts(conns)
}

// connections lists the operations of each connection in the order sent, by client.
func connections(h *history.History) [][]int {
	by := map[int][]int{}
	for i, op := range h.Ops {
		by[op.Client] = append(by[op.Client], i)
	}
	clients := make([]int, 0, len(by))
	for c := range by {
		clients = append(clients, c)
	}
	slices.Sort(clients)
	out := make([][]int, 0, len(by))
	for _, c := range clients {
		slices.SortStableFunc(by[c], func(i, j int) int { return sentBefore(&h.Ops[i], &h.Ops[j]) })
		out = append(out, by[c])
	}
	return out
}

// sentBefore orders two operations of one connection: by call, and by position where calls tie.
func sentBefore(a, b *history.Op) int {
	switch {
	case a.Call != b.Call:
		return compare(a.Call, b.Call)
	default:
		return compare(int64(a.N), int64(b.N))
	}
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

type splitter struct {
	h      *history.History
	forest forest
	of     []node // by operation: a node of its component; the zero node: none
	whole  map[int]bool
}

// connection joins what one connection ties together.
func (s *splitter) connection(ops []int) {
	var watched []node
	last := -1 // the last operation with keys
	for _, i := range ops {
		op := &s.h.Ops[i]
		nodes := s.nodes(op)
		switch name := lower(op.Cmd[0]); name {
		case "watch":
			watched = append(watched, nodes...)
			nodes = slices.Clone(watched)
		case "exec", "discard", "unwatch", "reset":
			nodes = append(nodes, watched...)
			if op.Reply != nil {
				watched = nil
			}
		}
		if len(nodes) == 0 {
			s.of[i] = s.keyless(op)
			continue
		}
		if last >= 0 && op.Call <= s.h.Ops[last].Return {
			nodes = append(nodes, s.of[last])
		}
		s.forest.join(nodes)
		s.of[i], last = s.forest.root(nodes[0]), i
	}
}

// nodes lists the keys that an operation touches, and marks databases that it touches wholly.
func (s *splitter) nodes(op *history.Op) []node {
	db := op.DB
	nodes := s.lineNodes(op.Cmd, db)
	for _, line := range op.Body {
		nodes = append(nodes, s.lineNodes(line, db)...)
		if n, ok := selected(line); ok {
			db = n
		}
	}
	return nodes
}

func (s *splitter) lineNodes(line [][]byte, db int) []node {
	var nodes []node
	for _, at := range commands.Keys(line) {
		nodes = append(nodes, node{'k', key{db, string(line[at])}})
	}
	switch name := lower(line[0]); name {
	case "move":
		if n, ok := number(line, 2); ok && len(nodes) > 0 {
			nodes = append(nodes, node{'k', key{n, string(line[1])}})
		}
	case "copy":
		for i := 3; i+1 < len(line) && len(nodes) == 2; i++ {
			if n, ok := number(line, i+1); ok && lower(line[i]) == "db" {
				nodes = append(nodes, node{'k', key{n, string(line[2])}})
			}
		}
	case "flushall", "swapdb":
		for d := range databases(s.h) {
			nodes = append(nodes, node{'d', key{db: d}})
			s.whole[d] = true
		}
	case "flushdb", "dbsize", "keys", "scan", "randomkey":
		nodes = append(nodes, node{'d', key{db: db}})
		s.whole[db] = true
	}
	return nodes
}

// keyless decides where an operation without keys goes. The clock and the echo of a connection are
// judged by themselves; what only changes the connection is not judged here (other cases do).
func (s *splitter) keyless(op *history.Op) node {
	switch lower(op.Cmd[0]) {
	case "ping", "echo", "time", "exec", "discard", "unwatch", "reset":
		n := node{'c', key{db: op.Client}}
		s.forest.root(n)
		return n
	}
	return node{}
}

// joinWhole ties all keys of a database together where a command asked about all of it.
func (s *splitter) joinWhole() {
	for n := range s.forest {
		if n.kind == 'k' && s.whole[n.key.db] {
			s.forest.join([]node{n, {'d', key{db: n.key.db}}})
		}
	}
}

// parts gathers the operations of each component and finishes them.
func (s *splitter) parts(conns [][]int) []*part {
	byRoot := map[node]*part{}
	var out []*part
	order := make([]int, len(s.h.Ops))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return compare(s.h.Ops[i].Call, s.h.Ops[j].Call)
	})
	units := make([]*unit, len(s.h.Ops))
	outside := s.outside()
	for _, i := range order {
		if s.of[i] == (node{}) {
			continue
		}
		root := s.forest.root(s.of[i])
		p := byRoot[root]
		if p == nil {
			p = &part{meta: s.h.Meta, foreign: outside}
			byRoot[root], out = p, append(out, p)
		}
		units[i] = newUnit(&s.h.Ops[i], len(p.units))
		p.units = append(p.units, units[i])
	}
	for n := range s.forest {
		if p := byRoot[s.forest.root(n)]; p != nil && n.kind == 'k' {
			p.keys = append(p.keys, n.key)
		}
	}
	for _, p := range out {
		p.finish(s.h, conns, units)
	}
	return out
}

// outside finds a command that the model knows nothing about and that the server did not refuse.
// It may have changed any key, so that nothing can be said of any component.
func (s *splitter) outside() string {
	for i := range s.h.Ops {
		op := &s.h.Ops[i]
		if op.Reply != nil && op.Reply.Kind == model.Error {
			continue
		}
		for _, line := range append([][][]byte{op.Cmd}, op.Body...) {
			if _, known := commands.Find(line); !known {
				return strings.ToUpper(string(line[0]))
			}
		}
	}
	return ""
}

// finish computes what depends on the component as a whole.
func (p *part) finish(h *history.History, conns [][]int, units []*unit) {
	slices.SortFunc(p.keys, func(a, b key) int {
		if a.db != b.db {
			return a.db - b.db
		}
		return strings.Compare(a.name, b.name)
	})
	selects := false
	for _, u := range p.units {
		selects = selects || u.selects()
		if name := u.foreign(); name != "" && p.foreign == "" {
			p.foreign = name
		}
	}
	for _, u := range p.units {
		u.prepare(p.meta, selects)
	}
	member := map[*unit]bool{}
	for _, u := range p.units {
		member[u] = true
	}
	for _, ops := range conns {
		var own []*unit
		for _, i := range ops {
			if units[i] != nil && member[units[i]] {
				own = append(own, units[i])
			}
		}
		p.number(own)
	}
	p.clients = clientsAtOnce(p.units)
}

// number gives the operations of one connection, in the order sent, their positions, if any two of
// them overlap. A tie of return and next call counts as an overlap, as porcupine counts it.
func (p *part) number(own []*unit) {
	overlap := false
	for i := 1; i < len(own); i++ {
		overlap = overlap || own[i].rec.Call <= own[i-1].rec.Return
	}
	if !overlap {
		return
	}
	for i, u := range own {
		u.conn, u.pos, u.final = p.conns, i, i == len(own)-1
	}
	p.conns++
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
	most := 0
	for _, l := range lives {
		n := 0
		for _, m := range lives {
			if m.from <= l.from && l.from <= m.to {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func newUnit(op *history.Op, index int) *unit {
	return &unit{
		rec: op, index: index, client: model.Client(op.Client), reply: op.Reply, conn: -1,
	}
}

// selects reports that the unit needs databases to be told apart.
func (u *unit) selects() bool {
	for _, line := range u.rec.Body {
		if _, ok := selected(line); ok {
			return true
		}
	}
	return u.rec.DB != 0
}

// foreign names a command of the unit that the model does not decide.
func (u *unit) foreign() string {
	for _, line := range append([][][]byte{u.rec.Cmd}, u.rec.Body...) {
		if !model.Models(line) {
			return strings.ToUpper(string(line[0]))
		}
	}
	return ""
}

// prepare spells out the lines of the unit and computes its window.
func (u *unit) prepare(meta history.Meta, selects bool) {
	if selects {
		u.lines = append(u.lines, words("SELECT", strconv.Itoa(u.rec.DB)))
	}
	switch name := lower(u.rec.Cmd[0]); {
	case name == "exec" && !u.refusedWithoutMulti():
		u.lines = append(u.lines, words("MULTI"))
		u.lines = append(u.lines, u.rec.Body...)
	case name == "discard" && !u.refusedWithoutMulti():
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
	low, high := int64(0), int64(tick)
	if meta.Offset != nil {
		low, high = meta.Offset.Low, meta.Offset.High
	}
	lo = floor(plus(plus(op.Call, low), -meta.Slack))
	if op.Return == history.Never {
		return lo, inf
	}
	return lo, floor(plus(op.Return, high))
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

// databases is how many databases a recording needs: Redis' sixteen, or as many as it names.
func databases(h *history.History) int {
	n := 16
	for i := range h.Ops {
		n = max(n, h.Ops[i].DB+1)
	}
	for _, k := range h.Meta.Start {
		n = max(n, k.DB+1)
	}
	return n
}
