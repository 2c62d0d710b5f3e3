package linear

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/model"
	"rondo/testdata"
)

// This file lets the Monitor judge random histories that it cuts at every quiescent moment it finds,
// or at some of them, and compares with the definition (brute_test.go).

// monitored is the Monitor's verdict, with a cut behind so many operations at least. Nothing is
// explained: of thousands of histories the verdict alone is looked at.
func monitored(h *history.History, cut int, f walkFaults) (Result, int) {
	m := NewMonitor(h.Meta, generous)
	m.explained = sketchedMax
	m.segmentOps, m.faults = cut, f
	for _, op := range h.Ops {
		if m.Add(op) != nil {
			break
		}
	}
	return m.Close(), m.stats.Segments
}

// streamed is a history as it would arrive: with a bound on its disorder, and out of order.
func streamed(h *history.History, seed uint64) *history.History {
	r := rand.New(rand.NewPCG(seed, 3))
	s := &history.History{Meta: h.Meta, Ops: append([]history.Op(nil), h.Ops...)}
	s.Meta.MaxDisorder = 1 + r.Int64N(3_000_000)
	for range len(s.Ops) {
		i := r.IntN(len(s.Ops))
		if i > 0 && s.Ops[i].Call > s.Ops[i-1].Call && s.Ops[i].Call-s.Ops[i-1].Call < s.Meta.MaxDisorder/2 {
			s.Ops[i], s.Ops[i-1] = s.Ops[i-1], s.Ops[i]
		}
	}
	return s
}

// exactClock: the verdict may not depend on when components were joined.
func exactClock(h *history.History) bool {
	return h.Meta.Slack == 0 && h.Meta.Offset != nil && h.Meta.Offset.Low == h.Meta.Offset.High
}

// TestMonitorAgrees: judging while operations arrive gives the verdict of the definition, wherever
// it cuts. With slack, components that an operation joins had clocks of their own before, so that
// there the Monitor may accept more; it never accepts less.
func TestMonitorAgrees(t *testing.T) {
	n := howMany() / 2
	if testing.Short() {
		n = 4000
	}
	var legal, illegal, segments, looser, skipped, open, wrong atomic.Int64
	eachHistory(n, func(seed uint64) bool {
		h := streamed(anyHistory(seed), seed)
		want := bruteVerdict(h, false, true)
		if want == Unknown {
			skipped.Add(1)
			return true
		}
		res, cuts := monitored(h, 1+int(seed%3), walkFaults{hard: seed%5 == 0})
		segments.Add(int64(cuts))
		switch {
		case res.Verdict == want && want == OK:
			legal.Add(1)
		case res.Verdict == want:
			illegal.Add(1)
		case want == Illegal && res.Verdict == OK && !exactClock(h):
			looser.Add(1)
		case res.Verdict == Unknown: // components were joined too late, see overtakes
			open.Add(1)
		case wrong.Add(1) <= 3:
			t.Errorf("seed %d: the monitor says %s (%s), the definition %s\n%s",
				seed, res.Verdict, res.Reason, want, show(h))
		}
		return true
	})
	t.Logf("%d histories in %d segments: %d legal, %d illegal, %d accepted because of slack, "+
		"%d too large for the definition, %d disagreements", n, segments.Load(), legal.Load(),
		illegal.Load(), looser.Load(), skipped.Load(), wrong.Load())
	if wrong.Load() > 0 {
		t.Fail()
	}
	if open.Load()*1000 > int64(n) {
		t.Errorf("%d histories are not decided", open.Load())
	}
	if looser.Load()*50 > illegal.Load() {
		t.Errorf("%d illegal histories are accepted, %d are not", looser.Load(), illegal.Load())
	}
}

// TestMonitorFaults turns on one mistake at a time. Each must lead to a disagreement.
func TestMonitorFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("some faults take tens of thousands of histories")
	}
	shown := mistakes{}
	for name, f := range map[string]walkFaults{
		"lost operations end with their segment":     {dropsLost: true},
		"a lost operation is spare before its burst": {spareAlways: true},
		"every read takes effect at once":            {eagerAll: true},
		"the next segment is taken to be later":      {floorHigh: true},
		"one configuration is carried":               {keepsFirst: true},
		"joined components forget what they were":    {apart: true},
	} {
		shown[name] = func(h *history.History) Verdict {
			got, _ := monitored(h, 1, f)
			return got.Verdict
		}
	}
	shown.show(t, agreeFull, func(seed uint64) *history.History {
		if h := streamed(makeHistory(seed), seed); exactClock(h) {
			return h
		}
		return nil
	}, soundVerdict)
}

// TestMonitorForgets: components whose keys are done are judged and leave nothing behind.
func TestMonitorForgets(t *testing.T) {
	meta := history.Meta{Profile: history.Frozen, MaxDisorder: 1, Offset: &history.Offset{}}
	m := NewMonitor(meta, Options{})
	at := int64(1e9)
	add := func(reply int64, cmd ...string) {
		r := model.Num(reply)
		at += 10_000_000
		if err := m.Add(history.Op{Client: 1, Call: at, Return: at + 1000, Cmd: words(cmd...), Reply: &r}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5000 {
		k := fmt.Sprint("k", i)
		add(1, "INCR", k)
		add(2, "INCR", k)
		if i%1000 == 999 {
			add(2, "INCR", k) // twice the same
		}
		m.Done(k)
		if n := len(m.split.nodes); n > 200 {
			t.Fatalf("%d nodes after %d keys", n, i)
		}
	}
	res := m.Close()
	if res.Verdict != Illegal || res.Counts[Illegal] != 5 || res.Counts[OK] != 4995 || len(res.Components) != 5 {
		t.Errorf("%s %v, %d components listed", res.Verdict, res.Counts, len(res.Components))
	}
	for _, c := range res.Components {
		if len(c.Core) == 0 || len(c.Core) > 3 || !strings.Contains(c.Keys[0], "999") {
			t.Errorf("%v: %s: %d operations: %s", c.Keys, c.Verdict, len(c.Core), c.Reason)
		}
	}
}

// TestVoidRecordings: what cannot be is an error, in a batch and as a stream, never a verdict on the
// server.
func TestVoidRecordings(t *testing.T) {
	files, err := testdata.Match("history/void/*.jsonl")
	if err != nil || len(files) < 6 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		h, err := history.Read(strings.NewReader(f.Text))
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Errorf("%s: %v", f.Name(), err)
			}
			continue
		}
		stream := *h
		stream.Meta.MaxDisorder = 1
		res, _ := monitored(&stream, 1, walkFaults{})
		if batch := Check(h, Options{}); batch.Verdict != Error || res.Verdict != Error || batch.Reason == "" {
			t.Errorf("%s: Check says %s, the Monitor %s", f.Name(), batch.Verdict, res.Verdict)
		}
	}
}

// TestMonitorIsBounded: a component without a moment of rest is given up, by name and moment, when
// what it gathers is too much, and the others are not.
func TestMonitorIsBounded(t *testing.T) {
	meta := history.Meta{Profile: history.Frozen, MaxDisorder: 1, Offset: &history.Offset{}}
	m := NewMonitor(meta, Options{Memory: 1 << 20})
	ok := model.OK()
	for i := range 5000 {
		at := int64(i) * 1_000_000
		for c, k := range []string{"hot", "cool"} {
			ret := at + 1000
			if k == "hot" {
				ret = at + 1_500_000
			}
			client := 10*c + i%2*(1-c)
			op := history.Op{Client: client, Call: at, Return: ret, Cmd: words("SET", k, "1"), Reply: &ok}
			if err := m.Add(op); err != nil {
				t.Fatal(err)
			}
		}
		if s := m.Stats(); s.Bytes > 1<<20 {
			t.Fatalf("%d bytes held", s.Bytes)
		}
	}
	if lag := m.Lag(); lag > 3*time.Second {
		t.Errorf("the verdict is %v behind", lag)
	}
	res := m.Close()
	if res.Verdict != Unknown || res.Counts[OK] != 1 || res.Counts[Unknown] != 1 {
		t.Fatalf("%s %v", res.Verdict, res.Counts)
	}
	if !strings.Contains(res.Reason, "[hot]") || !strings.Contains(res.Reason, " s") {
		t.Errorf("reason: %s", res.Reason)
	}
}

// TestMonitorLostBesideReturned: a recording of redis-server in which a lost operation is given the
// slot of one that has returned, before a quiescent moment. What is said of lost operations must not
// be said of what was in the slot before.
func TestMonitorLostBesideReturned(t *testing.T) {
	file, err := testdata.Match("history/ok/lost-beside-returned.jsonl")
	if err != nil || len(file) != 1 {
		t.Fatal(file, err)
	}
	h, err := history.Read(strings.NewReader(file[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMonitor(h.Meta, Options{})
	for _, op := range h.Ops {
		if err := m.Add(op); err != nil {
			t.Fatal(err)
		}
	}
	if r := m.Close(); r.Verdict != OK {
		t.Errorf("%s: %s", r.Verdict, r.Reason)
	}
}
