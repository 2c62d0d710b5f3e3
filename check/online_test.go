package check

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/report"
)

// onlineRun runs some mixes for a time against a mutant and returns the report.
func onlineRun(ctx context.Context, t *testing.T, fault, dir string, d time.Duration, mixes ...string) *report.Run {
	t.Helper()
	tg, stop, err := serveMutant(fault)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	r, err := Run(ctx, tg, Options{Patterns: mixes, Seed: 1,
		Duration: d, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r.Run
}

// TestOnline: a run that is bounded by time alone is judged while it is recorded, and what it leaves
// on the disk can be judged again. A correct server is ok, a mutant is convicted.
func TestOnline(t *testing.T) {
	t.Parallel() // it mostly waits
	dir := t.TempDir()
	r := onlineRun(t.Context(), t, "", dir, time.Second, "history/counter", "history/tx")
	if len(r.Histories) != 2 {
		t.Fatalf("%d histories", len(r.Histories))
	}
	for _, h := range r.Histories {
		if h.Verdict != report.HistoryOK && h.Verdict != report.HistoryVacuous { // on a busy machine
			t.Errorf("%s is %s: %s", h.Name, h.Verdict, h.Reason)
		}
		again, _, err := Recheck([]string{filepath.Join(dir, h.File)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a := again.Histories[0]; a.Verdict != report.HistoryOK || a.Ops != h.Ops || h.Components < 2 {
			t.Errorf("%s: %d operations in %d components; again: %s with %d", h.Name, h.Ops, h.Components,
				a.Verdict, a.Ops)
		}
	}
	bad := onlineRun(t.Context(), t, "stale read", dir, 500*time.Millisecond, "history/register")
	h := bad.Histories[0]
	if bad.Exit() != 1 || len(h.Violations) == 0 || h.Violations[0].Clause == "" || h.File == "" {
		t.Errorf("exit %d: %s %s", bad.Exit(), h.Verdict, h.Reason)
	}
}

// TestOnlineMeasures: the report says of each mix what it was measured on, and of an illegal one what
// holds all the same; without a file of it, nothing of that.
func TestOnlineMeasures(t *testing.T) {
	const slack, power, own = "smallest slack", "power", "every client reads its own writes"
	for _, tt := range []struct {
		fault, dir string
		want       map[string]string
	}{
		{"", "", map[string]string{slack: `^0 ms \(measured on the beginning of stretch 1, \d+ operations\)$`,
			power: `late by \d+ ms.* \(measured on the beginning of stretch 1, `}},
		{"stale read", t.TempDir(), map[string]string{
			slack: `^none: .* too \(measured on \d+ of \d+ illegal components of stretch 1, \d+ operations\)$`,
			power: `late by \d+ ms.* \(measured on the beginning of stretch 1, `,
			own:   `\(measured on \d+ of \d+ illegal components of stretch 1, `}},
		{"stale read", "", map[string]string{
			"what holds all the same": "^not looked at, since no recording",
			power:                     `\(measured on the beginning of stretch 1, `}},
	} {
		h := onlineRun(t.Context(), t, tt.fault, tt.dir, time.Second, "history/expiry").Histories[0]
		found := map[string]string{}
		for _, f := range h.Figures {
			for name := range tt.want {
				if strings.HasPrefix(f.Name, name) && f.Main {
					found[name] = f.Value
				}
			}
		}
		for name, pattern := range tt.want {
			if !regexp.MustCompile(pattern).MatchString(found[name]) {
				t.Errorf("%q %s in %q: %s is %q", tt.fault, h.Verdict, tt.dir, name, found[name])
			}
		}
	}
}

// TestOnlineStops: a run that is stopped has the verdict so far, and says that it was stopped.
func TestOnlineStops(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r := onlineRun(ctx, t, "", "", time.Hour, "history/register")
	if r.Exit() != 0 || !strings.Contains(r.Conclusion(), "Stopped after ") {
		t.Errorf("exit %d: %s", r.Exit(), r.Conclusion())
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r = onlineRun(ctx, t, "", "", time.Hour, "history/register", "history/tx") // one of the two mixes was not reached
	if r.Exit() != 2 || r.Histories[0].Verdict != report.HistoryOK || r.Histories[1].Verdict != report.NotRun {
		t.Errorf("exit %d: %s", r.Exit(), r.Conclusion())
	}
}

// TestDiskLog: old legal files make room for new ones, others stay, and both are bounded.
func TestDiskLog(t *testing.T) {
	dir := t.TempDir()
	d, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 * LogKeptMax {
		f, err := d.create("full", n, history.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		name, err := d.settle(f, n%2 == 0)
		if err != nil || name == "" && n < LogKeptMax {
			t.Fatalf("file %d is %q, %v", n, name, err)
		}
	}
	files := func() int {
		entries, err := os.ReadDir(filepath.Join(dir, historyFolder))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if n := files(); n != LogFilesMax+LogKeptMax {
		t.Errorf("%d files; want %d legal ones and %d others", n, LogFilesMax, LogKeptMax)
	}
	mine := filepath.Join(dir, historyFolder, "mine.jsonl")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openLog(dir); err != nil || files() != 1 {
		t.Errorf("%d files after a new run began, %v; want the one that no run made", files(), err)
	}
}
