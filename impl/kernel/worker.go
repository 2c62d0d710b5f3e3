// Work off the loop: jobs that may block run on a few goroutines; what is to happen afterwards
// runs on the loop.
//
//	Submit -> waiting -> a worker runs it -> finished -> wake -> Done

package kernel

import (
	"sync"
	"sync/atomic"
)

// workersMax bounds the goroutines, not the queue: every submitter waits for its own completion
// before it submits again, so the queue is as long as the server has kinds of work.
const workersMax = 4

type job struct{ run, done func() }

// workers starts goroutines when there is work and ends them when there is none.
type workers struct {
	wake func()

	ready atomic.Int64 // len(finished): an idle loop asks without taking the lock

	mu       sync.Mutex // held for an append or a slice, never while a job runs
	running  int
	waiting  []job
	finished []func()
}

func (w *workers) submit(j job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, j)
	if w.running < workersMax {
		w.running++
		go w.work()
	}
}

func (w *workers) work() {
	for {
		j, ok := w.take()
		if !ok {
			return
		}
		j.run()
		w.finish(j.done)
	}
}

func (w *workers) take() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.running--
		return job{}, false
	}
	j := w.waiting[0]
	w.waiting[0] = job{}
	w.waiting = w.waiting[1:]
	return j, true
}

func (w *workers) finish(done func()) {
	if done == nil {
		return
	}
	w.mu.Lock()
	w.finished = append(w.finished, done)
	w.ready.Add(1)
	w.mu.Unlock()
	w.wake()
}

// next is the oldest finished job's done function, or nil.
func (w *workers) next() func() {
	if w.ready.Load() == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.finished[0]
	w.finished[0] = nil
	w.finished = w.finished[1:]
	w.ready.Add(-1)
	return done
}
