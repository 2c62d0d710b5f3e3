package linear

import (
	"strings"
	"testing"
	"time"
)

// TestGrades: for each claim an illegal history of which it holds and one of which it does not.
func TestGrades(t *testing.T) {
	const stale, expiry, order, own, back = "ms stale", "but for expiry", "keep their order",
		"reads its own writes", "again after a newer one"
	late := []did{{1, 0, 1, "SET k v PX 5", ok}, {2, 9.2, 9.5, "GET k", str("v")}}
	lostUpdate := []did{{1, 0, 3, "INCR n", num(1)}, {2, 1, 4, "INCR n", num(1)}}
	staleRead := []did{{1, 0, 1, "SET k 1", ok}, {1, 2, 3, "SET k 2", ok}, {2, 5, 6, "GET k", str("1")}}
	ownStale := []did{{2, 0, 1, "SET k 1", ok}, {1, 2, 3, "SET k 2", ok}, {1, 5, 6, "GET k", str("1")}}
	goesBack := []did{{1, 0, 1, "SET k 1", ok}, {1, 2, 3, "SET k 2", ok},
		{2, 5, 6, "GET k", str("2")}, {2, 7, 8, "GET k", str("1")}}
	for _, tt := range []struct {
		claim        string
		holds, fails []did
	}{
		{stale, late, staleRead},
		{expiry, late, staleRead},
		{order, staleRead, ownStale},
		{own, staleRead, ownStale},
		{back, ownStale, goesBack},
	} {
		for _, h := range []struct {
			ops  []did
			want Verdict
		}{{tt.holds, OK}, {tt.fails, Illegal}} {
			res := Check(recorded(h.ops...), Options{})
			got := Grade{Verdict: Error}
			for _, g := range res.Grades {
				if strings.Contains(g.Claim, tt.claim) {
					got = g
				}
			}
			if got.Verdict != h.want {
				t.Errorf("%v\n%q is %s (%s), want %s", h.ops, tt.claim, got.Verdict, got.Reason, h.want)
			}
		}
	}
	if res := Check(recorded(lostUpdate...), Options{}); len(res.Grades) != 5 ||
		res.Grades[1].Verdict != Illegal || res.Grades[3].Verdict != OK {
		t.Errorf("a lost update: %v", res.Grades)
	}
	if res := Check(recorded(late...), Options{}); !strings.Contains(res.Grades[0].Claim, "3 ms stale") {
		t.Errorf("served 3 ms late: %s", res.Grades[0].Claim)
	}
	if res := Check(recorded(late[0]), Options{}); res.Grades != nil {
		t.Errorf("a legal history is graded: %v", res.Grades)
	}
}

// TestStalenessThatIsNotKnown: what no question was answered about is neither broken nor needed.
func TestStalenessThatIsNotKnown(t *testing.T) {
	p := split(recorded([]did{{1, 0, 1, "SET k v PX 5", ok}, {2, 9.2, 9.5, "GET k", str("v")}}...))[0]
	x := newExplainer(p, 1, time.Minute)
	x.reduce()
	for _, tt := range []struct {
		left, most int64
		found      bool
	}{{explainRunsMax, 3, true}, {0, 1, false}, {4, 3, false}} {
		x.left = tt.left
		if ms, found := x.needsStale(); ms > tt.most || found != tt.found {
			t.Errorf("with effort %d: %d ms, found: %v", tt.left, ms, found)
		}
		x.left = tt.left
		if v := x.staleCore(&grader{}); v != OK {
			t.Errorf("with effort %d the claim is %s", tt.left, v)
		}
	}
}

// TestGradesAreWeaker: no claim is broken by a history that is legal with the rule lifted. Legal
// histories are those that the definition accepts with time left out. (It also accepts that a time
// of -1 is reported, which here is no time.)
func TestGradesAreWeaker(t *testing.T) {
	eachHistory(min(howMany()/20, 3_000), func(seed uint64) bool {
		h := makeHistory(seed)
		res := Check(h, generous)
		if res.Verdict != Illegal || strings.Contains(show(h), ":-") || bruteVerdict(h, true, true) != OK {
			return true
		}
		for _, g := range res.Grades[1:] {
			if g.Verdict == Illegal {
				t.Errorf("seed %d: only time refutes it, yet %q is broken\n%s", seed, g.Claim, show(h))
			}
		}
		return true
	})
}
