package check

import (
	"strings"
	"testing"

	"rondo/check/linear"
	"rondo/check/workload"
)

// fitting is, for some mutants, a mix that shows them and the clauses that say what they do. A core
// of theirs may break another as well: an increment that was lost may look like a key that expired
// and was set again, and one who reads an older value than it has just sent itself, in one pipeline, may
// as well have been served out of order.
var fitting = []struct{ fault, mix, clauses string }{
	{"expires 20 ms late", "expiry", "TIME-5 TIME-6"},
	{"expires 20 ms late", "counter", "TIME-5 TIME-6"},
	{"expires 5 ms early", "counter", "TIME-5 TIME-6"},
	{"lost INCR", "counter", "LIN-3"},
	{"stale read", "register", "LIN-2 LIN-3 LIN-6"},
	{"WATCH ignored", "tx", "LIN-8"},
	{"EXEC not atomic", "tx", "LIN-7"},
	{"timeouts early", "queue", "BLOCK-4 TIME-5 LIN-3"},
	{"an element for two", "queue", "LIN-3 LIN-2"},
}

// TestClausesFit counts the clauses that the judge cites for a mutant: most are those of its fault,
// and one whose only fault is its clock is never accused of an order.
func TestClausesFit(t *testing.T) {
	ops := 3000
	if testing.Short() {
		ops = 1000
	}
	for _, tt := range fitting {
		t.Run(tt.fault+"/"+tt.mix, func(t *testing.T) {
			target, stop, err := serveMutant(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			h, _, err := workload.Run(t.Context(), target, workload.Options{Clients: 8, Ops: ops, Seed: 1, Mix: tt.mix})
			if err != nil {
				t.Fatal(err)
			}
			cited := map[string]int{}
			all, unfit, unknown := 0, 0, 0
			for _, c := range linear.Check(h, linear.Options{}).Components {
				if c.Verdict != linear.Illegal {
					continue
				}
				all++
				cited[c.Clause+" "+c.Cause]++
				if strings.HasSuffix(tt.fault, "late") && strings.HasSuffix(c.Sentence, "early") ||
					strings.HasSuffix(tt.fault, "early") && strings.HasSuffix(c.Sentence, "late") {
					t.Errorf("the opposite: %s", c.Sentence)
				}
				switch {
				case strings.HasSuffix(c.Cause, "not known"), strings.HasSuffix(c.Cause, "not proven"):
					unknown++
				case strings.Contains(tt.clauses, c.Clause):
				default:
					unfit++
					t.Logf("%s: %s\n%s", c.Clause, c.Sentence, strings.Join(c.Steps, "\n"))
				}
			}
			t.Logf("%d illegal: %v", all, cited)
			clock := strings.HasPrefix(tt.clauses, "TIME-")
			if all == 0 || unfit*2 > all || unfit > 0 && clock || unknown*3 > all {
				t.Errorf("of %d components %d are accused of other than %s, and %d of nothing", all, unfit, tt.clauses, unknown)
			}
		})
	}
}
