package store

import "math"

// This file finds keys that a full server can do without. Which key is the best to lose nobody
// knows without looking at all, so some are looked at, and the best that were seen are kept for the
// next time, in a pool: each look makes the pool better.
//
// A look at all keys is a look at whole buckets: two lines of memory name a dozen of records, and
// every key is as likely as every other to be in the bucket. A look at keys with a deadline is a look
// at entries of the calendar's chunks, wherever these lie. That of the nearest deadline needs no
// pool: the calendar knows it.

// Order says which key is the better one to lose.
type Order uint8

// The orders.
const (
	ByChance Order = iota
	ByAge          // of the last use
	ByCount        // of uses
	ByDeadline
)

// Rule is how keys are chosen.
type Rule struct {
	By    Order
	Timed bool // only keys that have a deadline
}

const (
	poolSize   = 16
	poolKeyMax = 256 // a longer name is not kept in memory once it has left the pool

	nominateMax = 1024 // keys looked at by one call
	bucketsLook = 64   // buckets looked at by one call, should they be empty
	chunkTries  = 4096 // guesses where a chunk is, before all pages are gone through
)

// Pool holds the best keys to lose that were seen in any of the databases.
type Pool struct {
	seats [poolSize]seat // by rank, the best last
	n     int
	rand  uint64
}

type seat struct {
	db   int
	rank uint64
	key  []byte
}

// Empty forgets all keys: they were chosen by another rule.
func (p *Pool) Empty() { p.n = 0 }

// Best takes the best key out. It is valid until the next call.
func (p *Pool) Best() (db int, rank uint64, key []byte, ok bool) {
	if p.n == 0 {
		return 0, 0, nil, false
	}
	p.n--
	s := &p.seats[p.n]
	key = s.key
	if cap(key) > poolKeyMax {
		s.key = nil
	}
	return s.db, s.rank, key, true
}

// wants tells whether there is a seat for a key of a rank.
func (p *Pool) wants(rank uint64) bool { return p.n < poolSize || rank > p.seats[0].rank }

// add gives a key a seat, which wants has promised, unless it has one.
func (p *Pool) add(db int, rank uint64, key []byte) {
	i := p.n // where it goes: behind all that are no better
	for ; i > 0 && p.seats[i-1].rank >= rank; i-- {
		if s := &p.seats[i-1]; s.rank == rank && s.db == db && string(s.key) == string(key) {
			return
		}
	}
	if p.n == poolSize {
		worst := p.seats[0]
		i--
		copy(p.seats[:i], p.seats[1:])
		p.seats[i] = worst // its memory is used again
	} else {
		free := p.seats[p.n]
		copy(p.seats[i+1:], p.seats[i:p.n])
		p.seats[i] = free
		p.n++
	}
	s := &p.seats[i]
	s.db, s.rank, s.key = db, rank, append(s.key[:0], key...)
}

// Rank is how well the server can do without a key: it is the same until the key is used, or decays.
func (db *DB) Rank(v View, by Order, now int64) uint64 { return db.rank(v.Access, by, now) }

func (db *DB) rank(access uint32, by Order, now int64) uint64 {
	if by == ByCount {
		return uint64(countMax - db.access.count(access, now))
	}
	return uint64(math.MaxInt64 - (now/1000 - idle(access, now)))
}

// Nominate looks at so many keys of database number i, and gives the best of them seats.
func (db *DB) Nominate(p *Pool, i int, rule Rule, keys int, now int64) {
	keys = min(keys, nominateMax)
	seat := func(r ref) bool {
		if rank := db.rank(db.header(r).access(), rule.By, now); p.wants(rank) {
			p.add(i, rank, db.key(r))
		}
		keys--
		return true
	}
	if rule.Timed {
		keys *= 2 // as many as a bucket has, when one is asked for
		for keys > 0 && db.volatile > 0 {
			seat(db.anyTimed(&p.rand))
		}
		return
	}
	for tries := bucketsLook; tries > 0 && keys > 0 && db.table.n > 0; tries-- {
		db.chain(below(&p.rand, db.table.n), seat)
	}
}

// Any is a key chosen by chance, of those that a rule allows.
func (db *DB) Any(p *Pool, timed bool) (key []byte, ok bool) {
	if !timed {
		key, _, ok = db.Sample(next(&p.rand))
		return key, ok
	}
	if db.volatile == 0 {
		return nil, false
	}
	return db.key(db.anyTimed(&p.rand)), true
}

// anyTimed is a record with a deadline, of which there must be one: every entry of the calendar is
// about equally likely. Memory that belongs to chunks tells where entries are, but not whose: a free
// chunk looks like one without entries.
func (db *DB) anyTimed(rand *uint64) ref {
	s := &db.slabs
	for range chunkTries {
		n := below(rand, len(s.info))
		if s.info[n].class != classChunk {
			continue
		}
		unit := below(rand, pageBytes/chunkBytes) * (chunkBytes / 8)
		i := below(rand, chunkEntries)
		if unit < int(s.info[n].used) {
			if r := db.entryAt(ref(n)<<refBits|ref(unit), i); r != 0 {
				return r
			}
		}
	}
	first := below(rand, len(s.info)) // few entries mean anything: look at all
	for k := range s.info {
		n := (first + k) % len(s.info)
		for unit := 0; s.info[n].class == classChunk && unit < int(s.info[n].used); unit += chunkBytes / 8 {
			for i := range chunkEntries {
				if r := db.entryAt(ref(n)<<refBits|ref(unit), i); r != 0 {
					return r
				}
			}
		}
	}
	panic("store: a deadline that no chunk knows")
}

// entryAt is what an entry of a chunk names, if that is a record with a deadline; else 0.
func (db *DB) entryAt(chunk ref, i int) ref {
	b := db.slabs.any(chunk) // it may be a free one
	if i >= int(load32(b[4:])) {
		return 0
	}
	r := ref(load32(b[chunkHead+4*i:]))
	if !db.slabs.isRecord(r) || !db.header(r).is(timed) || db.deadline(r) == NoDeadline {
		return 0
	}
	return r
}

// Soonest is the key whose deadline comes next; false if no key has one. If that is far away it is
// the first of some that come next.
func (db *DB) Soonest() (key []byte, at int64, ok bool) {
	best := ref(0)
	for i := -1; i < len(db.retired); i++ {
		c := db.calendar
		if i >= 0 {
			c = db.retired[i]
		}
		if r, t := db.soonestOf(c); r != 0 && (best == 0 || t < at) {
			best, at = r, t
		}
	}
	if best == 0 {
		return nil, 0, false
	}
	return db.key(best), at, true
}

// soonestOf looks at the first chunk of the first slot that holds a record. Entries that mean nothing
// any more are dropped on the way, and those that lag are filed anew.
func (db *DB) soonestOf(c *calendar) (best ref, soonest int64) {
	for best == 0 && c != nil && c.entries > 0 {
		_, level, opened := c.earliest()
		g := &c.levels[level]
		slot, head := g.openedAt, &g.opened
		if !opened {
			slot, _ = g.firstBusy()
			head = g.head(slot)
		}
		b := db.slabs.at(*head)
		n, kept := load32(b[4:]), uint32(0)
		for i := range n {
			r := ref(load32(b[chunkHead+4*i:]))
			switch at, ok := db.known(r, level, slot); {
			case !ok:
			case at>>ringShift[level] > slot && level != topLevel:
				db.file(r, at)
			default:
				store32(b[chunkHead+4*kept:], uint32(r))
				kept++
				if best == 0 || at < soonest {
					best, soonest = r, at
				}
			}
		}
		c.entries -= int(n - kept)
		if store32(b[4:], kept); kept == 0 {
			db.pop(c, g, level, slot, opened)
		}
	}
	return best, soonest
}

// next is a random number, in the manner of wyrand; below is one below n.
func next(rand *uint64) uint64 {
	*rand += mult0
	return mix(*rand, *rand^mult1)
}

func below(rand *uint64, n int) int { return int(next(rand) >> 32 * uint64(n) >> 32) }
