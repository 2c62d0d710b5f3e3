// The deadlines, in order: a heap of records with four children a node. It is half as deep as a
// binary one, and the deadlines compared lie side by side.
package store

const (
	dueChildren  = 4
	dueItemBytes = 16
)

type dueItem struct {
	at int64 // the record's deadline, here too so that comparing touches no record
	r  *record
}

// dueHeap holds the records that have a deadline; a record knows its place, so that changing a
// deadline searches nothing.
type dueHeap struct {
	items segments[dueItem]
}

func (h *dueHeap) len() int     { return h.items.n }
func (h *dueHeap) min() *record { return h.items.at(0).r }
func (h *dueHeap) bytes() int   { return len(h.items.dir) * segmentItems * dueItemBytes }

// set gives a record another deadline, or none: it enters, moves in, or leaves the heap.
func (h *dueHeap) set(r *record, at int64) {
	had := r.deadline != NoDeadline
	r.deadline = at
	switch {
	case had && at != NoDeadline:
		h.fix(int(r.duePos), dueItem{at, r})
	case had:
		h.remove(int(r.duePos))
	case at != NoDeadline:
		h.items.push(dueItem{})
		h.up(h.items.n-1, dueItem{at, r})
	}
}

func (h *dueHeap) remove(i int) {
	last := *h.items.at(h.items.n - 1)
	h.items.pop()
	if i < h.items.n {
		h.fix(i, last)
	}
}

// fix puts an item at i or where it belongs from there.
func (h *dueHeap) fix(i int, item dueItem) {
	if i > 0 && h.items.at((i-1)/dueChildren).at > item.at {
		h.up(i, item)
	} else {
		h.down(i, item)
	}
}

func (h *dueHeap) up(i int, item dueItem) {
	for i > 0 {
		parent := (i - 1) / dueChildren
		p := *h.items.at(parent)
		if p.at <= item.at {
			break
		}
		h.place(i, p)
		i = parent
	}
	h.place(i, item)
}

func (h *dueHeap) down(i int, item dueItem) {
	for {
		least, at := i, item.at
		first := i*dueChildren + 1
		for c := first; c < min(first+dueChildren, h.items.n); c++ {
			if d := h.items.at(c).at; d < at {
				least, at = c, d
			}
		}
		if least == i {
			break
		}
		h.place(i, *h.items.at(least))
		i = least
	}
	h.place(i, item)
}

func (h *dueHeap) place(i int, item dueItem) {
	*h.items.at(i) = item
	item.r.duePos = int32(i)
}
