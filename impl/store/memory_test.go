package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Memory from the system serves a keyspace that grows beyond what was made ready, is emptied, and
// grows again; then it may be closed.
func TestSystemMemory(t *testing.T) {
	m := SystemMemory()
	db := New(m, 1)
	const keys = 100_000
	for range 2 {
		for i := range keys {
			key := fmt.Appendf(nil, "key:%d", i)
			db.Put(key, key, 0, NoDeadline, 0)
		}
		for i := range keys {
			key := fmt.Appendf(nil, "key:%d", i)
			if v, ok := db.Get(key); !ok || !bytes.Equal(v.Value, key) {
				t.Fatalf("%q is %q %v", key, v.Value, ok)
			}
		}
		if held := db.Held(); held < db.Bytes()/2 || held > 4*db.Bytes() {
			t.Errorf("%d bytes are held for %d", held, db.Bytes())
		}
		pieces := len(db.slabs.pieces)
		db.Clear()
		if db.Held() != 0 || m.used != 0 {
			t.Errorf("%d bytes and %d pieces are held of nothing", db.Held(), m.used)
		}
		// LOOP-20: nothing has been given back so far, and all of it can be.
		if values, some := m.Waits(); values != keys || !some || len(m.gone) != pieces {
			t.Errorf("%d values in %d pieces of %d wait", values, len(m.gone), pieces)
		}
		free, values := m.Unused()
		if again, _ := m.Unused(); values != keys || again != nil {
			t.Errorf("%d values are handed out, and then again", values)
		}
		free()
	}
	m.Close()
	db.Put([]byte("k"), []byte("v"), 0, NoDeadline, 0) // without a supplier
	if v, ok := db.Get([]byte("k")); !ok || string(v.Value) != "v" {
		t.Error("a keyspace cannot be used after its memory was closed")
	}
	db.Clear()
	m.Close()
}

// A million keys due in the same millisecond go in short steps, and a thousand among a million that
// are not due go at once.
func TestManyDue(t *testing.T) {
	if testing.Short() {
		t.Skip("a million keys")
	}
	const million, start = 1_000_000, int64(1_700_000_000_000)
	db := New(HeapMemory(), 1)
	put := func(i int, at int64) { db.Put(fmt.Appendf(nil, "k%d", i), nil, 0, at, start) }
	for i := range million {
		put(i, start+3_600_000+int64(i))
	}
	for i := range 1000 {
		put(million+i, start+500)
	}
	expired := 0
	count := func([]byte) { expired++ }
	calls := func(now int64) (n int, longest time.Duration) {
		for more := true; more; n++ {
			began := time.Now()
			_, more = db.ExpireDue(now, 16, count)
			longest = max(longest, time.Since(began))
		}
		return n, longest
	}
	n, _ := calls(start + 501)
	if expired != 1000 || n > 1000 {
		t.Errorf("%d keys went in %d calls, not the 1000 that were due", expired, n)
	}
	for i := range million {
		db.SetDeadline(fmt.Appendf(nil, "k%d", i), start+1000, start+501)
	}
	expired = 0
	began := time.Now()
	n, longest := calls(start + 1001)
	t.Logf("%d keys in %d calls and %v, the longest %v", expired, n, time.Since(began), longest)
	if expired != million || db.Len() != 0 {
		t.Errorf("%d keys went, %d are left", expired, db.Len())
	}
}

// Keys that are deleted and made again leave entries behind, which do not pile up.
func TestStaleEntriesAreSwept(t *testing.T) {
	db := New(HeapMemory(), 1)
	now := int64(1_700_000_000_000)
	most := 0
	for i := range 1_000_000 {
		key := fmt.Appendf(nil, "k%d", i%100)
		db.Put(key, nil, 0, now+int64(3_600_000+i), now)
		db.Del(key)
		if i%100 == 0 {
			db.Advance(64)
		}
		most = max(most, db.calendar.entries)
	}
	if most > 2*staleMax {
		t.Errorf("up to %d entries for a hundred keys", most)
	}
}

// Blocks of all sizes, taken and given back at random, never overlap, and an empty piece goes back.
func TestBlocks(t *testing.T) {
	m := StrictMemory()
	r := rand.New(rand.NewPCG(1, 2))
	type taken struct {
		b    Block
		mark byte
	}
	var all []taken
	for i := range 3000 {
		if i%3000 < 1500 && r.IntN(3) > 0 || len(all) == 0 {
			n := r.IntN(40 << 10)
			if r.IntN(10) == 0 {
				n = r.IntN(2 * sharedMax)
			}
			b := m.Block(n)
			if len(b.Bytes) < n || n > cellMax && len(b.Bytes) > 2*n {
				t.Fatalf("a block of %d bytes for %d", len(b.Bytes), n)
			}
			b.Bytes[0], b.Bytes[len(b.Bytes)-1] = byte(i), byte(i)
			all = append(all, taken{b, byte(i)})
			continue
		}
		at := r.IntN(len(all))
		x := all[at]
		if x.b.Bytes[0] != x.mark || x.b.Bytes[len(x.b.Bytes)-1] != x.mark {
			t.Fatal("a block was written to by another")
		}
		m.Free(x.b)
		all[at] = all[len(all)-1]
		all = all[:len(all)-1]
	}
	for _, x := range all {
		m.Free(x.b)
	}
	if held := m.blocksHeld(); held != 0 {
		t.Errorf("%d bytes are held after all is freed", held)
	}
	for count, open := range m.blocks.open {
		if len(open) > 1 {
			t.Errorf("%d empty pieces of %d blocks are kept", len(open), count)
		}
	}
}

// LOOP-17, TIME-15: keys that were moved when memory was made dense expire in time.
func TestMovedKeysExpire(t *testing.T) {
	db := New(StrictMemory(), 1)
	const keys, due = 100_000, 1_000_000
	for i := range keys {
		db.Put(fmt.Appendf(nil, "key:%d", i), make([]byte, 40), 0, due, 1000)
	}
	for i := range keys {
		if i%5 > 0 {
			db.Del(fmt.Appendf(nil, "key:%d", i))
		}
	}
	held := db.Held()
	for range 10_000 {
		db.Advance(16)
	}
	if db.Held() >= held || db.Len() != keys/5 {
		t.Fatalf("%d bytes are held, %d before; %d keys", db.Held(), held, db.Len())
	}
	for more := true; more; {
		_, more = db.ExpireDue(due+1, 64, func([]byte) {})
	}
	if db.Len() != 0 {
		t.Fatalf("%d keys are left", db.Len())
	}
}

// TIME-15: a key that has moved because its value grew goes when it is due.
func TestGrownKeysExpire(t *testing.T) {
	db := New(StrictMemory(), 1)
	const keys, due = 100, 1_000_000
	for i := range keys {
		key := fmt.Appendf(nil, "key:%d", i)
		db.Put(key, make([]byte, 10), 0, due, 1000)
		db.Grow(key, 20*i, 1000)
	}
	for range keys {
		db.ExpireDue(due+1, 64, func([]byte) {})
	}
	if db.Len() != 0 {
		t.Fatalf("%d keys are left", db.Len())
	}
}

// TIME-15: what is set after the clock was set back is due by the clock as it is.
func TestClockSetBack(t *testing.T) {
	db := New(StrictMemory(), 1)
	const now, back = 10_000_000, 5_000_000
	db.Put([]byte("before"), nil, 0, now+50, now)
	db.ExpireDue(now+10, 16, nil)
	for i := range int64(5) { // one of them stands where what has passed is filed
		db.Put([]byte{byte('0' + i)}, nil, 0, now+8+i, now+10)
	}
	db.Put([]byte("after"), nil, 0, back+20, back)
	expired := ""
	for range 1000 {
		db.ExpireDue(back+21, 16, func(key []byte) { expired += string(key) })
	}
	if expired != "after" {
		t.Fatalf("expired: %q", expired)
	}
	for range 1000 {
		db.ExpireDue(now+51, 16, func(key []byte) { expired += string(key) })
	}
	if db.Len() != 0 || len(expired) != len("after01234before") {
		t.Fatalf("expired: %q, %d keys are left", expired, db.Len())
	}
}
