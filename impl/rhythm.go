package impl

import "rondo/impl/histogram"

// The loop measures itself (LOOP-21). Readings of the clock bound the phases, and most are there
// anyway: that after the wait is the turn's own, and that at the end of the file events is the last
// one of the commands (command.Executor.Settle). So a turn that serves clients costs one reading
// more, before the wait, and one that runs time events or completions one for each of the two, and
// two of the processor clock. A phase in which nothing was to do is not counted.

// phase is what a histogram is kept of.
type phase int

const (
	phaseTurn phase = iota // all but the wait: how long somebody may have to wait
	phaseBeforeSleep
	phaseWait
	phaseFileEvents
	phaseTimeEvents
	phaseCompletions
	phaseMaintenance // processor time of the two before, and of sampled expiry
	phaseLag         // of deleted keys behind their deadlines: the executor's
	phases
)

var phaseNames = [phases]string{"turn", "before-sleep", "wait", "file-events", "time-events",
	"completions", "maintenance-cpu", "expiry-lag"}

type rhythm struct {
	hist [phaseLag]histogram.Histogram
	mark int64 // the last reading: where the phase under way began
	woke int64 // where the turn began, after its wait

	maintained bool  // this turn
	spent      int64 // processor time by it
	overruns   int64 // turns whose maintenance exceeded its budget
}

func (r *rhythm) begin(mono int64) { r.mark, r.woke = mono, mono }

// end ends a phase at a reading of the clock, where the next begins.
func (r *rhythm) end(p phase, now int64) {
	r.hist[p].Add(now - r.mark)
	r.mark = now
}

// reset begins the histograms anew.
func (r *rhythm) reset() {
	clear(r.hist[:])
	r.overruns = 0
}

// turned ends the turn, before the loop sleeps.
func (s *Server) turned() {
	r := &s.rhythm
	now := s.k.Mono()
	r.end(phaseBeforeSleep, now)
	r.hist[phaseTurn].Add(now - r.woke)
	s.stats.turnNanos += now - r.woke
	s.stats.cycles++
	if r.maintained {
		r.hist[phaseMaintenance].Add(r.spent)
		if r.spent > int64(maintenanceMax) {
			r.overruns++
		}
		r.maintained, r.spent = false, 0
	}
}

// woken begins a turn.
func (s *Server) woken() {
	s.rhythm.end(phaseWait, s.mono)
	s.rhythm.woke = s.mono
}

// served ends the file events, if there were any: with the last reading of the commands, or with
// one of its own if none was executed since the wait.
func (s *Server) served(events int) {
	if events == 0 {
		return
	}
	last, _ := s.x.Measured()
	if last <= s.mono {
		last = s.k.Mono()
	}
	s.rhythm.end(phaseFileEvents, last)
}

// maintain runs a phase of maintenance.
func (s *Server) maintain(p phase, run func()) {
	s.spend(run)
	s.rhythm.end(p, s.k.Mono())
}

// spend runs maintenance between two readings of the processor clock.
func (s *Server) spend(run func()) {
	from := s.k.CPU()
	run()
	s.rhythm.spent += s.k.CPU() - from
	s.rhythm.maintained = true
}

// histogram is that of a phase.
func (s *Server) histogram(p phase) *histogram.Histogram {
	if p == phaseLag {
		return &s.x.Lag
	}
	return &s.rhythm.hist[p]
}

// LoopHistograms yields them by name.
func (h host) LoopHistograms(yield func(name string, h *histogram.Histogram)) {
	for p := range phases {
		yield(phaseNames[p], h.s.histogram(p))
	}
}

// LoopReset begins all of them anew.
func (h host) LoopReset() {
	h.s.rhythm.reset()
	h.s.x.Lag.Reset()
}
