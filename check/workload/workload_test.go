package workload

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/mutant"
	"rondo/check/target"
	"rondo/model"
)

// serve starts a mutant, by default one without a fault.
func serve(t testing.TB, fault string) *target.Target {
	t.Helper()
	s, addr, err := mutant.Start(fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	tg, err := target.At(addr)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// TestEvicts: a target that may lose keys is not recorded.
func TestEvicts(t *testing.T) {
	tg := serve(t, "")
	conn, err := tg.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct {
		limit, policy string
		want          error
	}{{"0", "allkeys-lru", nil}, {"100mb", "noeviction", nil}, {"100mb", "volatile-ttl", ErrEvicts}} {
		if r, err := conn.Do("CONFIG", "SET", "maxmemory", c.limit, "maxmemory-policy", c.policy); err != nil || r.Str != "OK" {
			t.Fatal(r, err)
		}
		if _, _, err := Run(t.Context(), tg, Options{Ops: 50, Seed: 1}); !errors.Is(err, c.want) {
			t.Errorf("%s with a limit of %s: %v", c.policy, c.limit, err)
		}
	}
}

// TestRun records every mix on a correct server: the history is valid, survives the file format,
// means something, and no order contradicts it. RONDO_TARGET names another server to do it with.
func TestRun(t *testing.T) {
	tg := serve(t, "")
	if addr := os.Getenv("RONDO_TARGET"); addr != "" {
		var err error
		if tg, err = target.At(addr); err != nil {
			t.Fatal(err)
		}
	}
	for _, mix := range Mixes {
		t.Run(mix.Name, func(t *testing.T) {
			h, st, err := Run(context.Background(), tg, Options{Ops: 800, Seed: 1, Mix: mix.Name})
			if err != nil {
				t.Fatal(err)
			}
			if len(h.Ops) < 800 || st.Ops != len(h.Ops) || h.Meta.Offset == nil || len(st.Broken) > 0 {
				t.Errorf("%d operations, %+v, offset %v", len(h.Ops), st, h.Meta.Offset)
			}
			if why := st.Vacuous(); why != "" {
				t.Error(why)
			}
			checkComponents(t, h)
			if r := linear.Check(reread(t, h), linear.Options{}); r.Verdict != linear.OK {
				t.Errorf("%s: %s", r.Verdict, r.Reason)
			}
		})
	}
}

// reread writes a history and reads it again.
func reread(t *testing.T, h *history.History) *history.History {
	t.Helper()
	var file bytes.Buffer
	if err := history.Write(&file, h); err != nil {
		t.Fatal(err)
	}
	again, err := history.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Validate(); err != nil {
		t.Fatal(err)
	}
	return again
}

// checkComponents: no group exceeds what the search can decide.
func checkComponents(t *testing.T, h *history.History) {
	t.Helper()
	ops, keys := map[string]int{}, map[string]map[string]bool{}
	for _, op := range h.Ops {
		group := ""
		for _, k := range keysOf(&op) {
			group, _, _ = strings.Cut(k, "}")
			if keys[group] == nil {
				keys[group] = map[string]bool{}
			}
			keys[group][k] = true
		}
		ops[group]++
	}
	for group, n := range ops {
		if n > GroupOpsMax || len(keys[group]) > 1 && n > SeveralOpsMax || len(keys[group]) > GroupKeysMax {
			t.Errorf("group %s has %d operations on %d keys", group, n, len(keys[group]))
		}
	}
}

// TestConvicts: a workload is for convicting. The faults are those that a generator without short
// deadlines, cool keys and chasing readers lets pass.
func TestConvicts(t *testing.T) {
	for _, fault := range []string{"expires 20 ms late", "expires 5 ms early"} {
		t.Run(fault, func(t *testing.T) {
			h, st, err := Run(context.Background(), serve(t, fault),
				Options{Ops: 1200, Seed: 2, Mix: "expiry"})
			if err != nil {
				t.Fatal(err)
			}
			// The bound is for the explanations, which nobody reads here.
			if r := linear.Check(h, linear.Options{Timeout: time.Second}); r.Verdict != linear.Illegal {
				t.Errorf("%s: %s; %v", r.Verdict, r.Reason, st)
			}
		})
	}
}

// TestBroken: what no history can hold is reported beside it, and the run goes on to its end.
func TestBroken(t *testing.T) {
	_, st, err := Run(context.Background(), serve(t, "replies swapped"), Options{Ops: 1500, Mix: "tx"})
	if err != nil || len(st.Broken) == 0 || !strings.HasPrefix(st.Broken[0], "EXEC-1: ") {
		t.Errorf("%v, %v", st.Broken, err)
	}
}

// TestStops: the context, the duration and a server that goes away end a run.
func TestStops(t *testing.T) {
	tg, all := serve(t, ""), context.Background()
	ctx, cancel := context.WithTimeout(all, 100*time.Millisecond)
	defer cancel()
	if _, _, err := Run(ctx, tg, Options{Ops: 1e9}); err != nil {
		t.Error(err)
	}
	if _, _, err := Run(all, tg, Options{Ops: 1e9, Duration: 100 * time.Millisecond}); err != nil {
		t.Error(err)
	}
	dying, addr, err := mutant.Start("")
	if err != nil {
		t.Fatal(err)
	}
	gone, err := target.At(addr)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, dying.Close)
	if _, st, err := Run(all, gone, Options{Ops: 1e9}); err == nil && len(st.Broken) == 0 {
		t.Error("a server that went away is no finding")
	}
	_, _, err = Run(all, tg, Options{Mix: "nosuch"})
	if err == nil || !strings.Contains(err.Error(), "expiry") {
		t.Errorf("unknown mix: %v", err)
	}
}

// sourceOf makes a client's source without a client.
func sourceOf(t *testing.T, seed int64) *source {
	t.Helper()
	p, err := planFor(Mixes[0], func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return &source{rng: rngOf(seed, 3, 1), plan: p, keys: []string{"a", "b", "c"}, slot: 1,
		wallMs: func() int64 { return 1_000_000 }}
}

// TestSeed: a seed decides what a client asks, and another seed asks something else.
func TestSeed(t *testing.T) {
	text := func(seed int64) string {
		s := sourceOf(t, seed)
		var all [][]byte
		for range 500 {
			all = append(all, bytes.Join(s.next().args, []byte(" ")))
		}
		return string(bytes.Join(all, []byte("\n")))
	}
	if first, second := text(7), text(7); first != second {
		t.Error("the same seed asks differently")
	}
	if text(7) == text(8) {
		t.Error("another seed asks the same")
	}
	for n := range 100 {
		s, again := shapeOf(7, n, 1e6, 3, 1000), shapeOf(7, n, 1e6, 3, 1000)
		if s.clients > 3 || s.ops > GroupOpsMax || s != again {
			t.Fatalf("%+v, %+v", s, again)
		}
	}
}

// TestSelfDescribing: no two values of a group are equal, and a counter tells its increments.
func TestSelfDescribing(t *testing.T) {
	seen := map[string]bool{}
	for slot := range int64(GroupClientsMax) {
		s := &source{rng: rand.New(rand.NewPCG(1, 1)), slot: slot}
		for range 1000 {
			v := s.value()
			if seen[v] {
				t.Fatalf("value %s twice", v)
			}
			seen[v] = true
		}
	}
	short, lives := 0, map[int64]int{}
	s := sourceOf(t, 1)
	for range 2000 {
		n := s.life()
		if n <= ShortTTLMax {
			short++
		} else if lives[n]++; lives[n] > 1 {
			t.Fatalf("long TTL %d twice", n)
		}
	}
	if short < 900 || short > 1100 {
		t.Errorf("%d of 2000 TTLs are short, expected half", short)
	}
}

// TestLeavesOut: what the target lacks is left out and named; without TIME so are absolute times.
func TestLeavesOut(t *testing.T) {
	lacks := map[string]bool{"time": true, "getex": true, "watch": true}
	p, err := planFor(Mixes[0], func(c string) bool { return !lacks[c] })
	if err != nil {
		t.Fatal(err)
	}
	left := strings.Join(p.left, ", ")
	if left != "discard, getex, getex persist, pexpireat, pexpiretime, set pxat, watch" {
		t.Errorf("left out: %s", left)
	}
	if _, err := planFor(Mixes[0], func(string) bool { return false }); err == nil {
		t.Error("a mix without any command")
	}
}

// TestClock: brackets that agree narrow the offset, brackets that do not mean that a clock stepped.
func TestClock(t *testing.T) {
	tg := serve(t, "")
	rec := history.NewRecorder()
	k := watchClock(tg, rec, 0)
	offset, ok, err := k.stop()
	truth := rec.Start().UnixNano()
	if err != nil || !ok || offset.Low > truth || offset.High < truth {
		t.Errorf("offset %v, %v, %v; it is %d", offset, ok, err, truth)
	}
	k = watchClock(tg, rec, 0)
	k.mu.Lock()
	k.low, k.high = k.low+int64(time.Second), k.high+int64(time.Second) // as if measured before a step
	k.mu.Unlock()
	if _, _, err := k.stop(); !errors.Is(err, ErrClockStepped) {
		t.Errorf("after a step: %v", err)
	}
}

// TestClockModel: slack and drift widen what TIME says, and never leave the truth outside.
func TestClockModel(t *testing.T) {
	tg := serve(t, "")
	rec := history.NewRecorder()
	width := func(k *clock) int64 {
		offset, ok, err := k.stop()
		if truth := rec.Start().UnixNano(); err != nil || !ok || offset.Low > truth || offset.High < truth {
			t.Errorf("offset %v, %v, %v; it is %d", offset, ok, err, truth)
		}
		return offset.High - offset.Low
	}
	ms := int64(time.Millisecond)
	if w := width(watchClock(tg, rec, 20*time.Millisecond)); w < 20*ms || w > 40*ms {
		t.Errorf("known to %d ns with a slack of 20 ms", w)
	}
	k := &clock{drift: ClockDriftMax, low: 5, high: 7}
	if o := k.widened(int64(time.Minute)); o.Low != 5-3*ms || o.High != 7+3*ms {
		t.Errorf("after a minute at 50 ppm the offset is in %v", o)
	}
}

// TestVacuous: each way to mean nothing has its words.
func TestVacuous(t *testing.T) {
	good := Stats{Ops: 100, Overlapping: 50, Near: 50, Expired: 20, Deadlines: true, Gets: 9, GetsNil: 3,
		Transactions: true, Transacts: 9, Planned: []string{"get", "set"}, Hits: map[string]int{"get": 9, "set": 1}}
	if why := good.Vacuous(); why != "" {
		t.Error(why)
	}
	for word, change := range map[string]func(*Stats){
		"no operation":  func(s *Stats) { *s = Stats{} },
		"overlapped":    func(s *Stats) { s.Overlapping = 1 },
		"of a deadline": func(s *Stats) { s.Near = 0 },
		"expired":       func(s *Stats) { s.Expired = 0 },
		"transactions":  func(s *Stats) { s.Transacts = 1 },
		"no value":      func(s *Stats) { s.GetsNil = s.Gets },
		"never used":    func(s *Stats) { s.Hits = map[string]int{"get": 10} },
	} {
		s := good
		change(&s)
		if why := s.Vacuous(); !strings.Contains(why, word) {
			t.Errorf("%q does not say %q", why, word)
		}
	}
}

// TestVacuousRun: a recording that is too short to mean anything goes on, three times at most, and
// is then called vacuous.
func TestVacuousRun(t *testing.T) {
	h, st, err := Run(context.Background(), serve(t, ""), Options{Ops: 10, Clients: 2, Seed: 1, Mix: "expiry"})
	if err != nil || len(h.Ops) < 10*ExtendMax || len(h.Ops) > 20*ExtendMax || st.Vacuous() == "" {
		t.Errorf("%d operations, vacuous %q, %v", len(h.Ops), st.Vacuous(), err)
	}
}

// TestMeasure counts a small history by hand.
func TestMeasure(t *testing.T) {
	reply := func(r model.Reply) *model.Reply { return &r }
	cmd := func(words ...string) [][]byte { return line(append(words, "")...).args[:len(words)] }
	ms, null := int64(time.Millisecond), reply(model.Reply{Kind: model.Null})
	h := &history.History{Ops: []history.Op{
		{Client: 1, N: 1, Call: 0, Return: ms, Cmd: cmd("set", "k", "v", "px", "5"), Reply: reply(model.OK())},
		{Client: 2, N: 1, Call: ms / 2, Return: 2 * ms, Cmd: cmd("get", "k"), Reply: reply(model.Str("v"))},
		{Client: 2, Call: 8 * ms, Return: 9 * ms, Cmd: cmd("get", "k"), Reply: null},
		{Client: 2, Call: 20 * ms, Return: 21 * ms, Cmd: cmd("get", "j"), Reply: null},
		{Client: 3, N: 1, Call: 20 * ms, Return: history.Never, Cmd: cmd("del", "j")},
		{Client: 1, Call: 22 * ms, Return: 23 * ms, Cmd: cmd("exec"), Body: [][][]byte{cmd("get", "k")},
			Reply: reply(model.Reply{Kind: model.NullArray})},
	}}
	m := newMeter(plan{deadlines: true}, nil)
	for i := range h.Ops {
		m.add(&h.Ops[i])
	}
	s := m.s
	if s.Ops != 6 || s.Clients != 3 || s.Overlapping != 2 || s.Gets != 3 || s.GetsNil != 2 ||
		s.Near != 1 || s.Expired != 1 || s.Lost != 1 || s.Transacts != 1 || s.Aborted != 1 ||
		s.Hits["get"] != 4 || s.Replies["nil"] != 2 || s.Pipelined != 0 {
		t.Errorf("%+v", s)
	}
	if got := strings.Join(s.Clauses(), " "); got != "LIN-1 LIN-2 LIN-3 LIN-4 LIN-5 LIN-8 TIME-5" {
		t.Errorf("clauses %s", got)
	}
}
