package impl

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rondo/impl/command"
	"rondo/impl/kernel"
)

// These tests run the program as a process: the test binary is it when asked to.
const asProgram = "RONDO_TEST_AS_PROGRAM"

// patience is for what takes moments on a machine that is not busy.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		shutdownFlush = patience // loop_test.go holds the server to its own
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// program is a running rondo-server.
type program struct {
	cmd  *exec.Cmd
	addr string
	out  *bytes.Buffer // what it logged so far, up to the ready line
	log  io.Closer     // our end of its log
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &program{cmd: cmd, out: new(bytes.Buffer), log: pipe}
	buf := make([]byte, 4096)
	for !strings.Contains(p.out.String(), "ready to accept") {
		n, err := pipe.Read(buf)
		p.out.Write(buf[:n])
		if err != nil {
			t.Fatalf("it ended: %s", p.out)
		}
	}
	_, rest, _ := strings.Cut(p.out.String(), "addr=")
	p.addr, _, _ = strings.Cut(rest, "\n")
	go func() { // a full pipe would stop it
		for {
			if _, err := pipe.Read(buf); err != nil {
				return
			}
		}
	}()
	return p
}

func (p *program) dial(t *testing.T) net.Conn {
	t.Helper()
	network, addr := "tcp", p.addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// exits waits for the end and compares the status.
func (p *program) exits(t *testing.T, status int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // the status says it all
		close(done)
	}()
	select {
	case <-done:
		if got := p.cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("exit status %d, want %d", got, status)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

func exchange(t *testing.T, c net.Conn, ask, want string) {
	t.Helper()
	go func() { _, _ = c.Write([]byte(ask)) }() // not before the reading: it may be long
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := c.Read(got[n:])
		n += m
		if err != nil {
			t.Fatalf("%.60q: %v after %d bytes of %d: %.100q", ask, err, n, len(want), got[:n])
		}
	}
	if string(got) != want {
		t.Fatalf("%.60q: got %.100q, want %.100q", ask, got, want)
	}
}

// LOOP-14, LOOP-15, CONN-30: each poller serves TCP and unix sockets alike, and stops on SIGTERM.
func TestLOOP14EachBackendWithRealSockets(t *testing.T) {
	value := strings.Repeat("0123456789\r\n", 100_000)
	for _, backend := range kernel.Backends() {
		for _, addr := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "s")} {
			p := start(t, "-addr", addr, "-event-backend", backend)
			a, b := p.dial(t), p.dial(t)
			exchange(t, a, conversation, conversationReply)
			exchange(t, b, "INCR n\r\n", ":1\r\n")
			exchange(t, a, frame("SET", "big", value)+"INCR n\r\n", "+OK\r\n:2\r\n")
			exchange(t, b, frame("GET", "big")+"PING\r\n", bulk(value)+"+PONG\r\n")
			exchange(t, a, frame("SET", "k", "v", "PX", "30"), "+OK\r\n")
			keys := []byte(":4\r\n")
			for tries := 0; string(keys) != ":3\r\n"; tries++ { // TIME-15, on a machine that may be busy
				time.Sleep(10 * time.Millisecond)
				if _, err := a.Write([]byte("DBSIZE\r\n")); err != nil || tries > 500 {
					t.Fatalf("%s with %s: the key stays; %v", addr, backend, err)
				}
				if _, err := io.ReadFull(a, keys); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if n, err := b.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Fatal("still connected after SIGTERM")
			}
			p.exits(t, exitGood)
		}
	}
}

// LOOP-15: what is owed is written after SIGTERM; a second signal does not wait for it. A unix socket
// holds less of a reply than it takes to have sent this one.
func TestLOOP15Signals(t *testing.T) {
	value := strings.Repeat("x", 2<<20)
	for _, second := range []bool{false, true} {
		p := start(t, "-addr", "unix:"+filepath.Join(t.TempDir(), "s"))
		c := p.dial(t)
		exchange(t, c, frame("SET", "big", value), "+OK\r\n")
		if _, err := c.Write([]byte(frame("GET", "big"))); err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1)
		if _, err := c.Read(first); err != nil { // the reply has begun
			t.Fatal(err)
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if second {
			time.Sleep(50 * time.Millisecond)
			_ = p.cmd.Process.Signal(syscall.SIGINT)
			p.exits(t, exitFail)
			continue
		}
		rest, err := io.ReadAll(c)
		if err != nil || string(first)+string(rest) != bulk(value) {
			t.Fatalf("%d bytes, %v", len(rest), err)
		}
		p.exits(t, exitGood)
	}
}

// LOOP-15: that nobody reads the log any more is no signal to end.
func TestLogWithoutReader(t *testing.T) {
	p := start(t, "-addr", "127.0.0.1:0", "-loglevel", "verbose")
	if err := p.log.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each is a line in the log
		exchange(t, p.dial(t), "PING\r\n", "+PONG\r\n")
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.exits(t, exitGood)
}

// CONN-12: select cannot watch more than FD_SETSIZE descriptors: the server says so and refuses.
func TestSelectLowersMaxclients(t *testing.T) {
	p := start(t, "-addr", "127.0.0.1:0", "-event-backend", "select")
	if !strings.Contains(p.out.String(), "maxclients lowered") {
		t.Fatalf("log: %s", p.out)
	}
	exchange(t, p.dial(t), "CONFIG GET maxclients\r\n", "*2\r\n$10\r\nmaxclients\r\n$3\r\n992\r\n")
}

// CONN-30: CLIENT INFO shows a client of a unix socket as Redis does.
func TestCONN30ClientOfAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	c := start(t, "-addr", "unix:"+path).dial(t)
	exchange(t, c, "MULTI\r\nCLIENT INFO\r\n", "+OK\r\n+QUEUED\r\n")
	for _, e := range [][2]string{{"EXEC", " flags=xU "}, {"CLIENT INFO", " flags=U "}} {
		ask, want := e[0], e[1]
		if _, err := c.Write([]byte(ask + "\r\n")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		if got := string(buf[:n]); err != nil || !strings.Contains(got, want) ||
			!strings.Contains(got, " addr="+path+":0 laddr="+path+":0 ") {
			t.Errorf("%s: %q, %v", ask, got, err)
		}
	}
}

// A server that cannot have all of its addresses never says that it is ready.
func TestReadyMeansAllOfIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "such")
	var out, log bytes.Buffer
	got := Main([]string{"-addr", "127.0.0.1:0", "-unixsocket", path}, &log, &out)
	want := "cannot listen at unix:" + path + ": no such file or directory\n"
	if got != exitFail || !strings.HasSuffix(out.String(), want) || log.Len() != 0 {
		t.Fatalf("status %d; it says %q and logs %q", got, out.String(), log.String())
	}
}

// Wrong use gets a sentence that says what to do, and its status.
func TestUsage(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "bad.conf")
	if err := os.WriteFile(conf, []byte("port 7000\ntimeout soon\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-help"}, exitGood, "-client-output-buffer-limit CLASS HARD SOFT SECONDS"},
		{[]string{"--help"}, exitGood, "EXIT STATUS"},
		{[]string{"-version"}, exitGood, "rondo-server " + command.Version},
		{[]string{"-prot", "1"}, exitUsage, `unknown option "prot"`},
		{[]string{"stray"}, exitUsage, "cannot read the configuration: open stray: no such file"},
		{[]string{"-port", "7000", "stray"}, exitUsage, `unexpected argument "stray": a`},
		{[]string{"-bind", "127.0.0.1", "::1"}, exitUsage, "of several words needs quotes"},
		{[]string{"-port"}, exitUsage, "option -port lacks a value"},
		{[]string{"-port", "x"}, exitUsage, `option -port "x": argument couldn't be parsed`},
		{[]string{"-addr", "localhost"}, exitUsage, "HOST:PORT or unix:PATH is needed"},
		{[]string{"-addr", "localhost:99999"}, exitUsage, "between 0 and 65535"},
		{[]string{"-memory-limit", "100mb"}, exitUsage, "memory-limit must be 0, or 134217728 at least"},
		{[]string{"-memory-limit", "1gb", "-maxmemory", "1gb"}, exitUsage,
			"memory-limit leaves 939524096 bytes for maxmemory"},
		{[]string{"-event-backend=iocp"}, exitUsage, `"iocp" is not one of this system's: `},
		{[]string{"-config", conf}, exitUsage, "bad.conf:2: option timeout: argument couldn't be parsed"},
		{[]string{conf}, exitUsage, "bad.conf:2: option timeout: argument couldn't be parsed"},
		{[]string{"-config", conf + "x"}, exitUsage, "cannot read the configuration"},
		{[]string{"-config", filepath.Dir(conf)}, exitUsage, "cannot read the configuration: read " +
			filepath.Dir(conf) + ": is a directory"},
		{[]string{"-port", "0"}, exitFail, "nowhere to listen: give a port or a unixsocket"},
		{[]string{"-addr", taken.Addr().String()}, exitFail, "address already in use: another server" +
			" has it; try -addr 127.0.0.1:0 for any free port"},
		{[]string{"-logfile", "/nowhere/at/all"}, exitFail, "cannot open the log"},
	} {
		var out bytes.Buffer
		if got := Main(c.args, &out, &out); got != c.status || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: status %d, want %d; it says\n%s", c.args, got, c.status, out.String())
		}
	}
}

// The file comes first and what is typed overrides it, in whatever order they stand.
func TestFlagsOverrideTheFile(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "rondo.conf")
	if err := os.WriteFile(conf, []byte("port 7000\ntimeout 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-port=7001", "--config", conf}, {conf, "--port", "7001"}} {
		cfg, _, err := parseArgs(args)
		if err != nil || cfg.Port != 7001 || cfg.TimeoutSecs != 5 {
			t.Fatalf("%q: port %d timeout %d: %v", args, cfg.Port, cfg.TimeoutSecs, err)
		}
	}
	cfg, _, err := parseArgs([]string{"-addr", "unix:/tmp/s"})
	addrs, _ := cfg.listenAddrs()
	if err != nil || len(addrs) != 1 || addrs[0] != "unix:/tmp/s" {
		t.Fatalf("listens at %q: %v", addrs, err)
	}
}
