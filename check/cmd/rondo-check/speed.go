package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"rondo/check/speed"
)

var speedVerb = verb{
	name: "speed", args: "[ROW ...] [-quick] [-curve] [options]",
	does: "measure the judge: how fast, and with how much memory, it decides large histories",
	help: `
Simulates histories (clients that are always in flight, a server with a millisecond clock), writes
each to a file and lets "rondo-check recheck" judge it in a process of its own, so that the figures
include reading the file and the system counts time and memory. Porcupine, given the same model and
the same rules of time, gets a shorter history of the same kind and a limit.

Without ROW all rows of the table are measured, which takes some minutes; -quick takes a tenth of
the operations. -curve shows instead how time grows with the clients in flight, and with their
overlap, where theory says that the question is hard; a curve ends at its second undecided point.
-bugs shows every seeded bug of the simulator instead.

A row's verdict must be right: ok where the simulated server is correct, illegal where it has a bug.
A wrong one is exit status 1; one that is not decided within the limits, in a row that is no
stretch, 2. Of an illegal history the row says how large the cores are (small ones have at most 5
operations) and how long the slowest explanation took, which is to be a second. A bound of time or memory that was missed is marked, and no failure: the bounds are for
two undisturbed cores.

Rows:
` + rowList() + `
Examples:
  rondo-check speed -quick
  rondo-check speed register fullg-64 -seeds 20 -porcupine 0
  rondo-check speed -curve`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := speed.Options{}
		fs.BoolVar(&o.Quick, "quick", false, "a tenth of the operations")
		curve := fs.Bool("curve", false, "time against clients and overlap instead of the table")
		bugs := fs.Bool("bugs", false, "every seeded bug in a million operations on one key instead of the table")
		asJSON := fs.Bool("json", false, "print JSON instead of Markdown")
		fs.IntVar(&o.Seeds, "seeds", 1, "`N` histories of each row; the slowest counts")
		fs.Uint64Var(&o.Seed, "seed", 1, "`N` of the first history")
		fs.DurationVar(&o.Limit, "limit", 60*time.Second, "`TIME` of one judgement; then it is unknown")
		fs.DurationVar(&o.Porcupine, "porcupine", 20*time.Second, "`TIME` of porcupine's; 0: not asked")
		gib := fs.Float64("memory", 6, "`GIB` that a judgement may hold; then it is unknown")
		return func(a *app, names []string) (int, error) {
			rows, wrong := speed.Select(names)
			switch {
			case wrong != "":
				return 0, usagef("there is no row %q; `rondo-check help speed` lists them", wrong)
			case o.Seeds < 1 || o.Limit <= 0 || o.Porcupine < 0 || *gib <= 0:
				return 0, usagef("-seeds, -limit and -memory want something positive")
			}
			self, err := os.Executable()
			if err != nil {
				return 0, err
			}
			o.Self, o.Memory = self, int64(*gib*(1<<30))
			p := newProgress(a)
			o.Progress = func(text string) { p.line("%s", text) }
			if *curve {
				return a.curves(o, *asJSON)
			}
			if *bugs {
				rows = speed.BugRows()
			}
			return a.speed(rows, o, *asJSON)
		}
	},
}

func rowList() string {
	var b strings.Builder
	for _, r := range speed.Rows {
		fmt.Fprintf(&b, "  %-12s %s\n", r.Name, r.Title)
	}
	return b.String()
}

func (a *app) speed(rows []speed.Row, o speed.Options, asJSON bool) (int, error) {
	results, failed := speed.Table(a.ctx, rows, o)
	var err error
	if asJSON {
		err = a.printJSON(results)
	} else {
		err = speed.Markdown(a.stdout, results, o)
	}
	if failed != nil {
		err = failed
	}
	return speedStatus(results), err
}

// speedStatus: a wrong verdict before an undecided one.
func speedStatus(results []speed.Result) int {
	status := 0
	for _, r := range results {
		switch {
		case r.Wrong():
			return exitBroken
		case r.Undecided() && !r.Row.Stretch:
			status = exitNoVerdict
		}
	}
	return status
}

// printJSON prints tables for machines.
func (a *app) printJSON(value any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

func (a *app) curves(o speed.Options, asJSON bool) (int, error) {
	all := map[string][]speed.Result{}
	for _, c := range speed.Curves() {
		points, err := speed.Follow(a.ctx, c, o)
		if err != nil {
			return 0, err
		}
		all[c.Name] = points
		if !asJSON {
			if err := speed.MarkdownCurve(a.stdout, c, points); err != nil {
				return 0, err
			}
		}
		for _, r := range points {
			if r.Wrong() {
				return exitBroken, nil
			}
		}
	}
	if asJSON {
		return 0, a.printJSON(all)
	}
	return 0, nil
}
