package rhythm

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text prints a report as a table for people: a line for each kind of work and server.
func (r *Report) Text(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Latencies in ms of PING and GET, %d a second from their intended moments, while other work ran for \"took\";\n"+
		"beside them the control, a thread that only reads the clock, and how late the probe was itself.\n\n", r.Rate)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, r.label("work", "server")+"p50\tp99\tp99.9\tmax\tcontrol p99\tp99.9\tmax\tprobe late\ttook s\tlag ms p50\tp99\tmax\tturn ms\t")
	for _, row := range r.Rows {
		kind := row.Kind
		for i, res := range row.Results {
			if !res.Measured() {
				continue
			}
			p, c := res.Probe, res.Control
			fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t%s\t\n", r.label(kind, r.Servers[i].Name), Ms(p.P50), Ms(p.P99),
				Ms(p.P999), Ms(p.Max), Ms(c.P99), Ms(c.P999), Ms(c.Max), Ms(res.Late.Max), res.WorkMs/1000, lagCells(res.Lag), res.Turn())
			kind = ""
		}
	}
	w.Flush()
	r.remarks(&b)
	_, err := io.WriteString(to, b.String())
	return err
}

// label is the beginning of a line, on the left; the writer of the table aligns the rest on the right.
func (r *Report) label(kind, server string) string {
	wide := len("server")
	for _, s := range r.Servers {
		wide = max(wide, len(s.Name))
	}
	return fmt.Sprintf("%-15s %-*s\t", kind, wide, server)
}

// Ms writes a time with the digits that say something.
func Ms(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// Turn is the longest maintenance of a turn in ms, "" where the server does not say.
func (r Result) Turn() string {
	if r.TurnUs == nil {
		return ""
	}
	return Ms(float64(*r.TurnUs) / 1000)
}

// Tell writes a quantile of a lag, 0.5, 0.99 or 1: where it is that of keys that are left, more than
// that.
func (l *Lag) Tell(part float64) string {
	text := Ms(map[float64]float64{0.5: l.P50, 0.99: l.P99, 1: l.Max}[part])
	if l.Left > 0 && float64(l.Left) >= (1-part)*float64(l.Keys) {
		return "> " + text
	}
	return text
}

func lagCells(l *Lag) string {
	if l == nil {
		return "\t\t"
	}
	return l.Tell(0.5) + "\t" + l.Tell(0.99) + "\t" + l.Tell(1)
}

// Longest says of each server when the probe waited longest.
func (r *Report) Longest() (out []string) {
	for i, s := range r.Servers {
		most, kind := 0.0, ""
		for _, row := range r.Rows {
			if i < len(row.Results) && row.Results[i].Probe.Max > most {
				most, kind = row.Results[i].Probe.Max, row.Kind
			}
		}
		if kind != "" {
			out = append(out, fmt.Sprintf("%s let others wait longest at %s: %s ms.", s.Name, kind, Ms(most)))
		}
	}
	return out
}

// remarks are what does not fit in the table: what is to be reached, and what was skipped.
func (r *Report) remarks(b *strings.Builder) {
	for _, row := range r.Rows {
		for i, res := range row.Results {
			for _, text := range res.Remarks() {
				fmt.Fprintf(b, "\n%s, %s: %s", row.Kind, r.Servers[i].Name, text)
			}
		}
	}
	b.WriteByte('\n')
	if r.Stopped {
		b.WriteString("Stopped before all was measured.\n")
	}
}

// Remarks are the sentences about a result, the gravest first.
func (r Result) Remarks() (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Error != "" {
		add("error: %s", r.Error)
	}
	if r.Skip != "" {
		add("skipped: %s", r.Skip)
	}
	if r.Lost > 0 {
		add("%d requests of the probe were never answered", r.Lost)
	}
	if r.Errors > 0 {
		add("%d requests of the probe were answered by an error", r.Errors)
	}
	if l := r.Lag; l != nil && l.Left > 0 {
		add("%s of %s due keys were left at the end", grouped(l.Left), grouped(l.Keys))
	}
	for _, t := range r.Targets {
		add("%s", t)
	}
	if r.Note != "" {
		add("%s", r.Note)
	}
	return out
}
