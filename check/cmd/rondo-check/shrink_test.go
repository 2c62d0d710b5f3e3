package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShrink: a file that was shrunk is illegal to recheck as well; a legal one is left alone.
func TestShrink(t *testing.T) {
	out := filepath.Join(t.TempDir(), "small.jsonl")
	bad := "../../../testdata/history/bad/recorded-pttl-three-more.jsonl"
	status, text, errs := rondoCheck(t, "shrink", bad, "-o", out, "-go")
	if status != exitBroken || errs != "" {
		t.Fatalf("status %d\n%s%s", status, text, errs)
	}
	for _, want := range []string{"TIME-6", "miss each other by 3 ms", "illegal, checked", "func TestShrunkHistory("} {
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
