package report

import (
	"fmt"
	"slices"
	"sort"

	"rondo/check/history"
	"rondo/check/linear"
)

// A server that breaks a rule breaks it in most components. A finding is one clause broken in one
// way, as the judge has grouped the components; what a reader must look at are the findings, not the
// components.

// Finding is one clause, broken in one way, by so many components of a history. Those that a report
// holds are among its violations, with the same clause and cause.
type Finding struct {
	Clause string `json:"clause"`
	Cause  string `json:"cause,omitempty"`
	Count  int    `json:"count"`
}

// Add adds findings, some of which the history may have already, and violations.
func (h *History) Add(findings []Finding, violations ...Violation) {
	for _, f := range findings {
		at := slices.IndexFunc(h.Findings, func(o Finding) bool { return o.Clause == f.Clause && o.Cause == f.Cause })
		if at < 0 {
			h.Findings = append(h.Findings, f)
		} else {
			h.Findings[at].Count += f.Count
		}
	}
	h.Violations = append(h.Violations, violations...)
}

// shown is a finding with its examples.
type shown struct {
	Finding
	Smallest Violation
	Others   []Violation // a few more, next in size
}

// examples are the findings of which the history has an example: what is proven first, then what is
// frequent.
func (h *History) examples() []shown {
	var out []shown
	for _, f := range h.Findings {
		var of []Violation
		for _, v := range h.Violations {
			if v.Clause == f.Clause && v.Cause == f.Cause {
				of = append(of, v)
			}
		}
		slices.SortStableFunc(of, func(a, b Violation) int { return a.Size - b.Size })
		if len(of) > 0 {
			out = append(out, shown{f, of[0], of[1:min(len(of), 1+exampleMax)]})
		}
	}
	slices.SortStableFunc(out, func(a, b shown) int {
		if a.Smallest.Unproven != b.Smallest.Unproven {
			return map[bool]int{false: -1, true: 1}[a.Smallest.Unproven]
		}
		return b.Count - a.Count
	})
	return out
}

// Shown are the findings that stand on the page, Hidden how many do not.
func (h *History) Shown() []shown {
	all := h.examples()
	return all[:min(len(all), findingsMax)]
}

func (h *History) Hidden() int { return max(0, len(h.examples())-findingsMax) }

// FromFindings are the judge's findings.
func FromFindings(findings []linear.Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		out = append(out, Finding{f.Clause, f.Cause, f.Count})
	}
	return out
}

// FromComponents picks the illegal components of a judged history, shortest first. Those that were
// not reduced to a core are left out, unless none was.
func FromComponents(components []linear.Component) []Violation {
	var illegal []linear.Component
	for _, c := range components {
		if c.Verdict == linear.Illegal {
			illegal = append(illegal, c)
		}
	}
	slices.SortStableFunc(illegal, func(a, b linear.Component) int { return a.Reading() - b.Reading() })
	var out []Violation
	for _, c := range illegal {
		if len(c.Core) == 0 && len(out) > 0 {
			break
		}
		out = append(out, Violation{
			Clause: c.Clause, Sentence: c.Sentence, Keys: c.Keys, Steps: c.Steps, Core: c.Core,
			Cause: c.Cause, Why: c.Why, Unproven: c.Unproven, Size: c.Reading(),
			ExplainedMs: c.Explained.Milliseconds(),
			Tag:         c.Tag, Origin: c.Origin, Visualization: c.Visualization,
		})
	}
	return out
}

// Listed are the steps as the page and the terminal list them, with the numbers that the drawing and
// the facts use (first the core, in its order), within bounds: of a long counterexample the end, where the contradiction is.
func (v Violation) Listed() []string {
	steps := v.Steps
	var out []string
	if left := len(steps) - stepsMax; left > 0 {
		out = append(out, plural(left, "earlier operation")+" not shown")
		steps = steps[left:]
	}
	for i, step := range steps {
		out = append(out, clip(fmt.Sprintf("%2d  %s", len(v.Steps)-len(steps)+i+1, step), stepBytesMax))
	}
	return out
}

// interval is how steps write an operation's call and return.
func (v Violation) interval(op history.Op) string {
	ms := func(ns int64) string { return fmt.Sprintf("%.3f", float64(ns-v.Origin)/1e6) }
	if op.Return == history.Never {
		return "[" + ms(op.Call) + ", never]"
	}
	return "[" + ms(op.Call) + ", " + ms(op.Return) + "]"
}

// Undecided is a component that no verdict was reached on.
type Undecided struct {
	Keys    []string `json:"keys"`
	Ops     int      `json:"ops"`
	Clients int      `json:"clients"`
	Reason  string   `json:"reason"` // which bound ended the search, and where it was
}

// UndecidedOf names the components without a verdict, the largest first.
func UndecidedOf(components []linear.Component) []Undecided {
	var out []Undecided
	for _, c := range components {
		if c.Verdict == linear.Unknown {
			out = append(out, Undecided{Keys: c.Keys, Ops: c.Ops, Clients: c.Clients, Reason: c.Reason})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Ops > out[j].Ops })
	return out[:min(len(out), unknownMax)]
}
