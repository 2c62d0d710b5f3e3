package linear

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rondo/check/history"
)

// This file lets the engine and the definition judge the same random histories, and shows that the
// comparison has power: histories that only time refutes are counted, and every deliberate fault of
// the engine must be found by it.

var histories = flag.Int("histories", 0, "how many random histories TestAgreement compares")

const (
	agreeDefault = 100_000
	agreeShort   = 30_000
)

func howMany() int {
	switch {
	case *histories > 0:
		return *histories
	case testing.Short():
		return agreeShort
	}
	return agreeDefault
}

// generous never times out on tiny histories.
var generous = Options{Timeout: time.Minute}

func engineVerdict(h *history.History, opt Options) Verdict {
	opt = opt.withDefaults()
	for _, p := range split(h) {
		s := p.search()
		s.engine.faults = opt.faults
		v := s.run(opt.Timeout)
		if opt.faults == (faults{}) {
			if second, _ := p.search().frontierRun(opt.Timeout); second != v {
				return Error // the two searches disagree
			}
		}
		if v != OK {
			return v
		}
	}
	return OK
}

// soundVerdict is the engine's without faults, which TestAgreement has shown to be the definition's.
func soundVerdict(h *history.History) Verdict {
	for _, p := range split(h) {
		if v := p.search().run(generous.Timeout); v != OK {
			return v
		}
	}
	return OK
}

func bruteVerdict(h *history.History, anytime, memo bool) Verdict {
	switch legal, decided := bruteForce(h, anytime, memo); {
	case !decided:
		return Unknown
	case legal:
		return OK
	}
	return Illegal
}

// eachHistory calls f for the seeds 1 to n on all processors, until f says stop.
func eachHistory(n int, f func(seed uint64) bool) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := next.Add(1)
				if i > int64(n) || !f(uint64(i)) {
					return
				}
			}
		}()
	}
	wg.Wait()
}

// TestAgreement is the definition against the engine. Replay one history with
// RONDO_HISTORY=<seed> go test -run TestOneHistory -v ./check/linear
func TestAgreement(t *testing.T) {
	n := howMany()
	var legal, illegal, onlyTime, lost, skipped, wrong atomic.Int64
	eachHistory(n, func(seed uint64) bool {
		h := makeHistory(seed)
		want := bruteVerdict(h, false, seed%16 != 0)
		got := engineVerdict(h, generous)
		switch {
		case want == Unknown:
			skipped.Add(1)
			return true
		case got != want:
			if wrong.Add(1) <= 3 {
				t.Errorf("seed %d: the engine says %s, the definition %s\n%s", seed, got, want, show(h))
			}
			return true
		case want == OK:
			legal.Add(1)
			checkRelaxed(t, seed, h)
		default:
			illegal.Add(1)
			if bruteVerdict(h, true, true) == OK {
				onlyTime.Add(1)
			}
		}
		for i := range h.Ops {
			if h.Ops[i].Reply == nil {
				lost.Add(1)
				break
			}
		}
		return true
	})
	t.Logf("%d histories: %d legal, %d illegal of which %d only because of time, "+
		"%d with lost replies, %d too large for the definition, %d disagreements",
		n, legal.Load(), illegal.Load(), onlyTime.Load(), lost.Load(), skipped.Load(), wrong.Load())
	if wrong.Load() > 0 {
		t.Fail()
	}
	if onlyTime.Load()*100 < illegal.Load() || onlyTime.Load() == 0 {
		t.Errorf("only %d of %d illegal histories are so because of time: the generator is too tame",
			onlyTime.Load(), illegal.Load())
	}
	if skipped.Load()*1000 > int64(n) {
		t.Errorf("%d of %d histories are too large for the definition", skipped.Load(), n)
	}
}

// checkRelaxed: knowing less about the recording never makes a legal history illegal. (With an
// uncertain offset that is not so: there every operation may have an offset of its own.)
func checkRelaxed(t *testing.T, seed uint64, h *history.History) {
	if seed%4 != 0 || h.Meta.Offset.Low != h.Meta.Offset.High {
		return
	}
	blind := *h
	blind.Meta.Offset, blind.Meta.Profile = nil, ""
	if got := engineVerdict(&blind, generous); got != OK {
		t.Errorf("seed %d: legal, but %s without offset and profile\n%s", seed, got, show(h))
	}
}

// TestOneHistory prints both verdicts on the history of RONDO_HISTORY.
func TestOneHistory(t *testing.T) {
	var seed uint64
	if _, err := fmt.Sscan(os.Getenv("RONDO_HISTORY"), &seed); err != nil {
		t.Skip("RONDO_HISTORY names no seed")
	}
	h := makeHistory(seed)
	t.Logf("%sdefinition %s, engine %s",
		show(h), bruteVerdict(h, false, false), engineVerdict(h, generous))
	res := Check(h, Options{})
	for _, c := range res.Components {
		t.Logf("%v: %s %s", c.Keys, c.Verdict, c.Reason)
		for _, s := range c.Steps {
			t.Log("   ", s)
		}
	}
}

// TestSeededFaults turns on one mistake of the engine at a time. Each must lead to a disagreement.
func TestSeededFaults(t *testing.T) {
	for name, f := range map[string]faults{
		"time does not elapse after a step":        {noElapse: true},
		"live: the next reading follows the first": {nowStays: true},
		"the end of a window is ignored":           {hiIgnored: true},
		"the start of a window is ignored":         {loIgnored: true},
		"live is treated as frozen":                {liveFrozen: true},
		"inclusion is reversed":                    {includesReversed: true},
		"pipelined commands in any order":          {orderIgnored: true},
		"a later lost one without its predecessor": {deadIgnored: true},
		"a lost command happened at once":          {lostHappens: true},
		"a lost command never happened":            {lostNever: true},
		"reported times match anything":            {termsMatch: true},
		"expired also at the deadline":             {beforeLoose: true},
		"offsets are lost when renaming":           {offsetsDropped: true},
		"implied comparisons answer true":          {entailedWrong: true},
		"rejected choices count":                   {rejectIgnored: true},
	} {
		t.Run(name, func(t *testing.T) {
			opt := generous
			opt.faults = f
			var found atomic.Uint64
			eachHistory(agreeDefault, func(seed uint64) bool {
				h := makeHistory(seed)
				if found.Load() == 0 && engineVerdict(h, opt) != soundVerdict(h) {
					found.Store(seed)
				}
				return found.Load() == 0
			})
			if found.Load() == 0 {
				t.Fatalf("no disagreement in %d histories", agreeDefault)
			}
			t.Logf("first disagreement: seed %d", found.Load())
		})
	}
}
