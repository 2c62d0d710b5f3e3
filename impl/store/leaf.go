package store

// This file is a leaf of a list: a cell with a run of elements, which may grow at both ends.
//
//	header   8 bytes (node.go)
//	start    2 bytes: where the first element begins
//	end      2 bytes: where the last one ends
//	elements from start to end
//
// An element says its length at both ends, so that a leaf is walked either way: in one byte, or, if
// that is long, in four with a mark. One that is too long for a cell has an extent: its length, and
// the number of the extent, between two other marks.

const (
	leafHead = nodeHead + 4
	leafMax  = middleMax // bytes; longer only if there is one element
	leafMin  = 32

	shortMax = 0xfd // lengths that are one byte
	markAway = 0xfe
	markLong = 0xff

	longHead  = 5
	awayEntry = 1 + 8 + 1
	inlineMax = cellMax - leafHead - 2*longHead
)

// leaf is one, with where it is. It is valid until the next change of the DB.
type leaf struct {
	db  *DB
	ref ref
	b   []byte // the cell
}

func (db *DB) leaf(r ref) leaf { return leaf{db, r, db.slabs.at(r)[:db.slabs.room(r)]} }

func (f leaf) n() int     { return count(f.b) }
func (f leaf) start() int { return int(load16(f.b[nodeHead:])) }
func (f leaf) end() int   { return int(load16(f.b[nodeHead+2:])) }
func (f leaf) used() int  { return f.end() - f.start() }
func (f leaf) setN(n int) { setCount(f.b, n) }
func (f leaf) setSpan(a, z int) {
	store16(f.b[nodeHead:], uint16(a))
	store16(f.b[nodeHead+2:], uint16(z))
}

// entryBytes is what an element of n bytes occupies in a leaf.
func entryBytes(n int) int {
	switch {
	case n <= shortMax:
		return n + 2
	case n <= inlineMax:
		return n + 2*longHead
	}
	return awayEntry
}

// newLeafOf is an empty leaf with room for so many bytes of elements, the first of which may go at
// from.
func (db *DB) newLeafOf(room, from int) leaf {
	r := db.slabs.alloc(classOfNode(max(leafMin, leafHead+room)))
	f := db.leaf(r)
	store64(f.b, kindLeaf)
	f.setSpan(leafHead+from, leafHead+from)
	return f
}

// newLeaf is a leaf with one element.
func (db *DB) newLeaf(element []byte) ref {
	need := entryBytes(len(element))
	f := db.newLeafOf(need, 0)
	f.setSpan(leafHead, leafHead+need)
	f.write(leafHead, element)
	f.setN(1)
	return f.ref
}

// write puts an element where there is room for it.
func (f leaf) write(at int, element []byte) {
	b, n := f.b[at:], len(element)
	switch {
	case n <= shortMax:
		b[0], b[n+1] = byte(n), byte(n)
		copy(b[1:], element)
	case n <= inlineMax:
		b[0], b[n+2*longHead-1] = markLong, markLong
		store32(b[1:], uint32(n))
		store32(b[longHead+n:], uint32(n))
		copy(b[longHead:], element)
	default:
		id := f.db.extents.alloc(n)
		copy(f.db.extents.bytes(id), element)
		b[0], b[awayEntry-1] = markAway, markAway
		store32(b[1:], uint32(n))
		store32(b[5:], id)
	}
}

// read is the element that begins at a place, and how many bytes it occupies there.
func (f leaf) read(at int) (element []byte, size int) {
	b := f.b[at:]
	switch n := int(b[0]); n {
	default:
		return b[1 : 1+n : 1+n], n + 2
	case markLong:
		n = int(load32(b[1:]))
		return b[longHead : longHead+n : longHead+n], n + 2*longHead
	case markAway:
		n = int(load32(b[1:]))
		return f.db.extents.bytes(load32(b[5:]))[:n:n], awayEntry
	}
}

// sizeAt is how many bytes the element occupies that begins at a place, sizeBefore that of the one
// that ends there.
func (f leaf) sizeAt(at int) int {
	switch n := int(f.b[at]); n {
	default:
		return n + 2
	case markLong:
		return int(load32(f.b[at+1:])) + 2*longHead
	case markAway:
		return awayEntry
	}
}

func (f leaf) sizeBefore(at int) int {
	switch n := int(f.b[at-1]); n {
	default:
		return n + 2
	case markLong:
		return int(load32(f.b[at-longHead:])) + 2*longHead
	case markAway:
		return awayEntry
	}
}

// place is where element i begins, or the end of the elements for i = n. It walks from the nearer end.
func (f leaf) place(i int) int {
	n := f.n()
	if i <= n/2 {
		at := f.start()
		for ; i > 0; i-- {
			at += f.sizeAt(at)
		}
		return at
	}
	at := f.end()
	for ; i < n; i++ {
		at -= f.sizeBefore(at)
	}
	return at
}

func (f leaf) at(i int) []byte {
	element, _ := f.read(f.place(i))
	return element
}

// up calls yield for the elements from i on, down for those from i back to the first.
func (f leaf) up(i int, yield func([]byte) bool) bool {
	for at, end := f.place(i), f.end(); at < end; {
		element, size := f.read(at)
		if !yield(element) {
			return false
		}
		at += size
	}
	return true
}

func (f leaf) down(i int, yield func([]byte) bool) bool {
	for at, start := f.place(i+1), f.start(); at > start; {
		at -= f.sizeBefore(at)
		if element, _ := f.read(at); !yield(element) {
			return false
		}
	}
	return true
}

// away is how many bytes the extents of its elements have.
func (f leaf) away() (bytes int) {
	for at, end := f.start(), f.end(); at < end; at += f.sizeAt(at) {
		if f.b[at] == markAway {
			bytes += len(f.db.extents.bytes(load32(f.b[at+5:])))
		}
	}
	return bytes
}

// insertLeaf puts an element before element i. If there is no room, the element gets a leaf of its own
// at an end, and in the middle the leaf is cut in two.
func (db *DB) insertLeaf(r ref, i int, element []byte) parts {
	f, need := db.leaf(r), entryBytes(len(element))
	at := f.place(i)
	switch {
	case leafHead+f.used()+need <= leafMax:
		return partsOf(db.insertInto(f, at, need, element))
	case at == f.end():
		return partsOf(r, db.newLeaf(element))
	case at == f.start():
		return partsOf(db.newLeaf(element), r)
	}
	tail := db.newLeafOf(f.end()-at, 0)
	tail.adopt(f, at, f.end(), f.n()-i)
	f.setSpan(f.start(), at)
	f.setN(i)
	switch {
	case leafHead+f.used()+need <= leafMax:
		return partsOf(db.insertInto(f, at, need, element), tail.ref)
	case leafHead+tail.used()+need <= leafMax:
		return partsOf(r, db.insertInto(tail, tail.start(), need, element))
	}
	return partsOf(r, db.newLeaf(element), tail.ref)
}

// insertInto puts an element of so many bytes at a place of a leaf that may hold it, and returns the
// ref by which that is known from now on.
func (db *DB) insertInto(f leaf, at, need int, element []byte) ref {
	if at == f.start() && at-need >= leafHead { // there is room before
		f.setSpan(at-need, f.end())
		f.write(at-need, element)
	} else {
		if f.end()+need > len(f.b) {
			f, at = db.makeRoom(f, at, need)
		}
		if at == f.start() && at-need >= leafHead {
			return db.insertInto(f, at, need, element)
		}
		copy(f.b[at+need:], f.b[at:f.end()])
		f.setSpan(f.start(), f.end()+need)
		f.write(at, element)
	}
	f.setN(f.n() + 1)
	return f.ref
}

// makeRoom moves the elements of a leaf so that there are need bytes free on one side of them: before
// them if that is where the next one goes. What is free then is a part of the leaf, so that elements
// added one by one are not moved each time.
func (db *DB) makeRoom(f leaf, at, need int) (leaf, int) {
	used, offset, front := f.used(), at-f.start(), at == f.start() && f.n() > 1
	to := f
	if room := used + need; leafHead+room+room/4 > len(f.b) && len(f.b) < leafMax {
		to = db.newLeafOf(min(room+room/2, leafMax-leafHead), 0)
		setParentOf(to.b, parentOf(f.b))
		to.setN(f.n())
	}
	start := leafHead
	if front {
		start = len(to.b) - used
	}
	copy(to.b[start:], f.b[f.start():f.end()])
	to.setSpan(start, start+used)
	if to.ref != f.ref {
		db.slabs.free(f.ref)
	}
	return to, start + offset
}

// adopt appends the n elements that stand from a to z in another leaf.
func (f leaf) adopt(from leaf, a, z, n int) {
	copy(f.b[f.end():], from.b[a:z])
	f.setSpan(f.start(), f.end()+z-a)
	f.setN(f.n() + n)
}

// cutLeaf removes n elements, not all, from element i on. A leaf that is mostly empty then moves to a
// smaller cell.
func (db *DB) cutLeaf(r ref, i, n int) ref {
	f := db.leaf(r)
	a := f.place(i)
	z := a
	for range n {
		if f.b[z] == markAway {
			db.extents.free(load32(f.b[z+5:]))
		}
		z += f.sizeAt(z)
	}
	switch {
	case a == f.start():
		f.setSpan(z, f.end())
	default:
		copy(f.b[a:], f.b[z:f.end()])
		f.setSpan(f.start(), f.end()-(z-a))
	}
	f.setN(f.n() - n)
	if used := f.used(); len(f.b) > leafMin && 4*(leafHead+used) < len(f.b) {
		to := db.newLeafOf(used+used/2, 0)
		setParentOf(to.b, parentOf(f.b))
		to.adopt(f, f.start(), f.end(), f.n())
		db.slabs.free(r)
		return to.ref
	}
	return r
}

// freeLeaf takes back what a leaf occupies.
func (db *DB) freeLeaf(r ref) {
	f := db.leaf(r)
	for at, end := f.start(), f.end(); at < end; at += f.sizeAt(at) {
		if f.b[at] == markAway {
			db.extents.free(load32(f.b[at+5:]))
		}
	}
	db.slabs.free(r)
}

// copyLeaf is a leaf with the elements of one of another keyspace, or of this one.
func (db *DB) copyLeaf(from *DB, r ref) ref {
	old := from.leaf(r)
	f := db.newLeafOf(old.used(), 0)
	old = from.leaf(r)
	f.adopt(old, old.start(), old.end(), old.n())
	for at, end := f.start(), f.end(); at < end; at += f.sizeAt(at) {
		if f.b[at] == markAway {
			n := int(load32(f.b[at+1:]))
			id := db.extents.alloc(n)
			copy(db.extents.bytes(id), from.extents.bytes(load32(f.b[at+5:]))[:n])
			store32(f.b[at+5:], id)
		}
	}
	return f.ref
}
