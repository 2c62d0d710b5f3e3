// Package store is the keyspace: a table from keys to byte strings with deadlines.
//
// It takes the time as an argument, has no lock, and hides its representation: callers see bytes
// and offsets of bytes, never an object of it. Views (the slices it returns) are valid until the
// next change of the same DB.
//
// Inside, a key and its value share one buffer, in a record that fills one cache line (record.go).
// Records hang in the buckets of a linear hash table (table.go), which grows and shrinks by one
// bucket at a time, so that no operation is ever a long one. Records with a deadline stand in a
// heap as well (deadline.go). No array is ever zeroed or copied as a whole (segments.go).
package store

// NoDeadline is the deadline of a key that lives on. No real deadline is negative.
const NoDeadline = int64(-1)

// View is what a key holds. Value is valid until the next change of the DB.
type View struct {
	Value    []byte
	Deadline int64 // Unix ms, or NoDeadline; see Expired
	Access   int64 // seconds: when Use or Put last saw the key
	Tag      uint8 // a mark of the caller's, kept with the value
}

// Expired tells whether the deadline has passed: strictly, so that a key is still alive in the
// millisecond of its deadline (TIME-3).
func (v View) Expired(now int64) bool { return v.Deadline < now && v.Deadline != NoDeadline }

// DB is one keyspace.
type DB struct {
	seed  uint64
	table table
	due   dueHeap
	bytes int // capacity of all buffers
}

// New is an empty keyspace. The seed keeps clients from guessing which keys collide; with the
// same seed the same operations give the same order of keys.
func New(seed uint64) *DB {
	return &DB{seed: mix(seed^mult0, mult2) | 1, table: newTable()} // 0 would hash badly
}

// Get looks at a key, whether its deadline has passed or not.
func (db *DB) Get(key []byte) (View, bool) {
	r := db.table.find(db.hash(key), key)
	if r == nil {
		return View{}, false
	}
	return r.view(), true
}

// Use is Get by somebody who uses the key: the Access of later views is now (ms).
func (db *DB) Use(key []byte, now int64) (View, bool) {
	r := db.table.find(db.hash(key), key)
	if r == nil {
		return View{}, false
	}
	v := r.view()
	r.access = seconds(now)
	return v, true
}

// Put makes key hold val, whatever was there before. val may be a view of this DB.
func (db *DB) Put(key, val []byte, tag uint8, deadline, now int64) {
	h := db.hash(key)
	r := db.table.find(h, key)
	if r == nil {
		r = newRecord(h, key, val)
		db.bytes += cap(r.buf)
		db.table.insert(r)
	} else {
		db.bytes += r.set(val)
	}
	r.tag, r.access = tag, seconds(now)
	if r.deadline != deadline {
		db.due.set(r, deadline)
	}
}

// Grow resizes the value of an existing key to n bytes, zero filled, and returns it writable until
// the next change of the DB; nil if there is no such key. Room is left for growing again.
func (db *DB) Grow(key []byte, n int) []byte {
	r := db.table.find(db.hash(key), key)
	if r == nil {
		return nil
	}
	db.bytes += r.grow(n)
	return r.value()
}

// Mark sets the tag of a key.
func (db *DB) Mark(key []byte, tag uint8) {
	if r := db.table.find(db.hash(key), key); r != nil {
		r.tag = tag
	}
}

// Del removes a key; it tells whether it was there.
func (db *DB) Del(key []byte) bool {
	r := db.table.remove(db.hash(key), key)
	if r == nil {
		return false
	}
	db.forget(r)
	return true
}

// SetDeadline gives a key a deadline (Unix ms), or takes it away with NoDeadline; it tells whether
// the key is there.
func (db *DB) SetDeadline(key []byte, at int64) bool {
	r := db.table.find(db.hash(key), key)
	if r == nil {
		return false
	}
	db.due.set(r, at)
	return true
}

// Len is the number of keys, those past their deadline included.
func (db *DB) Len() int { return db.table.count }

// Volatile is the number of keys that have a deadline.
func (db *DB) Volatile() int { return db.due.len() }

// Bytes is the memory that keys, values, table and deadlines occupy.
func (db *DB) Bytes() int {
	return db.bytes + db.table.count*recordBytes + db.table.bytes() + db.due.bytes()
}

// NextDue is the earliest deadline of all keys.
func (db *DB) NextDue() (int64, bool) {
	if db.due.len() == 0 {
		return 0, false
	}
	return db.due.min().deadline, true
}

// ExpireDue removes keys past their deadline, the earliest first and at most max, and tells
// expired the name of each after its removal. It returns how many they were (TIME-15, TIME-16).
func (db *DB) ExpireDue(now int64, max int, expired func(key []byte)) int {
	n := 0
	for n < max && db.due.len() > 0 && db.due.min().deadline < now { // TIME-3: strict
		r := db.due.min()
		db.table.remove(r.hash, r.key())
		db.forget(r)
		n++
		expired(r.key())
	}
	return n
}

// Advance does up to budget units of housekeeping; it tells whether any is left.
func (db *DB) Advance(budget int) bool {
	for budget > 0 && db.table.sparse() {
		db.table.merge()
		budget--
	}
	return db.table.sparse()
}

// Clear removes every key, in constant time.
func (db *DB) Clear() { *db = DB{seed: db.seed, table: newTable()} }

// forget undoes the accounts of a record that the table no longer holds.
func (db *DB) forget(r *record) {
	db.bytes -= cap(r.buf)
	if r.deadline != NoDeadline {
		db.due.set(r, NoDeadline)
	}
}

func seconds(ms int64) uint32 { return uint32(ms / 1000) }
