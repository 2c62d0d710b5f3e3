package impl

import (
	"fmt"
	"unsafe"

	"rondo/impl/command"
	"rondo/impl/kernel"
)

// What must hold between two turns, as far as it can be told from the inside: each thing has one owner,
// every account adds up, and nobody who is owed something is forgotten. It is for tests and simulation,
// which ask after every turn (Audit) and before every wait (AuditSleep); a server that runs asks
// nothing.

// Audit tells what does not hold, nil if all does. It is to be called between two turns.
func (s *Server) Audit() error {
	for _, audit := range []func() error{
		s.auditTable, s.auditQueues, s.auditOwed, s.auditInput, s.auditBuffers, s.auditTimers, s.auditWaiting,
		s.auditMemory,
	} {
		if err := audit(); err != nil {
			return fmt.Errorf("impl: turn %d: %w", s.turns, err)
		}
	}
	return s.x.Audit(s.sessions)
}

// AuditSleep tells why the loop may not wait until then: there is something to do. It is to be
// called by an Observer that hears that the loop Sleeps.
func (s *Server) AuditSleep(untilMono int64) error {
	switch {
	case len(s.pending) > 0:
		return fmt.Errorf("impl: sleeps with the replies of %d clients (LOOP-5)", len(s.pending))
	case len(s.dying) > 0:
		return fmt.Errorf("impl: sleeps with %d connections to close", len(s.dying))
	case s.lender.used > 0:
		return fmt.Errorf("impl: sleeps with %d bytes of the lent arena in use", s.lender.used)
	case len(s.behind) > 0 && untilMono > s.mono:
		return fmt.Errorf("impl: sleeps with requests of %d clients that have arrived (LOOP-18)", len(s.behind))
	case untilMono > s.timers.next():
		return fmt.Errorf("impl: sleeps %d ns beyond a time event (LOOP-4)", untilMono-s.timers.next())
	}
	return s.auditExpiry(untilMono)
}

// auditExpiry: with the calendar, the wait ends when a key is due (TIME-16). Its time is of the wall
// clock, one millisecond behind the deadline.
func (s *Server) auditExpiry(untilMono int64) error {
	deadline, ok := s.x.NextDue()
	if _, isOrdered := s.expirer.(ordered); !ok || !isOrdered || !s.expiryOn || deadline > expiryMsMax {
		return nil
	}
	mono, wall := s.k.Now()
	due := max(0, (deadline+1)*1e6-wall)
	if untilMono-mono > due {
		return fmt.Errorf("impl: sleeps %d ns beyond the deadline of a key (TIME-15)", untilMono-mono-due)
	}
	return nil
}

// expiryMsMax: of a later deadline than that the monotonic clock may not be able to tell.
const expiryMsMax = kernel.Forever / 2e6

// sessions yields those of all clients.
func (s *Server) sessions(yield func(*command.Session) bool) {
	for c := range s.table.each {
		if !yield(&c.Session) {
			return
		}
	}
}

// auditTable: every connection stands at its descriptor, and has a tag and a number of its own.
func (s *Server) auditTable() error {
	live := 0
	tags, ids := map[uint64]bool{}, map[int64]bool{}
	for fd, c := range s.table.slots {
		switch {
		case c == nil:
			continue
		case int(c.fd) != fd:
			return fmt.Errorf("descriptor %d stands in slot %d", c.fd, fd)
		case c.tag == listenerTag || c.tag > s.table.tag || tags[c.tag]:
			return fmt.Errorf("the tag %d of client %d is not its own (LOOP-8)", c.tag, c.ID)
		case c.ID > s.nextID || ids[c.ID]:
			return fmt.Errorf("the number %d of a client is not its own (CONN-18)", c.ID)
		}
		tags[c.tag], ids[c.ID] = true, true
		if c.state < parting {
			live++
		}
	}
	if live != s.table.live {
		return fmt.Errorf("%d clients, accounts say %d", live, s.table.live)
	}
	return nil
}

// auditQueues: who is said to stand in a queue stands there, once, and nobody else does.
func (s *Server) auditQueues() error {
	n := map[*conn][4]int{}
	for i, queue := range [][]*conn{s.pending, s.behind, s.parting, s.dying} {
		for _, c := range queue {
			in := n[c]
			in[i]++
			n[c] = in
		}
	}
	for _, c := range s.table.slots {
		if c == nil {
			continue
		}
		in := n[c]
		delete(n, c)
		switch {
		case in[0] != bit(c.queued):
			return fmt.Errorf("client %d stands %d times in the flush queue, and says %v", c.ID, in[0], c.queued)
		case in[1] != bit(c.behind):
			return fmt.Errorf("client %d stands %d times among those behind, and says %v", c.ID, in[1], c.behind)
		case c.state == parting && in[2] != 1 || c.state < parting && in[2] != 0:
			return fmt.Errorf("client %d in state %d stands %d times among those that part", c.ID, c.state, in[2])
		case in[3] != bit(c.state == dead):
			return fmt.Errorf("client %d in state %d stands %d times among the dead", c.ID, c.state, in[3])
		}
	}
	for c, in := range n { // the dead leave two of the queues when their turn comes
		if c.state != dead || in[0]+in[3] > 0 {
			return fmt.Errorf("client %d is gone, and stands in a queue", c.ID)
		}
	}
	if len(s.arrived) > 0 || s.taken > 0 || len(s.done) > 0 {
		return fmt.Errorf("%d reads are not served, %d completions not run", len(s.arrived), len(s.done))
	}
	return nil
}

// auditOwed: whoever is owed something is going to be flushed, in this turn or when it is writable, and
// waits for that only as long as it is owed something (LOOP-5). No output is beyond its limit.
func (s *Server) auditOwed() error {
	for _, c := range s.table.slots {
		if c == nil || c.state == dead {
			continue
		}
		owed, writes := c.owed(), c.interest&kernel.Writable != 0
		switch {
		case owed < 0 || owed >= s.hardLimit:
			return fmt.Errorf("client %d is owed %d bytes, of at most %d (CONN-15)", c.ID, owed, s.hardLimit)
		case owed > 0 && !writes && !c.queued:
			return fmt.Errorf("client %d is owed %d bytes, and nobody is going to write them", c.ID, owed)
		case owed == 0 && writes:
			return fmt.Errorf("client %d is owed nothing, and waits to be writable", c.ID)
		case c.state == serving && c.interest&kernel.Readable == 0:
			return fmt.Errorf("client %d is served, and nobody waits for what it sends", c.ID)
		case c.state == closing && owed == 0:
			return fmt.Errorf("client %d has all it is owed, and is not closed", c.ID)
		case c.state == closing && writes && c.interest != kernel.Writable:
			return fmt.Errorf("client %d is closing, and waits for what it sends", c.ID)
		case c.state == parting && (owed > 0 || c.interest != kernel.Readable):
			return fmt.Errorf("client %d parts, is owed %d bytes, and waits for %d", c.ID, owed, c.interest)
		}
		if err := s.auditOutput(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) auditOutput(c *conn) error {
	first, bytes := len(c.Out), 0
	if c.backlog != nil {
		if len(c.backlog.bufs) == 0 {
			return fmt.Errorf("client %d has a backlog of nothing", c.ID)
		}
		first = len(c.backlog.bufs[0])
		for _, b := range c.backlog.bufs {
			bytes += len(b)
		}
		if bytes != c.backlog.bytes {
			return fmt.Errorf("client %d has %d bytes in its backlog, accounts say %d", c.ID, bytes, c.backlog.bytes)
		}
	}
	switch {
	case c.sent > first:
		return fmt.Errorf("client %d was sent %d bytes of %d", c.ID, c.sent, first)
	case c.lent && !liesIn(c.Out, s.lender.arena[:s.lender.used]):
		return fmt.Errorf("client %d has its replies outside of the lent arena", c.ID)
	case !c.lent && len(c.Out) > 0 && liesIn(c.Out[:1], s.lender.arena):
		return fmt.Errorf("client %d keeps its replies in the lent arena", c.ID)
	case c.lent && !c.queued:
		return fmt.Errorf("client %d keeps a piece of the lent arena", c.ID)
	}
	return nil
}

// auditInput: a frame under way has a buffer and a decoder, and without one a client has neither (CONN-29).
func (s *Server) auditInput() error {
	for c := range s.table.each {
		switch {
		case c.state != serving:
		case (c.dec != nil) != (len(c.in) > 0):
			return fmt.Errorf("client %d has %d bytes of a frame, and a decoder: %v", c.ID, len(c.in), c.dec != nil)
		case len(c.in) == 0 && (c.in != nil || c.block.Bytes != nil):
			return fmt.Errorf("client %d keeps a buffer of %d bytes with nothing in it", c.ID, cap(c.in))
		case int64(len(c.in)) > s.cfg.QueryBytesMax:
			return fmt.Errorf("client %d has %d bytes in its query buffer (CONN-14)", c.ID, len(c.in))
		}
	}
	return nil
}

// auditBuffers: no buffer and no decoder has two owners, the pools among them, and the pools keep to
// their bounds.
func (s *Server) auditBuffers() error {
	owners := map[unsafe.Pointer]string{}
	own := func(p unsafe.Pointer, who string) error {
		if other, taken := owners[p]; taken {
			return fmt.Errorf("%s and %s have one buffer", other, who)
		}
		owners[p] = who
		return nil
	}
	buffer := func(b []byte, who string) error {
		if cap(b) == 0 {
			return nil
		}
		return own(unsafe.Pointer(unsafe.SliceData(b)), who)
	}
	for class, free := range s.pool.free {
		if len(free)*classSize(class) > poolClassMax {
			return fmt.Errorf("the pool keeps %d buffers of %d bytes", len(free), classSize(class))
		}
		for _, b := range free {
			if err := buffer(b, "the pool"); err != nil {
				return err
			}
			if len(b) > 0 || cap(b) != classSize(class) {
				return fmt.Errorf("a buffer of %d bytes is pooled as one of %d", cap(b), classSize(class))
			}
		}
	}
	for c := range s.table.each {
		who := fmt.Sprintf("client %d", c.ID)
		bufs := [][]byte{c.in, c.Out}
		if c.backlog != nil {
			bufs = append(bufs, c.backlog.bufs...)
		}
		for _, b := range bufs {
			if err := buffer(b, who); err != nil {
				return err
			}
		}
		if c.dec != nil {
			if err := own(unsafe.Pointer(c.dec), who); err != nil {
				return err
			}
		}
	}
	for _, dec := range s.decoders {
		if err := own(unsafe.Pointer(dec), "the decoders at rest"); err != nil {
			return err
		}
	}
	if len(s.decoders) > decodersMax {
		return fmt.Errorf("%d decoders are at rest", len(s.decoders))
	}
	return nil
}

// auditTimers: the heap is one, and nothing is left in it that was due when the turn began (LOOP-12).
func (s *Server) auditTimers() error {
	h := &s.timers
	for i, t := range h.heap {
		switch {
		case t.pos != i+1 || t.due:
			return fmt.Errorf("the timer at %d says it is at %d, due: %v", i, t.pos-1, t.due)
		case i > 0 && h.less(i, (i-1)/2):
			return fmt.Errorf("the timer at %d is earlier than its parent", i)
		case t.at <= s.mono && t.seq <= h.promised:
			return fmt.Errorf("a time event was due %d ns before the turn, and has not run (LOOP-12)", s.mono-t.at)
		}
	}
	for _, t := range h.due {
		if t.due {
			return fmt.Errorf("a timer is due in a pass that is over")
		}
	}
	return nil
}

// auditWaiting: only those have a timeout under way that wait, and are served. That nobody who waits is
// forgotten is the executor's part.
func (s *Server) auditWaiting() error {
	for c := range s.table.each {
		switch {
		case c.Waiting() && c.state != serving:
			return fmt.Errorf("client %d waits, and is in state %d (BLOCK-8)", c.ID, c.state)
		case !c.Waiting() && c.timeout != nil && c.timeout.armed():
			return fmt.Errorf("client %d has a timeout, and does not wait (BLOCK-8)", c.ID)
		}
	}
	return nil
}

// auditMemory: what clients hold counts as what it is.
func (s *Server) auditMemory() error {
	sum := int64(0)
	for c := range s.table.each {
		sum += c.counted
		if held := c.bytes(); s.counting && c.counted != held {
			return fmt.Errorf("client %d holds %d bytes, accounts say %d", c.ID, held, c.counted)
		}
	}
	if sum != s.x.ClientBytes {
		return fmt.Errorf("clients hold %d bytes, accounts say %d", sum, s.x.ClientBytes)
	}
	return nil
}

// liesIn tells whether b is a part of a.
func liesIn(b, a []byte) bool {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(a)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return at >= from && at+uintptr(len(b)) <= from+uintptr(len(a))
}
