package store

// This file holds what does not fit into a cell. A record names its extent by a number.

// extent is a block of which a record's value, or its key, begins at from.
type extent struct {
	block Block
	from  int
}

func (e *extent) bytes() []byte { return e.block.Bytes[e.from:] }

// extentPage is some of them: one long list would be copied as a whole when it grows.
type extentPage [1 << 10]extent

type extents struct {
	memory *Memory
	all    []*extentPage
	n      int      // numbers given out; the first is none
	spare  []uint32 // numbers without an extent
	held   int      // bytes
	sweep
}

func newExtents(m *Memory) extents { return extents{memory: m, n: 1} }

func (e *extents) at(id int) *extent { return &e.all[id/len(extentPage{})][id%len(extentPage{})] }

// growBytesMax is how much room at most a growing value is given beyond what it needs.
const growBytesMax = 1 << 20

// alloc is the number of a new extent with room for n bytes, which hold anything.
func (e *extents) alloc(n int) uint32 { return e.adopt(e.memory.Block(n), 0) }

// adopt makes an extent of a block.
func (e *extents) adopt(b Block, from int) uint32 {
	e.held += len(b.Bytes)
	if len(e.spare) == 0 {
		if e.n > len(e.all)*len(extentPage{})-1 {
			e.all = append(e.all, new(extentPage))
		}
		e.spare = append(e.spare, uint32(e.n))
		e.n++
	}
	id := e.spare[len(e.spare)-1]
	e.spare = e.spare[:len(e.spare)-1]
	*e.at(int(id)) = extent{b, from}
	return id
}

// bytes are those of an extent, all that it has room for.
func (e *extents) bytes(id uint32) []byte { return e.at(int(id)).bytes() }

func (e *extents) free(id uint32) {
	x := e.at(int(id))
	e.held -= len(x.block.Bytes)
	e.memory.Free(x.block)
	*x = extent{}
	e.spare = append(e.spare, id)
}

// drop leaves all to Memory.advance: they may be many.
func (e *extents) drop() {
	if e.n > 1 {
		e.memory.dropped = append(e.memory.dropped, *e)
	}
}

// extentsUnit are freed in a unit of housekeeping.
const extentsUnit = 16

// advance frees what was dropped, up to budget units of it; it returns what is left of the budget.
func (m *Memory) advance(budget int) int {
	for ; budget > 0 && len(m.dropped) > 0; budget-- {
		e := &m.dropped[0]
		for range min(extentsUnit, e.n-1) {
			e.n--
			last := e.at(e.n).block
			e.held -= len(last.Bytes)
			m.Free(last)
		}
		if e.n == 1 {
			m.dropped = m.dropped[1:]
		}
	}
	return budget
}
