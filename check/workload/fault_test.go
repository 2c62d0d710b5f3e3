package workload

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/target"
)

// proxy stands between the clients and servers. When the file appears it cuts all connections, and
// goes on with the next server.
type proxy struct {
	listener net.Listener
	cut      string
	mu       sync.Mutex
	servers  []string
	conns    []net.Conn
}

func startProxy(t *testing.T, servers ...*target.Target) (*proxy, *target.Target) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, cut: filepath.Join(t.TempDir(), "cut")}
	for _, s := range servers {
		p.servers = append(p.servers, s.Addr())
	}
	t.Cleanup(func() { l.Close(); p.drop() })
	go p.accept()
	go p.watch(t.Context())
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p, tg
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		out, err := net.Dial("tcp", p.servers[0])
		p.conns = append(p.conns, in)
		p.mu.Unlock()
		if err != nil {
			in.Close()
			continue
		}
		pipe := func(to, from net.Conn) { _, _ = io.Copy(to, from); to.Close(); from.Close() }
		go pipe(in, out)
		go pipe(out, in)
	}
}

func (p *proxy) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if os.Remove(p.cut) == nil {
			p.drop()
		}
		time.Sleep(time.Millisecond)
	}
}

// drop cuts every connection and turns to the next server, if there is one.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
	if len(p.servers) > 1 {
		p.servers = p.servers[1:]
	}
}

// TestFault: what a fault does to connections is no breach and leaves a mark; without a fault that
// was asked for, the same is a breach.
func TestFault(t *testing.T) {
	p, tg := startProxy(t, serve(t, ""))
	h, st, err := Run(context.Background(), tg, Options{Ops: 4000, Seed: 1, Mix: "register",
		Fault: "touch " + p.cut + "; echo cut; exit 3", FaultEvery: 100 * time.Millisecond})
	if err != nil || len(st.Broken) > 0 {
		t.Fatal(err, st.Broken)
	}
	if len(h.Marks) == 0 || h.Marks[0].Outcome != "exit status 3: cut" || h.Marks[0].To <= h.Marks[0].From {
		t.Errorf("marks %+v", h.Marks)
	}
	if r := linear.Check(reread(t, h), linear.Options{}); r.Verdict != linear.OK || r.Unanswered < 5 {
		t.Errorf("%s: %s; %d lost", r.Verdict, r.Reason, r.Unanswered)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
			_ = os.WriteFile(p.cut, nil, 0o644)
		}
	}()
	_, st, err = Run(context.Background(), tg, Options{Ops: 20_000, Seed: 1})
	if err != nil || len(st.Broken) == 0 || !strings.HasPrefix(st.Broken[0], "CONN-1: ") {
		t.Errorf("without a fault: %v, %v", err, st.Broken)
	}
}

// TestFaultForgets: a server that forgets what it has answered is illegal, across a fault too. On a
// busy machine a fault may hit no group in the middle, so there are three recordings.
func TestFaultForgets(t *testing.T) {
	p, tg := startProxy(t, serve(t, ""), serve(t, ""))
	var verdicts []linear.Verdict
	for seed := range int64(3) {
		h, st, err := Run(context.Background(), tg, Options{Ops: 3000, Seed: seed, Mix: "register",
			Fault: "touch " + p.cut, FaultEvery: 100 * time.Millisecond})
		if err != nil || len(st.Broken) > 0 {
			t.Fatal(err, st.Broken)
		}
		r := linear.Check(h, linear.Options{Timeout: time.Second})
		if r.Verdict == linear.Illegal {
			return
		}
		verdicts = append(verdicts, r.Verdict)
	}
	t.Errorf("three recordings: %v", verdicts)
}

// TestFaultKnows: the command is told whom it is about.
func TestFaultKnows(t *testing.T) {
	r := &run{rec: history.NewRecorder(), target: serve(t, ""), opt: Options{Fault: "echo $RONDO_PORT"}}
	if m := r.fault(); !strings.HasSuffix(r.target.Addr(), strings.TrimPrefix(m.Outcome, "exit status 0: ")) {
		t.Errorf("outcome %q, target %s", m.Outcome, r.target.Addr())
	}
}
