package model

import "math"

// Commands about the whole server.

// now: TIME-18.
func now(u *unit, _ [][]byte) Reply { return Time(u.env.Read()) }

// dbsize: KEY-13, TIME-15. It counts what is stored, and when an expired key stops being stored is
// the server's choice. So where no key has ever had a deadline the count is exact, and otherwise at
// least the keys alive.
func dbsize(u *unit, _ [][]byte) Reply {
	db, n := u.self().db, int64(0)
	for _, name := range u.names() {
		if u.findIn(db, name) != nil {
			n++
		}
	}
	if u.s.volatile&(1<<min(db, 63)) == 0 {
		return Num(n)
	}
	return Reply{Kind: IntRange, Int: n, Max: math.MaxInt64}
}

// names lists the stored keys of the connection's database.
func (u *unit) names() []string {
	db := u.self().db
	var names []string
	for i, _ := u.s.position(db, ""); i < len(u.s.entries) && u.s.entries[i].db == db; i++ {
		names = append(names, u.s.entries[i].key)
	}
	return names
}

// flushdb: KEY-13, EXEC-19.
func flushdb(u *unit, args [][]byte) Reply {
	if !flushOption(args) {
		return syntaxError()
	}
	u.flush(u.self().db)
	return OK()
}

// flushall: KEY-13, EXEC-19.
func flushall(u *unit, args [][]byte) Reply {
	if !flushOption(args) {
		return syntaxError()
	}
	for len(u.s.entries) > 0 {
		u.flush(u.s.entries[0].db)
	}
	u.s.volatile = 0
	return OK()
}

// flushOption: SYNC and ASYNC differ in nothing that a client can see.
func flushOption(args [][]byte) bool {
	return len(args) == 1 || len(args) == 2 && (is(args[1], "sync") || is(args[1], "async"))
}

// flush empties a database. An expired key that was still stored counts as changed, as it would if
// it were looked up; so no comparison with the clock is needed.
func (u *unit) flush(db int) {
	first, _ := u.s.position(db, "")
	end, _ := u.s.position(db+1, "")
	for i := end - 1; i >= first; i-- {
		u.remove(i)
	}
	if db < 63 {
		u.s.volatile &^= 1 << db
	}
}
