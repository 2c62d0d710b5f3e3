package workload

import (
	"sync/atomic"
	"time"

	"rondo/check/history"
)

// sinking is the way of operations out of the run: each is counted and handed on. It is guarded by
// run.sinking.
type sinking struct {
	to    Sink
	meter *meter
	taken atomic.Int64
	err   error
}

func (s *sinking) take(op *history.Op) {
	if s.err == nil {
		s.meter.add(op)
		s.err = s.to.Add(*op)
	}
	s.taken.Add(1)
}

func (s *sinking) stats() Stats {
	if s.meter == nil {
		return Stats{}
	}
	return s.meter.s
}

// collectUntil collects every now and then until quit.
func (r *run) collectUntil(quit chan struct{}) {
	tick := time.NewTicker(CollectEvery)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
			r.collect()
		}
	}
}

// collect hands on what can be, and then which keys are done: those of groups that ended before the
// moment up to which all operations are known.
func (r *run) collect() {
	r.sinking.Lock()
	defer r.sinking.Unlock()
	before := r.rec.Collect(r.sink.take)
	for _, keys := range r.endedBefore(before) {
		r.sink.meter.done(keys)
		r.sink.to.Done(keys...)
	}
	if r.sink.err != nil {
		r.fail(r.sink.err)
	}
}

func (r *run) endedBefore(before int64) (keys [][]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.ended[:0]
	for _, e := range r.ended {
		if e.at < before {
			keys = append(keys, e.keys)
		} else {
			kept = append(kept, e)
		}
	}
	r.ended = kept
	return keys
}

// end notes that a group has ended. Its last operation was called before.
func (r *run) end(g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, ended{r.rec.Now(), g.keys})
}

// held is how many operations are recorded and not yet handed on.
func (r *run) held() int64 { return r.done.Load() - r.sink.taken.Load() }

func (r *run) vacuous() string {
	r.sinking.Lock()
	defer r.sinking.Unlock()
	return r.sink.meter.s.Vacuous()
}
