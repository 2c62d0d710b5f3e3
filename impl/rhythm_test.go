package impl

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// field is the value of a field in a section of INFO.
func (w *world) field(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\r\n"+name+":")
	if !ok {
		t.Fatalf("no %s in %s", name, text)
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// LOOP-21: each phase has its histogram, and a turn is all of them but the wait.
func TestLOOP21Phases(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.s.timers.disarm(&w.s.tick)
	w.s.rhythm.reset()
	w.slow = 3 * time.Millisecond // a read takes so long
	p.Send("PING\r\n")
	w.turn()
	w.slow = 0
	w.s.timers.arm(&timer{run: func() { w.Work(5 * time.Millisecond) }}, w.Mono())
	w.turn()
	w.Submit(func() {}, func() { w.Work(7 * time.Millisecond) })
	w.turn()
	w.turn()
	for ph, want := range map[phase][3]int64{ // how many, the sum and the maximum in ms
		phaseTurn: {4, 15, 7}, phaseBeforeSleep: {4, 0, 0}, phaseWait: {4, 0, 0},
		phaseFileEvents: {1, 3, 3}, phaseTimeEvents: {1, 5, 5}, phaseCompletions: {1, 7, 7},
		phaseMaintenance: {2, 12, 7}, phaseLag: {0, 0, 0},
	} {
		h := w.s.histogram(ph)
		if got := [3]int64{int64(h.Count), h.Sum / 1e6, h.Max / 1e6}; got != want {
			t.Errorf("%s: %v, want %v", phaseNames[ph], got, want)
		}
	}
	if w.s.rhythm.overruns != 2 {
		t.Errorf("%d overruns of the budget for maintenance", w.s.rhythm.overruns)
	}
}

// LOOP-21: a wait is a wait, however long, and no part of the turn.
func TestLOOP21Wait(t *testing.T) {
	w := newWorld(t)
	w.s.timers.arm(&w.s.tick, w.Mono()+int64(80*time.Millisecond))
	w.s.rhythm.reset()
	w.pass(80 * time.Millisecond)
	if h := w.s.histogram(phaseWait); h.Max != int64(80*time.Millisecond) {
		t.Errorf("the longest wait took %d ns", h.Max)
	}
	if h := w.s.histogram(phaseTurn); h.Count == 0 || h.Max != 0 {
		t.Errorf("%d turns, the longest of %d ns", h.Count, h.Max)
	}
}

// LOOP-21: what is shown, and that it can begin anew.
func TestLOOP21Shown(t *testing.T) {
	w := newWorld(t, "enable-debug-command", "yes")
	p := w.dial()
	w.want(p, "DEBUG SLEEP 0.05\r\n", "+OK\r\n")
	w.want(p, "LOOP HISTOGRAM file-events nosuch\r\n", "*2\r\n$11\r\nfile-events\r\n*4\r\n$5\r\ncount\r\n:2\r\n"+
		"$14\r\nhistogram_usec\r\n*4\r\n:1\r\n:1\r\n:67633\r\n:2\r\n")
	if all := w.ask(p, "LOOP HISTOGRAM\r\n"); !strings.HasPrefix(all, "*16\r\n$4\r\nturn\r\n") {
		t.Errorf("LOOP HISTOGRAM: %s", all)
	}
	info := w.ask(p, "INFO loop\r\n")
	if got := w.field(t, info, "loop_file_events_usec"); !strings.HasSuffix(got, ",p99.9=50000.000,max=50000.000") {
		t.Errorf("loop_file_events_usec:%s", got)
	}
	stats := w.ask(p, "INFO stats\r\n")
	for _, name := range []string{"eventloop_duration_sum", "eventloop_duration_cmd_sum"} {
		if got := w.field(t, stats, name); got != "50000" {
			t.Errorf("%s:%s", name, got)
		}
	}
	if w.field(t, stats, "eventloop_cycles") == "0" {
		t.Error("no cycles")
	}
	for _, reset := range []string{"LOOP RESET", "CONFIG RESETSTAT"} {
		w.ask(p, "DEBUG SLEEP 0.05\r\n")
		w.want(p, reset+"\r\n", "+OK\r\n")
		if got := w.ask(p, "LOOP HISTOGRAM file-events\r\n"); strings.Contains(got, "67633") {
			t.Errorf("after %s: %s", reset, got)
		}
	}
	w.want(p, "LOOP NOSUCH\r\n", "-ERR unknown subcommand 'NOSUCH'. Try LOOP HELP.\r\n")
}

// LOOP-21, TIME-16: how late keys are deleted, whoever finds them.
func TestLOOP21ExpiryLag(t *testing.T) {
	w := newWorld(t, "enable-debug-command", "yes")
	p := w.dial()
	w.want(p, "SET a 1 PX 10\r\nSET b 1 PX 10\r\n", "+OK\r\n+OK\r\n")
	w.pass(20 * time.Millisecond)
	lag := &w.s.x.Lag
	if lag.Count != 2 || lag.Max != 0 {
		t.Fatalf("%d keys, the last %d ns late", lag.Count, lag.Max)
	}
	w.want(p, "DEBUG SET-ACTIVE-EXPIRE 0\r\nSET a 1 PX 10\r\nSET b 1 PX 10\r\n", "+OK\r\n+OK\r\n+OK\r\n")
	w.pass(31 * time.Millisecond)
	w.want(p, "GET a\r\n", "$-1\r\n")
	if lag.Count != 3 || lag.Max != int64(20*time.Millisecond) {
		t.Errorf("%d keys, the last %d ns late", lag.Count, lag.Max)
	}
	w.want(p, "DEBUG SET-ACTIVE-EXPIRE 1\r\n", "+OK\r\n")
	w.pass(0)
	if lag.Count != 4 || lag.Sum != int64(40*time.Millisecond) {
		t.Errorf("%d keys, %d ns late", lag.Count, lag.Sum)
	}
}

// CONN-33: INFO shows what commands cost, and what went wrong.
func TestCONN33CommandStats(t *testing.T) {
	w := newWorld(t, "latency-tracking-info-percentiles", "50 99.5")
	p := w.dial()
	w.want(p, "SET k v\r\nGET k\r\nINCR k\r\nGET\r\n", "+OK\r\n$1\r\nv\r\n"+
		"-ERR value is not an integer or out of range\r\n-ERR wrong number of arguments for 'get' command\r\n")
	w.want(p, "INFO commandstats\r\n", bulk("# Commandstats\r\n"+
		"cmdstat_get:calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n"+
		"cmdstat_set:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0\r\n"+
		"cmdstat_incr:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1\r\n"))
	w.want(p, "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n")
	q := w.dial()
	w.want(q, "INFO errorstats\r\n", bulk("# Errorstats\r\nerrorstat_ERR:count=3\r\n"))
	if got := w.field(t, w.ask(q, "INFO latencystats\r\n"), "latency_percentiles_usec_get"); got != "p50=0.000,p99.5=0.000" {
		t.Errorf("latency of GET: %s", got)
	}
	for asked, want := range map[string]bool{"all": true, "everything": true, "default": false, "": false} {
		if got := strings.Contains(w.ask(q, fmt.Sprintf("INFO %s\r\n", asked)), "cmdstat_get:"); got != want {
			t.Errorf("INFO %s shows commandstats: %v", asked, got)
		}
	}
	w.want(q, "CONFIG SET latency-tracking no\r\nINFO latencystats\r\n", "+OK\r\n"+bulk("# Latencystats\r\n"))
	w.want(q, "CONFIG RESETSTAT\r\n", "+OK\r\n")
	w.want(q, "INFO errorstats\r\n", bulk("# Errorstats\r\n"))
}

// CONN-32: a command is slow by the clock of the server, and its client is named.
func TestCONN32SlowCommand(t *testing.T) {
	w := newWorld(t, "enable-debug-command", "yes")
	p := w.dial()
	w.want(p, "CLIENT SETNAME n\r\nDEBUG SLEEP 0.0099\r\nDEBUG SLEEP 0.01\r\nPING\r\nSLOWLOG LEN\r\n",
		"+OK\r\n+OK\r\n+OK\r\n+PONG\r\n:1\r\n")
	if got := w.ask(p, "SLOWLOG GET\r\n"); !strings.HasSuffix(got, ":10000\r\n*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n"+
		"$4\r\n0.01\r\n"+bulk(p.Remote())+"$1\r\nn\r\n") {
		t.Errorf("SLOWLOG GET: %q", got)
	}
}

// CONN-34: the monitor sees commands, slices of expiry of either kind, and eviction.
func TestCONN34LatencyEvents(t *testing.T) {
	w := newWorld(t, "enable-debug-command", "yes", "latency-monitor-threshold", "5")
	p := w.dial()
	w.want(p, "DEBUG SLEEP 0.02\r\n", "+OK\r\n")
	if got := w.ask(p, "LATENCY LATEST\r\n"); !strings.HasPrefix(got, "*1\r\n*4\r\n$7\r\ncommand\r\n") ||
		!strings.HasSuffix(got, ":20\r\n:20\r\n") {
		t.Errorf("LATENCY LATEST: %q", got)
	}
	for _, strategy := range []string{"ordered", "sampled"} {
		w.want(p, "CONFIG SET active-expiry "+strategy+"\r\nLATENCY RESET\r\nSET k 1 PX 10\r\n", "+OK\r\n:1\r\n+OK\r\n")
		w.tick = 6 * time.Millisecond
		w.pass(200 * time.Millisecond)
		w.tick = 0
		if got := w.ask(p, "LATENCY LATEST\r\n"); !strings.Contains(got, "$12\r\nexpire-cycle\r\n") {
			t.Errorf("LATENCY LATEST after %s expiry: %q", strategy, got)
		}
		w.want(p, "LATENCY RESET\r\nDEBUG SLEEP 0.02\r\n", ":1\r\n+OK\r\n")
	}
	w.want(p, "CONFIG SET maxmemory-policy allkeys-lru maxmemory 1mb\r\n", "+OK\r\n")
	w.tick = 6 * time.Millisecond
	for i := range 40 {
		p.Send(frame("SET", fmt.Sprint("key", i), strings.Repeat("x", 100_000)))
		w.pass(0)
	}
	w.tick = 0
	w.drain(p)
	if got := w.ask(p, "LATENCY LATEST\r\n"); !strings.Contains(got, "$14\r\neviction-cycle\r\n") {
		t.Errorf("LATENCY LATEST after eviction: %q", got)
	}
}
