package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A project that cannot mend everything at once lists what is known to be wrong, so that its CI
// fails for what is new. The list is a file of lines:
//
//	# what our server does otherwise, on purpose or not yet
//	STR-14            SETRANGE of nothing makes a key; see our issue 12
//	script/flush      FLUSHALL takes no SYNC
//	?history/expiry   TTLs end late under load: may fail, may pass
//
// The first word is a clause, or the name of a case or history; the rest is the reason, and must be
// there. What is listed and fails is "known". What is listed and does not fail any more is "listed",
// and fails the run until it is taken off, unless its line begins with a question mark.

// Verdicts of what a list of expectations names.
const (
	Known  = "known"
	Listed = "listed"
)

// Expectation is one line of such a list.
type Expectation struct {
	What   string // a clause, a case or a history
	Reason string
	May    bool // it may pass as well
	Line   int
}

// ReadExpectations reads a list; exists says whether a clause, case or history has that name.
func ReadExpectations(r io.Reader, exists func(name string) bool) ([]Expectation, error) {
	var list []Expectation
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		e := Expectation{Line: n}
		text, e.May = strings.CutPrefix(text, "?")
		what, reason, _ := strings.Cut(text, " ")
		e.What, e.Reason = what, strings.TrimSpace(reason)
		switch {
		case !exists(e.What):
			return nil, fmt.Errorf("line %d: there is no clause, case or history %q", n, e.What)
		case e.Reason == "":
			return nil, fmt.Errorf("line %d: %s has no reason: say why it is expected", n, e.What)
		case slices.ContainsFunc(list, func(o Expectation) bool { return o.What == e.What }):
			return nil, fmt.Errorf("line %d: %s is listed twice", n, e.What)
		}
		list = append(list, e)
	}
	return list, lines.Err()
}

// Expect marks what the list of a file names, and adds a case for each line that is out of date.
func (r *Run) Expect(file string, list []Expectation) {
	r.ExpectedIn = file
	failing, passing := map[string]bool{}, map[string]bool{} // names and clauses
	for i := range r.Cases {
		c := &r.Cases[i]
		names := append([]string{c.Name}, c.Clauses...)
		switch c.Verdict {
		case "fail":
			note(failing, names)
			if e := find(list, names...); e != nil {
				c.Verdict, c.Reason = Known, e.Reason+" ("+c.Reason+")"
			}
		case "pass", "non-strict", "info":
			note(passing, names)
		}
	}
	for i := range r.Histories {
		h := &r.Histories[i]
		switch h.Verdict {
		case HistoryIllegal:
			note(failing, []string{h.Name})
			for _, v := range h.Violations {
				note(failing, []string{v.Clause})
			}
			if reasons := h.reasons(list); reasons != "" {
				h.Verdict, h.Reason = Known, reasons+" ("+h.Reason+")"
			}
		case HistoryOK:
			note(passing, append([]string{h.Name}, h.Clauses...))
		}
	}
	for _, e := range list {
		if !e.May && passing[e.What] && !failing[e.What] {
			r.Cases = append(r.Cases, Case{Name: "expect/" + e.What, Verdict: Listed,
				Reason: fmt.Sprintf("line %d of the list expects %s to fail (%s), and it does not", e.Line, e.What, e.Reason)})
		}
	}
	r.TabulateClauses()
}

func note(in map[string]bool, names []string) {
	for _, name := range names {
		in[name] = true
	}
}

func find(list []Expectation, names ...string) *Expectation {
	for i := range list {
		if slices.Contains(names, list[i].What) {
			return &list[i]
		}
	}
	return nil
}

// reasons are those of the list for an illegal history: by its name, or for every clause that it
// breaks; "" if one of them is not expected.
func (h *History) reasons(list []Expectation) string {
	if e := find(list, h.Name); e != nil {
		return e.Reason
	}
	var reasons []string
	for _, v := range h.Violations {
		e := find(list, v.Clause)
		if e == nil {
			return ""
		}
		if !slices.Contains(reasons, e.Reason) {
			reasons = append(reasons, e.Reason)
		}
	}
	return strings.Join(reasons, ", ")
}

// WriteExpectations writes the list that expects what fails in this run. What was seen stands above
// each line as a comment; the reason is for a person to give.
func WriteExpectations(w io.Writer, r *Run) error {
	p := &printer{w: w}
	p.printf("# what fails on %s; for each say why it is expected, and until when\n", r.Target.Name)
	line := func(name, seen string) {
		p.printf("\n# %s\n%-28s %s\n", strings.Join(strings.Fields(seen), " "), name, noReason)
	}
	for _, c := range r.Cases {
		if c.Verdict == "fail" {
			line(c.Name, c.gist())
		}
	}
	for _, h := range r.Histories {
		if h.Verdict == HistoryIllegal {
			line("?"+h.Name, h.Reason)
		}
	}
	return p.err
}

const noReason = "no reason given yet"

// nothingNew is the conclusion of a run in which only what was expected fails.
func (r *Run) nothingNew(known int) string {
	are := "are"
	if known == 1 {
		are = "is"
	}
	return fmt.Sprintf("%s does nothing new: %s %s listed in %s; %s.", r.Target.Name,
		plural(known, "known failure"), are, r.ExpectedIn,
		r.both("%d of %d cases pass", "pass", "%d of %d histories are ok", HistoryOK))
}

// outOfDate is the conclusion of a run in which something expected does not fail.
func (r *Run) outOfDate(lines int) string {
	if lines == 1 {
		return r.ExpectedIn + " is out of date: one of its lines names what does not fail any more."
	}
	return fmt.Sprintf("%s is out of date: %d of its lines name what does not fail any more.", r.ExpectedIn, lines)
}
