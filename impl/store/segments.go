// An array that grows and shrinks at its end without ever being copied or zeroed as a whole.
package store

const (
	segmentBits  = 10
	segmentItems = 1 << segmentBits
)

// segments is a list of items in segments of one size. Growing by a segment copies at most the
// directory, a thousandth of the whole.
type segments[T any] struct {
	dir []*[segmentItems]T
	n   int
}

func (s *segments[T]) at(i int) *T {
	return &s.dir[i>>segmentBits][i&(segmentItems-1)]
}

func (s *segments[T]) push(item T) {
	if s.n>>segmentBits == len(s.dir) {
		s.dir = append(s.dir, new([segmentItems]T))
	}
	s.n++
	*s.at(s.n - 1) = item
}

// pop drops the last item. One empty segment is kept, so that going to and fro across a border
// does not allocate each time.
func (s *segments[T]) pop() {
	var zero T
	s.n--
	*s.at(s.n) = zero
	if used := (s.n + segmentItems - 1) >> segmentBits; len(s.dir) > used+1 {
		s.dir[len(s.dir)-1] = nil
		s.dir = s.dir[:len(s.dir)-1]
	}
}
