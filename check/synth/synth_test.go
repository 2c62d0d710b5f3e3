package synth

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rondo/check/history"
	"rondo/check/linear"
)

// small is a history that every search decides: short components, few clients in each.
func small(mix string, seed uint64) Options {
	return Options{Mix: mix, Seed: seed, Ops: 2000, Keys: 40, Clients: 6}
}

// TestLegal: without a bug the judge accepts what is simulated, in every mix, also with lost
// replies, pipelines, fresh names, a cached clock with its slack, and values that repeat.
func TestLegal(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for _, mix := range Mixes {
		for seed := range seeds {
			for name, change := range map[string]func(*Options){
				"plain":     func(*Options) {},
				"lost":      func(o *Options) { o.Loss = 0.01 },
				"pipelined": func(o *Options) { o.Pipeline, o.Clients = 3, 4 },
				"rotating":  func(o *Options) { o.Keys, o.Rotate = 4, 60 },
				"cached":    func(o *Options) { o.Cached, o.Slack = 5*time.Millisecond, 4*time.Millisecond },
				"few":       func(o *Options) { o.Values = 3 },
			} {
				o := small(mix.Name, seed)
				change(&o)
				h := Make(o)
				if err := h.Validate(); err != nil {
					t.Fatalf("%s %s seed %d: %v", mix.Name, name, seed, err)
				}
				if r := linear.Check(h, linear.Options{}); r.Verdict != linear.OK {
					t.Errorf("%s %s seed %d: %s: %s", mix.Name, name, seed, r.Verdict, r.Reason)
				}
			}
		}
	}
}

// TestBugsConvicted: every bug shows.
func TestBugsConvicted(t *testing.T) {
	for i, bug := range Bugs {
		if testing.Short() && i%5 > 0 {
			continue
		}
		convicted := false
		for seed := uint64(0); seed < 12 && !convicted; seed++ {
			o := small("full", seed)
			o.Ops, o.Clients, o.Bug = 12_000, 8, bug.Name
			_, verdict := linear.Conviction(Make(o), linear.Options{})
			convicted = verdict == linear.Illegal
		}
		if !convicted {
			t.Errorf("%s: nobody noticed", bug.Name)
		}
	}
}

// TestWriteIsMake: the file says what the value says, in the format, and within the disorder that
// its meta line states.
func TestWriteIsMake(t *testing.T) {
	for _, o := range []Options{
		{Mix: "full", Ops: 3000, Keys: 3, Loss: 0.02, Seed: 7, Pipeline: 4},
		{Mix: "tx", Ops: 3000, Keys: 9, Loss: 0.02, Seed: 8},
		{Mix: "counter", Ops: 3000, Seed: 9, Bug: "lost update in INCR, 20 % racy"},
	} {
		var file bytes.Buffer
		if err := Write(&file, o); err != nil {
			t.Fatal(err)
		}
		got, err := history.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		latest, worst := int64(0), int64(0)
		for _, op := range got.Ops {
			latest = max(latest, op.Call)
			worst = max(worst, latest-op.Call)
		}
		if worst == 0 || worst > got.Meta.MaxDisorder {
			t.Errorf("%s: out of order by %d, maxDisorder is %d", o.Mix, worst, got.Meta.MaxDisorder)
		}
		slices.SortStableFunc(got.Ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
		if diff := gocmp.Diff(Make(o), got); diff != "" {
			t.Error(diff[:min(len(diff), 2000)])
		}
	}
}

// TestMixesAnswered: every form of every mix is drawn and understood.
func TestMixesAnswered(t *testing.T) {
	for _, mix := range Mixes {
		for _, op := range Make(Options{Mix: mix.Name, Ops: 5000, Keys: 6}).Ops {
			if op.Reply != nil && strings.HasPrefix(op.Reply.Str, "ERR") &&
				op.Reply.Str != "ERR no such key" {
				t.Fatalf("%s: %s was answered %s", mix.Name, op, op.Reply.Str)
			}
		}
	}
}

func TestUnknownNames(t *testing.T) {
	for _, o := range []Options{{Mix: "none"}, {Bug: "none"}} {
		if err := Write(nil, o); err == nil || !strings.Contains(err.Error(), "is named") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func BenchmarkMake(b *testing.B) {
	for range b.N {
		Make(Options{Mix: "full", Ops: 100_000, Clients: 64})
	}
}

func BenchmarkWrite(b *testing.B) {
	for range b.N {
		var n counter
		_ = Write(&n, Options{Mix: "full", Ops: 100_000, Clients: 64, Keys: 1000})
		b.SetBytes(int64(n))
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }
