package store

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// pair is what the plain map of the property holds.
type pair struct {
	value    []byte
	deadline int64
	tag      uint8
	list     [][]byte // of a list; nil for a string
}

// machine drives a DB and a plain map side by side.
type machine struct {
	db    *DB
	plain map[string]pair
	now   int64
}

// key is one of a few, of which some are too long for a cell's header, or for a cell.
func (m *machine) key(t *rapid.T) []byte {
	i := rapid.IntRange(0, 60).Draw(t, "key")
	key := fmt.Appendf(nil, "k%d", i)
	switch i % 20 {
	case 1:
		key = append(key, make([]byte, keyMax)...)
	case 2:
		key = append(key, make([]byte, cellMax)...)
	}
	return key
}

// size is a length of a value, with the borders of cells among them.
func size(t *rapid.T) int {
	if rapid.IntRange(0, 9).Draw(t, "big") == 0 {
		return rapid.IntRange(cellMax-300, cellMax+300).Draw(t, "size")
	}
	return rapid.IntRange(0, 300).Draw(t, "size")
}

// span is a time, of any level of the calendar.
func span(t *rapid.T) int64 {
	return rapid.Int64Range(0, 4).Draw(t, "time") << rapid.SampledFrom(append(ringShift[:], 34)).Draw(t, "scale")
}

// deadline is none, one to come, or now and then one that has passed.
func (m *machine) deadline(t *rapid.T) int64 {
	switch rapid.IntRange(0, 9).Draw(t, "deadline") {
	case 0:
		return NoDeadline
	case 1:
		return max(0, m.now-span(t))
	}
	return m.now + span(t)
}

func (m *machine) Put(t *rapid.T) {
	key, val := m.key(t), bytes.Repeat([]byte{rapid.Byte().Draw(t, "value")}, size(t))
	p := pair{value: val, deadline: m.deadline(t), tag: rapid.Uint8().Draw(t, "tag")}
	m.db.Put(key, val, p.tag, p.deadline, m.now)
	m.plain[string(key)] = p
}

// PutBlock puts a value that has arrived in a block, which may be too small for that.
func (m *machine) PutBlock(t *rapid.T) {
	key, from, n := m.key(t), rapid.IntRange(0, 50).Draw(t, "from"), size(t)
	b := m.db.slabs.memory.Block(from + n + rapid.IntRange(0, 2).Draw(t, "behind"))
	val := b.Bytes[from : from+n]
	copy(val, bytes.Repeat([]byte{rapid.Byte().Draw(t, "value")}, n))
	p := pair{value: bytes.Clone(val), deadline: m.deadline(t), tag: rapid.Uint8().Draw(t, "tag")}
	if !m.db.PutBlock(key, val, b, p.tag, p.deadline, m.now) {
		if n > cellMax && n > len(b.Bytes)/2 {
			t.Fatalf("a value of %d bytes in a block of %d was not taken", n, len(b.Bytes))
		}
		m.db.Put(key, val, p.tag, p.deadline, m.now)
		m.db.slabs.memory.Free(b)
	}
	m.plain[string(key)] = p
}

// Alias puts a view of the store back into it, as RENAME and COPY do.
func (m *machine) Alias(t *rapid.T) {
	from, to := m.key(t), m.key(t)
	if v, ok := m.db.Get(from); ok && v.Kind == String {
		m.db.Put(to, v.Value, v.Tag, v.Deadline, m.now)
		m.plain[string(to)] = m.plain[string(from)]
	}
}

func (m *machine) Grow(t *rapid.T) {
	key, n := m.key(t), size(t)
	p, ok := m.plain[string(key)]
	if p.list != nil {
		return
	}
	got := m.db.Grow(key, n, m.now)
	if !ok {
		if got != nil {
			t.Fatal("grew a key that is not there")
		}
		return
	}
	want := make([]byte, n)
	copy(want, p.value)
	if !bytes.Equal(got, want) {
		t.Fatalf("grown to %q, want %q", got, want)
	}
	if n > 0 {
		got[n-1], want[n-1] = 'x', 'x'
	}
	p.value = want
	m.plain[string(key)] = p
}

func (m *machine) Del(t *rapid.T) {
	key := m.key(t)
	_, want := m.plain[string(key)]
	if m.db.Del(key) != want {
		t.Fatal("Del tells otherwise whether the key was there")
	}
	delete(m.plain, string(key))
}

func (m *machine) SetDeadline(t *rapid.T) {
	key, at := m.key(t), m.deadline(t)
	p, want := m.plain[string(key)]
	if m.db.SetDeadline(key, at, m.now) != want {
		t.Fatal("SetDeadline tells otherwise whether the key was there")
	}
	if want {
		p.deadline = at
		m.plain[string(key)] = p
	}
}

func (m *machine) ExpireDue(t *rapid.T) {
	max := rapid.IntRange(0, 5).Draw(t, "max")
	if rapid.IntRange(0, 9).Draw(t, "back") == 0 {
		m.now = m.now / 2
	} else {
		m.now += span(t)
	}
	now := m.now
	n, more := m.db.ExpireDue(now, max, func(key []byte) {
		p, ok := m.plain[string(key)]
		if !ok || p.deadline == NoDeadline || p.deadline >= now {
			t.Fatalf("%q with deadline %d expired at %d", key, p.deadline, now)
		}
		if m.db.Expiring() != p.deadline {
			t.Fatalf("%q with deadline %d expired as one of %d", key, p.deadline, m.db.Expiring())
		}
		delete(m.plain, string(key))
	})
	if n > max {
		t.Fatalf("removed %d keys of %d", n, max)
	}
	for key, p := range m.plain {
		if !more && p.deadline != NoDeadline && p.deadline < now {
			t.Fatalf("%q is due and was left, though nothing more was said to be", key)
		}
	}
}

func (m *machine) Advance(t *rapid.T) { m.db.Advance(rapid.IntRange(0, 3).Draw(t, "budget")) }

func (m *machine) Clear(t *rapid.T) {
	if rapid.IntRange(0, 20).Draw(t, "rarely") == 0 {
		m.db.Clear()
		m.plain = map[string]pair{}
	}
}

// Check compares everything that can be asked.
func (m *machine) Check(t *rapid.T) {
	volatile, next := 0, int64(1<<62)
	for key, p := range m.plain {
		v, ok := m.db.Get([]byte(key))
		if p.list != nil {
			m.checkList(t, v, p.list)
			v.Value, p.value = nil, nil
		}
		if !ok || !bytes.Equal(v.Value, p.value) || v.Deadline != p.deadline || v.Tag != p.tag {
			t.Fatalf("%q is %v %v, want %v", key, v, ok, p)
		}
		if p.deadline != NoDeadline {
			volatile++
			next = min(next, p.deadline)
		}
	}
	if m.db.Len() != len(m.plain) || m.db.Volatile() != volatile {
		t.Fatalf("%d keys, %d volatile; want %d, %d",
			m.db.Len(), m.db.Volatile(), len(m.plain), volatile)
	}
	if at, ok := m.db.NextDue(); ok != (volatile > 0) || ok && at > next {
		t.Fatalf("next due %d %v, want at most %d", at, ok, next)
	}
	seen := 0
	m.db.Each(func(key []byte, v View) bool { seen++; return true })
	if seen != len(m.plain) {
		t.Fatalf("Each saw %d keys of %d", seen, len(m.plain))
	}
	m.audit(t)
	if key, _, ok := m.db.Sample(uint64(len(m.plain)) * 77); ok != (len(m.plain) > 0) {
		t.Fatal("Sample found", string(key))
	}
}

// audit compares what is there with the accounts.
func (m *machine) audit(t *rapid.T) {
	if err := m.db.Audit(); err != nil {
		t.Fatal(err)
	}
	held, dropped := m.db.extents.held, 0
	for _, e := range m.db.slabs.memory.dropped {
		dropped += e.held
	}
	if blocks := m.db.slabs.memory.blocksHeld(); held+dropped != blocks {
		t.Fatalf("extents hold %d bytes, and %d that were dropped; accounts say %d of blocks", held, dropped, blocks)
	}
}

// blocksHeld is how many bytes of blocks somebody has, those with memory of their own not counted.
func (m *Memory) blocksHeld() (n int) {
	for _, p := range m.blocks.pieces {
		if p.bytes != nil {
			n += bits.OnesCount32(p.all()&^p.free) * (pieceBytes / int(p.count) &^ (blockUnit - 1))
		}
	}
	return n
}

func TestAgainstAPlainMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{db: New(StrictMemory(), rapid.Uint64().Draw(t, "seed")), plain: map[string]pair{}}
		t.Repeat(map[string]func(*rapid.T){
			"put": m.Put, "block": m.PutBlock, "alias": m.Alias, "grow": m.Grow, "del": m.Del,
			"deadline": m.SetDeadline, "expire": m.ExpireDue, "advance": m.Advance, "clear": m.Clear,
			"insert": m.Insert, "set": m.Set, "cut": m.Cut, "move": m.Move,
			"sparse": m.Sparse, "": m.Check,
		})
	})
}

// KEY-5: whatever is inserted and removed between the calls, a key that is there during the whole
// walk is visited at least once.
func TestScanMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := New(StrictMemory(), rapid.Uint64().Draw(t, "seed"))
		stay := rapid.IntRange(1, 50).Draw(t, "stay")
		for i := range stay {
			db.Put(fmt.Appendf(nil, "stay%d", i), nil, 0, NoDeadline, 0)
		}
		other, cursor, seen := 0, uint64(0), map[string]bool{}
		for calls := 0; ; calls++ {
			cursor = db.Scan(cursor, func(key []byte, _ View) { seen[string(key)] = true })
			if cursor == 0 {
				break
			}
			if calls > 1<<14 {
				t.Fatal("the walk does not end")
			}
			other = churn(db, other, rapid.IntRange(-60, 60).Draw(t, "change"))
		}
		for i := range stay {
			if key := fmt.Sprintf("stay%d", i); !seen[key] {
				t.Fatal("missed", key)
			}
		}
	})
}

// churn inserts or removes so many of the other keys, of which there are n.
func churn(db *DB, n, change int) int {
	for ; change > 0; change-- {
		db.Put(fmt.Appendf(nil, "other%d", n), nil, 0, NoDeadline, 0)
		n++
	}
	for ; change < 0 && n > 0; change++ {
		n--
		db.Del(fmt.Appendf(nil, "other%d", n))
	}
	db.Advance(3)
	return n
}

func TestScanOfAnyCursorIsSafe(t *testing.T) {
	db := New(StrictMemory(), 1)
	churn(db, 0, 100)
	for range 1000 {
		db.Scan(rand.Uint64(), func([]byte, View) {})
	}
}

// A table that empties gives its buckets back, by and by.
func TestShrinks(t *testing.T) {
	db := New(StrictMemory(), 1)
	const keys = 20_000
	churn(db, 0, keys)
	full := db.Bytes()
	churn(db, keys, -keys)
	for db.Advance(100) == 0 {
	}
	if db.table.n != bucketsMin || db.Bytes() > full/20 {
		t.Errorf("%d buckets and %d bytes are left of %d", db.table.n, db.Bytes(), full)
	}
}

// Every key is drawn about equally often, also from a table half through a round of splits.
func TestSampleIsRoughlyUniform(t *testing.T) {
	db := New(StrictMemory(), 7)
	const keys, draws = 100, 100_000
	churn(db, 0, keys)
	rng, count := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	for range draws {
		key, _, _ := db.Sample(rng.Uint64())
		count[string(key)]++
	}
	for i := range keys {
		key := fmt.Sprintf("other%d", i)
		if n := count[key]; n < draws/keys/2 || n > draws/keys*2 {
			t.Errorf("%s drawn %d times of %d", key, n, draws)
		}
	}
}

func TestOverwritingReusesTheBuffer(t *testing.T) {
	db := New(StrictMemory(), 1)
	key, val := []byte("key"), []byte("a value of some length")
	db.Put(key, val, 0, NoDeadline, 0)
	if n := testing.AllocsPerRun(100, func() { db.Put(key, val[:20], 0, 500, 1000) }); n != 0 {
		t.Errorf("%v allocations to overwrite", n)
	}
}

// A big value that became small does not keep its memory.
func TestSmallValueGivesMemoryBack(t *testing.T) {
	db := New(StrictMemory(), 1)
	db.Put([]byte("k"), make([]byte, 1<<20), 0, NoDeadline, 0)
	db.Put([]byte("k"), []byte("small"), 0, NoDeadline, 0)
	if db.extents.held > 0 {
		t.Errorf("%d bytes are kept", db.extents.held)
	}
}

func TestAccess(t *testing.T) {
	db := New(StrictMemory(), 1)
	db.Put([]byte("k"), nil, 0, NoDeadline, 5000)
	db.Use([]byte("k"), 9000)
	if v, _ := db.Get([]byte("k")); v.Idle(12_500) != 3 {
		t.Errorf("idle for %d s, want 3", v.Idle(12_500))
	}
}

func BenchmarkGet(b *testing.B) {
	db := New(StrictMemory(), 1)
	const keys = 1 << 16
	names := make([][]byte, keys)
	for i := range names {
		names[i] = fmt.Appendf(nil, "key:%012d", i)
		db.Put(names[i], names[i], 0, NoDeadline, 0)
	}
	for i := 0; b.Loop(); i++ {
		db.Get(names[i*7919&(keys-1)])
	}
}

// Keys that differ little spread evenly, whatever the seed: no chain is much longer than chance.
func TestHashSpreads(t *testing.T) {
	for _, seed := range []uint64{0, 1, 7, 42, mult0, mult1, mult2, 1 << 63} {
		for _, format := range []string{"%d", "key:%06d", "user:%016d:x",
			"a much longer key of forty bytes: %07d"} {
			db := New(StrictMemory(), seed)
			for i := range 3000 {
				db.Put(fmt.Appendf(nil, format, i), nil, 0, NoDeadline, 0)
			}
			for i := range db.table.n {
				if r := db.nth(i, sampleDepth); r != 0 {
					t.Errorf("seed %d, %s: bucket %d has more keys than are sampled", seed, format, i)
				}
			}
		}
	}
}

// Warm changes nothing, whatever it is asked for.
func TestWarmIsHarmless(t *testing.T) {
	db := New(StrictMemory(), 1)
	names := churned(db, 2*warmAbove)
	before := *db
	for i := range names {
		db.Warm(names[i:min(len(names), i+3*WarmMax)])
		db.Warm([][]byte{nil, []byte("nothing")})
	}
	before.warmth = db.warmth
	if !reflect.DeepEqual(before, *db) {
		t.Error("Warm changed the keyspace")
	}
}

// churned makes a keyspace of so many keys, and gives their names.
func churned(db *DB, n int) (names [][]byte) {
	churn(db, 0, n)
	for i := range n {
		names = append(names, fmt.Appendf(nil, "other%d", i))
	}
	return names
}

// BenchmarkMillion is BenchmarkGet among a million keys, alone and with those of a pipeline warmed.
func BenchmarkMillion(b *testing.B) {
	db := New(HeapMemory(), 1)
	names := churned(db, 1<<20)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	b.Run("get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			db.Get(names[i&(len(names)-1)])
		}
	})
	b.Run("warm", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if i%WarmMax == 0 {
				at := i & (len(names) - 1)
				db.Warm(names[at : at+WarmMax])
			}
			db.Get(names[i&(len(names)-1)])
		}
	})
}
