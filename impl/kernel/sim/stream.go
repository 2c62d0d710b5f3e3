// What the simulated kernel is made of: bytes in order, and a set of small numbers.

package sim

import "math/bits"

// stream is bytes in order: put at the back, taken at the front. Its memory is used again.
type stream struct {
	buf  []byte
	from int
}

func (s *stream) len() int      { return len(s.buf) - s.from }
func (s *stream) bytes() []byte { return s.buf[s.from:] }

func (s *stream) put(data string) {
	s.pack()
	s.buf = append(s.buf, data...)
}

func (s *stream) putBytes(data []byte) {
	s.pack()
	s.buf = append(s.buf, data...)
}

// pack moves what is left to the front once it is the smaller part, so that each byte is moved at
// most once for each that was taken.
func (s *stream) pack() {
	if s.from > s.len() {
		s.buf = s.buf[:copy(s.buf, s.bytes())]
		s.from = 0
	}
}

// drop takes n bytes.
func (s *stream) drop(n int) { s.from += n }

// bitset is a set of small numbers that gives them in order.
type bitset []uint64

func (b *bitset) add(i int) {
	for i/64 >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func (b bitset) remove(i int) {
	if i/64 < len(b) {
		b[i/64] &^= 1 << (i % 64)
	}
}

// next is the smallest member that is not less than i, or -1.
func (b bitset) next(i int) int {
	for word := i / 64; word < len(b); word++ {
		if w := b[word] >> (i % 64); w != 0 {
			return i + bits.TrailingZeros64(w)
		}
		i = (word + 1) * 64
	}
	return -1
}
