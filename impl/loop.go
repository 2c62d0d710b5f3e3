package impl

import (
	"fmt"

	"rondo/impl/kernel"
)

// The turn: six phases, in the order of LOOP-1. Work that must not happen twice in a turn, or not
// in the same turn, is safe by that order and not by flags.

// Turn is one round of the loop. It returns ErrStopped once the server has ended.
func (s *Server) Turn() error {
	s.beforeSleep()
	if s.ended() {
		s.x.Release()
		return ErrStopped
	}
	s.turned()
	// Until the next time event (LOOP-4). Why it ended does not matter (LOOP-10, LOOP-11).
	s.turns++
	until := s.deadline()
	if s.observer != nil {
		s.observer.Sleeps(until)
	}
	n, err := s.k.Wait(s.events, until)
	if err != nil {
		return fmt.Errorf("the poller failed: %w", err)
	}
	s.afterSleep()
	s.woken()
	s.fileEvents(s.events[:n])
	s.timeEvents()
	s.completions()
	return nil
}

// deadline bounds the wait: there is none while requests wait that have arrived (LOOP-18).
func (s *Server) deadline() int64 {
	if len(s.behind) > 0 {
		return s.mono
	}
	return s.timers.next()
}

// beforeSleep leaves nothing undone that would have to wait for an event: the end is begun, the
// next deadline of a key bounds the wait, replies go out (LOOP-5), and then what died is closed, in
// this order, because a flush may be what a connection was kept for, and leaves it with less memory.
func (s *Server) beforeSleep() {
	if s.stopAsked.Load() && s.endingSince == 0 {
		s.end()
	}
	s.expirer.beforeSleep(s)
	s.flushAll()
	s.evictClients()
	if s.ending {
		s.endParting() // the end waits for nothing else
	}
	s.reap()
}

// afterSleep reads the monotonic clock: once, for all of the turn. A time event that falls due
// while the file events run is of the next turn, after what clients have sent by then (LOOP-1).
func (s *Server) afterSleep() {
	s.mono = s.k.Mono()
	s.timers.promised = s.timers.seq
}

// fileEvents handles readiness. A connection that died earlier in the batch is found dead, and one
// that took over its descriptor since the event was made has another tag (LOOP-8). Those that had
// fallen behind come first, and who falls behind now is for the next turn (LOOP-18).
func (s *Server) fileEvents(events []kernel.Event) {
	s.goingOn, s.behind = s.behind, s.goingOn[:0]
	s.goOn()
	for i := range events {
		ev := &events[i]
		c := s.table.find(ev.FD, ev.Tag)
		if c == nil {
			s.acceptable(ev.FD, ev.Tag)
			continue
		}
		// The state is looked at before each half: the first may have changed it.
		if ev.Ready&kernel.Readable != 0 && c.state == serving && !s.ending {
			s.readable(c)
		} else if c.state == parting {
			s.swallow(c)
		}
		if ev.Ready&kernel.Writable != 0 && c.interest&kernel.Writable != 0 {
			s.serveArrived() // so that what it is replied now goes with the rest
			s.flush(c)
		}
	}
	s.serveArrived()
	s.stats.fileEvents += int64(len(events))
	s.served(len(events) + len(s.goingOn))
}

// timeEvents runs the timers that were due when the wait ended (LOOP-3, LOOP-12).
func (s *Server) timeEvents() {
	if s.timers.next() <= s.mono {
		s.maintain(phaseTimeEvents, s.fire)
	}
}

func (s *Server) fire() {
	s.stats.timeEvents += int64(s.timers.fire(s.mono))
}

// completions runs what background jobs left to be done here. All are taken before the first runs,
// so that a job submitted by one of them is completed in a later turn (LOOP-13).
func (s *Server) completions() {
	for f := s.k.Done(); f != nil; f = s.k.Done() {
		s.done = append(s.done, f)
	}
	if len(s.done) > 0 {
		s.maintain(phaseCompletions, s.complete)
	}
	s.submitTasks()
}

func (s *Server) complete() {
	for i, f := range s.done {
		s.done[i] = nil
		f()
	}
	s.done = s.done[:0]
}
