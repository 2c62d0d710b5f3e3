package report

import (
	"fmt"
	"strings"

	"rondo/check/history"
)

// Fault is something that was done to the server from outside while a history was recorded.
type Fault struct {
	Name    string `json:"name"`
	From    int64  `json:"from"`         // ns on the history's clock
	To      int64  `json:"to,omitempty"` // left out if its end was not seen
	Outcome string `json:"outcome,omitempty"`
}

// FaultsOf are the marks of a recording, within a bound, as reports list them.
func FaultsOf(marks []history.Mark) []Fault {
	var out []Fault
	for _, m := range marks[:min(len(marks), faultsMax)] {
		f := Fault{Name: cut(m.Name), From: m.From, To: m.To, Outcome: cut(m.Outcome)}
		if m.To == history.Never {
			f.To = 0
		}
		out = append(out, f)
	}
	return out
}

// When says when, in seconds of the recording.
func (f Fault) When() string {
	if f.To == 0 {
		return fmt.Sprintf("from %.3f s on", float64(f.From)/1e9)
	}
	return fmt.Sprintf("from %.3f to %.3f s", float64(f.From)/1e9, float64(f.To)/1e9)
}

// FaultTally counts the faults of a recording: a list of them is bounded, and a command that failed
// did nothing to the server as far as anybody knows.
type FaultTally struct {
	Run     int    `json:"run"`
	Failed  int    `json:"failed"`
	Failure string `json:"failure,omitempty"` // how one of them failed
}

// Count adds the marks of a recording.
func (t *FaultTally) Count(marks []history.Mark) {
	for _, m := range marks {
		t.Run++
		if !strings.HasPrefix(m.Outcome, "exit status 0") {
			t.Failed++
			t.Failure = cut(m.Outcome)
		}
	}
}

// String is "7 run, 2 failed (exit status 3)".
func (t FaultTally) String() string {
	text := fmt.Sprintf("%d run, %d failed", t.Run, t.Failed)
	if t.Failed > 0 {
		text += " (" + t.Failure + ")"
	}
	return text
}

// faults are those of all histories.
func (r *Run) faults() (sum FaultTally) {
	for _, h := range r.Histories {
		sum.Run += h.FaultTally.Run
		sum.Failed += h.FaultTally.Failed
		if h.FaultTally.Failed > 0 {
			sum.Failure = h.FaultTally.Failure
		}
	}
	return sum
}

// FaultLine is what became of the faults that were asked for; "" if none were.
func (r *Run) FaultLine() string {
	if r.Fault == "" || len(r.Histories) == 0 {
		return ""
	}
	line := r.faults().String()
	var without []string
	for _, h := range r.Histories {
		if h.FaultTally.Run == 0 {
			without = append(without, h.Name)
		}
	}
	if len(without) > 0 && len(without) < len(r.Histories) {
		line += "; none during " + strings.Join(without, ", ")
	}
	return line
}

// faultless says why a run that asked for faults says nothing about them; "" if it does.
func (r *Run) faultless() string {
	sum := r.faults()
	switch {
	case r.Fault == "" || len(r.Histories) == 0 || sum.Run > sum.Failed:
		return ""
	case sum.Run == 0:
		return "none was run, the recordings were over before. Give the run more time (-duration 1m), or " +
			"the faults less between them (-fault-every)."
	}
	return fmt.Sprintf("all %d failed (%s). Mend the command; it succeeds with exit status 0.", sum.Run, sum.Failure)
}
