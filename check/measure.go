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
	bounded := opt.linear()
	bounded.Timeout = min(bounded.Timeout, measureBudget)
	slack := "0 ms"
	if judged.Verdict != report.HistoryOK || h.Meta.Slack > 0 {
		slack = smallestSlack(h, bounded)
	}
	power := linear.MeasurePower(h, linear.PowerOptions{Options: bounded, Seed: uint64(h.Meta.Seed),
		OpsMax: powerOpsMax, Budget: measureBudget})
	return []report.Figure{
		{Name: "smallest slack that makes it legal", Value: slack, Main: true},
		{Name: "power: expiry would be convicted", Value: power.String(), Main: true},
	}
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
