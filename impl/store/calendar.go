package store

import "math/bits"

// This file knows which keys are due next: a calendar.
//
// A level is a ring of slots of equal length, and each level's slots are 64 or 256 times as long as
// those below. An entry, the ref of a record, is filed at the lowest level whose ring reaches its
// deadline. A slot is a list of chunks of 62 entries. When its time comes near, a slot is unpacked
// into the level below, some chunks at a time: each ring holds twice the slot above it, so that
// there is time for it.
//
// An entry is a hint, and the record's deadline is the truth. A new or an earlier deadline files an
// entry; a later one only marks the record as lagging, so that a key whose deadline is pushed out
// again and again costs nothing. What an entry means is asked when its slot is unpacked or fires:
//
//	no record, or one without deadline      dropped
//	its deadline lies in this slot          filed below, or due
//	it lies elsewhere and lags              filed anew, and lags no more
//	it lies elsewhere                       dropped: another entry knows
//
// So each deadline has an entry at or before it. A cell may be another record by now; then the same
// rules find that record's entries, at worst once more than needed. Entries that mean nothing die
// when their slot comes; if there are too many before that, all are gone through (retire).
type calendar struct {
	levels  [calendarLevels]ring
	entries int
	past    int64 // the earliest deadline that had passed when it was filed, while it waits
	next    int64 // no entry is due before, if fresh
	fresh   bool
}

// The slots of a level are 1<<shift ms long. The ring of a level holds twice a slot of the next; the
// highest reaches 2^33 ms, beyond which a deadline is filed as far as it goes.
const (
	calendarLevels = 5
	topLevel       = calendarLevels - 1
	firstSlots     = 512
	otherSlots     = 128
)

var ringShift = [calendarLevels]uint{0, 8, 14, 20, 26}

// ring is one level: the slots from number first up to, but without, number end.
type ring struct {
	size  int64
	heads [firstSlots]ref // by number, modulo the size
	busy  [firstSlots / 64]uint64
	first int64 // what was before has been opened, or has fired
	end   int64 // what comes later is filed a level above; of the highest, this is as far as it goes

	opened   ref   // what is left of the slot that is being unpacked
	openedAt int64 // its number
}

// never is later than all deadlines.
const never = int64(1<<63 - 1)

// newCalendar begins at now (ms).
func newCalendar(now int64) *calendar {
	c := &calendar{}
	for l := range c.levels {
		c.levels[l].size = otherSlots
	}
	c.levels[0].size = firstSlots
	c.past = never
	c.moveTo(now)
	return c
}

// moveTo lets time pass up to now (ms), before which there must be no entry.
func (c *calendar) moveTo(now int64) {
	if now > c.levels[0].first {
		c.past = never
	}
	for l := topLevel; l >= 0; l-- {
		g := &c.levels[l]
		g.first = max(g.first, (now+1<<ringShift[l]-1)>>ringShift[l])
		if l == topLevel {
			g.end = g.first + g.size
		} else {
			g.end = c.endBelow(l + 1)
		}
	}
}

// endBelow is the end of the level below l.
func (c *calendar) endBelow(l int) int64 {
	return c.levels[l].first << (ringShift[l] - ringShift[l-1])
}

// slotOf is where a deadline is filed: one that has passed, in the first slot.
func (c *calendar) slotOf(at int64) (level int, slot int64) {
	for l := range topLevel {
		if s := at >> ringShift[l]; s < c.levels[l].end {
			return l, max(s, c.levels[l].first)
		}
	}
	g := &c.levels[topLevel]
	return topLevel, min(max(at>>ringShift[topLevel], g.first), g.end-1)
}

// earliest is when the first entry may be due (ms), and the level where it is: in a slot, or in the
// one that is being unpacked. The level is -1 if there is no entry.
func (c *calendar) earliest() (at int64, level int, opened bool) {
	level = -1
	for l := range c.levels {
		g := &c.levels[l]
		if g.opened != 0 {
			if t := g.openedAt << ringShift[l]; level < 0 || t < at {
				at, level, opened = t, l, true
			}
		}
		if s, ok := g.firstBusy(); ok {
			if t := s << ringShift[l]; level < 0 || t < at {
				at, level, opened = t, l, false
			}
		}
	}
	return at, level, opened
}

// firstBusy is the number of the first slot with entries.
func (g *ring) firstBusy() (int64, bool) {
	words, start := g.size/64, g.first%g.size
	for i := range words + 1 { // the word of the start is looked at twice: from there on, and before
		w := (start/64 + i) % words
		b := g.busy[w]
		switch i {
		case 0:
			b &= ^uint64(0) << (start % 64)
		case words:
			b &^= ^uint64(0) << (start % 64)
		}
		if b != 0 {
			index := w*64 + int64(bits.TrailingZeros64(b))
			return g.first + (index-start+g.size)%g.size, true
		}
	}
	return 0, false
}

func (g *ring) head(slot int64) *ref { return &g.heads[slot%g.size] }

func (g *ring) mark(slot int64, busy bool) {
	i := slot % g.size
	if busy {
		g.busy[i/64] |= 1 << (i % 64)
	} else {
		g.busy[i/64] &^= 1 << (i % 64)
	}
}

// open takes a slot out of the ring, so that its deadlines belong to the level below.
func (c *calendar) open(level int) {
	g := &c.levels[level]
	g.opened, g.openedAt = *g.head(g.first), g.first
	*g.head(g.first) = 0
	g.mark(g.first, false)
	g.first++
	c.levels[level-1].end = c.endBelow(level)
	if level == topLevel {
		g.end++
	}
}

// hasRoom: the level below can take the first slot of this one.
func (c *calendar) hasRoom(level int) bool {
	g, below := &c.levels[level], &c.levels[level-1]
	return g.first < g.end && g.opened == 0 &&
		(g.first+1)<<(ringShift[level]-ringShift[level-1])-below.first <= below.size
}

// nextDue is a time before which no entry is due; never if there is none.
func (c *calendar) nextDue() int64 {
	if !c.fresh {
		c.next, c.fresh = never, true
		if at, level, _ := c.earliest(); level >= 0 {
			c.next = min(at, c.past)
		}
	}
	return c.next
}

// A chunk is a list's next chunk, the number of its entries, and these.
const (
	chunkBytes   = 256
	chunkHead    = 8
	chunkEntries = (chunkBytes - chunkHead) / 4
)

// file puts a record into the calendar, for a deadline.
func (db *DB) file(r ref, at int64) {
	c := db.calendar
	level, slot := c.slotOf(at)
	if at < c.levels[0].first {
		c.past = min(c.past, at)
	}
	g := &c.levels[level]
	head := g.head(slot)
	if *head == 0 || load32(db.slabs.at(*head)[4:]) == chunkEntries {
		chunk := db.slabs.alloc(classChunk)
		b := db.slabs.at(chunk)
		store32(b, uint32(*head))
		store32(b[4:], 0)
		*head = chunk
		g.mark(slot, true)
	}
	b := db.slabs.at(*head)
	n := load32(b[4:])
	store32(b[chunkHead+4*n:], uint32(r))
	store32(b[4:], n+1)
	c.entries++
	c.next = min(c.next, at, slot<<ringShift[level])
}

// moved is called after every change of a record's deadline at now (ms), with what it was; fresh is
// a record that the calendar cannot know.
func (db *DB) moved(r ref, was, at, now int64, fresh bool) {
	if was != NoDeadline {
		db.volatile--
	}
	if at == NoDeadline {
		return
	}
	db.volatile++
	h := db.header(r)
	if !fresh && was != NoDeadline && at >= was {
		db.setHeader(r, h|lag)
		return
	}
	db.setHeader(r, h&^lag)
	if db.calendar == nil {
		db.calendar = newCalendar(now)
	}
	if db.calendar.entries == 0 {
		db.calendar.moveTo(now)
	}
	db.file(r, at)
}

// refile lets the calendar know a record that has moved.
func (db *DB) refile(r ref) {
	if at := db.deadline(r); at != NoDeadline {
		db.setHeader(r, db.header(r)&^lag)
		db.file(r, at)
	}
}

// known is the deadline that an entry stands for, false if it means nothing any more.
func (db *DB) known(r ref, level int, slot int64) (at int64, ok bool) {
	if !db.slabs.isRecord(r) {
		return 0, false
	}
	at = db.deadline(r)
	if at == NoDeadline {
		return 0, false
	}
	switch s := at >> ringShift[level]; {
	case s == slot, s < slot && level == 0, s > slot && level == topLevel:
		return at, true
	case s < slot || !db.header(r).is(lag):
		return 0, false
	}
	db.setHeader(r, db.header(r)&^lag)
	return at, true
}

// unpack goes through one chunk of a slot, or of one that is opened: entries that are due at now are
// removed, at most max, which is positive, and others are filed anew. It returns how many were
// removed.
func (db *DB) unpack(c *calendar, level int, opened bool, now int64, max int, expired func([]byte)) int {
	g := &c.levels[level]
	slot, head := g.openedAt, &g.opened
	if !opened {
		slot, _ = g.firstBusy()
		head = g.head(slot)
	}
	chunk := *head
	b := db.slabs.at(chunk)
	n, removed := load32(b[4:]), 0
	for ; n > 0 && removed < max; n-- {
		r := ref(load32(b[chunkHead+4*(n-1):]))
		c.entries--
		switch at, ok := db.known(r, level, slot); {
		case !ok:
		case at < now: // TIME-3: strict
			removed++
			db.expire(r, expired)
		default:
			db.file(r, at) // never into the same list
		}
	}
	c.fresh = false
	if n > 0 {
		store32(b[4:], n)
		return removed
	}
	db.pop(c, g, level, slot, opened)
	return removed
}

// pop frees the first chunk of a slot, or of the one that is opened.
func (db *DB) pop(c *calendar, g *ring, level int, slot int64, opened bool) {
	head := g.head(slot)
	if opened {
		head = &g.opened
	}
	chunk := *head
	*head = ref(load32(db.slabs.at(chunk)))
	db.slabs.free(chunk)
	c.fresh = false
	if !opened && *head == 0 {
		g.mark(slot, false)
		if level == 0 && slot == g.first {
			c.past = never
		}
	}
}

// ExpireDue removes keys past their deadline, at most max, and tells expired the name of each after
// its removal. They go in the order of their deadlines, unless these had passed when they were set.
// It returns how many they were, and whether there may be more: it also looks at no more than some
// hundreds of entries of the calendar (TIME-15, TIME-16).
func (db *DB) ExpireDue(now int64, max int, expired func(key []byte)) (n int, more bool) {
	for range dueChunks {
		c := db.firstDue(now)
		if c == nil {
			return n, false
		}
		if n == max {
			break
		}
		at, level, opened := c.earliest()
		if c == db.calendar {
			c.moveTo(at)
			if level > 0 && !opened {
				c.open(level)
				opened = true
			}
		}
		n += db.unpack(c, level, opened, now, max-n, expired)
	}
	return n, true
}

// dueChunks of entries are looked at by one call of ExpireDue.
const dueChunks = 8

// firstDue is a calendar in which something may be due, or nil. Where a clock has been set back, what
// has passed may be due in a slot that has not: then another calendar begins.
func (db *DB) firstDue(now int64) *calendar {
	if c := db.calendar; c != nil && now <= c.levels[0].first && c.past < now {
		db.retire(now)
	}
	for _, c := range db.retired {
		if c.nextDue() < now {
			return c
		}
	}
	c := db.calendar
	if c == nil || c.nextDue() < now {
		return c
	}
	c.moveTo(now)
	return nil
}

// retire begins a new calendar. What is in the old one is filed in the new one by and by, the
// earliest first.
func (db *DB) retire(now int64) {
	db.retired = append(db.retired, db.calendar)
	db.calendar = newCalendar(now)
}

// NextDue is a time before which no key is due; false if no key has a deadline. It is the earliest
// deadline, unless that is minutes away, or entries that mean nothing any more come before.
func (db *DB) NextDue() (int64, bool) {
	if db.volatile == 0 {
		return 0, false
	}
	at := db.calendar.nextDue()
	for _, c := range db.retired {
		at = min(at, c.nextDue())
	}
	return at, true
}

// Entries that mean nothing may be so many before the calendar is gone through.
const staleMax = 4 << 10

// advance lets up to budget chunks be unpacked before their time; it returns what is left of the
// budget, and stops when there is nothing to do.
func (db *DB) advance(budget int) int {
	c := db.calendar
	if c == nil {
		return budget
	}
	if len(db.retired) == 0 && c.entries > db.volatile+db.volatile/2+staleMax {
		db.retire(c.levels[0].first)
	}
	for ; budget > 0 && len(db.retired) > 0; budget-- {
		old := db.retired[0]
		if _, level, opened := old.earliest(); level >= 0 {
			db.unpack(old, level, opened, NoDeadline, 1, nil)
		} else {
			db.retired = db.retired[1:]
		}
	}
	for l := 1; l < calendarLevels && budget > 0; {
		switch g := &db.calendar.levels[l]; {
		case g.opened != 0:
			db.unpack(db.calendar, l, true, NoDeadline, 1, nil)
			budget--
		case db.calendar.entries > 0 && db.calendar.hasRoom(l):
			db.calendar.open(l)
		default:
			l++
		}
	}
	return budget
}
