package main

import (
	"flag"
	"fmt"
	"strings"

	"rondo/check"
	"rondo/check/synth"
)

var detectVerb = verb{
	name: "detect", args: "[-histories N] [-mix NAME] [options]",
	does: "check the judge of histories: which seeded bugs it sees, how soon, under which slack",
	help: `
Simulates servers with one seeded bug each (keys served late, lost updates, stale reads, options
ignored), records their clients, and counts how many of the recordings are convicted and after how
many operations, when the judge has to grant the server's clock a slack of 0, 1, 5 and 50 ms: the
larger the slack, the less an error of time can be told from a clock that is merely old. The row
"none" is a correct server, where every conviction would be a false alarm.

Beside each cell stands what the prototype of the engine reached, with ten histories. A cell in
which it convicted all of them, and this judge does not, is marked, and so is a false alarm: exit
status 1.

"rondo-check run -detect" puts the same table into the report. "rondo-check mutants" is the same
for real servers, with everything that a run does.

Mixes:
` + mixList() + `
Examples:
  rondo-check detect
  rondo-check detect -histories 2 -mix fullg -json`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := synth.DetectDefaults()
		fs.IntVar(&o.Histories, "histories", o.Histories, "`N` recordings for each bug")
		fs.IntVar(&o.Ops, "ops", o.Ops, "`N` operations in each")
		fs.IntVar(&o.Clients, "clients", o.Clients, "`N` clients")
		fs.IntVar(&o.Keys, "keys", o.Keys, "`N` keys")
		fs.StringVar(&o.Mix, "mix", o.Mix, "`NAME` of the mix of commands")
		fs.Uint64Var(&o.Seed, "seed", 1, "`N` of the first recording")
		engineFlag(fs, &o.Judge.Engine)
		asJSON := fs.Bool("json", false, "print JSON instead of Markdown")
		return func(a *app, words []string) (int, error) {
			switch {
			case len(words) > 0:
				return 0, usagef("there is nothing to select: all bugs are tried")
			case o.Histories < 1 || o.Ops < 1 || o.Clients < 1 || o.Keys < 1:
				return 0, usagef("-histories, -ops, -clients and -keys want at least 1")
			case synth.Describe(o.Mix) == "":
				return 0, usagef("there is no mix %q; `rondo-check help detect` lists them", o.Mix)
			}
			return a.detect(o, *asJSON)
		}
	},
}

func mixList() string {
	var b strings.Builder
	for _, m := range synth.Mixes {
		fmt.Fprintf(&b, "  %-9s %s\n", m.Name, m.Does)
	}
	return b.String()
}

func (a *app) detect(o synth.DetectOptions, asJSON bool) (int, error) {
	p := newProgress(a)
	o.Progress = func(d synth.Detection) { p.line("%-42s %v", d.Name(), d.Cells) }
	d, failed := check.Detect(a.ctx, o) // what was tried until then is worth printing
	var err error
	if asJSON {
		err = a.printJSON(d)
	} else {
		err = d.Markdown(a.stdout)
	}
	if failed != nil {
		return 0, failed
	}
	if d.Below() > 0 {
		return exitBroken, err
	}
	return 0, err
}
