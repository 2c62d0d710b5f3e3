package impl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel/sim"
)

const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"

// fields are those of a section of INFO.
func (w *world) fields(p *sim.Peer, section string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(w.ask(p, frame("INFO", section))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			found[name] = value
		}
	}
	return found
}

// config changes settings.
func (w *world) config(p *sim.Peer, pairs ...string) {
	w.t.Helper()
	w.want(p, frame(append([]string{"CONFIG", "SET"}, pairs...)...), "+OK\r\n")
}

// KEY-15, KEY-19: without eviction what may need memory is refused, and nothing else is; what is
// queued is refused too.
func TestKEY_15_KEY_19(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.dial(), w.dial(), w.dial()
	w.want(a, "SET k v\r\n", "+OK\r\n")
	w.want(b, "MULTI\r\nSET k w\r\n", "+OK\r\n+QUEUED\r\n")
	w.want(c, "MULTI\r\nGET k\r\n", "+OK\r\n+QUEUED\r\n")
	w.config(a, "maxmemory", "1")
	w.want(a, "SET k w\r\nAPPEND k w\r\nCOPY k l\r\nGET k\r\nEXPIRE k 100\r\n", oom+oom+oom+bulk("v")+":1\r\n")
	w.want(b, "EXEC\r\nEXEC\r\n", "-EXECABORT Transaction discarded because of: "+oom[1:]+"-ERR EXEC without MULTI\r\n")
	w.want(c, "EXEC\r\n", "*1\r\n"+bulk("v"))
	w.want(c, "MULTI\r\nPING\r\nWATCH k\r\nEXEC\r\n",
		"+OK\r\n"+oom+oom+"-EXECABORT Transaction discarded because of previous errors.\r\n")
	w.want(c, "MULTI\r\nDISCARD\r\nMULTI\r\nRESET\r\n", "+OK\r\n+OK\r\n+OK\r\n+RESET\r\n")
	w.pass(5 * time.Second)
	if stats := w.fields(a, "stats"); stats["current_eviction_exceeded_time"] == "0" {
		t.Errorf("the limit is exceeded, and INFO has %v", stats)
	}
	w.config(a, "maxmemory", "0")
	w.want(a, "SET k w\r\n", "+OK\r\n")
}

// KEY-16: every policy makes room before anything is refused, from what it may evict and from nothing
// else (KEY-17); what was evicted is counted.
func TestKEY_16_KEY_17(t *testing.T) {
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			w := newWorld(t, "maxmemory-policy", p.name, "maxmemory", "200kb")
			c := w.dial()
			value := strings.Repeat("x", 100)
			for i := range 100 {
				w.want(c, frame("SET", fmt.Sprint("stays", i), value), "+OK\r\n")
			}
			last := ""
			for i := range 4000 {
				words := []string{"SET", fmt.Sprint("k", i), value, "PX", fmt.Sprint(100_000 + i)}
				if last = w.ask(c, frame(words...)); last != "+OK\r\n" {
					break
				}
			}
			if p.evicts != (last == "+OK\r\n") {
				t.Fatalf("the last SET was answered %q", last)
			}
			if used := w.s.x.UsedBytes(); used > 201<<10 || used < 190<<10 {
				t.Errorf("%d bytes are used", used)
			}
			n, evicted := w.s.x.DB(0).Len(), w.s.x.Stats.Evicted
			if p.evicts && (n < 500 || evicted != int64(4100-n)) || !p.evicts && evicted != 0 {
				t.Errorf("%d keys are left, and %d are said to be evicted", n, evicted)
			}
			stays := 0
			for i := range 100 {
				if _, ok := w.s.x.DB(0).Get(fmt.Append(nil, "stays", i)); ok {
					stays++
				}
			}
			if p.rule.Timed && stays != 100 {
				t.Errorf("%d of 100 keys without deadline were evicted by %s", 100-stays, p.name)
			}
			if p.rule.Timed {
				w.onlyTimedGo(c, value)
			}
		})
	}
}

// onlyTimedGo: when no key with a deadline is left, there is no room.
func (w *world) onlyTimedGo(c *sim.Peer, value string) {
	for i := range 4000 {
		if got := w.ask(c, frame("SET", fmt.Sprint("n", i), value)); got != "+OK\r\n" {
			if got != oom || w.s.x.DB(0).Volatile() != 0 {
				w.t.Errorf("answered %q with %d keys to evict", got, w.s.x.DB(0).Volatile())
			}
			return
		}
	}
	w.t.Error("nothing was ever refused")
}

// KEY-18: eviction is a change that WATCH sees.
func TestKEY_18(t *testing.T) {
	w := newWorld(t, "maxmemory-policy", "allkeys-random")
	a, b := w.dial(), w.dial()
	w.want(a, "SET k v\r\nWATCH k\r\n", "+OK\r\n+OK\r\n")
	w.config(b, "maxmemory", "1")
	w.config(b, "maxmemory", "0")
	w.want(a, "MULTI\r\nPING\r\nEXEC\r\nGET k\r\n", "+OK\r\n+QUEUED\r\n*-1\r\n$-1\r\n")
}

// KEY-20, KEY-22: counts of uses grow, and fall with time.
func TestKEY_20_KEY_22(t *testing.T) {
	w := newWorld(t, "maxmemory-policy", "allkeys-lfu", "lfu-log-factor", "0", "lfu-decay-time", "2")
	c := w.dial()
	w.want(c, "SET k v\r\nOBJECT FREQ k\r\nGET k\r\nSET k w\r\nAPPEND k x\r\nOBJECT FREQ k\r\n",
		"+OK\r\n:5\r\n$1\r\nv\r\n+OK\r\n:2\r\n:8\r\n")
	w.want(c, "RENAME k l\r\nCOPY l m\r\nOBJECT FREQ l\r\nOBJECT FREQ m\r\n", "+OK\r\n:1\r\n:10\r\n:5\r\n")
	w.pass(6*time.Minute + 59*time.Second)
	w.want(c, "OBJECT FREQ l\r\nGET l\r\nOBJECT FREQ l\r\n", ":7\r\n$2\r\nwx\r\n:8\r\n")
	w.pass(time.Hour)
	w.want(c, "OBJECT FREQ l\r\nOBJECT FREQ nosuch\r\n", ":0\r\n$-1\r\n")
	w.config(c, "lfu-decay-time", "0")
	w.want(c, "OBJECT FREQ l\r\n", ":8\r\n")
	if got := w.ask(c, "OBJECT IDLETIME l\r\n"); !strings.HasPrefix(got, "-ERR An LFU maxmemory policy is selected") {
		t.Error(got)
	}
}

// KEY-21: what was used lately, or often, or is far from its deadline, is kept.
func TestKEY_21(t *testing.T) {
	for _, policy := range []string{"allkeys-lru", "volatile-lru", "allkeys-lfu", "volatile-lfu", "volatile-ttl"} {
		w := newWorld(t, "maxmemory-policy", policy, "lfu-log-factor", "1")
		c := w.dial()
		for i := range 1000 { // every second one is good
			w.want(c, frame("SET", fmt.Sprint("k", i), "v", "EX", fmt.Sprint(1000+i%2*100_000)), "+OK\r\n")
		}
		w.pass(10 * time.Second)
		for i := 1; i < 1000; i += 2 {
			for range 8 {
				w.ask(c, frame("GET", fmt.Sprint("k", i)))
			}
		}
		w.config(c, "maxmemory", fmt.Sprint(w.s.x.UsedBytes()-10_000))
		w.pass(time.Second)
		gone := [2]int{}
		for i := range 1000 {
			if _, ok := w.s.x.DB(0).Get(fmt.Append(nil, "k", i)); !ok {
				gone[i%2]++
			}
		}
		if gone[0] < 250 || gone[1] > gone[0]/20 {
			t.Errorf("%s: of 500 keys to lose %d went, of 500 to keep %d", policy, gone[0], gone[1])
		}
	}
}

// KEY-21: a key that has been used has lost its seat in the pool.
func TestKEY_21_UsedSince(t *testing.T) {
	w := newWorld(t, "maxmemory-policy", "allkeys-lru")
	c := w.dial()
	shrink := func(keys int) (gone [2]int) {
		w.config(c, "maxmemory", fmt.Sprint(int(w.s.x.UsedBytes())-keys*30))
		w.pass(0)
		for i := range 1000 {
			if _, ok := w.s.x.DB(0).Get(fmt.Append(nil, "k", i)); !ok {
				gone[i%2]++
			}
		}
		return gone
	}
	use := func(rest int) {
		w.pass(10 * time.Second)
		for i := rest; i < 1000; i += 2 {
			w.ask(c, frame("GET", fmt.Sprint("k", i)))
		}
	}
	for i := range 1000 {
		w.want(c, frame("SET", fmt.Sprint("k", i), "v"), "+OK\r\n")
	}
	use(1)
	before := shrink(200)
	use(0)
	if after := shrink(100); after[1]-before[1] < 50 || after[0]-before[0] > 4 {
		t.Errorf("of keys that were used since %d were evicted, and %d others", after[0]-before[0], after[1]-before[1])
	}
}

// KEY-23: what clients hold counts, as long as they hold it.
func TestKEY_23(t *testing.T) {
	w := newWorld(t, "maxmemory", "1mb")
	a, b := w.dial(), w.dial()
	w.want(a, "MULTI\r\n", "+OK\r\n")
	for range 200 {
		if w.ask(a, frame("ECHO", strings.Repeat("x", 10_000))) == oom {
			break
		}
	}
	w.want(b, "SET k v\r\n", oom)
	w.want(a, "DISCARD\r\n", "+OK\r\n")
	w.want(b, "SET k v\r\n", "+OK\r\n")
	a.Send(fmt.Sprintf("*2\r\n$4\r\nECHO\r\n$%d\r\n%s", 10<<20, strings.Repeat("x", 2<<20)))
	w.pass(0)
	w.want(b, "SET k v\r\n", oom)
	a.Close()
	w.pass(time.Second)
	w.want(b, "SET k v\r\n", "+OK\r\n")
	if got, want := w.s.x.ClientBytes, w.conn().bytes(); got != want {
		t.Errorf("clients are said to hold %d bytes, and the only one holds %d", got, want)
	}
}

// newFull is a server that evicts a key for each that is set, and what sets the i-th.
func newFull(tb testing.TB, policy string) (s *Server, set func(i int)) {
	tb.Helper()
	s, k := newReplay(tb, frame("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", "4mb"), "")
	request := []byte(frame("SET", "key:0000000000", "0123456789abcdef", "PX", "1000000000"))
	at := bytes.Index(request, []byte("key:")) + 4
	return s, func(i int) {
		for j := at + 9; j >= at; j-- {
			request[j] = byte('0' + i%10)
			i /= 10
		}
		k.request = request
		if err := s.Turn(); err != nil {
			tb.Fatal(err)
		}
	}
}

// Eviction allocates nothing, but for the calendar that a sweep of its entries begins.
func TestNoAllocationPerEviction(t *testing.T) {
	for _, p := range policies[:len(policies)-1] {
		s, set := newFull(t, p.name)
		i := 0
		for ; s.x.Stats.Evicted < 20_000; i++ {
			set(i)
		}
		before := s.x.Stats.Evicted
		allocs := testing.AllocsPerRun(5000, func() { set(i); i++ })
		if n := s.x.Stats.Evicted - before; allocs > 0 || n < 4000 {
			t.Errorf("%s: %.2f allocations for each SET, of which %d evicted a key", p.name, allocs, n)
		}
	}
}

// BenchmarkEviction is a SET for which a key is evicted, without a system call.
func BenchmarkEviction(b *testing.B) {
	for _, p := range policies[:len(policies)-1] {
		b.Run(p.name, func(b *testing.B) {
			s, set := newFull(b, p.name)
			i := 0
			for ; s.x.Stats.Evicted == 0; i++ {
				set(i)
			}
			b.ReportAllocs()
			for b.Loop() {
				set(i)
				i++
			}
		})
	}
}

// CONN-36: of the clients the one that holds most is closed when all hold too much, and no other.
func TestCONN_36(t *testing.T) {
	w := newWorld(t, "maxmemory-clients", "1600kb")
	a, b, c := w.dial(), w.dial(), w.dial()
	queue := func(p *sim.Peer, n int) string { return w.ask(p, "MULTI\r\n"+frame("ECHO", strings.Repeat("x", n))) }
	for p, n := range map[*sim.Peer]int{a: 900_000, b: 300_000} {
		if got := queue(p, n); got != "+OK\r\n+QUEUED\r\n" {
			t.Fatal(got)
		}
	}
	w.want(b, "PING\r\n", "+QUEUED\r\n")
	queue(c, 500_000)
	w.want(b, "DISCARD\r\n", "+OK\r\n")
	w.want(c, "DISCARD\r\n", "+OK\r\n")
	if !a.Closed() || b.Closed() || c.Closed() {
		t.Errorf("closed: %v, %v, %v", a.Closed(), b.Closed(), c.Closed())
	}
	if n := w.fields(c, "stats")["evicted_clients"]; n != "1" {
		t.Errorf("evicted_clients is %s", n)
	}
	w.config(c, "maxmemory-clients", "10%", "maxmemory", "100mb")
	if got := w.s.clientBytesMax; got != 10<<20 {
		t.Errorf("a tenth of 100 MiB is %d", got)
	}
	w.config(c, "maxmemory", "0")
	if w.s.counting {
		t.Error("clients are counted, and nobody wants to know")
	}
}

// KEY-16, KEY-18: a long life at the limit. Whatever clients do, a key that is left holds what was last
// written, the limit is kept, and what clients are said to hold is what they hold.
func TestLifeAtTheLimit(t *testing.T) {
	for _, policy := range policies[:len(policies)-1] {
		rng := rand.New(rand.NewPCG(1, 2))
		w := newWorld(t, "maxmemory-policy", policy.name, "maxmemory", "100kb")
		const clients = 5
		var peers [clients]*sim.Peer
		for i := range peers {
			peers[i] = w.dial()
		}
		last := map[string]string{}
		for range 5000 {
			i, k := rng.IntN(clients), fmt.Sprint("k", rng.IntN(600))
			switch rng.IntN(12) {
			case 0, 1, 2, 3, 4:
				last[k] = strings.Repeat(k, 1+rng.IntN(120))
				w.want(peers[i], frame("SET", k, last[k], "PX", fmt.Sprint(1+rng.IntN(1_000_000))), "+OK\r\n")
			case 5:
				last[k] += "more"
				if got := w.ask(peers[i], frame("APPEND", k, "more")); got == ":4\r\n" {
					last[k] = "more" // it was gone
				}
				w.ask(peers[i], frame("PEXPIRE", k, fmt.Sprint(1+rng.IntN(1_000_000))))
			case 6, 7:
				if got := w.ask(peers[i], frame("GET", k)); got != "$-1\r\n" && got != bulk(last[k]) {
					t.Fatalf("%s: %q is %q, and was set to %q", policy.name, k, got, last[k])
				}
			case 8: // a connection that ends in the middle of something
				peers[i].Send(frame("MULTI") + frame("ECHO", strings.Repeat("x", rng.IntN(5000))) + "*2\r\n$4\r\nECHO\r\n$9000\r\nx")
				w.pass(0)
				peers[i].Close()
				w.pass(0)
				peers[i] = w.dial()
			case 9:
				w.ask(peers[i], frame("MULTI")+frame("GET", k)+frame("DISCARD"))
			case 10:
				w.pass(time.Duration(rng.IntN(1000)) * time.Millisecond)
			default:
				w.ask(peers[i], frame("RENAME", k, k))
			}
			if used := w.s.x.UsedBytes(); used > 105<<10 { // what one command may add
				t.Fatalf("%s: %d bytes are used", policy.name, used)
			}
			if said, held := w.s.x.ClientBytes, w.s.clientBytes(); said != held {
				t.Fatalf("%s: clients are said to hold %d bytes, and hold %d", policy.name, said, held)
			}
		}
		if w.s.x.Stats.Evicted < 500 {
			t.Errorf("%s: %d keys were evicted", policy.name, w.s.x.Stats.Evicted)
		}
	}
}
