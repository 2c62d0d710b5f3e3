package store

// This file keeps the pieces of memory that pages lie in.
//
// A page is known by its number, and where its memory is stands in the directory alone: so a page
// moves to other memory without anybody noticing, and pieces that have become sparse are emptied and
// given back (compact.go).

// piece is what was taken from the system at once, and the numbers of the pages in it.
type piece struct {
	mem   []byte
	pages [piecePages]uint32
	used  int // of the pages, those with a class
}

// addPiece takes a piece, all of whose pages are spare.
func (s *slabs) addPiece() {
	at := uint32(len(s.pieces))
	s.pieces = append(s.pieces, piece{mem: s.memory.take(), used: piecePages})
	p := &s.pieces[at]
	for i := piecePages - 1; i >= 0; i-- {
		n := s.newNumber()
		p.pages[i] = n
		s.dir[n] = (*page)(p.mem[i*pageBytes:])
		s.info[n] = pageInfo{piece: at}
		s.addSpare(n)
	}
}

// newNumber is that of a page which is not there yet.
func (s *slabs) newNumber() uint32 {
	if last := len(s.numbers) - 1; last >= 0 {
		n := s.numbers[last]
		s.numbers = s.numbers[:last]
		return n
	}
	s.dir = append(s.dir, nil)
	s.info = append(s.info, pageInfo{})
	return uint32(len(s.dir) - 1)
}

// dropPiece gives a piece back, none of whose pages is in use or spare. The last takes its place.
func (s *slabs) dropPiece(at uint32) {
	for _, n := range s.pieces[at].pages {
		s.dir[n], s.info[n] = nil, pageInfo{}
		s.numbers = append(s.numbers, n)
	}
	s.memory.give([][]byte{s.pieces[at].mem}, 0)
	last := uint32(len(s.pieces) - 1)
	s.pieces[at] = s.pieces[last]
	if at != last {
		for _, n := range s.pieces[at].pages {
			s.info[n].piece = at
		}
	}
	s.pieces[last] = piece{}
	s.pieces = s.pieces[:last]
}

// drop gives all memory back, with so many values.
func (s *slabs) drop(values int) {
	all := make([][]byte, len(s.pieces))
	for i := range s.pieces {
		all[i] = s.pieces[i].mem
	}
	s.memory.give(all, values)
}

// held is the memory taken from the system.
func (s *slabs) held() int { return len(s.pieces) * pieceBytes }

// addSpare and takeSpare keep the list of pages without a class.
func (s *slabs) addSpare(n uint32) {
	s.info[n].next = uint32(len(s.spare))
	s.spare = append(s.spare, n)
	s.pieces[s.info[n].piece].used--
}

func (s *slabs) takeSpare(n uint32) {
	at, last := s.info[n].next, s.spare[len(s.spare)-1]
	s.spare[at] = last
	s.info[last].next = at
	s.spare = s.spare[:len(s.spare)-1]
	s.pieces[s.info[n].piece].used++
}

// movePage moves the memory of a page in use to where that of a spare one was, and the other way
// round.
func (s *slabs) movePage(n, spare uint32) {
	*s.dir[spare] = *s.dir[n]
	s.dir[n], s.dir[spare] = s.dir[spare], s.dir[n]
	a, b := s.info[n].piece, s.info[spare].piece
	s.pieces[a].rename(n, spare)
	s.pieces[b].rename(spare, n)
	s.info[n].piece, s.info[spare].piece = b, a
}

// rename lets another page have the place of one.
func (p *piece) rename(from, to uint32) {
	for i, n := range p.pages {
		if n == from {
			p.pages[i] = to
		}
	}
}
