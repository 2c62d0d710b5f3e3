package target

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rondo/check/history"
	"rondo/check/wire"
)

// The test binary is the server that these tests start: with RONDO_FAKE set it plays one.
func TestMain(m *testing.M) {
	if mode := os.Getenv("RONDO_FAKE"); mode != "" {
		playServer(mode, os.Args[len(os.Args)-1])
		return
	}
	os.Exit(m.Run())
}

// playServer answers PING with PONG and all else with an error.
func playServer(mode, port string) {
	switch mode {
	case "broken":
		os.Stderr.WriteString("bad option --foo\n")
		os.Exit(3)
	case "stubborn":
		ignoreTerm()
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		os.Exit(4)
	}
	for {
		sock, err := l.Accept()
		if err != nil {
			return
		}
		go serve(sock)
	}
}

func serve(sock net.Conn) {
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
			if err != nil || n == 0 {
				break
			}
			buf = buf[n:]
			answer := "-ERR unknown command\r\n"
			if len(args) > 0 && strings.EqualFold(string(args[0]), "PING") {
				answer = "+PONG\r\n"
			}
			sock.Write([]byte(answer))
		}
	}
}

func fakeCommand(t *testing.T, mode string) []string {
	t.Helper()
	t.Setenv("RONDO_FAKE", mode)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{self, "{port}"}
}

func TestExec(t *testing.T) {
	tg, err := ExecArgs(fakeCommand(t, "plain"), nil)
	if err != nil {
		t.Fatal(err)
	}
	caps := tg.Caps()
	if !tg.Started() || !caps.Owned || !caps.Local || caps.RESP3 || caps.Debug || caps.ConfigSet {
		t.Errorf("capabilities %+v", caps)
	}
	if tg.Name() != "server" || caps.Databases != 1 || caps.Has("get") || tg.Pid() == 0 {
		t.Errorf("%s: %d databases, get: %v", tg.Name(), caps.Databases, caps.Has("get"))
	}
	if caps.Profile != history.Frozen {
		t.Errorf("profile %s", caps.Profile)
	}
	again, err := tg.Again()
	if err != nil {
		t.Fatal(err)
	}
	if again.Addr() == tg.Addr() {
		t.Error("the second instance has the address of the first")
	}
	before := again.Addr()
	if err := again.Revive(); err != nil || again.Addr() != before {
		t.Errorf("a running target was started again: %v", err)
	}
	again.Kill()
	if err := again.Revive(); err != nil || again.Ended() != "" || again.Addr() == before {
		t.Errorf("revived: %v, %s", err, again.Ended())
	}
	for _, x := range []*Target{again, tg} {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
		if x.Ended() == "" {
			t.Error("a stopped target does not know that it ended")
		}
		if _, err := x.Dial(); err == nil {
			t.Error("a stopped target still listens")
		}
	}
}

func TestExecRejects(t *testing.T) {
	var log bytes.Buffer
	_, err := ExecArgs(fakeCommand(t, "broken"), &log)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") ||
		!strings.Contains(err.Error(), "bad option --foo") {
		t.Errorf("a server that ends at once: %v", err)
	}
	if log.String() != "bad option --foo\n" {
		t.Errorf("its output was passed on as %q", log.String())
	}
	for command, want := range map[string]string{
		"":                              "empty",
		"redis-server":                  "{port}",
		"'redis-server {port}":          "quote is not closed",
		"/nonexistent/server -p {port}": "no such file",
		"redis-server --port {port} \\": "backslash",
	} {
		if _, err := Exec(command, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", command, err, want)
		}
	}
}

func TestKillsWhatIgnoresTerm(t *testing.T) {
	tg, err := ExecArgs(fakeCommand(t, "stubborn"), nil)
	if err != nil {
		t.Fatal(err)
	}
	tg.proc.stop = 50 * time.Millisecond
	if err := tg.Stop(); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(tg.Pid(), 0); err == nil {
		t.Error("the process is still there")
	}
}

func TestAtRejects(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for {
			sock, err := silent.Accept()
			if err != nil {
				return
			}
			sock.Write([]byte("SSH-2.0-x\r\n"))
			sock.Close()
		}
	}()
	free, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"6379":                 "HOST:PORT",
		"127.0.0.1:" + free:    "nothing listens at",
		silent.Addr().String(): "does not answer PING",
		"unix:/nonexistent/s":  "nothing listens at",
		"unix:":                "HOST:PORT",
		"host.invalid:1:2":     "HOST:PORT",
		"host.invalid:6379":    `no host "host.invalid"`,
	} {
		if _, err := At(addr); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "-exec") {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"":                     nil,
		"  a  b\t":             {"a", "b"},
		`a 'b c' "d \" \\ \n"`: {"a", "b c", `d " \ \n`},
		`--save '' x""y a\ b`:  {"--save", "", "xy", "a b"},
		`--dir={dir}/'a b'`:    {"--dir={dir}/a b"},
	} {
		got, err := split(line)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
}

func TestProfile(t *testing.T) {
	for _, c := range []struct{ server, version, want string }{
		{"redis", "7.0.15", history.Live}, {"redis", "6.2.0", history.Live},
		{"redis", "7.2.0", history.Frozen}, {"redis", "8.0.1", history.Frozen},
		{"rondo", "0.1", history.Frozen}, {"redis", "", history.Frozen},
	} {
		if got := profile(c.server, c.version); got != c.want {
			t.Errorf("%s %s: %s", c.server, c.version, got)
		}
	}
}

// A real server tells all there is to know, over TCP and at a unix socket.
func TestRedisServer(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: its capabilities are not asked")
	}
	tg, err := Exec("redis-server --port {port} --save '' --enable-debug-command yes "+
		"--unixsocket {dir}/s --dir {dir}", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.Stop()
	caps := tg.Caps()
	if caps.Server != "redis" || !caps.RESP3 || !caps.Debug || !caps.ConfigSet || !caps.Empty ||
		caps.Databases != 16 || !caps.Has("GETEX") || !caps.Has("client|id") || caps.Has("nosuch") {
		t.Errorf("%+v", caps)
	}
	if tg.Pid() != tg.proc.cmd.Process.Pid {
		t.Errorf("pid %d, started as %d", tg.Pid(), tg.proc.cmd.Process.Pid)
	}
	dir := tg.proc.dir
	socket, err := At("unix:" + filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	if socket.Name() != tg.Name() || !socket.Caps().Local || socket.Caps().Owned || socket.Started() {
		t.Errorf("at the unix socket: %s %+v", socket.Name(), socket.Caps())
	}
	if err := socket.Stop(); err != nil || tg.Ended() != "" {
		t.Errorf("Stop of a target at an address: %v, %s", err, tg.Ended())
	}
	start := time.Now()
	if status, err := tg.Terminate(); status != 0 || err != nil {
		t.Errorf("exit status %d, %v after %v", status, err, time.Since(start))
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory is left behind")
	}
}

// Slots are those of CLUSTER KEYSLOT, and a tag is one of the node's.
func TestTag(t *testing.T) {
	for key, want := range map[string]int{"": 0, "123456789": 12739, "foo": 12182, "somekey": 11058} {
		if got := slotOf(key); got != want {
			t.Errorf("slot of %q is %d, want %d", key, got, want)
		}
	}
	tg := &Target{caps: &Caps{}}
	if got := tg.Tag("x"); got != "{x}" {
		t.Errorf("without a cluster: %s", got)
	}
	tg.caps.slots = []slotRange{{0, 99}, {16000, 16383}}
	for i := range 50 {
		tag := tg.Tag(fmt.Sprint(i))
		if slot := slotOf(strings.Trim(tag, "{}")); slot > 99 && slot < 16000 {
			t.Errorf("%s has slot %d", tag, slot)
		}
	}
}

// TestKillAll: a program that is told twice to end leaves no server behind.
func TestKillAll(t *testing.T) {
	s, err := ExecArgs(fakeCommand(t, "stubborn"), nil)
	if err != nil {
		t.Fatal(err)
	}
	KillAll()
	if status, err := s.AwaitEnd(); status != -1 || err != nil {
		t.Fatalf("exit status %d, %v; want the end by a signal", status, err)
	}
	running.Range(func(p, _ any) bool {
		t.Errorf("%q still counts as running", p.(*process).argv)
		return true
	})
}
