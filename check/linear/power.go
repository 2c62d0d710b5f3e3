package linear

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"rondo/check/history"
	"rondo/model"
)

// Power says what a recording could have shown: the least error of a server's expiry that would
// have been convicted, had its replies come at these very times. A run whose keys never expire,
// or expire where nobody looks, has none.
type Power struct {
	LateMs, EarlyMs int64  // 0: not even an error of MostMs is convicted
	MostMs          int64  // the largest error tried
	Ops             int    // operations of the components that were tried
	Reason          string // why nothing could be measured; "" if it was
}

// PowerOptions bounds the measurement. Zero values take the defaults.
type PowerOptions struct {
	Options
	Seed   uint64
	OpsMax int           // components are sampled until they have so many operations
	MostMs int64         // the largest error tried
	Budget time.Duration // after it no further error is tried
}

const (
	powerOpsDefault    = 20_000
	powerMostDefault   = 1000
	powerBudgetDefault = 5 * time.Second
	powerTimeout       = time.Second // of one component
)

// MeasurePower measures the power of h. Whether the server behind h was correct makes no
// difference: of h only commands, calls and returns are used. Each operation takes effect at an
// instant within its interval, chosen by the seed; the model, with every deadline's test late (or
// early) by some milliseconds, makes the reply; and the judge looks at the result. An operation
// whose reply was lost does not happen.
func MeasurePower(h *history.History, opt PowerOptions) Power {
	opt = opt.withDefaults()
	p := Power{MostMs: opt.MostMs}
	if err := h.Validate(); err != nil {
		p.Reason = err.Error()
		return p
	}
	m := &powerMeter{PowerOptions: opt, until: time.Now().Add(opt.Budget)}
	for _, part := range m.sample(split(h)) {
		m.twins = append(m.twins, newTwin(part, opt.Seed))
		p.Ops += len(part.units)
	}
	switch {
	case p.Ops == 0:
		p.Reason = "there is nothing that the model decides"
	case m.convicts(0):
		p.Reason = "a correct server was convicted: this is an error of the judge"
	default:
		p.LateMs, p.EarlyMs = m.least(+1), m.least(-1)
	}
	return p
}

func (o PowerOptions) withDefaults() PowerOptions {
	o.Options = o.Options.withDefaults()
	o.Timeout = min(o.Timeout, powerTimeout)
	if o.OpsMax <= 0 {
		o.OpsMax = powerOpsDefault
	}
	if o.MostMs <= 0 {
		o.MostMs = powerMostDefault
	}
	if o.Budget <= 0 {
		o.Budget = powerBudgetDefault
	}
	return o
}

type powerMeter struct {
	PowerOptions
	twins []*twin
	until time.Time
}

// sample picks components at random until there are enough operations, among those in which nobody
// waits: a twin knows one instant for each. If the first has more than that, its first ones are taken.
func (m *powerMeter) sample(parts []*part) []*part {
	parts = slices.DeleteFunc(parts, func(p *part) bool { return p.foreign != "" || p.waits() })
	rng := rand.New(rand.NewPCG(m.Seed, 1))
	rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	n, ops := 0, 0
	for n < len(parts) && (n == 0 || ops+len(parts[n].units) <= m.OpsMax) {
		ops += len(parts[n].units)
		n++
	}
	if n == 1 && ops > m.OpsMax {
		return split(withSlack(parts[0].meta, opsOf(parts[0].units[:m.OpsMax]), parts[0].meta.Slack))
	}
	return parts[:n]
}

// least is the smallest error in one direction that is convicted. The replies of two errors are
// made by the same instants, but the larger one need not be the easier to see; so from the first
// power of two that is convicted down it is taken as if it were.
func (m *powerMeter) least(sign int64) int64 {
	low, high := int64(0), int64(1)
	for ; !m.convicts(sign * high); low, high = high, high*2 {
		if high*2 > m.MostMs || time.Now().After(m.until) {
			return 0
		}
	}
	for high-low > 1 && time.Now().Before(m.until) {
		if mid := low + (high-low)/2; m.convicts(sign * mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// convicts reports whether the judge finds fault with a server that expires so late.
func (m *powerMeter) convicts(lateMs int64) bool {
	var found atomic.Bool
	inParallel(len(m.twins), func(i int) {
		if found.Load() {
			return
		}
		for _, p := range split(m.twins[i].replay(lateMs)) {
			if p.opinions(m.Options).verdict == Illegal {
				found.Store(true)
			}
		}
	})
	return found.Load()
}

// twin is a component with an instant for each of its operations.
type twin struct {
	part  *part
	order []*unit // by instant
	at    map[*unit]int64
	seed  uint64
}

func newTwin(p *part, seed uint64) *twin {
	t := &twin{part: p, at: map[*unit]int64{}, seed: seed}
	rng := rand.New(rand.NewPCG(seed, 2))
	last := map[model.Client]int64{}
	sent := slices.Clone(p.units)
	slices.SortStableFunc(sent, func(a, b *unit) int { return sentBefore(a.rec, b.rec) })
	for _, u := range sent {
		if u.lost() {
			continue
		}
		at := max(u.rec.Call+rng.Int64N(u.rec.Return-u.rec.Call+1), last[u.client])
		t.at[u], last[u.client] = at, at
		t.order = append(t.order, u)
	}
	slices.SortStableFunc(t.order, func(a, b *unit) int { return compare(t.at[a], t.at[b]) })
	return t
}

// replay makes the history that a server with such an expiry would have made.
func (t *twin) replay(lateMs int64) *history.History {
	h := &history.History{Meta: t.part.meta}
	offset := int64(0)
	if o := h.Meta.Offset; o != nil {
		offset = o.Low + (o.High-o.Low)/2
	}
	replies := map[*unit]*model.Reply{}
	s := t.part.concreteStart()
	rng := rand.New(rand.NewPCG(t.seed, 3))
	for _, u := range t.order {
		env := &Shifted{LateMs: lateMs}
		env.Ms, env.Pick = floor(t.at[u]+offset), rng.IntN
		s, replies[u] = env.execute(s, u)
	}
	for _, u := range t.part.units {
		op := *u.rec
		op.Reply = replies[u]
		if op.Reply == nil {
			op.Return = history.Never
		}
		h.Ops = append(h.Ops, op)
	}
	return h
}

// concreteStart is the state before the first operation, with its deadlines as numbers.
func (p *part) concreteStart() model.State {
	s := model.Initial(model.Options{Databases: p.databases()})
	const setter = model.Client(-1)
	before := &model.Concrete{Ms: -inf} // when no deadline is past
	for _, k := range p.meta.Start {
		line := [][]byte{[]byte("SET"), k.Key, k.Value}
		if k.Deadline != nil {
			line = append(line, []byte("PXAT"), fmt.Append(nil, *k.Deadline))
		}
		s, _ = model.Step(before, s, setter, words("SELECT", fmt.Sprint(k.DB)))
		s, _ = model.Step(before, s, setter, line)
	}
	return model.Close(s, setter)
}

// execute runs the lines of a unit, with other choices where those made turn out not to be open.
func (e *Shifted) execute(s model.State, u *unit) (model.State, *model.Reply) {
	const triesMax = 100
	for range triesMax {
		e.Rejected = false
		next, outs := s, []model.Out(nil)
		for _, line := range u.lines {
			next, outs = model.Step(e, next, u.client, line)
		}
		if !e.Rejected && len(outs) == 1 {
			r := model.Fix(outs[0].Msg)
			return next, &r
		}
	}
	return s, nil
}

// Shifted is a concrete clock under which keys expire late, or early if LateMs is negative, and
// everything else is as it should be. It tells the reading that decides what has expired from all
// others by its variable: the model stores none of the former, and only compares them with
// deadlines.
type Shifted struct {
	model.Concrete
	LateMs int64
}

// expiryVar marks the unit's expiry reading.
const expiryVar = 1

func (e *Shifted) Now() model.Instant { return model.Instant{Var: expiryVar, Off: e.Ms} }

func (e *Shifted) Before(a, b model.Instant) bool {
	if b.Var == expiryVar {
		return a.Off+e.LateMs < b.Off
	}
	return a.Off < b.Off
}

// String is the power in one line.
func (p Power) String() string {
	if p.Reason != "" {
		return "not measured: " + p.Reason
	}
	if p.LateMs == 0 && p.EarlyMs == 0 {
		return fmt.Sprintf("none: not even by %d ms", p.MostMs)
	}
	text := func(ms int64) string {
		if ms == 0 {
			return fmt.Sprintf("not even by %d ms", p.MostMs)
		}
		return fmt.Sprintf("by %d ms", ms)
	}
	return fmt.Sprintf("late %s, early %s", text(p.LateMs), text(p.EarlyMs))
}
