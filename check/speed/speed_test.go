package speed

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rondo/check/linear"
	"rondo/check/synth"
)

// TestMain lets the test program play the judge: what a child does is in its environment.
func TestMain(m *testing.M) {
	switch os.Getenv("RONDO_SPEED_CHILD") {
	case "":
		os.Exit(m.Run())
	case "fat":
		var hold []byte
		for range 200 {
			hold = append(hold, make([]byte, 1<<20)...)
			for i := 0; i < len(hold); i += 4096 {
				hold[i]++
			}
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Print(hold[0])
	case "mute":
		fmt.Fprintln(os.Stderr, "cannot")
		os.Exit(3)
	default:
		if len(os.Args) < 3 || os.Args[1] != "recheck" {
			os.Exit(3)
		}
		if _, err := os.Stat(os.Args[2]); err != nil {
			os.Exit(3)
		}
		fmt.Printf(`{"histories":[{"verdict":%q,"violations":[{"steps":["a","b","c"],"explainedMs":7},{"steps":["a","b"]},{"steps":["a"],"unproven":true}]}]}`,
			os.Getenv("RONDO_SPEED_CHILD"))
	}
}

func measured(t *testing.T, child string, row Row) (Result, error) {
	t.Helper()
	t.Setenv("RONDO_SPEED_CHILD", child)
	r, err := Table(t.Context(), []Row{row}, Options{Self: os.Args[0], Limit: time.Minute,
		Memory: 60 << 20, Progress: func(string) {}})
	if err != nil || len(r) != 1 {
		return Result{}, err
	}
	return r[0], nil
}

func TestMeasure(t *testing.T) {
	small := synth.Options{Ops: 500, Loss: 0.1, Clients: 16}
	bad := small
	bad.Bug = synth.Bugs[0].Name
	for _, c := range []struct {
		child                  string
		row                    Row
		wrong, undecided, kept bool
	}{
		{"ok", Row{Synth: small, Seconds: 60}, false, false, true},
		{"ok", Row{Synth: small, Seconds: 1e-9}, false, false, false},
		{"ok", Row{Synth: small, Seconds: 60, Bytes: 1}, false, false, false},
		{"illegal", Row{Synth: small, Seconds: 60}, true, false, false},
		{"illegal", Row{Synth: bad, Seconds: 60}, false, false, true},
		{"ok", Row{Synth: bad, Seconds: 60}, true, false, false},
		{"unknown", Row{Synth: small, Seconds: 60}, false, true, false},
		{"vacuous", Row{Synth: small, Seconds: 60}, true, false, false},
	} {
		r, err := measured(t, c.child, c.row)
		if err != nil {
			t.Fatal(err)
		}
		if r.Wrong() != c.wrong || r.Undecided() != c.undecided || r.Kept() != c.kept {
			t.Errorf("%s with bug %q: wrong %t, undecided %t, kept %t", c.child, c.row.Synth.Bug,
				r.Wrong(), r.Undecided(), r.Kept())
		}
		m := r.Slowest()
		if m.Ops != 500 || m.Unanswered == 0 || m.InFlight < 5 || m.InFlight > 16 || m.FileBytes == 0 ||
			m.PeakBytes == 0 || m.Wall <= 0 || m.CoreOps != 2 || m.Explained != 3 || m.Large != 1 ||
			m.ExplainMs != 7 {
			t.Errorf("measured %+v", m)
		}
	}
}

// TestFat: a child beyond its memory is ended, and undecided.
func TestFat(t *testing.T) {
	if resident(os.Getpid()) == 0 {
		t.Skip("the system does not tell what a process holds")
	}
	r, err := measured(t, "fat", Row{Synth: synth.Options{Ops: 10}})
	if err != nil || !r.Undecided() || !strings.Contains(r.Slowest().Reason, "memory") {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestNoReport(t *testing.T) {
	if _, err := measured(t, "mute", Row{Synth: synth.Options{Ops: 10}}); err == nil ||
		!strings.Contains(err.Error(), "cannot") {
		t.Fatalf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Table(ctx, Rows[:1], Options{Quick: true, Progress: func(string) {}}); err == nil {
		t.Fatal("an interruption is no result")
	}
}

func TestCurveEnds(t *testing.T) {
	t.Setenv("RONDO_SPEED_CHILD", "unknown")
	points, err := Follow(t.Context(), Curves()[0], Options{Self: os.Args[0], Limit: time.Minute,
		Progress: func(string) {}})
	if err != nil || len(points) != 2 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	var b strings.Builder
	if err := MarkdownCurve(&b, Curves()[0], points); err != nil || !strings.Contains(b.String(), "| 8 | ") {
		t.Errorf("printed %s %v", b.String(), err)
	}
}

// illegal makes a row one of a bug that was found and explained.
func illegal(explained, large int, ms int64) func(*Result) {
	return func(r *Result) {
		r.Row.Synth.Bug = synth.Bugs[0].Name
		m := &r.Measures[0]
		m.Verdict, m.CoreOps, m.Explained, m.Large, m.ExplainMs = "illegal", 2, explained, large, ms
	}
}

// TestBugRows: every bug has a row, in which the first twentieth of its history shows it.
func TestBugRows(t *testing.T) {
	rows := BugRows()
	if len(rows) != len(synth.Bugs) {
		t.Errorf("%d rows", len(rows))
	}
	if testing.Short() {
		return
	}
	for _, r := range rows {
		r.Synth.Ops /= 20
		if n, _ := linear.Conviction(synth.Make(r.Synth), linear.Options{}); n == 0 {
			t.Errorf("%s is not seen", r.Title)
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := Result{Row: Row{Title: "A", Seconds: 6, Bytes: gib, Synth: synth.Options{}},
		Measures:  []Measure{{Verdict: "ok", CPU: 2, Wall: 1, PeakBytes: 512 << 20, Ops: million, InFlight: 59}},
		Porcupine: &Measure{Verdict: "unknown", CPU: 20, PeakBytes: 3 * gib, Ops: 10_000}}
	for _, c := range []struct {
		change func(*Result)
		want   string
	}{
		{func(*Result) {}, "| A | 1 M | 59 | ok | 2.00 s | 1.00 s | 512 MiB | 500 k | 6 s, 1.0 GiB: kept |" +
			" unknown at 10 k: 20.0 s CPU, 3.0 GiB |"},
		{func(r *Result) { r.Measures[0].Wall = 7 }, "6 s, 1.0 GiB: **missed**"},
		{func(r *Result) { r.Scaled = true }, "(at ten times the size)"},
		{func(r *Result) { r.Measures[0].Verdict = "illegal" }, "WRONG: illegal"},
		{func(r *Result) { r.Measures = append(r.Measures, Measure{Verdict: "unknown", CPU: 1}) },
			"unknown (1 of 2 seeds)"},
		{illegal(20, 1, 1000), "illegal, core 2, 19 of 20 cores small, explained in 1000 ms |"},
		{illegal(20, 2, 1000), "18 of 20 cores small, explained in 1000 ms: **missed** |"},
		{illegal(20, 1, 1001), "explained in 1001 ms: **missed** |"},
	} {
		changed := r
		changed.Measures = append([]Measure(nil), r.Measures...)
		c.change(&changed)
		var b strings.Builder
		if err := Markdown(&b, []Result{changed}, Options{Porcupine: time.Second}); err != nil ||
			!strings.Contains(b.String(), c.want) {
			t.Errorf("no %q in\n%s", c.want, b.String())
		}
	}
}
