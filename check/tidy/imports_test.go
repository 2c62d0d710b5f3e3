package tidy

import (
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"
)

// layers is the import policy, lowest first: a package may import what stands in a layer below
// its own, or beside it and earlier in the line. Each of the three worlds has its own tower, and
// they meet only in the main of rondo-check and in fuzz.
var layers = map[string][][]string{
	"impl": {
		{"impl/resp", "impl/store", "impl/kernel", "impl/kernel/sim", "impl/histogram"},
		{"impl/command"},
		{"impl"},
		{"impl/cmd/rondo-server"},
	},
	"model": {{"spec/commands"}, {"model"}},
	"check": {
		{"spec/commands", "model", "spec", "testdata"},
		{"check/wire", "check/history"},
		{"check/target", "check/history/foreign"},
		{"check/script", "check/suite", "check/workload", "check/linear", "check/synth",
			"check/property", "check/explore", "check/speed", "check/rhythm", "check/faults", "check/bench", "check/evict"},
		{"check/mutant", "check/mutant/reactor"},
		{"spec/formal"}, // shows its counterexamples as check/explore does
		{"check/report"},
		{"check", "check/practice"},
		{"check/cmd/rondo-check", "spec/formal/cmd/formal"},
	},
	"fuzz":     {{"fuzz"}}, // its tests are where the towers meet
	"testdata": {{"testdata"}},
}

// externals are the direct dependencies and where code that is not a test may use them.
var externals = map[string][]string{
	"github.com/anishathalye/porcupine": {"check/linear"},
	"pgregory.net/rapid":                {"check/property"},
	// sockets; memory of the system; descriptor limits; exact waits
	"golang.org/x/sys/unix": {"impl/kernel", "impl/store", "check/target", "check/rhythm"},
}

func TestImports(t *testing.T) {
	checked := 0
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		checked++
		from := path.Dir(file)
		for _, imported := range importsOf(t, file) {
			if why := forbidden(from, imported); why != "" {
				t.Errorf("%s imports %q: %s", file, imported, why)
			}
		}
	}
	if checked < 30 {
		t.Fatalf("only %d files seen: is this the root of the module?", checked)
	}
}

// TestImportPolicyRejects is the check of the check: imports that must never pass.
func TestImportPolicyRejects(t *testing.T) {
	for _, bad := range [][2]string{
		{"impl", "rondo/model"}, {"impl/resp", "rondo/impl"}, {"model", "rondo/spec"},
		{"check/linear", "rondo/impl"}, {"check/wire", "rondo/check/target"},
		{"impl/store", "rondo/impl/command"}, {"check/report", "rondo/check"},
		{"impl", "golang.org/x/sys/unix"}, {"model", "pgregory.net/rapid"},
		{"nowhere", "rondo/impl"},
	} {
		if forbidden(bad[0], bad[1]) == "" {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
	for _, good := range [][2]string{
		{"impl", "rondo/impl/command"}, {"check/linear", "rondo/model"}, {"impl", "strings"},
		{"check/suite", "rondo/check/script"}, {"fuzz/world", "rondo/impl"}, {"check/cmd/rondo-check", "rondo/impl"},
	} {
		if why := forbidden(good[0], good[1]); why != "" {
			t.Errorf("%s may not import %s: %s", good[0], good[1], why)
		}
	}
}

// forbidden says why package from may not import imported; "" means that it may.
func forbidden(from, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if first != "rondo" {
		if !strings.Contains(first, ".") {
			return "" // standard library
		}
		for _, user := range externals[imported] {
			if from == user {
				return ""
			}
		}
		return "not a dependency of this package"
	}
	if strings.HasPrefix(from, "fuzz/") {
		return "" // here the towers meet
	}
	to := strings.TrimPrefix(imported, "rondo/")
	if from == "check/cmd/rondo-check" && to == "impl" {
		return "" // the embedded server: the one exception of the design
	}
	placed := false
	for _, tower := range layers {
		a, b := place(tower, from), place(tower, to)
		placed = placed || a >= 0
		if a >= 0 && b >= 0 && b < a {
			return ""
		}
	}
	if !placed {
		return "the importing package has no place in the layers of imports_test.go"
	}
	return "it stands above, or in another tower"
}

// place numbers the packages of a tower in reading order; -1 if it is not there.
func place(tower [][]string, pkg string) int {
	n := 0
	for _, layer := range tower {
		for _, p := range layer {
			if p == pkg {
				return n
			}
			n++
		}
	}
	return -1
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), root+file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
