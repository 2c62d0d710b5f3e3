package linear

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rondo/check/history"
)

// This file aims random histories at the one-key theory and at each reduction of the search, and
// compares the verdicts with the definition's.

var oneKeySeed = flag.Uint64("onekey.from", 0, "the first seed of TestOneKeyAgreement")

// oneKeyForms are commands of one key; some lists make one mechanism likely.
var oneKeyForms = [][]string{
	strings.Split("SET K V PX T|SET K V PX T|SET K V|GET K|GET K|GET K|EXISTS K|EXISTS K K|PTTL K|TTL K|"+
		"PEXPIRETIME K|EXPIRETIME K|SET K V NX PX T|SET K V XX|SET K V XX GET|SET K V NX GET|"+
		"SET K V KEEPTTL|SET K V GET|SET K V PXAT A|INCR K|DECR K|INCRBY K 2|DEL K|DEL K K|UNLINK K|"+
		"GETDEL K|PEXPIRE K T|PEXPIRE K T NX|PEXPIRE K T GT|PEXPIRE K T LT|PEXPIRE K T XX|PEXPIRE K 0|"+
		"PEXPIRE K -1|PEXPIREAT K A|PEXPIREAT K A GT|PEXPIREAT K A LT|PEXPIREAT K A NX|PERSIST K|GETEX K PX T|"+
		"GETEX K PERSIST|GETEX K|GETEX K PXAT A|APPEND K V|MGET K|MGET K K|MSET K V|MSETNX K V|"+
		"GETSET K V|STRLEN K|SETNX K V|PSETEX K T V|TYPE K|TOUCH K|GETRANGE K 0 -1|INCRBY K 0|"+
		"FLUSHALL|GETRANGE K 0 0|PEXPIRE K T GT XX", "|"),
	strings.Split("SET K V|SET K V|GET K|GET K|SET K V GET", "|"),
	strings.Split("SET K V PX T|SET K V|GET K|GET K|PTTL K", "|"),
	strings.Split("SET K V NX PX T|SET K V NX PX T|DEL K|GET K|PTTL K", "|"),
	strings.Split("INCR K|INCR K|PEXPIRE K T NX|GET K|PTTL K|DEL K", "|"),
	strings.Split("SET K V GET|GETEX K PX T|INCRBY K 1|GETDEL K|PERSIST K|PTTL K|SET K V PX T", "|"),
	strings.Split("SET K V PX T|PEXPIRE K T|PEXPIRE K T|PERSIST K|EXISTS K|DEL K|GET K", "|"),
	strings.Split("PEXPIRE K T GT|PEXPIRE K T LT|PEXPIREAT K A|SET K V PX T|GETEX K PXAT A|PEXPIRETIME K", "|"),
	strings.Split("SET K 1|DEL K|DEL K|INCR K|EXISTS K", "|"),
	strings.Split("APPEND K V|APPEND K V|STRLEN K|GET K|DEL K|SET K V", "|"),
}

// makeOneKey makes a history of one key. Unlike makeHistory's, some have ticks of 1 to 3 ns, so that
// bounds meet exactly, and values are often unique.
func makeOneKey(seed uint64) *history.History {
	for try := uint64(1 << 32); ; try++ {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, try))}
		m.aim = []aim{aimPlain, aimPlain, aimPlain, aimLost, aimLost, aimPipeline, aimPipelineLost}[m.IntN(7)]
		m.only = oneKeyForms[m.IntN(len(oneKeyForms))]
		m.settings()
		m.keys = []string{"a"}
		m.schedule()
		if m.IntN(3) == 0 {
			m.stretch()
		}
		if m.IntN(2) == 0 {
			m.tight()
		}
		unique := m.IntN(3)
		for i := range m.h.Ops {
			m.rename(&m.h.Ops[i], i, unique)
		}
		m.lose()
		if !m.simulate() {
			continue
		}
		if m.skew == 0 && m.IntN(2) == 0 {
			m.mutate()
		}
		slices.SortStableFunc(m.h.Ops, func(a, b history.Op) int { return compare(a.Call, b.Call) })
		if m.h.Validate() == nil {
			return m.h
		}
	}
}

// stretch lets the last operation of each client take long.
func (m *maker) stretch() {
	seen := map[int]bool{}
	for i := len(m.h.Ops) - 1; i >= 0; i-- {
		if op := &m.h.Ops[i]; !seen[op.Client] {
			seen[op.Client] = true
			op.Return += m.Int64N(6_000_000)
			m.r[i] += m.Int64N(op.Return - m.r[i] + 1)
		}
	}
}

// tight moves all times to multiples of a third of a tick.
func (m *maker) tight() {
	const third = tick/3 + 1
	for i := range m.h.Ops {
		op := &m.h.Ops[i]
		op.Call, op.Return, m.r[i] = op.Call/third*third, op.Return/third*third, m.r[i]/third*third
	}
	m.delta = m.delta / tick * tick
	m.h.Meta.Offset.Low, m.h.Meta.Offset.High = m.delta, m.delta
	m.h.Meta.Slack = m.h.Meta.Slack / third * third
}

// rename gives written values names of their own: none, some or all.
func (m *maker) rename(op *history.Op, i, unique int) {
	m.renameLine(op.Cmd, i, unique)
	for j, line := range op.Body {
		m.renameLine(line, i+10*(j+1), unique)
	}
}

func (m *maker) renameLine(line [][]byte, i, unique int) {
	if unique == 0 || unique == 1 && m.IntN(2) == 0 || len(line) < 3 {
		return
	}
	switch lower(line[0]) {
	case "set", "getset", "setnx", "append":
		line[2] = fmt.Append(nil, 100*(i+1))
	case "mset", "msetnx":
		for j := 2; j < len(line); j += 2 {
			line[j] = fmt.Append(nil, 100*(i+1)+j/2-1)
		}
	case "psetex":
		line[3] = fmt.Append(nil, 100*(i+1))
	case "incrby":
		line[2] = fmt.Append(nil, 1<<(i%60))
	}
}

// randomOff switches reductions off at random.
func randomOff(seed uint64) reductions {
	r := rand.New(rand.NewPCG(seed, 7))
	b := func() bool { return r.IntN(3) == 0 }
	return reductions{b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b(), b()}
}

// oneKeyVerdict is the own engine's: the first component that is not ok decides.
func oneKeyVerdict(h *history.History, opt Options) outcome {
	opt = opt.withDefaults()
	for _, p := range split(h) {
		if out := p.decide(opt); out.verdict != OK {
			return out
		}
	}
	return outcome{verdict: OK}
}

func TestOneKeyAgreement(t *testing.T) {
	n := howMany()
	var legal, illegal, skipped, wrong, other atomic.Int64
	eachHistory(n, func(seed uint64) bool {
		seed += *oneKeySeed
		h := makeOneKey(seed)
		want := bruteVerdict(h, false, true)
		if want == Unknown {
			skipped.Add(1)
			return true
		}
		for i, off := range []reductions{{}, randomOff(seed)} {
			opt := generous
			opt.off, opt.patience = off, 1+int64(seed%4)
			if got := oneKeyVerdict(h, opt).verdict; got != want {
				if wrong.Add(1) <= 3 {
					t.Errorf("seed %d: the engine says %s (setting %d: %+v), the definition %s\n%s",
						seed, got, i, off, want, show(h))
				}
				return true
			}
		}
		if want == OK {
			legal.Add(1)
		} else {
			illegal.Add(1)
		}
		for _, p := range split(h) {
			if _, ok := newOneKey(p); !ok {
				other.Add(1)
			}
		}
		return true
	})
	t.Logf("%d histories: %d legal, %d illegal, %d not of one key, %d too large for the definition, "+
		"%d disagreements", n, legal.Load(), illegal.Load(), other.Load(), skipped.Load(), wrong.Load())
	if illegal.Load()*20 < int64(n) || other.Load()*2 > int64(n) {
		t.Error("the generator is too tame")
	}
}

// TestOneOneKey prints the verdicts on the history of RONDO_HISTORY, in every setting with one
// reduction off.
func TestOneOneKey(t *testing.T) {
	var seed uint64
	if _, err := fmt.Sscan(os.Getenv("RONDO_HISTORY"), &seed); err != nil {
		t.Skip("RONDO_HISTORY names no seed")
	}
	h := makeOneKey(seed)
	t.Logf("%sdefinition %s", show(h), bruteVerdict(h, false, true))
	for _, off := range append(singles(), reductions{}) {
		opt := generous
		opt.off = off
		t.Logf("%s without %+v", oneKeyVerdict(h, opt).verdict, off)
	}
}

// singles are the settings with one reduction off.
func singles() []reductions {
	return []reductions{
		{noTighten: true}, {noEager: true}, {noNeeded: true}, {noLocks: true}, {noAnonymous: true},
		{noSymmetry: true}, {noMemo: true}, {noDominance: true}, {noMatter: true}, {noVirtual: true},
		{noOrder: true}, {noTimeless: true}, {noInstances: true}, {noLives: true},
	}
}

// TestSearchFaults turns on one mistake of the search at a time. Each must lead to a disagreement.
func TestSearchFaults(t *testing.T) {
	shown := mistakes{}
	for name, s := range map[string]slips{
		"future readings without the returning one": {floorLate: true},
		"reads that narrow the clock are eager":     {eagerAlways: true},
		"what ends a value does not need it":        {killIgnoresNeed: true},
		"R3 for everything that comes before":       {lockAll: true},
		"memo: another event":                       {memoLoose: true},
		"memo: any clock":                           {memoNoZone: true},
		"symmetry whatever returns first":           {symmetryAny: true},
		"pipelined commands in any order":           {followerFree: true},
		"values that matter are forgotten":          {forgetAll: true},
		"one that others follow counts as a chance": {chanceFollows: true},
		"an operation met the latest maker's value": {classesApart: true},
		"an operation met the latest deadline":      {livesApart: true},
		"whatever it does, it ends the deadline":    {endsAll: true},
		"what was jumped over is refuted":           {untainted: true},
		"intervals are tightened for all values":    {tightenAll: true},
		"values are unique without a count":         {uniqueAll: true},
	} {
		if s.chanceFollows && !full() {
			t.Run(name, func(t *testing.T) { unlessFull(t, "it takes some 60,000 histories to show") })
			continue
		}
		shown[name] = slipped(s)
	}
	shown.show(t, faultsWithin, makeOneKey, func(h *history.History) Verdict {
		return oneKeyVerdict(h, generous).verdict
	})
}

// slipped is the verdict with a slip; one that panics is an error.
func slipped(s slips) func(*history.History) Verdict {
	opt := generous
	opt.slips, opt.patience = s, 1
	return func(h *history.History) (v Verdict) {
		defer func() {
			if recover() != nil {
				v = Error
			}
		}()
		return oneKeyVerdict(h, opt).verdict
	}
}
