package store

// This file is a list as callers see it. Inside it is a tree (node.go) whose leaves hold runs of
// elements (leaf.go), each known by how many come before it.
//
// The record of a list has, in place of a value, the ref of the root and the number of elements. A
// short list is a root that is a leaf. The root names its record as its parent, so when a record moves
// the root is told.

// Kind is the type of a value.
type Kind uint8

// The kinds.
const (
	String Kind = iota
	Lists
)

// List is the list of a key. It is valid until the next change of the DB that is not made through it.
type List struct {
	db  *DB
	rec ref
}

// listBytes is what a list has in place of a value: its root, and its length.
const listBytes = 8

// List is that of a view whose Kind is Lists.
func (db *DB) List(v View) List { return List{db, v.ref} }

// NewList makes key hold a list, whatever was there before. It has no elements yet, and must get some
// or be deleted before anybody looks.
func (db *DB) NewList(key []byte, deadline, now int64) List {
	var none [listBytes]byte
	r := db.put(key, none[:], Block{}, 0, 0, deadline, now)
	db.setHeader(r, db.header(r)&^typeMask|typeList)
	return List{db, r}
}

func (l List) fields() []byte {
	_, b := l.db.parts(l.rec)
	return b
}

func (l List) root() ref { return ref(load32(l.fields())) }

// Len is the number of elements.
func (l List) Len() int { return int(load32(l.fields()[4:])) }

// set makes r the root of n elements.
func (l List) set(r ref, n int) {
	b := l.fields()
	store32(b, uint32(r))
	store32(b[4:], uint32(n))
	if r != 0 {
		l.db.setParent(r, l.rec)
	}
}

// At is element i, valid until the next change.
func (l List) At(i int) []byte {
	leaf, i := l.db.leafAt(l.root(), i, l.Len())
	return l.db.leaf(leaf).at(i)
}

// Insert puts an element, which is no view of this DB, before element i, or behind all of them if i is
// Len.
func (l List) Insert(i int, element []byte) {
	n := l.Len()
	if n == 0 {
		l.set(l.db.newLeaf(element), 1)
		return
	}
	made := l.db.insertAt(l.root(), i, n, element)
	root := made.ref[0]
	if made.n > 1 {
		root = l.db.newInner(made)
	}
	l.set(root, n+1)
}

// Set replaces element i.
func (l List) Set(i int, element []byte) {
	if old := l.At(i); len(old) == len(element) {
		copy(old, element)
		return
	}
	l.Insert(i, element)
	l.Cut(i+1, 1)
}

// Cut removes n elements from element i on. A list without elements is to be deleted.
func (l List) Cut(i, n int) {
	if n == 0 {
		return
	}
	all := l.Len()
	root := ref(0)
	if n == all {
		l.db.dropTree(l.root())
	} else {
		root = l.db.cut(l.root(), i, n)
		root = l.db.lower(root)
	}
	l.set(root, all-n)
}

// Each calls yield for each element from element i on, to the end, or backwards to the beginning,
// until it returns false. The element is valid until the next change.
func (l List) Each(i int, backwards bool, yield func(element []byte) bool) {
	if i < 0 || i >= l.Len() {
		return
	}
	r, i := l.db.leafAt(l.root(), i, l.Len())
	for more := true; more && r != 0; {
		f := l.db.leaf(r)
		if backwards {
			more = f.down(i, yield)
		} else {
			more = f.up(i, yield)
		}
		r = l.db.beside(r, backwards)
		if i = 0; backwards && r != 0 {
			i = l.db.leaf(r).n() - 1
		}
	}
}

// Index is the first element from element i on, or backwards, that equals a value, looking at no more
// than most of them; -1 if there is none.
func (l List) Index(value []byte, i int, backwards bool, most int) int {
	found := -1
	l.Each(i, backwards, func(element []byte) bool {
		if most--; most < 0 {
			return false
		}
		if string(element) == string(value) {
			found = i
			return false
		}
		if i++; backwards {
			i -= 2
		}
		return true
	})
	return found
}

// Take makes key hold what v is in from, whatever key held before, and its deadline; key is not the
// key of v. Of a list nothing is left there, and that key has to be deleted.
func (db *DB) Take(key []byte, from *DB, v View, now int64) {
	if v.Kind == String {
		db.Put(key, v.Value, v.Tag, v.Deadline, now)
		return
	}
	l := from.List(v)
	if from != db {
		db.Copy(key, from, v, now)
		l.Cut(0, l.Len())
		return
	}
	root, n := l.root(), l.Len()
	l.set(0, 0)
	db.NewList(key, v.Deadline, now).set(root, n)
}

// Copy is Take of something that stays.
func (db *DB) Copy(key []byte, from *DB, v View, now int64) {
	if v.Kind == String {
		db.Put(key, v.Value, v.Tag, v.Deadline, now)
		return
	}
	l := from.List(v)
	root, n := db.copyTree(from, l.root()), l.Len()
	db.NewList(key, v.Deadline, now).set(root, n)
}

// rehome makes a record, which has been copied from another place, the one of its list.
func (db *DB) rehome(r ref) {
	if db.header(r).isList() {
		l := List{db, r}
		l.set(l.root(), l.Len())
	}
}

// dropList frees the list of a record, if it is one, and leaves a string there.
func (db *DB) dropList(r ref) {
	h := db.header(r)
	if !h.isList() {
		return
	}
	if l := (List{db, r}); l.Len() > 0 {
		db.dropTree(l.root())
	}
	db.setHeader(r, h&^typeMask|typeString)
}

// footprint is what a list occupies beside its record, judged by some of its leaves: 0 for all.
func (l List) footprint(leaves int) int {
	if l.Len() == 0 {
		return 0
	}
	seen, bytes := 0, 0
	r, _ := l.db.leafAt(l.root(), 0, l.Len())
	for i := 0; r != 0 && (leaves == 0 || i < leaves); i++ {
		f := l.db.leaf(r)
		seen += f.n()
		bytes += l.db.slabs.room(r) + f.away()
		r = l.db.beside(r, false)
	}
	return bytes * l.Len() / seen
}
