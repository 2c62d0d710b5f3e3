package impl

import (
	"math"
	"time"

	"rondo/impl/command"
	"rondo/impl/store"
)

// Eviction: with maxmemory set, room is made before each command, for as long as the eviction
// tenacity allows; what is left is the work of a time event, which is already due, so that the turns
// until then serve everybody and do not sleep.

// policies are those of maxmemory-policy, as Redis lists them.
var policies = []struct {
	name   string
	evicts bool
	rule   store.Rule
}{
	{"volatile-lru", true, store.Rule{By: store.ByAge, Timed: true}},
	{"volatile-lfu", true, store.Rule{By: store.ByCount, Timed: true}},
	{"volatile-random", true, store.Rule{By: store.ByChance, Timed: true}},
	{"volatile-ttl", true, store.Rule{By: store.ByDeadline, Timed: true}},
	{"allkeys-lru", true, store.Rule{By: store.ByAge}},
	{"allkeys-lfu", true, store.Rule{By: store.ByCount}},
	{"allkeys-random", true, store.Rule{By: store.ByChance}},
	{noEviction, false, store.Rule{}},
}

const noEviction = "noeviction"

func policyNames() (names []string) {
	for _, p := range policies {
		names = append(names, p.name)
	}
	return names
}

// applyMemory is the part of apply about memory. A lower limit is kept from the next turn on.
func (s *Server) applyMemory() {
	m := command.Memory{Max: s.cfg.MemoryMax, Samples: int(s.cfg.EvictSamples)}
	for _, p := range policies {
		if p.name == s.cfg.MemoryPolicy {
			m.Evicts, m.Rule = p.evicts, p.rule
		}
	}
	s.x.SetMemory(m)
	s.clientBytesMax = clientsLimit(s.cfg.ClientsMax, m.Max)
	if counting := m.Max != 0 || s.clientBytesMax != math.MaxInt64; counting != s.counting {
		s.counting, s.x.ClientBytes = counting, 0
		for c := range s.table.each {
			c.counted = 0
			s.count(c)
		}
	}
	s.x.SetAccess(store.Access{Often: m.Rule.By == store.ByCount,
		LogFactor: s.cfg.LFULogFactor, DecayMinutes: s.cfg.LFUDecayMinutes})
	if m.Max != 0 {
		s.timers.arm(&s.eviction, s.mono)
	}
}

// evictTime is how long one attempt to make room may take: 50 us for each step of the tenacity, half
// a millisecond at 10, and from there on 15 % more for each, until 100 is no limit at all.
func (s *Server) evictTime() int64 {
	switch t := s.cfg.EvictTenacity; {
	case t <= evictSteps:
		return t * int64(evictStep)
	case t < 100:
		return int64(evictSteps * float64(evictStep) * math.Pow(1.15, float64(t-evictSteps)))
	}
	return math.MaxInt64
}

// MakeRoom evicts keys until what is used fits, or until the time is up.
func (h host) MakeRoom() command.Room { return h.s.makeRoom() }

func (s *Server) makeRoom() command.Room {
	room := s.x.Evict(0)
	if room == command.More {
		s.x.Settle() // what follows is no command's time
		start := s.k.Mono()
		now := start
		for room == command.More && now-start <= s.evictTime() {
			room = s.x.Evict(evictKeysUnit)
			now = s.k.Mono()
		}
		s.x.Begin(now)
		s.x.Event("eviction-cycle", now-start)
		if room == command.More && !s.eviction.armed() {
			s.timers.arm(&s.eviction, s.mono)
		}
	}
	s.stats.exceeds(room != command.Enough, s.mono)
	return room
}

// evict is the time event: what the commands had no time for.
func (s *Server) evict() {
	if s.x.Limits.Memory.Max != 0 {
		s.makeRoom()
	}
}

// exceeds notes since when the limit is exceeded.
func (st *stats) exceeds(over bool, mono int64) {
	switch {
	case over && st.overSince == 0:
		st.overSince = mono
	case !over && st.overSince != 0:
		st.overNanos += mono - st.overSince
		st.overSince = 0
	}
}

// overFor is for how long the limit is exceeded now, and in all, in milliseconds.
func (st *stats) overFor(mono int64) (now, all int64) {
	if st.overSince != 0 {
		now = mono - st.overSince
	}
	return now / int64(time.Millisecond), (st.overNanos + now) / int64(time.Millisecond)
}

// count keeps what clients hold. It is called when that may have changed, and does nothing while
// there is no limit.
func (s *Server) count(c *conn) {
	if !s.counting {
		return
	}
	n := c.bytes()
	s.x.ClientBytes += n - c.counted
	c.counted = n
}

// bytes is what a client holds: what a connection is, and what it has in buffers of its own. Replies in
// the lent arena are nobody's: they are gone before the turn is over.
func (c *conn) bytes() int64 {
	if c.state >= parting {
		return 0
	}
	n := connBytes + int64(cap(c.in)) + c.Held()
	if !c.lent {
		n += int64(cap(c.Out))
	}
	if c.backlog != nil {
		n += int64(c.backlog.bytes)
	}
	return n
}

// clientsLimit is maxmemory-clients in bytes. Below 0 it is a part of maxmemory, in percent. So little
// that nobody could say a word is not meant.
func clientsLimit(setting, memory int64) int64 {
	switch {
	case setting == 0, setting < 0 && memory == 0:
		return math.MaxInt64
	case setting < 0:
		setting = memory / 100 * -setting
	}
	return max(setting, clientBytesMin)
}

// evictClients closes those that hold most, while all together hold more than maxmemory-clients
// (CONN-36).
func (s *Server) evictClients() {
	for s.x.ClientBytes > s.clientBytesMax {
		var most *conn
		for c := range s.table.each {
			if most == nil || c.counted > most.counted {
				most = c
			}
		}
		s.stats.evictedClients++
		s.fail(most, "held most when all held more than maxmemory-clients", nil)
	}
}
