package model

import (
	"encoding/binary"
	"sort"
)

// Client is the number of one connection.
type Client int

// Options are what a server is configured with, where it changes what commands do.
type Options struct {
	Databases  int    // 0: 16
	Password   string // requirepass; "": none
	BulkLenMax int64  // proto-max-bulk-len; 0: 512 MiB
	// Told says that an expired key is absent, and stays stored until the engine says with Remove that
	// the server has let it go. It matters where the clock is set back: what still is stored lives again.
	Told bool
}

// State is everything that the future depends on: keys and sessions. It is an immutable value.
type State struct {
	options *Options
	entries []*entry   // sorted by database, then key; may hold expired entries nobody looked at
	session []*session // sorted by client; a connection in its initial state has none
	waiting []Client   // those that wait for a list, in the order in which they began to
	// volatile has bit min(db, 63) set if the database has had a key with a deadline since it was
	// last flushed. Only then may its DBSIZE count keys that have expired (TIME-15).
	volatile uint64
}

// entry is one key; immutable once it is in a state.
type entry struct {
	db         int
	key, value string
	encoding   encoding
	list       []string // the elements, of a list; nil for a string
	mortal     bool     // has a deadline
	deadline   Instant
}

// session is one connection; immutable once it is in a state.
type session struct {
	client Client
	db     int
	resp3  bool
	auth   bool // has authenticated; never set where no password is
	closed bool // QUIT was answered
	name   string
	multi  bool // between MULTI and EXEC
	broken bool // a command was refused while queueing: EXEC will answer EXECABORT
	dirty  bool // a watched key has changed: EXEC will answer null
	// A broken or dirty session has neither marks nor queue: what EXEC will answer is decided, and
	// states that differ only in what no longer matters are equal.
	marks []mark // sorted
	queue [][][]byte
	wait  *wait // for what it waits, nil if it does not
}

// mark is a key watched by a session.
type mark struct {
	db  int
	key string
}

// Initial is the empty server.
func Initial(o Options) State {
	if o.Databases == 0 {
		o.Databases = 16
	}
	if o.BulkLenMax == 0 {
		o.BulkLenMax = 512 << 20
	}
	return State{options: &o}
}

// HasSession reports that a connection is not in its initial state: it watches, is in a transaction,
// or has another database, name or protocol.
func (s State) HasSession(c Client) bool {
	_, known := s.place(c)
	return known
}

// position finds the place of a key among the entries.
func (s *State) position(db int, key string) (int, bool) {
	i := sort.Search(len(s.entries), func(i int) bool {
		e := s.entries[i]
		return e.db > db || e.db == db && e.key >= key
	})
	return i, i < len(s.entries) && s.entries[i].db == db && s.entries[i].key == key
}

// place finds the place of a connection among the sessions.
func (s *State) place(c Client) (int, bool) {
	for i, x := range s.session {
		if x.client >= c {
			return i, x.client == c
		}
	}
	return len(s.session), false
}

// of is the session of a connection.
func (s *State) of(c Client) *session {
	if i, ok := s.place(c); ok {
		return s.session[i]
	}
	return &initial
}

var initial session

// plain reports whether a session is in its initial state.
func (x *session) plain() bool {
	return x.db == 0 && !x.resp3 && !x.auth && !x.closed && x.name == "" &&
		!x.multi && !x.broken && !x.dirty && len(x.marks) == 0 && x.wait == nil
}

// Waiting reports whether the last command of a connection is not answered yet (BLOCK-1).
func (s State) Waiting(c Client) bool { return len(s.waiting) > 0 && s.of(c).wait != nil }

// Shape appends the canonical bytes of the state without its instants: two states of one server
// with equal Shape and equal Instants give equal replies for ever.
func (s State) Shape(buf []byte) []byte {
	buf = binary.AppendUvarint(buf, s.volatile)
	buf = binary.AppendUvarint(buf, uint64(len(s.entries)))
	for _, e := range s.entries {
		buf = binary.AppendUvarint(buf, uint64(e.db))
		buf = appendText(buf, e.key)
		buf = appendText(buf, e.value)
		buf = append(buf, byte(e.encoding)<<1|bit(e.mortal))
		buf = binary.AppendUvarint(buf, uint64(len(e.list)))
		for _, element := range e.list {
			buf = appendText(buf, element)
		}
	}
	for _, x := range s.session {
		buf = x.shape(buf)
	}
	for _, c := range s.waiting {
		buf = binary.AppendVarint(buf, int64(c))
	}
	return buf
}

func (x *session) shape(buf []byte) []byte {
	buf = binary.AppendVarint(buf, int64(x.client))
	buf = append(buf, bit(x.resp3)|bit(x.auth)<<1|bit(x.closed)<<2|bit(x.multi)<<3|
		bit(x.broken)<<4|bit(x.dirty)<<5|bit(x.wait != nil)<<6)
	buf = binary.AppendUvarint(buf, uint64(x.db))
	buf = appendText(buf, x.name)
	buf = binary.AppendUvarint(buf, uint64(len(x.marks)))
	for _, m := range x.marks {
		buf = binary.AppendUvarint(buf, uint64(m.db))
		buf = appendText(buf, m.key)
	}
	buf = binary.AppendUvarint(buf, uint64(len(x.queue)))
	for _, cmd := range x.queue {
		buf = appendLine(buf, cmd)
	}
	if x.wait != nil {
		buf = appendLine(append(buf, bit(x.wait.timed)), x.wait.line)
	}
	return buf
}

func appendLine(buf []byte, line [][]byte) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(line)))
	for _, arg := range line {
		buf = binary.AppendUvarint(buf, uint64(len(arg)))
		buf = append(buf, arg...)
	}
	return buf
}

func appendText(buf []byte, s string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(s)))
	return append(buf, s...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Values calls f with the value of every key, expired or not, and with each element of a list.
func (s State) Values(f func(value string)) {
	for _, e := range s.entries {
		if !e.isList() {
			f(e.value)
		}
		for _, element := range e.list {
			f(element)
		}
	}
}

// Instants appends the instants of the state, the deadlines and then the timeouts of those that
// wait, in a fixed order: the slots.
func (s State) Instants(buf []Instant) []Instant {
	for _, e := range s.entries {
		if e.mortal {
			buf = append(buf, e.deadline)
		}
	}
	for _, c := range s.waiting {
		if w := s.of(c).wait; w.timed {
			buf = append(buf, w.timeout)
		}
	}
	return buf
}

// WithInstants replaces the instant of every slot.
func (s State) WithInstants(f func(slot int) Instant) State {
	slot, copied := 0, false
	for i, e := range s.entries {
		if !e.mortal {
			continue
		}
		at := f(slot)
		slot++
		if at == e.deadline {
			continue
		}
		if !copied {
			s.entries = append([]*entry(nil), s.entries...)
			copied = true
		}
		renamed := *e
		renamed.deadline = at
		s.entries[i] = &renamed
	}
	return s.withTimeouts(f, slot)
}

// withTimeouts is WithInstants from the first timeout on.
func (s State) withTimeouts(f func(slot int) Instant, slot int) State {
	copied := false
	for _, c := range s.waiting {
		i, _ := s.place(c)
		w := *s.session[i].wait
		if !w.timed {
			continue
		}
		at := f(slot)
		slot++
		if at == w.timeout {
			continue
		}
		if !copied {
			s.session = append([]*session(nil), s.session...)
			copied = true
		}
		x := *s.session[i]
		w.timeout = at
		x.wait = &w
		s.session[i] = &x
	}
	return s
}

// Union puts the keys and sessions of two states of one server together, which have no key in
// common. The instants keep their variables. Of a connection that both know the session counts that
// is in a transaction, watches keys, or waits.
func Union(s, t State) State {
	u := State{options: s.options, volatile: s.volatile | t.volatile}
	if t.options.Databases > u.options.Databases {
		u.options = t.options
	}
	u.entries = append(append([]*entry(nil), s.entries...), t.entries...)
	sort.SliceStable(u.entries, func(i, j int) bool {
		a, b := u.entries[i], u.entries[j]
		return a.db < b.db || a.db == b.db && a.key < b.key
	})
	u.waiting = append(append([]Client(nil), s.waiting...), t.waiting...)
	u.session = append([]*session(nil), s.session...)
	for _, x := range t.session {
		i, known := u.place(x.client)
		switch {
		case !known:
			u.session = append(u.session, nil)
			copy(u.session[i+1:], u.session[i:])
			u.session[i] = x
		case x.multi || x.broken || x.dirty || len(x.marks) > 0 || x.wait != nil:
			u.session[i] = x
		}
	}
	return u
}
