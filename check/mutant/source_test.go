package mutant

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const moduleRoot = "../.."

// sourceTimeout bounds one run of the server's tests; a server that hangs is caught by that too.
const sourceTimeout = 30 * time.Second

// TestSourceFaults: each fault in the server's source is found by the server's own tests. A kill
// counts only if those tests pass without it (that they do is what `go test ./impl/...` says) and if
// it builds: an edit that does not compile proves nothing.
func TestSourceFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server once for each fault")
	}
	for _, f := range SourceFaults {
		t.Run(f.Name, func(t *testing.T) {
			overlay := f.overlay(t)
			if out, err := goTest(overlay, f.Package, "^$"); err != nil {
				t.Fatalf("it does not build: %v\n%s", err, out)
			}
			started := time.Now()
			out, err := goTest(overlay, f.Package, f.Tests)
			if err == nil {
				t.Fatalf("it lives: %s\n%s", f.Does, out)
			}
			if !strings.Contains(out, "FAIL") {
				t.Fatalf("the tests did not run: %v\n%s", err, out)
			}
			t.Logf("killed in %.1f s by %s", time.Since(started).Seconds(), firstFailure(out))
		})
	}
}

// overlay writes the edited file and the list that puts it in the original's place.
func (f SourceFault) overlay(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(moduleRoot, f.File))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), f.From); n != 1 {
		t.Fatalf("%s holds this %d times and not once:\n%s", f.File, n, f.From)
	}
	dir := t.TempDir()
	edited := filepath.Join(dir, filepath.Base(f.File))
	replaced := strings.Replace(string(text), f.From, f.To, 1)
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: edited}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	for name, b := range map[string][]byte{edited: []byte(replaced), overlay: list} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}

func goTest(overlay, pkg, pattern string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*sourceTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-failfast", "-timeout", sourceTimeout.String(),
		"-overlay", overlay, "-run", pattern, pkg)
	cmd.Dir = moduleRoot
	// What a fault fails at is nothing to keep; and no fault should live by luck.
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1", "RAPID_CHECKS=400")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func firstFailure(out string) string {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			return name
		}
		if strings.HasPrefix(line, "panic: test timed out") {
			return "the time limit"
		}
	}
	return "a crash"
}
