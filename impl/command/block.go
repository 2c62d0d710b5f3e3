// Clients that wait for a list (BLOCK).
//
// A client that waits stands in a queue at each of its keys; for a key without waiting clients there
// is none, so that while nobody waits a change costs nothing. When touched sees that a list is at a
// key where somebody waits, the key is ready, once. After the command, or after all of an EXEC, those
// who wait at ready keys are served, in the order in which keys became ready and clients came, for as
// long as there are elements. To serve one is a change, by which other keys may become ready.
package command

import (
	"bytes"
	"slices"

	"rondo/impl/resp"
	"rondo/impl/store"
)

// waiter is a client that waits, with what it waits for. A client has one at most.
type waiter struct {
	s      *Session
	cmd    *Command
	db     int
	r      request
	places []place    // in the queues of its keys
	held   int64      // bytes that the request occupies
	slow   *slowEntry // for the slow log, once it is served; nil: none
}

// place is that of a waiter in a queue.
type place struct {
	w          *waiter
	q          *queue
	prev, next *place
}

// queue is those that wait for a key, in the order in which they came.
type queue struct {
	db          int
	key         string
	first, last *place
	ready       bool // stands in waiters.ready
}

// waiters is all of them.
type waiters struct {
	byKey []map[string]*queue // by database
	byID  map[int64]*waiter   // by the ID of the session
	ready []*queue
}

func newWaiters(databases int) waiters {
	return waiters{byKey: make([]map[string]*queue, databases), byID: map[int64]*waiter{}}
}

// Waiting tells whether the last command of the session has not been answered yet: it executes
// nothing until then (BLOCK-9).
func (s *Session) Waiting() bool { return s.waiter != nil }

// Waiting is how many sessions wait.
func (x *Executor) Waiting() int { return len(x.waiters.byID) }

// wait lets the client of a call wait until a moment of the monotonic clock.
func (x *Executor) wait(c *Call, r *request, until int64) {
	w := &waiter{s: c.S, cmd: c.Cmd, db: c.S.DB, r: *r, places: make([]place, 0, len(r.keys))}
	w.r.keys, w.r.to, w.r.timeout = nil, bytes.Clone(r.to), nil
	for _, key := range r.keys {
		if slices.ContainsFunc(w.places, func(p place) bool { return p.q.key == string(key) }) {
			continue
		}
		q := x.waiters.queue(w.db, key)
		w.places = append(w.places, place{w: w, q: q, prev: q.last})
		q.append(&w.places[len(w.places)-1])
		w.held += int64(len(key) + placeBytes)
	}
	c.S.waiter = w
	x.waiters.byID[c.S.ID] = w
	x.host.WaitUntil(c.S, until)
}

// placeBytes is what a place, and its part of a queue, occupy.
const placeBytes = 160

// queue is that of a key, a new one if there is none.
func (ws *waiters) queue(db int, key []byte) *queue {
	if ws.byKey[db] == nil {
		ws.byKey[db] = map[string]*queue{}
	}
	q := ws.byKey[db][string(key)]
	if q == nil {
		q = &queue{db: db, key: string(key)}
		ws.byKey[db][q.key] = q
	}
	return q
}

func (q *queue) append(p *place) {
	if q.last != nil {
		q.last.next = p
	} else {
		q.first = p
	}
	q.last = p
}

func (q *queue) remove(p *place) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		q.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		q.last = p.prev
	}
}

// Unwait takes a client out of all queues, and off the clock. Nothing of its waiting is left (BLOCK-8).
func (x *Executor) Unwait(s *Session) {
	w := s.waiter
	if w == nil {
		return
	}
	for i := range w.places {
		q := w.places[i].q
		if q.remove(&w.places[i]); q.first == nil {
			delete(x.waiters.byKey[q.db], q.key)
		}
	}
	s.waiter = nil
	delete(x.waiters.byID, s.ID)
	x.host.WaitUntil(s, forever)
}

// signal notes that somebody may wait for what is at a key now.
func (x *Executor) signal(db int, key []byte) {
	q := x.waiters.byKey[db][string(key)]
	if q == nil || q.ready {
		return
	}
	if v, ok := x.dbs[db].Get(key); ok && v.Kind == store.Lists {
		q.ready = true
		x.waiters.ready = append(x.waiters.ready, q)
	}
}

// signalAll is signal for all keys of a database at which somebody waits, by name.
func (x *Executor) signalAll(db int) {
	keys := make([]string, 0, len(x.waiters.byKey[db]))
	for key := range x.waiters.byKey[db] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		x.signal(db, []byte(key))
	}
}

// serve gives what is at keys that have become ready to those who wait for it (BLOCK-3, BLOCK-5,
// BLOCK-10). The list of keys may grow meanwhile. The time that it takes is that of the command by which
// the first became ready.
func (x *Executor) serve() {
	for i := 0; i < len(x.waiters.ready); i++ {
		q := x.waiters.ready[i]
		q.ready = false
		for p := q.first; p != nil; {
			next := p.next
			if !x.serveOne(p.w, q.key) {
				break
			}
			p = next
		}
	}
	clear(x.waiters.ready)
	x.waiters.ready = x.waiters.ready[:0]
}

// serveOne answers a client that waits for a key; false if there is no list, any more.
func (x *Executor) serveOne(w *waiter, name string) bool {
	key := []byte(name)
	c := &Call{X: x, S: w.s, Now: x.call.Now, DB: x.dbs[w.db], Cmd: w.cmd}
	v, found := c.find(key)
	if !found || v.Kind != store.Lists {
		return false
	}
	x.Unwait(w.s)
	x.host.Answer(w.s, func() { c.takeFrom(&w.r, key, c.DB.List(v)) })
	if w.slow != nil {
		x.slowlog.push(*w.slow, x.host.NowMs()/1000, x.meter.SlowMax)
	}
	return true
}

// TimeOut ends the waiting of a client whose time is up (BLOCK-4).
func (x *Executor) TimeOut(s *Session) {
	x.Unwait(s)
	x.host.Answer(s, func() { s.Out = resp.AppendNullArray(s.Out, s.Proto) })
}

// clientUnblock: BLOCK-7.
func clientUnblock(c *Call) {
	failed := false
	switch {
	case len(c.Args) > 4:
		c.fail("ERR unknown subcommand or wrong number of arguments for '" +
			echo(c.Args[1], echoMax) + "'. Try CLIENT HELP.")
		return
	case len(c.Args) == 4 && is(c.Args[3], "ERROR"):
		failed = true
	case len(c.Args) == 4 && !is(c.Args[3], "TIMEOUT"):
		c.fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
		return
	}
	id, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.fail(errNotInt)
		return
	}
	w := c.X.waiters.byID[id]
	switch {
	case w == nil:
	case failed:
		c.X.Unwait(w.s)
		waited := &Call{X: c.X, S: w.s, Cmd: w.cmd}
		c.X.host.Answer(w.s, func() { waited.fail(errUnblocked) }) // CONN-33 counts it
	default:
		c.X.TimeOut(w.s)
	}
	c.bool(w != nil)
}
