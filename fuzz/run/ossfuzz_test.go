package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What OSS-Fuzz runs is checked as far as can be without its image.

const ossFolder = "../oss-fuzz"

var ossTarget = regexp.MustCompile(`(?m)^([a-z/]+) (Fuzz\w+)$`)

// TestOSSTargets: build.sh builds every target of the module, and no other; and the text by which its
// tools search for a target is in one place.
func TestOSSTargets(t *testing.T) {
	all, err := targets(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(ossFolder, "build.sh"))
	if err != nil {
		t.Fatal(err)
	}
	var built []target
	for _, m := range ossTarget.FindAllSubmatch(script, -1) {
		built = append(built, target{string(m[2]), "./" + string(m[1])})
	}
	if !slices.Equal(built, all) {
		t.Errorf("build.sh builds\n%v\nand there are\n%v", built, all)
	}
	for _, a := range all {
		if holding := filesWith(t, filepath.Join(moduleRoot, a.pkg), a.name); len(holding) != 1 {
			t.Errorf("%s is named in %v, and the tools want it in one file", a.name, holding)
		}
		for _, b := range all {
			if a != b && strings.HasPrefix(b.name, a.name) {
				t.Errorf("%s begins like %s", b.name, a.name)
			}
		}
	}
}

// filesWith are the Go files below a folder that hold a word.
func filesWith(t *testing.T, dir, word string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), word) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOSSTargetsBuild: under the tag of the tools, which leaves some files out, the packages are whole.
func TestOSSTargetsBuild(t *testing.T) {
	all, err := targets(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"vet", "-tags", "gofuzz"}
	for _, a := range all {
		if !slices.Contains(args, a.pkg) {
			args = append(args, a.pkg)
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = moduleRoot
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOSSScriptIsShell(t *testing.T) {
	if out, err := exec.Command("bash", "-n", filepath.Join(ossFolder, "build.sh")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// entry is a line of a dictionary, as libFuzzer reads it: a string with \\, \" and \xAB.
var entry = regexp.MustCompile(`^"(?:[^"\\]|\\\\|\\"|\\x[0-9a-f]{2})+"$`)

func TestOSSDictionaries(t *testing.T) {
	all, err := targets(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(ossFolder, "*.dict"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d dictionaries, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".dict")
		if _, err := named(all, []string{name}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !entry.MatchString(line) {
				t.Errorf("%s: %s is no entry of a dictionary", file, line)
			}
		}
	}
}
