// The table: linear hashing, with buckets of a cache line.
//
// With n buckets and 2^k <= n < 2^(k+1), a hash belongs in the bucket of its low k+1 bits, or of
// its low k bits if there is no such bucket yet. An insertion beyond the load limit splits exactly
// one bucket, a deletion below it merges one or two: there is no second table and no phase of
// rehashing, and every operation costs the same.
//
// A bucket has 12 places: a tag of 8 bits of the hash, and a ref. Places are filled from the first
// on, without holes; a full bucket goes on in an overflow bucket.
package store

import (
	"bytes"
	"math/bits"
)

const (
	bucketBytes  = 64
	bucketPlaces = 12
	bucketsPage  = pageBytes / bucketBytes
	bucketsMin   = 4

	// Split above 3/4, merge below 4/10, in places a bucket.
	splitAbove = 9
	mergeBelow = 5

	sampleDepth = 3 * bucketPlaces // deeper than chance allows, even in a bucket that is next to be split
	sampleTries = 64               // then the table is nearly empty: walk
)

// bucket is 12 tags, the ref of the overflow bucket, and 12 refs. A tag of 0 is a free place.
type bucket [bucketBytes]byte

const (
	nextAt = 12
	refsAt = 16
)

func (b *bucket) next() ref           { return ref(load32(b[nextAt:])) }
func (b *bucket) setNext(r ref)       { store32(b[nextAt:], uint32(r)) }
func (b *bucket) ref(i int) ref       { return ref(load32(b[refsAt+4*i:])) }
func (b *bucket) setRef(i int, r ref) { store32(b[refsAt+4*i:], uint32(r)) }

// tagOf is never 0, which is a free place, nor 1, which the search for equal bytes could take for
// the one before it.
func tagOf(hash uint64) uint8 {
	tag := uint8(hash >> 56)
	if tag < 2 {
		tag += 2
	}
	return tag
}

const (
	lowBits   = 0x0101010101010101
	highBits  = 0x8080808080808080
	upperBits = 0x8080808000000000 // never free, in the half that is no tag
)

// equalBytes has the high bit set of each byte of x that is 0, and perhaps of one that is 1 above
// such a byte.
func equalBytes(x uint64) uint64 { return (x - lowBits) &^ x & highBits }

type table struct {
	pages []uint32 // of the slabs: those of the buckets
	n     int      // buckets
	mask  uint64   // 2^(k+1) - 1
	count int      // keys
}

func newTable() table { return table{mask: 2*bucketsMin - 1} }

// bucket is where records of this hash belong.
func (t *table) bucket(hash uint64) int {
	i := hash & t.mask
	if i >= uint64(t.n) {
		i &= t.mask >> 1
	}
	return int(i)
}

func (db *DB) bucketAt(i int) *bucket {
	p := db.slabs.dir[db.table.pages[i/bucketsPage]]
	return (*bucket)(p[i%bucketsPage*bucketBytes:])
}

func (db *DB) overflow(r ref) *bucket { return (*bucket)(db.slabs.at(r)) }

// place is where the table refers to a record.
type place struct {
	b *bucket
	i int
}

func (p place) ref() ref { return p.b.ref(p.i) }

// find is the place of a key.
func (db *DB) find(hash uint64, key []byte) (place, bool) {
	t := &db.table
	if t.count == 0 {
		return place{}, false
	}
	same := uint64(tagOf(hash)) * lowBits
	for b := db.bucketAt(t.bucket(hash)); ; {
		for m := equalBytes(load64(b[:]) ^ same); m != 0; m &= m - 1 {
			i := bits.TrailingZeros64(m) / 8
			if db.hasKey(b.ref(i), key) {
				return place{b, i}, true
			}
		}
		for m := equalBytes(uint64(load32(b[8:])) ^ same&(1<<32-1) | upperBits); m != 0; m &= m - 1 {
			i := 8 + bits.TrailingZeros64(m)/8
			if db.hasKey(b.ref(i), key) {
				return place{b, i}, true
			}
		}
		if b.next() == 0 {
			return place{}, false
		}
		b = db.overflow(b.next())
	}
}

func (db *DB) hasKey(r ref, key []byte) bool {
	cell := db.slabs.at(r)
	if h := header(load64(cell)); !h.is(longKey | big) {
		b := cell[h.body():]
		return h.keyLen() == len(key) && string(b[:len(key)]) == string(key)
	}
	return bytes.Equal(db.key(r), key)
}

// placeOf is the place of a record.
func (db *DB) placeOf(hash uint64, r ref) place {
	for b := db.bucketAt(db.table.bucket(hash)); ; b = db.overflow(b.next()) {
		for i := range bucketPlaces {
			if b.ref(i) == r && b[i] != 0 {
				return place{b, i}
			}
		}
	}
}

// insert adds a record whose key is not in the table.
func (db *DB) insert(hash uint64, r ref) {
	t := &db.table
	for t.n < bucketsMin { // the first buckets come with the first record
		db.addBucket()
	}
	db.push(t.bucket(hash), tagOf(hash), r)
	t.count++
	if t.count > t.n*splitAbove {
		db.split()
	}
}

// push adds a ref to a bucket.
func (db *DB) push(i int, tag uint8, r ref) {
	b := db.bucketAt(i)
	for b[bucketPlaces-1] != 0 {
		if b.next() == 0 {
			over := db.slabs.alloc(classOverflow)
			*db.overflow(over) = bucket{}
			b.setNext(over)
		}
		b = db.overflow(b.next())
	}
	j := bytes.IndexByte(b[:bucketPlaces], 0)
	b[j] = tag
	b.setRef(j, r)
}

// pull empties a place of bucket i; what was last in the bucket fills it. It tells whether that was
// the place itself, in an overflow bucket that is no more.
func (db *DB) pull(i int, p place) (gone bool) {
	var before *bucket
	last := db.bucketAt(i)
	for last.next() != 0 {
		before, last = last, db.overflow(last.next())
	}
	j := bytes.IndexByte(last[:bucketPlaces], 0) - 1
	if j < 0 {
		j = bucketPlaces - 1
	}
	p.b[p.i] = last[j]
	p.b.setRef(p.i, last.ref(j))
	last[j] = 0
	if j == 0 && before != nil {
		db.slabs.free(before.next())
		before.setNext(0)
		return last == p.b
	}
	return false
}

// remove takes a record out of the table.
func (db *DB) remove(hash uint64, p place) {
	t := &db.table
	db.pull(t.bucket(hash), p)
	t.count--
	for range 2 { // two, so that a table being emptied shrinks faster than it empties
		if t.sparse() {
			db.merge()
		}
	}
}

func (db *DB) addBucket() {
	t := &db.table
	if t.n == len(t.pages)*bucketsPage {
		t.pages = append(t.pages, db.slabs.newPage(classBuckets))
	}
	t.n++
	*db.bucketAt(t.n - 1) = bucket{}
}

// split adds one bucket and moves there what belongs there.
func (db *DB) split() {
	t := &db.table
	added := t.n
	from := added & int(t.mask>>1)
	db.addBucket()
walk:
	for b := db.bucketAt(from); ; {
		for i := 0; i < bucketPlaces && b[i] != 0; {
			r, tag := b.ref(i), b[i]
			if db.hash(db.key(r))&t.mask != uint64(added) {
				i++
				continue
			}
			db.push(added, tag, r)
			if db.pull(from, place{b, i}) {
				break walk
			} // else look again, at what took its place
		}
		if b.next() == 0 || b[bucketPlaces-1] == 0 {
			break
		}
		b = db.overflow(b.next())
	}
	if uint64(t.n) > t.mask {
		t.mask = t.mask<<1 | 1
	}
}

// sparse tells whether buckets are worth merging.
func (t *table) sparse() bool { return t.n > bucketsMin && t.count < t.n*mergeBelow }

// merge undoes the latest split.
func (db *DB) merge() {
	t := &db.table
	last := t.n - 1
	if uint64(last) == t.mask>>1 {
		t.mask >>= 1
	}
	into := last & int(t.mask>>1)
	b, over := db.bucketAt(last), ref(0)
	for {
		for i := 0; i < bucketPlaces && b[i] != 0; i++ {
			db.push(into, b[i], b.ref(i))
		}
		next := b.next()
		if over != 0 {
			db.slabs.free(over)
		}
		if next == 0 {
			break
		}
		b, over = db.overflow(next), next
	}
	t.n--
	// One page that is empty is kept, so that going to and fro across a border costs nothing.
	if used := (t.n + bucketsPage - 1) / bucketsPage; len(t.pages) > used+1 {
		db.slabs.freePage(t.pages[len(t.pages)-1])
		t.pages = t.pages[:len(t.pages)-1]
	}
}

// chain visits the records of a bucket until visit returns false; it tells whether it never did.
func (db *DB) chain(i int, visit func(ref) bool) bool {
	for b := db.bucketAt(i); ; b = db.overflow(b.next()) {
		for j := 0; j < bucketPlaces && b[j] != 0; j++ {
			if !visit(b.ref(j)) {
				return false
			}
		}
		if b.next() == 0 {
			return true
		}
	}
}

// nth is the record at a depth of a bucket, 0 if it is not so deep.
func (db *DB) nth(i, depth int) ref {
	b := db.bucketAt(i)
	for ; depth >= bucketPlaces; depth -= bucketPlaces {
		if b.next() == 0 {
			return 0
		}
		b = db.overflow(b.next())
	}
	if b[depth] == 0 {
		return 0
	}
	return b.ref(depth)
}

// Scan visits the keys of one bucket and returns the cursor of the next; 0 begins and 0 ends a
// walk. visit must not change the DB, but between two calls anything may happen: a key that is
// there during the whole walk is visited at least once (KEY-5).
//
// The cursor is a position in the order of reversed hash bits, in which every bucket owns one
// interval. Splits only refine these intervals and merges only coarsen them, so that what lies
// before the cursor has been seen, whatever the table looks like by now. Nothing has to be
// remembered between the calls.
func (db *DB) Scan(cursor uint64, visit func(key []byte, v View)) uint64 {
	t := &db.table
	if t.n == 0 {
		return 0
	}
	i := t.bucket(cursor)
	db.chain(i, func(r ref) bool {
		visit(db.key(r), db.view(r))
		return true
	})
	cursor |= ^t.owned(i)
	return bits.Reverse64(bits.Reverse64(cursor) + 1)
}

// owned is the mask of the hash bits that all records of bucket i share. Bucket i has been split
// in this round, or came from a split, if it uses k+1 bits.
func (t *table) owned(i int) uint64 {
	half := int(t.mask>>1) + 1 // 2^k
	if i >= half || i < t.n-half {
		return t.mask
	}
	return t.mask >> 1
}

// Each visits every key until visit returns false. visit must not change the DB.
func (db *DB) Each(visit func(key []byte, v View) bool) {
	for i := range db.table.n {
		db.warmBucket(i)
		if !db.chain(i, func(r ref) bool { return visit(db.key(r), db.view(r)) }) {
			return
		}
	}
}

// Sample is a key chosen by a random number, every key about equally likely: a bucket and a depth
// in it are drawn until there is a record, so that a full bucket is no disadvantage.
func (db *DB) Sample(rand uint64) (key []byte, v View, ok bool) {
	t := &db.table
	if t.count == 0 {
		return nil, View{}, false
	}
	i := 0
	for range sampleTries {
		rand = mix(rand^db.seed, mult0)
		hi, _ := bits.Mul64(rand, uint64(t.n))
		i = int(hi)
		if r := db.nth(i, int(rand%sampleDepth)); r != 0 {
			return db.key(r), db.view(r), true
		}
	}
	for {
		if r := db.nth(i, 0); r != 0 {
			return db.key(r), db.view(r), true
		}
		i = (i + 1) % t.n
	}
}
