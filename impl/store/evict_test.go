package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

const testNow = int64(1_700_000_000_000)

// TestSoonest: keys go in the order of their deadlines, whatever became of these since they were set;
// far ones in the order of their slots.
func TestSoonest(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		db, plain := New(StrictMemory(), seed), map[string]int64{}
		for range 3000 {
			key := fmt.Appendf(nil, "k%d", rng.IntN(300))
			at := testNow + rng.Int64N(300)<<rng.IntN(20)
			switch op := rng.IntN(10); {
			case op < 7:
				db.Put(key, nil, 0, at, testNow)
				plain[string(key)] = at
			case op < 9:
				if db.SetDeadline(key, at, testNow) {
					plain[string(key)] = at
				}
			default:
				db.Del(key)
				delete(plain, string(key))
			}
			if rng.IntN(100) == 0 {
				db.Advance(rng.IntN(200))
			}
		}
		for len(plain) > 0 {
			key, at, ok := db.Soonest()
			if want, there := plain[string(key)]; !ok || !there || want != at {
				t.Fatalf("seed %d: %q %d %v; it has %d %v", seed, key, at, ok, want, there)
			}
			for k, d := range plain {
				if d < at && at-d >= 1<<ringShift[2] {
					t.Fatalf("seed %d: %q goes with a deadline of %d, %q has %d", seed, key, at, k, d)
				}
			}
			delete(plain, string(key))
			db.Del(bytes.Clone(key))
		}
		if key, _, ok := db.Soonest(); ok {
			t.Fatalf("seed %d: %q is left", seed, key)
		}
	}
}

// fill makes n keys, every tenth with a deadline, all used at other times.
func fill(seed uint64, n int) *DB {
	db := New(HeapMemory(), seed)
	for i := range n {
		at := NoDeadline
		if i%10 == 0 {
			at = testNow + int64(i)*1000
		}
		db.Put(fmt.Appendf(nil, "%d", i), []byte("v"), 0, at, testNow+int64(i)*1000)
	}
	return db
}

// TestAnyIsFair: of a table in the middle of its growth each tenth of the keys is drawn as often as
// any other, those with a deadline too.
func TestAnyIsFair(t *testing.T) {
	const keys, draws = 3000, 20_000
	db := fill(7, keys)
	for _, timed := range []bool{false, true} {
		var pool Pool
		var tenths [10]int
		for range draws {
			key, ok := db.Any(&pool, timed)
			var i int
			fmt.Sscan(string(key), &i)
			if !ok || timed && i%10 != 0 {
				t.Fatalf("%q is drawn of those with a deadline", key)
			}
			tenths[i*10/keys]++
		}
		for i, n := range tenths {
			if n < draws/10*8/10 || n > draws/10*12/10 {
				t.Errorf("timed %v: tenth %d was drawn %d times of %d", timed, i, n, draws)
			}
		}
	}
	if key, ok := New(HeapMemory(), 1).Any(new(Pool), true); ok {
		t.Errorf("%q is drawn of nothing", key)
	}
}

// TestAnyOfFewIsFair: so it is where keys with a deadline are rare, and their entries hard to find.
func TestAnyOfFewIsFair(t *testing.T) {
	const keys, rare, draws = 100_000, 500, 5000
	db := New(HeapMemory(), 5)
	for i := range keys {
		at := NoDeadline
		if i%(keys/rare) == 0 {
			at = testNow + int64(i)<<(i%16)
		}
		db.Put(fmt.Appendf(nil, "%d", i), bytes.Repeat([]byte("v"), 300), 0, at, testNow)
	}
	var pool Pool
	var tenths [10]int
	for range draws {
		key, _ := db.Any(&pool, true)
		var i int
		fmt.Sscan(string(key), &i)
		tenths[i*10/keys]++
	}
	for i, n := range tenths {
		if n < draws/10*8/10 || n > draws/10*12/10 {
			t.Errorf("tenth %d was drawn %d times of %d", i, n, draws)
		}
	}
	for db.Volatile() > 0 { // to the last one
		key, _ := db.Any(&pool, true)
		db.Del(bytes.Clone(key))
	}
}

// TestPoolFindsTheOld: evicted one by one through the pool, keys go nearly in the order of their age.
func TestPoolFindsTheOld(t *testing.T) {
	const keys = 5000
	for _, timed := range []bool{false, true} {
		db, now := fill(3, keys), testNow+keys*1000
		var pool Pool
		rule, all, went := Rule{By: ByAge, Timed: timed}, keys, 0
		if timed {
			all = keys / 10
		}
		sum := 0
		for went < all/5 {
			db.Nominate(&pool, 0, rule, 5, now)
			_, rank, key, ok := pool.Best()
			if v, there := db.Get(key); ok && there && db.Rank(v, ByAge, now) == rank {
				var i int
				fmt.Sscan(string(key), &i)
				sum += i * all / keys
				went++
				db.Del(key)
			}
		}
		// Exactly the oldest fifth has a mean age of a tenth, by chance it is a half.
		if mean := sum / went; mean > all*16/100 {
			t.Errorf("timed %v: the mean of those evicted is %d of %d", timed, mean, all)
		}
	}
}

// TestPoolOrder: the pool keeps the best, each once.
func TestPoolOrder(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var pool Pool
		var ranks []uint64
		for range rng.IntN(60) {
			rank := rng.Uint64N(30)
			if key := fmt.Appendf(nil, "%d", rank); !slices.Contains(ranks, rank) || rng.IntN(2) == 0 {
				if pool.wants(rank) {
					pool.add(1, rank, key)
				}
				ranks = append(ranks, rank)
			}
		}
		slices.Sort(ranks)
		ranks = slices.Compact(ranks)
		for i := range min(len(ranks), poolSize) {
			want := ranks[len(ranks)-1-i]
			if db, rank, key, ok := pool.Best(); !ok || db != 1 || rank != want || string(key) != fmt.Sprint(want) {
				t.Fatalf("seed %d: %d %d %q %v, want %d", seed, db, rank, key, ok, want)
			}
		}
		if _, rank, _, ok := pool.Best(); ok {
			t.Fatalf("seed %d: %d is still there", seed, rank)
		}
	}
}

// TestExpireSome: it comes round to every key that is due and to no other, whatever happens between.
func TestExpireSome(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		db, plain, now := New(StrictMemory(), seed), map[string]int64{}, testNow
		for range 20_000 {
			key := fmt.Appendf(nil, "k%d", rng.IntN(1000))
			if _, there := plain[string(key)]; there && rng.IntN(2) == 0 {
				db.Del(key)
				delete(plain, string(key))
				continue
			}
			at := NoDeadline
			if rng.IntN(2) == 0 {
				at = now + rng.Int64N(1000)<<rng.IntN(12)
			}
			db.Put(key, nil, 0, at, now)
			plain[string(key)] = at
			if now += rng.Int64N(3); rng.IntN(50) == 0 {
				db.Advance(20)
			}
			if rng.IntN(20) != 0 {
				continue
			}
			seen, removed := db.ExpireSome(now, 20, 400, func(key []byte) {
				if at, there := plain[string(key)]; !there || at == NoDeadline || at >= now {
					t.Fatalf("seed %d: %q expired at %d, its deadline is %d", seed, key, now, at)
				}
				delete(plain, string(key))
			})
			if seen > 20 || removed > seen {
				t.Fatalf("seed %d: %d of %d", seed, removed, seen)
			}
		}
		db.ExpireSome(now, 1<<30, 1<<30, func(key []byte) { delete(plain, string(key)) })
		for key, at := range plain {
			if at != NoDeadline && at < now {
				t.Errorf("seed %d: %q has been due since %d", seed, key, at)
			}
		}
		if db.Len() != len(plain) {
			t.Errorf("seed %d: %d keys, want %d", seed, db.Len(), len(plain))
		}
	}
}

// TestCount: a count of uses grows with its logarithm, and falls by one each DecayMinutes.
func TestCount(t *testing.T) {
	db, key := New(HeapMemory(), 1), []byte("k")
	db.SetAccess(Access{Often: true, LogFactor: 10, DecayMinutes: 1})
	db.Put(key, nil, 0, NoDeadline, testNow)
	count := func(now int64) int64 {
		v, _ := db.Get(key)
		return db.Frequency(v, now)
	}
	if n := count(testNow); n != countFresh {
		t.Errorf("a new key has %d", n)
	}
	for _, c := range []struct {
		uses     int
		low, top int64
	}{{100, 8, 14}, {1000, 14, 24}, {100_000, 110, 190}} { // Redis' documentation has 10, 18, 142
		for range c.uses {
			db.Use(key, testNow)
		}
		if n := count(testNow); n < c.low || n > c.top {
			t.Errorf("%d uses more, and the count is %d", c.uses, n)
		}
	}
	n := count(testNow)
	if m := count(testNow + 10*60_000); m != n-10 {
		t.Errorf("ten minutes after %d it is %d", n, m)
	}
	if m := count(testNow + 300*60_000); m != 0 {
		t.Errorf("hours after %d it is %d", n, m)
	}
}
