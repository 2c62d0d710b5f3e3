package impl

import "rondo/impl/kernel"

// Time events. A heap orders them by their deadline on the monotonic clock, so that a jump of the
// wall clock moves none (TIME-20) and the next one is known in O(1): it bounds the wait (LOOP-4).
// Redis keeps an unsorted list and looks at all of it each turn, which is as good for a few timers.

// timer is one time event: idle, armed (in the heap), or due (taken out of it, about to run).
type timer struct {
	run func() // may arm the timer again
	at  int64  // monotonic ns
	seq uint64 // orders equal deadlines by when they were armed
	pos int    // place in the heap + 1; 0: not in it
	due bool
}

type timers struct {
	heap []*timer
	seq  uint64
	due  []*timer // scratch of fire

	promised uint64 // who was armed by then, and is due, runs in this turn (Audit)
}

// next is the earliest deadline.
func (h *timers) next() int64 {
	if len(h.heap) == 0 {
		return kernel.Forever
	}
	return h.heap[0].at
}

// arm sets the deadline of t, whether it had one or not.
func (h *timers) arm(t *timer, at int64) {
	h.disarm(t)
	h.seq++
	t.at, t.seq = at, h.seq
	h.heap = append(h.heap, t)
	h.up(len(h.heap) - 1)
}

// armed tells whether t is going to run.
func (t *timer) armed() bool { return t.pos != 0 || t.due }

// disarm takes the deadline away; a timer that is due in this pass does not run any more.
func (h *timers) disarm(t *timer) {
	t.due = false
	if t.pos == 0 {
		return
	}
	i, last := t.pos-1, len(h.heap)-1
	t.pos = 0
	moved := h.heap[last]
	h.heap[last] = nil
	h.heap = h.heap[:last]
	if i < last {
		h.heap[i] = moved
		h.up(i)
		h.down(moved.pos - 1)
	}
}

// fire runs what is due. All of it is taken out of the heap first: a timer armed during the pass
// waits for the next one, even if its deadline has passed (LOOP-12), so a pass always ends.
func (h *timers) fire(now int64) int {
	h.due = h.due[:0]
	for len(h.heap) > 0 && h.heap[0].at <= now { // LOOP-3: never before
		t := h.heap[0]
		h.disarm(t)
		t.due = true
		h.due = append(h.due, t)
	}
	n := 0
	for _, t := range h.due {
		if t.due {
			t.due = false
			t.run()
			n++
		}
	}
	return n
}

func (h *timers) less(i, j int) bool {
	a, b := h.heap[i], h.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// up moves the timer at i towards the root until its parent is earlier.
func (h *timers) up(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	h.heap[i].pos = i + 1
}

// down moves the timer at i towards the leaves until its children are later.
func (h *timers) down(i int) {
	for {
		child := 2*i + 1
		if child+1 < len(h.heap) && h.less(child+1, child) {
			child++
		}
		if child >= len(h.heap) || !h.less(child, i) {
			break
		}
		h.swap(i, child)
		i = child
	}
	h.heap[i].pos = i + 1
}

func (h *timers) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
	h.heap[i].pos, h.heap[j].pos = i+1, j+1
}
