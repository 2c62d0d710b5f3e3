package model

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Commands about the whole server.

// now: TIME-18.
func now(u *unit, _ [][]byte) Reply { return Time(u.env.Read()) }

// dbsize: KEY-13, TIME-15. It counts what is stored, and when an expired key stops being stored is
// the server's choice. So where no key has ever had a deadline the count is exact, and otherwise at
// least the keys alive. An engine that tells when makes it exact.
func dbsize(u *unit, _ [][]byte) Reply {
	db, n := u.self().db, int64(0)
	if u.s.options.Told {
		return Num(int64(len(u.names())))
	}
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

// swapdb: KEY-14.
func swapdb(u *unit, args [][]byte) Reply {
	var db [2]int
	for i, which := range []string{"first", "second"} {
		n, ok := integer(args[1+i])
		if !ok || int64(int32(n)) != n {
			return Err("ERR invalid " + which + " DB index")
		}
		db[i] = int(n)
	}
	for _, n := range db {
		if n < 0 || n >= u.s.options.Databases {
			return Err("ERR DB index is out of range")
		}
	}
	if a, b := db[0], db[1]; a != b {
		u.swapWatched(a, b)
		u.swap(a, b)
		u.signalSwapped(a, b)
	}
	return OK()
}

// swapWatched: EXEC-21. Only keys that are watched are compared with the clock.
func (u *unit) swapWatched(a, b int) {
	var names []string
	for _, x := range u.s.session {
		for _, m := range x.marks {
			if m.db == a || m.db == b {
				names = append(names, m.key)
			}
		}
	}
	for _, name := range names {
		inA, inB := u.findIn(a, name) != nil, u.findIn(b, name) != nil
		if inA || inB {
			u.touched(a, name)
			u.touched(b, name)
		}
	}
}

// signalSwapped: lists may have appeared for those that wait in one of the two (BLOCK-3). In which
// order is not said; here it is that of databases and then names.
func (u *unit) signalSwapped(a, b int) {
	for _, db := range []int{min(a, b), max(a, b)} {
		var names []string
		for _, c := range u.s.waiting {
			if w := u.s.of(c).wait; w.db == db {
				r, _, _ := parsers[nameOf(w.line)](w.line)
				for _, key := range r.keys {
					names = append(names, string(key))
				}
			}
		}
		slices.Sort(names)
		for _, name := range names {
			u.signal(db, name)
		}
	}
}

// swap gives the entries of each database to the other.
func (u *unit) swap(a, b int) {
	swapped := make([]*entry, len(u.s.entries))
	for i, e := range u.s.entries {
		switch e.db {
		case a:
			moved := *e
			moved.db, e = b, &moved
		case b:
			moved := *e
			moved.db, e = a, &moved
		}
		swapped[i] = e
	}
	slices.SortFunc(swapped, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(x.db, y.db), strings.Compare(x.key, y.key))
	})
	u.s.entries, u.ownKeys = swapped, true
	bitA, bitB := uint64(1)<<min(a, 63), uint64(1)<<min(b, 63)
	hadA, hadB := u.s.volatile&bitA != 0, u.s.volatile&bitB != 0
	if a < 63 {
		u.s.volatile &^= bitA
	}
	if b < 63 {
		u.s.volatile &^= bitB
	}
	if hadA {
		u.s.volatile |= bitB
	}
	if hadB {
		u.s.volatile |= bitA
	}
}
