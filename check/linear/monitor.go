package linear

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"rondo/check/history"
)

// This file judges a history while it is recorded, or read from a file too large to keep. In the
// order things happen:
//
//  1. operations are put into call order, and a recording that cannot be is found out;
//  2. each goes to its component (split.go). One that ties components together makes them one
//     (unite.go);
//  3. at a quiescent moment, when nothing of the component is in flight, what has gathered is cut
//     off as a segment, which workers judge in the background (segment.go), one at a time for each
//     component, so that what they hold is a set of configurations instead of operations;
//  4. a component whose keys are Done is judged to its end and forgotten. So are the commands of a
//     connection without keys, when it is quiet for long.
//
// What is held is bounded by Options.Memory: Add waits for the workers first; then the component
// that holds the most without a quiescent moment is given up as unknown.

const (
	segmentOps     = 1000            // a segment has at least so many operations, or, where many
	segmentOpsMin  = 64              // components are open, fewer,
	gatheredOps    = 200_000         // so that all of them together gather so many,
	segmentAge     = time.Second     // or is so old, by the recording's clock
	sweepEach      = time.Second / 4 // how often quiet components are looked for, by the same clock
	quietMax       = 30 * time.Second
	componentsMax  = 1000 // that a result lists, if all are ok
	notOKMax       = 100  // of those that are not ok, beyond that
	windowOpsMax   = 4000
	opBytes        = 500 // about what one operation takes, with its unit, beside its words
	waitingPerCore = 64  // segments that wait for workers before Add does
)

// Monitor is the judge of a recording that is still going on. One goroutine feeds it; Lag and Stats
// may be asked by others.
type Monitor struct {
	meta    history.Meta
	opt     Options
	order   *history.Order
	checker *history.Checker
	split   *splitter
	err     error
	faults  walkFaults
	// keep says that nothing is cut before its end: another engine is to judge.
	keep       bool
	segmentOps int

	streams map[int32]*stream // by root
	done    []doneKeys
	ending  []*stream // all keys are Done
	swept   int64
	now     int64 // call of the latest operation taken
	forgot  bool  // a component has been forgotten whose keys may exist

	mu         sync.Mutex
	change     *sync.Cond
	ready      []*stream // with segments to judge, and nobody at it
	closing    bool
	workers    sync.WaitGroup
	waiting    int // segments waiting or being judged
	stats      Stats
	latest     int64 // call
	judged     int64 // what was called before, of all components, has been judged
	explained  int   // illegal components
	result     Result
	judgedOnes []judgedOne
}

// stream is a component that may still get operations.
type stream struct {
	root    int32
	first   int64 // call
	pending []*unit
	bytes   int64 // of pending
	end     int64 // the latest return of an answered operation
	called  int64 // the latest call
	since   int64 // the call of the first pending operation
	ops     int
	lost    int
	foreign string
	selects bool // some operation was outside database 0

	// Guarded by Monitor.mu.
	queue   []segment
	running bool
	verdict Verdict // "" while open
	behind  int64   // bytes in queue and in judging.held

	judging judging // of whoever is running
}

type doneKeys struct {
	keys []string
	from int64 // they are done for operations called later than this
}

// Stats says where a Monitor is.
type Stats struct {
	Ops      int   // operations added
	Open     int   // components that may still get operations
	Closed   int   // components judged and forgotten
	Segments int   // judged apart
	Bytes    int64 // about what operations that are not judged take
	Illegal  int   // components convicted so far
	Unknown  int   // components given up so far
}

// NewMonitor begins to judge a recording of which only the meta line is known. If meta.MaxDisorder
// is 0, operations may come in any order, and nothing is decided before Close.
func NewMonitor(meta history.Meta, opt Options) *Monitor {
	m := &Monitor{meta: meta, opt: opt.withDefaults(), order: history.NewOrder(meta.MaxDisorder),
		checker: history.NewChecker(), split: newSplitter(meta), streams: map[int32]*stream{},
		segmentOps: segmentOps}
	m.keep = m.opt.Engine != Rondo
	m.change = sync.NewCond(&m.mu)
	m.split.joined = m.joined
	m.result = Result{SomePhase: meta.Offset == nil, Counts: map[Verdict]int{}}
	if m.err = meta.Validate(); m.err == nil && !IsEngine(m.opt.Engine) {
		m.err = fmt.Errorf("no engine is called %s", m.opt.Engine)
	}
	for range runtime.GOMAXPROCS(0) {
		m.workers.Add(1)
		go m.work()
	}
	return m
}

// Add takes the next operation, by call up to meta.MaxDisorder. An error says that the recording
// cannot be; Close then says so too.
func (m *Monitor) Add(op history.Op) error {
	if m.err != nil {
		return m.err
	}
	m.mu.Lock()
	m.stats.Ops++
	if m.stats.Ops == 1 {
		m.latest, m.judged = op.Call, op.Call
	}
	m.latest = max(m.latest, op.Call)
	m.mu.Unlock()
	if m.err = m.order.Add(&op); m.err != nil {
		return m.err
	}
	for m.err == nil {
		next := m.order.Next(false)
		if next == nil {
			break
		}
		m.take(next)
	}
	return m.err
}

// Done says that no operation will name these keys any more (of database 0; others as "3:key"), so
// that their components can be judged to the end and forgotten.
func (m *Monitor) Done(keys ...string) {
	m.done = append(m.done, doneKeys{slices.Clone(keys), m.latest})
}

// take puts an operation, in its turn, where it belongs.
func (m *Monitor) take(op *history.Op) {
	if m.err = m.checker.Add(op); m.err != nil {
		return
	}
	m.now = op.Call
	for len(m.done) > 0 && m.done[0].from < op.Call {
		m.finish(m.done[0].keys)
		m.done = m.done[1:]
	}
	outside := m.split.outside
	n := m.split.add(op)
	if m.split.outside != outside {
		m.everythingForeign()
	}
	if n != none {
		m.append(m.stream(n), op)
	}
	if op.Call-m.swept > int64(sweepEach) {
		m.sweep()
	}
}

// stream is the component of a node.
func (m *Monitor) stream(n int32) *stream {
	root := m.split.root(n)
	st := m.streams[root]
	if st == nil {
		st = &stream{root: root, first: m.now, end: -inf, foreign: m.split.outside}
		st.judging = judging{meta: m.meta, opt: m.opt, window: windowOpsMax, faults: m.faults}
		m.streams[root] = st
		m.count(func(s *Stats) { s.Open++ })
	}
	return st
}

func (m *Monitor) count(f func(*Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.stats)
}

// append adds an operation to its component, and cuts off what came before if that is enough.
func (m *Monitor) append(st *stream, op *history.Op) {
	if st.quiet(op.Call) && (len(st.pending) >= m.enough() || st.old(op.Call)) {
		m.cut(st, false)
	}
	if st.foreign == "" {
		st.foreign = m.foreign(op)
	}
	st.ops++
	st.called = op.Call
	if op.Reply == nil {
		st.lost++
	} else {
		st.end = max(st.end, op.Return)
	}
	st.selects = st.selects || selects(op)
	if size := sizeOf(op); m.grow(st, size) {
		if len(st.pending) == 0 {
			st.since = op.Call
		}
		halves(op.Cmd, func(h half) {
			u := newUnit(op, h)
			st.pending = append(st.pending, &u)
		})
		st.bytes += size
	}
}

// enough is how many operations make a segment.
func (m *Monitor) enough() int {
	return min(m.segmentOps, max(segmentOpsMin, gatheredOps/max(1, len(m.streams))))
}

// foreign names a command of op that nothing can be said about, or "". One that asks about a whole
// database is such if keys have been forgotten that it may still hold.
func (m *Monitor) foreign(op *history.Op) string {
	if name := m.split.words.foreign(op); name != "" || !m.forgot {
		return name
	}
	for _, line := range append([][][]byte{op.Cmd}, op.Body...) {
		if w := m.split.words.of(line); w.does == asksAll || w.does == asksWhole {
			if !is(line[0], "flushall") && !is(line[0], "flushdb") {
				return strings.ToUpper(string(line[0])) + ", after keys have been forgotten,"
			}
		}
	}
	return ""
}

// everythingForeign: an operation may have changed any key, from its call on.
func (m *Monitor) everythingForeign() {
	for _, st := range m.streams {
		if st.quiet(m.now) {
			m.cut(st, false)
		}
		st.foreign = m.split.outside
	}
}

// quiet: nothing of the component that was answered is in flight when an operation is called then.
func (st *stream) quiet(call int64) bool { return st.end < call }

// old: what is pending has waited for long.
func (st *stream) old(now int64) bool {
	return len(st.pending) > 0 && now-st.since > int64(segmentAge)
}

// cut hands what is pending to the workers, at a quiescent moment.
func (m *Monitor) cut(st *stream, last bool) {
	if len(st.pending) == 0 && !last || m.keep && !last {
		return
	}
	s := segment{units: st.pending, last: last, next: inf, now: m.now, bytes: st.bytes,
		foreign: st.foreign, selects: st.selects, keys: m.split.keysOf(st.root)}
	if !last {
		s.next, _ = window(&history.Op{Call: m.now, Return: history.Never}, m.meta)
	}
	st.pending, st.bytes = nil, 0
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.waiting > waitingPerCore*runtime.GOMAXPROCS(0) {
		m.change.Wait()
	}
	if st.verdict != "" {
		m.stats.Bytes -= s.bytes
		return
	}
	st.queue = append(st.queue, s)
	st.behind += s.bytes
	m.waiting++
	if !st.running && len(st.queue) == 1 {
		m.ready = append(m.ready, st)
		m.change.Broadcast()
	}
}

// grow accounts for an operation that is kept. If that is too much, what can be cut off is judged
// first, and then the component that holds the most is given up. False: this one keeps nothing.
func (m *Monitor) grow(st *stream, size int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stats.Bytes+size > m.opt.Memory/2 {
		m.mu.Unlock()
		for _, other := range m.streams {
			if other.quiet(m.now) {
				m.cut(other, false)
			}
		}
		m.mu.Lock()
	}
	for m.stats.Bytes+size > m.opt.Memory/2 && m.waiting > 0 {
		m.change.Wait()
	}
	for m.stats.Bytes+size > m.opt.Memory/2 {
		most := m.largest()
		if most == nil {
			break
		}
		most.judging.keys = m.split.keysOf(most.root)
		reason := fmt.Sprintf("%d MB of operations gathered without a moment of rest or a verdict",
			(most.bytes+most.behind)>>20)
		m.conclude(most, outcome{verdict: Unknown, moment: m.now, reason: reason}, nil)
		m.stats.Bytes -= most.bytes + most.behind
		most.pending, most.bytes, most.behind = nil, 0, 0
		most.judging = judging{}
	}
	if st.verdict != "" {
		return false
	}
	m.stats.Bytes += size
	return true
}

// largest is the undecided component that holds the most, if no worker is at it.
func (m *Monitor) largest() *stream {
	var most *stream
	for _, st := range m.streams {
		held := st.bytes + st.behind
		if st.verdict == "" && !st.running && held > 0 && (most == nil || held > most.bytes+most.behind) {
			most = st
		}
	}
	return most
}

func sizeOf(op *history.Op) int64 {
	n := int64(opBytes)
	for _, w := range op.Cmd {
		n += int64(24 + len(w))
	}
	for _, line := range op.Body {
		n += int64(100 + 50*len(line))
	}
	if op.Reply != nil {
		n += int64(len(op.Reply.Str) + 100*len(op.Reply.Elems))
	}
	return n
}

// joined makes one component of two. What both have been judged to is put together; what is not
// judged yet gathers anew.
func (m *Monitor) joined(into, from int32) {
	a, b := m.streams[into], m.streams[from]
	if len(m.meta.Start) > 0 && (a != nil || b != nil) {
		a, b = m.stream(into), m.stream(from)
	}
	delete(m.streams, from)
	switch {
	case b == nil:
		return
	case a == nil:
		b.root = into
		m.streams[into] = b
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for a.running || b.running || len(a.queue)+len(b.queue) > 0 {
		m.change.Wait()
	}
	if a.verdict == "" && b.verdict == "" && (a.overtakes(b) || b.overtakes(a)) {
		a.judging.keys = m.split.keysOf(into)
		m.conclude(a, outcome{verdict: Unknown, moment: m.now,
			reason: "a connection's transactions joined keys of which some had been judged further than others"}, nil)
	}
	if a.verdict == "" || b.verdict == "" {
		m.stats.Open--
	}
	a.first, a.end, a.called = min(a.first, b.first), max(a.end, b.end), max(a.called, b.called)
	a.ops, a.lost, a.selects = a.ops+b.ops, a.lost+b.lost, a.selects || b.selects
	a.foreign = cmp.Or(a.foreign, b.foreign)
	if a.verdict != "" || b.verdict != "" {
		m.stats.Bytes -= a.bytes + a.behind + b.bytes + b.behind
		a.verdict = cmp.Or(a.verdict, b.verdict)
		a.pending, a.bytes, a.behind, a.judging = nil, 0, 0, judging{}
		return
	}
	x, y := &a.judging, &b.judging
	x.keys, y.keys = m.split.keysOf(into), m.split.keysOf(from)
	a.pending = byCall(slices.Concat(x.heldUnits(), a.pending), slices.Concat(y.heldUnits(), b.pending))
	a.bytes, a.behind = a.bytes+b.bytes+a.behind+b.behind, 0
	if len(a.pending) > 0 {
		a.since = a.pending[0].rec.Call
	}
	x.unite(y)
}

// overtakes: a has been judged to where a connection watches its keys, and b not yet beyond commands
// that end the watches of the same connection. These were sent before, but would come after.
func (a *stream) overtakes(b *stream) bool {
	if a.judging.carry == nil || a.judging.carry.cells {
		return false
	}
	ends := func(u *unit) bool {
		switch lower(u.rec.Cmd[0]) {
		case "watch", "unwatch", "exec", "discard", "reset":
			return slices.ContainsFunc(a.judging.carry.set, func(s standing) bool {
				return s.c.state.HasSession(u.client)
			})
		}
		return false
	}
	for _, s := range b.judging.held {
		if slices.ContainsFunc(s.units, ends) {
			return true
		}
	}
	return slices.ContainsFunc(b.pending, ends)
}

// finish ends the components of which all keys are done.
func (m *Monitor) finish(names []string) {
	for _, name := range names {
		if n, ok := m.split.find(name); ok {
			m.split.nodes[n].done = true
			if st := m.streams[m.split.root(n)]; st == nil {
				m.split.forget(m.split.root(n))
			} else if m.split.allDone(st.root) && !slices.Contains(m.ending, st) {
				m.ending = append(m.ending, st)
			}
		}
	}
}

// sweep cuts off what has waited for long, and forgets what has ended.
func (m *Monitor) sweep() {
	m.swept = m.now
	m.ending = slices.DeleteFunc(m.ending, func(st *stream) bool {
		if m.streams[st.root] != st || !m.split.allDone(st.root) {
			return true // it has joined another
		}
		return st.quiet(m.now) && m.end(st)
	})
	m.measure()
	for _, st := range m.streams {
		switch {
		case !st.quiet(m.now):
		case m.split.nodes[st.root].kind == 'c' && m.now-st.called > int64(quietMax) && m.meta.Offset != nil,
			m.split.nodes[st.root].kind == 'u' && m.split.allDone(st.root):
			m.end(st)
		case st.old(m.now):
			m.cut(st, false)
		}
	}
	m.split.prune(m.now - int64(quietMax))
	m.checker.Prune(m.now - int64(quietMax))
}

// measure finds the earliest operation that is not judged.
func (m *Monitor) measure() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judged = m.now
	for _, st := range m.streams {
		for _, s := range append(st.queue, segment{units: st.pending}) {
			if st.verdict == "" && len(s.units) > 0 {
				m.judged = min(m.judged, s.units[0].rec.Call)
			}
		}
	}
}

// end judges a component to its end and forgets it; false if a connection still watches its keys.
func (m *Monitor) end(st *stream) bool {
	if m.split.watched(st.root) {
		return false
	}
	m.cut(st, true)
	m.forgot = m.forgot || m.split.nodes[st.root].kind != 'c'
	m.split.forget(st.root)
	delete(m.streams, st.root)
	return true
}

// Lag is how far the verdict is behind the latest operation added.
func (m *Monitor) Lag() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(max(0, m.latest-m.judged))
}

// Stats says where the judge is.
func (m *Monitor) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Close ends the recording and gives the whole verdict.
func (m *Monitor) Close() Result {
	for m.err == nil {
		op := m.order.Next(true)
		if op == nil {
			break
		}
		m.take(op)
	}
	for _, st := range m.streams {
		m.cut(st, true)
	}
	m.mu.Lock()
	m.closing = true
	m.change.Broadcast()
	m.mu.Unlock()
	m.workers.Wait()
	return m.whole()
}

// whole sums up.
func (m *Monitor) whole() Result {
	res := m.result
	res.Ops = m.stats.Ops
	slices.SortStableFunc(m.judgedOnes, func(a, b judgedOne) int { return cmp.Compare(a.first, b.first) })
	for _, c := range m.judgedOnes {
		res.Components = append(res.Components, c.Component)
	}
	res.Verdict, res.Reason = overall(res.Components)
	res.Findings = findings(res.Components)
	if m.stats.Closed > componentsMax {
		res.Components = slices.DeleteFunc(res.Components, func(c Component) bool { return c.Verdict == OK })
	}
	switch {
	case m.err != nil:
		res.Verdict, res.Reason = Error, m.err.Error()
	case m.split.outside != "" && res.Verdict == OK:
		res.Verdict, res.Reason = Unknown, m.split.outside+" is not a command that the model decides"
	}
	return res
}
