package impl

import "rondo/impl/command"

// Observer is told what the loop does, in the order in which it does it. From outside nobody can see
// which of two clients was served first, and a checker that has to guess it checks less. It is for
// simulations and tests: without one, a command costs a comparison more.
type Observer interface {
	// Joined: a client was accepted and is going to be served.
	Joined(id int64, addr string)
	// Executes: a frame is about to be executed, at this reading of the wall clock. The arguments are
	// views that are valid during the call.
	Executes(id int64, args [][]byte, nowMs int64)
	// Starves: the command under execution is refused for want of memory.
	Starves(id int64)
	// Executed: it is at its end, with all who were served by it.
	Executed(id int64)
	// Removed: a key is gone and no command has asked for it. It was evicted, or its deadline had passed
	// at this reading. The key is a view that is valid during the call.
	Removed(db int, key []byte, evicted bool, nowMs int64)
	// TimesOut: a client that waits is about to be told that its time is up.
	TimesOut(id int64)
	// StopsWaiting: a client that waits has ended its side. It is not answered, and executes no more.
	StopsWaiting(id int64)
	// Malformed: the bytes of a client stop being a request; it is told so, and closed.
	Malformed(id int64, text string)
	// Left: nothing of this client is executed any more, and its session is gone.
	Left(id int64)
	// Sleeps: the loop is about to wait.
	Sleeps(untilMono int64)
}

// Observe has an observer told of everything from now on; nil ends it.
func (s *Server) Observe(o Observer) {
	s.observer, s.x.Witness = o, nil
	if o != nil {
		s.x.Witness = witness{s}
	}
}

// witness passes on what only the executor knows.
type witness struct{ s *Server }

func (w witness) Starves(of *command.Session) { w.s.observer.Starves(of.ID) }

func (w witness) Removed(db int, key []byte, evicted bool) {
	w.s.observer.Removed(db, key, evicted, w.s.nowMs)
}

// run executes a frame.
func (s *Server) run(c *conn, args [][]byte) {
	if s.observer == nil {
		s.x.Run(&c.Session, args)
		return
	}
	s.observer.Executes(c.ID, args, s.nowMs)
	s.x.Run(&c.Session, args)
	s.observer.Executed(c.ID)
}
