package store

import "math/bits"

// WarmMax is how many keys are warmed at once: what a processor can wait for at the same time, twice.
const WarmMax = 16

// Warm brings keys near: it looks at the buckets of all, and then at their records, so that the
// processor waits for many memories at once instead of one after the other. It changes nothing, and
// what it finds is forgotten: whoever uses a key looks for it anew.
func (db *DB) Warm(keys [][]byte) {
	t := &db.table
	if t.count < warmAbove {
		return
	}
	var (
		buckets [WarmMax]*bucket
		tags    [WarmMax]uint64
		seen    uint64
	)
	keys = keys[:min(len(keys), WarmMax)]
	for i, key := range keys {
		h := db.hash(key)
		b := db.bucketAt(t.bucket(h))
		buckets[i], tags[i] = b, uint64(tagOf(h))*lowBits
		seen += load64(b[:])
	}
	for i := range keys {
		b := buckets[i]
		at := 0
		if m := equalBytes(load64(b[:]) ^ tags[i]); m != 0 {
			at = bits.TrailingZeros64(m) / 8
		} else if m := equalBytes(uint64(load32(b[8:])) ^ tags[i]&(1<<32-1) | upperBits); m != 0 {
			at = 8 + bits.TrailingZeros64(m)/8
		} else {
			continue
		}
		cell := db.slabs.at(b.ref(at))
		seen += load64(cell) + uint64(cell[min(len(cell)-1, lineBytes)])
	}
	db.warmth = seen
}

// warmBucket brings the records of a bucket near, for somebody who goes through all.
func (db *DB) warmBucket(i int) {
	b := db.bucketAt(i)
	for j := 0; j < bucketPlaces && b[j] != 0; j++ {
		db.warmth += load64(db.slabs.at(b.ref(j)))
	}
}

// lineBytes is what a processor fetches at once; a record may stand across two of these.
const lineBytes = 64

// warmAbove so many keys the table is larger than the caches.
const warmAbove = 1 << 13
