package tidy

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../"

// topLevel is all that may stand at the top.
var topLevel = []string{
	"spec", "impl", "model", "check", "fuzz", "testdata",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE",
}

// madeByUse are folders that commands of the Makefile leave behind; git ignores them.
var madeByUse = []string{"report", "bin"}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) && !slices.Contains(madeByUse, name) {
			t.Errorf("%s stands at the top level; it belongs into one of the six folders", name)
		}
	}
	for _, name := range topLevel {
		if _, err := os.Stat(root + name); err != nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestNoMachinePaths keeps the paths of one machine out of the project.
func TestNoMachinePaths(t *testing.T) {
	words := []string{"/" + "work/", "/" + "root/", "/" + "home/", "proxy." + "golang.org"}
	for _, file := range files(t) {
		text := read(t, file)
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s contains %q", file, word)
			}
		}
	}
}

// functionLinesMax: one function, one screen. Tables of cases in tests are exempt.
const functionLinesMax = 70

func TestFunctionsFitAScreen(t *testing.T) {
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, root+file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1
			if lines > functionLinesMax {
				t.Errorf("%s: %s has %d lines; at most %d", set.Position(fn.Pos()), fn.Name.Name, lines, functionLinesMax)
			}
		}
	}
}

// files lists the files of the tree by path from the root, without what git ignores.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, root))
		if d.IsDir() && (rel == ".git" || slices.Contains(madeByUse, rel) || strings.HasSuffix(rel, "testdata/fuzz")) {
			return filepath.SkipDir
		}
		if rel == ".git" { // in a second working tree: a file that says where the first one is
			return nil
		}
		if d.Type().IsRegular() && filepath.Ext(rel) != ".png" && filepath.Ext(rel) != ".test" {
			out = append(out, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// goFiles are the Go files of the main module.
func goFiles(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(files(t), func(f string) bool {
		return !strings.HasSuffix(f, ".go") || strings.HasPrefix(f, "check/interop/")
	})
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(root + file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
