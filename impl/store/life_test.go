package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestLongLife is TestAgainstAPlainMap over a long time: hundreds of keys come and go, so that the
// table splits and merges, and deadlines move out, in and away until long after they were first filed.
func TestLongLife(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		db, plain := New(StrictMemory(), seed), map[string]pair{}
		now, keys := int64(1_700_000_000_000), 20
		for step := range 20_000 {
			if step%1000 == 0 {
				keys = 1 << (3 + rng.IntN(7))
			}
			key := fmt.Appendf(nil, "k%d", rng.IntN(keys))
			at := now + rng.Int64N(4)<<ringShift[rng.IntN(3)] + rng.Int64N(300)
			p, there := plain[string(key)]
			switch op := rng.IntN(100); {
			case op < 40:
				p = pair{value: bytes.Repeat([]byte{byte(op)}, rng.IntN(100)), deadline: NoDeadline}
				if op < 25 {
					p.deadline = at
				}
				db.Put(key, p.value, 0, p.deadline, now)
				plain[string(key)] = p
			case op < 55:
				if db.Del(key) != there {
					t.Fatalf("seed %d: Del tells otherwise whether %q was there", seed, key)
				}
				delete(plain, string(key))
			case op < 85:
				db.SetDeadline(key, at, now)
				if there {
					p.deadline = at
					plain[string(key)] = p
				}
			case op < 90:
				db.Advance(3)
			default:
				now += rng.Int64N(4) << ringShift[rng.IntN(3)]
				for more := true; more; {
					_, more = db.ExpireDue(now, 16, func(key []byte) {
						if p := plain[string(key)]; p.deadline == NoDeadline || p.deadline >= now {
							t.Fatalf("seed %d: %q expired at %d, its deadline is %d", seed, key, now, p.deadline)
						}
						delete(plain, string(key))
					})
				}
				for key, p := range plain {
					if p.deadline != NoDeadline && p.deadline < now {
						t.Fatalf("seed %d: %q has been due since %d, and it is %d", seed, key, p.deadline, now)
					}
				}
			}
			if v, ok := db.Get(key); ok != (plain[string(key)].value != nil) || ok && !bytes.Equal(v.Value, plain[string(key)].value) {
				t.Fatalf("seed %d: %q is %q %v", seed, key, v.Value, ok)
			}
		}
		for key, p := range plain {
			if v, ok := db.Get([]byte(key)); !ok || !bytes.Equal(v.Value, p.value) || v.Deadline != p.deadline {
				t.Fatalf("seed %d: %q is %v %v, want %v", seed, key, v, ok, p)
			}
		}
		if db.Len() != len(plain) {
			t.Errorf("seed %d: %d keys, want %d", seed, db.Len(), len(plain))
		}
	}
}
