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
//	pool.go      the connections, which clients of one group after another use
//	collect.go   what all clients recorded, handed on by call time while they go on
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
	Clients    int           // connections at the same time: 8
	Ops        int           // operations to record: 10,000
	Duration   time.Duration // after this long no client sends anything more: no bound
	Seed       int64         // decides every choice of operation
	Mix        string        // the name of one of Mixes: "full"
	Fault      string        // a shell command that does something to the target, see fault.go
	FaultEvery time.Duration // the pause between two faults: 5 s
	Once       bool          // do not go on if the recording would be vacuous
	Progress   func(done, total int)
	Slack      time.Duration // by which the target's clock readings may be old
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
	if o.FaultEvery <= 0 {
		o.FaultEvery = FaultEvery
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

// ErrClockStepped says that the target's wall clock jumped during the run: nothing can be said about
// expiry.
var ErrClockStepped = errors.New("the target's wall clock stepped against the monotonic clock")

// Sink takes a recording while it is made. Its methods are called on one goroutine at a time. One
// that takes its time slows the clients down, so that nothing piles up. An error is of the harness
// and ends the run.
type Sink interface {
	Add(op history.Op) error // by call time
	Done(keys ...string)     // no operation to come names these keys
	Mark(history.Mark)       // something was done to the target from outside
}

// run is one recording.
type run struct {
	target *target.Target
	opt    Options
	plan   plan
	large  plan // for large groups
	rec    *history.Recorder
	clock  *clock
	pool   pool
	prefix string // of the group's keys: fresh in every run, so that nothing needs to be flushed

	over   atomic.Bool  // clients stop
	done   atomic.Int64 // operations recorded
	groups int

	mu       sync.Mutex
	err      error
	broken   []string
	declines int
	ended    []ended // groups whose keys the sink does not know to be done

	sink    sinking
	sinking sync.Mutex
}

// ended are the keys of a group, and when it ended.
type ended struct {
	at   int64
	keys []string
}

// Run drives t and returns the history it saw, with what it is worth. A history that ended early
// (ctx, Duration, too many breaches) is returned like any other. An error is of the harness or its
// surroundings. A recording that a clock voided is repeated once.
func Run(ctx context.Context, t *target.Target, opt Options) (*history.History, Stats, error) {
	for again := false; ; again = true {
		h := &history.History{}
		meta, st, err := Stream(ctx, t, opt, func(history.Meta) (Sink, error) { return (*keeper)(h), nil })
		h.Meta = meta
		if again || !errors.Is(err, ErrClockStepped) {
			return h, st, err
		}
	}
}

// keeper is the sink that keeps everything.
type keeper history.History

func (k *keeper) Add(op history.Op) error { k.Ops = append(k.Ops, op); return nil }
func (k *keeper) Done(...string)          {}
func (k *keeper) Mark(m history.Mark)     { k.Marks = append(k.Marks, m) }

// Stream drives t and hands what it sees to the sink that start returns, operation by operation. The
// meta line that start gets holds what is known of the target's clock before the first operation;
// the one returned, what is known after the last: no less. After an error, what the sink got is void.
func Stream(ctx context.Context, t *target.Target, opt Options,
	start func(history.Meta) (Sink, error)) (history.Meta, Stats, error) {

	opt = opt.withDefaults()
	mix, err := mixNamed(opt.Mix)
	if err != nil {
		return history.Meta{}, Stats{}, err
	}
	if err := evicts(t); err != nil {
		return history.Meta{}, Stats{}, err
	}
	declined := refused(t, mix)
	p, err := planFor(mix.without(declined), t.Caps().Has)
	if err != nil {
		return history.Meta{}, Stats{}, err
	}
	p.left = append(p.left, declined...)
	r := &run{target: t, opt: opt, plan: p, large: p.withoutTransactions(), rec: history.NewRecorder()}
	r.pool.run = r
	r.prefix = strconv.FormatInt(time.Now().UnixNano(), 36)
	r.clock = watchClock(t, r.rec, opt.Slack)
	meta := r.meta()
	to, err := start(meta)
	if err == nil {
		r.sink = sinking{to: to, meter: newMeter(p, meta.Offset)}
		err = r.record(ctx)
	}
	r.pool.close()
	offset, measured, stepped := r.clock.stop()
	if measured {
		meta.Offset = &offset
	}
	if err == nil {
		err = stepped
	}
	st := r.sink.stats()
	st.Offset, st.Broken = meta.Offset, r.broken
	return meta, st, err
}

func (r *run) meta() history.Meta {
	m := history.Meta{Target: r.target.Name(), Seed: r.opt.Seed, Profile: r.target.Caps().Profile,
		Slack: int64(r.opt.Slack), MaxDisorder: disorder}
	if offset, ok := r.clock.foretell(r.opt.Duration); ok {
		m.Offset = &offset
	}
	return m
}

// disorder is the MaxDisorder of a recording that is in order: 0 would mean that nothing is known.
const disorder = 1

// record runs groups until there are enough operations and, as far as ExtendMax goes, until they
// mean something.
func (r *run) record(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { r.over.Store(true) })()
	if r.opt.Duration > 0 {
		defer time.AfterFunc(r.opt.Duration, func() { r.over.Store(true) }).Stop()
	}
	quit := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { r.collectUntil(quit) })
	if r.opt.Fault != "" {
		beside.Go(func() { r.faults(quit) })
	}
	for i := 1; i <= ExtendMax; i++ {
		r.groupsUntil(i * r.opt.Ops)
		r.collect()
		if r.over.Load() || r.opt.Once || r.vacuous() == "" {
			break
		}
	}
	close(quit)
	beside.Wait()
	r.collect()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// groupsUntil runs groups side by side, never with more than opt.Clients connections, until so many
// operations are recorded.
func (r *run) groupsUntil(ops int) {
	free := make(chan struct{}, r.opt.Clients)
	var all sync.WaitGroup
	planned := int(r.done.Load())
	for planned < ops && !r.over.Load() {
		if r.held() > HeldOpsMax {
			time.Sleep(CollectEvery)
			continue
		}
		n := r.groups
		s := shapeOf(r.opt.Seed, n, r.opt.Ops, r.opt.Clients, ops-planned)
		if r.plan.waits {
			s = s.forQueues()
		}
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

// fail ends the run with an error of the harness; the first one counts.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.over.Store(true)
}

// declined notes a command that the target did not take because it is not the one to ask, or this
// user may not: nothing about it is evidence, and many of them leave a run without any.
func (r *run) declined(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.declines++; r.declines == DeclinesMax {
		r.over.Store(true)
		r.err = fmt.Errorf("workload: the target declines: %s", why)
	}
}

// broke notes a breach that no history can hold.
func (r *run) broke(clause, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = append(r.broken, fmt.Sprintf("%s: %s", clause, text))
	if len(r.broken) >= BrokenMax {
		r.over.Store(true)
	}
}

// wallMs estimates the target's clock in Unix milliseconds.
func (r *run) wallMs() int64 {
	offset, _ := r.clock.bracket()
	return (r.rec.Now() + offset.Low + (offset.High-offset.Low)/2) / int64(time.Millisecond)
}
