package reactor

import (
	"context"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rondo/spec"
)

const moduleRoot = "../../.."

// TestFaults: each fault matches the source as it is, once, is Go where it has been put in, breaks
// clauses that exist, and names tests that exist. That they find it is for `make mutants`.
func TestFaults(t *testing.T) {
	faults, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) < 40 {
		t.Errorf("%d faults; the files have not been found", len(faults))
	}
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) {
			text, err := f.Edited(moduleRoot)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), f.File, text, 0); err != nil {
				t.Error(err)
			}
			for _, id := range f.Clauses {
				if _, ok := spec.Lookup(id); !ok {
					t.Errorf("no clause %s", id)
				}
			}
			if !slices.ContainsFunc(testsOf(t, f.Package), regexp.MustCompile(f.Tests).MatchString) {
				t.Errorf("no test of %s matches %q", f.Package, f.Tests)
			}
		})
	}
}

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)

func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunction.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

const entry = `clause: LOOP-3 LOOP-4
fault: Two is one.
file: sum/sum.go
caught by: ./sum TestTwo|TestThree
-- find --
	return 2
-- replace --
	return 1
-- find --
	return 3

-- replace --
`

func TestParse(t *testing.T) {
	f, err := parse(entry)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Clauses, []string{"LOOP-3", "LOOP-4"}) || f.Does != "Two is one." ||
		f.File != "sum/sum.go" || f.Package != "./sum" || f.Tests != "TestTwo|TestThree" {
		t.Errorf("%+v", f)
	}
	if want := []Edit{{"\treturn 2", "\treturn 1"}, {"\treturn 3\n", ""}}; !slices.Equal(f.Edits, want) {
		t.Errorf("%q and not %q", f.Edits, want)
	}
}

// TestParseRejects: a file that is not understood to its end is an error that says why.
func TestParseRejects(t *testing.T) {
	for _, c := range []struct{ from, to, says string }{
		{"clause: LOOP-3 LOOP-4\n", "", "3 lines"},
		{"clause: LOOP-3 LOOP-4", "clause: ", "line 1"},
		{"fault: ", "Fault: ", "line 2"},
		{"Two is one.", "Two is one", "sentence"},
		{"Two is one.", "Two is one. Three is one.", "sentence"},
		{" TestTwo|TestThree", "", "pattern"},
		{"TestTwo|TestThree", "Test(", "missing closing"},
		{"TestThree\n", "TestThree\nby: me\n", "5 lines"},
		{"-- find --", "-- search --", "8 lines"},
		{"\treturn 1\n-- find --", "\treturn 1", "twice"},
		{"-- replace --\n\treturn 1\n", "", "without a line"},
		{"\treturn 1", "\treturn 2", "changes nothing"},
		{"\treturn 2\n", "", "changes nothing"},
	} {
		_, err := parse(strings.Replace(entry, c.from, c.to, 1))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("with %q for %q: %v, and not an error with %q", c.to, c.from, err, c.says)
		}
	}
}

// tree is a module with a package, and tests of which one always fails.
var tree = map[string]string{
	"go.mod": "module tree\n\ngo 1.26\n",
	"sum/sum.go": `package sum

func Sum(a, b int) int {
	sum := a
	sum += b
	return sum
}
`,
	"sum/sum_test.go": `package sum

import "testing"

func TestSum(t *testing.T)  { check(t, 2, 3, 5) }
func TestZero(t *testing.T) { check(t, 0, 0, 0) }
func TestBad(t *testing.T)  { check(t, 0, 0, 1) }

func check(t *testing.T, a, b, want int) {
	if got := Sum(a, b); got != want {
		t.Errorf("%d and not %d", got, want)
	}
}
`}

// TestRun: a fault is killed by the test that fails, and lives if none does; what cannot be tried,
// and what a test finds that fails anyway, is an error.
func TestRun(t *testing.T) {
	root := t.TempDir()
	for name, text := range tree {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fault := func(tests, find, replace string) Fault {
		return Fault{Name: "x", File: "sum/sum.go", Package: "./sum", Tests: tests, Edits: []Edit{{find, replace}}}
	}
	for _, c := range []struct {
		name          string
		fault         Fault
		by, err, fail string
	}{
		{"killed", fault("TestSum|TestZero", "sum += b", "sum -= b"), "TestSum", "", ""},
		{"crashes", fault("TestSum", "sum += b", "go panic(b)\n\tselect {}"), byCrash, "", ""},
		{"lives", fault("TestZero", "sum += b", "sum -= b"), "", "", ""},
		{"does not build", fault("TestSum", "sum += b", "sum += c"), "", "does not build", ""},
		{"matches nowhere", fault("TestSum", "sum *= b", ""), "", "0 times", ""},
		{"matches often", fault("TestSum", "sum", "x"), "", "4 times", ""},
		{"no such test", fault("TestNone", "sum += b", "sum -= b"), "", "no test", ""},
		{"fails anyway", fault("TestBad", "sum += b", "sum -= b"), "TestBad", "", "without a fault"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kills, err := Run(context.Background(), root, []Fault{c.fault}, func(Kill) {})
			if c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) || c.fail == "" && err != nil {
				t.Fatalf("%v, and not an error with %q", err, c.fail)
			}
			k := kills[0]
			if k.By != c.by || (c.err == "") != (k.Err == nil) || k.Err != nil && !strings.Contains(k.Err.Error(), c.err) {
				t.Errorf("killed by %q, error %v; and not by %q, error %q", k.By, k.Err, c.by, c.err)
			}
		})
	}
}
