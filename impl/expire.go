package impl

import "rondo/impl/kernel"

// Active expiry: keys past their deadline go without being asked for (TIME-15). There are two ways to
// find them, and active-expiry chooses. A key that is asked for is absent in either (TIME-4).

// expirer is one of the two.
type expirer interface {
	beforeSleep(*Server) // the turn is about to wait
	tick(*Server)
}

const (
	orderedExpiry = "ordered"
	sampledExpiry = "sampled"
)

// applyExpiry is the part of apply about it. Both find what the other has left.
func (s *Server) applyExpiry() {
	_, isSampled := s.expirer.(*sampled)
	if s.expirer != nil && isSampled == (s.cfg.ActiveExpiry == sampledExpiry) {
		return
	}
	s.timers.disarm(&s.expiry)
	s.stats.stale = 0
	s.expirer = ordered{}
	if s.cfg.ActiveExpiry == sampledExpiry {
		s.expirer = &sampled{}
	}
}

// ordered goes by the calendar of deadlines that the executor keeps, so the earliest is a time event
// like any other, and what a slice costs does not depend on how many keys are not due (TIME-16).
type ordered struct{}

func (ordered) tick(*Server) {}

// beforeSleep arms the time event for the earliest deadline. Deadlines are of the wall clock and the
// wait is of the monotonic one, so the one is mapped to the other anew each turn: after a jump of the
// wall clock the next turn knows (TIME-20). A key with deadline d is alive at d and due one
// millisecond later (TIME-3).
func (ordered) beforeSleep(s *Server) {
	deadline, ok := s.x.NextDue()
	if !ok || !s.expiryOn {
		s.timers.disarm(&s.expiry)
		return
	}
	mono, wall := s.k.Mono(), s.k.Wall()
	if deadline >= (kernel.Forever-mono)/1e6 {
		s.timers.disarm(&s.expiry) // later than the monotonic clock can say
		return
	}
	s.timers.arm(&s.expiry, mono+(deadline+1)*1e6-wall)
}

// expire removes due keys, within a budget of keys and of time. If that leaves some, their time
// event is already due: the next turn polls, serves everybody, and goes on here.
func (s *Server) expire() {
	s.readClock()
	start := s.k.Mono()
	for removed := 0; removed < expireKeysMax; {
		n, more := s.x.ExpireDue(s.nowMs, expireKeysUnit)
		removed += n
		if !more {
			break
		}
		if s.k.Mono()-start >= int64(expireTimeMax) {
			s.stats.expireCut++
			break
		}
	}
	took := s.k.Mono() - start
	s.stats.expireNanos += took
	s.x.Event("expire-cycle", took)
}

// sampled is Redis' way: some keys that have a deadline are looked at, and as long as too many of
// those met were expired, some more, until the time is up. The tick has a quarter of its period for
// that. If it was not enough, each turn goes on for a millisecond at its end, but not at once again.
// What is not met by chance waits, the longer the more keys are not due.
type sampled struct {
	cut      bool  // the last cycle had too little time
	db       int   // where it ended
	lastFast int64 // when the last one at the end of a turn began
}

func (p *sampled) tick(s *Server) {
	period := int64(sampleTickPercent + 2*(s.cfg.ExpireEffort-1))
	p.cycle(s, s.tickPeriod()*period/100)
}

func (p *sampled) beforeSleep(s *Server) {
	if !p.cut {
		return
	}
	slice := int64(sampleTurnTime) * (3 + s.cfg.ExpireEffort) / 4
	if now := s.k.Mono(); now-p.lastFast >= 2*slice {
		p.lastFast = now
		s.spend(func() { p.cycle(s, slice) })
	}
}

// cycle goes round the databases for so long. The clock is read after each look.
func (p *sampled) cycle(s *Server, slice int64) {
	if !s.expiryOn {
		return
	}
	s.readClock()
	effort := int(s.cfg.ExpireEffort) - 1
	keys, stale := sampleKeys+sampleKeys/4*effort, sampleStalePercent-effort
	start := s.k.Mono()
	met, removed := 0, 0
	p.cut = false
	for n := s.x.Databases(); n > 0 && !p.cut; n-- {
		p.db = (p.db + 1) % s.x.Databases()
		for again := s.x.DB(p.db).Volatile() > 0; again && !p.cut; {
			seen, expired := s.x.ExpireSome(p.db, s.nowMs, keys, keys*samplePlaces)
			met, removed = met+seen, removed+expired
			again = expired*100 > seen*stale || seen == 0 && s.x.DB(p.db).Volatile() > 0
			p.cut = s.k.Mono()-start > slice
		}
	}
	if p.cut {
		s.stats.expireCut++
	}
	took := s.k.Mono() - start
	s.stats.expireNanos += took
	s.x.Event("expire-cycle", took)
	share := 0.0
	if met > 0 {
		share = float64(removed) / float64(met)
	}
	s.stats.stale += (share - s.stats.stale) / 20
}
