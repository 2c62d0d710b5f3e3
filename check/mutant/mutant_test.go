package mutant

import (
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"rondo/check/suite"
	"rondo/check/target"
	"rondo/spec"
)

// start serves a fault until the test ends.
func start(t *testing.T, fault string) string {
	t.Helper()
	s, addr, err := Start(fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return addr
}

// run runs the cases that match the patterns and returns their results by name.
func run(t *testing.T, fault string, patterns ...string) []suite.Result {
	t.Helper()
	tg, err := target.At(start(t, fault))
	if err != nil {
		t.Fatal(err)
	}
	tg.AllowFlush()
	cases, err := suite.Select(suite.Cases(), patterns)
	if err != nil {
		t.Fatal(err)
	}
	return suite.Run(tg, cases, suite.RunOptions{Seed: 1})
}

// TestNoFault: without a fault the recorded conversations pass. The normal run holds the whole
// suite and all histories against it (rondo-check mutants); this is the part that is quick.
func TestNoFault(t *testing.T) {
	for _, r := range run(t, "", "script/*", "conn/CONN-*", "wire/WIRE-*", "data/KEY-*", "data/eviction*", "data/memory*") {
		if r.Verdict != suite.Pass && r.Verdict != suite.Skip {
			t.Errorf("%s %s: %s", r.Verdict, r.Name, r.Reason)
		}
	}
}

// TestFaultsSeen: faults at each kind of point, each seen by a case that is named here. That all
// faults are seen is what `rondo-check mutants` shows.
func TestFaultsSeen(t *testing.T) {
	for fault, pattern := range map[string]string{
		"half frame executed":          "wire/WIRE-1",       // parse
		"arguments end at NUL":         "wire/WIRE-4",       // frame
		"commands reordered":           "order/LIN-6",       // order and flush
		"protocol error loses replies": "wire/WIRE-13",      // flush
		"one protocol error for all":   "wire/WIRE-10",      // refuse
		"RESP2 null in RESP3":          "wire/WIRE-20",      // encode
		"end executes transaction":     "conn/CONN-22",      // ended
		"WATCH ignored":                "exec/EXEC-9",       // before
		"nil is empty":                 "data/STR-7",        // after
		"client numbers return":        "conn/client-ids",   // admin
		"expired value measured":       "time/TIME-4",       // stale
		"EXEC not atomic":              "exec/move-between", // giving up the lock
		"CONFIG SET halfway":           "conn/CONN-25*",
		"EXEC rereads the clock":       "exec/EXEC-17",
		"QUIT does not close":          "conn/CONN-6",
		"own change forgiven":          "exec/EXEC-10",
		"DISCARD keeps watches":        "exec/EXEC-14",
		"no active expiry":             "time/TIME-15",
		"deadline from the connection": "time/relative",
		"failed write dirties":         "exec/EXEC-11",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			failed := 0
			for _, r := range run(t, fault, pattern) {
				if r.Verdict == suite.Fail {
					failed++
				}
			}
			if failed == 0 {
				t.Errorf("%s does not see it", pattern)
			}
		})
	}
}

// TestFaults: every fault has a name of its own, one sentence, clauses that exist, and a hook.
func TestFaults(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Faults {
		if seen[f.Name] || f.Name == "" {
			t.Errorf("name %q: empty, or taken", f.Name)
		}
		seen[f.Name] = true
		if !strings.HasSuffix(f.Does, ".") || strings.Count(f.Does, ". ") > 0 {
			t.Errorf("%s: not one sentence: %q", f.Name, f.Does)
		}
		if len(f.Clauses) == 0 {
			t.Errorf("%s breaks no clause", f.Name)
		}
		for _, id := range f.Clauses {
			if _, ok := spec.Lookup(id); !ok {
				t.Errorf("%s: no clause %s", f.Name, id)
			}
		}
		if reflect.ValueOf(f.at).IsZero() {
			t.Errorf("%s does nothing", f.Name)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Serve(l, "nosuch"); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("an unknown fault: %v", err)
	}
}

// TestClose: closing ends the connections and returns.
func TestClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(l, "")
	if err != nil {
		t.Fatal(err)
	}
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tg.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.Close()
	s.Close()
	if r, err := conn.Receive(time.Now().Add(5 * time.Second)); err == nil {
		t.Errorf("%v after Close", r)
	}
}
