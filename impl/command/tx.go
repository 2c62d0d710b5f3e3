// Transactions: MULTI collects commands, EXEC runs them as one unit unless a watched key has
// changed. The watch index leads from a key to the sessions that watch it, so that a change costs
// as much as it has watchers, and nothing while there are none at all.
package command

import (
	"maps"
	"slices"

	"rondo/impl/resp"
)

// transaction is a session's part of it.
type transaction struct {
	spoilt  bool     // a command could not be queued: EXEC will abort (EXEC-6)
	dirty   bool     // a watched key has changed: EXEC will do nothing (EXEC-9)
	queue   []queued // what EXEC will run
	flags   Flags    // of all that is in the queue
	watches []watch
	held    int64 // bytes that queue and watches occupy
}

type queued struct {
	cmd  *Command
	args [][]byte
}

type watch struct {
	db  int // EXEC-18
	key string
}

// What a queued command, an argument of it, and a watch occupy beside their bytes.
const (
	queuedBytes = 64
	argBytes    = 24
	watchBytes  = 128
)

// enqueue copies the arguments: they are views of the input buffer.
func (x *Executor) enqueue(s *Session, cmd *Command, args [][]byte) {
	size := 0
	for _, arg := range args {
		size += len(arg)
	}
	buf := make([]byte, 0, size)
	kept := make([][]byte, len(args))
	for i, arg := range args {
		from := len(buf)
		buf = append(buf, arg...)
		kept[i] = buf[from:len(buf):len(buf)]
	}
	s.tx.queue = append(s.tx.queue, queued{cmd, kept})
	s.tx.flags |= cmd.Flags
	s.Out = resp.AppendSimple(s.Out, "QUEUED")
	x.hold(s, size+queuedBytes+argBytes*len(args))
}

// hold counts what a session makes the server remember. A queue is input that has not been executed
// yet, so its bound is that of the query buffer (CONN-14).
func (x *Executor) hold(s *Session, n int) {
	if s.tx.held += int64(n); s.tx.held > x.Limits.HeldMax {
		s.CloseNow = "exceeded client-query-buffer-limit with its transaction"
	}
}

// Held is what a session makes the server remember, in bytes.
func (s *Session) Held() int64 {
	held := int64(0)
	if s.tx != nil {
		held += s.tx.held
	}
	if s.waiter != nil {
		held += s.waiter.held
	}
	return held
}

// transaction is that of the session, a new one if it has none.
func (s *Session) transaction() *transaction {
	if s.tx == nil {
		s.tx = new(transaction)
	}
	return s.tx
}

// watchIndex finds the sessions that watch a key.
type watchIndex struct {
	byKey []map[string][]*Session // by database
	n     int                     // watches in all
}

func (w *watchIndex) touch(db int, key []byte) {
	for _, s := range w.byKey[db][string(key)] {
		s.tx.dirty = true
	}
}

func (w *watchIndex) add(db int, key string, s *Session) {
	if w.byKey[db] == nil {
		w.byKey[db] = map[string][]*Session{}
	}
	w.byKey[db][key] = append(w.byKey[db][key], s)
	w.n++
}

func (w *watchIndex) drop(db int, key string, s *Session) {
	watchers := w.byKey[db][key]
	i := slices.Index(watchers, s)
	watchers = slices.Delete(watchers, i, i+1)
	if len(watchers) == 0 {
		delete(w.byKey[db], key)
	} else {
		w.byKey[db][key] = watchers
	}
	w.n--
}

// keys visits every watched key of a database, in an order of its own: that of a map is another each
// time, and the same input has to do the same.
func (w *watchIndex) keys(db int, visit func(key []byte)) {
	for _, key := range slices.Sorted(maps.Keys(w.byKey[db])) {
		visit([]byte(key))
	}
}

// unwatch forgets all watches of a session, and with them that a key had changed (EXEC-14).
func (x *Executor) unwatch(s *Session) {
	if s.tx == nil {
		return
	}
	for _, w := range s.tx.watches {
		x.watched.drop(w.db, w.key, s)
		s.tx.held -= int64(len(w.key) + watchBytes)
	}
	s.tx.watches, s.tx.dirty = nil, false
}

// discard ends a transaction, watches included (EXEC-8).
func (x *Executor) discard(s *Session) {
	x.unwatch(s)
	s.tx = nil
	s.gates &^= gateTx
}

func multi(c *Call) {
	if c.S.inTx() { // EXEC-4: an error, but the transaction goes on
		c.fail(errNested)
		return
	}
	c.S.transaction()
	c.S.gates |= gateTx
	c.ok()
}

func discard(c *Call) {
	if !c.S.inTx() { // EXEC-5
		c.fail("ERR DISCARD without MULTI")
		return
	}
	c.X.discard(c.S)
	c.ok()
}

// watchKeys looks every key up, which removes those already expired: what is absent at WATCH is
// absent, and its removal is no later change (EXEC-13).
func watchKeys(c *Call) {
	if c.S.inTx() { // EXEC-15
		c.fail(errWatch)
		return
	}
	t := c.S.transaction()
	for _, key := range c.Args[1:] {
		w := watch{c.S.DB, string(key)}
		if slices.Contains(c.X.watched.byKey[w.db][w.key], c.S) {
			continue
		}
		c.X.expireIfDue(w.db, key, c.Now)
		t.watches = append(t.watches, w)
		c.X.watched.add(w.db, w.key, c.S)
		c.X.hold(c.S, len(key)+watchBytes)
	}
	c.ok()
}

func unwatch(c *Call) {
	c.X.unwatch(c.S)
	c.ok()
}

// expireIfDue removes a key past its deadline, without leaving a trace on any other.
func (x *Executor) expireIfDue(db int, key []byte, now int64) {
	if v, ok := x.dbs[db].Get(key); ok && v.Expired(now) {
		x.expire(db, key)
	}
}

// exec runs the queue (EXEC-2). A watched key past its deadline by now is removed first, which
// makes this session dirty like any other change (EXEC-12). The commands share the Call and with
// it the reading of the wall clock; one that fails stops none of the others (EXEC-7).
func exec(c *Call) {
	t := c.S.tx
	if !c.S.inTx() {
		c.fail("ERR EXEC without MULTI")
		return
	}
	for _, w := range t.watches {
		c.X.expireIfDue(w.db, []byte(w.key), c.Now)
	}
	defer c.X.discard(c.S) // EXEC-14; only now: a command in the queue may show the session
	switch {
	case t.spoilt:
		c.fail(errExecAbort)
		return
	case t.dirty:
		c.S.Out = resp.AppendNullArray(c.S.Out, c.S.Proto)
		return
	}
	c.X.unwatch(c.S)
	c.array(len(t.queue))
	for _, q := range t.queue {
		c.run(q.cmd, q.args)
	}
}
