package suite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// The cases about maxmemory set it to what is used and some more, on a server that holds nothing but
// the case's own keys: others could be evicted.
var memoryCases = []Case{
	{Name: "data/eviction", Clauses: []string{"KEY-16", "KEY-18"}, Needs: []string{"config", "info", "dbsize"},
		Exclusive: true, Run: eviction},
	{Name: "data/eviction-volatile", Clauses: []string{"KEY-17", "KEY-16"},
		Needs: []string{"config", "info", "dbsize"}, Exclusive: true, Run: evictionVolatile},
	{Name: "data/eviction-order", Clauses: []string{"KEY-21"}, Needs: []string{"config", "info"},
		Exclusive: true, Run: evictionOrder},
	{Name: "data/memory-of-clients", Clauses: []string{"KEY-23"}, Needs: []string{"config", "info"},
		Exclusive: true, Run: memoryOfClients},
}

// roomFor sets maxmemory so that n bytes more than now may be used, until the case ends.
func (t *T) roomFor(c *wire.Conn, n int64, policy string) {
	t.keepSetting(c, "maxmemory-policy")
	t.keepSetting(c, "maxmemory")
	info := target.Fields(t.Do(c, "INFO", "memory").Str)
	used, err := strconv.ParseInt(info["used_memory"], 10, 64)
	if err != nil {
		t.Skip("INFO memory tells no used_memory")
	}
	apart, _ := strconv.ParseInt(info["mem_not_counted_for_evict"], 10, 64) // none is 0
	max := strconv.FormatInt(used-apart+n, 10)
	if r := t.Do(c, "CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", max); r.Kind == model.Error {
		t.Skip("the target does not let maxmemory be set: " + r.Str)
	}
}

// onlyOurs ends the case if anybody's keys could be evicted.
func (t *T) onlyOurs(c *wire.Conn) {
	if text := t.Do(c, "INFO", "keyspace").Str; strings.Contains(text, "keys=") {
		t.Skip("the server holds keys of others, which might be evicted")
	}
}

func (t *T) evictedKeys(c *wire.Conn) int64 {
	n, err := strconv.ParseInt(target.Fields(t.Do(c, "INFO", "stats").Str)["evicted_keys"], 10, 64)
	if err != nil {
		t.Fail(c, "evicted_keys in INFO stats", "none")
	}
	return n
}

// store sets keys, with a deadline in so many seconds, or none for 0, and returns the first error.
func (t *T) store(c *wire.Conn, name string, from, to int, value string, seconds int) (refused string) {
	for ; from < to && refused == ""; from += 100 {
		var buf []byte
		n := min(100, to-from)
		for i := range n {
			line := []string{"SET", t.Key(fmt.Sprint(name, from+i)), value}
			if seconds > 0 {
				line = append(line, "EX", strconv.Itoa(seconds))
			}
			buf = command(buf, line...)
		}
		t.Send(c, buf)
		for range n {
			if r := t.Receive(c); r.Kind == model.Error && refused == "" {
				refused = r.Str
			}
		}
	}
	return refused
}

// left counts the keys that are still there.
func (t *T) left(c *wire.Conn, name string, from, to int) (n int64) {
	for ; from < to; from += 100 {
		line := []string{"EXISTS"}
		for i := range min(100, to-from) {
			line = append(line, t.Key(fmt.Sprint(name, from+i)))
		}
		n += t.Want(c, ":*", line...).Int
	}
	return n
}

// eviction writes more than there is room for: no write is refused, some keys go, and what is left is
// whole.
func eviction(t *T) {
	const keys = 3000
	c := t.Conn()
	t.onlyOurs(c)
	value := strings.Repeat("v", 1000)
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random"} {
		t.roomFor(c, 1_500_000, policy)
		before := t.evictedKeys(c)
		if refused := t.store(c, policy, 0, keys, value, 0); refused != "" {
			t.Fail(c, "room made under "+policy, refused)
		}
		n := t.left(c, policy, 0, keys)
		if n < keys/10 || n > keys*9/10 {
			t.Failf(c, "about as many keys as there is room for under "+policy, "%d of %d", n, keys)
		}
		t.Clause("KEY-18")
		if evicted := t.evictedKeys(c) - before; evicted < keys-n {
			t.Failf(c, fmt.Sprintf("evicted_keys counts the %d keys that went", keys-n), "%d", evicted)
		}
		if r := t.Do(c, "GET", t.Key(fmt.Sprint(policy, keys-1))); !r.IsNull() && r.Str != value {
			t.Fail(c, "the value of a key that is left", r.String())
		}
		t.Clause("")
		t.Want(c, "+OK", "CONFIG", "SET", "maxmemory", "0")
		t.removeAll(c, policy, keys)
	}
}

func (t *T) removeAll(c *wire.Conn, name string, keys int) {
	for from := 0; from < keys; from += 100 {
		line := []string{"DEL"}
		for i := range 100 {
			line = append(line, t.Key(fmt.Sprint(name, from+i)))
		}
		t.Want(c, ":*", line...)
	}
}

// evictionVolatile fills the server with keys that have a deadline, and then with ones that have none
// until one is refused: then none of the first is left, and all of the others are.
func evictionVolatile(t *T) {
	const keys, stays = 2000, 100
	c := t.Conn()
	t.onlyOurs(c)
	value := strings.Repeat("v", 1000)
	for _, policy := range []string{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"} {
		t.roomFor(c, 1_500_000, policy)
		if refused := t.store(c, "stays", 0, stays, value, 0); refused != "" {
			t.Fail(c, "room for the first keys", refused)
		}
		if refused := t.store(c, "goes", 0, keys, value, 10_000); refused != "" {
			t.Clause("KEY-16")
			t.Fail(c, "room made under "+policy, refused)
		}
		n := int64(stays)
		refused := ""
		for ; refused == "" && n < keys; n += 100 {
			refused = t.store(c, "stays", int(n), int(n)+100, value, 0)
		}
		if got, least := t.left(c, "stays", 0, int(n)), n-100; got < least {
			t.Failf(c, fmt.Sprintf("all of the %d keys without deadline under %s", least, policy), "%d", got)
		}
		t.Clause("KEY-16")
		if got := t.left(c, "goes", 0, keys); refused == "" || got > 0 {
			t.Failf(c, "an error when nothing is left to evict under "+policy, "%q with %d keys left", refused, got)
		}
		t.Clause("")
		t.Want(c, "+OK", "CONFIG", "SET", "maxmemory", "0")
		t.removeAll(c, "stays", keys+100)
	}
}

// evictionOrder makes half of the keys ones to keep, by the measure of each policy, takes away the room
// for a third of all, and counts what goes.
func evictionOrder(t *T) {
	const keys = 1000
	c := t.Conn()
	t.onlyOurs(c)
	t.set(c, "lfu-log-factor", "1")
	value := strings.Repeat("v", 1000)
	for _, policy := range []string{"allkeys-lru", "volatile-lru", "allkeys-lfu", "volatile-lfu", "volatile-ttl"} {
		t.roomFor(c, 100_000_000, policy)
		far := 1000
		if policy == "volatile-ttl" {
			far = 100_000
		}
		t.store(c, "lose", 0, keys/2, value, 1000)
		t.store(c, "keep", 0, keys/2, value, far)
		if strings.HasSuffix(policy, "lru") {
			time.Sleep(2200 * time.Millisecond) // the clock of recency counts seconds
		}
		for range 8 {
			var buf []byte
			for i := range keys / 2 {
				buf = command(buf, "GET", t.Key(fmt.Sprint("keep", i)))
			}
			t.Send(c, buf)
			for range keys / 2 {
				t.Receive(c)
			}
		}
		t.roomFor(c, -keys/3*1000, policy)
		t.eventually("keys to be evicted under "+policy, func() bool {
			return t.left(c, "lose", 0, keys/2)+t.left(c, "keep", 0, keys/2) < keys*3/4
		})
		t.Want(c, "+OK", "CONFIG", "SET", "maxmemory", "0")
		lost := keys/2 - t.left(c, "lose", 0, keys/2)
		kept := keys/2 - t.left(c, "keep", 0, keys/2)
		if kept > lost/3 {
			t.Failf(c, "mostly keys that are better to lose evicted under "+policy, "%d of these and %d others", lost, kept)
		}
		t.removeAll(c, "lose", keys/2)
		t.removeAll(c, "keep", keys/2)
	}
}

// memoryOfClients has one client queue commands until there is no room.
func memoryOfClients(t *T) {
	c, other := t.Conn(), t.Conn()
	k := t.Key("k")
	t.roomFor(other, 3<<20, "noeviction")
	t.Want(c, "+OK", "MULTI")
	text := strings.Repeat("x", 20_000)
	refused := false
	for range 300 {
		if refused = t.Do(c, "ECHO", text).Kind == model.Error; refused {
			break
		}
	}
	if !refused {
		t.Fail(c, "an error when a transaction of 6 MB is queued and there is room for 3 MB", "all of it was queued")
	}
	t.Want(other, "-~OOM *", "SET", k, strings.Repeat("x", 1<<20))
	t.Want(c, "+OK", "DISCARD")
	t.eventually("room when the transaction is discarded", func() bool {
		return t.Do(other, "SET", k, "v").Kind != model.Error
	})
}

// memoryOfAllClients has one client queue more than all may hold.
func memoryOfAllClients(t *T) {
	c, other := t.Conn(), t.Conn()
	t.set(other, "maxmemory-clients", "4194304")
	t.Want(c, "+OK", "MULTI")
	text := strings.Repeat("x", 20_000)
	for n := 0; ; n++ {
		_, err := c.Do("ECHO", text)
		switch {
		case errors.Is(err, wire.ErrClosed) && n < 100:
			t.Failf(c, "a client that holds 2 MB of 4 may stay", "closed with %d commands of 20 kB queued", n)
		case errors.Is(err, wire.ErrClosed):
			t.Want(other, "+PONG", "PING")
			return
		case err != nil:
			t.Broken(err)
		case n == 500:
			t.Fail(c, "a client that holds 10 MB is closed when 4 MB are allowed", "it is open")
		}
	}
}
