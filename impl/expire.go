package impl

import "rondo/impl/kernel"

// Active expiry: keys past their deadline go without being asked for (TIME-15). The executor keeps
// a calendar of deadlines, so the earliest is a time event like any other, and what a slice costs
// does not depend on how many keys are not due (TIME-16).

// scheduleExpiry arms the time event for the earliest deadline. Deadlines are of the wall clock
// and the wait is of the monotonic one, so the one is mapped to the other anew each turn: after a
// jump of the wall clock the next turn knows (TIME-20). A key with deadline d is alive at d and
// due one millisecond later (TIME-3).
func (s *Server) scheduleExpiry() {
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
