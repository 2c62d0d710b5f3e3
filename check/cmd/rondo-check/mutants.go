package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check"
	"rondo/check/mutant"
	"rondo/check/mutant/reactor"
	"rondo/impl"
)

var mutantsVerb = verb{
	name: "mutants", args: "[NAME ...] [-list] [-seed N] | -reactor DIR [NAME ...] | -serve NAME [-addr HOST:PORT]",
	does: "check the checkers: servers with one seeded fault each, all of which must be convicted",
	help: `
Runs the normal run against servers that have one deliberate fault each, and prints which clause
convicted each, what did, and after how long. A fault that survives means that the judge cannot see
that class of error: exit status 1.

Clauses that no client can see have their faults in the source of the reactor itself, and its own
tests find those. -reactor names a checkout of Rondo: each fault is built beside it and those tests
are run, with the go command; of those named on the command line it shows how the test fails. An edit that matches the source no more is an error: exit status 3.

-serve runs one of the servers until Ctrl-C, to see what a report of a failure looks like.

Examples:
  rondo-check mutants
  rondo-check mutants -reactor . "timer early"
  rondo-check mutants -serve "stale read" -addr 127.0.0.1:7000     and in another terminal
  rondo-check run -quick -addr 127.0.0.1:7000
  rondo-check run -quick -exec "rondo-check mutants -serve 'stale read' -addr 127.0.0.1:{port}"`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		list := fs.Bool("list", false, "only list the faults")
		seed := fs.Int64("seed", 1, "`N` that decides every random choice")
		root := fs.String("reactor", "", "`DIR` of a checkout of Rondo, whose own tests are to find faults in its source")
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
				return 0, a.listMutants()
			}
			if *root != "" {
				return a.reactorFaults(names, *root)
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

// listMutants names the faults of both kinds.
func (a *app) listMutants() error {
	for _, f := range mutant.Faults {
		fmt.Fprintf(a.stdout, "%-28s %-20s %s\n", f.Name, strings.Join(f.Clauses, " "), f.Does)
	}
	faults, err := reactor.All()
	for _, f := range faults {
		fmt.Fprintf(a.stdout, "%-28s %-20s %s (reactor)\n", f.Name, strings.Join(f.Clauses, " "), f.Does)
	}
	return err
}

// mutants runs the servers with a fault.
func (a *app) mutants(names []string, seed int64) (int, error) {
	t := a.mutantTable()
	_, err := check.Mutants(a.ctx, names, check.Options{Seed: seed}, func(k check.Kill) {
		clause := cmp.Or(k.Clause, k.Fault.Clauses[0])
		t.row(clause, k.Fault.Name, k.By, k.Fault.Does, k.Took, k.Err)
	})
	if err != nil && a.ctx.Err() == nil {
		err = usageError{err}
	}
	if err != nil {
		return 0, err
	}
	return t.end(), nil
}

// reactorFaults tries the faults in the source of the checkout at root.
func (a *app) reactorFaults(names []string, root string) (int, error) {
	faults, err := reactor.All()
	if err != nil {
		return 0, err
	}
	faults, err = named(faults, names)
	if err != nil {
		return 0, err
	}
	t := a.mutantTable()
	_, err = reactor.Run(a.ctx, root, faults, func(k reactor.Kill) {
		by := k.By
		if by != "" {
			by = strings.TrimPrefix(k.Fault.Package, "./") + " " + by
		}
		t.row(k.Fault.Clauses[0], k.Fault.Name, by, k.Fault.Does, k.Took, k.Err)
		if len(names) > 0 && by != "" { // who names some wants to see how they fail
			fmt.Fprintf(a.stdout, "\n%s\n", lines(k.Said, saidLinesMax))
		}
	})
	if err != nil {
		return 0, err
	}
	return t.end(), nil
}

// saidLinesMax bounds what is shown of a test that found a fault.
const saidLinesMax = 60

// lines are the first of a text.
func lines(text string, most int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("... and %d more lines", len(all)-most))
	}
	return strings.Join(all, "\n")
}

// named are the faults with these names; without names all.
func named(faults []reactor.Fault, names []string) ([]reactor.Fault, error) {
	if len(names) == 0 {
		return faults, nil
	}
	var out []reactor.Fault
	for _, name := range names {
		i := slices.IndexFunc(faults, func(f reactor.Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, usagef("no fault of the reactor is named %q; `rondo-check mutants -list` names them", name)
		}
		out = append(out, faults[i])
	}
	return out, nil
}

// mutantTable prints what caught each fault as it is caught, and then the sums.
type mutantTable struct {
	out              io.Writer
	begun            bool // the head has been printed
	survived, failed int
	took             []time.Duration // of those that were killed
}

func (a *app) mutantTable() *mutantTable {
	return &mutantTable{out: a.stdout}
}

func (t *mutantTable) row(clause, fault, by, does string, took time.Duration, err error) {
	if !t.begun {
		t.begun = true
		fmt.Fprintf(t.out, "%-9s %-30s %-44s %s\n", "clause", "fault", "caught by", "after")
	}
	switch {
	case err != nil:
		t.failed++
		fmt.Fprintf(t.out, "%-9s %-30s could not be run: %v\n", clause, fault, err)
	case by == "":
		t.survived++
		fmt.Fprintf(t.out, "%-9s %-30s SURVIVED: %s\n", clause, fault, does)
	default:
		t.took = append(t.took, took)
		fmt.Fprintf(t.out, "%-9s %-30s %-44s %.2f s\n", clause, fault, by, took.Seconds())
	}
}

// mutants counts them in words.
func mutants(n int) string {
	if n == 1 {
		return "1 mutant"
	}
	return strconv.Itoa(n) + " mutants"
}

// end prints the sums and gives the exit status.
func (t *mutantTable) end() int {
	killed := len(t.took)
	fmt.Fprintf(t.out, "\n%s: %d killed, %d survived, %d could not be run\n",
		mutants(killed+t.survived+t.failed), killed, t.survived, t.failed)
	if slices.Sort(t.took); killed > 0 {
		fmt.Fprintf(t.out, "time to conviction: median %.2f s, at most %.2f s\n",
			t.took[killed/2].Seconds(), t.took[killed-1].Seconds())
	}
	switch {
	case t.survived > 0:
		return exitBroken
	case t.failed > 0:
		return exitError
	}
	return 0
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
