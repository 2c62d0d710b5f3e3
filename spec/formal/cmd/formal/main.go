// Command formal checks the models of package formal.
//
//	formal                  all of them, and every fault
//	formal reactor/P4       what there is about a property, or about a model
//	formal -story block/5   the counterexample of one fault, as a table
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"rondo/spec/formal"
)

func main() {
	story := flag.String("story", "", "tell the counterexample of a fault, as in block/5")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	good, err := run(ctx, *story, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	if !good {
		os.Exit(1)
	}
}

func run(ctx context.Context, story, pattern string) (bool, error) {
	if err := formal.Available(); err != nil {
		return false, err
	}
	if story == "" {
		return formal.Report(ctx, os.Stdout, pattern)
	}
	for _, f := range formal.Faults {
		if fmt.Sprintf("%s/%d", f.Model, f.Bug) == story {
			v, err := f.Check(ctx)
			if err == nil {
				fmt.Print(formal.Story(f, v))
			}
			return err == nil, err
		}
	}
	return false, fmt.Errorf("there is no fault %q: a model and a number, as in block/5; a run without -story lists them", story)
}
