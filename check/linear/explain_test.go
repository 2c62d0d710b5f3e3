package linear

import (
	"strings"
	"testing"
	"time"
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
