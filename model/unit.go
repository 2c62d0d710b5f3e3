package model

import (
	"slices"
)

// unit is what one Step works on: the state, copied where it is first written, so that handlers
// are plain code and states stay immutable.
type unit struct {
	env      Env
	s        State
	from     Client
	ownKeys  bool // s.entries is private
	ownConns bool // s.session is private
	inExec   bool // nothing may wait (BLOCK-6)
	ready    []mark
	outs     []Out
}

// find is the one access to a key of the connection's database: the entry, or nil. An entry past
// its deadline is removed first (TIME-3, TIME-4), unless the engine tells when.
func (u *unit) find(key []byte) *entry { return u.findIn(u.self().db, string(key)) }

func (u *unit) findIn(db int, key string) *entry {
	i, ok := u.s.position(db, key)
	if !ok {
		return nil
	}
	e := u.s.entries[i]
	if e.mortal && u.env.Before(e.deadline, u.env.Now()) {
		if !u.s.options.Told {
			u.remove(i)
		}
		return nil
	}
	return e
}

// put stores an entry over whatever was there. The caller gives a fresh value.
func (u *unit) put(e entry) {
	i, ok := u.s.position(e.db, e.key)
	u.privatise()
	if ok {
		u.s.entries[i] = &e
	} else {
		u.s.entries = slices.Insert(u.s.entries, i, &e)
	}
	if e.mortal {
		u.s.volatile |= 1 << min(e.db, 63)
	}
	u.touched(e.db, e.key)
}

// drop removes a key of which find has told that it is there.
func (u *unit) drop(e *entry) {
	if i, ok := u.s.position(e.db, e.key); ok {
		u.remove(i)
	}
}

func (u *unit) remove(i int) {
	e := u.s.entries[i]
	u.privatise()
	u.s.entries = slices.Delete(u.s.entries, i, i+1)
	u.touched(e.db, e.key)
}

func (u *unit) privatise() {
	if !u.ownKeys {
		u.s.entries = append(make([]*entry, 0, len(u.s.entries)+1), u.s.entries...)
		u.ownKeys = true
	}
}

// touched is told of every change and every removal of a key. Whoever watches it has a dirty
// transaction from here on, the connection itself included (EXEC-9, EXEC-10); and if there is a list
// now, somebody may have waited for it (BLOCK-3).
func (u *unit) touched(db int, key string) {
	for i, x := range u.s.session {
		if x.watches(db, key) {
			x = u.edit(i)
			x.dirty, x.marks, x.queue = true, nil, nil
		}
	}
	u.signal(db, key)
}

func (x *session) watches(db int, key string) bool {
	for _, m := range x.marks {
		if m.db == db && m.key == key {
			return true
		}
	}
	return false
}

// self is the session of the connection whose command this is, for reading.
func (u *unit) self() *session { return u.s.of(u.from) }

// mine is self for writing.
func (u *unit) mine() *session {
	i, ok := u.s.place(u.from)
	if ok {
		return u.edit(i)
	}
	x := &session{client: u.from}
	u.s.session = slices.Insert(slices.Clone(u.s.session), i, x)
	u.ownConns = true
	return x
}

func (u *unit) edit(i int) *session {
	if !u.ownConns {
		u.s.session = slices.Clone(u.s.session)
		u.ownConns = true
	}
	x := *u.s.session[i]
	u.s.session[i] = &x
	return &x
}

// done gives the state back, in canonical form: a session in its initial state is none.
func (u *unit) done() State {
	u.settle()
	return u.s
}

// settle does that for the connection.
func (u *unit) settle() {
	if !u.ownConns {
		return
	}
	if i, ok := u.s.place(u.from); ok && u.s.session[i].plain() {
		u.s.session = slices.Delete(u.s.session, i, i+1)
	}
}
