package main

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rondo/check/history"
	"rondo/check/linear"
)

// TestShrink: a file that was shrunk is illegal to recheck as well; a legal one is left alone.
func TestShrink(t *testing.T) {
	out := filepath.Join(t.TempDir(), "small.jsonl")
	bad := "../../../testdata/history/bad/recorded-pttl-three-more.jsonl"
	status, text, errs := rondoCheck(t, "shrink", bad, "-o", out)
	if status != exitBroken || errs != "" {
		t.Fatalf("status %d\n%s%s", status, text, errs)
	}
	for _, want := range []string{"TIME-6", "miss each other by 3 ms", "illegal, checked"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if lines, err := os.ReadFile(out); err != nil || strings.Count(string(lines), "\n") > 16 {
		t.Errorf("%v, %d bytes", err, len(lines))
	}
	if status, text, _ := rondoCheck(t, "recheck", out); status != exitBroken {
		t.Errorf("recheck: status %d\n%s", status, text)
	}
	good := "../../../testdata/history/ok/recorded-from-redis.jsonl"
	if status, text, _ := rondoCheck(t, "shrink", good); status != 0 || !strings.Contains(text, "is legal") {
		t.Errorf("a legal file: status %d\n%s", status, text)
	}
}

// TestShrinkGo: the file that -go prints is a test as it is, and the test passes.
func TestShrinkGo(t *testing.T) {
	dir, err := os.MkdirTemp(".", "_shrunk") // inside the module, and no package of ./...
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	bad := "../../../testdata/history/bad/served-after-deadline.jsonl"
	status, text, errs := rondoCheck(t, "shrink", bad, "-o", filepath.Join(t.TempDir(), "small.jsonl"), "-go")
	if status != exitBroken || !strings.Contains(errs, "illegal, checked") {
		t.Fatalf("status %d\n%s%s", status, text, errs)
	}
	if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
		t.Errorf("%v: not as gofmt writes it\n%s", err, text)
	}
	if err := os.WriteFile(filepath.Join(dir, "shrunk_test.go"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"vet", "test"} {
		if out, err := exec.Command("go", verb, "./"+dir).CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s\n%s", verb, err, out, text)
		}
	}
}

// TestStillLarge: a history that was not made small says so.
func TestStillLarge(t *testing.T) {
	of := linear.Result{Findings: []linear.Finding{{}}, Components: []linear.Component{{Core: make([]history.Op, 2)}}}
	if why := stillLarge(&history.History{Ops: make([]history.Op, 120)}, of); !strings.Contains(why, "120 operations, of which 2") {
		t.Error(why)
	}
	if why := stillLarge(&history.History{Ops: make([]history.Op, 14)}, of); why != "" {
		t.Error(why)
	}
}
