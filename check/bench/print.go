package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
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
			cpu := row.ratios(i+1, Sample.CPU)
			fmt.Fprintf(&b, " %.2f [%.2f-%.2f]; %.2f |", median(cpu), cpu[0], cpu[len(cpu)-1],
				median(row.ratios(i+1, func(s Sample) float64 { return s.User })))
		}
		b.WriteByte('\n')
	}
	r.seen(&b)
	b.WriteString("\n| memory |")
	for _, s := range r.Servers {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(r.Servers)) + "\n")
	fmt.Fprintf(&b, "| bytes a key, %d keys |", r.Memory[0].Keys)
	for _, m := range r.Memory {
		fmt.Fprintf(&b, " %.1f |", m.PerKey)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(to, b.String())
	return err
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
