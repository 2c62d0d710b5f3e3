package impl

import "time"

// The tick: hz times a second, what has no deadline of its own. Each part is bounded: the clients
// are gone round once a second, the tables get a slice of time.

// ticksPerSecond is hz, doubled until a tick has few enough clients to look at.
func (s *Server) ticksPerSecond() int64 {
	hz := s.cfg.Hz
	for s.cfg.DynamicHz && int64(s.table.live) > hz*clientsTickHz && hz < hzMax {
		hz = min(2*hz, hzMax)
	}
	return hz
}

func (s *Server) tickPeriod() int64 { return int64(time.Second) / s.ticksPerSecond() }

func (s *Server) onTick() {
	s.checkClients()
	s.expirer.tick(s)
	if !s.upkeepTimer.armed() {
		s.upkeep()
	}
	s.remeasure()
	s.stats.sample(s.mono, s.x.Stats.Commands)
	s.publish()
	s.timers.arm(&s.tick, s.mono+s.tickPeriod())
}

// checkClients looks at as many table slots as see each of them once a second.
func (s *Server) checkClients() {
	slots := s.table.slots
	if len(slots) == 0 {
		return
	}
	for range min(len(slots), max(clientsTick, len(slots)/int(s.ticksPerSecond())+1)) {
		s.table.round++
		if s.table.round >= len(slots) {
			s.table.round = 0
			s.account.clients, s.account.round = s.account.round, 0
		}
		if c := slots[s.table.round]; c != nil && c.state != dead {
			s.checkClient(c)
		}
	}
}

// checkClient closes a client idle for more than timeout seconds (CONN-13), unless it waits (BLOCK-14), or over the soft output
// limit for longer than that allows (CONN-16).
func (s *Server) checkClient(c *conn) {
	s.account.round += c.bytes()
	idle := s.mono - c.active
	if t := s.cfg.TimeoutSecs; t > 0 && idle > t*int64(time.Second) && !c.Waiting() {
		s.fail(c, "was idle for too long", nil)
		return
	}
	s.watchSoft(c) // the limit itself may have changed
	over := s.mono - c.softSince
	if c.softSince != 0 && over > s.cfg.Output[classNormal].SoftSecs*int64(time.Second) {
		s.fail(c, "was over the soft output limit for too long", nil)
	}
}

// upkeep lets the keyspaces do what they put off. What there is no time for follows before the next
// tick, since it may be much, and then nothing may be for long (LOOP-17).
func (s *Server) upkeep() {
	start := s.k.Mono()
	for s.x.Advance(upkeepUnits) {
		if s.k.Mono()-start >= int64(upkeepTimeMax) {
			s.timers.arm(&s.upkeepTimer, s.mono+int64(upkeepPause))
			break
		}
	}
}
