package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"rondo/check/rhythm"
)

// Markdown prints a report as a table: medians and, in brackets, ranges over the repetitions. Ratios
// are medians of the paired ones.
func (r *Report) Markdown(to io.Writer) error {
	var b strings.Builder
	b.WriteString("| µs of CPU a request |")
	for _, s := range r.Servers {
		fmt.Fprintf(&b, " %s (user) | sleeps |", s)
	}
	for _, s := range r.Servers[1:] {
		fmt.Fprintf(&b, " %s / %s; user |", s, r.Servers[0])
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", 3*len(r.Servers)-1) + "\n")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "| %s, pipeline %d, %s |", row.Workload, row.Pipeline, row.Generator)
		for i := range r.Servers {
			cpu := row.of(i, Sample.CPU)
			fmt.Fprintf(&b, " %.2f [%.2f-%.2f] (%.2f) | %.4f |", median(cpu), cpu[0], cpu[len(cpu)-1],
				median(row.of(i, func(s Sample) float64 { return s.User })),
				median(row.of(i, func(s Sample) float64 { return s.Sleeps })))
		}
		for i := range r.Servers[1:] {
			cpu, user := row.ratios(i+1, Sample.CPU), median(row.ratios(i+1, func(s Sample) float64 { return s.User }))
			most := goals[goalKey{row.Workload, row.Pipeline, row.Generator}]
			fmt.Fprintf(&b, " %.2f [%.2f-%.2f]%s; %.2f%s |", median(cpu), cpu[0], cpu[len(cpu)-1],
				r.beside(median(cpu), most.cpu), user, r.beside(user, most.user))
		}
		b.WriteByte('\n')
	}
	if len(r.Rows) == 0 {
		b.Reset()
	}
	r.seen(&b)
	r.sizes(&b)
	r.readers(&b)
	_, err := io.WriteString(to, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// head begins a table with a column for each server, and one for each ratio.
func (r *Report) head(b *strings.Builder, what string, ratios bool) {
	fmt.Fprintf(b, "\n| %s |", what)
	n := len(r.Servers)
	for _, s := range r.Servers {
		fmt.Fprintf(b, " %s |", s)
	}
	if ratios {
		for _, s := range r.Servers[1:] {
			fmt.Fprintf(b, " %s / %s |", s, r.Servers[0])
			n++
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", n) + "\n")
}

// sizes is what keys and clients cost in memory.
func (r *Report) sizes(b *strings.Builder) {
	if len(r.Sizes) == 0 {
		return
	}
	r.head(b, "bytes of resident size each", true)
	for _, s := range r.Sizes {
		fmt.Fprintf(b, "| %d %s |", s.N, s.What)
		for i, each := range s.Each {
			if s.Why[i] != "" {
				fmt.Fprintf(b, " %s |", s.Why[i])
			} else {
				fmt.Fprintf(b, " %.1f |", each)
			}
		}
		for i := range s.Each[1:] {
			if ratio := s.Each[i+1] / s.Each[0]; s.Why[0] == "" && s.Why[i+1] == "" && s.Each[0] > 0 {
				fmt.Fprintf(b, " %.2f%s |", ratio, r.beside(ratio, s.Target))
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteByte('\n')
	}
}

// readers is what a client that does not read does to others.
func (r *Report) readers(b *strings.Builder) {
	if len(r.Readers) == 0 {
		return
	}
	r.head(b, "a client asks for 1 GB, reads nothing, and 64 MB is its limit", false)
	for _, line := range []struct {
		what string
		of   func(Reader) string
	}{
		{"it is closed after at most, ms", func(x Reader) string {
			if x.Closed == 0 {
				return "**it is not**"
			}
			return rhythm.Ms(x.Closed)
		}},
		{"the server grew meanwhile by at most, MB", func(x Reader) string { return fmt.Sprintf("%.0f", float64(x.Grown)/(1<<20)) }},
		{"p99 of others without it, ms", func(x Reader) string { return rhythm.Ms(x.Without.P99) }},
		{"p99 of others with it, ms", func(x Reader) string { return rhythm.Ms(x.With.P99) }},
		{"ratio", func(x Reader) string {
			return fmt.Sprintf("%.2f%s", x.Ratio(), r.beside(x.Ratio(), readerTarget))
		}},
	} {
		fmt.Fprintf(b, "| %s |", line.what)
		for _, x := range r.Readers {
			if x.Why != "" {
				fmt.Fprintf(b, " %s |", x.Why)
			} else {
				fmt.Fprintf(b, " %s |", line.of(x))
			}
		}
		b.WriteByte('\n')
	}
}

// seen is what the users of redis-benchmark see.
func (r *Report) seen(b *strings.Builder) {
	rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return row.Generator != Reference })
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n| k requests/s; p50, p99 in ms |")
	for _, s := range r.Servers {
		fmt.Fprintf(b, " %s |", s)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(r.Servers)) + "\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s, pipeline %d, %s |", row.Workload, row.Pipeline, row.Generator)
		for i := range r.Servers {
			fmt.Fprintf(b, " %.0f; %.2f, %.2f |",
				median(row.of(i, func(s Sample) float64 { return float64(s.Requests) / s.Seconds / 1000 })),
				median(row.of(i, func(s Sample) float64 { return s.P50 })),
				median(row.of(i, func(s Sample) float64 { return s.P99 })))
		}
		b.WriteByte('\n')
	}
}
