package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// Change is a case or history whose verdict is another than in an earlier run.
type Change struct {
	Name   string `json:"name"`
	Of     string `json:"of"`            // "case" or "history"
	Was    string `json:"was,omitempty"` // "" if that run did not have it
	Is     string `json:"is"`
	Reason string `json:"reason,omitempty"`
	Replay string `json:"replay,omitempty"`
	exit   int    // what it adds to the exit status
}

// ReadRun reads a report.json.
func ReadRun(r io.Reader) (*Run, error) {
	var run Run
	if err := json.NewDecoder(r).Decode(&run); err != nil {
		return nil, fmt.Errorf("no report.json: %w", err)
	}
	if run.Version != FormatVersion || run.Tool == "" {
		return nil, fmt.Errorf("no report.json of version %d", FormatVersion)
	}
	return &run, nil
}

// Changes compares with an earlier run, by name. What only this one ran counts as a change if it is
// bad, what only the other ran does not: a selection of cases is no news by itself.
func (r *Run) Changes(before *Run) []Change {
	var changes []Change
	was := before.verdicts()
	for _, c := range r.Cases {
		changes = appendChange(changes, Change{Name: c.Name, Of: "case", Was: was["case "+c.Name], Is: c.Verdict,
			Reason: c.Reason, Replay: c.Replay})
	}
	for _, h := range r.Histories {
		changes = appendChange(changes, Change{Name: h.Name, Of: "history", Was: was["history "+h.Name], Is: h.Verdict,
			Reason: h.Reason, Replay: h.Recheck})
	}
	return changes
}

func (r *Run) verdicts() map[string]string {
	all := map[string]string{}
	for _, c := range r.Cases {
		all["case "+c.Name] = c.Verdict
	}
	for _, h := range r.Histories {
		all["history "+h.Name] = h.Verdict
	}
	return all
}

func appendChange(changes []Change, c Change) []Change {
	c.exit = exitOf(c.Of, c.Is)
	if c.Is == c.Was || c.Was == "" && c.exit == 0 {
		return changes
	}
	return append(changes, c)
}

// exitOf is the exit status that a verdict leads to.
func exitOf(of, verdict string) int {
	for _, d := range Definitions {
		if d.Of == of && d.Verdict == verdict {
			return d.Exit
		}
	}
	return 0
}

// ExitOf is the exit status of a comparison: that of the verdicts that are new, with the precedence
// of Run.Exit. What was bad before and still is does not count.
func ExitOf(changes []Change, r *Run) int {
	seen := map[int]bool{3: len(r.Cases)+len(r.Histories) == 0, 2: r.faultless() != ""}
	for _, c := range changes {
		seen[c.exit] = true
	}
	for _, status := range []int{1, 3, 2} {
		if seen[status] {
			return status
		}
	}
	return 0
}

// TextChanges writes the changes, what is bad now first, and nothing of what stayed.
func TextChanges(w io.Writer, changes []Change, r *Run, color bool) error {
	p := &printer{w: w, color: color}
	for _, bad := range []bool{true, false} {
		for _, c := range changes {
			if (c.exit != 0) != bad {
				continue
			}
			was := c.Was
			if was == "" {
				was = "not run"
			}
			p.printf("%s -> %s  %s\n", was, p.paint(c.Is, c.Is), c.Name)
			if bad {
				p.field("because", c.Reason)
				p.field("replay", c.Replay)
			}
		}
	}
	still := 0
	for _, d := range Definitions {
		if d.Exit != 0 {
			still += r.Count(d.Of, d.Verdict)
		}
	}
	p.printf("%d changes; without a good verdict are %d cases and histories, those of before included\n",
		len(changes), still)
	return p.err
}
