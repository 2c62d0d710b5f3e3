package reactor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// testsTimeout bounds one run of tests with a fault; a server that hangs is caught by that too.
const testsTimeout = 30 * time.Second

// soundTimeout bounds a run of tests without a fault, which goes to its end.
const soundTimeout = 10 * time.Minute

// Kill says what found a fault.
type Kill struct {
	Fault Fault
	By    string        // the test that failed first; "" if none did: the fault lives
	Said  string        // what the tests printed
	Took  time.Duration // how long the tests ran until then
	Build time.Duration
	Err   error // the fault could not be tried
}

// Run tries faults of the server in the tree at root, as many at once as there are cores, and then
// runs the tests that found them without a fault: a test that fails by itself finds nothing.
func Run(ctx context.Context, root string, faults []Fault, progress func(Kill)) ([]Kill, error) {
	kills := make([]Kill, len(faults))
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, fault := range faults {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			kills[i] = try(ctx, root, fault)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				progress(kills[i])
			}
		})
	}
	wg.Wait()
	err := sound(ctx, root, kills)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted: what was not run proves nothing")
	}
	return kills, err
}

// try builds the fault's package with the fault in it and runs the tests that should find it.
func try(ctx context.Context, root string, f Fault) (k Kill) {
	k.Fault = f
	dir, err := os.MkdirTemp("", "rondo-fault-")
	if err != nil {
		k.Err = err
		return k
	}
	defer os.RemoveAll(dir)
	list, err := f.Overlay(root, dir)
	if err != nil {
		k.Err = err
		return k
	}
	started := time.Now()
	program := filepath.Join(dir, "fault.test")
	if k.Err = build(ctx, root, f.Package, program, "-overlay", list); k.Err != nil {
		return k
	}
	k.Build = time.Since(started)
	started = time.Now()
	var out string
	for range triesMax {
		if out, err = runTests(ctx, root, f.Package, program, f.Tests, testsTimeout); err != nil {
			break
		}
	}
	k.Took, k.Said = time.Since(started), out
	switch {
	case err != nil:
		k.By = killer(out)
	case strings.Contains(out, "no tests to run"):
		k.Err = fmt.Errorf("no test of %s matches %q", f.Package, f.Tests)
	}
	return k
}

func build(ctx context.Context, root, pkg, program string, flags ...string) error {
	// Nobody debugs it, and without what that takes a link is done in two thirds of the time.
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-w", "-o", program}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("it does not build: %w\n%s", err, out)
	}
	return nil
}

func runTests(ctx context.Context, root, pkg, program, pattern string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+testsTimeout) // it ends itself before
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.failfast", "-test.run", pattern,
		"-test.timeout", limit.String())
	cmd.Dir = filepath.Join(root, pkg)
	// What a fault fails at is nothing to keep; and no fault should live by luck.
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1", "RAPID_CHECKS=400")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// triesMax is how often the tests are run that find nothing: some draw by chance what they try, and miss a
// fault once in hundreds of runs.
const triesMax = 3

const (
	byTimeLimit = "the time limit"
	byCrash     = "a crash"
)

// killer is the test that failed first.
func killer(out string) string {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "panic: test timed out") {
			return byTimeLimit
		}
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			return name
		}
	}
	return byCrash
}

// sound runs the tests that found something, a package at a time, without a fault.
func sound(ctx context.Context, root string, kills []Kill) error {
	dir, err := os.MkdirTemp("", "rondo-sound-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	patterns := map[string][]string{}
	for _, k := range kills {
		if p := k.pattern(); p != "" && !slices.Contains(patterns[k.Fault.Package], p) {
			patterns[k.Fault.Package] = append(patterns[k.Fault.Package], p)
		}
	}
	program := filepath.Join(dir, "sound.test")
	for pkg, some := range patterns {
		if err := build(ctx, root, pkg, program); err != nil {
			return err
		}
		out, err := runTests(ctx, root, pkg, program, strings.Join(some, "|"), soundTimeout)
		if err != nil {
			return fmt.Errorf("tests of %s fail without a fault, so they find nothing: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

// pattern is of the tests that the kill rests on.
func (k Kill) pattern() string {
	switch k.By {
	case "":
		return ""
	case byTimeLimit, byCrash:
		return k.Fault.Tests
	}
	return "^" + k.By + "$"
}
