package workload

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/model"
	"rondo/spec/commands"
)

// Stats tell what a history can mean. They are counted from the history itself.
type Stats struct {
	Ops     int            // operations recorded
	Clients int            // that recorded one
	Hits    map[string]int // by command, those inside transactions included
	Replies map[string]int // by kind: "bulk", "nil", "integer" ...

	Overlapping int // operations in flight together with one of another client on a common key
	Gets        int // GETs answered
	GetsNil     int // and those answered nil
	Near        int // reads within NearMs of a deadline that a reply had made known
	Expired     int // reads that found a key gone after its deadline, and nothing else removed it
	Lost        int // operations without a reply
	Transacts   int // EXECs answered
	Aborted     int // and those answered null
	Pipelined   int // operations sent before the one before them on the connection had returned
	Served      int // elements that were taken by who had called before they were pushed
	TimedOut    int // commands that waited and were answered null
	Unblocked   int // CLIENT UNBLOCKs that ended somebody's waiting

	Waits        bool     // the mix has commands that wait
	Planned      []string // the commands of the mix that the target has
	Transactions bool     // the mix makes transactions

	Deadlines bool            // the mix sets deadlines that end within the run
	LeftOut   []string        // words and forms of the mix that the target lacks
	Offset    *history.Offset // of the target's clock; nil: not known
	Broken    []string        // "CLAUSE: what happened": breaches that no history can hold
}

// The least that makes a history mean something.
const (
	overlapPercentMin = 3
	nearMin           = 10
	expiredMin        = 5
	transactsMin      = 5
	servedMin         = 10
	timedOutMin       = 5
	missedPercentMax  = 10 // of the commands of the mix
)

// Add adds what another recording of the same mix says.
func (s *Stats) Add(o Stats) {
	if s.Hits == nil {
		s.Hits, s.Replies = map[string]int{}, map[string]int{}
	}
	for name, n := range o.Hits {
		s.Hits[name] += n
	}
	for kind, n := range o.Replies {
		s.Replies[kind] += n
	}
	for _, p := range []struct {
		to *int
		n  int
	}{
		{&s.Ops, o.Ops}, {&s.Clients, o.Clients}, {&s.Overlapping, o.Overlapping}, {&s.Gets, o.Gets},
		{&s.GetsNil, o.GetsNil}, {&s.Near, o.Near}, {&s.Expired, o.Expired}, {&s.Lost, o.Lost},
		{&s.Transacts, o.Transacts}, {&s.Aborted, o.Aborted}, {&s.Pipelined, o.Pipelined},
		{&s.Served, o.Served}, {&s.TimedOut, o.TimedOut}, {&s.Unblocked, o.Unblocked},
	} {
		*p.to += p.n
	}
	s.Deadlines, s.LeftOut, s.Planned = s.Deadlines || o.Deadlines, o.LeftOut, o.Planned
	s.Transactions, s.Waits = s.Transactions || o.Transactions, s.Waits || o.Waits
	if s.Offset == nil || o.Offset != nil && o.Offset.High-o.Offset.Low > s.Offset.High-s.Offset.Low {
		s.Offset = o.Offset // the one known least
	}
	if len(s.Broken) < BrokenMax {
		s.Broken = append(s.Broken, o.Broken...)
	}
}

// Overlap is the share of operations that overlapped another, in percent.
func (s Stats) Overlap() float64 { return percent(s.Overlapping, s.Ops) }

// NilRate is the share of GETs answered nil, in percent.
func (s Stats) NilRate() float64 { return percent(s.GetsNil, s.Gets) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// Vacuous gives the reason, in words, why a history says too little to be called ok; "" if it does
// not.
func (s Stats) Vacuous() string {
	switch {
	case s.Ops == 0:
		return "no operation was recorded"
	case s.Overlap() < overlapPercentMin:
		return fmt.Sprintf("only %.1f %% of %d operations overlapped one of another client on a "+
			"common key; at least %d %% are needed", s.Overlap(), s.Ops, overlapPercentMin)
	case s.Deadlines && s.Near < nearMin:
		return fmt.Sprintf("only %d reads came within %d ms of a deadline; at least %d are needed",
			s.Near, NearMs, nearMin)
	case s.Deadlines && s.Expired < expiredMin:
		return fmt.Sprintf("only %d reads found a key expired; at least %d are needed",
			s.Expired, expiredMin)
	case s.Transactions && s.Transacts < transactsMin:
		return fmt.Sprintf("only %d transactions were answered; at least %d are needed", s.Transacts,
			transactsMin)
	case s.Waits && (s.Served < servedMin || s.TimedOut < timedOutMin):
		return fmt.Sprintf("only %d elements went to clients that had waited for them, and %d timeouts ended; "+
			"at least %d and %d are needed", s.Served, s.TimedOut, servedMin, timedOutMin)
	case s.Gets > 0 && s.Gets == s.GetsNil:
		return fmt.Sprintf("all of %d GETs were answered nil: no value was ever read", s.Gets)
	}
	if missed := s.missed(); 100*len(missed) > missedPercentMax*len(s.Planned) {
		return fmt.Sprintf("%d of the %d commands of the mix were never used: %s", len(missed),
			len(s.Planned), strings.Join(missed, ", "))
	}
	return ""
}

// missed are the commands of the mix that were not used once.
func (s Stats) missed() (names []string) {
	for _, name := range s.Planned {
		if s.Hits[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

// Clauses are those that this history could have shown broken: what they speak of happened in it.
func (s Stats) Clauses() (ids []string) {
	for _, c := range []struct {
		id    string
		shown bool
	}{
		{"LIN-1", s.Overlapping > 0}, {"LIN-2", s.Ops > 0}, {"LIN-3", s.Overlapping > 0},
		{"LIN-4", s.Near > 0}, {"LIN-5", s.Lost > 0}, {"LIN-6", s.Pipelined > 0},
		{"LIN-7", s.Transacts > s.Aborted}, {"LIN-8", s.Aborted > 0},
		{"TIME-5", s.Near > 0 && s.Expired > 0}, {"BLOCK-3", s.Served > 0}, {"BLOCK-4", s.TimedOut > 0},
		{"BLOCK-5", s.Served > 0}, {"BLOCK-7", s.Unblocked > 0},
	} {
		if c.shown {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// Figure is one line of the summary, for people.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Figures is the summary, line by line.
func (s Stats) Figures() []Figure {
	all := []Figure{
		{"operations", fmt.Sprintf("%d of %d clients", s.Ops, s.Clients)},
		{"overlapping", fmt.Sprintf("%.1f %% of the operations", s.Overlap())},
		{"GET answered nil", fmt.Sprintf("%.1f %% of %d", s.NilRate(), s.Gets)},
		{"reads near a deadline", fmt.Sprintf("%d within %d ms, %d found it passed", s.Near, NearMs,
			s.Expired)},
		{"replies lost", strconv.Itoa(s.Lost)},
		{"transactions", fmt.Sprintf("%d of %d aborted", s.Aborted, s.Transacts)},
		{"pipelined", strconv.Itoa(s.Pipelined)},
		{"target's clock", "not known"},
		{"commands", counts(s.Hits)},
		{"replies", counts(s.Replies)},
		{"clauses it could show broken", strings.Join(s.Clauses(), ", ")},
	}
	if s.Waits {
		all = append(all, Figure{"waiting", fmt.Sprintf("%d elements went to who had waited for them, "+
			"%d timeouts ended, %d were unblocked", s.Served, s.TimedOut, s.Unblocked)})
	}
	if s.Offset != nil {
		all[7].Value = fmt.Sprintf("known to %v", time.Duration(s.Offset.High-s.Offset.Low))
	}
	if len(s.LeftOut) > 0 {
		all = append(all, Figure{"left out, the target lacks them", strings.Join(s.LeftOut, ", ")})
	}
	for _, b := range s.Broken {
		all = append(all, Figure{"broken", b})
	}
	return all
}

// counts lists what was counted, the most frequent first.
func counts(of map[string]int) string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := names[i], names[j]
		return of[a] > of[b] || of[a] == of[b] && a < b
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, of[name])
	}
	return strings.Join(names, ", ")
}

// String is the summary on one line.
func (s Stats) String() string {
	var parts []string
	for _, f := range s.Figures() {
		parts = append(parts, f.Name+": "+f.Value)
	}
	return strings.Join(parts, "; ")
}

// meter counts while a history is recorded, by call time. What it says of deadlines is a good guess,
// not a judgement: it takes operations in the order of their calls. What it knows of a key is
// forgotten when nobody will name the key again, so that it is bounded.
type meter struct {
	s      Stats
	offset *history.Offset
	flying map[string][]*flight // by key: the operations that may be in flight
	known  map[string]*known
	last   map[int]int64 // by client: the return of its latest operation; emptied when it grows
}

// flight is an operation that others may overlap.
type flight struct {
	client  int
	ret     int64
	overlap bool // counted as overlapping
}

// known is the deadline of a key as replies have told it, in ns of the history's clock.
type known struct {
	low, high int64
	pending   bool // nothing seen since could have removed the key or the deadline
	// taken are the elements taken by commands that may wait and were not seen to be pushed yet.
	taken map[string]bool
}

func newMeter(p plan, offset *history.Offset) *meter {
	return &meter{
		s: Stats{Hits: map[string]int{}, Replies: map[string]int{}, Deadlines: p.deadlines,
			LeftOut: p.left, Planned: p.commands(), Transactions: p.transactions, Waits: p.waits},
		offset: offset, last: map[int]int64{}, flying: map[string][]*flight{}, known: map[string]*known{},
	}
}

// add takes the next operation.
func (m *meter) add(op *history.Op) {
	m.s.Ops++
	if op.N == 1 {
		m.s.Clients++
	}
	keys := keysOf(op)
	if last, ok := m.last[op.Client]; ok && op.Call < last {
		m.s.Pipelined++
	}
	if len(m.last) > meterClientsMax {
		clear(m.last) // most of them have left long ago
	}
	m.last[op.Client] = op.Return
	if op.Return != history.Never { // a lost operation would overlap everything
		m.overlap(op, keys)
	}
	m.count(op, keys)
}

// done forgets keys.
func (m *meter) done(keys []string) {
	for _, k := range keys {
		delete(m.flying, k)
		delete(m.known, k)
	}
}

// overlap counts the operation, and those of other clients that were in flight when it was called,
// on any of its keys.
func (m *meter) overlap(op *history.Op, keys []string) {
	f := &flight{client: op.Client, ret: op.Return}
	for _, key := range keys {
		kept := m.flying[key][:0]
		for _, other := range m.flying[key] {
			if other.ret < op.Call {
				continue
			}
			kept = append(kept, other)
			if other.client != op.Client {
				m.overlaps(f)
				m.overlaps(other)
			}
		}
		m.flying[key] = append(kept, f)
	}
}

func (m *meter) overlaps(f *flight) {
	if !f.overlap {
		f.overlap = true
		m.s.Overlapping++
	}
}

// keysOf lists the keys of an operation, each once.
func keysOf(op *history.Op) []string {
	var keys []string
	for _, cmd := range append([][][]byte{op.Cmd}, op.Body...) {
		for _, i := range commands.Keys(cmd) {
			keys = append(keys, string(cmd[i]))
		}
	}
	sort.Strings(keys)
	n := 0
	for i, k := range keys {
		if i == 0 || k != keys[i-1] {
			keys[n] = k
			n++
		}
	}
	return keys[:n]
}

func (m *meter) count(op *history.Op, keys []string) {
	m.s.Hits[strings.ToLower(string(op.Cmd[0]))]++
	if op.Return == history.Never {
		m.s.Lost++
		for _, key := range keys { // the deadline may have been changed
			m.at(key).pending = false
		}
		return
	}
	m.s.Replies[kindNames[op.Reply.Kind]]++
	if op.Body == nil {
		m.queue(op)
		m.command(op.Cmd, *op.Reply, op.Call, op.Return)
		return
	}
	m.s.Transacts++
	if op.Reply.IsNull() {
		m.s.Aborted++
	}
	for i, cmd := range op.Body {
		m.s.Hits[strings.ToLower(string(cmd[0]))]++
		if i < len(op.Reply.Elems) {
			m.command(cmd, op.Reply.Elems[i], op.Call, op.Return)
		}
	}
}

// queue counts who waited. Who waited for an element called before it was pushed, and so comes here
// before the push does.
func (m *meter) queue(op *history.Op) {
	name := strings.ToLower(string(op.Cmd[0]))
	switch {
	case name == "client":
		m.s.Unblocked += toInt(op.Reply.Kind == model.Int && op.Reply.Int == 1)
	case name == "rpush" || name == "lpush":
		k := m.at(string(op.Cmd[1]))
		for _, element := range op.Cmd[2:] {
			m.s.Served += toInt(k.taken[string(element)])
			delete(k.taken, string(element))
		}
	case listWords[name].waits && op.Reply.IsNull():
		m.s.TimedOut++
	case listWords[name].waits && len(op.Reply.Elems) == 2 && op.Reply.Elems[1].Kind == model.Bulk:
		k := m.at(op.Reply.Elems[0].Str)
		if k.taken == nil {
			k.taken = map[string]bool{}
		}
		k.taken[op.Reply.Elems[1].Str] = true
	}
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *meter) at(key string) *known {
	if m.known[key] == nil {
		m.known[key] = &known{low: -1 << 62, high: -1 << 62}
	}
	return m.known[key]
}

// command counts one answered command, called and returned when its operation was.
func (m *meter) command(cmd [][]byte, reply model.Reply, call, ret int64) {
	name := strings.ToLower(string(cmd[0]))
	if name == "get" {
		m.s.Gets++
		if reply.IsNull() {
			m.s.GetsNil++
		}
	}
	for _, i := range commands.Keys(cmd) {
		k := m.at(string(cmd[i]))
		const near = int64(NearMs * time.Millisecond)
		if reading[name] {
			if ret >= k.low-near && call <= k.high+near {
				m.s.Near++
			}
			if k.pending && absent(name, reply) && ret >= k.low {
				m.s.Expired++
				k.pending = false
			}
			continue
		}
		m.write(k, name, cmd, reply, call, ret)
	}
}

// write updates what is known of a key after a command that may have changed it.
func (m *meter) write(k *known, name string, cmd [][]byte, reply model.Reply, call, ret int64) {
	at, relative, ok := deadlineOf(name, cmd)
	refused := reply.Kind == model.Int && reply.Int == 0 || reply.Kind == model.Error
	switch {
	case refused: // PEXPIRE, PERSIST, SETNX ... changed nothing
	case !ok:
		k.pending = k.pending && keepsDeadline[name]
	case reply.IsNull():
		k.pending = false // GETEX of nothing, SET NX or XX refused, or SET GET of nothing: not clear
	case relative:
		k.low, k.high, k.pending = call+at*1e6, ret+at*1e6+1e6, true
	case m.offset != nil:
		k.low, k.high, k.pending = at*1e6-m.offset.High, at*1e6-m.offset.Low+1e6, true
	}
}

var kindNames = map[model.Kind]string{
	model.Simple: "status", model.Error: "error", model.Int: "integer", model.Bulk: "bulk",
	model.Null: "nil", model.Null3: "nil", model.NullArray: "nil array", model.Array: "array",
	model.Map: "map", model.Set: "set", model.Double: "double", model.Bool: "boolean",
}

// reading are the commands that look at a key and leave it; absent tells that they found none.
var reading = map[string]bool{
	"get": true, "strlen": true, "exists": true, "pttl": true, "ttl": true, "pexpiretime": true,
	"type": true, "mget": true, "getrange": true,
}

var keepsDeadline = map[string]bool{
	"incrby": true, "decrby": true, "append": true, "watch": true, "copy": true,
}

func absent(name string, reply model.Reply) bool {
	switch name {
	case "get":
		return reply.IsNull()
	case "pttl", "ttl", "pexpiretime":
		return reply.Int == -2
	case "type":
		return reply.Str == "none"
	case "exists":
		return reply.Kind == model.Int && reply.Int == 0
	}
	return false
}

// deadlineOf reads the deadline, in ms, that a command line asks for.
func deadlineOf(name string, cmd [][]byte) (at int64, relative, ok bool) {
	number := func(i int, relative bool) (int64, bool, bool) {
		if i >= len(cmd) {
			return 0, false, false
		}
		n, err := strconv.ParseInt(string(cmd[i]), 10, 64)
		return n, relative, err == nil
	}
	switch name {
	case "pexpire", "psetex":
		return number(2, true)
	case "pexpireat":
		return number(2, false)
	case "set", "getex":
		for i, word := range cmd {
			switch strings.ToLower(string(word)) {
			case "px":
				return number(i+1, true)
			case "pxat":
				return number(i+1, false)
			}
		}
	}
	return 0, false, false
}
