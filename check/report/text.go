package report

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// Text writes the summary for a terminal: what is wrong first, each with the command that replays
// it, then the counts. With color, verdicts are coloured by ANSI sequences.
func Text(w io.Writer, r *Run, color bool) error {
	p := &printer{w: w, color: color}
	for _, c := range r.CasesBySeverity() {
		p.textCase(c)
	}
	for _, h := range r.Histories {
		p.textHistory(h)
	}
	p.printf("\n")
	if len(r.Cases) > 0 {
		p.printf("cases      %s\n", r.counts("case"))
	}
	if len(r.Histories) > 0 {
		p.printf("histories  %s\n", r.counts("history"))
	}
	if line := r.FaultLine(); line != "" {
		p.printf("faults     %s\n", line)
	}
	if d := r.Detection; d != nil {
		p.printf("detection  %d bugs and none, %d cells, %d below what must be seen\n", len(d.Rows)-1,
			len(d.Rows)*len(d.Slacks), d.Below())
	}
	if r.Rhythm != nil {
		p.printf("rhythm     %s\n", strings.Join(r.Rhythm.Longest(), " "))
	}
	p.unasked(r, NotRun, "not run  ")
	p.unasked(r, "skip", "skipped  ")
	if r.Power != nil {
		p.printf("power      %d of %d mutants would have been convicted by this run\n", r.Power.Killed, r.Power.Mutants)
		missed := r.Power.Survivors()
		some := missed[:min(len(missed), survivorsListed)]
		p.field("but not", strings.Join(some, ", "))
		if more := len(missed) - len(some); more > 0 {
			p.field("", fmt.Sprintf("and %d more; see report.json", more))
		}
	}
	p.printf("\n%s\n", p.paint(r.worst(), r.Conclusion()))
	return p.err
}

func (p *printer) textCase(c Case) {
	switch c.Verdict {
	case "fail", "error", Listed:
		p.printf("\n%s  %s  (%s)\n", p.paint(c.Verdict, c.Verdict), c.Name, strings.Join(c.Clauses, " "))
		p.field("because", c.because())
		p.field("sent", c.Sent)
		p.field("expected", c.Expected)
		p.field("actual", c.Actual)
		p.field("replay", c.Replay)
	case "non-strict", Known:
		p.printf("%s  %s: %s\n", p.paint(c.Verdict, c.Verdict), c.Name, c.Reason)
	}
}

// because is the reason, unless it only says again what was expected and what came.
func (c Case) because() string {
	if c.Expected != "" && strings.HasPrefix(c.Reason, "expected ") {
		return ""
	}
	return c.Reason
}

// unasked says how many cases have a verdict without evidence, by reason.
func (p *printer) unasked(r *Run, verdict, head string) {
	n := map[string]int{}
	var reasons []string
	for _, c := range r.Cases {
		if c.Verdict == verdict {
			if n[c.Reason]++; n[c.Reason] == 1 {
				reasons = append(reasons, c.Reason)
			}
		}
	}
	sort.SliceStable(reasons, func(i, j int) bool { return n[reasons[i]] > n[reasons[j]] })
	for i, reason := range reasons {
		if i == skipReasonsMax {
			p.printf("%s  others, for %d more reasons; see the page\n", head, len(reasons)-i)
			break
		}
		p.printf("%s  %d: %s\n", head, n[reason], reason)
	}
}

func (p *printer) textHistory(h History) {
	if h.Verdict == NotRun {
		p.printf("%s  %s: %s\n", NotRun, h.Name, h.Reason)
		return
	}
	p.printf("%s  %s: %d operations, %d connections, %d components", p.paint(h.Verdict, h.Verdict),
		h.Name, h.Ops, h.Clients, h.Components)
	if h.Reason != "" {
		p.printf(": %s", h.Reason)
	}
	p.printf("\n")
	findings := h.examples()
	for i, f := range findings {
		if i == textViolationsMax {
			p.printf("  and %s; see the page\n", plural(len(findings)-i, "more finding"))
			break
		}
		p.printf("  %s  %s\n", f.Clause, cut(f.Smallest.Sentence))
		if f.Count > 1 {
			p.printf("    in %d components; the smallest example:\n", f.Count)
		}
		for _, step := range f.Smallest.Listed() {
			p.printf("    %s\n", step)
		}
		for _, line := range f.Smallest.Why[:min(len(f.Smallest.Why), stepsMax)] {
			p.printf("      %s\n", clip(line, stepBytesMax))
		}
	}
	for _, u := range h.Undecided {
		p.printf("  unknown  %s: %s\n", brief(u.Keys), u.Reason)
	}
	for _, f := range h.Figures {
		if f.Main {
			p.printf("    %s: %s\n", f.Name, f.Value)
		}
	}
	if h.Verdict != HistoryOK {
		p.field("recheck", h.Recheck)
	}
}

// counts is "3 fail  120 pass": every verdict that occurred.
func (r *Run) counts(of string) string {
	var parts []string
	for _, t := range r.tally(of) {
		parts = append(parts, fmt.Sprintf("%d %s", t.N, t.Verdict))
	}
	return strings.Join(parts, "  ")
}

func (r *Run) worst() string {
	return map[int]string{0: "pass", 1: "fail", 2: "unknown", 3: "error"}[r.Exit()]
}

type printer struct {
	w     io.Writer
	color bool
	err   error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) field(name, text string) {
	if text != "" {
		p.printf("  %-9s %s\n", name, strings.ReplaceAll(text, "\n", "\n            "))
	}
}

func (p *printer) paint(verdict, text string) string {
	if !p.color {
		return text
	}
	code := map[string]string{
		"pass": "32", "ok": "32", "fail": "31", Listed: "31", "illegal": "31", "error": "35",
		Known: "33", "non-strict": "33", "unknown": "33", "vacuous": "33",
	}[verdict]
	if code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
