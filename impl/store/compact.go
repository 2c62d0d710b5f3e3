package store

import "math/bits"

// This file makes memory dense again that deletions have left sparse.
//
// There are two steps, each some cells or one page at a time. A class whose free cells are more than
// a page's, and more than a part of it, has its sparsest page emptied: the cells move to the fullest
// ones. An emptied page is spare. When there is a piece's worth of spare pages more than it
// takes to grow again, the emptiest piece has its pages moved away, and is given back.
//
// A record is known to the table and to the calendar. The table is told where it is now; in the
// calendar it gets a new entry, and the old one means nothing any more. A node of a list is known to the
// one above it. A move of a page nobody has to
// be told of (piece.go). The chunks of the calendar stay where they are: they come and go with time.
//
// Values that are no cells are in blocks, which are moved likewise (sweep).
//
// A page is gained for a page's worth of cells that were freed before, so that there is less than one
// move for each cell that was freed, however keys come and go.
type compaction struct {
	idle    bool   // there was nothing to do, and nothing has been freed since
	class   uint8  // which was looked at last
	emptied uint32 // the page whose cells are being moved; 0 is none
	unit    uint32 // of it, where to go on
	leaving int    // the piece whose pages are being moved; -1 is none
	look    int    // a piece from where to look for the next
	moves   int    // cells moved so far
}

const (
	sparePart   = 16 // this part of a class may be unused
	cellsUnit   = 16 // cells looked at in a unit of housekeeping,
	movesUnit   = 4  // of which so many are moved
	copyUnits   = 8  // that the move of a page is worth
	piecesAtOne = 64 // pieces that the emptiest is chosen from
)

// compact does up to budget units, but for the last page, and returns what is left of the budget.
func (db *DB) compact(budget int) int {
	s := &db.slabs
	for budget > 0 && !s.idle && !s.memory.sparse {
		switch {
		case s.emptied != 0:
			db.emptyPage()
			budget--
		case s.leaving >= 0:
			s.emptyPiece()
			budget -= copyUnits
		case s.choosePiece(), s.choosePage():
			budget--
		default:
			s.idle = true
		}
	}
	return budget
}

// choosePage finds a page to empty.
func (s *slabs) choosePage() bool {
	for range classOverflow {
		if s.class++; s.class > classOverflow {
			s.class = 1
		}
		if n := s.sparsest(s.class); n != 0 {
			s.empty(n)
			return true
		}
	}
	return false
}

// empty begins to empty a page. One without a cell, which was kept when it was the only one with room,
// is spare at once: no move would ever free it.
func (s *slabs) empty(n uint32) {
	s.unlink(n)
	if s.info[n].live == 0 {
		s.freePage(n)
		return
	}
	s.emptied, s.unit = n, 0
}

// sparsest is the page of a class that is worth emptying: the cells of it have room in the others.
func (s *slabs) sparsest(class uint8) uint32 {
	cells := int(pageBytes / classBytes[class])
	all := s.count[class].pages * cells
	if free := all - s.count[class].live; free < cells || free*sparePart < all {
		return 0
	}
	for _, n := range s.open[class] {
		if n != 0 && (s.fullest(class) != n || s.info[n].next != 0) {
			return n
		}
	}
	return 0
}

// emptyPage moves some cells out of the page that is being emptied. It is left as it is if the
// others have filled in the meantime.
func (db *DB) emptyPage() {
	s := &db.slabs
	n := s.emptied
	p := &s.info[n]
	moved := 0
	for range cellsUnit {
		if s.unit >= uint32(p.used) || s.fullest(p.class) == 0 {
			s.emptied = 0
			s.link(n, p.rankNow())
			return
		}
		r := ref(n)<<refBits | ref(s.unit)
		s.unit += classBytes[p.class] / 8
		if !inUse(s.any(r)) {
			continue
		}
		db.moveCell(r, p.class)
		if s.emptied == 0 || moved == movesUnit-1 {
			return
		}
		moved++
	}
}

// inUse tells a record or an overflow bucket from a free cell: it begins with the header's type, or
// with a tag.
func inUse(cell []byte) bool { return load64(cell)&(1<<freeShift-1) != 0 }

// moveCell moves a record or an overflow bucket to another page of its class.
func (db *DB) moveCell(r ref, class uint8) {
	s := &db.slabs
	to := s.alloc(class)
	copy(s.at(to)[:classBytes[class]], s.at(r))
	switch {
	case class == classOverflow:
		db.before(r).setNext(to)
	case isNodeClass(class):
		db.moveNode(r, to)
	default:
		h := db.hash(db.key(to))
		p := db.placeOf(h, r)
		p.b.setRef(p.i, to)
		db.refile(to)
		db.rehome(to)
	}
	s.free(r)
	s.moves++
}

// before is the bucket that an overflow bucket belongs to.
func (db *DB) before(r ref) *bucket {
	first := db.overflow(r).ref(0)
	b := db.bucketAt(db.table.bucket(db.hash(db.key(first))))
	for b.next() != r {
		b = db.overflow(b.next())
	}
	return b
}

// choosePiece finds a piece to give back. Its spare pages are not to be used any more.
func (s *slabs) choosePiece() bool {
	if len(s.spare) < 2*piecePages+len(s.pieces)/2 {
		return false
	}
	best := -1
	for range min(piecesAtOne, len(s.pieces)) {
		s.look = (s.look + 1) % len(s.pieces)
		if best < 0 || s.pieces[s.look].used < s.pieces[best].used {
			best = s.look
		}
	}
	s.leave(best)
	return true
}

func (s *slabs) leave(at int) {
	s.leaving = at
	for _, n := range s.pieces[at].pages {
		if s.info[n].class == classNone {
			s.takeSpare(n)
		}
	}
}

// emptyPiece moves a page out of the piece that is to be given back, or gives it back if there is
// none left. If spare pages have become scarce it stays.
func (s *slabs) emptyPiece() {
	p := &s.pieces[s.leaving]
	for _, n := range p.pages {
		if s.info[n].class == classNone {
			continue
		}
		if len(s.spare) == 0 {
			s.stay(p)
			return
		}
		to := s.spare[len(s.spare)-1]
		s.takeSpare(to)
		s.movePage(n, to)
		return
	}
	s.dropPiece(uint32(s.leaving))
	s.leaving = -1
}

func (s *slabs) stay(p *piece) {
	s.leaving = -1
	for _, n := range p.pages {
		if s.info[n].class == classNone {
			s.addSpare(n)
		}
	}
}

// sweep goes over all extents, and moves those whose block is in a piece that is less than half used to
// a fuller one of its kind. It begins anew for as long as it has moved any; a piece that is emptied so
// goes back by itself. Only the extent knows where its block is. Blocks on their way into the keyspace
// are somebody else's, and stay.
type sweep struct {
	next  int    // the extent that was looked at last
	moved bool   // any, since it began
	since uint64 // blocks.frees when it began,
	done  uint64 // and when one began that moved nothing
}

const (
	extentsLook = 64       // extents looked at in a unit of housekeeping
	copyBytes   = 16 << 10 // of a block that are copied in one
	piecesLook  = 16       // pieces that the fullest is chosen from
	freePart    = 4        // this part of all blocks may be unused
)

// compact does up to budget units, but for the last block, and returns what is left.
func (e *extents) compact(budget int) int {
	k := &e.memory.blocks
	for budget > 0 && !e.memory.sparse {
		if e.next == 0 {
			if e.done == k.frees || (k.cells-k.taken)*freePart < k.cells {
				break
			}
			e.moved, e.since = false, k.frees
		}
		budget--
		for range extentsLook {
			if e.next++; e.next >= e.n {
				if e.next = 0; !e.moved {
					e.done = e.since
				}
				break
			}
			if to := e.memory.fuller(e.at(e.next).block); to >= 0 {
				e.move(e.next, to)
				budget -= len(e.at(e.next).block.Bytes) / copyBytes
			}
			if budget <= 0 {
				break
			}
		}
	}
	return budget
}

// move gives an extent a block of another piece.
func (e *extents) move(id int, piece int32) {
	old := e.at(id).block
	block := e.memory.cut(piece)
	copy(block.Bytes, old.Bytes)
	e.at(id).block = block
	e.memory.Free(old)
	e.moved = true
}

// fuller is a piece that a block had better be in, -1 if there is none.
func (m *Memory) fuller(b Block) int32 {
	if b.piece == 0 {
		return -1
	}
	k := &m.blocks
	p := &k.pieces[b.piece-1]
	best, free := int32(-1), bits.OnesCount32(p.free)
	if 2*free <= int(p.count) {
		return -1
	}
	open := k.open[p.count]
	for _, i := range open[max(0, len(open)-piecesLook):] {
		if n := bits.OnesCount32(k.pieces[i].free); i != b.piece-1 && n <= free {
			best, free = i, n
		}
	}
	return best
}
