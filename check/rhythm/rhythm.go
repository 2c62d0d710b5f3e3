// Package rhythm measures how long other clients wait while a server does long work.
//
// The loop is one thread: whoever makes it work long makes everybody wait. A probe (probe.go) asks at
// a fixed rate and writes down how long each answer took, a control (control.go) what the machine did
// to a thread that asks nobody, while one kind of long work after another runs (kinds.go): growth, a
// storm of deadlines, eviction, a large value that is deleted, KEYS, FLUSHALL, a slow reader, a deep
// pipeline, many connections, a snapshot. How late keys are deleted after their deadlines is seen from
// outside too (expiry.go).
//
// Order of a measurement: prepare; start the probe and the control; let the work run; count what was
// intended between its beginning and its end, and for a second at least; tidy up (stage.go).
package rhythm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"rondo/check/target"
)

// Options says what is measured, and how much.
type Options struct {
	Kinds    []Kind        // nil: all
	Keys     int           // N of the kinds
	Big      int           // bytes of the large string
	Rate     int           // requests of the probe a second
	Limit    time.Duration // of preparing a kind, and of its work
	Progress func(stage, text string)
}

// Server is one of those that are measured.
type Server struct {
	Name   string
	Target *target.Target
}

// Report is what was measured.
type Report struct {
	Started time.Time `json:"started"`
	CPUs    int       `json:"cpus"`
	Keys    int       `json:"keys"`
	Rate    int       `json:"rate"`
	Servers []Named   `json:"servers"`
	Rows    []Row     `json:"rows"`
	Stopped bool      `json:"stopped,omitempty"` // by the user, before its time
}

// Named is a server and what it says that it is.
type Named struct {
	Name   string `json:"name"`
	Server string `json:"server"`
	Addr   string `json:"addr"`
}

// Row is a kind of work and what each server made of it, in the order of Servers.
type Row struct {
	Kind    string   `json:"kind"`
	Title   string   `json:"title"`
	Results []Result `json:"results"`
}

// Result is one kind of work on one server.
type Result struct {
	Skip  string `json:"skip,omitempty"`  // why there is nothing else
	Error string `json:"error,omitempty"` // what ended the work, or the measurement
	Note  string `json:"note,omitempty"`

	WorkMs  float64   `json:"workMs"`
	Probe   Quantiles `json:"probe"`
	Ping    Quantiles `json:"ping"`
	Get     Quantiles `json:"get"`
	Late    Quantiles `json:"late"` // of the probe itself, not in its latencies
	Control Quantiles `json:"control"`
	Errors  int       `json:"errors,omitempty"` // answers to the probe that were errors
	Lost    int       `json:"lost,omitempty"`   // requests of the probe without an answer

	Lag *Lag `json:"lag,omitempty"`
	// TurnUs is the longest maintenance of a turn, µs of the server's own CPU clock; nil: it does not say.
	TurnUs *int64 `json:"turnUs,omitempty"`

	Targets []Target `json:"targets,omitempty"`

	Columns        []Column `json:"columns,omitempty"`
	ControlColumns []Column `json:"controlColumns,omitempty"`
	Curve          []Step   `json:"curve,omitempty"`
	ControlCurve   []Step   `json:"controlCurve,omitempty"`
}

// Target is what a server is to reach, and whether it did.
type Target struct {
	What string `json:"what"`
	Met  bool   `json:"met"`
	Note string `json:"note,omitempty"` // why a miss need not be the server's
}

// String is what is written beside the figures.
func (t Target) String() string {
	if t.Met {
		return t.What + ": met"
	}
	return t.What + ": missed" + t.Note
}

// Measured says whether there are figures.
func (r Result) Measured() bool { return r.Probe.N > 0 }

// Missed says whether anything that was to be reached was not.
func (r Result) Missed() bool {
	return slices.ContainsFunc(r.Targets, func(t Target) bool { return !t.Met })
}

// Run measures the servers, one at a time, kind by kind. They must be empty, or for us to empty. The
// report holds what was measured until the user stopped it.
func Run(ctx context.Context, servers []Server, opt Options) (*Report, error) {
	if opt.Kinds == nil {
		opt.Kinds = Kinds
	}
	defer Threads()()
	out := &Report{Started: time.Now(), CPUs: runtime.NumCPU(), Keys: opt.Keys, Rate: opt.Rate}
	var stages []*stage
	for _, s := range servers {
		st, err := open(s, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		defer st.close()
		stages = append(stages, st)
		out.Servers = append(out.Servers, Named{s.Name, s.Target.Name(), s.Target.Addr()})
	}
	out.measure(ctx, stages, opt)
	var errs []error
	for _, st := range stages {
		errs = append(errs, st.tidy(ctx))
	}
	return out, errors.Join(errs...)
}

// Threads lets all that a measurement does run at once, as far as the system will: the probe and the
// control must not wait for one of the runtime's processors that another goroutine holds. What it
// returns puts back what was.
func Threads() (back func()) {
	was := runtime.GOMAXPROCS(runtime.NumCPU() + 6)
	return func() { runtime.GOMAXPROCS(was) }
}

// measure fills the rows.
func (out *Report) measure(ctx context.Context, stages []*stage, opt Options) {
	for i, k := range opt.Kinds {
		row := Row{Kind: k.Name, Title: k.Title(opt)}
		for _, st := range stages {
			opt.Progress(fmt.Sprintf("%d/%d %s, %s", i+1, len(opt.Kinds), k.Name, st.name), "")
			r := st.measure(ctx, k)
			if ctx.Err() != nil {
				out.Stopped = true
				return
			}
			row.Results = append(row.Results, r)
		}
		out.Rows = append(out.Rows, row)
	}
}

// Missed says whether any server missed what was to be reached.
func (r *Report) Missed() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return slices.ContainsFunc(row.Results, Result.Missed) })
}

// Check says what is wrong with options.
func (o Options) Check() error {
	for _, c := range []struct {
		name     string
		is, most int
	}{{"-keys", o.Keys, keysMax}, {"-string", o.Big >> 20, bigMax >> 20}, {"-rate", o.Rate, rateMax}} {
		if c.is < 1 || c.is > c.most {
			return fmt.Errorf("%s wants a number from 1 to %d", c.name, c.most)
		}
	}
	if o.Limit < time.Second {
		return errors.New("-limit wants a second at least")
	}
	return nil
}

// Exit is the exit status: 2 if nothing was measured or the user stopped it, else 0.
func (r *Report) Exit() int {
	measured := false
	for _, row := range r.Rows {
		for _, res := range row.Results {
			measured = measured || res.Measured()
		}
	}
	if !measured || r.Stopped {
		return 2
	}
	return 0
}
