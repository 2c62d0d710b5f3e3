// The table: linear hashing.
//
// With n buckets and 2^k <= n < 2^(k+1), a hash belongs in the bucket of its low k+1 bits, or of
// its low k bits if there is no such bucket yet. An insertion beyond the load limit splits exactly
// one bucket, a deletion below it merges one or two: there is no second table and no phase of
// rehashing, and every operation costs the same.
package store

import (
	"bytes"
	"math/bits"
)

const (
	bucketsMin  = 4
	bucketBytes = 8
	sampleDepth = 8  // chains longer than this are sampled slightly too rarely
	sampleTries = 64 // then the table is nearly empty: walk
)

type table struct {
	buckets segments[*record]
	mask    uint64 // 2^(k+1) - 1
	count   int
}

func newTable() table { return table{mask: 2*bucketsMin - 1} }

// bucket is where records of this hash belong.
func (t *table) bucket(hash uint64) int {
	i := hash & t.mask
	if i >= uint64(t.buckets.n) {
		i &= t.mask >> 1
	}
	return int(i)
}

func (t *table) find(hash uint64, key []byte) *record {
	if t.count == 0 {
		return nil
	}
	r := *t.buckets.at(t.bucket(hash))
	for r != nil && !(r.hash == hash && bytes.Equal(r.key(), key)) {
		r = r.next
	}
	return r
}

// insert adds a record whose key is not in the table.
func (t *table) insert(r *record) {
	for t.buckets.n < bucketsMin { // the first segment comes with the first record
		t.buckets.push(nil)
	}
	t.push(t.bucket(r.hash), r)
	t.count++
	if t.count*4 > t.buckets.n*3 {
		t.split()
	}
}

func (t *table) push(i int, r *record) {
	head := t.buckets.at(i)
	r.next, *head = *head, r
}

// remove takes a record out and returns it, nil if there is none.
func (t *table) remove(hash uint64, key []byte) *record {
	if t.count == 0 {
		return nil
	}
	link := t.buckets.at(t.bucket(hash))
	for *link != nil && !((*link).hash == hash && bytes.Equal((*link).key(), key)) {
		link = &(*link).next
	}
	r := *link
	if r == nil {
		return nil
	}
	*link, r.next = r.next, nil
	t.count--
	for range 2 { // two, so that a table being emptied shrinks faster than it empties
		if t.sparse() {
			t.merge()
		}
	}
	return r
}

// split adds one bucket and moves there what belongs there.
func (t *table) split() {
	added := t.buckets.n
	link := t.buckets.at(added & int(t.mask>>1))
	t.buckets.push(nil)
	for *link != nil {
		r := *link
		if r.hash&t.mask == uint64(added) {
			*link = r.next
			t.push(added, r)
		} else {
			link = &r.next
		}
	}
	if uint64(t.buckets.n) > t.mask {
		t.mask = t.mask<<1 | 1
	}
}

// sparse tells whether buckets are worth merging.
func (t *table) sparse() bool {
	return t.buckets.n > bucketsMin && t.count*10 < t.buckets.n*3
}

// merge undoes the latest split.
func (t *table) merge() {
	last := t.buckets.n - 1
	if uint64(last) == t.mask>>1 {
		t.mask >>= 1
	}
	for r := *t.buckets.at(last); r != nil; {
		next := r.next
		t.push(last&int(t.mask>>1), r)
		r = next
	}
	t.buckets.pop()
}

func (t *table) bytes() int { return len(t.buckets.dir) * segmentItems * bucketBytes }

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
	if t.buckets.n == 0 {
		return 0
	}
	i := t.bucket(cursor)
	for r := *t.buckets.at(i); r != nil; r = r.next {
		visit(r.key(), r.view())
	}
	cursor |= ^t.owned(i)
	return bits.Reverse64(bits.Reverse64(cursor) + 1)
}

// owned is the mask of the hash bits that all records of bucket i share. Bucket i has been split
// in this round, or came from a split, if it uses k+1 bits.
func (t *table) owned(i int) uint64 {
	half := int(t.mask>>1) + 1 // 2^k
	if i >= half || i < t.buckets.n-half {
		return t.mask
	}
	return t.mask >> 1
}

// Each visits every key until visit returns false. visit must not change the DB.
func (db *DB) Each(visit func(key []byte, v View) bool) {
	t := &db.table
	for i := range t.buckets.n {
		for r := *t.buckets.at(i); r != nil; r = r.next {
			if !visit(r.key(), r.view()) {
				return
			}
		}
	}
}

// Sample is a key chosen by a random number, every key about equally likely: a bucket and a depth
// in its chain are drawn until there is a record, so that a long chain is no disadvantage.
func (db *DB) Sample(rand uint64) (key []byte, v View, ok bool) {
	t := &db.table
	if t.count == 0 {
		return nil, View{}, false
	}
	for range sampleTries {
		rand = mix(rand^db.seed, mult0)
		i, _ := bits.Mul64(rand, uint64(t.buckets.n))
		if r := nth(*t.buckets.at(int(i)), int(rand%sampleDepth)); r != nil {
			return r.key(), r.view(), true
		}
	}
	i, _ := bits.Mul64(rand, uint64(t.buckets.n))
	for {
		if r := *t.buckets.at(int(i)); r != nil {
			return r.key(), r.view(), true
		}
		if i++; int(i) == t.buckets.n {
			i = 0
		}
	}
}

func nth(r *record, n int) *record {
	for ; r != nil && n > 0; n-- {
		r = r.next
	}
	return r
}
