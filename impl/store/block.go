package store

import "math/bits"

// This file cuts memory into blocks: for a value too big for a cell, and for a large argument while it
// arrives, so that such a value never has to be copied into its place.
//
// A block of up to half a piece shares a piece with others of its size; a longer one has memory of its
// own.

// Block is memory to write into: Bytes, of any content, and a little longer than was asked for. It
// belongs to whoever has asked for it until Free, or until PutBlock gives it to a keyspace.
type Block struct {
	Bytes []byte
	piece int32 // and one; 0 has memory of its own
	cell  uint8
}

const (
	blockUnit = 4 << 10
	blocksMax = 32 // in a piece: a bit each
	sharedMax = pieceBytes / 2
)

// shared is a piece that is cut into blocks.
type shared struct {
	bytes []byte
	count uint8  // of blocks in the piece
	free  uint32 // a bit for each that nobody has
	pos   int32  // in the list of those that have room
}

// blocks are those of a Memory.
type blocks struct {
	taken, cells int    // blocks that somebody has, of so many in all pieces
	frees        uint64 // how often one was given back
	pieces       []shared
	spare        []int32                // numbers without a piece
	open         [blocksMax + 1][]int32 // pieces with room, by how many blocks a piece has
}

func (p *shared) all() uint32 { return uint32(1<<p.count - 1) }

// Block is at least n bytes of memory.
func (m *Memory) Block(n int) Block {
	n = (max(n, 1) + blockUnit - 1) &^ (blockUnit - 1)
	if n > sharedMax {
		return Block{Bytes: newMemory(n, m.system)}
	}
	count := min(pieceBytes/n, blocksMax)
	open := m.blocks.open[count]
	if len(open) == 0 {
		open = m.addShared(count)
	}
	return m.cut(open[len(open)-1])
}

// cut takes a block of a piece that has room.
func (m *Memory) cut(i int32) Block {
	p := &m.blocks.pieces[i]
	cell, count := bits.TrailingZeros32(p.free), int(p.count)
	m.blocks.taken++
	p.free &^= 1 << cell
	if p.free == 0 {
		m.close(i)
	}
	size := pieceBytes / count &^ (blockUnit - 1)
	return Block{p.bytes[cell*size : (cell+1)*size : (cell+1)*size], i + 1, uint8(cell)}
}

// Free takes a block back; that of no memory is none.
func (m *Memory) Free(b Block) {
	if b.Bytes == nil {
		return
	}
	if m.strict {
		for i := range b.Bytes {
			b.Bytes[i] = 0xdb
		}
	}
	if b.piece == 0 {
		m.unmap(b.Bytes)
		return
	}
	i := b.piece - 1
	p := &m.blocks.pieces[i]
	if p.free == 0 {
		m.reopen(i)
	}
	p.free |= 1 << b.cell
	m.blocks.taken--
	m.blocks.frees++
	if p.free == p.all() && len(m.blocks.open[p.count]) > 1 { // the only one is kept
		m.close(i)
		m.give([][]byte{p.bytes}, 0)
		m.blocks.cells -= int(p.count)
		*p = shared{}
		m.blocks.spare = append(m.blocks.spare, i)
	}
}

// addShared cuts one more piece; it returns the pieces with room.
func (m *Memory) addShared(count int) []int32 {
	k := &m.blocks
	if len(k.spare) == 0 {
		k.pieces = append(k.pieces, shared{})
		k.spare = append(k.spare, int32(len(k.pieces)-1))
	}
	i := k.spare[len(k.spare)-1]
	k.spare = k.spare[:len(k.spare)-1]
	p := shared{bytes: m.take(), count: uint8(count)}
	p.free = p.all()
	k.pieces[i] = p
	k.cells += count
	m.reopen(i)
	return k.open[count]
}

// reopen puts a piece among those with room, close takes it out.
func (m *Memory) reopen(i int32) {
	p := &m.blocks.pieces[i]
	open := &m.blocks.open[p.count]
	p.pos = int32(len(*open))
	*open = append(*open, i)
}

func (m *Memory) close(i int32) {
	k := &m.blocks
	p := &k.pieces[i]
	open := k.open[p.count]
	last := open[len(open)-1]
	open[p.pos] = last
	k.pieces[last].pos = p.pos
	k.open[p.count] = open[:len(open)-1]
}
