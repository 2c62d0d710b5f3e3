package impl

import "rondo/impl/kernel"

// Scratch is the memory that every server works in, and in which nothing is kept from one turn to the
// next but replies that are about to be flushed. Who makes thousands of servers, one after the other,
// gives all of them the same (Config.Scratch); only the last one made may turn.
type Scratch struct {
	arena  []byte // of what has arrived
	lent   []byte // of replies
	events []kernel.Event
}

// NewScratch is enough for one server.
func NewScratch() *Scratch {
	return &Scratch{
		arena:  make([]byte, arenaBytes+arenaSlack)[:arenaBytes],
		lent:   make([]byte, lendBytesMax),
		events: make([]kernel.Event, eventsMax),
	}
}

// Abandon gives back the memory of the keyspaces of a server that is not going to turn any more.
func (s *Server) Abandon() {
	s.x.Release()
	if free, _ := s.memory.Unused(); free != nil {
		free()
	}
}
