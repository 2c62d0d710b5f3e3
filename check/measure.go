package check

import (
	"fmt"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/report"
)

// What a history says beyond its verdict is found by judging it, or its like, some more times. That
// has these bounds: beyond so many operations it is left out.
const (
	measuredOpsMax = 100_000
	slackMostMs    = 1000
	powerOpsMax    = 10_000
	measureBudget  = 2 * time.Second
)

// measured tells how stale the target's clock must be for the history to be legal, and what error
// of its expiry this very recording would have convicted.
func (opt Options) measured(h *history.History, judged report.History) []report.Figure {
	if opt.Unmeasured || len(h.Ops) > measuredOpsMax ||
		judged.Verdict == report.HistoryError || judged.Verdict == report.HistoryVacuous {
		return nil
	}
	return []report.Figure{opt.slackOf(h, judged.Verdict), opt.powerOf(h)}
}

// sample is a part of what an online run recorded, to be judged again.
type sample struct {
	history *history.History
	of      string // which part
}

// figures says of each what it was measured on.
func (s *sample) figures(of ...report.Figure) []report.Figure {
	for i := range of {
		of[i].Value += fmt.Sprintf(" (measured on %s, %d operations)", s.of, len(s.history.Ops))
	}
	return of
}

func (opt Options) measuring() linear.Options {
	out := opt.linear()
	out.Timeout = min(out.Timeout, measureBudget)
	return out
}

func (opt Options) slackOf(h *history.History, verdict string) report.Figure {
	slack := "0 ms"
	if verdict != report.HistoryOK || h.Meta.Slack > 0 {
		slack = smallestSlack(h, opt.measuring())
	}
	return report.Figure{Name: "smallest slack that makes it legal", Value: slack, Main: true}
}

func (opt Options) powerOf(h *history.History) report.Figure {
	power := linear.MeasurePower(h, linear.PowerOptions{Options: opt.measuring(), Seed: uint64(h.Meta.Seed),
		OpsMax: powerOpsMax, Budget: measureBudget})
	return report.Figure{Name: "power: expiry would be convicted", Value: power.String(), Main: true}
}

// graded tells what holds of an illegal history all the same, and what not.
func graded(res linear.Result) []report.Figure {
	var out []report.Figure
	for _, g := range res.Grades {
		f := report.Figure{Name: g.Claim, Value: "still holds", Main: true}
		switch g.Verdict {
		case linear.Illegal:
			f.Value = "does not hold either, " + g.Reason
		case linear.Unknown:
			f.Value = "unknown: " + g.Reason
		}
		out = append(out, f)
	}
	return out
}

func smallestSlack(h *history.History, opt linear.Options) string {
	s := linear.SmallestSlack(h, slackMostMs, opt)
	if s.Found {
		return fmt.Sprintf("%d ms", s.Ms)
	}
	return "none: " + s.Reason
}
