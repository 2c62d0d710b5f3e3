package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"rondo/check"
	"rondo/check/mutant"
	"rondo/impl"
)

var mutantsVerb = verb{
	name: "mutants", args: "[NAME ...] [-list] [-seed N]",
	does: "check the checkers: servers with one seeded fault each, all of which must be convicted",
	help: `
Runs the normal run against servers that have one deliberate fault each, and prints which clause
convicted each and how fast. A fault that survives means that the judge cannot see that class of
error: exit status 1. Clauses that no client can see have their faults in the source of the server
itself, and its own tests find those: -list names them too, and in a checkout
"go test ./check/mutant -run TestSourceFaults -v" runs them.`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		list := fs.Bool("list", false, "only list the faults")
		seed := fs.Int64("seed", 1, "`N` that decides every random choice")
		return func(a *app, names []string) (int, error) {
			if *list {
				for _, f := range mutant.Faults {
					fmt.Fprintf(a.stdout, "%-28s %-20s %s\n", f.Name, strings.Join(f.Clauses, " "), f.Does)
				}
				for _, f := range mutant.SourceFaults {
					fmt.Fprintf(a.stdout, "%-28s %-20s %s (source)\n", f.Name, strings.Join(f.Clauses, " "), f.Does)
				}
				return 0, nil
			}
			return a.mutants(names, *seed)
		}
	},
}

func (a *app) mutants(names []string, seed int64) (int, error) {
	kills, err := check.Mutants(a.ctx, names, check.Options{Seed: seed}, func(k check.Kill) {
		switch {
		case k.Err != nil:
			fmt.Fprintf(a.stdout, "error     %-28s %v\n", k.Fault.Name, k.Err)
		case k.By == "":
			fmt.Fprintf(a.stdout, "SURVIVED  %-28s %s\n", k.Fault.Name, k.Fault.Does)
		default:
			fmt.Fprintf(a.stdout, "killed    %-28s %-8s %6.2fs  %s\n", k.Fault.Name, k.Clause,
				k.Took.Round(10*time.Millisecond).Seconds(), k.By)
		}
	})
	if err != nil && a.ctx.Err() != nil {
		return 0, err
	}
	if err != nil {
		return 0, usageError{err}
	}
	killed, survived, failed := 0, 0, 0
	var took []time.Duration
	for _, k := range kills {
		switch {
		case k.Err != nil:
			failed++
		case k.By == "":
			survived++
		default:
			killed++
			took = append(took, k.Took)
		}
	}
	fmt.Fprintf(a.stdout, "\n%d mutants: %d killed, %d survived, %d could not be run\n", len(kills), killed, survived, failed)
	if slices.Sort(took); killed > 0 {
		fmt.Fprintf(a.stdout, "time to conviction: median %.2f s, at most %.2f s\n",
			took[killed/2].Seconds(), took[killed-1].Seconds())
	}
	switch {
	case survived > 0:
		return exitBroken, nil
	case failed > 0:
		return exitError, nil
	}
	return 0, nil
}

// serveVerb is the embedded server: the judge starts itself again with it, so that the embedded
// server is a process like any other.
var serveVerb = verb{
	name: "serve", hidden: true,
	flags: func(*flag.FlagSet) func(*app, []string) (int, error) {
		return func(a *app, args []string) (int, error) {
			return impl.Main(args, a.stdout, a.stderr), nil
		}
	},
}
