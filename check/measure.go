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
	powerBudget    = 2 * time.Second
)

// measured tells how stale the target's clock must be for the history to be legal, and what error of
// its expiry this very recording would have convicted.
func measured(h *history.History, res linear.Result, opt linear.Options) []report.Figure {
	if res.Verdict == linear.Error || res.Judged == 0 || res.Ops > measuredOpsMax {
		return nil
	}
	return []report.Figure{
		{Name: "smallest slack that makes it legal", Value: smallestSlack(h, res, opt), Main: true},
		{Name: "power: expiry would be convicted", Main: true, Value: linear.MeasurePower(h,
			linear.PowerOptions{Options: opt, Seed: uint64(h.Meta.Seed), Budget: powerBudget}).String()},
	}
}

func smallestSlack(h *history.History, res linear.Result, opt linear.Options) string {
	if res.Verdict == linear.OK && h.Meta.Slack == 0 {
		return "0 ms"
	}
	opt.Timeout = min(opt.Timeout, powerBudget)
	s := linear.SmallestSlack(h, slackMostMs, opt)
	if s.Found {
		return fmt.Sprintf("%d ms", s.Ms)
	}
	return "none: " + s.Reason
}
