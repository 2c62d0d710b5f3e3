package impl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// LOOP-1: flush and close, wait, read, time events, completions.
func TestLOOP1OrderOfPhases(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.dial(), w.dial(), w.dial() // 4, 5 and 6
	a.Send("PING\r\n")
	w.turn() // its reply waits for the flush
	b.Send("QUIT\r\n")
	c.Reset()
	tm := &timer{run: func() { w.note("timer") }}
	w.s.timers.arm(tm, w.Mono())
	w.Submit(func() {}, func() { w.note("done") })
	w.trace = nil
	w.turn()
	w.turn()
	want := []string{"write 4 7", "wait", "read 5", "read 6", "timer", "done",
		"write 5 5", "end 5 false", "close 6", "wait"}
	if !slices.Equal(w.trace, want) {
		t.Fatalf("phases of two turns:\n got %q\nwant %q", w.trace, want)
	}
}

// LOOP-1, LOOP-4: a time event that falls due during the file events is of the next turn, which
// does not sleep, and comes after what clients have sent by then.
func TestLOOP1DueDuringFileEvents(t *testing.T) {
	w := newWorld(t)
	a, b := w.dial(), w.dial()
	tm := &timer{run: func() { w.note("timer") }}
	w.s.timers.arm(tm, w.Mono()+1e6)
	w.slow = 2 * time.Millisecond
	w.trace = nil
	a.Send("PING\r\n")
	w.turn()
	b.Send("PING\r\n")
	w.turn()
	want := []string{"wait", "read 4", "write 4 7", "wait", "read 5", "timer"}
	if !slices.Equal(w.trace, want) {
		t.Fatalf("got %q, want %q", w.trace, want)
	}
}

// CONN-13, CONN-31: who asked the server to sleep has not been idle meanwhile.
func TestSleepIsNoIdleness(t *testing.T) {
	w := newWorld(t, "timeout", "3", "enable-debug-command", "yes")
	p := w.dial()
	w.want(p, "DEBUG SLEEP 10\r\n", "+OK\r\n")
	w.pass(2 * time.Second)
	w.want(p, "PING\r\n", "+PONG\r\n")
}

// LOOP-2: readiness that was none ends nothing.
func TestLOOP2ReadinessIsAHint(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	c := w.conn()
	for _, ready := range []kernel.Interest{kernel.Readable, kernel.Writable, 3} {
		w.lies = []kernel.Event{{FD: c.fd, Tag: c.tag, Ready: ready}}
		w.pass(0)
	}
	w.lies = []kernel.Event{{FD: w.s.listeners[0].fd, Tag: listenerTag, Ready: kernel.Readable}}
	w.want(p, "PING\r\n", "+PONG\r\n")
}

// LOOP-3, LOOP-4: a timer runs at its time to the nanosecond, and until then the loop sleeps.
func TestLOOP3And4NoTimerIsEarlyAndNoneSpins(t *testing.T) {
	w := newWorld(t)
	start := w.Mono()
	var ran []int64
	tm := &timer{}
	tm.run = func() {
		ran = append(ran, w.Mono()-start)
		w.s.timers.arm(tm, w.Mono()+7_000_001)
	}
	w.s.timers.arm(tm, start+1_500_001)
	before := w.s.turns
	w.pass(time.Second)
	for i, at := range ran {
		if want := int64(1_500_001) + int64(i)*7_000_001; at != want {
			t.Fatalf("run %d came at %d, want %d", i, at, want)
		}
	}
	if len(ran) != 143 {
		t.Fatalf("ran %d times in a second", len(ran))
	}
	// A turn per timer run, one per tick, and the last that finds nothing.
	if turns := w.s.turns - before; turns > uint64(len(ran))+10+3 {
		t.Fatalf("%d turns for %d time events", turns, len(ran)+10)
	}
}

// LOOP-3: a time event that is nearly due when another is waits for its own time.
func TestLOOP3NearlyDue(t *testing.T) {
	w := newWorld(t)
	start := w.Mono()
	var ran []int64
	for _, at := range []int64{10_000_000, 10_000_001, 10_900_000} {
		w.s.timers.arm(&timer{run: func() { ran = append(ran, w.Mono()-start) }}, start+at)
	}
	w.pass(50 * time.Millisecond)
	if !slices.Equal(ran, []int64{10_000_000, 10_000_001, 10_900_000}) {
		t.Fatalf("ran at %d", ran)
	}
}

// LOOP-5: what was answered is written before the loop waits, without write interest.
func TestLOOP5WriteInterestOnlyForTheRest(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax = 1000
	p := w.dial()
	w.want(p, frame("SET", "k", strings.Repeat("x", 2500)), "+OK\r\n")
	if got := w.of("watch 4"); !slices.Equal(got, []string{"watch 4 r"}) {
		t.Fatalf("interest for a small reply: %q", got)
	}
	w.trace = nil
	p.Send(frame("GET", "k"))
	w.pass(0)
	if got := w.of("watch"); !slices.Equal(got, []string{"watch 4 rw"}) {
		t.Fatalf("interest for the rest: %q", got)
	}
	w.trace = nil
	got := w.drain(p)
	if got != bulk(strings.Repeat("x", 2500)) {
		t.Fatalf("reply of %d bytes", len(got))
	}
	if got := w.of("watch"); !slices.Equal(got, []string{"watch 4 r"}) {
		t.Fatalf("interest after the rest: %q", got)
	}
}

// LOOP-6: from one wait to the next no client is written more than 64 KiB, or the beginning of one
// long string.
func TestLOOP6BytesOfATurn(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax, w.RecvBytesMax = 1<<20, 1<<20
	p := w.dial()
	value := strings.Repeat("0123456789abcdef", 20<<10)
	w.want(p, frame("SET", "k", value), "+OK\r\n")
	w.trace = nil
	w.want(p, frame("GET", "k")+frame("ECHO", value[:1000]), bulk(value)+bulk(value[:1000]))
	if longest, want := w.longestWrite(), directMax+len("$327680\r\n"); longest != want {
		t.Fatalf("%d bytes written in one turn, want %d", longest, want)
	}
	short := value[:30_000]
	w.want(p, frame("SET", "s", short), "+OK\r\n")
	w.trace = nil
	w.want(p, frame("MGET", "s", "s", "s", "s", "s"), "*5\r\n"+strings.Repeat(bulk(short), 5))
	if longest := w.longestWrite(); longest != writeBytesMax {
		t.Fatalf("%d bytes written in one turn", longest)
	}
}

// longestWrite is how many bytes were written at most from one wait to the next, by the trace, and
// fails if that took more than one call.
func (w *world) longestWrite() (longest int) {
	w.t.Helper()
	calls := 0
	for _, line := range w.trace {
		var fd, n int
		if line == "wait" {
			calls = 0
		} else if _, err := fmt.Sscanf(line, "write %d %d", &fd, &n); err == nil {
			longest = max(longest, n)
			if calls++; calls > 1 {
				w.t.Fatal("two writes to one client in a turn")
			}
		}
	}
	return longest
}

// LOOP-6, EXEC-1: whatever else a client is replied in the turn of a long string, and whatever becomes
// of the string behind its reply, nothing is lost, mixed up or written twice.
func TestLOOP6LongStrings(t *testing.T) {
	old, next := strings.Repeat("o", 70_000), strings.Repeat("n", 300_000)
	for _, room := range []int{977, 4096, 70_005, 1 << 20} {
		w := newWorld(t)
		w.SendBytesMax, w.RecvBytesMax = room, 1<<20
		p := w.dial()
		w.want(p, frame("SET", "k", old), "+OK\r\n")
		w.want(p, frame("GET", "k")+frame("SET", "k", next)+frame("GET", "k")+frame("DEL", "k")+"PING\r\n",
			bulk(old)+"+OK\r\n"+bulk(next)+":1\r\n+PONG\r\n")
		w.want(p, frame("SET", "k", old)+"MULTI\r\n"+frame("GET", "k")+frame("SET", "k", "x")+frame("GET", "k")+"EXEC\r\n",
			"+OK\r\n+OK\r\n"+strings.Repeat("+QUEUED\r\n", 3)+"*3\r\n"+bulk(old)+"+OK\r\n"+bulk("x"))
		w.want(p, frame("SET", "k", old)+"MULTI\r\n"+strings.Repeat(frame("GET", "k"), 5)+"EXEC\r\n"+
			strings.Repeat(frame("GET", "k"), 5),
			"+OK\r\n+OK\r\n"+strings.Repeat("+QUEUED\r\n", 5)+"*5\r\n"+strings.Repeat(bulk(old), 10))
		w.want(p, frame("SET", "k", next)+frame("GET", "k")+"QUIT\r\n", "+OK\r\n"+bulk(next)+"+OK\r\n")
		w.longestWrite()
		if held := w.s.x.DB(0).Bytes(); held > 400_000 {
			t.Fatalf("%d bytes are held for one value of %d", held, len(next))
		}
	}
}

// CONN-21: of a client that is killed nothing is executed any more, though it was read before.
func TestCONN21ReadAndKilled(t *testing.T) {
	w := newWorld(t)
	killer, victim, other := w.dial(), w.dial(), w.dial()
	killer.Send("CLIENT KILL ID 2\r\n")
	victim.Send("INCR n\r\n")
	other.Send("PING\r\n")
	w.pass(0)
	if got := killer.Recv() + other.Recv(); got != ":1\r\n+PONG\r\n" || !victim.Closed() {
		t.Fatalf("got %q, closed %v", got, victim.Closed())
	}
	w.want(killer, "EXISTS n\r\n", ":0\r\n")
}

// What many clients send in one turn lies side by side until it is served, and what is too much for
// that is served before.
func TestManyArrivals(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax, w.SendBytesMax = 1<<20, 1<<20
	peers, asked := make([]*sim.Peer, 3*arrivedMax), make([]string, 3*arrivedMax)
	for i := range peers {
		peers[i] = w.dial()
	}
	for round := range 5 {
		for i, p := range peers {
			asked[i] = strings.Repeat(strconv.Itoa(i), 1+i*round*200%30_000)
			all := frame("ECHO", asked[i])
			if round > 0 { // the rest of what the last round began
				all = all[5:]
			}
			p.Send(all + frame("ECHO", asked[i])[:5])
		}
		w.turn()
		w.turn()
		for i, p := range peers {
			if got := p.Recv(); got != bulk(asked[i]) {
				t.Fatalf("client %d got %d bytes for %d", i, len(got), len(asked[i]))
			}
		}
	}
}

// LOOP-18: a turn executes so much for one client, and the rest follows without a wait.
func TestLOOP18PartOfAPipeline(t *testing.T) {
	const depth = 3*commandsMax + 10
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	a, b := w.dial(), w.dial()
	a.Send(strings.Repeat("PING\r\n", depth))
	got := 0
	alone := depth/commandsMax + 1 // the last turns
	for turns := 1; got < depth*len("+PONG\r\n"); turns++ {
		if turns < alone {
			b.Send("PING\r\n")
		}
		w.turn() // which flushes what the last one replied
		if turns > 1 && turns <= alone && w.until > w.Mono() {
			t.Fatal("the loop would sleep while requests wait")
		}
		got += len(a.Recv())
		if want := min(depth, (turns-1)*commandsMax) * len("+PONG\r\n"); got != want {
			t.Fatalf("%d bytes of replies after %d turns, want %d", got, turns, want)
		}
		if reply := b.Recv(); turns > 1 && turns <= alone && reply != "+PONG\r\n" {
			t.Fatalf("the other client has %q", reply)
		}
	}
	w.drain(b)
	if c := w.conn(); c.in != nil || c.dec != nil || len(w.s.behind) > 0 {
		t.Fatal("something is left")
	}
}

// LOOP-18, CONN-3: a client that goes on sending while requests of it wait is served in order.
func TestLOOP18InOrder(t *testing.T) {
	const depth = 3 * commandsMax
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	p := w.dial()
	got := ""
	for range 5 {
		p.Send(strings.Repeat(frame("INCR", "n"), depth))
		before := w.s.x.Stats.Commands
		w.turn()
		if n := w.s.x.Stats.Commands - before; n > commandsMax {
			t.Fatalf("%d commands in one turn", n)
		}
		got += p.Recv()
	}
	got += w.drain(p)
	var want strings.Builder
	for i := range 5 * depth {
		fmt.Fprintf(&want, ":%d\r\n", i+1)
	}
	if got != want.String() {
		t.Fatalf("%d bytes of replies, want %d, or out of order", len(got), want.Len())
	}
}

// LOOP-18: replies count as well.
func TestLOOP18RepliesOfATurn(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax, w.SendBytesMax = 1<<20, 1<<24
	p := w.dial()
	value := strings.Repeat("v", 20_000)
	w.want(p, frame("SET", "k", value), "+OK\r\n")
	p.Send(strings.Repeat(frame("GET", "k"), 100))
	w.turn()
	if c := w.conn(); c.owed() > replyBytesMax+len(bulk(value)) {
		t.Fatalf("%d bytes are owed after one turn", c.owed())
	}
	if got := w.drain(p); len(got) != 100*len(bulk(value)) {
		t.Fatalf("%d bytes came", len(got))
	}
}

// LOOP-18, CONN-5: who ends while requests of it wait is served to the end, and who is reset is
// forgotten.
func TestLOOP18EndsBehind(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	a, b := w.dial(), w.dial()
	for _, p := range []*sim.Peer{a, b} {
		p.Send(strings.Repeat(frame("INCR", "n"), 2*commandsMax))
	}
	w.turn()
	a.CloseWrite()
	b.Reset()
	w.pass(0)
	if got := w.drain(a); strings.Count(got, "\r\n") != 2*commandsMax || !a.Closed() {
		t.Fatalf("%d replies, closed %v", strings.Count(got, "\r\n"), a.Closed())
	}
	if w.s.table.live != 0 || len(w.s.behind) != 0 {
		t.Fatal("the one that was reset is remembered")
	}
}

// LOOP-5, LOOP-6: replies of many clients that together outgrow the shared arena are flushed early;
// each client still is written to once, and none is forgotten.
func TestLOOP6EarlyFlush(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax = 64 << 10
	value := strings.Repeat("v", 60_000)
	w.want(w.dial(), frame("SET", "k", value), "+OK\r\n")
	peers := make([]*sim.Peer, 40)
	for i := range peers {
		peers[i] = w.dial()
	}
	got := make([]int, len(peers))
	const rounds = 5
	for range rounds {
		for _, p := range peers {
			p.Send(frame("GET", "k"))
		}
		w.trace = nil
		w.turn() // which flushes the last round, and executes this one
		written := map[string]bool{}
		for _, line := range w.trace {
			if line == "wait" {
				clear(written)
			} else if strings.HasPrefix(line, "write") {
				if written[line] {
					t.Fatalf("%q twice between two waits", line)
				}
				written[line] = true
			}
		}
		for i, p := range peers {
			got[i] += len(p.Recv())
		}
	}
	for i, p := range peers {
		if got[i] += len(w.drain(p)); got[i] != rounds*len(bulk(value)) {
			t.Fatalf("client %d has %d bytes, want %d", i, got[i], rounds*len(bulk(value)))
		}
	}
}

// LOOP-7: one read per ready connection and turn.
func TestLOOP7OneReadPerTurn(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	a, b := w.dial(), w.dial()
	a.Send(strings.Repeat("PING\r\n", 60_000))
	b.Send("PING\r\n")
	w.trace = nil
	w.turn()
	if got := w.of("read"); !slices.Equal(got, []string{"read 4", "read 5"}) {
		t.Fatalf("reads of a turn: %q", got)
	}
	w.turn()
	if got := b.Recv(); got != "+PONG\r\n" {
		t.Fatalf("b has %q while a is busy", got)
	}
	if got := w.drain(a); len(got) != 60_000*7 {
		t.Fatalf("a has %d bytes", len(got))
	}
}

// LOOP-8: an event made for one connection does not reach the next with the same descriptor.
func TestLOOP8Generation(t *testing.T) {
	w := newWorld(t)
	old := w.dial()
	c := w.conn()
	stale := kernel.Event{FD: c.fd, Tag: c.tag, Ready: 3}
	old.Close()
	w.pass(0)
	p := w.dial()
	if w.conn().fd != c.fd {
		t.Fatal("the test needs the descriptor to be used again")
	}
	p.Send("PING\r\n")
	w.lies = []kernel.Event{stale}
	w.trace = nil
	w.turn()
	if got := w.of("read"); len(got) != 1 {
		t.Fatalf("reads: %q", got)
	}
	if got := w.drain(p); got != "+PONG\r\n" {
		t.Fatalf("got %q", got)
	}
}

// LOOP-8: a connection that died earlier in the batch is not touched again.
func TestLOOP8KilledWithinTheBatch(t *testing.T) {
	w := newWorld(t)
	a, b := w.dial(), w.dial()
	id := w.ask(b, "CLIENT ID\r\n")
	a.Send("CLIENT KILL ID " + strings.Trim(id, ":\r\n") + "\r\n")
	b.Send("SET k v\r\n")
	w.pass(0)
	if got := a.Recv(); got != ":1\r\n" {
		t.Fatalf("a got %q", got)
	}
	if !b.Closed() || b.Recv() != "" {
		t.Fatal("b was still served")
	}
	w.want(a, "GET k\r\n", "$-1\r\n")
}

// LOOP-9: without descriptors accepting pauses, those inside are served, and it resumes.
func TestLOOP9NoDescriptors(t *testing.T) {
	w := newWorld(t)
	in := w.dial()
	w.DescriptorsMax = 5 // 0 to 2, the listener, and in
	out := w.Connect(home)
	before := w.s.turns
	w.pass(time.Second)
	if turns := w.s.turns - before; turns > 40 {
		t.Fatalf("%d turns in a second: it spins", turns)
	}
	w.want(in, "PING\r\n", "+PONG\r\n")
	if w.s.stats.pauses == 0 || w.s.stats.pauses > 11 {
		t.Fatalf("%d pauses in a second", w.s.stats.pauses)
	}
	if n := strings.Count(w.log.String(), "accepting pauses"); n != 1 {
		t.Fatalf("%d lines in the log for one shortage", n)
	}
	w.DescriptorsMax = 100
	out.Send("PING\r\n")
	w.pass(acceptPause)
	if got := out.Recv(); got != "+PONG\r\n" {
		t.Fatalf("not resumed: %q", got)
	}
	if n := strings.Count(w.log.String(), "accepting again"); n != 1 {
		t.Fatalf("%d lines in the log for one end of a shortage", n)
	}
}

// LOOP-9: a listener that cannot be watched again (the system is out of watches) is one more reason
// to pause, and none to give up.
func TestLOOP9NoWatches(t *testing.T) {
	w := newWorld(t)
	w.DescriptorsMax = 4 // 0 to 2 and the listener
	out := w.Connect(home)
	w.pass(0)
	w.DescriptorsMax = 100
	w.unwatchable = true
	w.pass(time.Second)
	if w.s.stats.pauses < 5 {
		t.Fatalf("%d pauses", w.s.stats.pauses)
	}
	w.unwatchable = false
	out.Send("PING\r\n")
	w.pass(acceptPause)
	if got := out.Recv(); got != "+PONG\r\n" {
		t.Fatalf("not resumed: %q", got)
	}
}

// LOOP-10: a wait that ends early without events runs nothing.
func TestLOOP10InterruptedWait(t *testing.T) {
	w := newWorld(t)
	w.dial()
	w.trace = nil
	ticks := w.s.stats.timeEvents
	for range 5 {
		w.turn() // the horizon is now: each wait is cut short
	}
	if got := w.of(""); !slices.Equal(got, []string{"wait", "wait", "wait", "wait", "wait"}) {
		t.Fatalf("calls: %q", got)
	}
	if w.s.stats.timeEvents != ticks {
		t.Fatal("a time event ran early")
	}
}

// LOOP-11: a wake-up ends the wait; Stop is one.
func TestLOOP11WakeUp(t *testing.T) {
	w := newWorld(t)
	w.Horizon = w.Mono() + int64(time.Hour)
	before := w.Mono()
	w.Wake()
	w.turn()
	if w.Mono() != before {
		t.Fatal("the wait went on")
	}
	w.s.Stop()
	if err := w.s.Turn(); !errors.Is(err, ErrStopped) {
		t.Fatalf("got %v", err)
	}
}

// LOOP-12: a time event made while time events run does not run in the same turn.
func TestLOOP12TimerMadeByATimer(t *testing.T) {
	w := newWorld(t)
	var ran []string
	second := &timer{run: func() { ran = append(ran, fmt.Sprint("second in ", w.s.turns)) }}
	first := &timer{run: func() {
		ran = append(ran, fmt.Sprint("first in ", w.s.turns))
		w.s.timers.arm(second, w.Mono()-1)
	}}
	w.s.timers.arm(first, w.Mono())
	now := w.s.turns
	w.turn()
	w.turn()
	want := []string{fmt.Sprint("first in ", now+1), fmt.Sprint("second in ", now+2)}
	if !slices.Equal(ran, want) {
		t.Fatalf("got %q, want %q", ran, want)
	}
}

// LOOP-13: completions run on the loop, in a later turn than the one that submitted.
func TestLOOP13Completions(t *testing.T) {
	w := newWorld(t)
	var ran []uint64
	var again func()
	again = func() {
		ran = append(ran, w.s.turns)
		if len(ran) < 3 {
			w.Submit(func() {}, again)
		}
	}
	now := w.s.turns
	w.Submit(func() {}, again)
	w.pass(0)
	if !slices.Equal(ran, []uint64{now + 1, now + 2, now + 3}) {
		t.Fatalf("ran in turns %v, submitted in %d", ran, now)
	}
}

// LOOP-15: the server accepts nobody, writes what it owes, and ends.
func TestLOOP15StopFlushes(t *testing.T) {
	w := newWorld(t)
	value := strings.Repeat("v", 100_000)
	p, idle := w.dial(), w.dial()
	w.want(p, frame("SET", "k", value), "+OK\r\n")
	p.Send(frame("GET", "k"))
	w.pass(0)
	w.s.Stop()
	w.turn()
	w.turn()
	if !idle.Closed() {
		t.Fatal("the idle client is still connected")
	}
	if late := w.Connect(home); !late.Broken() {
		t.Fatal("still accepting")
	}
	var got strings.Builder
	for range 100 {
		got.WriteString(p.Recv())
		if err := w.s.Turn(); errors.Is(err, ErrStopped) {
			got.WriteString(p.Recv())
			if got.String() != bulk(value) {
				t.Fatalf("stopped with %d bytes delivered", got.Len())
			}
			return
		}
	}
	t.Fatal("does not stop")
}

// LOOP-15: one who does not read holds the end up for shutdownFlush and no longer.
func TestLOOP15StopIsBounded(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.want(p, frame("SET", "k", strings.Repeat("v", 100_000)), "+OK\r\n")
	p.Send(frame("GET", "k"))
	w.pass(0)
	start := w.Mono()
	w.s.Stop()
	if err := w.Pass(time.Minute, w.s.Turn); !errors.Is(err, ErrStopped) {
		t.Fatalf("got %v", err)
	}
	if took := time.Duration(w.Mono() - start); took != shutdownFlush {
		t.Fatalf("took %v", took)
	}
}

// LOOP-15: SHUTDOWN ends the server too; nothing after it is executed.
func TestLOOP15Shutdown(t *testing.T) {
	w := newWorld(t)
	p, q := w.dial(), w.dial()
	p.Send("PING\r\nSHUTDOWN NOSAVE\r\nPING\r\n")
	q.Send("PING\r\n")
	if err := w.Pass(time.Minute, w.s.Turn); !errors.Is(err, ErrStopped) {
		t.Fatalf("got %v", err)
	}
	if got := p.Recv(); got != "+PONG\r\n" {
		t.Fatalf("p got %q", got)
	}
	if got := q.Recv(); got != "" {
		t.Fatalf("q got %q", got)
	}
}

// TIME-15, TIME-16: due keys go unasked, a bounded number per turn, and clients come in between.
func TestTIME16ExpiryHasABudget(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax, w.SendBytesMax = 1<<20, 1<<20
	p := w.dial()
	const keys = 3000
	for i := range keys {
		p.Send(frame("SET", fmt.Sprint("k", i), "v", "PX", "1000"))
	}
	p.Send(frame("SET", "stays", "v", "PX", "100000"))
	w.drain(p)
	w.pass(999 * time.Millisecond)
	w.want(p, "DBSIZE\r\n", fmt.Sprintf(":%d\r\n", keys+1))
	w.Advance(2 * time.Millisecond)
	left := keys + 1
	for turns := 0; left > 1; turns++ {
		p.Send("DBSIZE\r\n")
		w.turn()
		w.turn()
		var now int
		if _, err := fmt.Sscanf(p.Recv(), ":%d", &now); err != nil {
			t.Fatal("not served while keys expire: ", err)
		}
		if left-now > 2*expireKeysMax {
			t.Fatalf("%d keys went in two turns", left-now)
		}
		if left = now; turns > 10 {
			t.Fatalf("%d keys are left", left)
		}
	}
}

// TIME-3, TIME-15: the earliest deadline bounds the wait: the key goes at d + 1 ms, and not with
// the next tick.
func TestTIME15TheEarliestDeadlineEndsTheWait(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.want(p, frame("SET", "k", "v", "PX", "33"), "+OK\r\n")
	w.pass(33 * time.Millisecond)
	if got := w.s.x.DB(0).Len(); got != 1 {
		t.Fatalf("%d keys at the deadline", got)
	}
	w.pass(time.Millisecond)
	if got := w.s.x.DB(0).Len(); got != 0 {
		t.Fatalf("%d keys a millisecond after it", got)
	}
}

// TIME-20: deadlines follow the wall clock, time events the monotonic one.
func TestTIME20WallClockJumps(t *testing.T) {
	w := newWorld(t, "timeout", "5")
	p := w.dial()
	w.want(p, frame("SET", "a", "v", "PX", "60000"), "+OK\r\n")
	w.want(p, frame("SET", "b", "v", "PX", "200000"), "+OK\r\n")
	w.SetWall(w.Wall() + int64(61*time.Second)) // forwards: a is due, the client is not idle
	w.pass(200 * time.Millisecond)
	if got := w.s.x.DB(0).Len(); got != 1 {
		t.Fatalf("%d keys after the jump forwards", got)
	}
	w.want(p, "PING\r\n", "+PONG\r\n")
	w.SetWall(w.Wall() - int64(time.Hour)) // back: b lives an hour longer
	for range 10 {
		w.pass(time.Second)
		w.want(p, "EXISTS b\r\n", ":1\r\n")
	}
	w.pass(6 * time.Second) // by the monotonic clock
	if !p.Closed() {
		t.Fatal("the idle client is still connected")
	}
}
