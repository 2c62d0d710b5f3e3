package formal

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// All runs and the table of them. A correct model has to hold, and all of its text to be reached; a
// fault has to be found, as a violation of the property that it is the fault of.

// report counts what has been run.
type report struct {
	w            io.Writer
	good, failed int
	cpu          time.Duration
}

// Report runs what matches, prints it line by line, and says whether all is as it should be. A pattern
// is the beginning of "reactor/P1" or "reactor/1"; none is everything.
func Report(ctx context.Context, w io.Writer, pattern string) (bool, error) {
	r := &report{w: w}
	r.printf("%-8s %-10s %-38s %10s %7s  %s\n", "model", "shows", "bounds", "states", "CPU s", "verdict")
	for _, run := range Runs {
		if matches(pattern, run.Model, shows(run)) {
			if err := r.run(ctx, run); err != nil {
				return false, err
			}
		}
	}
	r.printf("\n%-10s %-76s %-4s %-6s %7s  %s\n", "fault", "", "", "events", "CPU s", "verdict")
	for _, f := range Faults {
		if matches(pattern, f.Model, fmt.Sprint(f.Bug), f.Property) {
			if err := r.fault(ctx, f); err != nil {
				return false, err
			}
		}
	}
	r.printf("\n%d as it should be, %d not; %.0f s of CPU\n", r.good, r.failed, r.cpu.Seconds())
	return r.failed == 0 && r.good > 0, nil
}

func matches(pattern, model string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return strings.HasPrefix(model+"/"+name, pattern)
	})
}

// shows are the properties that a run is about.
func shows(r Run) string {
	if r.Claim != "" {
		return r.Claim
	}
	var ids []string
	for _, p := range Properties() {
		if p.Model == r.Model {
			ids = append(ids, p.ID)
		}
	}
	return ids[0] + " to " + ids[len(ids)-1]
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

func (r *report) count(good bool, cpu time.Duration) {
	r.cpu += cpu
	if good {
		r.good++
	} else {
		r.failed++
	}
}

func (r *report) run(ctx context.Context, run Run) error {
	v, err := run.Check(ctx)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", run.Model, run.Bounds, err)
	}
	verdict := "holds"
	switch {
	case v.Errors > 0:
		verdict = "BROKEN: " + v.Violated
	case v.Cut != "":
		verdict = "CUT SHORT: " + v.Cut
	case len(v.Unreached) > 0:
		verdict = "NOT ALL REACHED"
	}
	r.count(verdict == "holds", v.CPU)
	r.printf("%-8s %-10s %-38s %10d %7.1f  %s\n", run.Model, shows(run), run.Bounds, v.States,
		v.CPU.Seconds(), verdict)
	for _, line := range slices.Concat(v.Trail, v.Unreached) {
		r.printf("    %s\n", line)
	}
	return nil
}

func (r *report) fault(ctx context.Context, f Fault) error {
	v, err := f.Check(ctx)
	if err != nil {
		return fmt.Errorf("%s, fault %d: %w", f.Model, f.Bug, err)
	}
	verdict := "killed"
	if v.Violated != f.Property {
		verdict = fmt.Sprintf("LIVES: %d errors, of %q; %s", v.Errors, v.Violated, v.Cut)
	}
	r.count(verdict == "killed", v.CPU)
	r.printf("%-10s %-76s %-4s %6d %7.1f  %s\n", fmt.Sprintf("%s/%d", f.Model, f.Bug), f.Does, f.Property,
		v.Steps, v.CPU.Seconds(), verdict)
	return nil
}
