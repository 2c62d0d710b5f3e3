package impl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TIME-4, TIME-15: whichever way expired keys are found, every command answers the same at every
// moment, and in the end none is left.
func TestExpiryStrategiesAgree(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		a, b := newWorld(t), newWorld(t, "active-expiry", "sampled", "active-expire-effort", fmt.Sprint(1+2*seed))
		p, q := a.dial(), b.dial()
		for range 3000 {
			k := fmt.Sprint("k", rng.IntN(400))
			line := []string{"GET", k}
			switch rng.IntN(8) {
			case 0, 1, 2:
				line = []string{"SET", k, "v", "PX", fmt.Sprint(1 + rng.IntN(2)*1000 + rng.IntN(100))}
			case 3:
				line = []string{"INCR", "n" + k}
			case 4:
				line = []string{"PEXPIRE", "n" + k, fmt.Sprint(1 + rng.IntN(300))}
			case 5:
				line = []string{"PTTL", k}
			case 6:
				line = []string{"MGET", k, "n" + k}
			}
			if x, y := a.ask(p, frame(line...)), b.ask(q, frame(line...)); x != y {
				t.Fatalf("seed %d: %v is answered %q, and sampled %q", seed, line, x, y)
			}
			if rng.IntN(10) == 0 {
				d := time.Duration(rng.IntN(100)) * time.Millisecond
				a.pass(d)
				b.pass(d)
			}
		}
		a.pass(20 * time.Second)
		b.pass(20 * time.Second)
		if x, y := a.ask(p, "DBSIZE\r\n"), b.ask(q, "DBSIZE\r\n"); x != y {
			t.Errorf("seed %d: %s keys are left, and sampled %s", seed, x, y)
		}
		if a.s.x.DB(0).Volatile() != 0 || b.s.x.DB(0).Volatile() != 0 {
			t.Errorf("seed %d: %d and %d keys are overdue", seed, a.s.x.DB(0).Volatile(), b.s.x.DB(0).Volatile())
		}
	}
}

// TIME-15, TIME-16: of few due keys among many that are not the sampled strategy finds hardly any soon,
// and all in the end; the ordered one, once it takes over, finds them at once.
func TestExpiryStrategyChanges(t *testing.T) {
	w := newWorld(t, "active-expiry", "sampled")
	p := w.dial()
	for i := range 20_000 {
		ttl := "3600000"
		if i%100 == 0 {
			ttl = "10"
		}
		w.want(p, frame("SET", fmt.Sprint(i), "v", "PX", ttl), "+OK\r\n")
	}
	w.pass(time.Second)
	if left := w.s.x.DB(0).Len() - 19_800; left < 100 {
		t.Errorf("after ten ticks %d of 200 expired keys are left: is that sampled?", left)
	}
	w.config(p, "active-expiry", "ordered")
	w.pass(time.Second)
	w.want(p, "DBSIZE\r\n", ":19800\r\n")
	w.config(p, "active-expiry", "sampled")
	for i := range 2000 {
		w.want(p, frame("PEXPIRE", fmt.Sprint(i*10+1), "1"), ":1\r\n")
	}
	w.pass(150 * time.Second)
	w.want(p, "DBSIZE\r\n", ":17800\r\n")
	if got := w.ask(p, frame("CONFIG", "SET", "active-expiry", "never")); !strings.Contains(got, "ordered, sampled") {
		t.Error(got)
	}
}

// TIME-15: a storm is over as soon as there was time for it, since of those met all were expired; and
// DEBUG SET-ACTIVE-EXPIRE 0 stops both strategies.
func TestExpirySampledStorm(t *testing.T) {
	w := newWorld(t, "active-expiry", "sampled", "enable-debug-command", "yes")
	p := w.dial()
	w.want(p, "DEBUG SET-ACTIVE-EXPIRE 0\r\n", "+OK\r\n")
	for i := range 5000 {
		w.want(p, frame("SET", fmt.Sprint(i), "v", "PX", "10"), "+OK\r\n")
	}
	w.pass(time.Second)
	w.want(p, "DBSIZE\r\n", ":5000\r\n")
	w.want(p, "DEBUG SET-ACTIVE-EXPIRE 1\r\n", "+OK\r\n")
	w.pass(200 * time.Millisecond)
	w.want(p, "DBSIZE\r\n", ":0\r\n")
	if stale := w.fields(p, "stats")["expired_stale_perc"]; stale == "0.00" || stale == "" {
		t.Errorf("expired_stale_perc is %q after a storm", stale)
	}
}
