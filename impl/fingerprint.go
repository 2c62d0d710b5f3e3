package impl

import "encoding/binary"

// Fingerprint appends all that the future of the server depends on, so that an explorer can tell that
// it has been somewhere before: two servers on kernels in the same state that have the same fingerprint
// answer the same for ever. Times are relative to the clocks, so that the same situation later is the
// same. Left out is what only INFO, CLIENT LIST, MEMORY and the like tell of the past: counters,
// histograms, ages, and how much spare room a buffer has. It is to be called between two turns.
func (s *Server) Fingerprint(b []byte) []byte {
	mono, wall := s.k.Now()
	b = appendBools(b, s.stopAsked.Load(), s.ending, s.patience, s.acceptPaused, s.expiryOn)
	if s.endingSince != 0 {
		b = binary.AppendVarint(b, mono-s.endingSince)
	}
	b = binary.AppendVarint(b, mono-s.mono) // what is done before the next wait goes by that reading
	b = s.appendClients(b, mono)
	b = s.appendTimers(b, mono)
	b = s.appendWork(b, mono)
	for _, l := range s.listeners {
		b = binary.AppendVarint(b, int64(l.fd))
	}
	return s.x.Fingerprint(b, wall/1e6)
}

func (s *Server) appendClients(b []byte, mono int64) []byte {
	b = binary.AppendUvarint(b, s.table.tag)
	b = binary.AppendVarint(b, s.nextID)
	b = binary.AppendUvarint(b, uint64(s.table.round))
	for _, c := range s.table.slots {
		if c == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = s.appendClient(b, c, mono)
	}
	for _, queue := range [][]*conn{s.pending, s.behind, s.parting, s.dying} {
		b = binary.AppendUvarint(b, uint64(len(queue)))
		for _, c := range queue {
			b = binary.AppendVarint(b, c.ID)
		}
	}
	return b
}

// appendClient: what arrived of a frame tells how far the decoder got, which has seen all of it.
func (s *Server) appendClient(b []byte, c *conn, mono int64) []byte {
	b = c.Session.Fingerprint(b)
	b = binary.AppendVarint(b, int64(c.fd))
	b = binary.AppendUvarint(b, c.tag)
	b = append(b, byte(c.state), byte(c.interest))
	b = appendBools(b, c.queued, c.lent, c.behind, c.direct == s.turns, c.local)
	b = appendBytes(b, c.in)
	b = binary.AppendUvarint(b, uint64(c.large))
	b = binary.AppendUvarint(b, uint64(c.owed()))
	from := c.sent
	if c.backlog != nil {
		for _, buf := range c.backlog.bufs {
			b = appendBytes(b, buf[from:])
			from = 0
		}
	}
	b = appendBytes(b, c.Out[from:])
	if c.timeout != nil && c.timeout.armed() {
		b = binary.AppendVarint(b, 1+c.timeout.at-mono)
		b = binary.AppendUvarint(b, uint64(s.timers.rank(c.timeout)))
	}
	if c.softSince != 0 {
		b = binary.AppendVarint(b, 1+mono-c.softSince)
	}
	if s.cfg.TimeoutSecs > 0 || c.state == parting {
		b = binary.AppendVarint(b, mono-c.active)
	}
	return b
}

// appendTimers: when each is due, if it is armed, and those that are due at once in their order.
func (s *Server) appendTimers(b []byte, mono int64) []byte {
	for _, t := range []*timer{&s.tick, &s.upkeepTimer, &s.expiry, &s.eviction, &s.resume, &s.lastCall,
		&s.partingEnd} {
		if !t.armed() {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = binary.AppendVarint(b, t.at-mono)
		b = binary.AppendUvarint(b, uint64(s.timers.rank(t)))
	}
	return b
}

// rank is how many armed timers come before one.
func (h *timers) rank(t *timer) (n int) {
	for i := range h.heap {
		if h.heap[i] != t && h.less(i, t.pos-1) {
			n++
		}
	}
	return n
}

// appendWork is what the tick and the tasks have before them.
func (s *Server) appendWork(b []byte, mono int64) []byte {
	for i := range s.tasks {
		t := &s.tasks[i]
		b = appendBools(b, t.running, t.submit != nil)
	}
	b = binary.AppendVarint(b, mono-s.measuredAt)
	if p, isSampled := s.expirer.(*sampled); isSampled {
		b = appendBools(b, p.cut)
		b = binary.AppendUvarint(b, uint64(p.db))
		b = binary.AppendVarint(b, mono-p.lastFast)
	}
	return b
}

func appendBytes(b, s []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBools(b []byte, bools ...bool) []byte {
	for _, v := range bools {
		b = append(b, byte(bit(v)))
	}
	return b
}
