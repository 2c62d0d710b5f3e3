package interop

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outcome is the part of report.json that the tests read.
type outcome struct {
	Cases []struct {
		Name, Verdict, Reason string
		Clauses               []string
	}
	Histories []struct {
		Name, Verdict, Reason string
		Violations            []struct {
			Clause, Sentence string
			Steps            []string
		}
	}
}

// judge runs rondo-check with a report folder and returns its exit status and report.
func judge(t *testing.T, args ...string) (int, outcome) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(build(t, root, "./check/cmd/rondo-check"), append(append([]string{"run"}, args...), "-report", dir)...)
	out, err := cmd.CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	t.Logf("rondo-check run %s\n%s", strings.Join(args, " "), out)
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var o outcome
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o
}

// TestRedisPasses: the real server keeps every MUST, and its histories are ok. A case that skips
// there and on Rondo too would never run: that is an error of the suite.
func TestRedisPasses(t *testing.T) {
	t.Parallel() // it mostly waits
	redis := needs(t, "redis-server")
	status, o := judge(t, "-exec", redis+" --port {port} --save '' --enable-debug-command yes")
	if status != 0 || len(o.Cases) < 200 || len(o.Histories) == 0 {
		t.Errorf("exit status %d, %d cases, %d histories", status, len(o.Cases), len(o.Histories))
	}
	skipped := map[string]string{}
	for _, c := range o.Cases {
		if c.Verdict == "skip" {
			skipped[c.Name] = c.Reason
		}
	}
	if len(skipped) == 0 {
		return
	}
	_, o = judge(t, slices.Collect(maps.Keys(skipped))...)
	for _, c := range o.Cases {
		if c.Verdict == "skip" {
			t.Errorf("%s never runs: redis-server: %s; Rondo: %s", c.Name, skipped[c.Name], c.Reason)
		}
	}
}

// TestMiniredisIsConvicted: its TTLs do not elapse by themselves. The suite finds it, and the
// histories alone find it too, in a sentence and a few operations. (make matrix runs all of it.)
func TestMiniredisIsConvicted(t *testing.T) {
	t.Parallel() // it mostly waits
	server := build(t, ".", "./cmd/miniredis-server") + " -addr 127.0.0.1:{port}"
	status, o := judge(t, "time/*", "history/expiry", "history/full", "-ops", "8000", "-exec", server, "-seed", "1")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	convicted := false
	for _, c := range o.Cases {
		convicted = convicted || c.Verdict == "fail" && strings.Contains(strings.Join(c.Clauses, " "), "TIME-3")
	}
	if !convicted {
		t.Error("no failed case names TIME-3")
	}
	shortest := 0
	for _, h := range o.Histories {
		for _, v := range h.Violations {
			if v.Clause == "TIME-5" && (shortest == 0 || len(v.Steps) < shortest) {
				shortest = len(v.Steps)
				t.Logf("%s: %s\n%s", v.Clause, v.Sentence, strings.Join(v.Steps, "\n"))
			}
		}
	}
	if shortest == 0 || shortest > 5 {
		t.Errorf("the shortest history that convicts it of TIME-5 has %d operations, want 1 to 5", shortest)
	}
}

// TestSmallServer: the example of the redcon library has five commands and its own protocol errors.
// What it lacks is skipped, and what it has is judged: its histories are ok, where anything is written.
func TestSmallServer(t *testing.T) {
	t.Parallel() // it mostly waits
	server := build(t, ".", "./cmd/redcon-server") + " -addr 127.0.0.1:{port}"
	_, o := judge(t, "-exec", server, "-seed", "1", "-ops", "5000")
	count := map[string]int{}
	for _, c := range o.Cases {
		count[c.Verdict]++
		if c.Verdict == "error" || c.Verdict == "fail" && !strings.HasPrefix(c.Name, "wire/") &&
			!strings.HasPrefix(c.Name, "script/") && !strings.HasPrefix(c.Name, "conn/") &&
			!strings.Contains(c.Reason, "SET") {
			t.Errorf("%s is %s: %s", c.Name, c.Verdict, c.Reason)
		}
	}
	if count["fail"] == 0 || count["fail"] > 25 || count["pass"] < 10 || count["skip"] < 150 {
		t.Errorf("%v", count)
	}
	// It has no deadlines and no counters: all writes of these two mixes are left out.
	unwritten := map[string]bool{"history/expiry": true, "history/counter": true}
	for _, h := range o.Histories {
		nothingRead := h.Verdict == "vacuous" && strings.Contains(h.Reason, "no value was ever read")
		if h.Verdict != "ok" && !(unwritten[h.Name] && nothingRead) {
			t.Errorf("%s is %s: %s", h.Name, h.Verdict, h.Reason)
		}
	}
}
