package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Sparse has a page or a piece emptied, though it is not worth it: the few keys of the property never
// fill one. There are free pages of the class and pieces to go to.
func (m *machine) Sparse(t *rapid.T) {
	s := &m.db.slabs
	if s.emptied != 0 || s.leaving >= 0 || len(s.pieces) == 0 {
		return
	}
	s.idle = false
	if e := &m.db.extents; e.n > 1 {
		id := rapid.IntRange(1, e.n-1).Draw(t, "extent")
		if piece := e.at(id).block.piece; piece != 0 {
			open := s.memory.addShared(int(s.memory.blocks.pieces[piece-1].count))
			e.move(id, open[len(open)-1])
		}
	}
	if rapid.Bool().Draw(t, "piece") {
		if len(s.pieces) == 1 {
			s.addPiece()
		}
		s.leave(rapid.IntRange(0, len(s.pieces)-1).Draw(t, "which"))
		return
	}
	class := uint8(rapid.IntRange(1, classOverflow).Draw(t, "class"))
	if n := s.fullest(class); n != 0 {
		other := s.newPage(class)
		s.link(other, 0)
		s.empty(n)
	}
}

// LOOP-17: a keyspace whose keys have come and gone for long is hardly larger than one that was just filled
// with the same, and still holds what a plain map holds. No step takes long.
func TestChurnLeavesNoHoles(t *testing.T) {
	const keys = 120_000
	db, plain, rng := New(HeapMemory(), 1), map[int]int{}, rand.New(rand.NewPCG(1, 2))
	name := func(i int) []byte { return fmt.Appendf(nil, "key:%012d", i) }
	put := func(db *DB, i, size int) {
		at := NoDeadline
		if i%5 == 0 {
			at = 1 << 40
		}
		db.Put(name(i), make([]byte, size), 0, at, 0)
		plain[i] = size
	}
	for i := range keys {
		put(db, i, 16)
	}
	for range keys { // half of the keys come anew, a fifth of them with a value of another size
		i := rng.IntN(keys)
		if db.Del(name(i)) {
			delete(plain, i)
			put(db, i+keys, 16+24*(rng.IntN(5)/4))
		}
	}
	for i := range plain {
		if rng.IntN(8) == 0 {
			db.Del(name(i))
			delete(plain, i)
		}
	}
	pages := func(db *DB) int { return len(db.slabs.pieces)*piecePages - len(db.slabs.spare) }
	perKey := func(db *DB) float64 { return float64(pages(db)*pageBytes) / float64(len(plain)) }
	sparse := perKey(db)
	steps, longest := 0, time.Duration(0)
	for left := 0; left == 0; steps++ {
		began := time.Now()
		left = db.Advance(16)
		longest = max(longest, time.Since(began))
	}
	fresh := New(HeapMemory(), 1)
	for i, size := range plain {
		put(fresh, i, size)
	}
	t.Logf("%.1f bytes a key, %.1f when compacted, %.1f when new: %d moves in %d steps, the longest %v",
		sparse, perKey(db), perKey(fresh), db.slabs.moves, steps, longest)
	if perKey(db) > 1.1*perKey(fresh) || perKey(db) > 0.95*sparse {
		t.Errorf("%d pages are in use, %d would do", pages(db), pages(fresh))
	}
	for i, size := range plain {
		if v, ok := db.Get(name(i)); !ok || len(v.Value) != size || (v.Deadline != NoDeadline) != (i%5 == 0) {
			t.Fatalf("%s is %v %v", name(i), v, ok)
		}
	}
	if db.Len() != len(plain) {
		t.Errorf("%d keys, want %d", db.Len(), len(plain))
	}
	if db.Advance(16) != 16 {
		t.Error("there is more to do, though all was done")
	}
}

// LOOP-20: what many large values occupied is freed by steps after a flush, all of it.
func TestFlushedExtentsAreFreedBySteps(t *testing.T) {
	m := HeapMemory()
	db := New(m, 1)
	const values = 1000
	for i := range values {
		db.Put(fmt.Appendf(nil, "k%d", i), make([]byte, cellMax+1), 0, NoDeadline, 0)
	}
	db.Clear()
	if db.Bytes() != 0 || m.blocksHeld() < values*cellMax {
		t.Fatalf("%d bytes are left of nothing, and %d of blocks: they were freed at once", db.Bytes(), m.blocksHeld())
	}
	steps := 0
	for ; db.Advance(1) == 0; steps++ {
	}
	if m.blocksHeld() != 0 || len(m.dropped) != 0 || steps < values/extentsUnit {
		t.Errorf("%d bytes of blocks are left after %d steps", m.blocksHeld(), steps)
	}
}

// LOOP-17: what is left of many large values is moved together, and is what it was.
func TestLargeValuesAreMadeDense(t *testing.T) {
	m := HeapMemory()
	db, other := New(m, 1), New(m, 2)
	rng := rand.New(rand.NewPCG(1, 2))
	const values, size = 500, 40_000
	sizes := map[int]int{}
	for i := range values {
		sizes[i] = size * (1 + i%3)
		db.Put(fmt.Append(nil, i), bytes.Repeat([]byte{byte(i)}, sizes[i]), 0, NoDeadline, 0)
		other.Put(fmt.Append(nil, i), bytes.Repeat([]byte{byte(i)}, size), 0, NoDeadline, 0)
	}
	for i := range values {
		if rng.IntN(10) < 8 {
			db.Del(fmt.Append(nil, i))
			delete(sizes, i)
		}
		if i%10 != 0 {
			other.Del(fmt.Append(nil, i))
		}
	}
	before := m.used
	for db.Advance(16) == 0 || other.Advance(16) == 0 {
	}
	needed := (db.extents.held + other.extents.held) / pieceBytes
	t.Logf("%d pieces are needed, %d were held, and %d are", needed, before, m.used)
	if m.used > 2*needed || m.used > before*2/3 {
		t.Errorf("%d pieces are held, %d are needed", m.used, needed)
	}
	for i, n := range sizes {
		if v, ok := db.Get(fmt.Append(nil, i)); !ok || !bytes.Equal(v.Value, bytes.Repeat([]byte{byte(i)}, n)) {
			t.Fatalf("value %d has changed", i)
		}
	}
	if db.Advance(16) != 16 || other.Advance(16) != 16 {
		t.Error("there is more to do, though all was done")
	}
}

// LOOP-17: memory that keys no longer need goes back to where it came from.
func TestEmptiedKeyspaceGivesPiecesBack(t *testing.T) {
	m := HeapMemory()
	db := New(m, 1)
	const keys = 100_000
	churn(db, 0, keys)
	full := m.used
	for i := range keys {
		if i%100 != 0 {
			db.Del(fmt.Appendf(nil, "other%d", i))
		}
	}
	for db.Advance(100) == 0 {
	}
	if m.used != len(db.slabs.pieces) || m.used > 2 || full < 4 {
		t.Errorf("%d pieces of %d are left for a hundredth of the keys", m.used, full)
	}
	m.Compact(false)
	db.slabs.idle = false
	if db.Advance(10) != 10 {
		t.Error("memory is compacted though it must not be")
	}
}

// LOOP-17: a page that was kept empty, as the only one with room, is given up when another has room.
// Housekeeping would look through it for ever.
func TestAKeptPageIsGivenUp(t *testing.T) {
	db := New(StrictMemory(), 1)
	name := func(i int) []byte { return fmt.Appendf(nil, "key%05d", i) }
	n := 0
	put := func() {
		db.Put(name(n), []byte("value"), 0, NoDeadline, 0)
		n++
	}
	put()
	p, _ := db.find(db.hash(name(0)), name(0))
	class := db.slabs.info[p.ref()>>refBits].class
	cells := int(pageBytes / classBytes[class])
	for n <= cells { // a page, and a cell of a second one
		put()
	}
	if pages := db.slabs.count[class].pages; pages != 2 {
		t.Fatalf("%d cells are in %d pages", n, pages)
	}
	db.Del(name(cells))
	db.Del(name(0))
	if pages := db.slabs.count[class].pages; pages != 2 {
		t.Fatalf("the second page was not kept: there are %d", pages)
	}
	for steps := 0; db.Advance(16) == 0; steps++ {
		if steps > 1000 {
			t.Fatal("housekeeping does not end")
		}
	}
	if pages := db.slabs.count[class].pages; pages != 1 {
		t.Errorf("%d pages are left for %d cells of %d", pages, db.Len(), cells)
	}
}
