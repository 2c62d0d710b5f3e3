package linear

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"rondo/check/history"
	"rondo/model"
)

// This file lets porcupine search one component. Porcupine knows intervals and a Step function;
// what it does not know is put into the state:
//
//   - Clock windows travel in the input. The state is a *set* of configurations, because one reply
//     can have several causes (SET KEEPTTL on a key that may or may not have expired), and a
//     configuration that another one includes is dropped: what continues it continues the other.
//   - An operation of unknown outcome returns after everything else, and its Step gives the union
//     of "it happened" and "it did not" (LIN-5). That artificial return lies after the last call
//     too: an operation cannot return before it is called.
//   - Pipelined operations overlap, yet take effect in the order sent (LIN-6). The state counts,
//     for each connection on which operations overlap, how many are done: an operation is possible
//     only when it is next. Of a connection with lost operations the configuration remembers that
//     one did not happen; then no later one did.
//   - A transaction is one operation (LIN-7), and WATCH is one of its own: the sessions are part of
//     the model's state, so that the marks and what dirties them need nothing here (LIN-8).

// configsMax bounds the configurations made for one component, and so the memory of porcupine's
// cache, which has no bound of its own.
const configsMax = 1_000_000

// stateSet is porcupine's state: an antichain of configurations, sorted, with the next positions.
type stateSet struct {
	configs []config
	next    []uint16 // by connection that pipelines; shared, copied on change
	hash    uint64
}

// search is one search of a list of units.
type search struct {
	engine *engine
	units  []*unit
	start  []config
	conns  int
}

// model is the component as porcupine sees it.
func (s *search) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any {
			return newSet(slices.Clone(s.start), make([]uint16, s.conns), s.engine.faults)
		},
		StepContext: func(ctx context.Context, state, input, _ any) (bool, any) {
			next := s.step(ctx, state.(*stateSet), input.(*unit))
			return next != nil, next
		},
		Equal:             func(a, b any) bool { return a.(*stateSet).equal(b.(*stateSet)) },
		Hash:              func(a any) uint64 { return a.(*stateSet).hash },
		DescribeOperation: func(input, _ any) string { return describe(input.(*unit).rec) },
		DescribeState:     func(state any) string { return describeSet(state.(*stateSet)) },
	}
}

// step applies u to every configuration; nil if none allows it.
func (s *search) step(ctx context.Context, in *stateSet, u *unit) *stateSet {
	if s.engine.gaveUp.Load() {
		return nil
	}
	next := in.next
	if u.conn >= 0 && !s.engine.faults.orderIgnored {
		if int(next[u.conn]) != u.pos {
			return nil
		}
		next = slices.Clone(next)
		next[u.conn]++
	}
	var out []config
	for i := range in.configs {
		if ctx.Err() != nil {
			return nil
		}
		out = s.apply(out, &in.configs[i], u)
	}
	if len(out) == 0 {
		return nil
	}
	return newSet(out, next, s.engine.faults)
}

// apply appends what u can make of one configuration.
func (s *search) apply(out []config, c *config, u *unit) []config {
	var bit uint64
	if u.conn >= 0 && !s.engine.faults.deadIgnored {
		bit = 1 << (u.conn % 64)
	}
	if c.dead&bit != 0 {
		if !u.lost() {
			return out
		}
		return append(out, *c)
	}
	if !u.lost() {
		return s.engine.step(out, c, u)
	}
	if !s.engine.faults.lostNever {
		out = s.engine.step(out, c, u)
	}
	if s.engine.faults.lostHappens {
		return out
	}
	skipped := *c
	if bit != 0 && !u.final {
		skipped.dead |= bit
		skipped = s.engine.withKey(skipped)
	}
	return append(out, skipped)
}

// operations lays the units out in time. Answered ones keep their interval, closed at both ends;
// the others end after everything.
func (s *search) operations() []porcupine.Operation {
	end := int64(0)
	for _, u := range s.units {
		end = max(end, u.rec.Call)
		if !u.lost() {
			end = max(end, u.rec.Return)
		}
	}
	ops := make([]porcupine.Operation, len(s.units))
	for i, u := range s.units {
		ops[i] = porcupine.Operation{
			ClientId: u.rec.Client, Input: u, Call: u.rec.Call, Return: u.rec.Return,
		}
		switch {
		case u.lost() && s.engine.faults.lostHappens:
			ops[i].Return = u.rec.Call + 1
		case u.lost():
			ops[i].Return = end + 1
		}
	}
	return ops
}

// run decides the search, within the time limit.
func (s *search) run(timeout time.Duration) Verdict {
	if len(s.units) == 0 {
		return OK
	}
	result := porcupine.CheckOperationsTimeout(s.model(), s.operations(), timeout)
	switch {
	case s.engine.gaveUp.Load() || result == porcupine.Unknown:
		return Unknown
	case result == porcupine.Ok:
		return OK
	}
	return Illegal
}

// newSet makes the canonical set: without configurations that others include, sorted. It may reuse
// the slice.
func newSet(configs []config, next []uint16, f faults) *stateSet {
	set := &stateSet{next: next}
	if len(configs) > 1 {
		configs = antichain(configs, f)
	}
	set.configs = configs
	set.hash = hash(configs)
	return set
}

// antichain drops what is included in another configuration and sorts the rest.
func antichain(configs []config, f faults) []config {
	slices.SortStableFunc(configs, func(a, b config) int { return a.compare(&b) })
	var out []config
	for i := range configs {
		covered := false
		for j := 0; j < len(configs) && !covered; j++ {
			covered = j != i && covers(&configs[j], &configs[i], j < i, f)
		}
		if !covered {
			out = append(out, configs[i])
		}
	}
	return out
}

// covers reports that a makes b superfluous; of two equal ones the earlier stays.
func covers(a, b *config, earlier bool, f faults) bool {
	if a.key != b.key {
		return false
	}
	if f.includesReversed {
		a, b = b, a
	}
	return a.zone.includes(&b.zone) && (earlier || !b.zone.includes(&a.zone))
}

func hash(configs []config) uint64 {
	h := fnv.New64a()
	var word [8]byte
	for i := range configs {
		h.Write([]byte(configs[i].key))
		for _, d := range configs[i].zone.d {
			binary.LittleEndian.PutUint64(word[:], uint64(d))
			h.Write(word[:])
		}
	}
	return h.Sum64()
}

// equal leaves the next positions out: they follow from which operations are linearized, which
// porcupine's cache compares by itself.
func (s *stateSet) equal(t *stateSet) bool {
	return s.hash == t.hash && slices.EqualFunc(s.configs, t.configs, func(a, b config) bool {
		return a.key == b.key && slices.Equal(a.zone.d, b.zone.d)
	})
}

// porcupine decides the component by porcupine alone, within its limits.
func (p *part) porcupine(opt Options) opinion {
	switch {
	case len(p.units) > opt.OpsMax:
		return opinion{Unknown, fmt.Sprintf("porcupine: %d operations, more than %d",
			len(p.units), opt.OpsMax)}
	case p.clients > opt.ClientsMax:
		return opinion{Unknown, fmt.Sprintf("porcupine: %d clients at once, more than %d",
			p.clients, opt.ClientsMax)}
	case p.conns > 64:
		return opinion{Unknown, fmt.Sprintf("porcupine: %d connections that pipeline, more than 64",
			p.conns)}
	}
	s := p.search()
	s.engine.faults = opt.faults
	if opt.Unbounded {
		s.engine.madeMax = inf
	}
	v := s.run(opt.Timeout)
	if v == Unknown {
		return opinion{v, fmt.Sprintf("porcupine: not decided within %v and %d configurations",
			opt.Timeout, configsMax)}
	}
	return opinion{verdict: v}
}

// search prepares the exact search of the component.
func (p *part) search() *search {
	e := newEngine(p.meta.Profile != history.Frozen, p.meta.Offset != nil)
	return &search{engine: e, units: p.units, conns: p.conns, start: p.start(e)}
}

// start is the configuration before the first operation: empty, or with the keys that the
// recording says were there.
func (p *part) start(e *engine) []config {
	if p.from != nil {
		return slices.Clone(p.from)
	}
	state := model.Initial(model.Options{Databases: p.databases()})
	start := []config{e.initial(state)}
	const setter = model.Client(-1)
	for _, k := range p.meta.Start {
		if !slices.Contains(p.keys, key{k.DB, string(k.Key)}) {
			continue
		}
		line := [][]byte{[]byte("SET"), k.Key, k.Value}
		if k.Deadline != nil {
			line = append(line, []byte("PXAT"), fmt.Append(nil, *k.Deadline))
		}
		u := &unit{client: setter, lo: -inf, hi: inf, conn: -1,
			lines: [][][]byte{words("SELECT", fmt.Sprint(k.DB)), line}}
		var next []config
		for i := range start {
			// At 0 no deadline is past; a key that has expired by the first operation does so there.
			start[i].zone.limit(rowNow, rowZero, 0)
			next = e.step(next, &start[i], u)
		}
		start = next
	}
	for i := range start {
		start[i].state = model.Close(start[i].state, setter)
		start[i] = e.withKey(start[i])
	}
	return start
}

func (p *part) databases() int {
	n := 16
	for _, k := range p.keys {
		n = max(n, k.db+1)
	}
	return n
}

// visualize writes porcupine's page: the timeline with the longest partial orders found.
func (p *part) visualize(w io.Writer, timeout time.Duration) error {
	s := p.search()
	m := s.model()
	_, info := porcupine.CheckOperationsVerbose(m, s.operations(), timeout)
	return porcupine.Visualize(m, info, w)
}

// describe is one operation as a line of text: the command and its reply.
func describe(op *history.Op) string {
	if op.Reply == nil {
		return command(op) + " -> ?"
	}
	return command(op) + " -> " + op.Reply.String()
}

// command is the command line, of a transaction with its body.
func command(op *history.Op) string {
	if op.Body == nil {
		return op.String()
	}
	lines := make([]string, len(op.Body))
	for i, line := range op.Body {
		lines[i] = history.Op{Cmd: line}.String()
	}
	return op.String() + " of [" + strings.Join(lines, "; ") + "]"
}

// describeSet shows a state to people: every configuration, in the model's own words.
func describeSet(s *stateSet) string {
	var parts []string
	for i := range s.configs {
		parts = append(parts, s.configs[i].state.Describe())
	}
	return strings.Join(parts, "\n or ")
}
