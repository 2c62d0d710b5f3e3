// Package store is the keyspace: a table from keys to byte strings with deadlines.
//
// It takes the time as an argument, has no lock, and hides its representation: callers see bytes
// and offsets of bytes, never an object of it. Views (the slices it returns) are valid until the
// next change of the same DB.
//
// Inside, nothing stands on the Go heap for each key. Memory comes in pieces from the system
// (memory.go), is cut into pages and these into cells (slab.go), which refs of 32 bits name. A key and
// its value are a record in a cell (record.go), unless they are too big for it (extent.go). The
// buckets of a linear hash table refer to records (table.go): it grows and shrinks by one bucket at a
// time, so that no operation is ever a long one. A calendar knows which deadlines come next
// (calendar.go). Only these two hold refs. Each record notes how its key is used (access.go), which
// tells what a full server can do without (evict.go); cycle.go finds expired keys in the manner of
// Redis, beside the calendar. What deletions have left sparse is made dense again by steps
// (compact.go), and memory that has no use goes back to the system on another goroutine
// (Memory.Unused).
//
// # Values of other types
//
// They follow the same rule: refs and no pointers, so that what stands on the Go heap grows with the
// number of large collections at most, and never with their elements. The type is in the record's
// header.
//
// A list (list.go) is a tree of nodes, each a cell of up to 4 KiB; its record has, in place of a value,
// the ref of the root and the number of elements. The leaves hold runs of elements (leaf.go), inner
// nodes count what is below them (node.go): so the middle of a long list is as near as its ends. To
// drop one, its root is put on a list, from which housekeeping frees some nodes at a time, as it does
// with the extents of a keyspace that was emptied. A set or a hash will be the buckets of a table like
// that of the keyspace, found through a small directory of pages; a sorted set such a table, and beside
// it a tree like that of a list.
//
// The cells of nodes are of classes of their own, so that no stale entry of the calendar takes them for
// records. Compaction must find what refers to a cell: a node names its parent, and the root its
// record; a bucket is found as an overflow bucket of the keyspace is, through a key that lies in it.
//
// # Checking refs
//
// With the build tag debug a keyspace keeps a ledger of its cells, and panics when a ref is used that
// leads to no cell, into the middle of one, or to one that has been freed (check_on.go).
package store

// NoDeadline is the deadline of a key that lives on. No real deadline is negative.
const NoDeadline = int64(-1)

// View is what a key holds. Value is valid until the next change of the DB.
type View struct {
	Value    []byte
	Deadline int64  // Unix ms, or NoDeadline; see Expired
	Access   uint32 // how the key was used: see Idle and Access.Frequency
	Tag      uint8  // a mark of the caller's, kept with the value
	Kind     Kind   // of a list, Value means nothing to a caller: see DB.List
	ref      ref
}

// Expired tells whether the deadline has passed: strictly, so that a key is still alive in the
// millisecond of its deadline (TIME-3).
func (v View) Expired(now int64) bool { return v.Deadline < now && v.Deadline != NoDeadline }

// DB is one keyspace.
type DB struct {
	seed     uint64
	slabs    slabs
	extents  extents
	table    table
	calendar *calendar // nil until there is a deadline
	retired  []*calendar
	volatile int // keys with a deadline
	expiring int64
	access   Access
	walk     walk  // of ExpireSome
	dropped  []ref // nodes of lists that nobody has any more (node.go)

	warmth uint64 // of no meaning: what Warm has looked at must be used for something
}

// New is an empty keyspace in m. The seed keeps clients from guessing which keys collide; with the
// same seed the same operations give the same order of keys.
func New(m *Memory, seed uint64) *DB {
	// 0 would hash badly.
	return newDB(m, mix(seed^mult0, mult2)|1)
}

func newDB(m *Memory, seed uint64) *DB {
	return &DB{seed: seed, slabs: newSlabs(m), extents: newExtents(m), table: newTable()}
}

// Get looks at a key, whether its deadline has passed or not.
func (db *DB) Get(key []byte) (View, bool) {
	p, ok := db.find(db.hash(key), key)
	if !ok {
		return View{}, false
	}
	return db.view(p.ref()), true
}

// Use is Get by somebody who uses the key at now (ms), which its Access tells from then on.
func (db *DB) Use(key []byte, now int64) (View, bool) {
	p, ok := db.find(db.hash(key), key)
	if !ok {
		return View{}, false
	}
	cell := db.slabs.at(p.ref())
	h := header(load64(cell))
	v := db.viewOf(cell, h)
	v.ref = p.ref()
	v.Access = db.access.used(v.Access, now)
	store64(cell, uint64(h.withAccess(v.Access)))
	return v, true
}

// Put makes key hold val, whatever was there before. val may be a view of this DB.
func (db *DB) Put(key, val []byte, tag uint8, deadline, now int64) {
	db.put(key, val, Block{}, 0, tag, deadline, now)
}

// Overwrite writes val over the value of a view, which has its length and was taken since the last
// change.
func (db *DB) Overwrite(v View, val []byte) { copy(v.Value, val) }

// PutBlock is Put of a value that stands in a block: unless val is the smaller part of it, or not of
// it at all, the block becomes the keyspace's, no byte is copied, and PutBlock returns true.
func (db *DB) PutBlock(key, val []byte, b Block, tag uint8, deadline, now int64) bool {
	from := len(b.Bytes) - cap(val)
	if from < 0 || len(val) <= cellMax || len(val) < len(b.Bytes)/2 || &b.Bytes[from] != &val[0] {
		return false
	}
	db.put(key, val, b, from, tag, deadline, now)
	return true
}

func (db *DB) put(key, val []byte, block Block, from int, tag uint8, deadline, now int64) ref {
	h := db.hash(key)
	p, found := db.find(h, key)
	was, fresh := NoDeadline, true
	access := db.access.fresh(now)
	var r ref
	if found {
		r = p.ref()
		db.dropList(r)
		was = db.deadline(r)
		access = db.access.kept(db.header(r).access(), now)
		fresh = !(deadline == NoDeadline || db.header(r).is(timed)) || block.Bytes != nil ||
			!db.resize(r, len(val), true)
	}
	if fresh {
		made := db.newRecordOf(key, len(val), 0, deadline != NoDeadline, block, from)
		db.write(made, val, tag, deadline, access)
		if found {
			p.b.setRef(p.i, made)
			db.freeRecord(r)
		} else {
			db.insert(h, made)
		}
		r = made
	} else {
		db.write(r, val, tag, deadline, access)
	}
	db.moved(r, was, deadline, now, fresh)
	return r
}

// write fills in a record that has room for it.
func (db *DB) write(r ref, val []byte, tag uint8, deadline int64, access uint32) {
	if _, v := db.parts(r); len(val) > 0 && &v[0] != &val[0] {
		copy(v, val)
	}
	h := db.header(r)
	db.setHeader(r, h.withTag(tag).withAccess(access))
	if h.is(timed) {
		store64(db.slabs.at(r)[headerBytes:], uint64(deadline))
	}
}

// remake moves what p refers to into a record with room for n bytes of value and more.
func (db *DB) remake(p place, n, room int, forDeadline bool) ref {
	old := p.ref()
	key, val := db.parts(old)
	h, at := db.header(old), db.deadline(old)
	r := db.newRecord(key, n, room, forDeadline || at != NoDeadline)
	db.write(r, val[:min(n, len(val))], h.tag(), at, h.access())
	p.b.setRef(p.i, r)
	if h.isList() {
		db.setHeader(r, db.header(r)&^typeMask|typeList)
		db.rehome(r)
		db.setHeader(old, h&^typeMask|typeString)
	}
	db.freeRecord(old)
	return r
}

// Grow resizes the value of an existing key to n bytes, zero filled, and returns it writable until
// the next change of the DB; nil if there is no such key. Room is left for growing again.
func (db *DB) Grow(key []byte, n int, now int64) []byte {
	p, ok := db.find(db.hash(key), key)
	if !ok {
		return nil
	}
	r := p.ref()
	_, old := db.parts(r)
	was := len(old)
	if !db.resize(r, n, false) {
		r = db.remake(p, n, min(len(key)+n, growBytesMax), false)
		if at := db.deadline(r); at != NoDeadline {
			db.moved(r, at, at, now, true)
		}
	}
	_, v := db.parts(r)
	if n > was {
		clear(v[was:])
	}
	return v
}

// Mark sets the tag of a key.
func (db *DB) Mark(key []byte, tag uint8) {
	if p, ok := db.find(db.hash(key), key); ok {
		db.setHeader(p.ref(), db.header(p.ref()).withTag(tag))
	}
}

// Del removes a key; it tells whether it was there.
func (db *DB) Del(key []byte) bool {
	h := db.hash(key)
	p, ok := db.find(h, key)
	if ok {
		db.drop(h, p, nil)
	}
	return ok
}

// drop removes a record, after a last word to gone, if there is one.
func (db *DB) drop(hash uint64, p place, gone func(key []byte)) {
	r := p.ref()
	db.moved(r, db.deadline(r), NoDeadline, 0, false)
	db.remove(hash, p)
	if gone != nil {
		gone(db.key(r))
	}
	db.freeRecord(r)
}

// Expiring is the deadline of the key whose removal ExpireDue is telling of.
func (db *DB) Expiring() int64 { return db.expiring }

// expire removes a record that is due.
func (db *DB) expire(r ref, expired func(key []byte)) {
	db.expiring = db.deadline(r)
	h := db.hash(db.key(r))
	db.drop(h, db.placeOf(h, r), expired)
}

// SetDeadline gives a key a deadline (Unix ms), or takes it away with NoDeadline; it tells whether
// the key is there.
func (db *DB) SetDeadline(key []byte, at, now int64) bool {
	p, ok := db.find(db.hash(key), key)
	if !ok {
		return false
	}
	r := p.ref()
	was, fresh := db.deadline(r), false
	if at != NoDeadline && !db.header(r).is(timed) {
		_, v := db.parts(r)
		r, fresh = db.remake(p, len(v), 0, true), true
	}
	if db.header(r).is(timed) {
		store64(db.slabs.at(r)[headerBytes:], uint64(at))
	}
	db.moved(r, was, at, now, fresh)
	return true
}

// Len is the number of keys, those past their deadline included.
func (db *DB) Len() int { return db.table.count }

// Volatile is the number of keys that have a deadline.
func (db *DB) Volatile() int { return db.volatile }

// Bytes is the memory that keys, values, table and deadlines occupy.
func (db *DB) Bytes() int { return db.slabs.bytes + db.table.n*bucketBytes + db.extents.held }

// Held is the memory that was taken for them.
func (db *DB) Held() int { return db.slabs.held() + db.extents.held }

// Advance does up to budget units of housekeeping, and returns what is left of the budget: nothing if
// there is more to do.
func (db *DB) Advance(budget int) (left int) {
	budget = db.Bury(db.slabs.memory.advance(budget))
	for budget = db.advance(budget); budget > 0 && db.table.sparse(); budget-- {
		db.merge()
	}
	return max(0, db.extents.compact(db.compact(budget)))
}

// Clear removes every key, at once: what they occupied is for Memory.Unused.
func (db *DB) Clear() {
	db.slabs.drop(db.Len())
	db.extents.drop()
	access := db.access
	*db = *newDB(db.slabs.memory, db.seed)
	db.access = access
}
