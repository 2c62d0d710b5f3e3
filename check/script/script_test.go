package script

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec"
	"rondo/testdata"
)

var rewrite = flag.Bool("rewrite", false,
	"rewrite testdata/script with what redis-server answers; read the difference before committing")

// fakeServer keeps strings, and answers as each test wants it: hook may take a command over.
type fakeServer struct {
	mu   sync.Mutex
	keys map[string]string
	hook hookFunc
}

type hookFunc func(args []string) (reply string, mine bool)

func startFake(t *testing.T, hook hookFunc) (*target.Target, *fakeServer) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f := &fakeServer{keys: map[string]string{}}
	go func() {
		for {
			sock, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(sock)
		}
	}()
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook // only now: opening a target asks many things
	return tg, f
}

func (f *fakeServer) serve(sock net.Conn) {
	defer sock.Close()
	var buf []byte
	chunk := make([]byte, 4096)
	for {
		n, err := sock.Read(chunk)
		if err != nil {
			return
		}
		buf = append(buf, chunk[:n]...)
		for {
			args, n, err := wire.ParseCommand(buf)
			if err != nil {
				fmt.Fprintf(sock, "-ERR %v\r\n", err)
				return
			}
			if n == 0 {
				break
			}
			buf = buf[n:]
			if len(args) == 0 {
				continue
			}
			reply := f.answer(args)
			sock.Write([]byte(strings.TrimSuffix(reply, "CLOSE")))
			if strings.HasSuffix(reply, "CLOSE") {
				return
			}
		}
	}
}

func (f *fakeServer) answer(args [][]byte) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = string(a)
	}
	words[0] = strings.ToUpper(words[0])
	if f.hook != nil {
		if reply, mine := f.hook(words); mine {
			return reply
		}
	}
	if words[0] != "PING" && words[0] != "QUIT" && len(words) == 1 {
		return "-ERR wrong number of arguments\r\n"
	}
	switch words[0] {
	case "PING":
		return "+PONG\r\n"
	case "ECHO":
		return string(wire.AppendReply(nil, model.Str(words[1]), 2))
	case "SET":
		f.keys[words[1]] = words[2]
		return "+OK\r\n"
	case "GET":
		if v, ok := f.keys[words[1]]; ok {
			return string(wire.AppendReply(nil, model.Str(v), 2))
		}
		return "$-1\r\n"
	case "KEYS":
		r := model.Arr()
		for k := range f.keys {
			r.Elems = append(r.Elems, model.Str(k))
		}
		return string(wire.AppendReply(nil, r, 2))
	case "DEL":
		for _, k := range words[1:] {
			delete(f.keys, k)
		}
		return ":1\r\n"
	case "QUIT":
		return "+OK\r\nCLOSE"
	}
	return "-ERR unknown command\r\n"
}

func parse(t *testing.T, text string) spec.Script {
	t.Helper()
	s, err := spec.ParseScript("test", strings.TrimLeft(text, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRunAccepts(t *testing.T) {
	tg, f := startFake(t, nil)
	m := Run(tg, parse(t, `
> SET k v
> GET k
< +OK
< "v"
b> GET k
b< "v" | nil
> KEYS k*
< ["k"]
wait 1ms
fragments 3 > SET k "w\r\n"
< +OK
>> "*1\r\n$4\r\nPI"
silent 5ms
>> "NG\r\n"
< +PONG
b half-close
b closed
c> QUIT
c< +OK
c closed
c close
c> PING
c< +PONG
`), "{p}")
	if m != nil {
		t.Fatal(m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.keys) != 0 {
		t.Errorf("keys are left behind: %v", f.keys)
	}
}

func TestRunRejects(t *testing.T) {
	for _, c := range []struct {
		name, script, hooked, reply string // the hooked command gets reply
		line                        int
		actual                      string
	}{
		{"wrong value", "> SET k v\n< +OK\n> GET k\n< \"w\"", "", "", 4, `"v"`},
		{"prefix is cut", "> SET k v\n< +OK\n> KEYS *\n< [\"x\"]", "", "", 4, `["k"]`},
		{"malformed", "> GET k\n< nil", "GET", "$-01\r\n", 2, "malformed reply at offset 1"},
		{"reply too many", "> GET k\n< nil", "GET", "$-1\r\n:1\r\n", 0, ":1"},
		{"half a reply", "> GET k\n< nil", "GET", "$3\r\nabCLOSE", 2, "a whole reply"},
		{"closed instead", "> GET k\n< nil", "GET", "CLOSE", 2, "closed the connection"},
		{"not silent", "> GET k\nsilent 50ms", "", "", 2, "nil"},
		{"closed, not silent", "> GET k\nsilent 50ms", "GET", "CLOSE", 2, "closed the connection"},
		{"more before the close", "> QUIT\n< +OK\nclosed", "QUIT", "+OK\r\n+OK\r\nCLOSE", 3, "+OK"},
	} {
		tg, _ := startFake(t, func(args []string) (string, bool) {
			return c.reply, c.hooked != "" && args[0] == c.hooked
		})
		m := Run(tg, parse(t, c.script), "{p}")
		if m == nil || m.Err != nil || m.Line != c.line || !strings.Contains(m.Actual, c.actual) {
			t.Errorf("%s: got %+v, want %q on line %d", c.name, m, c.actual, c.line)
			continue
		}
		if len(m.Wire) == 0 || m.Expected == "" || m.Step == "" || m.Sent == "" {
			t.Errorf("%s: the mismatch tells too little: %+v", c.name, m)
		}
	}
}

// What was sent is told: of a pipeline the command that the reply answers, or that had none. A long
// reply is shortened once.
func TestRunTellsWhatWasSent(t *testing.T) {
	for _, c := range []struct{ script, sent, actual string }{
		{"> SET k v\n> GET k\n> GET x\n< +OK\n< \"w\"\n< nil", "> GET k", `"v"`},
		{"> SET k v\n> GET k\n> GET x\n< +OK\n< \"v\"\n< \"w\"", "> GET x", "nil"},
		{"> SET k v\n> HANGUP\n> GET x\n< +OK\n< +OK\n< nil", "> HANGUP", "closed"},
		{"> ECHO " + strings.Repeat("x", 3000) + "\n< +OK", "> ECHO x", "... (3002 bytes)"},
	} {
		tg, _ := startFake(t, func(args []string) (string, bool) { return "CLOSE", args[0] == "HANGUP" })
		m := Run(tg, parse(t, c.script), "{p}")
		if m == nil || !strings.HasPrefix(m.Sent, c.sent) || !strings.Contains(m.Actual, c.actual) || len(m.Actual) > 600 {
			t.Errorf("got %+v, want %s and %s", m, c.sent, c.actual)
		}
	}
}

// A conversation that runs late is held again; if the server is the slow one the verdict stands.
func TestRunLate(t *testing.T) {
	calls := 0
	tg, _ := startFake(t, func(args []string) (string, bool) {
		if args[0] != "GET" {
			return "", false
		}
		calls++
		if calls == 1 {
			time.Sleep(2 * slackMax)
			return ":1\r\n", true
		}
		return ":2\r\n", true
	})
	if m := Run(tg, parse(t, "> GET k\n< :2"), "{p}"); m != nil || calls != 2 {
		t.Errorf("late once: %v after %d calls", m, calls)
	}
	calls = 0
	if m := Run(tg, parse(t, "> GET k\n< :3"), "{p}"); m == nil || calls != 2 {
		t.Errorf("late, then wrong in time: %v after %d calls", m, calls)
	}
}

func TestRunHarnessError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 2 { // PING and the questions of target.At, then nobody listens
			sock, err := l.Accept()
			if err != nil {
				return
			}
			(&fakeServer{keys: map[string]string{}}).serve(sock)
		}
		l.Close()
	}()
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond)
	if m := Run(tg, parse(t, "> GET k\n< nil"), "{p}"); m == nil || m.Err == nil {
		t.Errorf("got %v, want an error that is no evidence", m)
	}
}

func TestRewrite(t *testing.T) {
	tg, _ := startFake(t, func(args []string) (string, bool) {
		return "-ERR a | -b \r\n", args[0] == "ODD"
	})
	text := `# clauses: STR-1
> SET k v
< +NO

> GET k
< ~"v*"   # kept
b> GET k
b< nil
> ODD
< :1
`
	text = strings.Replace(text, "   # kept", "", 1)
	got, err := Rewrite(tg, parse(t, text), "{p}")
	want := strings.NewReplacer("+NO", "+OK", "b< nil", `b< "v"`, "< :1",
		`< -"ERR a | -b "`).Replace(text)
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := Rewrite(tg, parse(t, "> GET k\nclosed"), "{p}"); err == nil {
		t.Error("a step that is no expectation was rewritten")
	}
}

// The conversations of testdata are what redis-server answers; -rewrite makes them so.
func TestTestdataOnRedis(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: testdata/script is not asked again")
	}
	files, err := testdata.Scripts()
	if err != nil || len(files) == 0 {
		t.Skipf("no conversations in testdata/script: %v", err)
	}
	tg, err := target.Exec("redis-server --port {port} --save '' --enable-debug-command yes", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.Stop()
	for _, f := range files {
		s, err := spec.ParseScript(f.Path, f.Text)
		if err != nil {
			t.Fatal(err)
		}
		if *rewrite {
			text, err := Rewrite(tg, s, "{rewrite}")
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("..", "..", "testdata", f.Path)
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if m := Run(tg, s, "{"+f.Name()+"}"); m != nil {
			t.Errorf("%s: %v", f.Path, m)
		}
	}
}
