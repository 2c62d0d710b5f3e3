package main

import (
	"flag"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"rondo/check"
	"rondo/check/mutant"
	"rondo/impl"
)

var mutantsVerb = verb{
	name: "mutants", args: "[NAME ...] [-list] [-seed N] | -serve NAME [-addr HOST:PORT]",
	does: "check the checkers: servers with one seeded fault each, all of which must be convicted",
	help: `
Runs the normal run against servers that have one deliberate fault each, and prints which clause
convicted each and how fast. A fault that survives means that the judge cannot see that class of
error: exit status 1. Clauses that no client can see have their faults in the source of the server
itself, and its own tests find those: -list names them too, and in a checkout
"go test ./check/mutant -run TestSourceFaults -v" runs them.

-serve runs one of the servers until Ctrl-C, to see what a report of a failure looks like.

Examples:
  rondo-check mutants
  rondo-check mutants -serve "stale read" -addr 127.0.0.1:7000     and in another terminal
  rondo-check run -quick -addr 127.0.0.1:7000
  rondo-check run -quick -exec "rondo-check mutants -serve 'stale read' -addr 127.0.0.1:{port}"`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		list := fs.Bool("list", false, "only list the faults")
		seed := fs.Int64("seed", 1, "`N` that decides every random choice")
		serve := fs.String("serve", "", "`NAME` of the fault of a server to run until Ctrl-C")
		addr := fs.String("addr", "127.0.0.1:7000", "`HOST:PORT` that it listens at")
		return func(a *app, names []string) (int, error) {
			if *serve != "" {
				if len(names) > 0 {
					return 0, usagef("-serve runs one server: name its fault behind it, in quotes if it has spaces")
				}
				return 0, a.serveMutant(*serve, *addr)
			}
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

// serveMutant runs a server with a fault until it is stopped.
func (a *app) serveMutant(name, addr string) error {
	i := slices.IndexFunc(mutant.Faults, func(f mutant.Fault) bool { return f.Name == name })
	if i < 0 {
		return usagef("no mutant is named %q; `rondo-check mutants -list` names them", name)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen at %s: %w", addr, err)
	}
	s, err := mutant.Serve(l, name)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintf(a.stdout, "%s  (breaks %s)\nwatch it be caught: rondo-check run -quick -addr %s\n",
		mutant.Faults[i].Does, strings.Join(mutant.Faults[i].Clauses, ", "), l.Addr())
	select {
	case <-a.ctx.Done():
	case <-s.Done():
	}
	return nil
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
