package faults

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"rondo/check/rhythm"
)

// Text prints a report as a table for people.
func (r *Report) Text(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "What the other clients of %s saw: answers, each compared, and how long a probe waited, in ms, before the\n"+
		"fault and during it.\n\n", r.Server)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\tright answers\tp50\tp99\tmax\tp99 before\tratio\tverdict\t")
	for _, res := range r.Results {
		if res.Before.N == 0 {
			fmt.Fprintf(w, "%s\t\t\t\t\t\t\t%s\t\n", res.Fault, res.Verdict)
			continue
		}
		d := res.During
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%.1f\t%s\t\n", res.Fault, res.Right, rhythm.Ms(d.P50),
			rhythm.Ms(d.P99), rhythm.Ms(d.Max), rhythm.Ms(res.Before.P99), res.Ratio(), res.Verdict)
	}
	w.Flush()
	b.WriteByte('\n')
	for _, res := range r.Results {
		fmt.Fprintf(&b, "%-14s %s", res.Fault, res.What)
		if res.Note != "" {
			fmt.Fprintf(&b, " (%s)", res.Note)
		}
		b.WriteByte('\n')
		if res.Reason != "" {
			fmt.Fprintf(&b, "%14s %s: %s\n", "", res.Verdict, res.Reason)
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}
