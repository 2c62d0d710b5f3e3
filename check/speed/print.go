package speed

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Markdown prints the table.
func Markdown(w io.Writer, results []Result, opt Options) error {
	var b strings.Builder
	b.WriteString("| history | operations | in flight | verdict | CPU | wall | peak |" +
		" operations/s of CPU | to reach | ")
	if opt.Porcupine > 0 {
		fmt.Fprintf(&b, "porcupine with the same zones, at most %v |\n", opt.Porcupine)
	} else {
		b.WriteString("porcupine |\n")
	}
	b.WriteString("|---|--:|--:|---|--:|--:|--:|--:|---|---|\n")
	for _, r := range results {
		m := r.Slowest()
		fmt.Fprintf(&b, "| %s | %s | %.0f | %s | %.2f s | %.2f s | %s | %s | %s | %s |\n",
			r.Row.Title, count(m.Ops), m.InFlight, r.verdict(), m.CPU, m.Wall, bytesText(m.PeakBytes),
			count(int(float64(m.Ops)/m.CPU)), r.bound(), r.beside())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is the worst of the seeds, and of how many.
func (r Result) verdict() string {
	m, n := r.Slowest(), 0
	for _, x := range r.Measures {
		if x.Verdict == m.Verdict {
			n++
		}
	}
	text := m.Verdict
	switch {
	case r.rank(m) == 2:
		text = "WRONG: " + text
	case m.Explained > 0:
		text += fmt.Sprintf(", core %d, %d of %d cores small, explained in %d ms", m.CoreOps, m.Explained-m.Large,
			m.Explained, m.ExplainMs)
		if m.ExplainMs > explainMsMax || m.Large*20 > m.Explained {
			text += ": **missed**"
		}
	}
	if len(r.Measures) > 1 {
		text += fmt.Sprintf(" (%d of %d seeds)", n, len(r.Measures))
	}
	return text
}

// bound is what is to be reached, and whether it was.
func (r Result) bound() string {
	text := fmt.Sprintf("%g s", r.Row.Seconds)
	if r.Row.Bytes > 0 {
		text += ", " + bytesText(r.Row.Bytes)
	}
	if r.Row.Stretch {
		text = "*stretch* " + text
	}
	switch {
	case r.Scaled:
		return text + " (at ten times the size)"
	case r.Kept():
		return text + ": kept"
	}
	return text + ": **missed**"
}

func (r Result) beside() string {
	p := r.Porcupine
	if p == nil {
		return "not asked"
	}
	return fmt.Sprintf("%s at %s: %.1f s CPU, %s",
		p.Verdict, count(p.Ops), p.CPU, bytesText(p.PeakBytes))
}

// MarkdownCurve prints one curve: a bar is CPU time on a logarithmic scale from 1 ms.
func MarkdownCurve(w io.Writer, c Curve, points []Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %s operations on one component\n\n", c.Title, count(curveOps))
	b.WriteString("| clients | in flight | verdict | CPU | peak | 10 ms to 100 s |\n" +
		"|--:|--:|---|--:|--:|---|\n")
	for _, r := range points {
		m := r.Slowest()
		fmt.Fprintf(&b, "| %d | %.1f | %s | %.2f s | %s | `%s` |\n", r.Row.Synth.Clients, m.InFlight,
			r.verdict(), m.CPU, bytesText(m.PeakBytes), bar(m.CPU))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// bar has five characters for a factor of ten.
func bar(seconds float64) string {
	n := int(math.Round(5 * math.Log10(max(seconds, 0.01)/0.01)))
	return strings.Repeat("#", n) + strings.Repeat(".", max(0, 20-n))
}

func count(n int) string {
	switch {
	case n >= million && n%million == 0:
		return fmt.Sprintf("%d M", n/million)
	case n >= million:
		return fmt.Sprintf("%.1f M", float64(n)/million)
	case n >= 10_000:
		return fmt.Sprintf("%d k", n/1000)
	}
	return fmt.Sprint(n)
}

func bytesText(n int64) string {
	if n >= gib {
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
