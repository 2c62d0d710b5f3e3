package linear

import (
	"iter"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
	"rondo/spec/commands"
)

// This file finds out, operation by operation in call order, which component an operation belongs
// to, and which components it ties together (component.go says what does). Keys, databases and
// connections become numbers once, and a forest over these numbers holds the components, so that an
// operation costs two or three look-ups.

// splitter is the knowledge of a recording's components so far.
type splitter struct {
	nodes   []node
	parent  []int32
	size    []int32
	keys    map[int]map[string]int32 // by database, by name
	whole   map[int]int32            // the node of a database that an operation asked about as a whole
	all     int32                    // and of all databases; or none
	conns   map[int]*conn
	outside string // a command that nothing is known about, which the server did not refuse
	words   *vocabulary
	touched []int32 // scratch
	free    []int32 // nodes of components that were forgotten
	// joined, where set, hears that the components of two roots are about to become one.
	joined func(into, from int32)
}

// node is what takes part in components: a key, a whole database, or a connection's commands
// without keys.
type node struct {
	kind    byte  // 'k', 'd', 'c', or 'u' for a command that unblocks
	key     key   // of 'c', db is the client
	next    int32 // the nodes of a component form a ring
	watches int32 // connections that watch the key
	done    bool  // no operation will name the key any more, or be unblocked
}

// conn is what one connection ties together.
type conn struct {
	watched []int32
	last    int32 // the node of its last operation with keys
	end     int64 // and when that returned,
	called  int64 // and was called
	own     int32 // the node of its commands without keys
	// unblocked is the node of the last command that may unblock it, which is over then.
	unblocked    int32
	unblockedEnd int64
}

func newSplitter(meta history.Meta) *splitter {
	s := &splitter{keys: map[int]map[string]int32{}, whole: map[int]int32{}, all: none,
		conns: map[int]*conn{}, words: newVocabulary()}
	for _, k := range meta.Start {
		s.keyNode(k.DB, k.Key)
	}
	return s
}

func (s *splitter) newNode(kind byte, k key) int32 {
	n := int32(len(s.nodes))
	if last := len(s.free) - 1; last >= 0 {
		n, s.free = s.free[last], s.free[:last]
	} else {
		s.nodes = append(s.nodes, node{})
		s.parent, s.size = append(s.parent, 0), append(s.size, 0)
	}
	s.nodes[n] = node{kind: kind, key: k, next: n}
	s.parent[n], s.size[n] = n, 1
	return n
}

func (s *splitter) root(n int32) int32 {
	for s.parent[n] != n {
		s.parent[n] = s.parent[s.parent[n]]
		n = s.parent[n]
	}
	return n
}

// join makes the components of a and b one.
func (s *splitter) join(a, b int32) {
	a, b = s.root(a), s.root(b)
	if a == b {
		return
	}
	if s.size[a] < s.size[b] {
		a, b = b, a
	}
	if s.joined != nil {
		s.joined(a, b)
	}
	s.parent[b] = a
	s.size[a] += s.size[b]
	s.nodes[a].next, s.nodes[b].next = s.nodes[b].next, s.nodes[a].next
}

// members are the nodes of a component.
func (s *splitter) members(root int32) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for n := root; yield(&s.nodes[n]); {
			if n = s.nodes[n].next; n == root {
				return
			}
		}
	}
}

// keysOf lists the keys of a component.
func (s *splitter) keysOf(root int32) (keys []key) {
	for n := range s.members(root) {
		if n.kind == 'k' {
			keys = append(keys, n.key)
		}
	}
	return keys
}

// find finds a key by its name in a report (key.String).
func (s *splitter) find(name string) (int32, bool) {
	if n, ok := s.keys[0][name]; ok {
		return n, true
	}
	number, rest, _ := strings.Cut(name, ":")
	db, err := strconv.Atoi(number)
	n, ok := s.keys[db][rest]
	return n, ok && err == nil && db > 0
}

// allDone: no operation will name a key of the component, or ask about its database.
func (s *splitter) allDone(root int32) bool {
	for n := range s.members(root) {
		if n.kind != 'k' && n.kind != 'u' || !n.done {
			return false
		}
	}
	return true
}

func (s *splitter) watched(root int32) bool {
	for n := range s.members(root) {
		if n.watches > 0 {
			return true
		}
	}
	return false
}

// forget frees the nodes of a component. A connection's last operation with keys may have been in
// it, which matters no more once that has returned.
func (s *splitter) forget(root int32) {
	for n := root; ; {
		x := &s.nodes[n]
		switch x.kind {
		case 'k':
			delete(s.keys[x.key.db], x.key.name)
		case 'c':
			if c := s.conns[x.key.db]; c != nil {
				c.own = none
			}
		case 'u':
			for _, c := range s.conns {
				if c.unblocked == n {
					c.unblocked = none
				}
			}
		}
		s.free = append(s.free, n)
		if n = x.next; n == root {
			return
		}
	}
}

// prune forgets connections that have been quiet since then, when there are many.
func (s *splitter) prune(since int64) {
	if len(s.conns) < connsMax {
		return
	}
	for client, c := range s.conns {
		over := (c.end < since || c.end == history.Never && c.called < since) && c.unblockedEnd < since
		if over && len(c.watched) == 0 && c.own == none {
			delete(s.conns, client)
		}
	}
}

// connsMax is how many connections are remembered before quiet ones are forgotten.
const connsMax = 10_000

// keyNode is the number of a key. A new key of a database that somebody asked about as a whole
// belongs to that component.
func (s *splitter) keyNode(db int, name []byte) int32 {
	names := s.keys[db]
	if n, ok := names[string(name)]; ok {
		return n
	}
	if names == nil {
		names = map[string]int32{}
		s.keys[db] = names
	}
	k := key{db, string(name)}
	n := s.newNode('k', k)
	names[k.name] = n
	if s.all != none {
		s.join(s.all, n)
	} else if d, ok := s.whole[db]; ok {
		s.join(d, n)
	}
	return n
}

// wholeNode is the number of a database, which ties all its keys together from now on.
func (s *splitter) wholeNode(db int) int32 {
	if s.all != none {
		return s.all
	}
	d, ok := s.whole[db]
	if !ok {
		d = s.newNode('d', key{db: db})
		s.whole[db] = d
		for _, n := range s.keys[db] {
			s.join(d, n)
		}
	}
	return d
}

func (s *splitter) allNode() int32 {
	if s.all == none {
		for db := range s.keys {
			s.wholeNode(db)
		}
		all := s.newNode('d', key{})
		for _, d := range s.whole {
			s.join(all, d)
		}
		s.all = all
	}
	return s.all
}

// add says to which component the next operation belongs, by any of its nodes: none if nothing ties
// it to anything.
func (s *splitter) add(op *history.Op) int32 {
	c := s.conn(op.Client)
	w := s.words.of(op.Cmd)
	s.note(op, w)
	nodes := s.unblocking(s.lineNodes(s.touched[:0], op.Cmd, op.DB, w), op, op.Cmd)
	db := op.DB
	for _, line := range op.Body {
		nodes = s.unblocking(s.lineNodes(nodes, line, db, s.words.of(line)), op, line)
		if n, ok := selected(line); ok {
			db = n
		}
	}
	switch w.does {
	case watches:
		c.watched = append(c.watched, nodes...)
		for _, n := range nodes {
			s.nodes[n].watches++
		}
		nodes = append(nodes, c.watched...)
	case unwatches:
		nodes = append(nodes, c.watched...)
		if op.Reply != nil {
			for _, n := range c.watched {
				s.nodes[n].watches--
			}
			c.watched = nil
		}
	}
	s.touched = nodes
	if len(nodes) == 0 {
		return s.keyless(op, c, w)
	}
	if c.last != none && op.Call <= c.end {
		nodes = append(nodes, c.last)
	}
	if c.unblocked != none && op.Call <= c.unblockedEnd && mayWait(op.Cmd) {
		nodes = append(nodes, c.unblocked)
	}
	for _, n := range nodes[1:] {
		s.join(nodes[0], n)
	}
	c.last, c.end, c.called = nodes[0], op.Return, op.Call
	return nodes[0]
}

// conn is what is known of a connection.
func (s *splitter) conn(client int) *conn {
	c := s.conns[client]
	if c == nil {
		c = &conn{last: none, own: none, unblocked: none, unblockedEnd: -inf}
		s.conns[client] = c
	}
	return c
}

// unblocking appends what a line ties together that may unblock a connection: the keys for which that
// waits at the time, or will before the command is over.
func (s *splitter) unblocking(nodes []int32, op *history.Op, line [][]byte) []int32 {
	client, ok := unblocked(line)
	if !ok {
		return nodes
	}
	c, n := s.conn(client), s.newNode('u', key{})
	s.nodes[n].done = op.Reply != nil // else it may come at any time
	if c.last != none && op.Call <= c.end {
		nodes = append(nodes, c.last)
	}
	if c.unblocked != none && op.Call <= c.unblockedEnd {
		nodes = append(nodes, c.unblocked) // both may be for a command to come
	}
	if c.unblocked == none || op.Return > c.unblockedEnd {
		c.unblocked, c.unblockedEnd = n, op.Return
	}
	return append(nodes, n)
}

// note remembers a command that the model knows nothing about and that the server did not refuse.
// It may have changed any key, so that nothing can be said of any component.
func (s *splitter) note(op *history.Op, w *word) {
	if s.outside != "" || op.Reply != nil && op.Reply.Kind == model.Error {
		return
	}
	if !w.known {
		s.outside = strings.ToUpper(string(op.Cmd[0]))
	}
	for _, line := range op.Body {
		if !s.words.of(line).known && s.outside == "" {
			s.outside = strings.ToUpper(string(line[0]))
		}
	}
}

// lineNodes appends the keys that a line touches, and databases that it touches wholly.
func (s *splitter) lineNodes(nodes []int32, line [][]byte, db int, w *word) []int32 {
	first, last, step := w.first, w.last, w.step
	if last < 0 {
		last += len(line)
	}
	if w.countAt > 0 {
		n, _ := number(line, w.countAt)
		first, last, step = w.countAt+1, min(w.countAt+n, len(line)-1), 1
	}
	for i := first; first > 0 && i <= last && i < len(line); i += step {
		nodes = append(nodes, s.keyNode(db, line[i]))
	}
	switch w.does {
	case moves:
		if n, ok := number(line, 2); ok && len(line) > 1 {
			nodes = append(nodes, s.keyNode(n, line[1]))
		}
	case copies:
		for i := 3; i+1 < len(line); i++ {
			if n, ok := number(line, i+1); ok && is(line[i], "db") {
				nodes = append(nodes, s.keyNode(n, line[2]))
			}
		}
	case asksAll:
		nodes = append(nodes, s.allNode())
	case asksWhole:
		nodes = append(nodes, s.wholeNode(db))
	}
	return nodes
}

// keyless decides where an operation without keys goes. The clock and the echo of a connection are
// judged by themselves; what only changes the connection is not judged here (other cases do).
func (s *splitter) keyless(op *history.Op, c *conn, w *word) int32 {
	if w.does != speaks && w.does != unwatches {
		return none
	}
	if c.own == none {
		c.own = s.newNode('c', key{db: op.Client})
	}
	return c.own
}

// vocabulary caches what is known of commands. It is for one goroutine.
type vocabulary struct{ byName map[string]*word }

// word is one command.
type word struct {
	known             bool
	does              does
	first, last, step int
	countAt           int          // where the number of keys stands, which follow
	modelled          map[int]bool // by the number of arguments; nil: ask each time
	container         bool
}

// does is what matters here of what a command does.
type does uint8

const (
	watches   does = iota + 1 // it remembers keys
	unwatches                 // it forgets them, or looks at them
	moves
	copies
	asksAll   // it touches all databases
	asksWhole // it touches a whole database
	speaks    // it answers without a key
)

var doings = map[string]does{
	"watch": watches, "exec": unwatches, "discard": unwatches, "unwatch": unwatches, "reset": unwatches,
	"move": moves, "copy": copies, "flushall": asksAll, "swapdb": asksAll, "flushdb": asksWhole,
	"dbsize": asksWhole, "keys": asksWhole, "scan": asksWhole, "randomkey": asksWhole,
	"ping": speaks, "echo": speaks, "time": speaks,
}

func newVocabulary() *vocabulary { return &vocabulary{map[string]*word{}} }

// of finds what is known of a line's command.
func (v *vocabulary) of(line [][]byte) *word {
	if w := v.byName[string(line[0])]; w != nil && !w.container {
		return w
	}
	c, known := commands.Find(line)
	name := lower(line[0])
	w := &word{known: known, does: doings[name], first: c.First, last: c.Last, step: c.Step,
		countAt:   c.CountAt,
		container: commands.Container(name), modelled: map[int]bool{}}
	if len(v.byName) < wordsMax {
		v.byName[string(line[0])] = w
	}
	return w
}

// wordsMax bounds the vocabulary; names of commands may be anything.
const wordsMax = 1 << 12

// foreign names a command of the operation that the model does not decide, or "".
func (v *vocabulary) foreign(op *history.Op) string {
	if !v.models(op.Cmd) {
		return strings.ToUpper(string(op.Cmd[0]))
	}
	for _, line := range op.Body {
		if !v.models(line) {
			return strings.ToUpper(string(line[0]))
		}
	}
	return ""
}

func (v *vocabulary) models(line [][]byte) bool {
	w := v.of(line)
	if w.container {
		return model.Models(line)
	}
	yes, known := w.modelled[len(line)]
	if !known {
		yes = model.Models(line)
		w.modelled[len(line)] = yes
	}
	return yes
}
