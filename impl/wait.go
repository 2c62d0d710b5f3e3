package impl

import (
	"math"
	"slices"

	"rondo/impl/command"
)

// Clients that wait (chapter 8 of the specification). Which they are, and in which order, the executor
// knows; here is what the loop does about it, and it is little:
//
//   - to end in time, their timeouts are time events like all others (BLOCK-13);
//   - they are read from, so that the end of a connection is seen (BLOCK-8), but nothing that they send
//     is executed, and it counts against client-query-buffer-limit (Server.execute, BLOCK-9);
//   - when they are answered, in the turn of somebody else, they are queued for the flush, and served
//     in the next turn, without waiting for an event, if they have sent something meanwhile.

// Answer lets reply append to what a client is owed that has waited.
func (h host) Answer(to *command.Session, reply func()) {
	s, c := h.s, to.Owner.(*conn)
	switch {
	case c.Out == nil:
		c.Out = s.pool.get(poolBytesMin)
	case c.lent: // its piece of the arena has no room behind it
		s.retain(c)
	}
	c.OutMax = len(c.Out) + s.hardLimit - c.owed()
	current := s.current
	s.current = c
	reply()
	s.current = current
	s.settle(c)
	s.count(c)
	if len(c.in) > 0 && c.state == serving && !s.hasArrived(c) {
		s.fallBehind(c)
	}
}

// hasArrived tells whether a client has been read from, and is going to be served in this turn anyway.
func (s *Server) hasArrived(c *conn) bool {
	return slices.ContainsFunc(s.arrived, func(a arrival) bool { return a.c == c })
}

func (s *Server) timeOut(c *conn) {
	if s.observer != nil {
		s.observer.TimesOut(c.ID)
	}
	s.x.TimeOut(&c.Session)
}

// WaitUntil arms the time event of a client that waits, or with math.MaxInt64 disarms it.
func (h host) WaitUntil(of *command.Session, mono int64) {
	s, c := h.s, of.Owner.(*conn)
	switch {
	case mono != math.MaxInt64:
		if c.timeout == nil {
			c.timeout = &timer{run: func() { s.timeOut(c) }}
		}
		s.timers.arm(c.timeout, mono)
	case c.timeout != nil:
		s.timers.disarm(c.timeout)
	}
}
