package command

import (
	"fmt"
	"strings"
	"testing"
)

// batch runs command lines as one batch that took ns, the last of them or all together.
func (h *fake) batch(s *Session, ns int64, lines ...string) {
	h.x.Begin(h.mono)
	for i, line := range lines {
		if i == len(lines)-1 {
			h.mono += ns
		}
		h.run(s, line)
	}
	h.x.Settle()
}

// stat is what has been measured of a command.
func (h *fake) stat(name string) (found CommandStat) {
	for st := range h.x.CommandStats {
		if st.Name == name {
			found = st
		}
	}
	return found
}

func (h *fake) wantStat(t *testing.T, name string, calls, nanos int64) {
	t.Helper()
	if st := h.stat(name); st.Calls != calls || st.Nanos != nanos {
		t.Errorf("%s: %d calls of %d ns, want %d of %d", name, st.Calls, st.Nanos, calls, nanos)
	}
}

// CONN-33: commands that share a reading share its time, and one that may be long gets what the
// others do not usually take.
func TestTimeIsSharedOut(t *testing.T) {
	h := newFake()
	s := h.connect()
	h.batch(s, 400, "GET a", "SET a 1", "SET b 1", "GET a")
	h.wantStat(t, "get", 2, 200)
	h.wantStat(t, "set", 2, 200)
	h.batch(s, 10_300, "GET a", "GET a", "SET a 2", "KEYS *")
	h.wantStat(t, "get", 4, 400)
	h.wantStat(t, "set", 3, 300)
	h.wantStat(t, "keys", 1, 10_000)
	h.batch(s, 7200, "GET a", "GET a", "SET a "+strings.Repeat("x", briefBytes+1))
	h.wantStat(t, "get", 6, 600)
	h.wantStat(t, "set", 4, 7300)
	h.batch(s, 5100, "SET b 1", "GET a") // whose reply is as long
	h.wantStat(t, "get", 7, 5600)
	if last, total := h.x.Measured(); last != h.mono || total != 400+10_300+7200+5100 {
		t.Errorf("measured %d ns up to %d", total, last)
	}
}

// CONN-33: all kinds of commands in one batch, and more of them than share a reading.
func TestLongBatch(t *testing.T) {
	h := newFake()
	s := h.connect()
	var lines []string
	for i := range 100 {
		lines = append(lines, "GET a", "SET a 1", "INCR n")
		if i%3 == 0 {
			lines = append(lines, "PING", "PING")
		}
	}
	h.batch(s, 0, lines...)
	for name, calls := range map[string]int64{"get": 100, "set": 100, "incr": 100, "ping": 68} {
		h.wantStat(t, name, calls, 0)
	}
	h.batch(s, 1600, lines[:20]...)
	sum := int64(0)
	for st := range h.x.CommandStats {
		sum += st.Nanos
	}
	if sum != 1600 {
		t.Errorf("%d ns given to the commands, of 1600", sum)
	}
}

// CONN-33: a command that fails, and one that is not executed at all. EXEC takes as long as what it
// runs, and what fails in it has not failed EXEC.
func TestFailuresAndTransactions(t *testing.T) {
	h := newFake()
	h.connect()
	play(t, h, `
		SET k v        => +OK
		INCR k         => -ERR value is not an integer or out of range
		GET            => -ERR wrong number of arguments for 'get' command
		NOSUCH         => -ERR unknown command 'NOSUCH', with args beginning with:
		AUTH x y       => -WRONGPASS invalid username-password pair or user is disabled.
		EXEC           => -ERR EXEC without MULTI`)
	s := h.sessions[1]
	for _, line := range []string{"MULTI", "INCR k", "GET k"} {
		h.run(s, line)
	}
	h.batch(s, 600, "EXEC")
	for name, want := range map[string]CommandStat{
		"incr": {Calls: 2, Failed: 2}, "get": {Calls: 1, Rejected: 1}, "exec": {Calls: 2, Failed: 1},
		"auth": {Calls: 1, Failed: 1}, "multi": {Calls: 1},
	} {
		st := h.stat(name)
		if st.Calls != want.Calls || st.Failed != want.Failed || st.Rejected != want.Rejected {
			t.Errorf("%s: %+v, want %+v", name, st, want)
		}
	}
	if st := h.stat("exec"); st.Nanos != 600 || h.stat("incr").Nanos+h.stat("get").Nanos != 600 {
		t.Errorf("EXEC took %d ns, the GET in it %d", st.Nanos, h.stat("get").Nanos)
	}
	if got := fmt.Sprint(h.x.ErrorStats()); got != "map[ERR:5 WRONGPASS:1]" {
		t.Errorf("errors %s", got)
	}
	h.x.ResetStats()
	for st := range h.x.CommandStats {
		t.Errorf("%s after the reset", st.Name)
	}
	if len(h.x.ErrorStats()) != 0 || h.x.Stats.Errors != 0 {
		t.Error("errors after the reset")
	}
}

// CONN-32: what reaches the threshold is logged, and nothing else; the last one comes first.
func TestSlowlogThreshold(t *testing.T) {
	h := newFake()
	h.x.Report(Reporting{SlowMicros: 10_000, SlowMax: 2})
	s := h.connect()
	h.batch(s, 9_999_999, "KEYS a")
	h.batch(s, 10_000_000, "KEYS b")
	h.batch(s, 10_000_000, "GET c") // alone, it is known to be the one
	unix := h.now / 1000
	want := fmt.Sprintf("*2 *6 :1 :%d :10000 *2 $3 GET $1 c $11 127.0.0.1:1 $0  "+
		"*6 :0 :%d :10000 *2 $4 KEYS $1 b $11 127.0.0.1:1 $0", unix, unix)
	play(t, h, "SLOWLOG GET => "+want+"\nSLOWLOG LEN => :2")
	h.batch(s, 20_000_000, "KEYS d")
	play(t, h, fmt.Sprintf(`
		SLOWLOG GET 1  => *1 *6 :2 :%d :20000 *2 $4 KEYS $1 d $11 127.0.0.1:1 $0
		SLOWLOG LEN    => :2
		SLOWLOG RESET  => +OK
		SLOWLOG LEN    => :0
		SLOWLOG GET -1 => *0
		SLOWLOG GET -2 => -ERR count should be greater than or equal to -1`, unix))
	h.batch(s, 0, "MULTI", "DEBUG SLEEP 0.01", "EXEC")
	play(t, h, fmt.Sprintf("SLOWLOG GET => *1 *6 :3 :%d :10000 *3 $5 DEBUG $5 SLEEP $4 0.01"+
		" $11 127.0.0.1:1 $0", unix))
}

// CONN-32: nobody can say which of a batch was slow; from then on each is measured for a while.
func TestSlowBatch(t *testing.T) {
	h := newFake()
	h.x.Report(Reporting{SlowMicros: 10_000, SlowMax: 10})
	s := h.connect()
	h.batch(s, 50_000_000, "GET a", "GET b")
	play(t, h, "SLOWLOG LEN => :0")
	h.batch(s, 50_000_000, "GET a", "GET b")
	play(t, h, "SLOWLOG LEN => :1")
	h.mono += alertNanos
	h.batch(s, 50_000_000, "GET a", "GET b")
	play(t, h, "SLOWLOG LEN => :1")
	h.x.Report(Reporting{SlowMicros: 100, SlowMax: 10})
	h.batch(s, 200_000, "GET a", "GET b", "GET c")
	play(t, h, "SLOWLOG LEN => :2")
	h.x.Report(Reporting{SlowMicros: -1, SlowMax: 10})
	h.batch(s, 50_000_000, "KEYS *")
	play(t, h, "SLOWLOG LEN => :2")
}

// CONN-32: long command lines are cut, and no password is shown.
func TestSlowlogCuts(t *testing.T) {
	h := newFake()
	h.x.Report(Reporting{SlowMax: 10})
	h.config["requirepass"], h.config["timeout"] = "", ""
	s := h.connect()
	last := func(line string) []string {
		h.x.slowlog.entries = nil
		h.batch(s, 0, line)
		return h.x.slowlog.entries[0].args
	}
	args := last("EXISTS" + strings.Repeat(" k", 40))
	if len(args) != 32 || args[30] != "k" || args[31] != "... (10 more arguments)" {
		t.Errorf("%d arguments kept, the last %q", len(args), args[len(args)-1])
	}
	if args = last("EXISTS" + strings.Repeat(" k", 31)); args[31] != "k" {
		t.Errorf("of 32 arguments the last is %q", args[31])
	}
	x := strings.Repeat("x", 128)
	if args = last("ECHO " + x + "yz"); args[1] != x+"... (2 more bytes)" {
		t.Errorf("kept %q", args[1])
	}
	if args = last("ECHO " + x); args[1] != x {
		t.Errorf("kept %q", args[1])
	}
	for line, want := range map[string]string{
		"AUTH secret":                                 "AUTH (redacted)",
		"AUTH u p":                                    "AUTH (redacted) (redacted)",
		"HELLO 2 AUTH default p SETNAME n":            "HELLO 2 AUTH (redacted) (redacted) SETNAME n",
		"CONFIG SET timeout 1 RequirePass 2":          "CONFIG SET timeout 1 RequirePass (redacted)",
		"CONFIG GET requirepass requirepass timeout*": "CONFIG GET requirepass requirepass timeout*",
	} {
		if got := strings.Join(last(line), " "); got != want {
			t.Errorf("%s is logged as %s", line, got)
		}
	}
}

// CONN-34: the monitor keeps the worst of each second, for 160 of them, by event.
func TestLatencyMonitor(t *testing.T) {
	h := newFake()
	s := h.connect()
	h.batch(s, 500e6, "KEYS *")
	play(t, h, "LATENCY LATEST => *0") // it is off
	h.x.Report(Reporting{SlowMicros: -1, LatencyMs: 5})
	h.now = 1_000_000
	h.batch(s, 4_999_999, "KEYS *")
	play(t, h, "LATENCY LATEST => *0")
	h.batch(s, 7e6, "KEYS *")
	h.batch(s, 6e6, "KEYS *")
	h.now += 1000
	h.batch(s, 5e6, "KEYS *")
	h.x.Event("expire-cycle", 30e6)
	play(t, h, `
		LATENCY LATEST              => *2 *4 $7 command :1001 :5 :7 *4 $12 expire-cycle :1001 :30 :30
		LATENCY HISTORY command     => *2 *2 :1000 :7 *2 :1001 :5
		LATENCY HISTORY fork        => *0
		LATENCY RESET command fork  => :1
		LATENCY HISTORY command     => *0
		LATENCY RESET               => :1
		LATENCY RESET               => :0`)
	for range samplesMax + 10 {
		h.now += 1000
		h.batch(s, 9e6, "GET a")
	}
	if n := len(h.x.latency.events["fast-command"].samples); n != samplesMax {
		t.Errorf("%d samples", n)
	}
	play(t, h, "LATENCY GRAPH command => -ERR No samples available for event 'command'")
}

// CONN-34: LATENCY GRAPH as Redis draws these samples.
func TestLatencyGraph(t *testing.T) {
	s := &series{max: 61, samples: []sample{{10, 20}, {12, 30}, {13, 10}, {4000, 61}}}
	want := "command - high 61 ms, low 10 ms (all time high 61 ms)\n" + strings.Repeat("-", 80) + "\n" +
		"   #\n   |\n o |\n#|_|\n    \n1115\nhhhm\n"
	if got := string(s.graph("command", 4300)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// CONN-33: LATENCY HISTOGRAM answers steps at powers of two, of whom it is asked.
func TestLatencyHistogram(t *testing.T) {
	h := newFake()
	h.x.Report(Reporting{SlowMicros: -1, Tracking: true})
	s := h.connect()
	h.batch(s, 700, "GET a")
	h.batch(s, 40_000, "GET a")
	h.batch(s, 3_000, "CONFIG HELP")
	play(t, h, `
		LATENCY HISTOGRAM get nosuch set => *2 $3 get *4 $5 calls :2 $14 histogram_usec *4 :1 :1 :66 :2
		LATENCY HISTOGRAM config         => *2 $11 config|help *4 $5 calls :1 $14 histogram_usec *2 :4 :1`)
}

// CONN-34: the doctor's advices follow from the events and the settings.
func TestLatencyDoctor(t *testing.T) {
	h := newFake()
	says := func(phrase string, want bool) {
		t.Helper()
		if text := string(h.x.diagnosis()); strings.Contains(text, phrase) != want {
			t.Errorf("%q in the diagnosis: %v\n%s", phrase, !want, text)
		}
	}
	says("monitoring is disabled", true)
	h.x.Report(Reporting{SlowMicros: 10_000, LatencyMs: 5})
	says("no latency spike", true)
	h.x.Event("fast-command", 7e6)
	says("1. fast-command: 1 latency spikes (average 7ms, mean deviation 0ms, period 1.00 sec)."+
		" Worst all time event 7ms.\n\nI have a few advices for you:\n\n- The system is slow", true)
	says("Slow Log", false)
	h.x.Event("command", 7e6)
	says("CONFIG SET slowlog-log-slower-than 5000", true)
	says("Try to enable the Slow Log", false)
	h.x.Report(Reporting{SlowMicros: -1, LatencyMs: 5})
	says("Try to enable the Slow Log", true)
	h.x.latency = latency{}
	h.x.Event("fork", 7e6)
	says("not able to suggest any easy fix", true)
}

// CONN-35.
func TestRole(t *testing.T) {
	play(t, newFake(), `
		ROLE               => *3 $6 master :0 *0
		REPLICAOF no one   => +OK
		SLAVEOF NO ONE     => +OK
		REPLICAOF host 1   => -ERR this server cannot be a replica`)
}
