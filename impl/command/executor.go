// The way of one request: Run looks the command up, passes it through the gates in Redis' order
// (existence, arity, what is switched off, authentication, transaction, memory), and queues or calls
// it.
package command

import (
	"math"

	"rondo/impl/histogram"
	"rondo/impl/resp"
	"rondo/impl/store"
)

// Limits are the bounds that CONFIG SET may move.
type Limits struct {
	BulkLenMax int64 // proto-max-bulk-len (STR-18)
	HeldMax    int64 // what a transaction may hold: client-query-buffer-limit (CONN-14)
	Memory     Memory
}

// Stats counts what INFO shows.
type Stats struct {
	Commands int64 // executed, those of an EXEC included
	Hits     int64 // reads of keys that were there
	Misses   int64
	Expired  int64 // keys removed because their deadline had passed
	Evicted  int64 // keys removed to make room
	Changes  int64 // everything that passed the funnel
	Errors   int64 // error replies
}

// Executor runs commands over the databases. It is used on one thread only.
type Executor struct {
	Limits Limits
	Stats  Stats

	// Offered is the block in which the frame under execution stands, or nil. A command may take it
	// for a value in it, and leaves none.
	Offered *store.Block

	// Witness is told what nobody has asked for; nil for none.
	Witness Witness

	// ClientBytes is what clients hold in buffers and transactions. The server keeps it, while there
	// is a limit that it counts for.
	ClientBytes int64

	host    Host
	dbs     []*store.DB
	watched watchIndex
	waiters waiters
	element []byte // that is being moved
	turn    int    // the database whose turn it is in ExpireDue and Advance
	reached int    // the highest database that anybody has used

	pool   store.Pool
	victim []byte // a key about to be evicted
	access store.Access

	call   Call     // the one under way; its arguments stay until Settle
	gates  gate     // of every command: memory alone
	micros int64    // the unit's wall clock in microseconds, once TIME has asked; 0 before
	keys   [][]byte // what SCAN has found
	warm   [][]byte // the keys of the frames ahead

	meter   meter
	slowlog slowlog
	latency latency
	Lag     histogram.Histogram // between the time at which keys were due and their removal
}

// Witness is told what happens to a command, or to a key, that its own words do not say.
type Witness interface {
	Starves(*Session)                         // its command is refused for want of memory
	Removed(db int, key []byte, evicted bool) // evicted, or past its deadline
}

// New is an executor over empty databases in a memory.
func New(host Host, databases int, memory *store.Memory, seed uint64, limits Limits) *Executor {
	x := &Executor{
		Limits: limits, host: host, dbs: make([]*store.DB, databases),
		warm: make([][]byte, 0, store.WarmMax),
	}
	for i := range x.dbs {
		x.dbs[i] = store.New(memory, seed+uint64(i))
	}
	x.watched.byKey = make([]map[string][]*Session, databases)
	x.waiters = newWaiters(databases)
	x.meter.stats, x.meter.usual = make([]stat, len(every)), usualNanos
	x.Report(Reporting{SlowMicros: -1})
	return x
}

// NewSession is what a fresh connection starts with: database 0, RESP2, and authenticated if
// there is no password (CONN-8, CONN-9).
func (x *Executor) NewSession(id int64) Session {
	s := Session{ID: id, Proto: 2, OutMax: math.MaxInt}
	s.admit(x.host.Password() == "")
	return s
}

// DB is database i.
func (x *Executor) DB(i int) *store.DB { return x.dbs[i] }

// Release gives back the memory of all databases, without a word to anybody: they are empty then.
func (x *Executor) Release() {
	for _, db := range x.dbs {
		db.Clear()
	}
}

// Databases is how many there are.
func (x *Executor) Databases() int { return len(x.dbs) }

// Run executes one frame and appends its reply to s.Out. It goes by one reading of the wall
// clock (TIME-17), and so does a whole EXEC (EXEC-16).
func (x *Executor) Run(s *Session, args [][]byte) {
	if len(args) == 0 || s.CloseAfter || s.CloseNow != "" {
		return
	}
	cmd := Lookup(args[0])
	if cmd == nil {
		x.unknown(s, args)
		return
	}
	if cmd.Subs != nil && len(args) > 1 {
		sub := cmd.sub(args[1])
		if sub == nil {
			x.reject(s, nil, unknownSubcommand(cmd.Name, args[1]))
			return
		}
		cmd = sub
	}
	if !cmd.fits(len(args)) {
		x.reject(s, cmd, wrongArity(cmd.Name))
		return
	}
	s.LastCommand = cmd.Name
	if s.gates|x.gates|cmd.gates != 0 {
		if text := x.refusal(s, cmd); text != "" {
			x.reject(s, cmd, text)
			return
		}
		if s.inTx() && cmd.Flags&unqueued == 0 {
			x.enqueue(s, cmd, args)
			return
		}
	}
	x.micros = 0
	c := &x.call
	c.X, c.S, c.Now = x, s, x.host.NowMs()
	c.run(cmd, args)
	if len(x.waiters.ready) != 0 {
		x.serve()
	}
}

// Warm brings the keys of frames near, before they are executed. It has no effect: a key that is no
// key, or elsewhere by then, costs a little time.
func (x *Executor) Warm(s *Session, frames []resp.Frame) {
	db := x.dbs[s.DB]
	keys := x.warm[:0]
	for _, f := range frames {
		first, last, step := 1, 1, 1
		if len(f.Args) > 3 { // it may have several keys
			if cmd := Lookup(f.Args[0]); cmd != nil && cmd.Step > 0 {
				first, last, step = cmd.First, cmd.Last, cmd.Step
				if last < 0 {
					last += len(f.Args)
				}
			}
		}
		for i := first; i <= last && i < len(f.Args); i += step {
			if len(keys) == cap(keys) {
				db.Warm(keys)
				keys = keys[:0]
			}
			keys = append(keys, f.Args[i])
		}
	}
	db.Warm(keys)
}

// run calls a handler; EXEC runs its queue through it, on the same Call.
func (c *Call) run(cmd *Command, args [][]byte) {
	c.Cmd, c.Args, c.DB = cmd, args, c.X.dbs[c.S.DB]
	c.X.Stats.Commands++
	if cmd.Flags&endsTx != 0 {
		c.X.runExec(c)
		return
	}
	replied := len(c.S.Out)
	cmd.Handler(c)
	m := &c.X.meter
	if m.batch++; cmd.number != m.kind {
		m.change(cmd.number)
	}
	own := !cmd.brief || len(c.S.Out)-replied > briefBytes || len(args) > briefArgs ||
		len(args[len(args)-1]) > briefBytes
	if own || m.batch >= m.limit {
		c.X.settle(own)
	}
}

// refusal is the error of a command that may not be executed here and now, or nothing.
func (x *Executor) refusal(s *Session, cmd *Command) string {
	switch {
	case cmd.Flags&guarded != 0 && !x.host.DebugAllowed(s):
		return errDebug // CONN-31
	case !s.Authenticated() && cmd.Flags&NoAuth == 0 && x.host.Password() != "":
		return errNoAuth // CONN-9
	case s.inTx() && cmd.Flags&NoMulti != 0:
		return errNoMulti
	case x.Limits.Memory.Max != 0 && x.starved(s, cmd):
		if x.Witness != nil {
			x.Witness.Starves(s)
		}
		return errOOM
	}
	return ""
}

// reject replies an error of a command that was not even queued, and spoils the transaction it
// was meant for (EXEC-6). A rejected EXEC discards it at once.
func (x *Executor) reject(s *Session, cmd *Command, text string) {
	if cmd != nil && cmd.Flags&endsTx != 0 {
		x.discard(s)
		text = "EXECABORT Transaction discarded because of: " + trimErr(text)
	} else if s.inTx() {
		s.tx.spoilt = true
	}
	if cmd != nil {
		x.meter.stats[cmd.number].rejected++
	}
	x.CountError(text)
	s.Out = resp.AppendError(s.Out, text)
}

// unknown replies to a name that is not in the table. A web browser that found this port is cut
// off without a word, lest a page could make it send commands.
func (x *Executor) unknown(s *Session, args [][]byte) {
	if is(args[0], "POST") || is(args[0], "HOST:") {
		s.CloseNow = "spoke HTTP"
		return
	}
	x.reject(s, nil, unknownCommand(args))
}

// Forget drops what the executor remembers of a connection that ended (CONN-22, BLOCK-8).
func (x *Executor) Forget(s *Session) {
	x.discard(s)
	x.Unwait(s)
}
