package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"rondo/check/rhythm"
)

// The page of a rhythm report: a table of all kinds of work, and for each kind and server two
// pictures, latency over time with the control under it, and percentiles. The pictures of one kind
// share their scales, so that servers compare at a glance; times are on a log scale.

//go:embed rhythm.html
var rhythmText string

// onRhythm is a rhythm report as the template reads it.
type onRhythm struct {
	*rhythm.Report
	Names []string
	Kinds []rhythmKind
}

type rhythmKind struct {
	rhythm.Row
	Shown []shownResult
}

// shownResult is a result with its pictures.
type shownResult struct {
	rhythm.Result
	Name  string
	Time  plot
	Curve plot
}

// RhythmHTML writes the report as one self-contained page.
func RhythmHTML(w io.Writer, r *rhythm.Report) error {
	return pages.ExecuteTemplate(w, "rhythm", showRhythm(r))
}

// RhythmJSON writes it for machines: without indents, since most of it is columns of figures.
func RhythmJSON(w io.Writer, r *rhythm.Report) error { return json.NewEncoder(w).Encode(r) }

func showRhythm(r *rhythm.Report) onRhythm {
	out := onRhythm{Report: r}
	for _, s := range r.Servers {
		out.Names = append(out.Names, s.Name)
	}
	for _, row := range r.Rows {
		k := rhythmKind{Row: row}
		spans := spansOf(row.Results)
		for i, res := range row.Results {
			shown := shownResult{Result: res, Name: out.Names[i]}
			if res.Measured() {
				shown.Time, shown.Curve = spans.overTime(res), spans.percentiles(res)
			}
			k.Shown = append(k.Shown, shown)
		}
		out.Kinds = append(out.Kinds, k)
	}
	return out
}

// Aims are what was to be reached, and by whom it was.
func (r onRhythm) Aims() (out []rhythmAim) {
	for _, k := range r.Kinds {
		for _, s := range k.Shown {
			for _, t := range s.Targets {
				out = append(out, rhythmAim{k.Kind, s.Name, t})
			}
		}
	}
	return out
}

type rhythmAim struct {
	Kind, Name string
	rhythm.Target
}

// spans are what the pictures of one kind have in common.
type spans struct {
	from, to  float64 // ms of time
	low, high float64 // powers of ten of ms of latency
	nines     float64 // how far the percentiles go: 3 is 99.9 %
}

func spansOf(results []rhythm.Result) spans {
	s := spans{from: math.Inf(1), to: 1, low: -2, high: 0, nines: 3}
	for _, r := range results {
		for _, c := range append(r.Columns[:len(r.Columns):len(r.Columns)], r.ControlColumns...) {
			s.from, s.to = min(s.from, c.At), max(s.to, c.At)
			s.high = max(s.high, math.Ceil(math.Log10(max(c.Max, 0.01))))
		}
		for _, step := range r.Curve {
			s.nines = max(s.nines, -math.Log10(1-step.Part))
		}
	}
	s.from = min(s.from, 0)
	return s
}

// plot is a picture: coordinates and paths.
type plot struct {
	Width, Height            float64
	Left, Right, Top, Bottom float64 // of the area of the probe, and of time
	WorkX, WorkWidth         float64
	ControlTop               float64
	X, Y                     []plotTick
	Probe, Control           string // paths
	Unit                     string
}

// plotTick is a line of the grid and its name.
type plotTick struct {
	At    float64
	Label string
}

// LabelAt is where the name of a horizontal line stands.
func (t plotTick) LabelAt() float64 { return t.At + 4 }

func (p plot) LabelX() float64       { return p.Left - 5 }
func (p plot) XLabelY() float64      { return p.Height - 6 }
func (p plot) NameX() float64        { return p.Left + 6 }
func (p plot) NameY() float64        { return p.Top + 13 }
func (p plot) ControlNameY() float64 { return p.ControlTop + 13 }
func (p plot) WorkHeight() float64   { return p.Bottom - p.Top }

const (
	plotTimeWidth    = 450.0
	plotCurveWidth   = 340.0
	plotHeight       = 260.0
	plotLeft         = 46.0
	plotRight        = 12.0
	plotTop          = 8.0
	plotProbeHeight  = 160.0
	plotControlTop   = 176.0
	plotBottom       = 234.0
	plotTimeTicks    = 6
	plotLabelsApart  = 22.0
	plotSecondsAbove = 5000 // ms: longer ones are told in seconds
)

// y is where a latency stands between top and bottom.
func (s spans) y(ms, top, bottom float64) float64 {
	part := (math.Log10(max(ms, math.Pow(10, s.low))) - s.low) / (s.high - s.low)
	return bottom - part*(bottom-top)
}

// decades are the lines of the powers of ten, named where there is room.
func (s spans) decades(top, bottom float64) (out []plotTick) {
	last := math.Inf(1)
	for e := s.low; e <= s.high; e++ {
		t := plotTick{At: s.y(math.Pow(10, e), top, bottom)}
		if last-t.At >= plotLabelsApart {
			t.Label, last = fmt.Sprintf("%g", math.Pow(10, e)), t.At
		}
		out = append(out, t)
	}
	return out
}

// overTime draws latencies against time, and the control below.
func (s spans) overTime(r rhythm.Result) plot {
	p := plot{Width: plotTimeWidth, Height: plotHeight, Left: plotLeft, Right: plotTimeWidth - plotRight,
		Top: plotTop, Bottom: plotBottom, ControlTop: plotControlTop, Unit: "ms"}
	x := func(ms float64) float64 { return p.Left + (ms-s.from)/(s.to-s.from)*(p.Right-p.Left) }
	p.WorkX = x(0)
	p.WorkWidth = max(x(min(r.WorkMs, s.to))-x(0), 1.5)
	step, _ := roundStep((s.to - s.from) * 1e6 / plotTimeTicks)
	unit := 1.0
	if s.to > plotSecondsAbove {
		p.Unit, unit = "s", 1000
	}
	for at := 0.0; at <= s.to; at += float64(step) / 1e6 {
		p.X = append(p.X, plotTick{x(at), fmt.Sprintf("%g", at/unit)})
	}
	below := s.decades(p.ControlTop, p.Bottom)
	below[len(below)-1].Label = "" // it would touch the lowest one above
	p.Y = append(s.decades(p.Top, p.Top+plotProbeHeight), below...)
	bars := func(columns []rhythm.Column, top, bottom float64) string {
		var b strings.Builder
		for _, c := range columns {
			high, low := s.y(c.Max, top, bottom), s.y(c.Mid, top, bottom)
			fmt.Fprintf(&b, "M%.1f %.1fV%.1f", x(c.At), min(high, low-1.5), low)
		}
		return b.String()
	}
	p.Probe = bars(r.Columns, p.Top, p.Top+plotProbeHeight)
	p.Control = bars(r.ControlColumns, p.ControlTop, p.Bottom)
	return p
}

// percentiles draws what part of the requests was answered within which time. The parts stand on a
// log scale of what is missing to all, so that the last thousandth is as wide as the first half.
func (s spans) percentiles(r rhythm.Result) plot {
	p := plot{Width: plotCurveWidth, Height: plotHeight, Left: plotLeft, Right: plotCurveWidth - plotRight - 10,
		Top: plotTop, Bottom: plotBottom}
	x := func(part float64) float64 { return p.Left - math.Log10(1-part)/s.nines*(p.Right-p.Left) }
	for _, part := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		if at := x(part); at <= p.Right+1 {
			p.X = append(p.X, plotTick{at, fmt.Sprintf("%g%%", math.Round(part*1e7)/1e5)})
		}
	}
	p.Y = s.decades(p.Top, p.Bottom)
	line := func(steps []rhythm.Step) string {
		var b strings.Builder
		for i, step := range steps {
			fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(i, 1)], x(step.Part), s.y(step.Ms, p.Top, p.Bottom))
		}
		return b.String()
	}
	p.Probe, p.Control = line(r.Curve), line(r.ControlCurve)
	return p
}
