package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rondo/check/bench"
)

var benchVerb = verb{
	name: "bench", args: "[WORKLOAD|PART ...] -addr A -addr B [options]",
	does: "compare servers by the processor time that a request costs them",
	help: `
Asks two or more servers on this machine the same things in turn, A B, B A, A B, ..., and reads from
the system what each request cost the process: processor time (user and system) and sleeps, which are
voluntary context switches. What counts is the last column, the median of the ratios within a
repetition: a machine that is busy for a while is busy for both.

Two generators ask. "awake" is cheaper than any server and sends in bursts, so that the server seldom
sleeps: it shows what the server itself costs. redis-benchmark, if it is installed, shows what its
users see; there a faster server sleeps more often, and each wake-up is paid for.

Servers are loaded with keys of 16 bytes, values of 16, first; one that is not empty needs -flush.
Without -addr and -target the embedded server is compared with redis-server, both started here without
persistence.

Beside the workloads there are parts: "memory" is the resident size of 3 million keys, without and with
a deadline on each, and "idle-clients" that of 10,000 connections, each time on a server started anew
where it is started here; in "never-reads" a client asks for 1 GB under an output limit of 64 MB and
reads nothing, while a probe (as in "rondo-check rhythm") sees what others feel.

Where the first server is Redis 7, what the others are to reach stands beside the ratios. A target that
is missed is no failure of this program: figures depend on the machine.

Workloads and parts: ` + strings.Join(bench.Names(), ", ") + `

Examples:
  rondo-check bench
  rondo-check bench memory -memory-keys 3000000,10000000
  rondo-check bench get set -addr 127.0.0.1:6379 -addr 127.0.0.1:7000 -pipeline 1,16
  rondo-check bench -target old="exec:old/server --port {port}" -target new="exec:new/server --port {port}"`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := runOptions{}
		opt := bench.Options{Generators: []string{bench.Awake, bench.Reference}, MemoryKeys: []int{3_000_000}}
		fs.Func("addr", "`HOST:PORT` of a server; once for each", func(s string) error {
			return o.targets.Set("server" + strconv.Itoa(len(o.targets)+1) + "=" + s)
		})
		fs.Var(&o.targets, "target", "`NAME=WHERE` of a server, WHERE being an address, exec:COMMAND or embedded")
		fs.BoolVar(&o.flush, "flush", false, "empty the servers first")
		fs.IntVar(&opt.Keys, "keys", 1_000_000, "`N` keys in each server")
		fs.IntVar(&opt.Clients, "clients", 50, "`N` connections")
		fs.IntVar(&opt.Repetitions, "n", 7, "`N` repetitions of each row")
		fs.DurationVar(&opt.Sample, "sample", 2*time.Second, "`TIME` for which one server is asked in a repetition")
		fs.Func("pipeline", "`N,...` requests sent at once, as 1,16,64 (default those of the workload)", numbers(&opt.Pipelines))
		fs.Func("memory-keys", "`N,...` keys of \"memory\", as 3000000,10000000 (default 3000000)", numbers(&opt.MemoryKeys))
		fs.IntVar(&opt.IdleClients, "idle-clients", 10_000, "`N` connections that do nothing")
		fs.DurationVar(&opt.IdleWait, "idle-wait", 25*time.Second, "`TIME` that they do nothing, until they are measured for the last time")
		fs.Func("generator", "`NAME`, awake or redis-benchmark, instead of both", func(s string) error {
			if s != bench.Awake && s != bench.Reference {
				return fmt.Errorf("write %s or %s", bench.Awake, bench.Reference)
			}
			opt.Generators = []string{s}
			return nil
		})
		asJSON := fs.Bool("json", false, "print JSON instead of Markdown")
		return func(a *app, names []string) (int, error) {
			workloads, parts, wrong := bench.Select(names)
			opt.Parts = parts
			switch {
			case wrong != "":
				return 0, usagef("there is no workload %q; `rondo-check help bench` lists them", wrong)
			case len(o.targets) == 1:
				return 0, usagef("one server alone is compared with nothing: give another -addr")
			case opt.IdleClients < 1 || opt.Keys < 1 || opt.Clients < 1 || opt.Repetitions < 1 || opt.Sample <= 0:
				return 0, usagef("-keys, -clients, -idle-clients, -n and -sample want something positive")
			}
			return a.bench(&o, workloads, opt, *asJSON)
		}
	},
}

// numbers reads positive numbers with commas between them.
func numbers(to *[]int) func(string) error {
	return func(s string) error {
		*to = nil
		for _, word := range strings.Split(s, ",") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 {
				return errors.New("write positive numbers with commas between them")
			}
			*to = append(*to, n)
		}
		return nil
	}
}

// pair is what is compared where nothing is said.
var pair = targetList{
	{"redis", `exec:redis-server --port {port} --dir {dir} --save "" --appendonly no`},
	{"rondo", embedded},
}

func (a *app) bench(o *runOptions, workloads []bench.Workload, opt bench.Options, asJSON bool) (int, error) {
	if len(o.targets) == 0 {
		o.targets = pair
	}
	var servers []bench.Server
	for _, t := range o.targets {
		opened, err := o.openAt(t.where)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
		defer func() { _ = opened.Stop() }()
		servers = append(servers, bench.Server{Name: t.name, Target: opened})
	}
	opt.Progress = func(s string) { fmt.Fprintln(a.stderr, s) }
	report, err := bench.Run(a.ctx, servers, workloads, opt)
	switch {
	case report.Empty():
		return 0, err
	case asJSON:
		return 0, errors.Join(err, a.printJSON(report))
	}
	return 0, errors.Join(err, report.Markdown(a.stdout))
}
