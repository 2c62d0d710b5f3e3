package store

import (
	"encoding/binary"
	"math/bits"
)

// This file cuts pages into cells of one size each.
//
// A page of 64 KiB belongs to a class. What a class knows of a page stands beside it: how many cells
// live, how far the page was ever used, and the first of its free cells, each of which names the
// next. A page that empties belongs to nobody, so that memory moves between the classes.

// ref names a cell: its page, and in that its place in units of 8 bytes. No cell is ref 0.
type ref uint32

const (
	refBits  = 13 // pageBytes in units of 8
	cellsMax = pageBytes / cellMin
	cellMin  = 16
	cellMax  = pageBytes / 2 // what is longer is no cell (extent.go)
)

// The classes: cells of records in steps of 8 bytes to 256, then in 16 steps to each doubling, and
// above 4 KiB what divides a page; the same for nodes of lists; and what only the keyspace itself knows
// of. By its class each is told apart from records.
const (
	classNone     = 0
	classSteps    = (smallMax-cellMin)/8 + 1
	classParts    = classSteps + 4*16
	classRecords  = classParts + pageBytes/middleMax - 2
	classOverflow = 2*classRecords + 1 // behind those of the nodes of lists, of the same sizes
	classChunk    = classOverflow + 1
	classBuckets  = classOverflow + 2
	classes       = classOverflow + 3

	smallMax  = 256
	smallBits = 8
	middleMax = smallMax << 4
)

// classBytes is the size of the cells of each class.
var classBytes = func() (sizes [classes]uint32) {
	for n := uint32(cellMin); n <= cellMax; n += 8 {
		sizes[classOf(int(n))], sizes[classOfNode(int(n))] = n, n // the largest of each
	}
	sizes[classOverflow], sizes[classChunk], sizes[classBuckets] = bucketBytes, chunkBytes, pageBytes
	return sizes
}()

// classOf is the class of records of n bytes, at most cellMax.
func classOf(n int) uint8 {
	if n <= smallMax {
		return uint8(max(1, (n+7)/8-1))
	}
	if n > middleMax {
		return uint8(classParts + pageBytes/middleMax - pageBytes/((n+7)&^7))
	}
	doubling := bits.Len(uint(n-1)) - smallBits - 1
	return uint8(classSteps + 16*doubling + (n-1)>>(doubling+smallBits-4) - 16 + 1)
}

// pageInfo is what is known of a page.
type pageInfo struct {
	class      uint8
	rank       uint8  // which of the class' lists it is in
	live       uint16 // cells in use
	used       uint16 // units from the start that ever were in a cell
	free       uint16 // unit of the first free cell, and one; 0 if there is none
	next, prev uint32 // in that list; 0 is none. Of a spare page, next is its place in slabs.spare
	piece      uint32 // where its memory is
}

// The pages of a class that have room are in lists by how full they are, in eighths. New cells come
// from the fullest, so that sparse pages have a chance to empty by themselves; compact.go empties
// those that do not.
const (
	ranks    = 8
	rankBits = 13 // pageBytes / ranks
	unranked = ranks
)

// slabs is the memory of one keyspace.
type slabs struct {
	memory  *Memory
	pieces  []piece
	dir     []*page // by number; the first is none
	info    []pageInfo
	numbers []uint32 // of pages that have gone with their piece
	spare   []uint32 // pages without a class
	open    [classes][ranks]uint32
	count   [classes]classCount
	bytes   int // of the cells in use
	compaction
	ledger ledger
}

// classCount is what a class has.
type classCount struct{ pages, live int }

func newSlabs(m *Memory) slabs {
	return slabs{memory: m, dir: make([]*page, 1), info: make([]pageInfo, 1),
		compaction: compaction{leaving: -1}}
}

// at is the memory from a cell in use on, to the end of its page.
func (s *slabs) at(r ref) []byte {
	if checked {
		s.check(r)
	}
	return s.any(r)
}

// any is at for what need not be a cell in use.
func (s *slabs) any(r ref) []byte {
	return s.dir[r>>refBits][(r&(1<<refBits-1))*8:]
}

// isRecord tells whether a ref, which may be an old one, is a record by now.
func (s *slabs) isRecord(r ref) bool {
	p, unit := &s.info[r>>refBits], uint32(r&(1<<refBits-1))
	return p.class != classNone && p.class <= classRecords && unit < uint32(p.used) &&
		unit%(classBytes[p.class]/8) == 0 && header(load64(s.any(r))).isRecord()
}

// room is the size of a cell.
func (s *slabs) room(r ref) int { return int(classBytes[s.info[r>>refBits].class]) }

// alloc is a new cell of a class. It holds anything.
func (s *slabs) alloc(class uint8) ref {
	n := s.fullest(class)
	if n == 0 {
		n = s.newPage(class)
		s.link(n, 0)
	}
	p := &s.info[n]
	unit := p.used
	if p.free != 0 {
		unit = p.free - 1
		p.free = uint16(binary.LittleEndian.Uint64(s.dir[n][uint32(unit)*8:]) >> freeShift)
	} else {
		p.used += uint16(classBytes[class] / 8)
	}
	p.live++
	s.count[class].live++
	if at := p.rankNow(); at != p.rank {
		s.unlink(n)
		s.link(n, at)
	}
	s.bytes += int(classBytes[class])
	r := ref(n)<<refBits | ref(unit)
	s.ledger.add(r)
	return r
}

// fullest is the fullest page of a class that has room, 0 if there is none.
func (s *slabs) fullest(class uint8) uint32 {
	for rank := ranks - 1; rank >= 0; rank-- {
		if n := s.open[class][rank]; n != 0 {
			return n
		}
	}
	return 0
}

// rankNow is the list that a page belongs in, unranked if it is full.
func (p *pageInfo) rankNow() uint8 {
	size := classBytes[p.class]
	if inUse := uint32(p.live) * size; inUse+size <= pageBytes {
		return uint8(inUse >> rankBits)
	}
	return unranked
}

// freeShift leaves the low bits of a free cell zero: that it holds no record (record.go).
const freeShift = 16

// free takes a cell back.
func (s *slabs) free(r ref) {
	if checked {
		s.check(r)
		s.ledger.remove(r)
	}
	n, unit := uint32(r>>refBits), r&(1<<refBits-1)
	p := &s.info[n]
	size := classBytes[p.class]
	binary.LittleEndian.PutUint64(s.dir[n][unit*8:], uint64(p.free)<<freeShift)
	p.free = uint16(unit) + 1
	if s.memory.strict {
		for i := range s.any(r)[8:size] {
			s.any(r)[8+i] = 0xdb
		}
	}
	p.live--
	s.count[p.class].live--
	s.bytes -= int(size)
	s.idle = false
	if n == s.emptied {
		if p.live == 0 {
			s.freePage(n)
		}
		return
	}
	if at := p.rankNow(); at != p.rank {
		s.unlink(n)
		s.link(n, at)
	}
	if p.live == 0 && (s.fullest(p.class) != n || p.next != 0) { // the only one is kept
		s.unlink(n)
		s.freePage(n)
	}
}

// newPage is a page that belongs to a class.
func (s *slabs) newPage(class uint8) uint32 {
	if len(s.spare) == 0 {
		s.addPiece()
	}
	n := s.spare[len(s.spare)-1]
	s.takeSpare(n)
	s.info[n] = pageInfo{class: class, rank: unranked, piece: s.info[n].piece}
	s.count[class].pages++
	return n
}

func (s *slabs) freePage(n uint32) {
	p := &s.info[n]
	s.count[p.class].pages--
	if n == s.emptied {
		s.emptied = 0
	}
	*p = pageInfo{piece: p.piece}
	if int(p.piece) != s.leaving {
		s.addSpare(n)
	}
}

// link puts a page at the head of a list of its class, unless it is full; unlink takes it out, if it
// is in one.
func (s *slabs) link(n uint32, rank uint8) {
	p := &s.info[n]
	p.rank = rank
	if rank == unranked {
		return
	}
	head := &s.open[p.class][rank]
	p.next, p.prev = *head, 0
	if *head != 0 {
		s.info[*head].prev = n
	}
	*head = n
}

func (s *slabs) unlink(n uint32) {
	p := &s.info[n]
	if p.rank == unranked {
		return
	}
	if p.next != 0 {
		s.info[p.next].prev = p.prev
	}
	if p.prev != 0 {
		s.info[p.prev].next = p.next
	} else {
		s.open[p.class][p.rank] = p.next
	}
	p.rank = unranked
}
