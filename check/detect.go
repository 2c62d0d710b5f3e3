package check

import (
	"context"
	"fmt"
	"time"

	"rondo/check/report"
	"rondo/check/synth"
)

// Detect tries the judge of histories on simulated recordings with seeded bugs.
func Detect(ctx context.Context, o synth.DetectOptions) (*report.Detection, error) {
	started := time.Now()
	found, err := synth.Detect(ctx, o)
	d := &report.Detection{Conditions: fmt.Sprintf(
		"%d histories each of %d operations, %d clients, %d keys, mix %s (%s)",
		o.Histories, o.Ops, o.Clients, o.Keys, o.Mix, synth.Describe(o.Mix))}
	for _, slack := range o.Slacks {
		d.Slacks = append(d.Slacks, slack.String())
	}
	for _, f := range found {
		row := report.DetectionRow{Bug: f.Name()}
		for _, c := range f.Cells {
			row.Cells = append(row.Cells,
				report.DetectionCell{Found: c.String(), Bar: c.Bar, Below: c.Below})
		}
		d.Rows = append(d.Rows, row)
	}
	d.TookMs = time.Since(started).Milliseconds()
	return d, err
}

// detection is what a run tries the judge on.
func (opt Options) detection() synth.DetectOptions {
	o := synth.DetectDefaults()
	o.Judge.Engine, o.Seed = opt.Engine, uint64(opt.Seed)
	done := 0
	o.Progress = func(synth.Detection) {
		done++
		opt.Progress("detection of seeded bugs", fmt.Sprintf("%d/%d", done, len(synth.Bugs)+1))
	}
	return o
}
