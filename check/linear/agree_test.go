package linear

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rondo/check/history"
)

// This file lets the engine and the definition judge the same random histories, and shows that the
// comparison has power: histories that only time refutes are counted, and every deliberate fault of
// the engine must be found by it.

var (
	histories = flag.Int("histories", 0, "how many random histories the tests of agreement compare")
	firstSeed = flag.Uint64("histories.from", 1, "the first seed of TestAgreement")
)

// Tiny histories make garbage, and keep nothing: it need not be collected often.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// There are three sizes: -short, that of each "go test", and that of "make agree", a step of CI of
// its own, which asks for so many histories that rare classes and rare faults show.
const (
	agreeFull    = 200_000 // of each of two generators: this one, and that for one key
	agreeDefault = 20_000
	agreeShort   = 5_000
	faultsWithin = 100_000 // the histories in which a seeded fault must show
)

// full says that this is the largest size.
func full() bool { return *histories >= agreeFull }

// unlessFull skips what only the largest size shows.
func unlessFull(t *testing.T, why string) {
	t.Helper()
	if !full() {
		t.Skipf("%s: make agree", why)
	}
}

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

// contestant is one way to decide a component, which must be the definition's.
type contestant struct {
	name  string
	every uint64 // it judges every so manieth history
	run   func(p *part, seed uint64) Verdict
}

var contestants = []contestant{
	{"rondo", 1, func(p *part, _ uint64) Verdict { return p.decide(generous.withDefaults()).verdict }},
	{"rondo with reductions off", 1, func(p *part, seed uint64) Verdict {
		opt := generous.withDefaults()
		opt.off, opt.patience = randomOff(seed), 1+int64(seed%4)
		return p.decide(opt).verdict
	}},
	{"the general theory", 2, func(p *part, seed uint64) Verdict {
		opt := generous.withDefaults()
		if seed%4 == 0 {
			opt.off, opt.patience = randomOff(seed+1), 1+int64(seed/4%4)
		}
		return newGeneral(p, faults{}).decide(p, opt, time.Now().Add(opt.Timeout)).verdict
	}},
	{"frontier", 4, func(p *part, _ uint64) Verdict {
		v, _ := p.search().frontierRun(generous.Timeout)
		return v
	}},
	{"porcupine", 4, func(p *part, _ uint64) Verdict { return p.search().run(generous.Timeout) }},
}

// verdicts lets everyone judge h. The verdict on a history is its worst component's.
func verdicts(h *history.History, seed uint64) map[string]Verdict {
	out := map[string]Verdict{}
	for _, c := range contestants {
		if seed%c.every != 0 {
			continue
		}
		out[c.name] = OK
		for _, p := range split(h) {
			if v := c.run(p, seed); v != OK {
				out[c.name] = v
				break
			}
		}
	}
	return out
}

// faultyVerdict is porcupine's with a deliberate mistake.
func faultyVerdict(h *history.History, f faults) Verdict {
	for _, p := range split(h) {
		s := p.search()
		s.engine.faults = f
		if v := s.run(generous.Timeout); v != OK {
			return v
		}
	}
	return OK
}

// soundVerdict is the engine's without faults, which TestAgreement has shown to be the definition's.
func soundVerdict(h *history.History) Verdict {
	for _, p := range split(h) {
		if v, _ := p.search().frontierRun(generous.Timeout); v != OK {
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

// mistakes are deliberate ones of the engine, by what they are, and the verdict of an engine that makes
// them.
type mistakes map[string]func(*history.History) Verdict

// show looks for a history on which each differs from the sound verdict. All are tried on a history
// that is made and judged once; make gives nil where a seed is not wanted.
func (m mistakes) show(t *testing.T, within int, make func(seed uint64) *history.History,
	sound func(*history.History) Verdict) {
	var found sync.Map
	eachHistory(within, func(seed uint64) bool {
		h := make(seed)
		if h == nil {
			return true
		}
		want, left := sound(h), 0
		for name, verdict := range m {
			if _, ok := found.Load(name); ok {
				continue
			}
			if left++; verdict(h) != want {
				found.Store(name, seed)
			}
		}
		return left > 0
	})
	for name := range m {
		t.Run(name, func(t *testing.T) {
			seed, ok := found.Load(name)
			if !ok {
				t.Fatalf("no disagreement in %d histories", within)
			}
			t.Logf("first disagreement: seed %d", seed)
		})
	}
}

// census counts histories by class and outcome, so that it can be seen that each class was there.
type census struct {
	mutex  sync.Mutex
	counts map[string]*[4]int // legal, illegal, of those only because of time, not decided
}

const (
	legalOnes = iota
	illegalOnes
	onlyTime
	undecided
)

func (c *census) add(classes []string, outcome int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, class := range append(classes, "all") {
		if c.counts[class] == nil {
			c.counts[class] = new([4]int)
		}
		c.counts[class][outcome]++
		if outcome == onlyTime {
			c.counts[class][illegalOnes]++
		}
	}
}

func (c *census) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %9s %9s %9s %9s\n", "class", "legal", "illegal", "by time", "undecided")
	for _, class := range slices.Sorted(maps.Keys(c.counts)) {
		n := c.counts[class]
		fmt.Fprintf(&b, "%-22s %9d %9d %9d %9d\n", class, n[0], n[1], n[2], n[3])
	}
	return b.String()
}

// classes says what is in a history.
func classes(h *history.History) []string {
	keys, in := map[string]bool{}, map[string]bool{}
	back := map[int]int64{} // by client: the last return
	for i := range h.Ops {
		op := &h.Ops[i]
		for _, k := range bruteKeys(op) {
			keys[k] = true
		}
		switch word := string(op.Cmd[0]); word {
		case "EXEC", "WATCH", "DISCARD", "RENAME", "RENAMENX", "COPY", "RANDOMKEY", "TIME":
			in["with "+word] = true
		}
		in["lost replies"] = in["lost replies"] || op.Reply == nil
		in["pipelines"] = in["pipelines"] || back[op.Client] > op.Call
		back[op.Client] = max(back[op.Client], op.Return)
	}
	delete(keys, "*")
	in[fmt.Sprintf("keys %d", len(keys))] = true
	in["profile "+cmp.Or(h.Meta.Profile, "unknown")] = true
	in["slack"] = h.Meta.Slack > 0
	in["offset unknown"] = h.Meta.Offset == nil
	in["offset a bracket"] = h.Meta.Offset != nil && h.Meta.Offset.Low < h.Meta.Offset.High
	in["begins with a key"] = len(h.Meta.Start) > 0
	maps.DeleteFunc(in, func(_ string, there bool) bool { return !there })
	return slices.Collect(maps.Keys(in))
}

// TestAgreement is the definition against the engines. Replay one history with
// RONDO_HISTORY=<seed> go test -run TestOneHistory -v ./check/linear
func TestAgreement(t *testing.T) {
	n := howMany()
	c := &census{counts: map[string]*[4]int{}}
	var wrong atomic.Int64
	eachHistory(n, func(i uint64) bool {
		seed := *firstSeed + i - 1
		h := makeHistory(seed)
		want := bruteVerdict(h, false, seed%16 != 0)
		c.add(classes(h), column(h, want))
		if want == Unknown {
			return true
		}
		for name, got := range verdicts(h, seed) {
			if got != want && wrong.Add(1) <= 3 {
				t.Errorf("seed %d: %s says %s, the definition %s\n%s", seed, name, got, want, show(h))
			}
		}
		if want == OK {
			checkRelaxed(t, seed, h)
		}
		if seed%1_000_000 == 0 {
			t.Logf("%d histories, %d disagreements", seed, wrong.Load())
		}
		return true
	})
	t.Logf("%d histories, %d disagreements\n%s", n, wrong.Load(), c)
	c.demand(t, n)
}

func column(h *history.History, v Verdict) int {
	switch {
	case v == OK:
		return legalOnes
	case v == Unknown:
		return undecided
	case bruteVerdict(h, true, true) == OK:
		return onlyTime
	}
	return illegalOnes
}

// demand fails the test if it was vacuous: a class with too few histories of either verdict.
func (c *census) demand(t *testing.T, n int) {
	if len(c.counts) < 18 {
		t.Errorf("only %d classes of histories", len(c.counts))
	}
	for class, k := range c.counts {
		if class == "keys 0" || n < 100_000 && class != "all" {
			continue // too few to ask for each
		}
		if k[legalOnes] < n/200 || k[illegalOnes] < n/2000 || k[onlyTime] == 0 {
			t.Errorf("too few of class %q: %v of %d", class, *k, n)
		}
	}
	all := c.counts["all"]
	if all[onlyTime]*100 < all[illegalOnes] {
		t.Errorf("only %d of %d illegal histories are so because of time: the generator is too tame",
			all[onlyTime], all[illegalOnes])
	}
	if all[undecided]*1000 > n {
		t.Errorf("%d of %d histories are too large for the definition", all[undecided], n)
	}
}

// checkRelaxed: knowing less about the recording never makes a legal history illegal. (With an
// uncertain offset that is not so: there every operation may have an offset of its own.)
func checkRelaxed(t *testing.T, seed uint64, h *history.History) {
	if seed%4 != 0 || h.Meta.Offset == nil || h.Meta.Offset.Low != h.Meta.Offset.High {
		return
	}
	blind := *h
	blind.Meta.Offset, blind.Meta.Profile = nil, ""
	for name, got := range verdicts(&blind, seed) {
		if got != OK {
			t.Errorf("seed %d: legal, but %s says %s without offset and profile\n%s",
				seed, name, got, show(h))
		}
	}
}

// TestOneHistory prints both verdicts on the history of RONDO_HISTORY.
func TestOneHistory(t *testing.T) {
	var seed uint64
	if _, err := fmt.Sscan(os.Getenv("RONDO_HISTORY"), &seed); err != nil {
		t.Skip("RONDO_HISTORY names no seed")
	}
	h := makeHistory(seed)
	t.Logf("%sdefinition %s, engines %v", show(h), bruteVerdict(h, false, false), verdicts(h, 0))
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
	shown := mistakes{}
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
		if f.nowStays && !full() {
			t.Run(name, func(t *testing.T) { unlessFull(t, "it takes some 30,000 histories to show") })
			continue
		}
		shown[name] = faulty(f)
	}
	shown.show(t, faultsWithin, makeHistory, soundVerdict)
}

// TestGeneralSlips turns on one mistake of the search at a time, under the general theory. Each must
// lead to a disagreement.
func TestGeneralSlips(t *testing.T) {
	shown := mistakes{}
	rare := func(s slips) bool { return s.symmetryAny || s.chanceFollows }
	for name, slip := range map[string]slips{
		"future readings without the returning one": {floorLate: true},
		"reads that narrow the clock are eager":     {eagerAlways: true},
		"what ends a value does not need it":        {killIgnoresNeed: true},
		"memo: another event":                       {memoLoose: true},
		"memo: any clock":                           {memoNoZone: true},
		"symmetry whatever returns first":           {symmetryAny: true},
		"pipelined commands in any order":           {followerFree: true},
		"a lost one that others follow must matter": {chanceFollows: true},
		"values are unique without a count":         {uniqueAll: true},
		"everything is a read":                      {allReads: true},
	} {
		if rare(slip) && !full() {
			t.Run(name, func(t *testing.T) { unlessFull(t, "it takes some 50,000 histories to show") })
			continue
		}
		shown[name] = slipping(slip)
	}
	shown.show(t, faultsWithin, makeHistory, generally)
}

// TestSessionsApart: two connections that watch are not alike, which random histories hardly show.
func TestSessionsApart(t *testing.T) {
	h := recorded(did{1, 0, 4, "WATCH k", ok}, did{2, 1, 5, "WATCH k", ok}, did{3, 2, 3, "SET k 1", ok},
		did{2, 6, 7, "EXEC: GET k", nulls}, did{1, 6, 7, "EXEC: GET k", arr(str("1"))})
	opt := generous.withDefaults()
	if v := generalVerdict(h, opt); v != OK {
		t.Errorf("one watched before the change and one after it: %s", v)
	}
	opt.slips.sessionsAlike = true
	if v := generalVerdict(h, opt); v != Illegal {
		t.Errorf("with their watches taken to be alike: %s", v)
	}
}

// generally is the verdict of the general theory without slips.
func generally(h *history.History) Verdict { return generalVerdict(h, generous.withDefaults()) }

func generalVerdict(h *history.History, opt Options) Verdict {
	for _, p := range split(h) {
		if v := newGeneral(p, opt.faults).decide(p, opt, time.Now().Add(opt.Timeout)).verdict; v != OK {
			return v
		}
	}
	return OK
}
