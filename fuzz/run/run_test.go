package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const moduleRoot = "../.."

// TestTargets: the targets of the module are found, and each says which code it is for.
func TestTargets(t *testing.T) {
	all, err := targets(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []target{{"Fuzz" + "Dict", "./fuzz"}, {"Fuzz" + "QuickIsStrict", "./check/history"}} {
		if !slices.Contains(all, want) {
			t.Errorf("%v is not among %v", want, all)
		}
	}
	f, err := os.Open(filepath.Join(moduleRoot, reachFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	aims, err := readAims(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range all {
		if !slices.ContainsFunc(aims, func(a aim) bool { return a.target == target.name }) {
			t.Errorf("%s does not say what %s is for", reachFile, target.name)
		}
	}
	for _, a := range aims {
		if _, err := named(all, []string{a.target}); err != nil {
			t.Errorf("%s: %v", reachFile, err)
		}
	}
}

// TestHear: what the engine says on its way is understood.
func TestHear(t *testing.T) {
	r := result{target: target{"FuzzX", "./x"}}
	r.listen(strings.NewReader(`fuzz: elapsed: 0s, gathering baseline coverage: 0/7 completed
fuzz: elapsed: 3s, execs: 5404 (17/sec), new interesting: 12 (total: 19)
fuzz: minimizing 783-byte failing input file
--- FAIL: FuzzX (3.63s)
    --- FAIL: FuzzX (0.02s)
        x_test.go:140: no
    
    Failing input written to testdata/fuzz/FuzzX/a851741ed9b0700d
`), &bytes.Buffer{})
	if r.execs != 5404 || r.fresh != 12 || r.failed != "x/testdata/fuzz/FuzzX/a851741ed9b0700d" {
		t.Errorf("%+v", r)
	}
}

// TestTimeUp: an engine that takes the end of its time for an error is not a target that fails, and
// nothing else is excused by it.
func TestTimeUp(t *testing.T) {
	const tried, timeUp = "fuzz: elapsed: 3s, execs: 54 (17/sec), new interesting: 1 (total: 9)\n", "    context deadline exceeded\n"
	const head = tried + "--- FAIL: FuzzX (10.21s)\n"
	for said, fails := range map[string]bool{
		head + timeUp: false,
		timeUp:        true, // after nothing
		head + "    x_test.go:14: context deadline exceeded\n":                                true,
		head + "    fuzzing process hung or terminated unexpectedly: exit status 2\n":         true,
		head + timeUp + "    Failing input written to testdata/fuzz/FuzzX/a851741ed9b0700d\n": true,
	} {
		var r result
		r.listen(strings.NewReader(said), &bytes.Buffer{})
		r.end(errors.New("exit status 1"))
		if (r.failed != "") != fails {
			t.Errorf("%q: failed for %q", said, r.failed)
		}
	}
}

// TestOthersStillRun: a target that fails does not keep the others from running, and all of it is in
// the table.
func TestOthersStillRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and fuzzes a module")
	}
	dir := moduleOf(t, map[string]string{
		"go.mod":      "module other\n\ngo 1.24\n",
		"a/a_test.go": fuzzTest("a", "FuzzSeed", `t.Fatal("a seed fails")`),
		"b/b_test.go": fuzzTest("b", "FuzzNever", "") +
			strings.TrimPrefix(fuzzTest("b", "FuzzFinds", `if len(data) > 1 { t.Fatal("found") }`), "package b\n\nimport \"testing\"\n"),
	})
	var out bytes.Buffer
	status, err := run(context.Background(), []string{"-time", "2000x", "-fresh"}, dir, &out)
	if err != nil || status != 1 {
		t.Errorf("status %d, %v", status, err)
	}
	_, end, _ := strings.Cut(out.String(), "\ntarget ")
	lines := strings.Split(strings.TrimSpace(end), "\n")
	if len(lines) != 4 {
		t.Fatalf("the table is\n%s\nof\n%s", end, &out)
	}
	for i, want := range []string{"FuzzSeed .* FAILED: FuzzSeed/seed#0", "FuzzFinds .* FAILED: b/testdata/fuzz/FuzzFinds/", "FuzzNever .* ok"} {
		name, verdict, _ := strings.Cut(want, " .* ")
		if line := lines[i+1]; !strings.HasPrefix(line, name) || !strings.Contains(line, verdict) {
			t.Errorf("line %d is %q, want %s", i+1, line, want)
		}
	}
}

func moduleOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func fuzzTest(pkg, name, body string) string {
	return "package " + pkg + "\n\nimport \"testing\"\n\nfunc " + name +
		"(f *testing.F) {\n\tf.Add([]byte(\"s\"))\n\tf.Fuzz(func(t *testing.T, data []byte) { " + body + " })\n}\n"
}

// TestReadAims: a line that could not be missed, or names nothing, is refused.
func TestReadAims(t *testing.T) {
	aims, err := readAims(strings.NewReader("# text\n\nFuzzX impl/x 80 a.go:f b.go:g\n"))
	if err != nil || len(aims) != 1 || aims[0].percent != 80 || len(aims[0].funcs) != 2 {
		t.Errorf("%+v, %v", aims, err)
	}
	for _, bad := range []string{"FuzzX impl/x 80", "FuzzX impl/x 0 a.go:f", "FuzzX impl/x 101 a.go:f", "FuzzX impl/x a.go:f g"} {
		if _, err := readAims(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestCompare: too little is missed, and so is a function that is not there.
func TestCompare(t *testing.T) {
	reached := readFuncs(strings.NewReader("rondo/impl/x/a.go:3:\tf\t\t80.0%\nrondo/impl/x/a.go:9:\tg\t\t79.9%\ntotal:\t(statements)\t50%\n"))
	a := aim{"FuzzX", "impl/x", 80, []string{"a.go:f", "a.go:g", "a.go:h"}}
	var out bytes.Buffer
	if missed := a.compare(reached, &out); missed != 2 {
		t.Errorf("missed %d of\n%s", missed, &out)
	}
	if lines := strings.Split(out.String(), "\n"); strings.Contains(lines[0], "MISSED") ||
		!strings.HasSuffix(lines[1], "MISSED") || !strings.HasSuffix(lines[2], "there is no such function") {
		t.Errorf("printed\n%s", &out)
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table(&out, []result{{target: target{name: "FuzzX"}, execs: 5, fresh: 2, took: 61 * time.Second, failed: "why"}})
	const want = `
target                  execs  new interesting     time  result
FuzzX                       5                2      61s  FAILED: why
`
	if out.String() != want {
		t.Errorf("printed%s", &out)
	}
}
