package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"rondo/check"
	"rondo/check/rhythm"
)

var rhythmVerb = verb{
	name: "rhythm", args: "[KIND ...] [-addr HOST:PORT | -target NAME=WHERE ...] [options]",
	does: "measure how long others wait while a server does long work",
	help: `
A probe sends PING and GET at a fixed rate, never waiting for an answer, while one kind of long work
after another runs on the server. What it prints is how long those answers took: the latency counts
from the moment for which a request was intended, so that a server that stands still for 100 ms is
seen to let a hundred requests wait, and not one. Beside it stands the control, a thread of the same
rhythm that asks nobody: what it was late, the machine did. Where the probe itself was late, that is
not counted against the server, and shown.

"lag" is how long after their deadlines keys were gone, as DBSIZE tells: nobody asks for the keys.
"turn" is the longest maintenance of one turn by the server's own CPU clock, where it has INFO loop.

Several servers are measured one at a time, side by side on the page. A server at an address has to
be empty, or -flush allows emptying it, again and again; what changes its settings or writes a file
(eviction, snapshot) is done only to servers that were started here, or with -flush. Without -addr
and -target the embedded server is measured beside redis-server, both without persistence.

What is to be reached is said of a million keys and more; a target that is missed is no failure of
this program: the figures depend on the machine, and the control says how much.

Kinds:
` + kindList() + `
Examples:
  rondo-check rhythm
  rondo-check rhythm growth expiry-storm due-among -keys 10000000 -limit 5m
  rondo-check rhythm -addr 127.0.0.1:6379 -flush
  rondo-check rhythm -target old="exec:old/server --port {port}" -target new="exec:new/server --port {port}"`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := runOptions{}
		plainFlags(fs, &o.access)
		fs.Var(&o.targets, "target", "`NAME=WHERE` of a server, WHERE being an address, exec:COMMAND or embedded;\nonce for each")
		fs.BoolVar(&o.flush, "flush", false, "the server's data may be deleted and its settings changed")
		var opt rhythm.Options
		fs.IntVar(&opt.Keys, "keys", rhythm.KeysDefault, "`N` keys")
		bigMB := fs.Int("string", rhythm.BigDefault>>20, "`MB` of the large string")
		fs.IntVar(&opt.Rate, "rate", rhythm.RateDefault, "`N` requests of the probe a second")
		fs.DurationVar(&opt.Limit, "limit", rhythm.LimitDefault, "`TIME` of preparing a kind of work, and of the work")
		fs.StringVar(&o.dir, "report", filepath.Join("report", "rhythm"), "`DIR` of the page and the figures; \"\" writes none")
		fs.BoolVar(&o.json, "json", false, "print JSON instead of the table")
		return func(a *app, names []string) (int, error) {
			given := givenIn(fs)
			if err := settleAccess(&o.access, given); err != nil {
				return 0, err
			}
			var wrong string
			opt.Kinds, wrong = rhythm.Select(names)
			opt.Big = *bigMB << 20
			switch {
			case wrong != "":
				return 0, usagef("there is no kind of work %q; `rondo-check help rhythm` lists them", wrong)
			case o.access.Addr != "" && len(o.targets) > 0:
				return 0, usagef("-target takes the place of -addr and -unix")
			}
			if err := opt.Check(); err != nil {
				return 0, usageError{err}
			}
			return a.rhythm(&o, opt)
		}
	},
}

// runRhythm is what `rondo-check run -rhythm` measures.
var runRhythm = rhythm.Options{Keys: 100_000, Big: 16 << 20, Rate: rhythm.RateDefault, Limit: rhythm.LimitDefault}

func kindList() string {
	var b strings.Builder
	for _, k := range rhythm.Kinds {
		fmt.Fprintf(&b, "  %-15s %s\n", k.Name, k.Title(rhythm.Options{Keys: rhythm.KeysDefault, Big: rhythm.BigDefault}))
	}
	return b.String()
}

func (a *app) rhythm(o *runOptions, opt rhythm.Options) (int, error) {
	switch {
	case o.access.Addr != "":
		o.targets = targetList{{"server", o.access.Addr}}
	case len(o.targets) == 0:
		o.targets = pair
	}
	var servers []rhythm.Server
	for _, t := range o.targets {
		opened, err := o.openAt(t.where)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
		defer func() { _ = opened.Stop() }()
		servers = append(servers, rhythm.Server{Name: t.name, Target: opened})
	}
	p := newProgress(a)
	opt.Progress = p.show
	r, err := rhythm.Run(a.ctx, servers, opt)
	p.done()
	if r == nil {
		return 0, err
	}
	if o.dir != "" {
		err = errors.Join(err, check.WriteRhythm(r, o.dir))
	}
	if o.json {
		return r.Exit(), errors.Join(err, a.printJSON(r))
	}
	err = errors.Join(err, r.Text(a.stdout))
	if o.dir != "" {
		fmt.Fprintf(a.stdout, "\nreport  %s\n", filepath.Join(o.dir, "index.html"))
	}
	return r.Exit(), err
}
