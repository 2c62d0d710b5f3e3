// Package speed measures the judge: how long, and with how much memory, it decides simulated
// histories, from the file on, beside porcupine given the same rules of time.
//
//	speed.go   Table: the rows, each written, judged and compared with what must come out
//	rows.go    the rows, with the bounds to keep; the curves of the classes that are hard
//	child.go   one judgement as a process of its own, whose time and memory the system counts
//	print.go   tables as Markdown
package speed

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/synth"
)

// Options say what is measured and within which bounds.
type Options struct {
	Self      string        // the program whose verb recheck judges a file
	Quick     bool          // a tenth of the operations
	Seeds     int           // histories of each row; the slowest counts
	Seed      uint64        // of the first
	Limit     time.Duration // wall time of one judgement; then it is unknown
	Memory    int64         // bytes that a judgement may hold; then it is unknown
	Porcupine time.Duration // the same for porcupine; 0: not asked
	Progress  func(text string)
}

// Measure is one judgement of one file.
type Measure struct {
	Verdict    string  `json:"verdict"`
	Reason     string  `json:"reason,omitempty"`
	CPU        float64 `json:"cpuSeconds"`
	Wall       float64 `json:"wallSeconds"`
	PeakBytes  int64   `json:"peakBytes"`
	CoreOps    int     `json:"coreOps,omitempty"`   // of an illegal history: its smallest core
	Explained  int     `json:"explained,omitempty"` // components
	Large      int     `json:"large,omitempty"`     // of these: with a core above coreMax, or without a proven one
	ExplainMs  int64   `json:"explainMs,omitempty"` // of the slowest explanation
	Ops        int     `json:"ops"`
	FileBytes  int64   `json:"fileBytes"`
	InFlight   float64 `json:"inFlight"` // operations, on average
	Unanswered int     `json:"unanswered,omitempty"`
	Seed       uint64  `json:"seed"`
}

// Result is one row measured.
type Result struct {
	Row       Row       `json:"row"`
	Measures  []Measure `json:"measures"` // by seed
	Porcupine *Measure  `json:"porcupine,omitempty"`
	Scaled    bool      `json:"scaled,omitempty"` // fewer operations than the bounds are for
}

// Table measures rows one after the other. What was measured before an error or an interruption is
// returned with it.
func Table(ctx context.Context, rows []Row, opt Options) ([]Result, error) {
	dir, err := os.MkdirTemp("", "rondo-speed-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var results []Result
	for _, row := range rows {
		res, err := opt.row(ctx, row, filepath.Join(dir, "history.jsonl"))
		if err != nil {
			return results, fmt.Errorf("%s: %w", row.Name, err)
		}
		results = append(results, res)
	}
	return results, nil
}

// Follow measures a curve up to its second undecided point, without porcupine.
func Follow(ctx context.Context, c Curve, opt Options) ([]Result, error) {
	opt.Porcupine = 0
	var points []Result
	undecided := 0
	for i := 0; i < len(c.Points) && undecided < 2; i++ {
		r, err := Table(ctx, c.Points[i:i+1], opt)
		if err != nil {
			return nil, err
		}
		points = append(points, r...)
		if r[0].Undecided() {
			undecided++
		}
	}
	return points, nil
}

func (o Options) row(ctx context.Context, row Row, file string) (Result, error) {
	res := Result{Row: row}
	if o.Quick {
		row.Synth.Ops, res.Scaled = row.Synth.Ops/10, true
	}
	for i := range max(1, o.Seeds) {
		row.Synth.Seed = o.Seed + uint64(i)
		m, err := o.measure(ctx, row.Synth, file, judgement{limit: o.Limit, memory: o.Memory})
		if err != nil {
			return res, err
		}
		o.Progress(fmt.Sprintf("%s, seed %d: %s in %.2f s of CPU", row.Name, m.Seed, m.Verdict, m.CPU))
		res.Measures = append(res.Measures, m)
	}
	if o.Porcupine > 0 {
		row.Synth.Ops, row.Synth.Seed = min(row.Synth.Ops, cmp.Or(row.PorcupineOps, 10_000)), o.Seed
		m, err := o.measure(ctx, row.Synth, file,
			judgement{engine: linear.Porcupine, limit: o.Porcupine, memory: o.Memory})
		if err != nil {
			return res, err
		}
		o.Progress(fmt.Sprintf("%s, porcupine: %s in %.2f s of CPU", row.Name, m.Verdict, m.CPU))
		res.Porcupine = &m
	}
	return res, nil
}

// measure writes a history and lets a child judge it.
func (o Options) measure(
	ctx context.Context, s synth.Options, file string, j judgement,
) (Measure, error) {
	m := Measure{Seed: s.Seed}
	if err := m.write(s, file); err != nil {
		return m, err
	}
	return m, o.judge(ctx, file, j, &m)
}

// write makes the file and counts what is in it.
func (m *Measure) write(s synth.Options, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	var busy, first, last int64
	err = synth.Write(out, s, func(op *history.Op) {
		if m.Ops++; m.Ops == 1 {
			first = op.Call
		}
		if op.Return == history.Never {
			m.Unanswered++
			return
		}
		busy += op.Return - op.Call
		last = max(last, op.Return)
	})
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m.FileBytes, m.InFlight = info.Size(), float64(busy)/float64(max(1, last-first))
	return nil
}

// Slowest is the measure that counts: an undecided one, or the one that took longest.
func (r Result) Slowest() Measure {
	worst := r.Measures[0]
	for _, m := range r.Measures[1:] {
		if r.rank(m) > r.rank(worst) || r.rank(m) == r.rank(worst) && m.CPU > worst.CPU {
			worst = m
		}
	}
	return worst
}

// rank orders measures by how bad their verdict is: right, undecided, wrong.
func (r Result) rank(m Measure) int {
	switch m.Verdict {
	case r.Row.want():
		return 0
	case string(linear.Unknown):
		return 1
	}
	return 2
}

// Wrong reports that some verdict is not what must come out.
func (r Result) Wrong() bool { return r.rank(r.Slowest()) == 2 }

// Undecided reports that some verdict is unknown.
func (r Result) Undecided() bool { return r.rank(r.Slowest()) == 1 }

// Kept reports that every verdict is right and the bounds of time and memory were kept. Time is the
// wall's: the bounds are for two cores.
func (r Result) Kept() bool {
	for _, m := range r.Measures {
		if r.rank(m) > 0 || m.Wall > r.Row.Seconds || r.Row.Bytes > 0 && m.PeakBytes > r.Row.Bytes {
			return false
		}
	}
	return true
}
