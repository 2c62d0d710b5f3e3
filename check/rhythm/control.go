package rhythm

import (
	"runtime"
	"time"
)

// control is a thread that does nothing but read the clock, in the rhythm of the probe: at each of
// its moments it wakes and sees how late it is. What it sees, the machine did; a server has no part
// in it. It sleeps in between, since on a small machine a thread that spins is work of its own.
type control struct {
	stop  chan struct{}
	trace chan Trace
}

func startControl(rate int, c clock) *control {
	out := &control{stop: make(chan struct{}), trace: make(chan Trace, 1)}
	go out.run(int64(time.Second)/int64(rate), c, func(ns int64) { _ = wait(-1, false, ns) })
	return out
}

func (k *control) run(period int64, c clock, sleep func(ns int64)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var t Trace
	next := c.now() + period
	for {
		select {
		case <-k.stop:
			k.trace <- t
			return
		default:
		}
		sleep(max(0, next-c.now()))
		for now := c.now(); next <= now; next += period {
			t.Samples = append(t.Samples, Sample{At: next, Took: now - next})
		}
	}
}

func (k *control) Stop() Trace {
	close(k.stop)
	return <-k.trace
}
