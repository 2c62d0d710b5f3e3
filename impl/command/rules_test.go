package command

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// run executes a command line and returns the reply.
func (h *fake) run(s *Session, line string) string {
	s.Out = s.Out[:0]
	h.x.Run(s, words(strings.Fields(line)...))
	return string(s.Out)
}

// play runs lines "a command => reply"; a line may begin with "b>" for another session, and
// "now +5" moves the clock.
func play(t *testing.T, h *fake, script string) {
	t.Helper()
	sessions := map[string]*Session{}
	for line := range strings.SplitSeq(script, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if by, ok := strings.CutPrefix(line, "now +"); ok {
			var ms int64
			fmt.Sscan(by, &ms)
			h.now += ms
			continue
		}
		conn, command := "a", line
		if line[1] == '>' {
			conn, command = line[:1], line[2:]
		}
		if sessions[conn] == nil {
			sessions[conn] = h.connect()
		}
		command, want, compare := strings.Cut(command, "=>")
		got := strings.TrimSpace(strings.ReplaceAll(h.run(sessions[conn], command), "\r\n", " "))
		if compare && got != strings.TrimSpace(want) {
			t.Errorf("%s\n  replied %s", line, got)
		}
	}
}

// TIME-3: in the millisecond of its deadline a key is alive, in the next it is not, whatever asks.
func TestExpiryAtTheTick(t *testing.T) {
	for _, c := range []struct{ ask, alive, dead string }{
		{"GET k", "$1 v", "$-1"},
		{"GETEX k", "$1 v", "$-1"},
		{"GETDEL k", "$1 v", "$-1"},
		{"GETSET k w", "$1 v", "$-1"},
		{"SET k w GET", "$1 v", "$-1"},
		{"SET k w NX", "$-1", "+OK"},
		{"SET k w XX", "+OK", "$-1"},
		{"SETNX k w", ":0", ":1"},
		{"MSETNX k w", ":0", ":1"},
		{"MGET k", "*1 $1 v", "*1 $-1"},
		{"STRLEN k", ":1", ":0"},
		{"GETRANGE k 0 -1", "$1 v", "$0 "},
		{"APPEND k w", ":2", ":1"},
		{"SETRANGE k 1 w", ":2", ":2"},
		{"INCR k", "-ERR value is not an integer or out of range", ":1"},
		{"INCRBYFLOAT k 1", "-ERR value is not a valid float", "$1 1"},
		{"EXISTS k", ":1", ":0"},
		{"TOUCH k", ":1", ":0"},
		{"TYPE k", "+string", "+none"},
		{"DEL k", ":1", ":0"},
		{"UNLINK k", ":1", ":0"},
		{"KEYS *", "*1 $1 k", "*0"},
		{"SCAN 0", "*2 $1 0 *1 $1 k", "*2 $1 0 *0"},
		{"RANDOMKEY", "$1 k", "$-1"},
		{"RENAME k l", "+OK", "-ERR no such key"},
		{"RENAMENX k l", ":1", "-ERR no such key"},
		{"COPY k l", ":1", ":0"},
		{"MOVE k 1", ":1", ":0"},
		{"OBJECT ENCODING k", "$6 embstr", "$-1"},
		{"EXPIRE k 10", ":1", ":0"},
		{"PERSIST k", ":1", ":0"},
		{"PTTL k", ":0", ":-2"},
		{"TTL k", ":0", ":-2"},
		{"PEXPIRETIME k", ":1700000000100", ":-2"},
	} {
		play(t, newFake(), "SET k v PX 100\nnow +100\n"+c.ask+" => "+c.alive)
		play(t, newFake(), "SET k v PX 100\nnow +101\n"+c.ask+" => "+c.dead)
	}
}

// TIME-14: a write to an expired key starts afresh.
func TestWriteToExpiredKey(t *testing.T) {
	for _, write := range []string{"APPEND k 5", "SETRANGE k 0 5", "INCRBY k 5", "INCRBYFLOAT k 5",
		"SET k 5 KEEPTTL", "SETNX k 5"} {
		play(t, newFake(), "SET k 1 PX 100\nnow +101\n"+write+"\nGET k => $1 5\nPTTL k => :-1")
	}
}

func TestDeadlines(t *testing.T) {
	play(t, newFake(), `
		SET k v PX 1500
		TTL k => :2
		PEXPIRETIME k => :1700000001500
		EXPIRETIME k => :1700000002
		# rounding does not overflow
		SET far v PXAT 9223372036854775807
		EXPIRETIME far => :9223372036854776
		TTL far => :9223370336854776
		DEL far
		PEXPIRE k 1499
		TTL k => :1
		PEXPIRE k 499
		TTL k => :0
		PTTL k => :499
		# TIME-7: the present is past already
		PEXPIREAT k 1700000000000 => :1
		EXISTS k => :0
		SET k v
		GETEX k PXAT 1700000000000 => $1 v
		EXISTS k => :0
		SET k v PXAT 1700000000000 => +OK
		GET k => $1 v
		now +1
		GET k => $-1
		# TIME-11
		SET k v PX 700
		RENAME k l
		PTTL l => :700
		COPY l m => :1
		PTTL m => :700
		MOVE m 3 => :1
		SELECT 3
		PTTL m => :700
		SELECT 0
		SET l v
		PTTL l => :-1
		OBJECT IDLETIME l => :0
		now +5400
		OBJECT IDLETIME l => :5
		EXISTS l
		OBJECT IDLETIME l => :5
		GET l
		OBJECT IDLETIME l => :0`)
}

// TIME-17, EXEC-16, EXEC-17: the clock is read once a command, and once for a whole EXEC, though
// it moves meanwhile.
func TestOneReading(t *testing.T) {
	h := newFake()
	h.tick = 1000
	s := h.connect()
	h.run(s, "SET a 1 PX 1001")
	h.run(s, "MSET b 1 c 1")
	for _, line := range []string{"MULTI", "GET a", "PEXPIRE b 500", "PTTL b", "GET b", "TIME", "TIME"} {
		h.run(s, line)
	}
	before := h.readings
	reply := h.run(s, "EXEC")
	if n := h.readings - before; n != 1 {
		t.Errorf("EXEC read the clock %d times", n)
	}
	if want := ":1\r\n:500\r\n$1\r\n1\r\n"; !strings.Contains(reply, want) {
		t.Errorf("EXEC replied %q, want %q in it", reply, want)
	}
	times := strings.Split(reply, "*2\r\n")
	if len(times) != 3 || times[1] != times[2] {
		t.Errorf("TIME differs inside one EXEC: %q", reply)
	}
}

// EXEC-12, EXEC-13: expiry and watches.
func TestWatchAndExpiry(t *testing.T) {
	play(t, newFake(), `
		# alive at WATCH, in its last millisecond at EXEC
		SET k v PX 100
		WATCH k
		now +100
		MULTI
		PING
		EXEC => *1 +PONG
		# alive at WATCH, past its deadline at EXEC, though nobody touched it
		SET k v PX 100
		WATCH k
		now +101
		MULTI
		PING
		EXEC => *-1
		# expired at WATCH: absent, and its removal is no change
		SET k v PX 100
		now +101
		WATCH k
		b> GET k => $-1
		MULTI
		PING
		EXEC => *1 +PONG
		# but setting it is
		SET k v PX 100
		now +101
		WATCH k
		b> SET k w
		MULTI
		PING
		EXEC => *-1
		# EXEC-18: the same name elsewhere
		SET k v
		WATCH k
		b> SELECT 1
		b> SET k v
		MULTI
		PING
		EXEC => *1 +PONG
		# EXEC-19
		WATCH nothing k
		b> FLUSHDB
		MULTI
		PING
		EXEC => *1 +PONG
		b> SELECT 0
		WATCH nothing k
		b> FLUSHDB
		MULTI
		PING
		EXEC => *-1
		# MOVE and COPY change their target in the other database
		b> SET m 1
		SELECT 1
		WATCH m
		b> COPY m m DB 1 => :1
		MULTI
		PING
		EXEC => *-1
		WATCH m
		b> MOVE m 1 => :0
		MULTI
		PING
		EXEC => *1 +PONG`)
}

// Active expiry passes the same funnel.
func TestWatchSeesActiveExpiry(t *testing.T) {
	h := newFake()
	s := h.connect()
	h.run(s, "SET k v PX 100")
	h.run(s, "SET l v PX 200")
	h.run(s, "WATCH k")
	if at, ok := h.x.NextDue(); !ok || at > h.now+100 {
		t.Error("next due", at, ok)
	}
	if n, _ := h.x.ExpireDue(h.now+100, 10); n != 0 {
		t.Error(n, "keys expired too early")
	}
	if n, _ := h.x.ExpireDue(h.now+101, 10); n != 1 || h.x.Stats.Expired != 1 {
		t.Error(n, "keys expired, not 1")
	}
	h.run(s, "MULTI")
	if got := h.run(s, "EXEC"); got != "*-1\r\n" {
		t.Errorf("EXEC replied %q", got)
	}
}

// CONN-22: a connection that ends leaves no watch behind.
func TestForget(t *testing.T) {
	h := newFake()
	s := h.connect()
	h.run(s, "WATCH a b a")
	h.run(s, "MULTI")
	h.run(s, "SET a 1")
	h.x.Forget(s)
	if h.x.watched.n != 0 || len(h.x.watched.byKey[0]) != 0 || s.inTx() {
		t.Error("something of it is left")
	}
	if got := h.run(h.connect(), "GET a"); got != "$-1\r\n" {
		t.Error("its queue was executed")
	}
}

// CONN-9, CONN-10, CONN-11, CONN-7, CONN-31.
func TestGates(t *testing.T) {
	h := newFake()
	h.password, h.noDebug = "sekret", true
	play(t, h, `
		GET a => -NOAUTH Authentication required.
		FOO => -ERR unknown command 'FOO', with args beginning with: 
		GET => -ERR wrong number of arguments for 'get' command
		CLIENT FOO => -ERR unknown subcommand 'FOO'. Try CLIENT HELP.
		DEBUG SLEEP 0 => -`+errDebug+`
		EXEC => -EXECABORT Transaction discarded because of: NOAUTH Authentication required.
		MULTI => -NOAUTH Authentication required.
		HELLO => -`+errHelloAuth+`
		HELLO 9 => -NOPROTO unsupported protocol version
		HELLO 3 AUTH default bad => -`+errWrongPass+`
		AUTH bad => -`+errWrongPass+`
		AUTH other sekret => -`+errWrongPass+`
		AUTH sekret => +OK
		GET a => $-1
		AUTH bad => -`+errWrongPass+`
		GET a => $-1
		MULTI
		DEBUG SLEEP 0 => -`+errDebug+`
		EXEC => -EXECABORT Transaction discarded because of previous errors.
		SELECT 3
		RESET => +RESET
		GET a => -NOAUTH Authentication required.
		HELLO 3 AUTH default sekret SETNAME bob
		CLIENT GETNAME => $3 bob
		GET a => _
		RESET
		# each option takes effect before the next is looked at
		HELLO 3 AUTH default wrong SETNAME eve => -`+errWrongPass+`
		HELLO 3 AUTH default sekret NOSUCH => -ERR Syntax error in HELLO option 'NOSUCH'
		CLIENT GETNAME => $-1
		RESET
		AUTH sekret
		CLIENT GETNAME => $-1`)
}

func TestHello(t *testing.T) {
	h := newFake()
	s := h.connect()
	want := "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n" + RedisVersion +
		"\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n" +
		"$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
	if got := h.run(s, "HELLO 3"); got != want {
		t.Errorf("%q", got)
	}
	if got := h.run(s, "HELLO 2"); !strings.HasPrefix(got, "*14\r\n") || s.Proto != 2 {
		t.Errorf("%q", got)
	}
}

// CONN-20, CONN-21.
func TestClientListAndKill(t *testing.T) {
	h := newFake()
	a, b, c := h.connect(), h.connect(), h.connect()
	h.run(b, "CLIENT SETNAME bob")
	h.run(b, "MULTI")
	list := h.run(a, "CLIENT LIST ID 2")
	for _, field := range []string{
		"id=2 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=9 name=bob ", " db=0 ", " flags=x ",
		" multi=0 ", " cmd=multi ", " resp=2\n\r\n"} {
		if !strings.Contains(list, field) {
			t.Errorf("no %q in %q", field, list)
		}
	}
	if got := h.run(a, "CLIENT LIST"); strings.Count(got, "\n") != 2+3 {
		t.Errorf("not three lines: %q", got)
	}
	if got := h.run(a, "CLIENT KILL ID 3"); got != ":1\r\n" || fmt.Sprint(h.killed) != "[3]" {
		t.Errorf("%q killed %v", got, h.killed)
	}
	if got := h.run(a, "CLIENT KILL ADDR 127.0.0.1:1"); got != ":2\r\n" || a.CloseAfter {
		t.Errorf("%q, and oneself: %v", got, a.CloseAfter)
	}
	if got := h.run(a, "CLIENT KILL 127.0.0.1:1"); got != "+OK\r\n" || !a.CloseAfter {
		t.Errorf("%q, and oneself: %v", got, a.CloseAfter)
	}
	if got := h.run(a, "PING"); got != "" {
		t.Errorf("a closing connection still replies %q", got)
	}
	_ = c
}

func TestHostCommands(t *testing.T) {
	h := newFake()
	h.config = map[string]string{"timeout": "0", "maxclients": "10"}
	play(t, h, `
		CONFIG GET time* MAX* => *4 $10 maxclients $2 10 $7 timeout $1 0
		CONFIG SET timeout 5 maxclients 7 => +OK
		CONFIG SET timeout 6 nosuch 1 => -`+errOption+`nosuch'
		CONFIG GET timeout => *2 $7 timeout $1 5
		CONFIG SET timeout 1 maxclients => -ERR syntax error
		CONFIG REWRITE => -ERR The server is running without a config file
		CONFIG RESETSTAT => +OK
		INFO => $8 # Fake 
		TIME => *2 $10 1700000000 $1 7
		DEBUG SLEEP 0.5 => +OK
		DEBUG SET-ACTIVE-EXPIRE 0 => +OK
		SHUTDOWN NOSAVE FORCE =>`)
	if h.slept != 0.5 || !h.expireOff || h.shutdowns != 1 {
		t.Errorf("slept %v, expiry off %v, %d shutdowns", h.slept, h.expireOff, h.shutdowns)
	}
	s := h.connect()
	if got := h.run(s, "POST / HTTP/1.1"); got != "" || s.CloseNow == "" {
		t.Errorf("a browser got %q", got)
	}
}

// CONN-15: the limit holds while a reply grows; nothing is appended once it is reached, but what
// writes goes on to its end (LIN-7).
func TestOutputLimitWithinACommand(t *testing.T) {
	h := newFake()
	s := h.connect()
	h.run(s, "SET k "+strings.Repeat("v", 10_000))
	for i := range 30 {
		h.run(s, fmt.Sprintf("SET %s%d v", strings.Repeat("k", 10_000), i))
	}
	gets := strings.Repeat(" k", 1000)
	for _, ask := range []string{"MGET" + gets, "KEYS *", "SCAN 0 COUNT 1000", "EXEC"} {
		s := h.connect()
		if ask == "EXEC" {
			h.run(s, "MULTI")
			for range 1000 {
				h.run(s, "GET k")
			}
			h.run(s, "INCR n")
		}
		s.OutMax = 100_000
		h.run(s, ask)
		if len(s.Out) > 101_000 || s.CloseNow != OutputLimit {
			t.Errorf("%.10s: %d bytes, close now: %q", ask, len(s.Out), s.CloseNow)
		}
	}
	if got := h.run(s, "GET n"); got != "$1\r\n1\r\n" {
		t.Errorf("the end of EXEC had no effect: %q", got)
	}
}

// WIRE-17: only the letters of ASCII have two cases: the long s of old prints is no s.
func TestSubcommandFolding(t *testing.T) {
	play(t, newFake(), `
		CLIENT liſt => -ERR unknown subcommand 'liſt'. Try CLIENT HELP.
		CLIENT GetName => $-1`)
}

// STR-18: also where a smaller limit is set.
func TestStringLimit(t *testing.T) {
	h := newFake()
	h.x.Limits.BulkLenMax = 10
	play(t, h, `
		SET k 12345
		APPEND k 67890 => :10
		APPEND k 1 => -`+errTooLong+`
		SETRANGE k 9 x => :10
		SETRANGE k 10 x => -`+errTooLong+`
		STRLEN k => :10`)
}

// CONN-27: what the table says of itself hangs together.
func TestTable(t *testing.T) {
	n := 0
	Table(func(c *Command) bool {
		n++
		for _, name := range []string{c.Name, strings.ToUpper(c.Name)} {
			if Lookup([]byte(name)) != c {
				t.Errorf("%s is not found", name)
			}
		}
		if (c.Handler == nil) && c.Subs == nil || c.Flags&Write != 0 && c.Flags&Readonly != 0 {
			t.Errorf("%s contradicts itself", c.Name)
		}
		for i := range c.Subs {
			if byFullName([]byte(c.Subs[i].Name)) != &c.Subs[i] {
				t.Errorf("%s is not found", c.Subs[i].Name)
			}
		}
		return true
	})
	for _, name := range []string{"", "ge", "gett", "g\x05t", "incrbyfloatincrbyfloat",
		"ge\x00", "{", "@GET"} {
		if c := Lookup([]byte(name)); c != nil {
			t.Errorf("%q is taken for %s", name, c.Name)
		}
	}
	h := newFake()
	if got := h.run(h.connect(), "COMMAND COUNT"); got != fmt.Sprintf(":%d\r\n", n) {
		t.Errorf("COMMAND COUNT says %q of %d", got, n)
	}
}

// SCAN returns every key at least once, in steps of about COUNT (KEY-5).
func TestScanWalk(t *testing.T) {
	h := newFake()
	s := h.connect()
	for i := range 500 {
		h.run(s, fmt.Sprintf("SET key%d v", i))
	}
	seen, cursor := map[string]bool{}, "0"
	for {
		lines := strings.Split(h.run(s, "SCAN "+cursor+" COUNT 20"), "\r\n")
		cursor = lines[2]
		if len(lines) > 2*60 {
			t.Errorf("a step of %d lines", len(lines))
		}
		for _, line := range lines[4:] {
			if strings.HasPrefix(line, "key") {
				seen[line] = true
			}
		}
		if cursor == "0" {
			break
		}
	}
	if len(seen) != 500 {
		t.Errorf("saw %d of 500 keys", len(seen))
	}
}

func TestGlobIsNotExponential(t *testing.T) {
	pattern := []byte(strings.Repeat("a*", 50) + "b")
	if Glob(pattern, []byte(strings.Repeat("a", 5000)), false) {
		t.Error("matched")
	}
}

// STR-16: a number that a long double rounds to zero is none; the next larger one is.
func TestSmallestFloat(t *testing.T) {
	play(t, newFake(), `
		INCRBYFLOAT k 0x1p-16446 => -ERR value is not a valid float
		INCRBYFLOAT k 1.8e-4951 => -ERR value is not a valid float
		INCRBYFLOAT k 0x1.8p-16446 => $1 0
		INCRBYFLOAT k 3.6e-4951 => $1 0`)
}

// STR-16: a few bytes must not make milliseconds of arithmetic.
func TestIncrByFloatIsQuick(t *testing.T) {
	h := newFake()
	s := h.connect()
	start := time.Now()
	for range 1000 {
		for _, by := range []string{"1e-4900", "0x1p-16000", "-1e-4930", "3e-4000"} {
			if got := h.run(s, "INCRBYFLOAT k "+by); got != "$1\r\n0\r\n" {
				t.Fatalf("%s: %q", by, got)
			}
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("4000 times took %v", took)
	}
}
