package check

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rondo/check/report"
	"rondo/testdata"
)

// broken is the clause that each bad history breaks.
var broken = map[string]string{
	"lost-increment":           "LIN-3",
	"pipelines-crossed":        "LIN-6",
	"served-after-deadline":    "TIME-5",
	"recorded-pttl-three-more": "TIME-6", // the twin of ok/recorded-from-redis, one reply changed
	"torn-transaction":         "LIN-7",
	"element-for-two":          "LIN-3",
	"served-out-of-turn":       "BLOCK-5",
	"timeout-too-early":        "BLOCK-4",
}

// TestHistories: the reviewed histories of testdata, good and bad twins, get their verdicts, and a
// bad one is explained by its clause and a few of its operations.
func TestHistories(t *testing.T) {
	for _, kind := range []string{"ok", "bad"} {
		files, err := testdata.Match("history/" + kind + "/*.jsonl")
		if err != nil || len(files) < 2 {
			t.Fatalf("%d files in history/%s, %v", len(files), kind, err)
		}
		for _, f := range files {
			t.Run(kind+"/"+f.Name(), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "h.jsonl")
				if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
					t.Fatal(err)
				}
				r, _, err := Recheck([]string{path}, Options{})
				if err != nil {
					t.Fatal(err)
				}
				verdict(t, r.Histories[0], broken[f.Name()])
			})
		}
	}
}

// verdict wants h to be ok if clause is "", and else illegal because of that clause.
func verdict(t *testing.T, h report.History, clause string) {
	t.Helper()
	if clause == "" {
		if h.Verdict != report.HistoryOK {
			t.Errorf("%s: %s", h.Verdict, h.Reason)
		}
		return
	}
	if h.Verdict != report.HistoryIllegal || len(h.Violations) != 1 {
		t.Fatalf("%s with %d violations: %s", h.Verdict, len(h.Violations), h.Reason)
	}
	v := h.Violations[0]
	t.Logf("%s: %s\n%s", v.Clause, v.Sentence, strings.Join(v.Steps, "\n"))
	if v.Clause != clause || len(v.Core) == 0 || len(v.Core) > 5 {
		t.Errorf("clause %s, %d operations in the core; want %s and 1 to 5", v.Clause, len(v.Core), clause)
	}
}

// TestNothingJudgedIsNotOK: a verdict on nothing is vacuous.
func TestNothingJudgedIsNotOK(t *testing.T) {
	for name, text := range map[string]string{
		"empty":           "",
		"unknown command": `{"client":1,"call":0,"return":1,"cmd":["SADD","k","v"],"reply":1}`,
	} {
		path := filepath.Join(t.TempDir(), "h.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, _, err := Recheck([]string{path}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Exit() != 2 {
			t.Errorf("%s: %s, exit %d; want 2", name, r.Histories[0].Verdict, r.Exit())
		}
	}
}

func TestRecheckNamesTheLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.jsonl")
	os.WriteFile(path, []byte(`{"client":1,"call":0,"return":1,"cmd":["PING"],"reply":{"simple":"PONG"}}
{"client":1,"call":2,"return":3,"cmd":"PING"}
`), 0o644)
	if _, _, err := Recheck([]string{path}, Options{}); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v does not name line 2", err)
	}
}

func TestNoTarget(t *testing.T) {
	if _, err := Run(t.Context(), nil, Options{}); err == nil || !strings.Contains(err.Error(), "target.At") {
		t.Errorf("without a target: %v", err)
	}
}

func TestSelect(t *testing.T) {
	cases, mixes, err := Select([]string{"TIME-3", "history/tx"})
	if err != nil || len(cases) == 0 || len(mixes) != 1 || mixes[0] != "tx" {
		t.Errorf("%d cases, mixes %v, %v", len(cases), mixes, err)
	}
	if _, _, err := Select([]string{"nonsense-pattern"}); err == nil {
		t.Error("a pattern that selects nothing is accepted")
	}
}

func TestMutantNamesAreChecked(t *testing.T) {
	if _, err := Mutants(t.Context(), []string{"no such fault"}, Options{}, func(Kill) {}); err == nil {
		t.Error("an unknown fault is accepted")
	}
}

// TestFaultsAreCounted: in a run of so many operations and in one that is judged online.
func TestFaultsAreCounted(t *testing.T) {
	for _, o := range []Options{{Ops: 2000, Duration: 20 * time.Second}, {Duration: time.Second}} {
		tg, stop, err := serveMutant("")
		if err != nil {
			t.Fatal(err)
		}
		o.Patterns, o.Seed, o.Fault, o.FaultEvery = []string{"history/register"}, 1, "exit 7", 5*time.Millisecond
		r, err := Run(t.Context(), tg, o)
		stop()
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Histories[0].FaultTally; f.Run == 0 || f.Failed != f.Run || f.Failure != "exit status 7" || r.Exit() != 2 {
			t.Errorf("%v, exit %d: %s", f, r.Exit(), r.Conclusion())
		}
	}
}

// TestStoppedRun: a run that is stopped has the verdict on what was judged, and lists the rest. One
// long history that is stopped is judged as far as it goes.
func TestStoppedRun(t *testing.T) {
	for mixes, exit := range map[string]int{"history/register": 0, "history/register history/tx": 2} {
		tg, stop, err := serveMutant("")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		r, err := Run(ctx, tg, Options{Patterns: strings.Fields(mixes), Ops: 5_000_000, Seed: 1, Unmeasured: true})
		cancel()
		stop()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{report.HistoryOK, report.NotRun}[:len(r.Histories)] {
			if h := r.Histories[i]; h.Verdict != want {
				t.Errorf("%s is %s, want %s: %s", h.Name, h.Verdict, want, h.Reason)
			}
		}
		if r.Exit() != exit || !strings.HasPrefix(r.Conclusion(), "Stopped after ") {
			t.Errorf("%s: exit %d, want %d: %s", mixes, r.Exit(), exit, r.Conclusion())
		}
	}
}

// TestQuickIsBrief: a quick run of a server that is broken ends early, and only such a one.
func TestQuickIsBrief(t *testing.T) {
	tg, stop, err := serveMutant("")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for want, b := range map[string]*brevity{
		report.NotRun:    {on: true, broken: true, since: time.Now().Add(-2 * QuickMax)},
		report.HistoryOK: {on: true, since: time.Now().Add(-2 * QuickMax)},
	} {
		out, err := Options{Ops: 2000, Seed: 1}.withDefaults().histories(t.Context(), tg, []string{"register"}, b, &Recordings{})
		if err != nil || out[0].Verdict != want {
			t.Errorf("%v, %+v, want %s", err, out, want)
		}
	}
}
