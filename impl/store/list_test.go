package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The operations on lists of the property in store_test.go: a list is a slice there.

// listKey is one of three, so that lists become long.
func (m *machine) listKey(t *rapid.T) []byte {
	return fmt.Appendf(nil, "k%d", rapid.IntRange(0, 2).Draw(t, "list"))
}

// element is of any length, with the borders of entries and of leaves among them.
func element(t *rapid.T) []byte {
	n := rapid.IntRange(0, 20).Draw(t, "length")
	switch rapid.IntRange(0, 11).Draw(t, "long") {
	case 0:
		n = rapid.IntRange(shortMax-2, shortMax+2).Draw(t, "length")
	case 1:
		n = rapid.IntRange(leafMax-leafHead-12, leafMax+2).Draw(t, "length")
	case 2:
		n = rapid.IntRange(inlineMax-2, inlineMax+2).Draw(t, "length")
	case 3, 4, 5:
		n = rapid.IntRange(500, 1500).Draw(t, "length")
	}
	return bytes.Repeat([]byte{rapid.Byte().Draw(t, "element")}, n)
}

// list is that of a key, and the slice beside it: a new one if there is none.
func (m *machine) list(t *rapid.T, key []byte) (List, *pair) {
	p, ok := m.plain[string(key)]
	if v, there := m.db.Get(key); ok && p.list != nil {
		if !there || v.Kind != Lists {
			t.Fatalf("%q is %v", key, v)
		}
		return m.db.List(v), &p
	}
	p = pair{deadline: m.deadline(t), list: [][]byte{}}
	return m.db.NewList(key, p.deadline, m.now), &p
}

// Insert adds some elements in one place or another.
func (m *machine) Insert(t *rapid.T) {
	key := m.listKey(t)
	l, p := m.list(t, key)
	where := rapid.IntRange(0, 2).Draw(t, "where")
	for range rapid.IntRange(1, 40).Draw(t, "times") {
		i := []int{0, l.Len(), l.Len() / 2}[where]
		e := element(t)
		l.Insert(i, e)
		p.list = slices.Insert(p.list, i, e)
	}
	m.plain[string(key)] = *p
}

// Set replaces one element, Cut removes some.
func (m *machine) Set(t *rapid.T) {
	key := m.listKey(t)
	if p := m.plain[string(key)]; len(p.list) > 0 {
		l, _ := m.list(t, key)
		i, e := rapid.IntRange(0, len(p.list)-1).Draw(t, "index"), element(t)
		l.Set(i, e)
		p.list[i] = e
	}
}

func (m *machine) Cut(t *rapid.T) {
	key := m.listKey(t)
	p := m.plain[string(key)]
	if len(p.list) == 0 {
		return
	}
	l, _ := m.list(t, key)
	i := rapid.IntRange(0, len(p.list)-1).Draw(t, "index")
	n := rapid.IntRange(0, len(p.list)-i).Draw(t, "elements")
	l.Cut(i, n)
	p.list = slices.Delete(slices.Clone(p.list), i, i+n)
	m.plain[string(key)] = p
	if len(p.list) == 0 {
		m.db.Del(key)
		delete(m.plain, string(key))
	}
}

// Move takes what a key holds to another, or copies it, perhaps through another keyspace.
func (m *machine) Move(t *rapid.T) {
	from, to := m.listKey(t), m.key(t)
	p, ok := m.plain[string(from)]
	v, _ := m.db.Get(from)
	if !ok || bytes.Equal(from, to) {
		return
	}
	p.list = slices.Clone(p.list)
	m.plain[string(to)] = p
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		m.db.Copy(to, m.db, v, m.now)
		return
	case 1:
		m.db.Take(to, m.db, v, m.now)
	default:
		other := New(StrictMemory(), 1)
		other.Take(from, m.db, v, m.now)
		w, _ := other.Get(from)
		m.db.Take(to, other, w, m.now)
		other.Del(from)
		other.Bury(1 << 20)
		if other.Bytes() != other.table.n*bucketBytes+other.count(classChunk)*chunkBytes {
			t.Fatalf("%d bytes are left of what was taken", other.Bytes())
		}
	}
	m.db.Del(from)
	delete(m.plain, string(from))
}

func (db *DB) count(class int) int { return db.slabs.count[class].live }

// checkList compares a list with a slice, from both ends and by index.
func (m *machine) checkList(t *rapid.T, v View, want [][]byte) {
	if v.Kind != Lists {
		t.Fatalf("a list has become %v", v)
	}
	l := m.db.List(v)
	if l.Len() != len(want) {
		t.Fatalf("%d elements, want %d", l.Len(), len(want))
	}
	for _, backwards := range []bool{false, true} {
		from, seen := 0, 0
		if backwards {
			from = len(want) - 1
		}
		l.Each(from, backwards, func(e []byte) bool {
			i := seen
			if backwards {
				i = len(want) - 1 - seen
			}
			if !bytes.Equal(e, want[i]) || i%16 == 0 && !bytes.Equal(l.At(i), want[i]) {
				t.Fatalf("element %d is %.40q, by index %.40q, want %.40q", i, e, l.At(i), want[i])
			}
			seen++
			return true
		})
		if seen != len(want) {
			t.Fatalf("Each saw %d elements of %d", seen, len(want))
		}
	}
}

// LIST-17: a long list is built, changed in the middle, and dropped; what is touched grows with its
// height only, and what was dropped is freed by steps.
func TestLongList(t *testing.T) {
	db, plain := New(StrictMemory(), 1), [][]byte(nil)
	rng := rand.New(rand.NewPCG(1, 1))
	l := db.NewList([]byte("k"), NoDeadline, 0)
	const n = 100_000
	for i := range n {
		e := fmt.Appendf(nil, "element %d", i)
		at := []int{0, l.Len(), rng.IntN(l.Len() + 1)}[min(i%50, 2)]
		if i%50 > 2 {
			at = l.Len()
		}
		l.Insert(at, e)
		plain = slices.Insert(plain, at, e)
	}
	if height := kind(db.slabs.at(l.root())); height > 3+kindLeaf {
		t.Errorf("a list of %d elements is %d nodes high", n, height)
	}
	if perElement := float64(db.slabs.bytes) / n; perElement > 24 {
		t.Errorf("an element of 13 bytes takes %.1f", perElement)
	}
	for range 1000 {
		i := rng.IntN(len(plain) - 10)
		k := rng.IntN(10)
		l.Cut(i, k)
		plain = slices.Delete(plain, i, i+k)
	}
	for i, e := range plain {
		if i%97 == 0 && !bytes.Equal(l.At(i), e) {
			t.Fatalf("element %d is %q, want %q", i, l.At(i), e)
		}
	}
	i := len(plain) - 1
	l.Each(i, true, func(e []byte) bool {
		if !bytes.Equal(e, plain[i]) {
			t.Fatalf("backwards, element %d is %q, want %q", i, e, plain[i])
		}
		i--
		return true
	})
	if err := db.Audit(); err != nil {
		t.Error(err)
	}
	l.Cut(10, l.Len()-20)
	if l.Len() != 20 || !bytes.Equal(l.At(19), plain[len(plain)-1]) {
		t.Error("the ends are not what they were")
	}
	if dropped := len(db.dropped); dropped == 0 || dropped > 4*fanout {
		t.Errorf("%d nodes were put aside for a cut of nearly all", dropped)
	}
	db.Del([]byte("k"))
	steps := 0
	for ; len(db.dropped) > 0; steps++ {
		db.Advance(1)
	}
	if steps < n/(leafMax/15) || db.Bytes() != db.table.n*bucketBytes {
		t.Errorf("%d steps, and %d bytes are left", steps, db.Bytes()-db.table.n*bucketBytes)
	}
}

// TestListsAreMadeDense: of lists that grew side by side most are deleted, and the nodes of the others
// move together. Those above and below them are told.
func TestListsAreMadeDense(t *testing.T) {
	db := New(StrictMemory(), 1)
	const lists, elements = 120, 3000
	name := func(i int) []byte { return fmt.Appendf(nil, "list %d", i) }
	element := func(i, n int) []byte { return fmt.Appendf(nil, "element %d of %d", n, i) }
	at := func(i int) List {
		v, ok := db.Get(name(i))
		if !ok || v.Kind != Lists {
			t.Fatalf("list %d is %+v, %t", i, v, ok)
		}
		return db.List(v)
	}
	for i := range lists {
		db.NewList(name(i), NoDeadline, 0).Insert(0, element(i, 0))
	}
	for n := 1; n < elements; n++ {
		for i := range lists {
			at(i).Insert(n, element(i, n))
		}
	}
	for i := range lists {
		if i%8 != 0 {
			db.Del(name(i))
		}
	}
	moves := db.slabs.moves
	for left := 0; left == 0; {
		left = db.Advance(16)
	}
	t.Logf("%d moves", db.slabs.moves-moves)
	if db.slabs.moves == moves {
		t.Error("nothing has moved")
	}
	if err := db.Audit(); err != nil {
		t.Error(err)
	}
	for i := 0; i < lists; i += 8 {
		for n, l := 0, at(i); n < elements; n++ {
			if got := l.At(n); !bytes.Equal(got, element(i, n)) {
				t.Fatalf("element %d of list %d is %q", n, i, got)
			}
		}
	}
}

// A list used as a queue, or as a stack, does not grow, and moves its elements rarely.
func TestQueue(t *testing.T) {
	db := New(StrictMemory(), 1)
	l := db.NewList([]byte("k"), NoDeadline, 0)
	for i := range 100 {
		l.Insert(i, fmt.Appendf(nil, "%020d", i))
	}
	before := db.Bytes()
	for i := range 100_000 {
		l.Insert(l.Len(), fmt.Appendf(nil, "%020d", i))
		l.Cut(0, 1)
	}
	if db.Bytes() > 4*before {
		t.Errorf("%d bytes, %d before", db.Bytes(), before)
	}
	if got := string(l.At(99)); got != fmt.Sprintf("%020d", 99_999) {
		t.Error("the last is", got)
	}
}

func BenchmarkList(b *testing.B) {
	db := New(HeapMemory(), 1)
	l := db.NewList([]byte("k"), NoDeadline, 0)
	e := []byte("an element of it")
	for i := range 1_000_000 {
		l.Insert(i, e)
	}
	b.Run("rpush+lpop", func(b *testing.B) {
		for b.Loop() {
			l.Insert(l.Len(), e)
			l.Cut(0, 1)
		}
	})
	b.Run("middle", func(b *testing.B) {
		for b.Loop() {
			l.Insert(l.Len()/2, e)
			l.Cut(l.Len()/2, 1)
		}
	})
	b.Run("at", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l.At(i * 7919 % l.Len())
		}
	})
}
