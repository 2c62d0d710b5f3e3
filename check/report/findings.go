package report

import (
	"cmp"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"rondo/check/history"
	"rondo/check/linear"
)

// A server that breaks a rule breaks it in most components. A finding is one clause broken in one
// way, with how often it was found and its smallest example; what a reader must look at are the
// findings, not the components.

// Finding is one clause, broken in one way, by at least one component of a history.
type Finding struct {
	Clause   string
	Count    int
	Smallest Violation
	Others   []Violation // a few more, next in size
}

// Findings groups the violations of a history, those with the smallest example first.
func (h *History) Findings() []Finding {
	var out []Finding
	at := map[string]int{}
	for _, v := range h.Violations {
		name := v.Clause + " " + cmp.Or(v.Cause, cause(v.Sentence))
		i, seen := at[name]
		if !seen {
			at[name] = len(out)
			out = append(out, Finding{Clause: v.Clause, Count: 1, Smallest: v})
			continue
		}
		f := &out[i]
		f.Count++
		if v.weight() < f.Smallest.weight() {
			f.Smallest, v = v, f.Smallest
		}
		f.Others = append(f.Others, v)
	}
	for i := range out {
		others := out[i].Others
		sort.SliceStable(others, func(a, b int) bool { return others[a].weight() < others[b].weight() })
		out[i].Others = others[:min(len(others), exampleMax)]
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Smallest.weight() < out[j].Smallest.weight() })
	return out
}

// Shown are the findings that stand on the page, Hidden how many do not.
func (h *History) Shown() []Finding {
	all := h.Findings()
	return all[:min(len(all), findingsMax)]
}

func (h *History) Hidden() int { return max(0, len(h.Findings())-findingsMax) }

// cause is what a sentence says without who, what and when: "served at least 3 ms late" of two
// keys is one cause.
func cause(sentence string) string {
	if _, after, found := strings.Cut(sentence, " answered "); found {
		sentence = after
	}
	sentence = clip(sentence, textBytesMax)
	for _, mark := range []string{" although ", ": "} {
		if i := strings.Index(sentence, mark); i >= 0 {
			sentence = sentence[i+len(mark):]
		}
	}
	return varying.ReplaceAllString(sentence, "#")
}

// varying is what differs between two components in which the same thing went wrong.
var varying = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[-+]?[0-9][0-9.,]*`)

// FromComponents picks the illegal components of a judged history, shortest first. Those that were
// not reduced to a core are left out, unless none was.
func FromComponents(components []linear.Component) []Violation {
	var explained, bare []Violation
	for _, c := range components {
		if c.Verdict != linear.Illegal {
			continue
		}
		v := Violation{
			Clause: c.Clause, Sentence: c.Sentence, Keys: c.Keys, Steps: c.Steps, Core: c.Core,
			Cause: c.Cause, Why: c.Why,
			Tag: c.Tag, Origin: c.Origin, Visualization: c.Visualization,
		}
		if len(c.Core) > 0 {
			explained = append(explained, v)
		} else {
			bare = append(bare, v)
		}
	}
	if explained == nil && bare != nil {
		return bare[:1]
	}
	sort.SliceStable(explained, func(i, j int) bool { return explained[i].weight() < explained[j].weight() })
	return explained
}

// weight is how much there is to read. One operation alone takes more than two or three: what it
// contradicts is not shown.
func (v Violation) weight() int {
	if len(v.Core) == 1 {
		return 2*3 + 1
	}
	return 2 * len(v.Core)
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
