// Package bench compares servers by what a request costs them: processor time, and sleeps.
//
// Servers take turns within a repetition, and what is compared is the ratio of two figures of the
// same repetition, so that a machine which is slower for a while is slower for both. Requests a
// second say little: on a machine of its own, either server is mostly waiting for its clients.
//
// Two generators ask: awake (awake_linux.go), which is cheaper than any server and answers in bursts,
// so that the server seldom sleeps; and redis-benchmark, which shows what its users see, wake-ups
// included.
package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
)

// Workload is one kind of request.
type Workload struct {
	Name string
	// Words are those of a request. In a word, "#" stands for twelve digits: the number of a key, chosen
	// anew for each request, and "@" for a value of ValueBytes.
	Words      []string
	ValueBytes int
	Pipelines  []int    // depths
	Reference  []string // what redis-benchmark is asked; nil: it is not
	reply      int      // bytes; 0: a line of any length
}

// Parts are what is measured beside the workloads.
const (
	Memory      = "memory"
	IdleClients = "idle-clients"
	NeverReads  = "never-reads"
)

var parts = []string{Memory, IdleClients, NeverReads}

// Workloads are those of the table.
func Workloads() []Workload {
	mset := []string{"MSET"}
	for range 10 {
		mset = append(mset, "key:#", "@")
	}
	const small = 16
	return []Workload{
		{"get", []string{"GET", "key:#"}, small, []int{1, 16, 64}, []string{"-t", "get"}, len("$16\r\n") + small + 2},
		{"set", []string{"SET", "key:#", "@"}, small, []int{1, 16, 64}, []string{"-t", "set", "-d", "16"}, len("+OK\r\n")},
		{"incr", []string{"INCR", "cnt:#"}, small, []int{1, 16, 64}, []string{"-t", "incr"}, 0},
		{"mset-10", mset, small, []int{16}, []string{"-t", "mset", "-d", "16"}, len("+OK\r\n")},
		{"set-4k", []string{"SET", "big:#", "@"}, 4 << 10, []int{1}, nil, len("+OK\r\n")},
		{"get-4k", []string{"GET", "big:#"}, 4 << 10, []int{1}, nil, len("$4096\r\n") + 4<<10 + 2},
		{"set-64k", []string{"SET", "huge:#", "@"}, 64 << 10, []int{1}, nil, len("+OK\r\n")},
		{"get-64k", []string{"GET", "huge:#"}, 64 << 10, []int{1}, nil, len("$65536\r\n") + 64<<10 + 2},
	}
}

// Options says how much is measured.
type Options struct {
	Keys        int           // of the small ones; there are fewer of the large
	Clients     int           // connections
	Repetitions int           // of each row
	Sample      time.Duration // of one server in one repetition
	Generators  []string      // Awake, Reference
	Pipelines   []int         // depths; nil: those of the workload
	Parts       []string
	MemoryKeys  []int // of Memory
	IdleClients int
	IdleWait    time.Duration // in which servers shrink what they keep for a client that was used
	Progress    func(string)
}

// The generators of Options.
const (
	Awake     = "awake"
	Reference = "redis-benchmark"
)

// answerTime is how long a server may take to answer anything at all.
const answerTime = 10 * time.Second

// Sample is what one server was seen to do.
type Sample struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	User     float64 `json:"user"`   // µs of processor time a request
	System   float64 `json:"system"` // µs a request
	Sleeps   float64 `json:"sleeps"` // voluntary context switches a request

	P50 float64 `json:"p50,omitempty"` // ms, as redis-benchmark saw it
	P99 float64 `json:"p99,omitempty"`
}

// CPU is µs a request.
func (s Sample) CPU() float64 { return s.User + s.System }

// Row is a workload at a depth of pipelining, by repetition and server.
type Row struct {
	Workload  string     `json:"workload"`
	Pipeline  int        `json:"pipeline"`
	Generator string     `json:"generator"`
	Samples   [][]Sample `json:"samples"`
}

// Report is what was measured.
type Report struct {
	Servers []string `json:"servers"`
	Redis   bool     `json:"redis"` // the first server is redis 7: what is to be reached is said beside the figures
	Sizes   []Size   `json:"sizes"`
	Readers []Reader `json:"readers,omitempty"` // by server
	Rows    []Row    `json:"rows"`
}

// Empty says that nothing was measured.
func (r *Report) Empty() bool { return len(r.Rows)+len(r.Sizes)+len(r.Readers) == 0 }

// Server is one of those that are compared.
type Server struct {
	Name   string
	Target *target.Target
}

// Run measures the parts, loads the servers and measures the workloads. They must be local, and empty
// or for us to empty. With an error comes what was measured before it.
func Run(ctx context.Context, servers []Server, workloads []Workload, opt Options) (*Report, error) {
	defer rhythm.Threads()()
	caps := servers[0].Target.Caps()
	out := &Report{Redis: caps.Server == "redis" && strings.HasPrefix(caps.Version, "7.")}
	for _, s := range servers {
		out.Servers = append(out.Servers, s.Name)
		if err := s.usable(ctx); err != nil {
			return out, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	if err := out.parts(ctx, servers, opt); err != nil || len(workloads) == 0 {
		return out, err
	}
	loaded := Size{What: "keys, loaded for what follows", N: opt.Keys}
	for _, s := range servers {
		opt.Progress(fmt.Sprintf("%s: loading %d keys", s.Name, opt.Keys))
		each, err := s.load(ctx, opt)
		if err != nil {
			return out, fmt.Errorf("%s: %w", s.Name, err)
		}
		loaded.add(each, nil)
	}
	out.Sizes = append(out.Sizes, loaded)
	for _, w := range workloads {
		if err := out.workload(ctx, servers, w, opt); err != nil {
			return out, err
		}
	}
	return out, nil
}

// parts measures what is not a workload.
func (r *Report) parts(ctx context.Context, servers []Server, opt Options) error {
	for _, part := range []struct {
		name    string
		measure func(context.Context, []Server, Options) ([]Size, error)
	}{{Memory, memory}, {IdleClients, idleClients}} {
		if slices.Contains(opt.Parts, part.name) {
			sizes, err := part.measure(ctx, servers, opt)
			r.Sizes = append(r.Sizes, sizes...)
			if err != nil {
				return err
			}
		}
	}
	if slices.Contains(opt.Parts, NeverReads) {
		for _, s := range servers {
			opt.Progress(s.Name + ": a client that never reads")
			r.Readers = append(r.Readers, s.reader(ctx))
		}
	}
	return ctx.Err()
}

// workload measures one, at its depths and with the generators.
func (r *Report) workload(ctx context.Context, servers []Server, w Workload, opt Options) error {
	if w.ValueBytes > 16 {
		for _, s := range servers {
			if err := s.fill(ctx, w, keysOf(w, opt)); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	for _, p := range w.Pipelines {
		if opt.Pipelines != nil && !slices.Contains(opt.Pipelines, p) {
			continue
		}
		for _, g := range opt.Generators {
			if g == Reference && w.Reference == nil {
				continue
			}
			row, err := measure(ctx, servers, w, p, g, opt)
			if err != nil {
				return fmt.Errorf("%s: %w", w.Name, err)
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return nil
}

// measure fills a row. Each repetition begins with another server.
func measure(ctx context.Context, servers []Server, w Workload, p int, g string, opt Options) (Row, error) {
	row := Row{Workload: w.Name, Pipeline: p, Generator: g}
	for rep := range opt.Repetitions {
		samples := make([]Sample, len(servers))
		for i := range servers {
			at := (rep + i) % len(servers)
			if err := ctx.Err(); err != nil {
				return row, err
			}
			opt.Progress(fmt.Sprintf("%s, pipeline %d, %s: %d of %d, %s",
				w.Name, p, g, rep+1, opt.Repetitions, servers[at].Name))
			s, err := servers[at].sample(ctx, w, p, g, opt)
			if err != nil {
				return row, fmt.Errorf("%s: %w", servers[at].Name, err)
			}
			samples[at] = s
		}
		row.Samples = append(row.Samples, samples)
	}
	return row, nil
}

// sample lets a generator ask one server.
func (s Server) sample(ctx context.Context, w Workload, p int, g string, opt Options) (Sample, error) {
	pid := s.Target.Pid()
	before, err := usageOf(pid)
	if err != nil {
		return Sample{}, err
	}
	began := time.Now()
	var out Sample
	if g == Awake {
		out.Requests, err = ask(ctx, s.Target.Addr(), w, p, keysOf(w, opt), opt)
	} else {
		out, err = redisBenchmark(ctx, s.Target.Addr(), w, p, opt)
	}
	if err != nil {
		return Sample{}, err
	}
	out.Seconds = time.Since(began).Seconds()
	after, err := usageOf(pid)
	if err != nil {
		return Sample{}, err
	}
	n := float64(out.Requests)
	out.User = (after.user - before.user).Seconds() * 1e6 / n
	out.System = (after.system - before.system).Seconds() * 1e6 / n
	out.Sleeps = float64(after.sleeps-before.sleeps) / n
	return out, nil
}

// keysOf bounds the keys of large values by the memory that they take.
func keysOf(w Workload, opt Options) int {
	const largeBytes = 256 << 20
	return max(1, min(opt.Keys, largeBytes/w.ValueBytes))
}

// of gives what f finds in the samples of one server, sorted.
func (r Row) of(server int, f func(Sample) float64) []float64 {
	var out []float64
	for _, rep := range r.Samples {
		out = append(out, f(rep[server]))
	}
	slices.Sort(out)
	return out
}

// ratios are those of a server to the first, in the same repetition, sorted.
func (r Row) ratios(server int, f func(Sample) float64) []float64 {
	var out []float64
	for _, rep := range r.Samples {
		if base := f(rep[0]); base > 0 {
			out = append(out, f(rep[server])/base)
		}
	}
	slices.Sort(out)
	return out
}

// median of sorted values; NaN has no place here: 0 for none.
func median(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[len(sorted)/2] + sorted[(len(sorted)-1)/2]) / 2
}

// Select finds workloads and parts by name; wrong is one that is not there.
func Select(names []string) (out []Workload, chosen []string, wrong string) {
	all := Workloads()
	if len(names) == 0 {
		return all, parts, ""
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(w Workload) bool { return w.Name == name })
		switch {
		case i >= 0:
			out = append(out, all[i])
		case slices.Contains(parts, name):
			chosen = append(chosen, name)
		default:
			return nil, nil, name
		}
	}
	return out, chosen, ""
}

// Names are those of the workloads and of the parts.
func Names() (out []string) {
	for _, w := range Workloads() {
		out = append(out, w.Name)
	}
	return append(out, parts...)
}
