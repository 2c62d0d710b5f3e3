package store

import "cmp"

// This file is the 24 bits in which a record tells how its key was used:
//
//	when       the second of the last use, which comes round after half a year
//	how often  16 bits of the minute of the last use, and 8 of a count that grows ever more slowly
//	           with its own size, and falls with time
//
// Which of the two is what a server is told to note; what is there when that changes is read as the
// other, and is right again once the key is used.

// Access says what is noted of the use of keys.
type Access struct {
	Often        bool  // how often, rather than when
	LogFactor    int64 // a count c grows with a probability of 1 in (c - countFresh) * LogFactor + 1
	DecayMinutes int64 // a count falls by one in so many minutes; 0: never

	rand uint64
}

const (
	countBits  = 8
	countMax   = 1<<countBits - 1
	countFresh = 5 // of a new key: it is not the first to go
	minuteMask = 1<<16 - 1
)

// SetAccess decides what is noted from now on.
func (db *DB) SetAccess(a Access) {
	a.rand = cmp.Or(db.access.rand, db.seed)
	db.access = a
}

// fresh are the bits of a new key.
func (a *Access) fresh(now int64) uint32 {
	if a.Often {
		return minutes(now)<<countBits | countFresh
	}
	return seconds(now)
}

// used are the bits of a key that is used, which were was.
func (a *Access) used(was uint32, now int64) uint32 {
	if a.Often {
		return a.counted(was, now)
	}
	return seconds(now)
}

// kept are the bits of a key whose value is replaced.
func (a *Access) kept(was uint32, now int64) uint32 {
	if a.Often {
		return was
	}
	return seconds(now)
}

func (a *Access) counted(was uint32, now int64) uint32 {
	n := a.count(was, now)
	if n < countMax && next(&a.rand)%(uint64(max(0, n-countFresh)*a.LogFactor)+1) == 0 {
		n++
	}
	return minutes(now)<<countBits | uint32(n)
}

// count is how often a key was used, less what has decayed since (ms).
func (a *Access) count(bits uint32, now int64) int64 {
	n := int64(bits & countMax)
	if a.DecayMinutes > 0 {
		passed := (minutes(now) - bits>>countBits) & minuteMask
		n -= min(n, int64(passed)/a.DecayMinutes)
	}
	return n
}

func seconds(ms int64) uint32 { return uint32(ms/1000) & accessMask }
func minutes(ms int64) uint32 { return uint32(ms/60_000) & minuteMask }

// Idle is for how many seconds the key has not been used, at now (ms); after half a year it begins
// anew.
func (v View) Idle(now int64) int64 { return idle(v.Access, now) }

func idle(bits uint32, now int64) int64 {
	if n := (seconds(now) - bits) & accessMask; n < accessMask/2 {
		return int64(n)
	}
	return 0 // the clock was set back
}

// Frequency is the count of a key at now (ms).
func (db *DB) Frequency(v View, now int64) int64 { return db.access.count(v.Access, now) }

// SetUse gives a key the Access of another view.
func (db *DB) SetUse(key []byte, of View) {
	if p, ok := db.find(db.hash(key), key); ok {
		db.setHeader(p.ref(), db.header(p.ref()).withAccess(of.Access))
	}
}
