// Package workload drives a server with seeded concurrent clients and records what they saw as a
// history, for check/linear to judge.
//
// In the order in which things happen:
//
//	workload.go  Run: groups of clients side by side until there are enough operations that mean
//	             something
//	mix.go       what is asked how often, reduced to what the target has
//	words.go     the single commands, self-describing wherever a command can be
//	group.go     a few clients on a fresh set of keys: one component of the history
//	form.go      how commands travel: bursts, fragments, transactions, connections that die
//	client.go    one client: sends, receives, stamps, records
//	clock.go     the target's wall clock against ours
//	stats.go     how much the history can mean
//
// The seed decides every choice of a client. It does not decide the interleaving, which is the
// machine's; and where a client follows a deadline that another one set, timing decides which. So a
// rerun asks much the same and need not see the same.
package workload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/history"
	"rondo/check/target"
)

// Options bound a run. The zero value of each field takes the default.
type Options struct {
	Clients  int           // connections at the same time: 8
	Ops      int           // operations to record: 10,000
	Duration time.Duration // after this long no client sends anything more: no bound
	Seed     int64         // decides every choice of operation
	Mix      string        // the name of one of Mixes: "full"
	Progress func(done, total int)
}

const (
	clientsDefault = 8
	opsDefault     = 10_000
)

func (o Options) withDefaults() Options {
	if o.Clients <= 0 {
		o.Clients = clientsDefault
	}
	if o.Ops <= 0 {
		o.Ops = opsDefault
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

// ErrClockStepped says that the target's wall clock jumped during the run, and during its
// repetition: nothing can be said about expiry.
var ErrClockStepped = errors.New("the target's wall clock stepped against the monotonic clock")

// run is one recording.
type run struct {
	target *target.Target
	opt    Options
	plan   plan
	rec    *history.Recorder
	clock  *clock
	prefix string // of the group's keys: fresh in every run, so that nothing needs to be flushed

	ctx    context.Context
	until  time.Time // zero: no bound
	done   atomic.Int64
	groups int

	mu       sync.Mutex
	err      error
	broken   []string
	declines int
}

// Run drives t and returns the history it saw, with what it is worth. A history that ended early
// (ctx, Duration, too many breaches) is returned like any other. An error is of the harness or its
// surroundings.
func Run(ctx context.Context, t *target.Target, opt Options) (*history.History, Stats, error) {
	opt = opt.withDefaults()
	mix, err := mixNamed(opt.Mix)
	if err != nil {
		return nil, Stats{}, err
	}
	p, err := planFor(mix, t.Caps().Has)
	if err != nil {
		return nil, Stats{}, err
	}
	for range 2 { // a clock that stepped voids the run, which is then repeated once
		var h *history.History
		var st Stats
		h, st, err = recordOnce(ctx, t, opt, p)
		if !errors.Is(err, ErrClockStepped) {
			return h, st, err
		}
	}
	return nil, Stats{}, err
}

// recordOnce makes one recording.
func recordOnce(ctx context.Context, t *target.Target, opt Options, p plan) (
	*history.History, Stats, error) {
	r := &run{target: t, opt: opt, plan: p, rec: history.NewRecorder(), ctx: ctx}
	r.prefix = strconv.FormatInt(time.Now().UnixNano(), 36)
	r.clock = watchClock(t, r.rec)
	if opt.Duration > 0 {
		r.until = time.Now().Add(opt.Duration)
	}
	var h *history.History
	var st Stats
	for i := 1; i <= ExtendMax; i++ {
		r.groupsUntil(i * opt.Ops)
		h = r.rec.History(r.meta())
		st = measure(h, p)
		if st.Vacuous() == "" || r.over() {
			break
		}
	}
	offset, measured, err := r.clock.stop()
	if err != nil {
		return nil, Stats{}, err
	}
	if measured {
		h.Meta.Offset = &offset
	}
	st.Offset, st.Broken = h.Meta.Offset, r.broken
	return h, st, r.err
}

func (r *run) meta() history.Meta {
	m := history.Meta{Target: r.target.Name(), Seed: r.opt.Seed, Profile: r.target.Caps().Profile}
	if offset, ok := r.clock.bracket(); ok {
		m.Offset = &offset
	}
	return m
}

// groupsUntil runs groups side by side, never with more than opt.Clients connections, until so many
// operations are recorded.
func (r *run) groupsUntil(ops int) {
	free := make(chan struct{}, r.opt.Clients)
	var all sync.WaitGroup
	planned := int(r.done.Load())
	for planned < ops && !r.over() {
		n := r.groups
		s := shapeOf(r.opt.Seed, n, r.opt.Clients, ops-planned)
		r.groups++
		planned += s.ops
		for range s.clients {
			free <- struct{}{}
		}
		all.Add(1)
		go func() {
			defer all.Done()
			newGroup(r, n, s).work(n)
			r.progress(ops)
			for range s.clients {
				<-free
			}
		}()
	}
	all.Wait()
}

func (r *run) progress(total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opt.Progress(int(r.done.Load()), total)
}

// over says that clients should stop.
func (r *run) over() bool {
	if r.ctx.Err() != nil || !r.until.IsZero() && time.Now().After(r.until) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil || len(r.broken) >= BrokenMax
}

// fail ends the run with an error of the harness; the first one counts.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// declined notes a command that the target did not take because it is not the one to ask, or this
// user may not: nothing about it is evidence, and many of them leave a run without any.
func (r *run) declined(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.declines++; r.declines == DeclinesMax {
		r.err = fmt.Errorf("workload: the target declines: %s", why)
	}
}

// broke notes a breach that no history can hold.
func (r *run) broke(clause, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, fmt.Sprintf("%s: %s", clause, text))
}

// wallMs estimates the target's clock in Unix milliseconds.
func (r *run) wallMs() int64 {
	offset, _ := r.clock.bracket()
	return (r.rec.Now() + offset.Low + (offset.High-offset.Low)/2) / int64(time.Millisecond)
}
