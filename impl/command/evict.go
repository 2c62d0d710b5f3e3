// Eviction: what becomes of keys and commands when the memory is used that may be.
package command

import "rondo/impl/store"

// Memory is what eviction goes by. Max is maxmemory, 0 for no limit; without Evicts nothing is
// evicted.
type Memory struct {
	Max     int64
	Evicts  bool
	Rule    store.Rule
	Samples int // keys looked at for one eviction
}

// Room is what came of an attempt to make room.
type Room uint8

// Enough: the limit is kept. More: there is something left to evict. None: there is nothing.
const (
	Enough Room = iota
	More
	None
)

// UsedBytes is what counts against maxmemory: keys and values with all that it takes to find them,
// and what clients hold.
func (x *Executor) UsedBytes() int64 {
	n := x.ClientBytes
	for _, db := range x.dbs[:x.reached+1] {
		n += int64(db.Bytes())
	}
	return n
}

// Evict removes keys, at most max, until the limit is kept. What is left of long lists that were removed
// before goes first: it would be freed anyway, and is not to cost another key its place.
func (x *Executor) Evict(max int) Room {
	for ; x.UsedBytes() > x.Limits.Memory.Max; max-- {
		switch {
		case max > 0 && x.bury():
		case !x.Limits.Memory.Evicts:
			return None
		case max == 0:
			return More
		case !x.evictOne(x.host.NowMs()):
			return None
		}
	}
	return Enough
}

// buryNodes of a list are freed where one key would be evicted.
const buryNodes = 8

func (x *Executor) bury() bool {
	for _, db := range x.dbs[:x.reached+1] {
		if db.Bury(buryNodes) < buryNodes {
			return true
		}
	}
	return false
}

func (x *Executor) evictOne(now int64) bool {
	switch x.Limits.Memory.Rule.By {
	case store.ByChance:
		return x.evictAny(now)
	case store.ByDeadline:
		return x.evictSoonest(now)
	}
	return x.evictBest(now)
}

// evictAny lets the databases take turns.
func (x *Executor) evictAny(now int64) bool {
	for range x.dbs {
		i := x.next()
		if key, ok := x.dbs[i].Any(&x.pool, x.Limits.Memory.Rule.Timed); ok {
			x.victim = append(x.victim[:0], key...)
			x.evict(i, x.victim, now)
			return true
		}
	}
	return false
}

func (x *Executor) evictSoonest(now int64) bool {
	from, first := -1, int64(0)
	for i, db := range x.dbs[:x.reached+1] {
		if key, at, ok := db.Soonest(); ok && (from < 0 || at < first) {
			from, first = i, at
			x.victim = append(x.victim[:0], key...)
		}
	}
	if from >= 0 {
		x.evict(from, x.victim, now)
	}
	return from >= 0
}

// evictBest fills the pool and takes the best of it. One that was used since it got its seat has
// lost it, and one that is gone has too.
func (x *Executor) evictBest(now int64) bool {
	rule := x.Limits.Memory.Rule
	for {
		some := false
		for i, db := range x.dbs[:x.reached+1] {
			if db.Len() > 0 && !rule.Timed || db.Volatile() > 0 {
				db.Nominate(&x.pool, i, rule, x.Limits.Memory.Samples, now)
				some = true
			}
		}
		if !some {
			return false
		}
		for {
			i, rank, key, ok := x.pool.Best()
			if !ok {
				break
			}
			v, there := x.dbs[i].Get(key)
			if there && (!rule.Timed || v.Deadline != store.NoDeadline) && x.dbs[i].Rank(v, rule.By, now) >= rank {
				x.evict(i, key, now)
				return true
			}
		}
	}
}

// evict removes a key, which is no view (KEY-18). If its deadline has passed, it was its time anyway.
func (x *Executor) evict(db int, key []byte, now int64) {
	if v, ok := x.dbs[db].Get(key); ok && v.Expired(now) {
		x.expire(db, key)
		return
	}
	x.dbs[db].Del(key)
	x.Stats.Evicted++
	x.removed(db, key, evEvicted)
}

// starved tells whether a command may not run for want of memory. Room is made before every command
// (KEY-16); where there is none, those are refused that may need some (KEY-15), to be queued included
// (KEY-19).
func (x *Executor) starved(s *Session, cmd *Command) bool {
	if x.host.MakeRoom() != None {
		return false
	}
	if s.inTx() && cmd.Flags&leavesTx == 0 {
		return true
	}
	return (cmd.Flags|s.tx.queued(cmd))&DenyOOM != 0
}

// queued are the flags of what a command runs: EXEC its queue, others nothing.
func (t *transaction) queued(cmd *Command) Flags {
	if t == nil || cmd.Flags&endsTx == 0 {
		return 0
	}
	return t.flags
}

// SetAccess decides what is noted of the use of keys, in all databases.
func (x *Executor) SetAccess(a store.Access) {
	x.access = a
	for _, db := range x.dbs {
		db.SetAccess(a)
	}
}

// SetMemory changes what eviction goes by. What the pool holds was chosen by the old rule.
func (x *Executor) SetMemory(m Memory) {
	if m.Rule != x.Limits.Memory.Rule {
		x.pool.Empty()
	}
	x.Limits.Memory = m
	x.gates &^= gateMemory
	if m.Max != 0 {
		x.gates |= gateMemory
	}
}
