package store

import "encoding/binary"

// This file is the layout of a record, one key with its value, in a cell:
//
//	header     8 bytes
//	deadline   8 bytes, if the record is timed
//	key, value
//
// or, where these do not fit into a cell (large), instead of them
//
//	4 bytes    length of the key
//	4 bytes    length of the value
//	4 bytes    the extent that holds both
//
// The header, from the low bits on: 4 of type, 4 of flags, 8 of the caller's tag, 8 of the key's
// length, 16 of the value's, and 24 of when the key was last used, in seconds. A free cell has type
// 0. Values of other types than strings will live here too: small ones as one blob, others as cells
// of their own that only a record refers to; refs, and never pointers.
type header uint64

const (
	typeMask   header = 0xf
	typeString header = 1

	timed header = 1 << 4 // there is a field for the deadline
	large header = 1 << 5
	lag   header = 1 << 6 // the deadline has moved out since it was filed (calendar.go)

	tagShift, keyShift, valueShift, accessShift = 8, 16, 24, 40

	headerBytes   = 8
	deadlineBytes = 8
	largeBytes    = 12
	keyMax        = 1<<8 - 1 // longer ones are large
	accessMask    = 1<<24 - 1
)

func (h header) isRecord() bool   { return h&typeMask != 0 }
func (h header) is(f header) bool { return h&f != 0 }
func (h header) tag() uint8       { return uint8(h >> tagShift) }
func (h header) keyLen() int      { return int(uint8(h >> keyShift)) }
func (h header) valueLen() int    { return int(uint16(h >> valueShift)) }
func (h header) access() uint32   { return uint32(h >> accessShift) }

// body is where what follows header and deadline begins.
func (h header) body() int { return headerBytes + int(h&timed)/int(timed)*deadlineBytes }

func (h header) withTag(tag uint8) header { return h&^(0xff<<tagShift) | header(tag)<<tagShift }

func (h header) withValueLen(n int) header {
	return h&^(0xffff<<valueShift) | header(n)<<valueShift
}

func (h header) withAccess(now int64) header {
	return h&(1<<accessShift-1) | header(seconds(now))<<accessShift
}

func seconds(ms int64) uint32 { return uint32(ms/1000) & accessMask }

func (db *DB) header(r ref) header       { return header(load64(db.slabs.at(r))) }
func (db *DB) setHeader(r ref, h header) { store64(db.slabs.at(r), uint64(h)) }

// parts are key and value of a record.
func (db *DB) parts(r ref) (key, value []byte) {
	cell := db.slabs.at(r)
	h := header(load64(cell))
	b := cell[h.body():]
	k, n := h.keyLen(), h.keyLen()+h.valueLen()
	if h.is(large) {
		k, n = int(load32(b)), int(load32(b)+load32(b[4:]))
		b = db.extents.bytes(uint32(load32(b[8:])))
	}
	return b[:k:k], b[k:n:n]
}

func (db *DB) key(r ref) []byte {
	key, _ := db.parts(r)
	return key
}

// deadline is that of a record, or NoDeadline.
func (db *DB) deadline(r ref) int64 {
	cell := db.slabs.at(r)
	if !header(load64(cell)).is(timed) {
		return NoDeadline
	}
	return int64(load64(cell[headerBytes:]))
}

func (db *DB) view(r ref) View {
	_, value := db.parts(r)
	h := db.header(r)
	return View{Value: value, Deadline: db.deadline(r), Access: h.access(), Tag: h.tag()}
}

// newRecord is a record of a key and so many bytes of value, none of which is written, with room for
// more of them, and for a deadline if it is to have one.
func (db *DB) newRecord(key []byte, n, room int, forDeadline bool) ref {
	h := typeString
	if forDeadline {
		h |= timed
	}
	need := h.body() + len(key) + n
	if len(key) > keyMax || need > cellMax {
		r := db.slabs.alloc(classOf(h.body() + largeBytes))
		cell := db.slabs.at(r)
		id := db.extents.alloc(len(key)+n, len(key)+n+room)
		store64(cell, uint64(h|large))
		b := cell[h.body():]
		store32(b, uint32(len(key)))
		store32(b[4:], uint32(n))
		store32(b[8:], id)
		copy(db.extents.bytes(id), key)
		return r
	}
	r := db.slabs.alloc(classOf(min(need+room, cellMax)))
	cell := db.slabs.at(r)
	store64(cell, uint64(h|header(len(key))<<keyShift|header(n)<<valueShift))
	copy(cell[h.body():], key)
	return r
}

// freeRecord takes back what a record that nothing refers to occupies.
func (db *DB) freeRecord(r ref) {
	cell := db.slabs.at(r)
	if h := header(load64(cell)); h.is(large) {
		db.extents.free(load32(cell[h.body()+8:]))
	}
	db.slabs.free(r)
}

// resize gives the value of a record another length where it is, and tells whether there was room.
// With tight, room that is more than twice what is needed does not count.
func (db *DB) resize(r ref, n int, tight bool) bool {
	cell := db.slabs.at(r)
	h := header(load64(cell))
	b := cell[h.body():]
	if h.is(large) {
		need := int(load32(b)) + n
		if k := int(load32(b)); tight && k <= keyMax && need <= cellMax-headerBytes-deadlineBytes {
			return false // it fits into a cell
		}
		if !db.extents.resize(load32(b[8:]), need, tight) {
			return false
		}
		store32(b[4:], uint32(n))
		return true
	}
	need, have := h.body()+h.keyLen()+n, db.slabs.room(r)
	if need > have || tight && have > 2*need+slackBytes {
		return false
	}
	store64(cell, uint64(h.withValueLen(n)))
	return true
}

// slackBytes may be wasted in any case.
const slackBytes = 64

func load64(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func load32(b []byte) uint32     { return binary.LittleEndian.Uint32(b) }
func store64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
func store32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
