package store

// This file tells what memory is used for. The figures are kept where cells are taken and given back;
// to ask costs nothing.

// Usage is what a keyspace occupies, in bytes.
type Usage struct {
	Records  int // keys and values, with what stands beside them
	Table    int
	Calendar int
	Held     int // what was taken for all that
	Heap     int // of Held, what is on the Go heap
	Moves    int // cells that were moved since the keyspace was new or empty
}

// Bytes is what DB.Bytes tells.
func (u Usage) Bytes() int { return u.Records + u.Table + u.Calendar }

// Add makes u that of another keyspace too.
func (u *Usage) Add(v Usage) {
	u.Records += v.Records
	u.Table += v.Table
	u.Calendar += v.Calendar
	u.Held += v.Held
	u.Heap += v.Heap
	u.Moves += v.Moves
}

// Usage tells what the keyspace occupies.
func (db *DB) Usage() Usage {
	s := &db.slabs
	overflow := s.count[classOverflow].live * bucketBytes
	u := Usage{Table: db.table.n*bucketBytes + overflow, Calendar: s.count[classChunk].live * chunkBytes,
		Held: db.Held(), Moves: s.moves}
	u.Records = db.Bytes() - u.Table - u.Calendar
	if !s.memory.system {
		u.Heap = u.Held
	}
	return u
}

// Footprint is what a key occupies with its value, and its share of the table; false if there is no
// such key. Of a list so many leaves are looked at, or with 0 all.
func (db *DB) Footprint(key []byte, leaves int) (int, bool) {
	p, ok := db.find(db.hash(key), key)
	if !ok {
		return 0, false
	}
	r := p.ref()
	n := db.slabs.room(r) + db.Usage().Table/db.Len()
	h := db.header(r)
	for _, field := range [...]header{longKey, big} {
		if h.is(field) {
			if id := load32(db.slabs.at(r)[h.awayAt(field)+4:]); id != 0 {
				n += len(db.extents.bytes(id))
			}
		}
	}
	if h.isList() {
		n += List{db, r}.footprint(leaves)
	}
	return n, true
}

// Class is how many cells of a size there are.
type Class struct {
	Bytes, Pages, Live, Cells int
}

// Classes yields the sizes of cells for which there are pages.
func (db *DB) Classes(yield func(Class) bool) {
	s := &db.slabs
	for class, c := range s.count {
		if c.pages == 0 || class == classBuckets {
			continue
		}
		size := int(classBytes[class])
		if !yield(Class{size, c.pages, c.live, c.pages * (pageBytes / size)}) {
			return
		}
	}
}
