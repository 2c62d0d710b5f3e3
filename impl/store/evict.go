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

	nominateMax  = 1024 // keys looked at by one call
	bucketsLook  = 64   // buckets looked at by one call, should they be empty
	pageGuesses  = 256  // where a chunk is
	entryGuesses = 256  // which of a page's entries means something

	chunksPage = pageBytes / chunkBytes
	chunkUnits = chunkBytes / 8
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
	pages := len(db.slabs.info)
	for range pageGuesses {
		if r := db.timedIn(below(rand, pages), chunksPage, rand); r != 0 {
			return r
		}
	}
	// Chunks are rare: take the next page of them, then.
	first := below(rand, pages)
	for k := range pages {
		n := (first + k) % pages
		for range entryGuesses {
			if r := db.timedIn(n, int(db.slabs.info[n].used)/chunkUnits, rand); r != 0 {
				return r
			} else if db.slabs.info[n].class != classChunk {
				break
			}
		}
	}
	for n := range pages { // hardly any entry means anything: look at all
		for i := range chunksPage * chunkEntries {
			if r := db.entryAt(n, i/chunkEntries, i%chunkEntries); r != 0 {
				return r
			}
		}
	}
	panic("store: a deadline that no chunk knows")
}

// timedIn guesses an entry in the first chunks of a page.
func (db *DB) timedIn(n, chunks int, rand *uint64) ref {
	if db.slabs.info[n].class != classChunk {
		return 0
	}
	return db.entryAt(n, below(rand, chunks), below(rand, chunkEntries))
}

// entryAt is what an entry of a chunk in a page names, if that is a record with a deadline; else 0.
func (db *DB) entryAt(n, chunk, i int) ref {
	if i >= db.entriesOf(n, chunk) {
		return 0
	}
	r := ref(load32(db.slabs.any(chunkIn(n, chunk))[chunkHead+4*i:]))
	if !db.slabs.isRecord(r) || !db.header(r).is(timed) || db.deadline(r) == NoDeadline {
		return 0
	}
	return r
}

// entriesOf is how many entries a chunk has, which may be a free one.
func (db *DB) entriesOf(n, chunk int) int {
	if p := &db.slabs.info[n]; p.class != classChunk || chunk*chunkUnits >= int(p.used) {
		return 0
	}
	return int(load32(db.slabs.any(chunkIn(n, chunk))[4:]))
}

func chunkIn(page, chunk int) ref { return ref(page)<<refBits | ref(chunk*chunkUnits) }

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
