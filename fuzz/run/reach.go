package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// reachFile lists the code that each target is for. A line is a target, a package, a percentage, and
// functions of that package as FILE.go:NAME: of the statements of each of them the seeds of the
// target must reach so many. A target has one line or several.
const reachFile = "fuzz/reach.txt"

// aim is a line of the file.
type aim struct {
	target  string
	pkg     string // impl/store
	percent float64
	funcs   []string // table.go:split
}

// readAims parses the file.
func readAims(r io.Reader) (aims []aim, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) < 4 {
			return nil, fmt.Errorf("%s:%d: target, package, percentage and functions are needed", reachFile, n)
		}
		percent, err := strconv.ParseFloat(words[2], 64)
		if err != nil || percent <= 0 || percent > 100 {
			return nil, fmt.Errorf("%s:%d: %q is no percentage that can be missed", reachFile, n, words[2])
		}
		aims = append(aims, aim{words[0], words[1], percent, words[3:]})
	}
	return aims, lines.Err()
}

// reachAll runs the seeds of the targets and compares what they reach with what they should.
func reachAll(ctx context.Context, root string, some []target, out io.Writer) (int, error) {
	f, err := os.Open(filepath.Join(root, reachFile))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	aims, err := readAims(f)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "rondo-reach-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	p := prober{root: root, dir: dir, aims: aims, built: map[string]string{}}
	fmt.Fprintf(out, "%-18s %-18s %-32s %8s %8s\n", "target", "package", "function", "reached", "wanted")
	status := 0
	for _, t := range some {
		missed, err := p.probe(ctx, t, out)
		if err != nil {
			return 0, err
		}
		if missed > 0 {
			status = 1
		}
	}
	return status, nil
}

// prober builds the tests of a package once, with counters in all packages that are aimed at.
type prober struct {
	root, dir string
	aims      []aim
	built     map[string]string // package: its program
}

// probe runs the seeds of a target, and prints and counts what they miss.
func (p *prober) probe(ctx context.Context, t target, out io.Writer) (missed int, err error) {
	mine := slices.DeleteFunc(slices.Clone(p.aims), func(a aim) bool { return a.target != t.name })
	if len(mine) == 0 {
		return 0, fmt.Errorf("%s does not say what %s is for", reachFile, t.name)
	}
	program, err := p.build(ctx, t.pkg)
	if err != nil {
		return 0, err
	}
	profile := filepath.Join(p.dir, t.name+".cov")
	cmd := exec.CommandContext(ctx, program, "-test.run", "^"+t.name+"$", "-test.coverprofile", profile)
	cmd.Dir = filepath.Join(p.root, t.pkg)
	if said, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("the seeds of %s: %w\n%s", t.name, err, said)
	}
	list := exec.CommandContext(ctx, "go", "tool", "cover", "-func", profile)
	list.Dir = p.root
	said, err := list.Output()
	if err != nil {
		return 0, fmt.Errorf("go tool cover: %w", err)
	}
	reached := readFuncs(bytes.NewReader(said))
	for _, a := range mine {
		missed += a.compare(reached, out)
	}
	return missed, nil
}

func (p *prober) build(ctx context.Context, pkg string) (string, error) {
	if program := p.built[pkg]; program != "" {
		return program, nil
	}
	var covered []string
	for _, a := range p.aims {
		covered = append(covered, "./"+a.pkg)
	}
	slices.Sort(covered)
	program := filepath.Join(p.dir, strings.ReplaceAll(strings.TrimPrefix(pkg, "./"), "/", "-")+".test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-cover", "-vet=off", "-o", program,
		"-coverpkg", strings.Join(slices.Compact(covered), ","), pkg)
	cmd.Dir = p.root
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build the tests of %s: %w", pkg, err), errors.New(string(said)))
	}
	p.built[pkg] = program
	return program, nil
}

// readFuncs reads the list of `go tool cover -func`: "rondo/impl/store/table.go:250: merge 78.9%".
func readFuncs(r io.Reader) map[string]float64 {
	reached := map[string]float64{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 3 {
			continue
		}
		file, _, _ := strings.Cut(words[0], ":")
		if percent, err := strconv.ParseFloat(strings.TrimSuffix(words[2], "%"), 64); err == nil {
			reached[file+":"+words[1]] = percent
		}
	}
	return reached
}

// compare prints what was reached of each function, and counts those of which it was too little.
func (a aim) compare(reached map[string]float64, out io.Writer) (missed int) {
	for _, fn := range a.funcs {
		percent, known := reached[module+a.pkg+"/"+fn]
		mark := ""
		if percent < a.percent {
			missed++
			mark = "  MISSED"
		}
		if !known {
			mark = "  MISSED: there is no such function"
		}
		fmt.Fprintf(out, "%-18s %-18s %-32s %7.1f%% %7.0f%%%s\n", a.target, a.pkg, fn, percent, a.percent, mark)
	}
	return missed
}

const module = "rondo/"
