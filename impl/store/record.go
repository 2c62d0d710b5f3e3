// A record: one key with its value. 64 bytes, which is a cache line, beside its buffer.
package store

import "slices"

// recordBytes is the size of a record without its buffer; a test holds it to that.
const recordBytes = 64

// growBytesMax is how much room at most a growing value is given beyond what it needs.
const growBytesMax = 1 << 20

type record struct {
	next     *record // in the same bucket
	buf      []byte  // the key, then the value
	hash     uint64
	deadline int64
	keyLen   uint32
	duePos   int32  // where in the heap of deadlines, if it has one
	access   uint32 // seconds
	tag      uint8
}

func newRecord(hash uint64, key, val []byte) *record {
	buf := room(len(key) + len(val))
	copy(buf[copy(buf, key):], val)
	return &record{buf: buf, hash: hash, keyLen: uint32(len(key)), deadline: NoDeadline}
}

// room is a new buffer of n bytes that uses up its size class.
func room(n int) []byte { return slices.Grow([]byte(nil), n)[:n] }

func (r *record) key() []byte   { return r.buf[:r.keyLen:r.keyLen] }
func (r *record) value() []byte { return r.buf[r.keyLen:len(r.buf):len(r.buf)] }

func (r *record) view() View {
	return View{Value: r.value(), Deadline: r.deadline, Access: int64(r.access), Tag: r.tag}
}

// set replaces the value, in the old buffer if it fits without wasting more than half of it. It
// returns by how much the buffer's capacity changed.
func (r *record) set(val []byte) int {
	need, have := int(r.keyLen)+len(val), cap(r.buf)
	if need <= have && have <= 2*need+64 {
		r.buf = r.buf[:need]
		copy(r.buf[r.keyLen:], val)
		return 0
	}
	buf := room(need)
	copy(buf, r.buf[:r.keyLen])
	copy(buf[r.keyLen:], val)
	r.buf = buf
	return cap(buf) - have
}

// grow makes the value n bytes long. Growing little by little costs O(1) a byte.
func (r *record) grow(n int) int {
	need, old, have := int(r.keyLen)+n, len(r.buf), cap(r.buf)
	if need > have {
		buf := room(need + min(need, growBytesMax))
		copy(buf, r.buf)
		r.buf = buf
	}
	r.buf = r.buf[:need]
	if need > old {
		clear(r.buf[old:])
	}
	return cap(r.buf) - have
}
