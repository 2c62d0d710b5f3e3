package impl

import (
	"errors"
	"slices"

	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/resp"
	"rondo/impl/store"
)

// A connection, and the table that finds it.
//
//	serving --(QUIT, protocol error, peer's end with replies owed, shutdown)--> closing
//	closing --(all replies written)--> parting, or dead if they have arrived too
//	parting --(peer's end, partingMax)--> dead
//	any     --(peer's end, I/O error, a limit, CLIENT KILL)--> dead
//
// serving reads and executes. closing only writes. parting reads into nothing, and is no client any
// more. dead does neither; it keeps its descriptor until the close queue runs, so that nothing
// else can get that number within the turn.
type connState uint8

const (
	serving connState = iota
	closing
	parting
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
	behind   bool // stands in Server.behind: in begins with frames that wait for the next turn

	in      []byte        // frames behind, or an incomplete one; nil for none
	block   store.Block   // where in lies if a large argument is in it
	dec     *resp.Decoder // how far in is decoded, nil for not at all
	large   int           // bytes of the last frame, if a value of it stayed where it was read
	sent    int           // how much is written of the first buffer that is owed
	backlog *backlog      // what is owed before Out, nil for nothing
	served  uint64        // the turn in which goOn did
	direct  uint64        // the turn in which a string was written from the store
	timeout *timer        // of its waiting (wait.go); nil until it has waited with one

	addr      string // of the peer
	local     bool   // the peer is on this machine
	listener  *listener
	created   int64 // monotonic ns
	active    int64 // the last read or write, monotonic ns
	counted   int64 // bytes that count against maxmemory
	softSince int64 // since when the output is over the soft limit, 0 if it is not
}

// owed is how many reply bytes are not yet written.
func (c *conn) owed() int {
	n := len(c.Out) - c.sent
	if c.backlog != nil {
		n += c.backlog.bytes
	}
	return n
}

// backlog is what comes before Out, for a client that does not read: buffers that do not grow any more,
// so that nothing is copied again and again.
type backlog struct {
	bufs  [][]byte
	bytes int // of all
}

// table finds connections by descriptor: descriptors are small numbers, given out densely.
type table struct {
	slots []*conn
	live  int    // serving or closing
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

// each calls yield for every client.
func (t *table) each(yield func(*conn) bool) {
	for _, c := range t.slots {
		if c != nil && c.state < parting && !yield(c) {
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

// finish lets a connection end once it has been written what it is owed; it waits for nothing more. From then on it waits only
// for room to write, so that an end of input, which stays readable, does not wake the loop again
// and again.
func (s *Server) finish(c *conn) {
	if s.observer != nil && c.Waiting() {
		s.observer.StopsWaiting(c.ID)
	}
	s.x.Unwait(&c.Session)
	s.count(c)
	switch {
	case c.state != serving:
	case c.owed() == 0:
		s.part(c)
	default:
		c.state = closing
		if c.interest&kernel.Writable != 0 {
			s.watch(c, kernel.Writable)
		}
		s.queue(c)
	}
}

// part lets a connection go that has been written all it is owed. As long as that has not arrived,
// to close might tear it away: the peer may be in the middle of a pipeline, and what it sends
// behind the end is answered with a reset. So our side alone is ended, and the rest read into
// nothing until the peer, seeing the end, ends its own (WIRE-13, CONN-6, LOOP-15).
func (s *Server) part(c *conn) {
	if s.k.CloseWrite(c.fd) {
		s.kill(c)
		return
	}
	s.retire(c)
	c.state, c.active = parting, s.mono
	s.watch(c, kernel.Readable)
	s.parting = append(s.parting, c)
	if len(s.parting) == 1 {
		s.timers.arm(&s.partingEnd, s.mono+int64(partingPoll))
	}
}

// swallow reads what a peer still sends after the end.
func (s *Server) swallow(c *conn) {
	_, err := s.k.Read(c.fd, s.arena[s.taken:s.taken+readBytesMax])
	if err != nil && !errors.Is(err, kernel.ErrAgain) {
		s.kill(c)
	}
}

// endParting closes those whose replies have arrived by now, and those that have had long enough.
func (s *Server) endParting() {
	s.parting = slices.DeleteFunc(s.parting, func(c *conn) bool {
		late := s.mono >= c.active+int64(partingMax)
		if c.state == parting && !late && !s.k.CloseWrite(c.fd) {
			return false
		}
		s.kill(c)
		return true
	})
	if len(s.parting) > 0 {
		s.timers.arm(&s.partingEnd, s.mono+int64(partingPoll))
	}
}

// retire makes of a client a mere connection: the transaction, the watches, and the buffers go
// (CONN-22), and nothing else does (CONN-28).
func (s *Server) retire(c *conn) {
	if c.state >= parting {
		return
	}
	s.table.live--
	if s.observer != nil {
		s.observer.Left(c.ID)
	}
	s.x.Forget(&c.Session)
	s.release(c)
	s.x.ClientBytes -= c.counted
	c.counted = 0
}

// kill ends a connection now: what it is owed is lost, and does not wait for the others of the turn
// to be freed. Its descriptor is closed by reap.
func (s *Server) kill(c *conn) {
	if c.state == dead {
		return
	}
	s.retire(c)
	c.state = dead
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

// reap closes what died in the turn.
func (s *Server) reap() {
	for i, c := range s.dying {
		s.table.slots[c.fd] = nil
		if err := s.k.Close(c.fd); err != nil {
			s.log.warning("close failed", "addr", c.addr, "error", err)
		}
		s.dropInput(c)
		s.dying[i] = nil
	}
	s.dying = s.dying[:0]
}
