package model

import (
	"bytes"
	"cmp"
	"slices"
)

// Transactions. A watch is a mark, a mere key name: WATCH looks the key up, removing it if it has
// expired, so a key that is still there later and expires is removed through touched like any
// other change (EXEC-12, EXEC-13 need no case of their own).

// multi: EXEC-1, EXEC-4.
func multi(u *unit, _ [][]byte) Reply {
	if u.self().multi {
		return Err("ERR MULTI calls can not be nested")
	}
	u.mine().multi = true
	return OK()
}

// enqueue: EXEC-1. What EXEC will not execute is not kept.
func (u *unit) enqueue(cmd [][]byte) Reply {
	if me := u.self(); !me.broken && !me.dirty {
		line := make([][]byte, len(cmd))
		for i, arg := range cmd {
			line[i] = bytes.Clone(arg)
		}
		me = u.mine()
		me.queue = append(slices.Clip(me.queue), line)
	}
	return Reply{Kind: Simple, Str: "QUEUED"}
}

// exec: EXEC-2, EXEC-5 to EXEC-9, EXEC-12, EXEC-14. The whole queue runs in one unit, so one
// expiry reading serves it (EXEC-17).
func exec(u *unit, _ [][]byte) Reply {
	if !u.self().multi {
		return Err("ERR EXEC without MULTI")
	}
	for _, m := range u.self().marks {
		if u.findIn(m.db, m.key); u.self().dirty {
			break
		}
	}
	me := u.self()
	u.endTransaction()
	switch {
	case me.broken:
		return Err("EXECABORT Transaction discarded because of previous errors.")
	case me.dirty:
		return Reply{Kind: NullArray}
	}
	u.inExec = true
	replies := make([]Reply, len(me.queue))
	for i, cmd := range me.queue {
		if r, ok := lookup(cmd); ok {
			replies[i] = r.do(u, cmd)
		} else {
			replies[i] = other.do(u, cmd)
		}
	}
	return Arr(replies...)
}

// endTransaction: every end of a transaction forgets the watches too (EXEC-14).
func (u *unit) endTransaction() {
	if me := u.self(); me.multi || me.dirty || len(me.marks) > 0 {
		me = u.mine()
		me.multi, me.broken, me.dirty, me.marks, me.queue = false, false, false, nil, nil
	}
}

// discard: EXEC-5, EXEC-8.
func discard(u *unit, _ [][]byte) Reply {
	if !u.self().multi {
		return Err("ERR DISCARD without MULTI")
	}
	u.endTransaction()
	return OK()
}

// watch: EXEC-9, EXEC-13, EXEC-15, EXEC-18. A dirty session stays so: more marks change nothing.
func watch(u *unit, args [][]byte) Reply {
	if u.self().multi {
		return Err("ERR WATCH inside MULTI is not allowed")
	}
	for _, key := range args[1:] {
		if u.self().dirty {
			break
		}
		u.find(key)
		u.mark(string(key))
	}
	return OK()
}

// mark adds a watch. The lookup before it may have dirtied the session: the key was watched
// already and has expired.
func (u *unit) mark(key string) {
	me := u.self()
	m := mark{me.db, key}
	i, found := slices.BinarySearchFunc(me.marks, m, func(a, b mark) int {
		return cmp.Or(cmp.Compare(a.db, b.db), cmp.Compare(a.key, b.key))
	})
	if found || me.dirty {
		return
	}
	me = u.mine()
	me.marks = slices.Insert(slices.Clone(me.marks), i, m)
}

// unwatch: EXEC-14. In a transaction it runs when EXEC has forgotten the watches already.
func unwatch(u *unit, _ [][]byte) Reply {
	u.endTransaction()
	return OK()
}
