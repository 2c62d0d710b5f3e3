package linear_test

import (
	"testing"
	"time"

	"rondo/check/linear"
	"rondo/check/synth"
)

// TestSeveralKeys: a component of several keys with transactions, WATCH, RENAME and COPY, of a size
// that no other test of this package has, is decided.
func TestSeveralKeys(t *testing.T) {
	ops := 3000
	switch {
	case linear.Full():
		ops = 10_000
	case testing.Short():
		ops = 1000
	}
	for _, keys := range []int{2, 3, 5} {
		h := synth.Make(synth.Options{Mix: "tx", Ops: ops, Clients: 8, Keys: keys, Seed: uint64(keys)})
		started := time.Now()
		res := linear.Check(h, linear.Options{Timeout: time.Minute})
		if res.Verdict != linear.OK {
			t.Errorf("%d keys: %s %s", keys, res.Verdict, res.Reason)
		}
		t.Logf("%d keys, %d operations in %d components: %v",
			keys, res.Judged, len(res.Components), time.Since(started).Round(time.Millisecond))
	}
	h := synth.Make(synth.Options{Mix: "tx", Ops: ops / 2, Keys: 3, Seed: 9, Loss: 0.02})
	if res := linear.Check(h, linear.Options{Timeout: time.Minute}); res.Verdict != linear.OK {
		t.Errorf("%d without a reply: %s %s", res.Unanswered, res.Verdict, res.Reason)
	}
	h = synth.Make(synth.Options{Mix: "tx", Ops: 1000, Keys: 3, Seed: 5, Bug: "expires 3 ms early"})
	if res := linear.Check(h, linear.Options{Timeout: 20 * time.Second}); res.Verdict != linear.Illegal {
		t.Errorf("keys that expire 3 ms early: %s %s", res.Verdict, res.Reason)
	}
}
