package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rondo/check/evict"
)

var evictVerb = verb{
	name: "evict", args: "[POLICY ...] [-addr HOST:PORT | -target NAME=WHERE ...] [options]",
	does: "show how well a server chooses the keys that it evicts",
	help: `
Servers that evict keys look at some of them only. For each policy two things are measured, with room
for equally many keys in every server: the hit rate of a cache whose keys are asked for by Zipf's law,
and which of some thousand keys are gone, that differ only by what the policy goes by. The page has the
picture of it, a square for each key. All servers are measured at the same time.

A server at an address loses its keys, and must allow it with -flush. Without -addr and -target the
embedded server is measured beside redis-server.

Policies: ` + strings.Join(evict.Policies, ", ") + `

Examples:
  rondo-check evict
  rondo-check evict allkeys-lru allkeys-lfu -keys 100000 -time 60s
  rondo-check evict -target ten="exec:redis-server --port {port} --save ''" -target rondo=embedded`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := runOptions{}
		accessFlags(fs, &o.access)
		fs.Var(&o.targets, "target", "`NAME=WHERE` of a server, WHERE being an address, exec:COMMAND or embedded;\nonce for each")
		fs.BoolVar(&o.flush, "flush", false, "the server's data may be deleted and its settings changed")
		var opt evict.Options
		fs.IntVar(&opt.Keys, "keys", evict.KeysDefault, "`N` keys that there is room for")
		fs.DurationVar(&opt.Time, "time", evict.TimeDefault, "`TIME` of the cache of each policy")
		fs.Int64Var(&opt.Seed, "seed", 1, "`N` that decides every random choice")
		fs.StringVar(&o.dir, "report", filepath.Join("report", "evict"), "`DIR` of the page; \"\" writes none")
		fs.BoolVar(&o.json, "json", false, "print JSON instead of the table")
		return func(a *app, policies []string) (int, error) {
			given := givenIn(fs)
			if err := settleAccess(&o.access, given); err != nil {
				return 0, err
			}
			for _, p := range policies {
				if !slices.Contains(evict.Policies, p) {
					return 0, usagef("there is no policy %q that evicts; `rondo-check help evict` lists them", p)
				}
			}
			switch {
			case opt.Keys < 1 || opt.Time <= 0:
				return 0, usagef("-keys and -time want something positive")
			case given["addr"] && len(o.targets) > 0:
				return 0, usagef("-addr and -target: one of them")
			case given["addr"]:
				o.targets = targetList{{"server", o.access.Addr}}
			case len(o.targets) == 0:
				o.targets = pair
			}
			if len(policies) == 0 {
				policies = evict.Policies
			}
			return a.evict(&o, policies, opt)
		}
	},
}

func (a *app) evict(o *runOptions, policies []string, opt evict.Options) (int, error) {
	var servers []evict.Server
	for _, t := range o.targets {
		opened, err := o.openAt(t.where)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
		defer func() { _ = opened.Stop() }()
		servers = append(servers, evict.Server{Name: t.name, Target: opened})
	}
	opt.Progress = func(s string) { fmt.Fprintln(a.stderr, s) }
	report, err := evict.Run(a.ctx, servers, policies, opt)
	if report == nil || len(report.Results) == 0 {
		return 0, err
	}
	if o.dir != "" {
		err = errors.Join(err, a.evictPage(report, o.dir))
	}
	if o.json {
		return 0, errors.Join(err, a.printJSON(report))
	}
	return 0, errors.Join(err, report.Markdown(a.stdout))
}

func (a *app) evictPage(r *evict.Report, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "index.html"))
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stderr, "page ", f.Name())
	return errors.Join(r.HTML(f), f.Close())
}
