package store

// This file holds what does not fit into a cell. A record names its extent by a number.
type extents struct {
	all   [][]byte // the capacity is what the extent has room for
	spare []uint32 // numbers without an extent
	held  int      // bytes
}

// growBytesMax is how much room at most a growing value is given beyond what it needs.
const growBytesMax = 1 << 20

// alloc is the number of a new extent of n bytes, with room for more.
func (e *extents) alloc(n, room int) uint32 {
	b := make([]byte, n, room)
	e.held += cap(b)
	if len(e.spare) == 0 {
		e.all = append(e.all, b)
		return uint32(len(e.all) - 1)
	}
	id := e.spare[len(e.spare)-1]
	e.spare = e.spare[:len(e.spare)-1]
	e.all[id] = b
	return id
}

func (e *extents) bytes(id uint32) []byte { return e.all[id] }

// resize makes an extent n bytes long if it has room; with tight, not if that wastes half of it.
func (e *extents) resize(id uint32, n int, tight bool) bool {
	b := e.all[id]
	if n > cap(b) || tight && cap(b) > 2*n+slackBytes {
		return false
	}
	e.all[id] = b[:n]
	return true
}

func (e *extents) free(id uint32) {
	e.held -= cap(e.all[id])
	e.all[id] = nil
	e.spare = append(e.spare, id)
}
