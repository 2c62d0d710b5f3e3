package store

// This file is the tree of a list. A node is a cell:
//
//	kind     2 bytes: a leaf, or an inner node of a height
//	count    2 bytes: elements of a leaf, children of an inner node
//	parent   4 bytes: the node above, or the record of the list
//
// An inner node has, for each child, its ref and how many elements are below it. So the element at an
// index is found by adding up counts on the way down, and a change counts again on the way up; the
// height grows with the logarithm of the length. Every change begins at the root and returns, level by
// level, what a node has become: itself, another cell, or several.
//
// Half-empty neighbours are put together where something was cut out. A tree that is dropped is freed
// by steps: its root is put on a list, and housekeeping frees a node at a time, whose children it puts
// there. Compaction waits for that, since nobody can be told of a node on that list that it has moved.

const (
	nodeHead = 8

	kindLeaf  = 1 // an inner node above leaves is kindLeaf+1, and so on
	fanout    = 63
	childSize = 8
	innerSize = nodeHead + fanout*childSize
)

func kind(b []byte) int               { return int(load16(b)) }
func count(b []byte) int              { return int(load16(b[2:])) }
func setCount(b []byte, n int)        { store16(b[2:], uint16(n)) }
func parentOf(b []byte) ref           { return ref(load32(b[4:])) }
func setParentOf(b []byte, p ref)     { store32(b[4:], uint32(p)) }
func (db *DB) isLeaf(r ref) bool      { return kind(db.slabs.at(r)) == kindLeaf }
func (db *DB) setParent(r, p ref)     { setParentOf(db.slabs.at(r), p) }
func (s *slabs) isNode(r ref) bool    { return isNodeClass(s.info[r>>refBits].class) }
func isNodeClass(class uint8) bool    { return class > classRecords && class < classOverflow }
func classOfNode(n int) uint8         { return classRecords + classOf(n) }
func (db *DB) inner(r ref) inner      { return inner{db, r, db.slabs.at(r)[:innerSize]} }
func (db *DB) newInner(p parts) ref   { return db.innerOf(kind(db.slabs.at(p.ref[0]))+1, p) }
func (n inner) count() int            { return count(n.b) }
func (n inner) child(i int) ref       { return ref(load32(n.b[nodeHead+i*childSize:])) }
func (n inner) below(i int) int       { return int(load32(n.b[nodeHead+i*childSize+4:])) }
func (n inner) setBelow(i, count int) { store32(n.b[nodeHead+i*childSize+4:], uint32(count)) }

// inner is an inner node, with where it is. It stays where it is as long as it lives, but for
// compaction.
type inner struct {
	db  *DB
	ref ref
	b   []byte
}

// parts is what a node has become: one, or up to three side by side.
type parts struct {
	ref [3]ref
	n   int
}

func partsOf(refs ...ref) (p parts) {
	p.n = copy(p.ref[:], refs)
	return p
}

// innerOf is a new inner node of a kind above some nodes.
func (db *DB) innerOf(kind int, p parts) ref {
	n := db.inner(db.slabs.alloc(classOfNode(innerSize)))
	store64(n.b, uint64(kind))
	for i := range p.n {
		n.set(i, p.ref[i])
	}
	setCount(n.b, p.n)
	return n.ref
}

// set makes r child i.
func (n inner) set(i int, r ref) {
	store32(n.b[nodeHead+i*childSize:], uint32(r))
	n.setBelow(i, n.db.size(r))
	n.db.setParent(r, n.ref)
}

// size is how many elements are in a node or below it.
func (db *DB) size(r ref) int {
	if db.isLeaf(r) {
		return count(db.slabs.at(r))
	}
	n, sum := db.inner(r), 0
	for i := range n.count() {
		sum += n.below(i)
	}
	return sum
}

// locate is the child in which element i is, of total below the node, and how many elements come
// before that child. It counts from the nearer end.
func (n inner) locate(i, total int) (child, before int) {
	if i < total/2 {
		for ; i >= before+n.below(child); child++ {
			before += n.below(child)
		}
		return child, before
	}
	child = n.count() - 1
	for before = total - n.below(child); i < before; before -= n.below(child) {
		child--
	}
	return child, before
}

// leafAt is the leaf in which element i is, of total in and below r, and which it is there.
func (db *DB) leafAt(r ref, i, total int) (ref, int) {
	for !db.isLeaf(r) {
		n := db.inner(r)
		child, before := n.locate(i, total)
		r, i, total = n.child(child), i-before, n.below(child)
	}
	return r, i
}

// beside is the leaf behind a leaf, or before it; 0 if there is none.
func (db *DB) beside(r ref, backwards bool) ref {
	step := 1
	if backwards {
		step = -1
	}
	height := 0
	for {
		p := parentOf(db.slabs.at(r))
		if !db.slabs.isNode(p) {
			return 0
		}
		n := db.inner(p)
		if i := n.place(r) + step; i >= 0 && i < n.count() {
			r = n.child(i)
			break
		}
		r = p
		height++
	}
	for ; height > 0; height-- {
		n := db.inner(r)
		if r = n.child(0); backwards {
			r = n.child(n.count() - 1)
		}
	}
	return r
}

// place is which child r is.
func (n inner) place(r ref) int {
	i := 0
	for n.child(i) != r {
		i++
	}
	return i
}

// insertAt puts an element before element i of total in and below r.
func (db *DB) insertAt(r ref, i, total int, element []byte) parts {
	if db.isLeaf(r) {
		return db.insertLeaf(r, i, element)
	}
	n := db.inner(r)
	child, before := n.locate(max(i-1, 0), total) // behind the element that it comes to stand behind
	old := n.child(child)
	made := db.insertAt(old, i-before, n.below(child), element)
	if made.n == 1 && made.ref[0] == old {
		n.setBelow(child, n.below(child)+1)
		return partsOf(r)
	}
	return db.replace(n, child, made)
}

// replace puts what a child has become in its place, and cuts the node in two if it is full: where it
// grows at an end, only what is new goes to the other.
func (db *DB) replace(n inner, child int, made parts) parts {
	size, more := n.count(), made.n-1
	if size+more <= fanout {
		n.splice(child, made)
		return partsOf(n.ref)
	}
	at := size / 2
	switch {
	case child == size-1:
		at = size - 1
	case child == 0:
		at = 1
	}
	right := db.inner(db.innerOf(kind(n.b), parts{}))
	right.take(n, at, size)
	if child < at {
		n.splice(child, made)
	} else {
		right.splice(child-at, made)
	}
	return partsOf(n.ref, right.ref)
}

// splice puts nodes in the place of a child.
func (n inner) splice(child int, made parts) {
	size, more := n.count(), made.n-1
	first := nodeHead + (child+1)*childSize
	copy(n.b[first+more*childSize:], n.b[first:nodeHead+size*childSize])
	for i := range made.n {
		n.set(child+i, made.ref[i])
	}
	setCount(n.b, size+more)
}

// take moves the children of another node from one to another behind those there are.
func (n inner) take(from inner, first, end int) {
	size := n.count()
	copy(n.b[nodeHead+size*childSize:], from.b[nodeHead+first*childSize:nodeHead+end*childSize])
	setCount(n.b, size+end-first)
	setCount(from.b, from.count()-(end-first))
	for i := size; i < n.count(); i++ {
		n.db.setParent(n.child(i), n.ref)
	}
}

// cut removes n elements, not all, from element i on, in and below r, and returns what r has become.
// Children of which nothing is left are dropped as a whole.
func (db *DB) cut(r ref, i, n int) ref {
	if db.isLeaf(r) {
		return db.cutLeaf(r, i, n)
	}
	node := db.inner(r)
	child, before := node.locate(i, db.size(r))
	i -= before
	first, end := child, child // the children to be removed
	for ; n > 0; child++ {
		below := node.below(child)
		gone := min(n, below-i)
		if gone == below {
			db.dropTree(node.child(child))
			end = child + 1
		} else {
			node.set(child, db.cut(node.child(child), i, gone))
			if first == end { // nothing to be removed so far
				first, end = child+1, child+1
			}
		}
		n, i = n-gone, 0
	}
	node.remove(first, end)
	for i := first; i > first-3; i-- {
		node.join(i)
	}
	return r
}

// remove forgets children.
func (n inner) remove(first, end int) {
	copy(n.b[nodeHead+first*childSize:], n.b[nodeHead+end*childSize:])
	setCount(n.b, n.count()-(end-first))
}

// join puts a child and the one behind it together, if both are small.
func (n inner) join(i int) {
	if i < 0 || i+1 >= n.count() {
		return
	}
	a, b := n.child(i), n.child(i+1)
	if n.db.isLeaf(a) {
		if a = n.db.joinLeaves(a, b); a == 0 {
			return
		}
	} else {
		left, right := n.db.inner(a), n.db.inner(b)
		if left.count()+right.count() > fanout/2 {
			return
		}
		left.take(right, 0, right.count())
		n.db.slabs.free(b)
	}
	n.set(i, a)
	n.remove(i+1, i+2)
}

// joinLeaves appends a leaf to the one before it, if that makes no more than half a leaf; 0 if not.
func (db *DB) joinLeaves(a, b ref) ref {
	left, right := db.leaf(a), db.leaf(b)
	used := left.used() + right.used()
	if leafHead+used > leafMax/2 {
		return 0
	}
	if left.end()+right.used() > len(left.b) {
		to := db.newLeafOf(used, 0)
		to.adopt(left, left.start(), left.end(), left.n())
		db.slabs.free(a)
		left = to
	}
	left.adopt(right, right.start(), right.end(), right.n())
	db.slabs.free(b)
	return left.ref
}

// lower takes away a root with one child, which is the root then.
func (db *DB) lower(r ref) ref {
	for !db.isLeaf(r) && db.inner(r).count() == 1 {
		child := db.inner(r).child(0)
		db.slabs.free(r)
		r = child
	}
	return r
}

// copyTree is a tree with the elements of one of another keyspace, or of this one.
func (db *DB) copyTree(from *DB, r ref) ref {
	if from.isLeaf(r) {
		return db.copyLeaf(from, r)
	}
	old := from.inner(r)
	n := db.inner(db.innerOf(kind(old.b), parts{}))
	for i := range old.count() {
		child := db.copyTree(from, from.inner(r).child(i))
		n.db.inner(n.ref).set(i, child)
	}
	setCount(n.b, from.inner(r).count())
	return n.ref
}

// dropTree leaves what is in and below r to bury, but for a leaf, which is freed at once.
func (db *DB) dropTree(r ref) {
	if db.isLeaf(r) {
		db.freeLeaf(r)
	} else {
		db.dropped = append(db.dropped, r)
	}
}

// Bury frees nodes of lists that were dropped, up to budget of them, and returns what is left of the
// budget.
func (db *DB) Bury(budget int) int {
	for ; budget > 0 && len(db.dropped) > 0; budget-- {
		last := len(db.dropped) - 1
		r := db.dropped[last]
		db.dropped = db.dropped[:last]
		if db.isLeaf(r) {
			db.freeLeaf(r)
			continue
		}
		for n, i := db.inner(r), 0; i < n.count(); i++ {
			db.dropped = append(db.dropped, n.child(i))
		}
		db.slabs.free(r)
	}
	return budget
}

// moveNode tells the one above a node that it has moved.
func (db *DB) moveNode(from, to ref) {
	p := parentOf(db.slabs.at(to))
	if db.slabs.isNode(p) {
		n := db.inner(p)
		store32(n.b[nodeHead+n.place(from)*childSize:], uint32(to))
	} else {
		l := List{db, p}
		store32(l.fields(), uint32(to))
	}
	if !db.isLeaf(to) {
		for n, i := db.inner(to), 0; i < n.count(); i++ {
			db.setParent(n.child(i), to)
		}
	}
}
