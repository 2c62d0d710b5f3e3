package linear

import (
	"strings"
	"testing"
	"time"

	"rondo/check/history"
)

// TestUnproven: an explanation that reaches a bound claims no more than it knows. Before a core it
// accuses nobody and gives no reasons, after it no rule; with effort and time enough it has all.
func TestUnproven(t *testing.T) {
	for _, tt := range twins {
		for _, p := range split(recorded(tt.bad...)) {
			was := judge(p, Options{}.withDefaults())
			if was.Verdict != Illegal {
				continue
			}
			c := was
			explain(p, &c, 2*explainRunsMax, time.Minute)
			if !c.Unproven || c.Clause != "LIN-3" || c.Why != nil || c.Facts != nil || len(c.Steps) == 0 ||
				!strings.Contains(c.Sentence, "not proven (the effort for it ran out)") ||
				strings.Contains(c.Sentence, " answered ") {
				t.Errorf("%s without effort: %+v", tt.name, c)
			}
			if f := findings([]Component{c, was}); len(f) != 2 {
				t.Errorf("%s: what is unproven shares a finding with what was not looked into", tt.name)
			}
			timeless := was
			explain(p, &timeless, 1, 0)
			if timeless.Why != nil || timeless.Cause != causeNoRule && !timeless.Unproven {
				t.Errorf("%s without time: %+v", tt.name, timeless)
			}
			explain(p, &was, 1, time.Minute)
			if was.Unproven || strings.Contains(was.Sentence, "not proven") {
				t.Errorf("%s with all effort: %s", tt.name, was.Sentence)
			}
			if f := findings([]Component{was, c}); f[0].Count+f[1].Count != 2 || was.Reading() > c.Reading() {
				t.Errorf("%s: a core that proves nothing is the better example", tt.name)
			}
		}
	}
}

// An illegal history as old and as long as one may be is explained like any other: no sum of its times
// is beyond 64 bits.
func TestTimesAtTheirBounds(t *testing.T) {
	for _, call := range []int64{-history.TimeMax, history.TimeMax - 10} {
		h := &history.History{Ops: []history.Op{
			{Client: 1, Call: call, Return: max(call+1, 0), Cmd: words("SET", "k", "v"), Reply: ok},
			{Client: 2, Call: call + 5, Return: history.TimeMax, Cmd: words("GET", "k"), Reply: num(7)},
		}}
		h.Meta.Offset = &history.Offset{Low: -history.TimeMax, High: history.TimeMax}
		if res := Check(h, Options{}); res.Verdict != Illegal || len(res.Components[0].Core) == 0 {
			t.Errorf("called at %d: %s, %s", call, res.Verdict, res.Reason)
		}
	}
}
