package command

import (
	"fmt"
	"iter"
	"slices"

	"rondo/impl/store"
)

// Audit compares what the executor remembers with the sessions that are alive, and the keyspaces with
// their accounts. It is for tests and simulation: it costs as much as there is. Nil says that all adds
// up. Nobody who watches or waits is forgotten, and nobody is remembered who has gone.
func (x *Executor) Audit(sessions iter.Seq[*Session]) error {
	watches, waiting := 0, 0
	for s := range sessions {
		if err := x.auditSession(s); err != nil {
			return fmt.Errorf("command: session %d: %w", s.ID, err)
		}
		if s.tx != nil {
			watches += len(s.tx.watches)
		}
		if s.waiter != nil {
			waiting++
		}
	}
	if err := x.auditWaiters(waiting); err != nil {
		return err
	}
	if err := x.auditWatchers(watches); err != nil {
		return err
	}
	for i, db := range x.dbs {
		if err := db.Audit(); err != nil {
			return fmt.Errorf("command: database %d: %w", i, err)
		}
		if i > x.reached && db.Len() > 0 {
			return fmt.Errorf("command: database %d has keys, and %d is said to be the last in use", i, x.reached)
		}
	}
	return nil
}

// auditWaiters: who waits stands in the queue of each of its keys, and nobody else does; and where
// somebody waits there is nothing to be had.
func (x *Executor) auditWaiters(waiting int) error {
	ws := &x.waiters
	if waiting != len(ws.byID) || len(ws.ready) > 0 {
		return fmt.Errorf("command: %d sessions wait, accounts say %d; %d keys are ready", waiting, len(ws.byID), len(ws.ready))
	}
	places, standing := 0, 0
	for id, w := range ws.byID {
		if w.s.ID != id || w.s.waiter != w {
			return fmt.Errorf("command: session %d waits under the number %d", w.s.ID, id)
		}
		places += len(w.places)
	}
	for db := range ws.byKey {
		for key, q := range ws.byKey[db] {
			for p := q.first; p != nil; p = p.next {
				if standing++; ws.byID[p.w.s.ID] != p.w || p.q != q || standing > places {
					return fmt.Errorf("command: somebody stands in the queue of %q, and does not wait (BLOCK-8)", key)
				}
			}
			if v, ok := x.dbs[db].Get([]byte(key)); ok && v.Kind == store.Lists && !v.Expired(x.host.NowMs()) {
				return fmt.Errorf("command: somebody waits for %q, where there is a list (BLOCK-3)", key)
			}
		}
	}
	if standing != places {
		return fmt.Errorf("command: %d places in queues, of %d that those who wait should have", standing, places)
	}
	return nil
}

func (x *Executor) auditSession(s *Session) error {
	t := s.tx
	switch {
	case t == nil && s.inTx():
		return fmt.Errorf("is in a transaction that is not there")
	case t == nil:
		return nil
	case !s.inTx() && len(t.queue) > 0:
		return fmt.Errorf("has %d commands queued outside a transaction", len(t.queue))
	}
	held, flags := int64(0), Flags(0)
	for _, q := range t.queue {
		held += queuedBytes + argBytes*int64(len(q.args))
		for _, arg := range q.args {
			held += int64(len(arg))
		}
		flags |= q.cmd.Flags
	}
	for _, w := range t.watches {
		held += int64(len(w.key)) + watchBytes
		if !slices.Contains(x.watched.byKey[w.db][w.key], s) {
			return fmt.Errorf("watches %q, and would not be told of a change", w.key)
		}
	}
	if held != t.held || flags != t.flags {
		return fmt.Errorf("holds %d bytes with flags %#x, accounts say %d, %#x", held, flags, t.held, t.flags)
	}
	return nil
}

// auditWatchers: as many as the sessions have, so that none is of a session that has gone.
func (x *Executor) auditWatchers(watches int) error {
	n := 0
	for db := range x.watched.byKey {
		for key, sessions := range x.watched.byKey[db] {
			if n += len(sessions); len(sessions) == 0 {
				return fmt.Errorf("command: %q is in the watch index, and nobody watches it", key)
			}
		}
	}
	if n != watches || n != x.watched.n {
		return fmt.Errorf("command: %d watches in the index, %d of sessions, accounts say %d", n, watches, x.watched.n)
	}
	return nil
}
