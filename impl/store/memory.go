package store

import (
	"sync"
	"sync/atomic"
)

// This file is where memory comes from: outside the Go heap where the system allows, so that the
// garbage collector has nothing to do per key; and touched before it is used, so that it is not the
// loop which waits for the system to find a page (a first touch costs the loop a page fault, and up
// to milliseconds where a guest must get the page from its host).

const (
	pageBytes  = 64 << 10
	pieceBytes = 1 << 20 // what is taken from the system at once
	piecePages = pieceBytes / pageBytes

	// So much is touched ahead of use: a part of what is used, in pieces no less and no more than so
	// many.
	aheadPart = 64
	aheadMin  = 2
	aheadMax  = 32
)

// page is what a keyspace cuts its memory into.
type page [pageBytes]byte

// Memory hands out pieces of memory to keyspaces. It is used by one goroutine, that of the
// keyspaces; a supplier of its own makes the pieces ready.
type Memory struct {
	system  bool        // pieces are mappings, and not on the Go heap
	strict  bool        // what is freed is overwritten
	sparse  bool        // keyspaces are not made dense again
	huge    atomic.Bool // the supplier asks for huge pages
	want    chan struct{}
	ready   chan []byte
	used    int            // pieces handed out and not yet taken back
	ordered int            // pieces that the supplier has ready, or was asked for
	gone    [][]byte       // memory that nothing refers to, to be unmapped
	again   [][]byte       // or, of the Go heap, to be used again
	values  int            // that lay in it
	release sync.WaitGroup // the functions of Unused that have not run
	blocks  blocks
	dropped []extents // of keyspaces that were emptied, to be freed by and by
}

// HeapMemory is memory from the Go heap, made when it is asked for: nothing happens beside the loop.
func HeapMemory() *Memory { return &Memory{} }

// StrictMemory is a HeapMemory for tests: a view that is used after the next change is garbage.
func StrictMemory() *Memory { return &Memory{strict: true} }

// SystemMemory is memory from the system, made ready by a goroutine of its own until Close. Where it
// gives none, pieces come from the Go heap.
func SystemMemory() *Memory {
	m := &Memory{system: true, want: make(chan struct{}, aheadMax), ready: make(chan []byte, aheadMax)}
	go m.supply()
	return m
}

// Compact tells whether keyspaces of this memory are made dense again when deletions have left them
// sparse. They are, unless somebody says otherwise.
func (m *Memory) Compact(yes bool) { m.sparse = !yes }

// UseHugePages has the supplier ask for pages of 2 MiB, as far as the system has some (HugePages). The
// loop never does: the first touch of such a page takes milliseconds.
func (m *Memory) UseHugePages() { m.huge.Store(true) }

// Close ends the supplier, gives back what nobody has taken, and waits until all is given back that
// Unused has handed out. Keyspaces may be used on.
func (m *Memory) Close() {
	if free, _ := m.Unused(); free != nil {
		free()
	}
	if m.want != nil {
		close(m.want)
		for b := range m.ready {
			unmapMemory(b)
		}
		m.want, m.ready, m.ordered = nil, nil, 0
	}
	m.release.Wait()
}

// supply makes pieces ready. Neither channel is ever full, since no more than aheadMax are ordered.
func (m *Memory) supply() {
	want, ready := m.want, m.ready
	defer close(ready)
	var rest []byte // of a huge page
	for range want {
		b := rest
		if rest = nil; b == nil && m.huge.Load() {
			if two, ok := mapHuge(); ok {
				b, rest = two[:pieceBytes:pieceBytes], two[pieceBytes:]
			}
		}
		if b == nil {
			b = newMemory(pieceBytes, m.system)
		}
		for i := 0; i < len(b); i += touchBytes {
			b[i] = 0
		}
		ready <- b
	}
	unmapMemory(rest)
}

const (
	touchBytes = 4 << 10 // the smallest page of memory that a system has
	hugeBytes  = 2 << 20 // a huge page
)

// newMemory is memory from the system; or, if there is none, from the Go heap: then it has a byte to
// spare behind its end, by which unmapMemory knows it.
func newMemory(n int, system bool) []byte {
	if system {
		if b, ok := mapMemory(n); ok {
			return b
		}
	}
	return make([]byte, n+1)[:n]
}

// take is a piece of memory, zero or not. It never waits: if the supplier was too slow, the piece is
// one that nobody has touched.
func (m *Memory) take() []byte {
	m.used++
	if last := len(m.again) - 1; last >= 0 {
		b := m.again[last]
		m.again = m.again[:last]
		return b
	}
	var b []byte
	select {
	case b = <-m.ready:
		m.ordered--
	default:
		b = newMemory(pieceBytes, m.system)
	}
	for m.want != nil && m.ordered < min(max(aheadMin, m.used/aheadPart), aheadMax) {
		m.ordered++
		m.want <- struct{}{}
	}
	return b
}

// give takes back pieces which nothing refers to any more, and which held so many values.
func (m *Memory) give(pieces [][]byte, values int) {
	m.used -= len(pieces)
	m.values += values
	if n := min(len(pieces), againMax-len(m.again)); !m.system && n > 0 {
		m.again = append(m.again, pieces[:n]...)
		pieces = pieces[n:]
	}
	m.unmap(pieces...)
}

// againMax is how many pieces of the Go heap are kept to be used again.
const againMax = 4

// unmap leaves memory for Unused.
func (m *Memory) unmap(memory ...[]byte) {
	if m.system {
		m.gone = append(m.gone, memory...)
	}
}

// Ready is how many bytes are ready for keyspaces and have not been taken.
func (m *Memory) Ready() int { return m.ordered * pieceBytes }

// Waits is how many values lay in memory that is still to be given back, beside what Unused has handed
// out; and whether there is any such memory.
func (m *Memory) Waits() (values int, some bool) { return m.values, m.values > 0 || len(m.gone) > 0 }

// Unused hands out what nobody refers to any more, as a function that gives it back to the system, to
// be called once, and how many values lay in it; nil if there is nothing. The function takes long, and
// may be called on any goroutine.
func (m *Memory) Unused() (free func(), values int) {
	gone, values := m.gone, m.values
	if m.gone, m.values = nil, 0; len(gone) == 0 && values == 0 {
		return nil, 0
	}
	m.release.Add(1)
	return func() {
		defer m.release.Done()
		for _, b := range gone {
			unmapMemory(b)
		}
	}, values
}
