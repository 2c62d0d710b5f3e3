// Access to keys: find is the only way to one, touched the only way out for a change.
package command

import (
	"rondo/impl/resp"
	"rondo/impl/store"
)

// event names a change in the words of Redis' keyspace notifications.
type event string

const (
	evSet     event = "set"
	evAppend  event = "append"
	evRange   event = "setrange"
	evIncr    event = "incrby"
	evFloat   event = "incrbyfloat"
	evDel     event = "del"
	evExpire  event = "expire"
	evPersist event = "persist"
	evExpired event = "expired"
	evFrom    event = "rename_from"
	evTo      event = "rename_to"
	evCopy    event = "copy_to"
	evMoved   event = "move_from"
	evMove    event = "move_to"
	evFlush   event = "flush"
	evSwap    event = "swap"
	evEvicted event = "evicted"
	evPush    event = "push"
	evPop     event = "pop"
	evSetAt   event = "lset"
	evInsert  event = "linsert"
	evRemove  event = "lrem"
	evTrim    event = "ltrim"
)

// The tags of values: what OBJECT ENCODING cannot see in the bytes (KEY-12).
const (
	tagPlain uint8 = iota // as the bytes say
	tagRaw                // changed in place: raw
	tagText               // never an integer, though it may look like one
)

// find is how every command gets at a key: one past its deadline is removed on the way and is
// absent (TIME-4). The view is valid until the next change, and find may be one.
func (x *Executor) find(db int, key []byte, now int64) (store.View, bool) {
	v, ok := x.dbs[db].Use(key, now)
	if ok && v.Expired(now) {
		x.expire(db, key)
		return store.View{}, false
	}
	return v, ok
}

func (x *Executor) expire(db int, key []byte) {
	if v, ok := x.dbs[db].Get(key); ok {
		x.late(v.Deadline, x.call.Now)
	}
	x.dbs[db].Del(key)
	x.expired(db, key)
}

// late notes for how long a key has been due, one millisecond after its deadline, when it is removed
// at now.
func (x *Executor) late(deadline, now int64) { x.Lag.Add((now - deadline - 1) * 1e6) }

func (x *Executor) expired(db int, key []byte) {
	x.Stats.Expired++
	x.removed(db, key, evExpired)
}

// removed passes the funnel with a key that no command has removed.
func (x *Executor) removed(db int, key []byte, e event) {
	x.touched(db, key, e)
	if x.Witness != nil {
		x.Witness.Removed(db, key, e == evEvicted)
	}
}

// touched is the single funnel that every change of a key passes, expiry and eviction included. What must
// know of changes hangs here and nowhere else: WATCH, and those who wait for a list.
func (x *Executor) touched(db int, key []byte, _ event) {
	x.Stats.Changes++
	if x.watched.n != 0 {
		x.watched.touch(db, key)
	}
	if len(x.waiters.byID) != 0 {
		x.signal(db, key)
	}
}

// find is for commands that write: it leaves hits and misses alone.
func (c *Call) find(key []byte) (store.View, bool) {
	return c.X.find(c.S.DB, key, c.Now)
}

// read is for commands that read.
func (c *Call) read(key []byte) (store.View, bool) {
	v, ok := c.X.find(c.S.DB, key, c.Now)
	return v, c.X.count(ok)
}

// isString tells whether what find has found is a string; if it is not, the error has been replied
// (KEY-26).
func (c *Call) isString(v store.View) bool {
	if v.Kind == store.String {
		return true
	}
	c.fail(errWrongType)
	return false
}

// peek is read without leaving a trace in the access time.
func (c *Call) peek(key []byte) (store.View, bool) {
	v, ok := c.DB.Get(key)
	if ok && v.Expired(c.Now) {
		c.X.expire(c.S.DB, key)
		ok = false
	}
	return v, c.X.count(ok)
}

func (x *Executor) count(hit bool) bool {
	if hit {
		x.Stats.Hits++
	} else {
		x.Stats.Misses++
	}
	return hit
}

func (c *Call) touched(key []byte, e event) { c.X.touched(c.S.DB, key, e) }

// put stores a whole value and passes the funnel.
func (c *Call) put(key, val []byte, tag uint8, deadline int64, e event) {
	// Of a command on several keys a later one may replace what has been taken: then what it has still
	// to read would be freed.
	if b := c.X.Offered; b != nil && c.Cmd.First == c.Cmd.Last && c.DB.PutBlock(key, val, *b, tag, deadline, c.Now) {
		*b = store.Block{}
	} else {
		c.DB.Put(key, val, tag, deadline, c.Now)
	}
	c.touched(key, e)
}

// replace is put where find has just given v: a value of the same kind and length is written over the
// old one, and the key not looked for again.
func (c *Call) replace(v store.View, key, val []byte, tag uint8, deadline int64, e event) {
	if v.Tag == tag && v.Kind == store.String && v.Deadline == deadline && len(v.Value) == len(val) && len(val) < resp.LargeBytes {
		c.DB.Overwrite(v, val)
		c.touched(key, e)
		return
	}
	c.put(key, val, tag, deadline, e)
}

// remove deletes a key that find has seen, and passes the funnel.
func (c *Call) remove(key []byte, e event) {
	c.DB.Del(key)
	c.touched(key, e)
}

// flush empties a database. Only keys that were there have changed (EXEC-19), and only those
// somebody watches need to be told: a database is dropped as a whole.
func (x *Executor) flush(db int) {
	changes := x.Stats.Changes + int64(x.dbs[db].Len())
	x.watched.keys(db, func(key []byte) {
		if _, ok := x.dbs[db].Get(key); ok {
			x.touched(db, key, evFlush)
		}
	})
	if x.dbs[db].Held() > 0 {
		x.dbs[db].Clear()
	}
	x.Stats.Changes = changes
}

// swap exchanges two databases. A watched name has changed if one of them has it (EXEC-21).
func (x *Executor) swap(a, b int, now int64) {
	if a == b {
		return
	}
	changes := x.Stats.Changes + 1
	for _, db := range []int{a, b} {
		x.watched.keys(db, func(key []byte) {
			x.expireIfDue(a, key, now)
			x.expireIfDue(b, key, now)
			_, inA := x.dbs[a].Get(key)
			_, inB := x.dbs[b].Get(key)
			if inA || inB {
				x.touched(db, key, evSwap)
			}
		})
	}
	x.dbs[a], x.dbs[b] = x.dbs[b], x.dbs[a]
	x.signalAll(min(a, b))
	x.signalAll(max(a, b))
	x.reached = max(x.reached, a, b)
	x.Stats.Changes = changes
}

// ExpireDue removes at most max keys past their deadline, over all databases. It returns how many
// they were, and whether there may be more. Each call begins with another database, so that none
// starves (TIME-15).
func (x *Executor) ExpireDue(now int64, max int) (n int, more bool) {
	for range x.dbs {
		i := x.next()
		if at, ok := x.dbs[i].NextDue(); ok && at < now {
			removed, left := x.dbs[i].ExpireDue(now, max-n, func(key []byte) {
				x.late(x.dbs[i].Expiring(), now)
				x.expired(i, key)
			})
			n, more = n+removed, more || left
		}
		if n == max {
			return n, true
		}
	}
	return n, more
}

// ExpireSome looks at some keys of a database that have a deadline, and removes those whose has passed:
// see the store's.
func (x *Executor) ExpireSome(db int, now int64, keys, places int) (seen, removed int) {
	return x.dbs[db].ExpireSome(now, keys, places, func(key []byte) {
		x.late(x.dbs[db].Expiring(), now)
		x.expired(db, key)
	})
}

// NextDue is the earliest deadline of all databases.
func (x *Executor) NextDue() (at int64, ok bool) {
	for _, db := range x.dbs {
		if t, some := db.NextDue(); some && (!ok || t < at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// Advance does up to budget units of housekeeping; it tells whether any is left.
func (x *Executor) Advance(budget int) (more bool) {
	for range x.dbs {
		if budget = x.dbs[x.next()].Advance(budget); budget == 0 {
			return true
		}
	}
	return false
}

func (x *Executor) next() int {
	x.turn = (x.turn + 1) % len(x.dbs)
	return x.turn
}
