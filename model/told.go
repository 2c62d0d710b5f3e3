package model

import "slices"

// What an engine tells that hears from inside the server what nobody has asked for: keys that go,
// and commands that find no memory.

// Deadline is that of a key that is stored, expired or not; mortal, that it has one.
func (s State) Deadline(db int, key string) (at Instant, mortal, stored bool) {
	i, stored := s.position(db, key)
	if !stored {
		return at, false, false
	}
	return s.entries[i].deadline, s.entries[i].mortal, true
}

// Keys is how many keys are stored, expired or not, and how many of them have a deadline.
func (s State) Keys() (n, mortal int) {
	for _, e := range s.entries {
		if e.mortal {
			mortal++
		}
	}
	return len(s.entries), mortal
}

// Remove is a key that the server lets go without being asked: because it has expired, or to make room
// (KEY-18).
func Remove(s State, db int, key string) State {
	u := unit{s: s}
	if i, ok := s.position(db, key); ok {
		u.remove(i)
	}
	return u.s
}

// Starve is Step where more memory is used than may be, and there is nothing to evict. It reports
// whether the command line may be refused for that (KEY-15, KEY-19); if not, nothing happens.
func Starve(s State, from Client, cmd [][]byte) (State, []Out, bool) {
	u := unit{s: s, from: from}
	r, refusal := admit(cmd)
	if refusal != "" || !u.starves(r) {
		return s, nil, false
	}
	u.outs = []Out{{To: from, Msg: u.refuse(r, "-"+outOfMemory)}}
	return u.done(), u.outs, true
}

const outOfMemory = "OOM command not allowed when used memory > 'maxmemory'."

func (u *unit) starves(r *rule) bool {
	me := u.self()
	switch {
	case !me.multi:
		return r.Has("denyoom")
	case r.Name != "exec":
		return r.Name != "discard" && r.Name != "reset" && r.Name != "quit"
	case me.broken || me.dirty:
		return true // what was queued is forgotten
	}
	return slices.ContainsFunc(me.queue, func(cmd [][]byte) bool {
		q, ok := lookup(cmd)
		return ok && q.Has("denyoom")
	})
}
