package impl

import (
	"errors"

	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/resp"
)

// From a reply to the socket:
//
//	lend (a place to append to) -> settle (after the batch) -> flush (before the loop sleeps)
//	-> what the socket did not take waits in the connection's own buffer for writable

// lend gives a connection that owns no output buffer, or one that is long enough, the tail of the arena. When that is nearly
// used up, what is in it is flushed before its time: large replies of many clients then go
// through memory that is in the cache, and make no garbage. A reply longer than the tail moves away
// from it by itself.
func (s *Server) lend(c *conn) {
	if c.Out != nil {
		if c.lent || len(c.Out) < backlogBytes {
			return
		}
		if c.backlog == nil {
			c.backlog = new(backlog)
		}
		c.backlog.bufs = append(c.backlog.bufs, c.Out)
		c.backlog.bytes += len(c.Out)
	}
	if s.lender.full() {
		s.flushAll()
	}
	c.Out, c.lent = s.lender.tail(), true
}

// settle is the end of a connection's batch: its replies become its piece of the arena, its limits
// are tested, and it is queued for the flush.
func (s *Server) settle(c *conn) {
	if c.lent && !c.queued {
		c.Out, c.lent = s.lender.keep(c.Out)
	}
	switch {
	case c.CloseNow != "":
		s.fail(c, c.CloseNow, nil)
	case c.owed() >= s.hardLimit:
		// CONN-15: closed without the replies it was owed, as they are what is too much.
		s.fail(c, command.OutputLimit, nil)
	case c.CloseAfter:
		s.finish(c)
	case c.owed() > 0:
		s.queue(c)
	case c.Out != nil:
		s.release(c)
	}
	s.watchSoft(c)
}

// queue marks a connection for the flush, unless its socket is full: then writable sees to it.
func (s *Server) queue(c *conn) {
	switch {
	case c.interest&kernel.Writable != 0:
		s.retain(c)
	case c.direct == s.turns:
		s.await(c)
	case !c.queued:
		c.queued = true
		s.pending = append(s.pending, c)
	}
}

// flushAll writes the replies made since the loop last slept (LOOP-5).
func (s *Server) flushAll() {
	for i, c := range s.pending {
		s.pending[i] = nil
		c.queued = false
		s.flush(c)
	}
	s.pending = s.pending[:0]
	s.lender.used = 0
}

// flush writes once, writeBytesMax at most. From one wait to the next it does so once for each
// connection: one that has write interest is never queued, and what is queued was executed after
// the last wait (LOOP-6). The bytes of a reply stay in one buffer and leave it in order, so they
// are contiguous however often that takes (CONN-4).
func (s *Server) flush(c *conn) {
	if c.state == dead {
		return
	}
	var n int
	var err error
	if c.backlog == nil {
		end := min(len(c.Out), c.sent+writeBytesMax)
		n, err = s.k.Write(c.fd, c.Out[c.sent:end])
	} else {
		n, err = s.k.Writev(c.fd, s.gather(c))
	}
	if err != nil && !errors.Is(err, kernel.ErrAgain) {
		s.fail(c, "took no reply", err)
		return
	}
	if n > 0 {
		s.stats.sent(n)
		s.took(c, n)
		c.active = s.mono
	}
	if c.owed() > 0 {
		s.await(c)
		s.watchSoft(c)
		s.count(c)
		return
	}
	s.release(c)
	s.count(c)
	c.softSince = 0
	if c.state == closing {
		s.part(c)
		return
	}
	s.watch(c, kernel.Readable)
}

// gather is what to write first of a backlog, writeBytesMax at most.
func (s *Server) gather(c *conn) [][]byte {
	bufs, from, left := s.vector[:0], c.sent, writeBytesMax
	add := func(b []byte) {
		b = b[from:]
		b, from = b[:min(len(b), left)], 0
		left -= len(b)
		if len(b) > 0 {
			bufs = append(bufs, b)
		}
	}
	for _, b := range c.backlog.bufs[:min(len(c.backlog.bufs), len(s.vector))] {
		add(b)
	}
	if len(bufs) < len(s.vector) {
		add(c.Out)
	}
	return bufs
}

// took forgets the n bytes that were written.
func (s *Server) took(c *conn, n int) {
	c.sent += n
	for c.backlog != nil && c.sent >= len(c.backlog.bufs[0]) {
		first := c.backlog.bufs[0]
		c.sent -= len(first)
		c.backlog.bytes -= len(first)
		c.backlog.bufs[0] = nil
		if c.backlog.bufs = c.backlog.bufs[1:]; len(c.backlog.bufs) == 0 {
			c.backlog = nil
		}
		s.pool.put(first)
	}
}

// await lets a connection wait for room to write what it is owed.
func (s *Server) await(c *conn) {
	s.retain(c)
	if c.state == closing {
		s.watch(c, kernel.Writable)
	} else {
		s.watch(c, kernel.Readable|kernel.Writable)
	}
}

// Direct writes a long string from where the store has it, together with what the client under
// execution is owed; what the socket does not take is owed then. This happens once in a turn, and
// nothing else is written to this client (LOOP-6). It returns false if it did nothing.
func (h host) Direct(b []byte) bool {
	s, c := h.s, h.s.current
	if c.direct == s.turns || c.queued || c.interest&kernel.Writable != 0 {
		return false
	}
	c.Out = resp.AppendBulkHeader(c.Out, len(b))
	parts := [...][]byte{c.Out[c.sent:], b, crlf}
	s.vector = [...][]byte{parts[0], b[:min(len(b), directMax)], crlf}
	bufs := s.vector[:]
	if len(b) > directMax {
		bufs = bufs[:2]
	}
	n, err := s.k.Writev(c.fd, bufs)
	if err != nil && !errors.Is(err, kernel.ErrAgain) {
		c.CloseNow = "took no reply"
		return true
	}
	s.stats.sent(n)
	c.active, c.direct = s.mono, s.turns
	left := len(parts[0]) + len(b) + len(crlf) - n
	if left == 0 {
		c.Out, c.sent = c.Out[:0], 0
		return true
	}
	out := s.pool.get(left)
	for _, part := range parts {
		taken := min(n, len(part))
		n -= taken
		out = append(out, part[taken:]...)
	}
	s.release(c)
	c.Out = out
	return true
}

var crlf = []byte("\r\n")

// retain moves unwritten replies from the arena, which the next turn uses again, into a buffer of
// the connection's own. There a written prefix is cut off once it is the larger part.
func (s *Server) retain(c *conn) {
	if c.lent {
		left := c.Out
		if c.backlog == nil {
			left, c.sent = left[c.sent:], 0
		}
		c.Out, c.lent = append(s.pool.get(len(left)), left...), false
		return
	}
	if c.backlog == nil && c.sent > shrinkBytes && c.sent > len(c.Out)/2 {
		c.Out = c.Out[:copy(c.Out, c.Out[c.sent:])]
		c.sent = 0
	}
}

// release takes the output buffer from a connection that is owed nothing.
func (s *Server) release(c *conn) {
	if !c.lent {
		s.pool.put(c.Out)
	}
	if c.backlog != nil {
		for _, b := range c.backlog.bufs {
			s.pool.put(b)
		}
		c.backlog = nil
	}
	c.Out, c.sent, c.lent = nil, 0, false
}

// watchSoft notes since when a connection is over the soft limit; the tick closes it once that is
// too long (CONN-16).
func (s *Server) watchSoft(c *conn) {
	soft := s.cfg.Output[classNormal].Soft
	if soft == 0 || int64(c.owed()) < soft {
		c.softSince = 0
	} else if c.softSince == 0 {
		c.softSince = s.mono
	}
}
