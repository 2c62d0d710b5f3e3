package workload

import (
	"math"
	"strconv"
	"sync"
	"time"

	"rondo/check/history"
	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// clock brackets the target's wall clock against the recorder's monotonic one. Each TIME asked at c
// and answered s at r says that s was the server's clock at some moment in [c, r], so the offset is
// in [s-r, s-c]; a target whose readings may be old by the slack answers less, so s-c+slack. The
// intersection of all such intervals is the answer; if it is empty, one of the clocks stepped during
// the run.
//
// Two machines have two clocks, and the offset drifts. What is intersected is then the offset at the
// beginning, each interval widened by the drift since, and the answer is widened by the drift of the
// whole run.
type clock struct {
	target *target.Target
	rec    *history.Recorder
	slack  int64
	drift  int64 // ns that the offset may change in a second

	mu        sync.Mutex
	low, high int64
	samples   int

	quit, ended chan struct{}
}

// watchClock measures, and goes on measuring in the background until stop. A target without TIME
// has an offset that is not known.
func watchClock(t *target.Target, rec *history.Recorder, slack time.Duration) *clock {
	k := &clock{target: t, rec: rec, slack: int64(slack), low: math.MinInt64, high: math.MaxInt64}
	if !t.Caps().Local {
		k.drift = ClockDriftMax
	}
	k.quit, k.ended = make(chan struct{}), make(chan struct{})
	if !t.Caps().Has("time") {
		close(k.ended)
		return k
	}
	k.sample(ClockEndSamples)
	go k.watch()
	return k
}

func (k *clock) watch() {
	defer close(k.ended)
	tick := time.NewTicker(ClockEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.quit:
			k.sample(ClockEndSamples)
			return
		case <-tick.C:
			k.sample(ClockSamples)
		}
	}
}

// stop ends the measurement. An empty intersection is ErrClockStepped.
func (k *clock) stop() (offset history.Offset, ok bool, err error) {
	close(k.quit)
	<-k.ended
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.low > k.high {
		return offset, false, ErrClockStepped
	}
	return k.widened(k.rec.Now()), k.samples > 0, nil
}

// widened is what is known, for a recording of so many ns.
func (k *clock) widened(ns int64) history.Offset {
	by := k.drifted(ns)
	return history.Offset{Low: k.low - by, High: k.high + by}
}

func (k *clock) drifted(ns int64) int64 { return k.drift * (ns / 1000) / 1_000_000 }

// foretell is what is known so far, for a recording of which the end is to come.
func (k *clock) foretell(length time.Duration) (history.Offset, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.widened(int64(length)), k.samples > 0
}

// bracket is what is known so far.
func (k *clock) bracket() (history.Offset, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return history.Offset{Low: k.low, High: k.high}, k.samples > 0
}

// sample asks n times on a connection of its own. What cannot be asked or read does not count: that
// TIME answers as it should is for the suite to check.
func (k *clock) sample(n int) {
	conn, err := k.target.Dial()
	if err != nil {
		return
	}
	defer conn.Close()
	for range n {
		k.ask(conn)
	}
}

func (k *clock) ask(conn *wire.Conn) {
	called := k.rec.Now()
	reply, err := conn.Do("TIME")
	returned := k.rec.Now()
	micros, ok := microsOf(reply)
	if err != nil || !ok {
		return
	}
	// The reply is cut to whole microseconds: the clock showed something in [s, s+1 us).
	jitter, wall := int64(ClockJitter)+k.drifted(returned), micros*1000
	k.mu.Lock()
	defer k.mu.Unlock()
	k.low = max(k.low, wall-returned-jitter)
	k.high = min(k.high, wall+1000+k.slack-called+jitter)
	k.samples++
}

// microsOf reads a reply of TIME.
func microsOf(r model.Reply) (int64, bool) {
	if r.Kind != model.Array || len(r.Elems) != 2 {
		return 0, false
	}
	secs, err1 := strconv.ParseInt(r.Elems[0].Str, 10, 64)
	micros, err2 := strconv.ParseInt(r.Elems[1].Str, 10, 64)
	return secs*1_000_000 + micros, err1 == nil && err2 == nil
}
