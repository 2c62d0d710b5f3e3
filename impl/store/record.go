package store

import "encoding/binary"

// This file is the layout of a record, one key with its value, in a cell:
//
//	header     8 bytes
//	deadline   8 bytes, if the record is timed
//	long key   8 bytes, if the key is longer than the header can tell: its length, and its extent
//	big value  8 bytes, if the value does not fit into a cell: its length, and its extent
//	key        unless it has an extent
//	value      unless it has an extent
//
// The header, from the low bits on: 4 of type, 4 of flags, 8 of the caller's tag, 8 of the key's
// length, 16 of the value's, and 24 of how the key was used (access.go). A free cell has type
// 0. The value of a list is a tree of cells that only its record refers to; refs, and never pointers.
type header uint64

const (
	typeMask   header = 0xf
	typeString header = 1
	typeList   header = 2 // what stands for the value is in list.go

	timed   header = 1 << 4 // there is a field for the deadline
	big     header = 1 << 5 // the value has an extent
	lag     header = 1 << 6 // the deadline has moved out since it was filed (calendar.go)
	longKey header = 1 << 7

	tagShift, keyShift, valueShift, accessShift = 8, 16, 24, 40

	headerBytes   = 8
	deadlineBytes = 8
	awayBytes     = 8        // a length and the number of an extent, 0 for none
	keyMax        = 1<<8 - 1 // longer ones are long
	accessMask    = 1<<24 - 1
)

func (h header) isRecord() bool   { return h&typeMask != 0 }
func (h header) is(f header) bool { return h&f != 0 }
func (h header) isList() bool     { return h&typeMask == typeList }
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

func (h header) withAccess(bits uint32) header {
	return h&(1<<accessShift-1) | header(bits)<<accessShift
}

func (db *DB) header(r ref) header       { return header(load64(db.slabs.at(r))) }
func (db *DB) setHeader(r ref, h header) { store64(db.slabs.at(r), uint64(h)) }

// parts are key and value of a record.
func (db *DB) parts(r ref) (key, value []byte) {
	cell := db.slabs.at(r)
	return db.partsOf(cell, header(load64(cell)))
}

func (db *DB) partsOf(cell []byte, h header) (key, value []byte) {
	b := cell[h.body():]
	if h.is(longKey | big) {
		return db.partsAway(h, b)
	}
	k, n := h.keyLen(), h.keyLen()+h.valueLen()
	return b[:k:k], b[k:n:n]
}

// partsAway are those of a record of which one may have an extent.
func (db *DB) partsAway(h header, b []byte) (key, value []byte) {
	k, keyAt, n, valueAt := h.keyLen(), uint32(0), h.valueLen(), uint32(0)
	if h.is(longKey) {
		k, keyAt, b = int(load32(b)), load32(b[4:]), b[awayBytes:]
	}
	if h.is(big) {
		n, valueAt, b = int(load32(b)), load32(b[4:]), b[awayBytes:]
	}
	if key = b; keyAt != 0 {
		key = db.extents.bytes(keyAt)
	} else {
		b = b[k:]
	}
	if value = b; valueAt != 0 {
		value = db.extents.bytes(valueAt)
	}
	return key[:k:k], value[:n:n]
}

// awayAt is where a field of a record begins that says where its key or its value is.
func (h header) awayAt(field header) int {
	at := h.body()
	if field == big && h.is(longKey) {
		at += awayBytes
	}
	return at
}

func (db *DB) key(r ref) []byte {
	key, _ := db.parts(r)
	return key
}

// deadline is that of a record, or NoDeadline.
func (db *DB) deadline(r ref) int64 {
	cell := db.slabs.at(r)
	return deadlineOf(cell, header(load64(cell)))
}

func deadlineOf(cell []byte, h header) int64 {
	if !h.is(timed) {
		return NoDeadline
	}
	return int64(load64(cell[headerBytes:]))
}

func (db *DB) view(r ref) View {
	cell := db.slabs.at(r)
	v := db.viewOf(cell, header(load64(cell)))
	v.ref = r
	return v
}

func (db *DB) viewOf(cell []byte, h header) View {
	_, value := db.partsOf(cell, h)
	v := View{Value: value, Deadline: deadlineOf(cell, h), Access: h.access(), Tag: h.tag()}
	if h.isList() {
		v.Kind = Lists
	}
	return v
}

// newRecord is a record of a key and so many bytes of value, none of which is written, with room for
// more of them, and for a deadline if it is to have one.
func (db *DB) newRecord(key []byte, n, room int, forDeadline bool) ref {
	return db.newRecordOf(key, n, room, forDeadline, Block{}, 0)
}

// newRecordOf is newRecord of a value that is written already, from a place in a block on. No block
// stands for one still to be found.
func (db *DB) newRecordOf(key []byte, n, room int, forDeadline bool, block Block, from int) ref {
	h := typeString
	if forDeadline {
		h |= timed
	}
	need := h.body()
	if len(key) > keyMax {
		h |= longKey
		need += awayBytes
	}
	keyAway := false
	switch {
	case block.Bytes == nil && need+len(key)+n <= cellMax:
		need, room = need+len(key)+n, min(room, cellMax-need-len(key)-n)
	case need+awayBytes+len(key) <= cellMax:
		h |= big
		need += awayBytes + len(key)
	default:
		h |= big
		need += awayBytes
		keyAway = true
	}
	if h.is(big) {
		if block.Bytes == nil {
			block = db.extents.memory.Block(n + room)
		}
		room = 0
	}
	r := db.slabs.alloc(classOf(need + room))
	cell := db.slabs.at(r)
	b := cell[h.body():]
	if h.is(longKey) {
		store32(b, uint32(len(key)))
		store32(b[4:], 0)
		if keyAway {
			id := db.extents.alloc(len(key))
			store32(b[4:], id)
			copy(db.extents.bytes(id), key)
		}
		b = b[awayBytes:]
	} else {
		h |= header(len(key)) << keyShift
	}
	if h.is(big) {
		store32(b, uint32(n))
		store32(b[4:], db.extents.adopt(block, from))
		b = b[awayBytes:]
	} else {
		h = h.withValueLen(n)
	}
	if !keyAway {
		copy(b, key)
	}
	store64(cell, uint64(h))
	return r
}

// freeRecord takes back what a record that nothing refers to occupies.
func (db *DB) freeRecord(r ref) {
	db.dropList(r)
	cell := db.slabs.at(r)
	h := header(load64(cell))
	for _, field := range [...]header{longKey, big} {
		if h.is(field) {
			if id := load32(cell[h.awayAt(field)+4:]); id != 0 {
				db.extents.free(id)
			}
		}
	}
	db.slabs.free(r)
}

// resize gives the value of a record another length where it is, and tells whether there was room.
// With tight, room that is more than twice what is needed does not count.
func (db *DB) resize(r ref, n int, tight bool) bool {
	cell := db.slabs.at(r)
	h := header(load64(cell))
	need, have := h.body()+h.keyLen()+n, 0
	switch {
	case h.is(big):
		b := cell[h.awayAt(big):]
		have = len(db.extents.bytes(load32(b[4:])))
		if need = n; need <= have && (!tight || have <= 2*need) {
			store32(b, uint32(n))
			return true
		}
		return false
	case h.is(longKey):
		need += awayBytes + int(load32(cell[h.body():]))
	}
	have = db.slabs.room(r)
	if need > have || tight && have > 2*need+slackBytes {
		return false
	}
	store64(cell, uint64(h.withValueLen(n)))
	return true
}

// slackBytes may be wasted in any case.
const slackBytes = 64

func load16(b []byte) uint16     { return binary.LittleEndian.Uint16(b) }
func store16(b []byte, v uint16) { binary.LittleEndian.PutUint16(b, v) }
func load64(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func load32(b []byte) uint32     { return binary.LittleEndian.Uint32(b) }
func store64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
func store32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
