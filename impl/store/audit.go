package store

import "fmt"

// This file counts what is there, cell by cell, and compares it with the accounts. It costs as much as
// the keyspace is large: it is for tests and for simulation, which asks after every turn.

// Audit tells what does not add up, nil if all does.
func (db *DB) Audit() error {
	var n tally
	if err := db.auditTable(&n); err != nil {
		return err
	}
	for _, r := range db.dropped {
		if err := db.auditTree(r, 0, &n); err != nil {
			return err
		}
	}
	for _, c := range append(db.retired[:len(db.retired):len(db.retired)], db.calendar) {
		if err := db.auditCalendar(c, &n); err != nil {
			return err
		}
	}
	if n.keys != db.Len() || n.volatile != db.volatile || n.bytes != db.slabs.bytes ||
		n.apart != db.extents.held {
		return fmt.Errorf("store: %d keys, %d volatile, %d bytes and %d apart; accounts say %d, %d, %d, %d",
			n.keys, n.volatile, n.bytes, n.apart, db.Len(), db.volatile, db.slabs.bytes, db.extents.held)
	}
	return db.slabs.audit()
}

// tally is what was counted.
type tally struct {
	keys, volatile int
	bytes          int // of cells: records, nodes, overflow buckets, chunks
	apart          int // of extents
}

func (db *DB) auditTable(n *tally) (err error) {
	for i := range db.table.n {
		for b := db.bucketAt(i); b.next() != 0; b = db.overflow(b.next()) {
			n.bytes += bucketBytes
		}
		db.chain(i, func(r ref) bool {
			switch {
			case !db.slabs.isRecord(r):
				err = fmt.Errorf("store: bucket %d refers to what is no record", i)
			case db.table.bucket(db.hash(db.key(r))) != i:
				err = fmt.Errorf("store: the key %q is in bucket %d, where nobody looks", db.key(r), i)
			default:
				err = db.tallyRecord(r, n)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) tallyRecord(r ref, n *tally) error {
	n.keys++
	n.bytes += db.slabs.room(r)
	if db.deadline(r) != NoDeadline {
		n.volatile++
	}
	h := db.header(r)
	for _, field := range []header{longKey, big} {
		if !h.is(field) {
			continue
		}
		if id := load32(db.slabs.at(r)[h.awayAt(field)+4:]); id != 0 {
			n.apart += len(db.extents.at(int(id)).block.Bytes)
		}
	}
	if h.isList() {
		return db.auditTree(List{db, r}.root(), r, n)
	}
	return nil
}

// auditTree looks at a tree and counts its cells, and the extents of its elements. The parent is 0 of
// one that was dropped.
func (db *DB) auditTree(r, parent ref, n *tally) error {
	b := db.slabs.at(r)
	if !db.slabs.isNode(r) || parent != 0 && parentOf(b) != parent {
		return fmt.Errorf("store: node %x has parent %x, and is below %x", r, parentOf(b), parent)
	}
	n.bytes += db.slabs.room(r)
	if db.isLeaf(r) {
		n.apart += db.leaf(r).away()
		return nil
	}
	up := r
	if parent == 0 {
		up = 0
	}
	node := db.inner(r)
	for i := range node.count() {
		child := node.child(i)
		if kind(db.slabs.at(child))+1 != kind(b) || node.below(i) != db.size(child) {
			return fmt.Errorf("store: node %x is wrong about its child %d", r, i)
		}
		if err := db.auditTree(child, up, n); err != nil {
			return err
		}
	}
	return nil
}

// auditCalendar looks at the slots of a calendar, and counts its chunks.
func (db *DB) auditCalendar(c *calendar, n *tally) error {
	if c == nil {
		return nil
	}
	entries := 0
	list := func(r ref) {
		for ; r != 0; r = ref(load32(db.slabs.at(r))) {
			n.bytes += chunkBytes
			entries += int(load32(db.slabs.at(r)[4:]))
		}
	}
	for l := range c.levels {
		g := &c.levels[l]
		list(g.opened)
		for i, head := range g.heads {
			list(head)
			if int64(i) < g.size && (head != 0) != (g.busy[i/64]>>(i%64)&1 == 1) {
				return fmt.Errorf("store: level %d: the map of busy slots is wrong at %d", l, i)
			}
		}
		if g.end-g.first > g.size || g.end < g.first {
			return fmt.Errorf("store: level %d reaches from %d to %d", l, g.first, g.end)
		}
	}
	if entries != c.entries {
		return fmt.Errorf("store: %d entries, accounts say %d", entries, c.entries)
	}
	return nil
}

// audit compares the lists and accounts of pages and pieces with what they lead to.
func (s *slabs) audit() error {
	if len(s.pieces) == 0 && len(s.dir) == 1 {
		return nil // a keyspace that nobody has used
	}
	if err := s.auditPages(); err != nil {
		return err
	}
	for class := range s.open {
		for rank, n := range s.open[class] {
			for before := uint32(0); n != 0; before, n = n, s.info[n].next {
				if p := &s.info[n]; int(p.class) != class || int(p.rank) != rank || p.prev != before {
					return fmt.Errorf("store: page %d of class %d is in the list of class %d", n, p.class, class)
				}
			}
		}
	}
	return s.auditPieces()
}

func (s *slabs) auditPages() error {
	var count [classes]classCount
	spare := 0
	for n := 1; n < len(s.dir); n++ {
		p := &s.info[n]
		switch {
		case s.dir[n] == nil:
			if *p != (pageInfo{}) {
				return fmt.Errorf("store: page %d has no memory, and is of class %d", n, p.class)
			}
			continue
		case p.class == classNone && int(p.piece) == s.leaving:
			continue
		case p.class == classNone:
			spare++
			if s.spare[p.next] != uint32(n) {
				return fmt.Errorf("store: page %d is spare, and is not in the list", n)
			}
			continue
		case p.class != classBuckets && uint32(n) != s.emptied && p.rank != p.rankNow():
			return fmt.Errorf("store: page %d with %d cells of class %d is in list %d", n, p.live, p.class, p.rank)
		}
		count[p.class].pages++
		count[p.class].live += int(p.live)
	}
	if count != s.count || spare != len(s.spare) {
		return fmt.Errorf("store: %d spare pages, accounts say %d; counts %v, %v", spare, len(s.spare), count, s.count)
	}
	return nil
}

func (s *slabs) auditPieces() error {
	for at := range s.pieces {
		p, used := &s.pieces[at], 0
		for i, n := range p.pages {
			if s.dir[n] != (*page)(p.mem[i*pageBytes:]) || int(s.info[n].piece) != at {
				return fmt.Errorf("store: page %d is not where piece %d has it", n, at)
			}
			if s.info[n].class != classNone || at == s.leaving {
				used++
			}
		}
		if p.used != used {
			return fmt.Errorf("store: %d pages of piece %d are in use, accounts say %d", used, at, p.used)
		}
	}
	return nil
}
