package impl

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

const conversation = "PING\r\n" +
	"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\x00\r\n" +
	"\r\n*0\r\n*-5\r\n" +
	"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" +
	"SET \"q k\" 'v'\r\nGET \"q\\x20k\"\n" +
	"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"

const conversationReply = "+PONG\r\n+OK\r\n$5\r\na\r\nb\x00\r\n+OK\r\n$1\r\nv\r\n$0\r\n\r\n"

// WIRE-1, WIRE-2: a request split at any byte, or at every byte, has the same replies.
func TestWIRE2SplitAnywhere(t *testing.T) {
	for cut := range len(conversation) + 1 {
		w := newWorld(t)
		p := w.dial()
		got := w.ask(p, conversation[:cut]) + w.ask(p, conversation[cut:])
		if got != conversationReply {
			t.Fatalf("cut at %d: got %q", cut, got)
		}
	}
	w := newWorld(t)
	p := w.dial()
	got := ""
	for i := range len(conversation) {
		got += w.ask(p, conversation[i:i+1])
	}
	if got != conversationReply {
		t.Fatalf("byte by byte: got %q", got)
	}
}

// WIRE-24, CONN-4: arguments around every bound of the buffers arrive and return unchanged, in
// pieces of any size both ways, with other requests behind them.
func TestWIRE24LargeArguments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, size := range []int{100, carryBytesMax - 30, carryBytesMax, 16 << 10, 32<<10 - 1, 32 << 10,
		readBytesMax - 40, readBytesMax, readBytesMax + carryBytesMax, 200_000, 2<<20 + 5} {
		w := newWorld(t)
		w.RecvBytesMax, w.SendBytesMax = 1+rnd.IntN(100_000), 1+rnd.IntN(100_000)
		p := w.dial()
		value := strings.Repeat("0123456789\r\n$", size/13+1)[:size]
		all := strings.Repeat(frame("PING"), 3) + frame("SET", "k", value) + frame("GET", "k") +
			frame("SET", "k", "short") + frame("GET", "k")
		got := ""
		for at := 0; at < len(all); {
			n := min(len(all)-at, 1+rnd.IntN(size))
			got += w.ask(p, all[at:at+n])
			at += n
		}
		want := "+PONG\r\n+PONG\r\n+PONG\r\n+OK\r\n" + bulk(value) + "+OK\r\n" + bulk("short")
		if got != want {
			t.Fatalf("%d bytes through buffers of %d and %d: %d bytes came back, want %d",
				size, w.RecvBytesMax, w.SendBytesMax, len(got), len(want))
		}
		if c := w.conn(); c.in != nil || c.Out != nil || c.dec != nil {
			t.Fatalf("%d bytes: the idle connection owns a buffer", size)
		}
	}
}

// WIRE-24: beyond its first part a large argument is read into its place, not through the arena.
func TestWIRE24ReadIntoPlace(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	p := w.dial()
	value := strings.Repeat("x", 600_000)
	p.Send(frame("SET", "k", value)[:200_000])
	w.pass(0)
	c := w.conn()
	start := &c.in[0]
	if room := cap(c.in) - len(c.in); room < c.dec.Need() {
		t.Fatalf("room for %d bytes, %d are needed", room, c.dec.Need())
	}
	p.Send(frame("SET", "k", value)[200_000:500_000])
	w.pass(0)
	if &c.in[0] != start {
		t.Fatal("the argument has moved")
	}
	w.want(p, frame("SET", "k", value)[500_000:], "+OK\r\n")
}

// WIRE-24: what the store has taken is not the connection's any more: this block has the size of a
// buffer that is kept for reuse.
func TestWIRE24GivenAway(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	value := strings.Repeat("x", 64_900)
	for i := range 3 {
		p, request := w.dial(), frame("SET", strconv.Itoa(i), value)
		w.want(p, request[:1000], "")
		w.want(p, request[1000:], "+OK\r\n")
	}
	if n := len(w.s.pool.free[classUp(64<<10)]); n != 0 {
		t.Fatalf("%d buffers of 64 KiB are kept", n)
	}
}

// WIRE-24: options behind a large value do not move it.
func TestWIRE24OptionsBehind(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	p := w.dial()
	request := frame("SET", "k", strings.Repeat("x", 122_800), "PX", "100000") // nearly a whole block
	w.want(p, request[:50_000], "")
	w.want(p, request[50_000:], "+OK\r\n")
	if c := w.conn(); c.large != len(request) {
		t.Fatal("the value was copied")
	}
}

// WIRE-3, CONN-22: a half frame has no effect, however the connection ends.
func TestWIRE3HalfFrame(t *testing.T) {
	w := newWorld(t)
	request := frame("SET", "k", "v")
	ends := []func(*sim.Peer){(*sim.Peer).Close, (*sim.Peer).CloseWrite, (*sim.Peer).Reset}
	for i, end := range ends {
		p := w.dial()
		p.Send(request[:len(request)-1])
		w.pass(0)
		end(p)
		w.pass(0)
		if !p.Closed() {
			t.Fatalf("end %d: still connected", i)
		}
	}
	w.want(w.dial(), frame("GET", "k"), "$-1\r\n")
	if n := len(w.s.pool.free[0]); n == 0 {
		t.Fatal("the buffers of the dead were not given back")
	}
}

// WIRE-13: replies owed before a protocol error, the error, the end.
func TestWIRE13ProtocolError(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.want(p, "PING\r\n*2\r\n+x\r\nSET k v\r\n",
		"+PONG\r\n-ERR Protocol error: expected '$', got '+'\r\n")
	if !p.Closed() {
		t.Fatal("still connected")
	}
	q := w.dial() // the decoder of the dead does not bequeath its state
	w.want(q, conversation, conversationReply)
}

// WIRE-23: a stranger's requests are short; with the password they need not be.
func TestWIRE23Unauthenticated(t *testing.T) {
	w := newWorld(t, "requirepass", "secret")
	w.want(w.dial(), "*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n")
	w.want(w.dial(), "*2\r\n$20000\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n")
	p := w.dial()
	value := strings.Repeat("v", 20_000)
	w.want(p, "AUTH secret\r\n"+frame("ECHO", value), "+OK\r\n"+bulk(value))
}

// CONN-4: replies leave in one piece through a socket that takes seven bytes at a time.
func TestCONN4PartialWrites(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax = 7
	p := w.dial()
	want := ""
	for i := range 300 {
		want += bulk(fmt.Sprint("reply ", i))
		p.Send(frame("ECHO", fmt.Sprint("reply ", i)))
	}
	if got := w.drain(p); got != want {
		t.Fatalf("got %d bytes, want %d", len(got), len(want))
	}
}

// CONN-5: what arrived before the client ended its sending side is answered, however slowly it
// is read.
func TestCONN5HalfClose(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax = 1000
	p := w.dial()
	want := ""
	for i := range 100 {
		p.Send(frame("ECHO", strings.Repeat("x", 100+i)))
		want += bulk(strings.Repeat("x", 100+i))
	}
	p.CloseWrite()
	w.pass(time.Second)
	if turns := w.s.turns; turns > 100 {
		t.Fatalf("%d turns: an ended input that stays readable wakes the loop", turns)
	}
	if got := w.drain(p); got != want || !p.Closed() {
		t.Fatalf("got %d bytes of %d, closed %v", len(got), len(want), p.Closed())
	}
}

// CONN-6: QUIT is answered, and nothing after it.
func TestCONN6Quit(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.want(p, "SET k 1\r\nQUIT\r\nSET k 2\r\nPING\r\n", "+OK\r\n+OK\r\n")
	if !p.Closed() {
		t.Fatal("still connected")
	}
	w.want(w.dial(), "GET k\r\n", "$1\r\n1\r\n")
}

// WIRE-13, CONN-6: what a connection is owed at its end arrives, though the peer is slow to read
// and goes on sending: to close would tear away what is on its way. It is no client meanwhile.
func TestPartingLosesNothing(t *testing.T) {
	for name, c := range map[string]struct{ end, reply string }{
		"QUIT":           {"QUIT\r\n", "+OK\r\n"},
		"protocol error": {"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fds := w.DescriptorsMax
			p := w.dial()
			p.Send("PING\r\n" + c.end)
			w.pass(0)
			p.Send(strings.Repeat("SET after 1\r\n", 5000))
			w.pass(time.Millisecond)
			if w.s.table.live != 0 || !p.Closed() {
				t.Fatalf("%d clients, closed %v", w.s.table.live, p.Closed())
			}
			if got := p.Recv(); got != "+PONG\r\n"+c.reply {
				t.Fatalf("got %q", got)
			}
			p.Close()
			w.pass(0)
			w.DescriptorsMax = 5 // the listener's and one more
			w.want(w.dial(), "EXISTS after\r\n", ":0\r\n")
			w.DescriptorsMax = fds
		})
	}
}

// A peer that does not end its side is not waited for.
func TestPartingIsBounded(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.dial().Send("QUIT\r\n")
		w.pass(partingMax / 4)
	}
	w.pass(partingMax)
	if n := len(w.of("close")); n != 3 || len(w.s.parting) != 0 {
		t.Fatalf("%d closed, %d parting", n, len(w.s.parting))
	}
}

// CONN-12: one too many is told so; a place that becomes free is given.
func TestCONN12MaxClients(t *testing.T) {
	w := newWorld(t, "maxclients", "2")
	a, b := w.dial(), w.dial()
	c := w.dial()
	if got := c.Recv(); got != textFull || !c.Closed() {
		t.Fatalf("got %q, closed %v", got, c.Closed())
	}
	w.want(a, "PING\r\n", "+PONG\r\n")
	b.Close()
	w.pass(0)
	w.want(w.dial(), "PING\r\n", "+PONG\r\n")
	w.want(a, "CONFIG SET maxclients 5000\r\n", "-ERR CONFIG SET failed (possibly related to argument"+
		" 'maxclients') - The operating system is not able to handle the specified number of"+
		" clients, try with 992\r\n")
}

// CONN-13: closed after the seconds, and not before; output counts as life too.
func TestCONN13Timeout(t *testing.T) {
	w := newWorld(t, "timeout", "3")
	p := w.dial()
	for range 5 {
		w.pass(2900 * time.Millisecond)
		w.want(p, "PING\r\n", "+PONG\r\n")
	}
	w.pass(3 * time.Second)
	if p.Closed() {
		t.Fatal("closed at the bound")
	}
	w.pass(1100 * time.Millisecond)
	if !p.Closed() {
		t.Fatal("still connected")
	}
}

// CONN-14: an incomplete request over the limit ends its connection; complete ones are no matter.
func TestCONN14QueryBufferLimit(t *testing.T) {
	w := newWorld(t, "client-query-buffer-limit", "1mb")
	w.RecvBytesMax = 1 << 20
	p, q := w.dial(), w.dial()
	if got := w.ask(q, strings.Repeat("PING\r\n", 400_000)); len(got) != 400_000*7 {
		t.Fatalf("%d bytes of replies", len(got))
	}
	p.Send("*20\r\n")
	for range 20 {
		p.Send("$100000\r\n" + strings.Repeat("x", 100_000) + "\r\n")
	}
	w.pass(0)
	if got := p.Recv(); got != "" || !p.Closed() {
		t.Fatalf("got %.50q, closed %v", got, p.Closed())
	}
	w.want(q, "PING\r\n", "+PONG\r\n")
}

// CONN-14: what a transaction holds is input too: commands queued and keys watched are bounded, and
// a transaction that ends gives its share back.
func TestCONN14Transaction(t *testing.T) {
	w := newWorld(t, "client-query-buffer-limit", "1mb")
	half := frame("SET", "k", strings.Repeat("v", 500_000))
	watch := frame(append([]string{"WATCH"}, numbers(4000)...)...)
	for _, c := range []struct {
		name, ask string
		closed    bool
	}{
		{"small transactions", strings.Repeat("MULTI\r\n"+half+"EXEC\r\n", 5), false},
		{"discarded ones", strings.Repeat("MULTI\r\n"+half+"DISCARD\r\n", 5), false},
		{"large arguments", "MULTI\r\n" + half + half + half, true},
		{"many commands", "MULTI\r\n" + strings.Repeat("PING\r\n", 20_000), true},
		{"watch and unwatch", strings.Repeat(watch+"UNWATCH\r\n", 5), false},
		{"watching the same keys", strings.Repeat(watch, 5), false},
		{"watching many keys", frame(append([]string{"WATCH"}, numbers(10_000)...)...), true},
	} {
		p := w.dial()
		w.ask(p, c.ask)
		if p.Closed() != c.closed {
			t.Errorf("%s: closed %v", c.name, p.Closed())
		}
	}
}

func numbers(n int) (texts []string) {
	for i := range n {
		texts = append(texts, strconv.Itoa(i))
	}
	return texts
}

// CONN-15: at the hard limit the connection ends and what it was owed is lost; others are served.
func TestCONN15HardLimit(t *testing.T) {
	w := newWorld(t, "client-output-buffer-limit", "normal 10000 0 0")
	p, q := w.dial(), w.dial()
	w.want(p, frame("SET", "k", strings.Repeat("v", 5000)), "+OK\r\n")
	w.want(p, frame("GET", "k"), bulk(strings.Repeat("v", 5000)))
	p.Send("PING\r\nPING\r\n" + frame("GET", "k") + frame("GET", "k") + "SET after 1\r\n")
	w.pass(0)
	if got := p.Recv(); got != "" || !p.Closed() {
		t.Fatalf("got %d bytes, closed %v", len(got), p.Closed())
	}
	w.want(q, "EXISTS after\r\n", ":0\r\n")
	// Exactly the limit is too much; a byte less is not.
	w.want(q, frame("SET", "k", strings.Repeat("v", 10_000-10)), "+OK\r\n")
	w.want(q, frame("GET", "k"), bulk(strings.Repeat("v", 10_000-10)))
	w.want(q, frame("SET", "k", strings.Repeat("v", 10_000-9)), "+OK\r\n")
	w.want(q, frame("GET", "k"), "")
	if !q.Closed() {
		t.Fatal("still connected at the limit")
	}
}

// CONN-15: one huge reply ends the connection as many small ones do (how far it grows is tested in
// package command), and what it held is let go of at once.
func TestCONN15OneHugeReply(t *testing.T) {
	value := strings.Repeat("v", 10_000)
	for name, ask := range map[string]string{
		"MGET": frame(append([]string{"MGET"}, slices.Repeat([]string{"k"}, 1000)...)...),
		"KEYS": "KEYS *\r\n",
		"SCAN": "SCAN 0 COUNT 1000\r\n",
		"EXEC": "MULTI\r\n" + strings.Repeat("GET k\r\n", 400) + "INCR n\r\nEXEC\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "client-output-buffer-limit", "normal 100000 0 0")
			q, p := w.dial(), w.dial()
			w.want(q, frame("SET", "k", value), "+OK\r\n")
			for i := range 20 {
				w.want(q, frame("SET", value+strconv.Itoa(i), ""), "+OK\r\n")
			}
			p.Send(ask)
			if got := w.drain(p); !p.Closed() || got != "" {
				t.Fatalf("closed %v, got %d bytes", p.Closed(), len(got))
			}
			if name == "EXEC" { // LIN-7: as a whole, though nobody hears of it
				w.want(q, "GET n\r\n", bulk("1"))
			}
		})
	}
}

// CONN-15: what was not read counts, also over many small replies.
func TestCONN15SlowReader(t *testing.T) {
	w := newWorld(t, "client-output-buffer-limit", "normal 50000 0 0")
	w.SendBytesMax = 1000
	p, q := w.dial(), w.dial()
	for range 60 {
		if p.Closed() {
			break
		}
		p.Send(frame("ECHO", strings.Repeat("x", 1000)))
		w.pass(0)
		w.want(q, "PING\r\n", "+PONG\r\n") // CONN-17
	}
	if !p.Closed() {
		t.Fatal("still connected")
	}
}

// CONN-16: over the soft limit for longer than its seconds; a dip below it begins anew.
func TestCONN16SoftLimit(t *testing.T) {
	w := newWorld(t, "client-output-buffer-limit", "normal 0 2000 3")
	w.SendBytesMax = 1000
	p := w.dial()
	p.Send(frame("ECHO", strings.Repeat("x", 5000)))
	w.pass(2900 * time.Millisecond)
	for range 5 {
		p.Recv() // to below the limit
		w.pass(0)
	}
	p.Send(frame("ECHO", strings.Repeat("x", 5000)))
	w.pass(3 * time.Second)
	if p.Closed() {
		t.Fatal("closed too early")
	}
	w.pass(1100 * time.Millisecond)
	if !p.Closed() {
		t.Fatal("still connected")
	}
}

// CONN-23: without a password only loopback peers are served.
func TestCONN23ProtectedMode(t *testing.T) {
	from := func(w *world, remote string) *sim.Peer {
		p := w.ConnectFrom(remote, home)
		w.pass(0)
		return p
	}
	w := newWorld(t)
	for _, remote := range []string{"192.0.2.7:50000", "[2001:db8::7]:50000"} {
		p := from(w, remote)
		if got := p.Recv(); got != textDenied || !p.Closed() {
			t.Fatalf("%s: got %q, closed %v", remote, got, p.Closed())
		}
	}
	for _, remote := range []string{"127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"} {
		w.want(from(w, remote), "PING\r\n", "+PONG\r\n")
	}
	open := newWorld(t, "protected-mode", "no")
	open.want(from(open, "192.0.2.7:50000"), "PING\r\n", "+PONG\r\n")
	locked := newWorld(t, "requirepass", "secret")
	locked.want(from(locked, "192.0.2.7:50000"), "AUTH secret\r\nPING\r\n", "+OK\r\n+PONG\r\n")
}

// CONN-28: a connection that breaks in the middle of anything leaves the others alone.
func TestCONN28Reset(t *testing.T) {
	w := newWorld(t)
	w.SendBytesMax = 100
	q := w.dial()
	for i := range 20 {
		p := w.dial()
		p.Send(frame("ECHO", strings.Repeat("x", 30*i)) + frame("SET", "k", "v")[:i])
		if i%2 == 0 {
			w.turn()
		} else {
			w.pass(0)
		}
		if i%3 == 0 {
			p.Close()
		} else {
			p.Reset()
		}
		w.want(q, "PING\r\n", "+PONG\r\n")
	}
	if w.s.table.live != 1 {
		t.Fatalf("%d connections are left", w.s.table.live)
	}
}

// CONN-29: an idle connection owns no buffer: less than 1 kB in all.
func TestCONN29IdleConnectionsAreSmall(t *testing.T) {
	w := newWorld(t)
	w.DescriptorsMax = 1000
	for range 500 {
		w.want(w.dial(), conversation+"SET a b\r\n", conversationReply+"+OK\r\n")
	}
	for c := range w.s.table.each {
		if c.in != nil || c.Out != nil || c.dec != nil {
			t.Fatal("an idle connection owns a buffer")
		}
	}
	if size := unsafe.Sizeof(conn{}); size > 600 {
		t.Fatalf("a connection has %d bytes", size)
	}
}

// CONN-31: DEBUG as the option says.
func TestCONN31Debug(t *testing.T) {
	for _, c := range []struct {
		option, remote string
		allowed        bool
	}{{"no", "127.0.0.1:5", false}, {"yes", "192.0.2.7:5", true}, {"local", "127.0.0.1:5", true},
		{"local", "192.0.2.7:5", false}} {
		w := newWorld(t, "enable-debug-command", c.option, "protected-mode", "no")
		p := w.ConnectFrom(c.remote, home)
		w.pass(0)
		before := w.Mono()
		got := w.ask(p, "DEBUG SLEEP 0.25\r\nTIME\r\n")
		if allowed := strings.HasPrefix(got, "+OK\r\n"); allowed != c.allowed {
			t.Fatalf("%+v: got %q", c, got)
		}
		if c.allowed {
			if time.Duration(w.Mono()-before) != 250*time.Millisecond {
				t.Fatal("it did not sleep")
			}
			// TIME-17: the reading of the batch is renewed after a sleep.
			if !strings.Contains(got, "$6\r\n250000\r\n") {
				t.Fatalf("TIME after the sleep: %q", got)
			}
		}
	}
}

// CONN-25: all of CONFIG SET or nothing, in Redis' words.
func TestCONN25ConfigSet(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	failed := "-ERR CONFIG SET failed (possibly related to argument '%s') - %s\r\n"
	for ask, want := range map[string]string{
		"timeout 7 other 1":     "-ERR Unknown option or number of arguments for CONFIG SET - 'other'\r\n",
		"timeout 7 timeout 8":   fmt.Sprintf(failed, "timeout", "duplicate parameter"),
		"timeout 7 databases 3": fmt.Sprintf(failed, "databases", "can't set immutable config"),
		"timeout 7 hz abc":      fmt.Sprintf(failed, "hz", "argument couldn't be parsed into an integer"),
	} {
		w.want(p, "CONFIG SET "+ask+"\r\n", want)
		w.want(p, "CONFIG GET timeout\r\n", "*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n")
	}
	w.want(p, "CONFIG SET TIMEOUT 7 maxclients 100\r\n", "+OK\r\n")
	w.want(p, "CONFIG GET timeo* MAXC*\r\n",
		"*4\r\n$10\r\nmaxclients\r\n$3\r\n100\r\n$7\r\ntimeout\r\n$1\r\n7\r\n")
	w.want(p, "CONFIG GET save\r\n", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n")
}

// CONN-26: the sections asked for, each with its heading, fields as name:value.
func TestCONN26Info(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	w.want(p, "SET a 1\r\nSET b 2 PX 5000\r\n", "+OK\r\n+OK\r\n")
	w.want(p, "INFO keyspace\r\n", bulk("# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=0\r\n"))
	all := w.ask(p, "INFO\r\n")
	heads := []string{}
	for _, line := range strings.Split(all, "\r\n")[1:] {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			heads = append(heads, head)
		} else if line != "" && !strings.Contains(line, ":") {
			t.Errorf("line %q", line)
		}
	}
	want := []string{"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU",
		"Loop", "Tasks", "Errorstats", "Cluster", "Keyspace"}
	if !slices.Equal(heads, want) {
		t.Fatalf("sections %q", heads)
	}
	for _, field := range []string{"redis_version:7.0.15", "connected_clients:1", "role:master",
		"tcp_port:6379", "total_commands_processed:"} {
		if !strings.Contains(all, "\r\n"+field) {
			t.Errorf("no %q", field)
		}
	}
}

// CONN-25, CONN-26: the poller shown is the kernel's own, whatever the configuration asked for.
func TestBackendShownIsTheKernels(t *testing.T) {
	w := newWorld(t, "event-backend", "poll")
	p := w.dial()
	w.want(p, "CONFIG GET event-backend\r\n", "*2\r\n$13\r\nevent-backend\r\n$3\r\nsim\r\n")
	if info := w.ask(p, "INFO server\r\n"); !strings.Contains(info, "multiplexing_api:sim\r\n") {
		t.Fatalf("INFO: %s", info)
	}
}

// Many clients are looked at by more ticks, so that none is a long one.
func TestDynamicHz(t *testing.T) {
	for on, want := range map[string]string{"yes": "hz:4\r\nconfigured_hz:1\r\n", "no": "hz:1\r\nconfigured_hz:1\r\n"} {
		w := newWorld(t, "hz", "1", "dynamic-hz", on)
		for range 2*clientsTickHz + 1 {
			w.dial()
		}
		p := w.dial()
		if got := w.ask(p, "INFO server\r\n"); !strings.Contains(got, want) {
			t.Errorf("dynamic-hz %s: %q", on, got)
		}
	}
}

// The limit of the process bounds maxmemory, at the start and later.
func TestMemoryLimit(t *testing.T) {
	cfg, _, err := parseArgs([]string{"-memory-limit", "1gb"})
	if err != nil || cfg.MemoryMax != 1<<30-1<<27 || cfg.heapShare() != 1<<27 {
		t.Fatalf("maxmemory %d, heap %d: %v", cfg.MemoryMax, cfg.heapShare(), err)
	}
	w := newWorld(t, "memory-limit", "1gb", "maxmemory", "100mb")
	p := w.dial()
	w.want(p, "CONFIG SET maxmemory 0\r\n", "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - "+
		"memory-limit leaves 939524096 bytes for maxmemory\r\n")
	w.want(p, "CONFIG SET maxmemory 900mb\r\n", "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - "+
		"memory-limit leaves 939524096 bytes for maxmemory\r\n")
	w.want(p, "CONFIG SET maxmemory 800mb\r\n", "+OK\r\n")
}

// The sizes of buffers: each is the smallest that holds what its class is asked for, and no more than a
// quarter is too much.
func TestClassSizes(t *testing.T) {
	for n := 1; n <= poolBytesMax; n += 1 + n/1000 {
		class := classUp(n)
		if class >= poolClasses || classSize(class) < n || class > 0 && classSize(class-1) >= n {
			t.Fatalf("%d bytes are of class %d, of %d bytes", n, class, classSize(class))
		}
		if n > poolBytesMin && classSize(class) > n+n/4+1 {
			t.Fatalf("%d bytes in a buffer of %d", n, classSize(class))
		}
	}
	if classUp(poolBytesMax+1) < poolClasses {
		t.Fatal("a larger buffer has a class")
	}
}

// CONN-3, CONN-15: what a client does not take is kept in buffers that are not copied again, comes in
// order when it reads on, and counts against its limit.
func TestBacklog(t *testing.T) {
	w := newWorld(t, "client-output-buffer-limit", "normal 3mb 0 0")
	w.RecvBytesMax, w.SendBytesMax = 1<<20, 50_000
	p := w.dial()
	var ask, want strings.Builder
	for i := range 2000 {
		text := strings.Repeat(strconv.Itoa(i), 1+i%400)
		ask.WriteString(frame("ECHO", text))
		want.WriteString(bulk(text))
	}
	p.Send(ask.String())
	w.pass(0)
	c := w.conn()
	if c.backlog == nil || c.owed() != want.Len()-50_000 {
		t.Fatalf("%d bytes are owed, want %d", c.owed(), want.Len()-50_000)
	}
	for _, b := range c.backlog.bufs {
		if len(b) > 2*replyBytesMax {
			t.Fatalf("a buffer of %d bytes", len(b))
		}
	}
	if got := w.drain(p); got != want.String() {
		t.Fatalf("%d bytes came, want %d, or in another order", len(got), want.Len())
	}
	if c.backlog != nil || c.Out != nil || c.sent != 0 {
		t.Fatal("something is kept")
	}
	for !p.Closed() {
		p.Send(ask.String())
		w.pass(0)
		if c.owed() > 3<<20+2*replyBytesMax {
			t.Fatalf("%d bytes are owed", c.owed())
		}
	}
}

// WIRE-24, STR-12: a command goes on reading its arguments after the store has taken one of them.
func TestWIRE24TakenAndReplaced(t *testing.T) {
	w := newWorld(t)
	w.RecvBytesMax = 1 << 20
	p := w.dial()
	big := strings.Repeat("b", 100_000)
	request := frame("MSET", "k", big, "k", "small", "other", "value", "last", "one")
	first := frame("SET", "k", big+strings.Repeat("b", 200))
	w.want(p, first[:50_000], "")
	w.want(p, first[50_000:], "+OK\r\n")
	w.want(p, request, "+OK\r\n") // which is read into a block from its first byte on
	w.want(p, frame("MGET", "k", "other", "last"), "*3\r\n"+bulk("small")+bulk("value")+bulk("one"))
}

// A read that brings nothing takes no room. It did: of the read arena so much as was carried of a frame
// that has not ended. The next reads found less and less, and the last of some twenty none: clients that
// left together, or a poller that was wrong for as long, brought the server down.
func TestReadsThatBringNothingTakeNoRoom(t *testing.T) {
	w := newWorld(t)
	half := "*2\r\n$3\r\nGET\r\n$4000\r\n" + strings.Repeat("x", 3900)
	var peers []*sim.Peer
	for range arenaBytes/len(half) + 1 {
		p := w.dial()
		w.want(p, half, "")
		peers = append(peers, p)
	}
	for _, p := range peers {
		p.CloseWrite()
	}
	w.pass(0)
	last := w.dial()
	w.want(last, half, "")
	c := w.conn()
	for range arenaBytes/len(half) + 1 {
		w.lies = append(w.lies, kernel.Event{FD: c.fd, Tag: c.tag, Ready: kernel.Readable})
		w.turn()
	}
	w.want(last, strings.Repeat("x", 100)+"\r\n", "$-1\r\n")
}
