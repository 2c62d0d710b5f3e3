package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"rondo/check/faults"
)

var faultsVerb = verb{
	name: "faults", args: "[KIND ...] [-addr HOST:PORT | -exec \"COMMAND\"] [options]",
	does: "do to a server what clients and networks do, and watch what the others see",
	help: `
Some clients ask and compare every answer, and a probe asks 250 times a second and measures. Beside
them one fault after another is made, on real sockets, each for a few seconds. The server fails if an
answer to the others is wrong or missing, if of a hundred requests of the probe more than one waits
longer than -wait, or if a fault does not end well: who was slow, stopped or kept out has to be served
in the end. The ratio is that of the p99 during the fault to the p99 before it.

Keys get names of their own, and are deleted again. What limits or slows down a server is done only
to one that is started here. "lossy-line" takes a network of its own (unshare, ip and tc of Linux, and
the right to use them); what cannot be made is skipped, with the reason.

Kinds:
` + faultList() + `
Examples:
  rondo-check faults
  rondo-check faults slow-loris never-reads -addr 127.0.0.1:6379
  rondo-check faults -exec "redis-server --port {port} --save ''"`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := runOptions{}
		plainFlags(fs, &o.access)
		fs.StringVar(&o.exec, "exec", "", "`COMMAND` that starts a server; {port} is a free port")
		var opt faults.Options
		fs.IntVar(&opt.Clients, "clients", faults.ClientsDefault, "`N` clients of the largest crowds")
		fs.DurationVar(&opt.Window, "window", faults.WindowDefault, "`TIME` that a fault lasts at least")
		fs.DurationVar(&opt.WaitMax, "wait", faults.WaitDefault, "`TIME` that 99 of 100 requests of the others may take")
		fs.BoolVar(&o.json, "json", false, "print JSON instead of the table")
		return func(a *app, names []string) (int, error) {
			given := givenIn(fs)
			if err := settleAccess(&o.access, given); err != nil {
				return 0, err
			}
			var wrong string
			opt.Kinds, wrong = faults.Select(names)
			switch {
			case wrong != "":
				return 0, usagef("there is no fault %q; `rondo-check help faults` lists them", wrong)
			case o.exec != "" && o.access.Addr != "":
				return 0, usagef("-addr and -exec: one of them")
			}
			if err := opt.Check(); err != nil {
				return 0, usageError{err}
			}
			return a.faults(&o, opt)
		}
	},
}

func faultList() string {
	var b strings.Builder
	for _, k := range faults.Kinds {
		fmt.Fprintf(&b, "  %-15s %s\n", k.Name, k.Title(faults.Options{Clients: faults.ClientsDefault}))
	}
	return b.String()
}

func (a *app) faults(o *runOptions, opt faults.Options) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	t, err := o.open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = t.Stop() }()
	opt.Peer, opt.Alone = []string{self, peerVerb.name}, faults.Alone()
	if t.Started() && !opt.Alone {
		again := []string{self, "faults", "-json", "-window", opt.Window.String(), "-wait", opt.WaitMax.String()}
		if o.exec != "" {
			again = append(again, "-exec", o.exec)
		}
		opt.Elsewhere = faults.Elsewhere(again)
	}
	p := newProgress(a)
	opt.Progress = func(kind string) { p.show(kind, "") }
	r, err := faults.Run(a.ctx, t, opt)
	p.done()
	if err != nil {
		return 0, err
	}
	if o.json {
		return r.Exit(), a.printJSON(r)
	}
	return r.Exit(), r.Text(a.stdout)
}

// peerVerb is a process for the fault that stops one: the judge starts itself again with it.
var peerVerb = verb{
	name: "peer", hidden: true,
	flags: func(*flag.FlagSet) func(*app, []string) (int, error) {
		return func(a *app, args []string) (int, error) {
			if len(args) != 2 {
				return 0, errors.New("a peer wants an address and a key")
			}
			return 0, faults.Peer(args[0], args[1], a.stdin, a.stdout)
		}
	},
}
