package linear

import (
	"time"

	"rondo/check/history"
)

// Full is full, for the tests in package linear_test.
func Full() bool { return full() }

// SplitFirst prepares the first component of a history; what it returns lets the own engine decide
// it, for the measurements in package linear_test.
func SplitFirst(h *history.History) func(time.Duration) (v Verdict, ops int, nodes, moment int64, why string) {
	p := split(h)[0]
	return func(limit time.Duration) (Verdict, int, int64, int64, string) {
		out := p.decide(Options{Timeout: limit}.withDefaults())
		return out.verdict, len(p.units), out.nodes, out.moment, out.reason
	}
}
