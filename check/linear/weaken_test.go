package linear

import (
	"math/rand/v2"
	"testing"
	"time"

	"rondo/check/history"
)

// TestWeakeningIsSound: whatever is weakened, a legal history stays legal. Otherwise a core could
// accuse a server with operations that do not contradict each other.
func TestWeakeningIsSound(t *testing.T) {
	n := howMany()
	if testing.Short() {
		n /= 5
	}
	eachHistory(n, func(seed uint64) bool {
		h := anyHistory(seed)
		r := rand.New(rand.NewPCG(seed, 7))
		for _, p := range split(h) {
			if verdict, _ := p.search().frontierRun(time.Minute); verdict != OK {
				continue
			}
			v := randomView(r, p)
			if r.IntN(2) == 0 {
				v = randomWindow(r, p)
			}
			for _, v.coarse = range []bool{false, true} {
				if p.trail(v, askRunsMax).run() == Illegal {
					t.Errorf("seed %d: legal, but not with %d of %d operations weakened, coarse %v, cut %v\n%s",
						seed, len(v.weak), len(p.units), v.coarse, v.cut, show(h))
				}
			}
		}
		return true
	})
}

func randomView(r *rand.Rand, p *part) view {
	v := view{part: p}
	for _, u := range p.units {
		if r.IntN(2) == 0 {
			v.kept = append(v.kept, u)
		} else {
			v.weak = append(v.weak, u)
		}
	}
	return v
}

// randomWindow keeps some operations of a window, in front of which the state may be any.
func randomWindow(r *rand.Rand, p *part) view {
	x := &explainer{part: p, end: p.units[r.IntN(len(p.units))].rec.Return}
	x.reach(len(p.units))
	var kept []*unit
	for _, u := range x.pool {
		if r.IntN(2) == 0 {
			kept = append(kept, u)
		}
	}
	if len(kept) == 0 || r.IntN(2) == 0 {
		return x.keep(kept)
	}
	return x.viewFrom(kept, x.part.units[r.IntN(kept[0].index+1)].rec.Call)
}

// TestEveryIllegalHistoryIsExplained: the reduction always ends with a clause, a sentence and a
// core of the history's own operations.
func TestEveryIllegalHistoryIsExplained(t *testing.T) {
	clauses := map[string]bool{"TIME-5": true, "TIME-6": true, "LIN-2": true, "LIN-3": true,
		"LIN-5": true, "LIN-6": true, "LIN-7": true, "LIN-8": true}
	n := min(howMany()/5, 20_000)
	eachHistory(n, func(seed uint64) bool {
		h := makeHistory(seed)
		for _, c := range Check(h, generous).Components {
			if c.Verdict != Illegal {
				continue
			}
			if !clauses[c.Clause] || c.Sentence == "" || !contained(c.Core, h) {
				t.Errorf("seed %d: %q %q, core of %d\n%s", seed, c.Clause, c.Sentence, len(c.Core), show(h))
			}
		}
		return true
	})
}

// contained reports that core is a nonempty part of h.
func contained(core []history.Op, h *history.History) bool {
	own := map[[2]int]bool{}
	for _, op := range h.Ops {
		own[[2]int{op.Client, op.N}] = true
	}
	for _, op := range core {
		if !own[[2]int{op.Client, op.N}] {
			return false
		}
	}
	return len(core) > 0
}
