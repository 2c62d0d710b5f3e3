package linear_test

import (
	"strings"
	"testing"
	"time"

	"rondo/check/linear"
	"rondo/check/synth"
)

// TestSmallestSlack: a server that refreshes its clock every C ms is stale by up to C - 1 ms, and
// no recording of it needs more; a good recording needs nearly as much. One with a true clock needs
// none, and one whose error has nothing to do with a clock is beyond all slack.
func TestSmallestSlack(t *testing.T) {
	seeds := uint64(1)
	if linear.Full() {
		seeds = 4
	}
	for _, c := range []int64{0, 2, 5, 10} {
		for seed := range seeds {
			h := synth.Make(synth.Options{Mix: "hidden", Ops: 10_000, Keys: 40, Seed: seed,
				Cached: time.Duration(c) * time.Millisecond})
			got := linear.SmallestSlack(h, 100, linear.Options{})
			if !got.Found || got.Ms > max(0, c-1) || got.Ms < c*6/10 {
				t.Errorf("a clock of %d ms, seed %d: measured %+v", c, seed, got)
			}
			h.Meta.Slack = got.Ms * time.Millisecond.Nanoseconds()
			if r := linear.Check(h, linear.Options{}); r.Verdict != linear.OK {
				t.Errorf("%d ms was measured, but with it the verdict is %s", got.Ms, r.Verdict)
			}
			h.Meta.Slack -= time.Millisecond.Nanoseconds()
			if r := linear.Check(h, linear.Options{}); got.Ms > 0 && r.Verdict != linear.Illegal {
				t.Errorf("%d ms was measured, but with 1 less the verdict is %s", got.Ms, r.Verdict)
			}
		}
	}
	h := synth.Make(synth.Options{Mix: "full", Ops: 4_000, Keys: 40, Bug: "PERSIST does nothing"})
	got := linear.SmallestSlack(h, 100, linear.Options{})
	if got.Found || got.Ms != 100 || !strings.Contains(got.Reason, "illegal with a slack of 100 ms too") {
		t.Errorf("an error that no clock explains: %+v", got)
	}
}
