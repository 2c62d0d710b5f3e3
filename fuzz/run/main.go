// Command run runs the fuzz targets of this module, of all its packages, one after the other:
//
//	go run ./fuzz/run [-time 10m] [TARGET ...]     fuzz each for so long
//	go run ./fuzz/run -fresh [TARGET ...]          from the seeds alone, whatever earlier runs have found
//	go run ./fuzz/run -reach [TARGET ...]          which code the seeds of each reach
//
// A target that fails does not keep the others from running. At the end there is a table; the exit
// status is 1 if one has failed. The input that it failed at is in testdata/fuzz of its package,
// made smaller, and is a test from then on.
//
//	targets.go   which targets there are
//	fuzz.go      one target, fuzzed: what the engine says on its way
//	reach.go     fuzz/reach.txt: the code that a target is for, and how much its seeds reach of it
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	status, err := run(ctx, os.Args[1:], ".", os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz/run:", err)
		status = 2
	}
	os.Exit(status)
}

// run does what the arguments say with the module at root, and returns the exit status.
func run(ctx context.Context, args []string, root string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(out)
	length := flags.String("time", "10s", "`DURATION` for each target, or a number of runs as in 1000x")
	fresh := flags.Bool("fresh", false, "begin with the seeds alone, and keep nothing but what fails: "+
		"to run again what earlier runs have found interesting takes longer than a short run lasts")
	reach := flags.Bool("reach", false, "tell which code the seeds reach, instead of fuzzing")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	all, err := targets(root)
	if err != nil {
		return 0, err
	}
	some, err := named(all, flags.Args())
	if err != nil {
		return 0, err
	}
	if *reach {
		return reachAll(ctx, root, some, out)
	}
	cache := ""
	if *fresh {
		if cache, err = os.MkdirTemp("", "rondo-fuzz-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(cache)
	}
	return fuzzAll(ctx, root, some, *length, cache, out)
}

// fuzzAll runs the targets in turn, and prints the table.
func fuzzAll(ctx context.Context, root string, some []target, length, cache string, out io.Writer) (int, error) {
	var results []result
	status := 0
	for _, t := range some {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(out, "== %s (%s)\n", t.name, t.pkg)
		r := fuzz(ctx, root, t, length, cache, out)
		if r.failed != "" {
			status = 1
		}
		results = append(results, r)
	}
	table(out, results)
	if len(results) < len(some) {
		fmt.Fprintf(out, "interrupted: %d of %d targets have run\n", len(results), len(some))
		status = 1
	}
	return status, nil
}

func table(out io.Writer, results []result) {
	fmt.Fprintf(out, "\n%-18s %10s %16s %8s  result\n", "target", "execs", "new interesting", "time")
	for _, r := range results {
		verdict := "ok"
		if r.failed != "" {
			verdict = "FAILED: " + r.failed
		}
		fmt.Fprintf(out, "%-18s %10d %16d %7.0fs  %s\n", r.target.name, r.execs, r.fresh, r.took.Seconds(), verdict)
	}
}

// inputOf is the path, from the module's root, of an input that the engine has written.
func inputOf(t target, written string) string {
	return filepath.ToSlash(filepath.Join(t.pkg, written))
}
