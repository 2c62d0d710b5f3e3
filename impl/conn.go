package impl

import (
	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/resp"
)

// A connection, and the table that finds it.
//
//	serving --(QUIT, protocol error, peer's end with replies owed, shutdown)--> closing
//	closing --(all replies written)--> dead
//	any     --(peer's end, I/O error, a limit, CLIENT KILL)--> dead
//
// serving reads and executes. closing only writes. dead does neither; it keeps its descriptor until
// the close queue runs, so that nothing else can get that number within the turn.
type connState uint8

const (
	serving connState = iota
	closing
	dead
)

// conn is one client. Idle it costs this struct and a slot of the table: buffers and decoder are
// the server's, given for as long as there is something in them (CONN-29).
type conn struct {
	command.Session // identity, database, transaction; Out are the replies not yet released

	fd       kernel.FD
	tag      uint64 // unique for ever: what tells it from the next owner of fd (LOOP-8)
	state    connState
	interest kernel.Interest
	queued   bool // stands in Server.pending
	lent     bool // Out lies in the lent arena, for this turn only

	in   []byte        // an incomplete frame, nil for none
	dec  *resp.Decoder // how far it is decoded, nil for not at all
	sent int           // how much of Out is written

	addr      string // of the peer
	local     bool   // the peer is on this machine
	listener  *listener
	created   int64 // monotonic ns
	active    int64 // the last read or write, monotonic ns
	softSince int64 // since when the output is over the soft limit, 0 if it is not
}

// owed is how many reply bytes are not yet written.
func (c *conn) owed() int { return len(c.Out) - c.sent }

// table finds connections by descriptor: descriptors are small numbers, given out densely.
type table struct {
	slots []*conn
	live  int    // neither dead nor closed
	tag   uint64 // the last one given out
	round int    // the slot the tick looked at last
}

// nextTag gives out a tag, each once.
func (t *table) nextTag() uint64 {
	t.tag++
	return t.tag
}

func (t *table) add(c *conn) {
	for int(c.fd) >= len(t.slots) {
		t.slots = append(t.slots, nil)
	}
	t.slots[c.fd] = c
	t.live++
}

// find returns the connection an event was meant for, nil if it is gone (LOOP-8).
func (t *table) find(fd kernel.FD, tag uint64) *conn {
	if int(fd) >= len(t.slots) {
		return nil
	}
	if c := t.slots[fd]; c != nil && c.tag == tag {
		return c
	}
	return nil
}

// each calls yield for every connection that is not dead.
func (t *table) each(yield func(*conn) bool) {
	for _, c := range t.slots {
		if c != nil && c.state != dead && !yield(c) {
			return
		}
	}
}

// watch sets what the connection waits for, if that is a change.
func (s *Server) watch(c *conn, in kernel.Interest) {
	if c.state == dead || c.interest == in {
		return
	}
	if err := s.k.Watch(c.fd, c.tag, in); err != nil {
		s.fail(c, "cannot be watched", err)
		return
	}
	c.interest = in
}

// finish lets a connection end once it has been written what it is owed. From then on it waits only
// for room to write, so that an end of input, which stays readable, does not wake the loop again
// and again.
func (s *Server) finish(c *conn) {
	switch {
	case c.state != serving:
	case c.owed() == 0:
		s.kill(c)
	default:
		c.state = closing
		if c.interest&kernel.Writable != 0 {
			s.watch(c, kernel.Writable)
		}
		s.queue(c)
	}
}

// kill ends a connection now: what it is owed is lost, and does not wait for the others of the turn
// to be freed. Its descriptor is closed by reap.
func (s *Server) kill(c *conn) {
	if c.state == dead {
		return
	}
	c.state = dead
	s.release(c)
	s.table.live--
	s.dying = append(s.dying, c)
}

// fail is kill with a line in the log. A client's end is nothing an operator must know of.
func (s *Server) fail(c *conn, why string, err error) {
	switch {
	case c.state == dead:
	case err != nil:
		s.log.verbose("client "+why, "id", c.ID, "addr", c.addr, "error", err)
	default:
		s.log.verbose("client "+why, "id", c.ID, "addr", c.addr)
	}
	s.kill(c)
}

// reap closes what died in the turn: the transaction, the watches, and the buffers go with it
// (CONN-22), and nothing else does (CONN-28).
func (s *Server) reap() {
	for i, c := range s.dying {
		s.x.Forget(&c.Session)
		s.table.slots[c.fd] = nil
		if err := s.k.Close(c.fd); err != nil {
			s.log.warning("close failed", "addr", c.addr, "error", err)
		}
		s.dropInput(c)
		s.dying[i] = nil
	}
	s.dying = s.dying[:0]
}
