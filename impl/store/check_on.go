//go:build debug

package store

import "fmt"

// A debug build (go build -tags debug) keeps a ledger of the cells in use, and asks it at each use of
// a ref. A ref that nobody may hold any more is found where it is used, and not by what it ruins.

const checked = true

// ledger is the cells in use.
type ledger struct{ cells map[ref]struct{} }

func (l *ledger) add(r ref) {
	if l.cells == nil {
		l.cells = map[ref]struct{}{}
	}
	l.cells[r] = struct{}{}
}

func (l *ledger) remove(r ref) { delete(l.cells, r) }

// check panics with what is wrong with a ref.
func (s *slabs) check(r ref) {
	n, unit := uint32(r>>refBits), uint32(r&(1<<refBits-1))
	bad := func(what string, args ...any) {
		panic(fmt.Sprintf("store: ref %#x (page %d, unit %d) "+what, append([]any{uint32(r), n, unit}, args...)...))
	}
	if int(n) >= len(s.dir) || s.dir[n] == nil {
		bad("is in no page")
	}
	p := &s.info[n]
	switch size := classBytes[p.class]; {
	case p.class == classNone || p.class == classBuckets:
		bad("is in a page of class %d, which has no cells", p.class)
	case unit%(size/8) != 0:
		bad("is not at the start of a cell of %d bytes", size)
	case unit >= uint32(p.used):
		bad("is beyond the last cell, before unit %d", p.used)
	}
	if _, live := s.ledger.cells[r]; !live {
		bad("is of a cell of class %d that has been freed", p.class)
	}
}
