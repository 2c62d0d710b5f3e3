package impl

import (
	"runtime/debug"
	"sync/atomic"

	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/store"
)

// What memory is used for. The keyspaces count what they occupy as it changes. What else stands on
// the Go heap, and how much of all that the system has given, has to be asked for: that is done
// elsewhere, once a second, and what INFO and MEMORY show of it is up to a second old.

// account is what the server knows of its memory.
type account struct {
	measured kernel.Process
	other    int64 // on the Go heap, and neither keys nor clients
	startup  int64 // used when there was no key and no client
	peak     int64 // the most that was seen to be used
	freed    int64 // values that were given back elsewhere
	freeing  int   // and that are being given back
	clients  int64 // what clients held when the tick last went round
	round    int64 // and those it has seen since
}

// look keeps what was measured. Of the Go heap the part is known that keyspaces and clients have.
func (s *Server) look(m kernel.Process) {
	s.account.measured = m
	s.account.other = max(0, m.Heap-int64(s.stored().Heap)-s.account.clients)
	s.account.peak = max(s.account.peak, s.usedBytes(s.account.clients))
}

// stored is what all keyspaces occupy.
func (s *Server) stored() (all store.Usage) {
	for i := range s.x.Databases() {
		all.Add(s.x.DB(i).Usage())
	}
	return all
}

// clientBytes is what clients hold.
func (s *Server) clientBytes() (n int64) {
	for c := range s.table.each {
		n += c.bytes()
	}
	return n
}

// usedBytes is used_memory.
func (s *Server) usedBytes(clients int64) int64 {
	return s.account.other + int64(s.stored().Bytes()) + clients
}

// Memory is what MEMORY STATS tells.
func (h host) Memory() command.MemoryReport {
	s := h.s
	m, all, clients := &s.account.measured, s.stored(), s.clientBytes()
	used := s.usedBytes(clients)
	s.account.peak = max(s.account.peak, used)
	r := command.MemoryReport{
		Used: used, Peak: s.account.peak, Startup: s.account.startup,
		Clients: clients, Dataset: int64(all.Records), Tables: int64(all.Table + all.Calendar),
		Overhead: used - int64(all.Records),
		Active:   used + int64(all.Held-all.Bytes()) + m.HeapHeld - m.Heap,
		RSS:      m.Resident,
		Cycles:   m.Cycles,
		Freeing:  int64(s.freeing()), Freed: s.account.freed,
		Moves: int64(all.Moves),
	}
	r.Resident = r.Active + int64(s.memory.Ready()) + m.HeapSpare
	for i := range s.x.Databases() {
		r.Keys += int64(s.x.DB(i).Len())
	}
	return r
}

// freeing is how many values lie in memory that is still to be given back.
func (s *Server) freeing() int {
	waiting, _ := s.memory.Waits()
	return s.account.freeing + waiting
}

// giveBack lets go of what keyspaces have no use for any more. To unmap it takes long (LOOP-20).
func (s *Server) giveBack() {
	if _, some := s.memory.Waits(); !some || s.tasks[taskFree].running {
		return
	}
	free, values := s.memory.Unused()
	s.account.freeing = values
	s.begin(taskFree, func(*atomic.Bool) { free() }, func() {
		s.account.freeing = 0
		s.account.freed += int64(values)
	})
}

// remeasure is the tick's part.
func (s *Server) remeasure() {
	if s.mono-s.measuredAt < int64(measurePeriod) {
		return
	}
	s.measuredAt = s.mono
	var m kernel.Process
	s.begin(taskMeasure, func(stop *atomic.Bool) {
		if !stop.Load() {
			m = s.k.Process()
		}
	}, func() { s.look(m) })
}

// Purge gives back what it can: the collector runs, and keyspaces are looked through for holes.
func (h host) Purge() {
	h.s.begin(taskPurge, func(stop *atomic.Bool) {
		if !stop.Load() {
			debug.FreeOSMemory()
		}
	}, func() {})
}
