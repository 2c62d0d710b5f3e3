package linear_test

import (
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/synth"
)

// TestPower: where no reply tells a deadline, a server is convicted from the slack plus 1 ms on,
// late or (at the latest) early; a PTTL tells the tick, and then slack hardly matters; and a run
// without deadlines shows nothing about expiry. It is the same whether the recorded server was good.
func TestPower(t *testing.T) {
	const ms = int64(time.Millisecond)
	slacks := []int64{0, 1, 2, 5, 10}
	if testing.Short() {
		slacks = []int64{0, 2}
	}
	for _, g := range slacks {
		for _, late := range []int64{0, 7} {
			h := synth.Make(synth.Options{Mix: "hidden", Ops: 10_000, Keys: 40, LateMs: late})
			h.Meta.Slack = g * ms
			p := linear.MeasurePower(h, linear.PowerOptions{Budget: time.Minute})
			if p.Reason != "" || p.LateMs != g+1 || p.EarlyMs < 1 || p.EarlyMs > g+2 || p.Ops != 10_000 {
				t.Errorf("slack %d, recorded from a server %d ms late: %v, %+v", g, late, p, p)
			}
		}
		h := synth.Make(synth.Options{Mix: "full", Ops: 10_000, Keys: 40})
		h.Meta.Slack = g * ms
		if p := linear.MeasurePower(h, linear.PowerOptions{Budget: time.Minute}); p.LateMs == 0 || p.LateMs > g+1 {
			t.Errorf("slack %d, all commands: %v", g, p)
		}
	}
}

// TestNoPower: what cannot convict says so.
func TestNoPower(t *testing.T) {
	h := synth.Make(synth.Options{Mix: "register", Ops: 2_000, Keys: 40})
	p := linear.MeasurePower(h, linear.PowerOptions{})
	if p.LateMs != 0 || p.EarlyMs != 0 || p.Reason != "" || p.Ops == 0 {
		t.Errorf("no command sets a deadline, and yet: %v", p)
	}
	if p := linear.MeasurePower(&history.History{}, linear.PowerOptions{}); p.Reason == "" {
		t.Errorf("an empty recording: %v", p)
	}
	for _, o := range []synth.Options{ // nothing is said of a correct server, however it is recorded
		{Mix: "tx", Ops: 3_000, Keys: 60, Loss: 0.01},
		{Mix: "full", Ops: 3_000, Keys: 60, Loss: 0.01, Clients: 4, Pipeline: 3},
	} {
		if p := linear.MeasurePower(synth.Make(o), linear.PowerOptions{Budget: time.Minute}); p.Reason != "" ||
			p.LateMs != 1 || p.EarlyMs != 1 {
			t.Errorf("%s: %v", o.Mix, p)
		}
	}
}

func TestPowerIsBounded(t *testing.T) {
	h := synth.Make(synth.Options{Mix: "hidden", Ops: 20_000, Keys: 40})
	p := linear.MeasurePower(h, linear.PowerOptions{OpsMax: 2_000})
	if p.Ops > 2_000 || p.Ops < 1_000 || p.LateMs == 0 {
		t.Errorf("%+v", p)
	}
	h = synth.Make(synth.Options{Mix: "hidden", Ops: 5_000, Think: time.Millisecond})
	if p := linear.MeasurePower(h, linear.PowerOptions{OpsMax: 2_000}); p.Ops != 2_000 || p.LateMs == 0 {
		t.Errorf("one component: %+v", p)
	}
}
