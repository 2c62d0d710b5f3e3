package impl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel/sim"
)

// BLOCK-13, BLOCK-4: a timeout ends at its moment, in a turn that was waited for with nothing between.
func TestBLOCK13TimeoutsAreTimeEvents(t *testing.T) {
	w := newWorld(t)
	peers := make([]*sim.Peer, 5)
	for i := range peers {
		peers[i] = w.dial()
		peers[i].Send(fmt.Sprintf("BLPOP none 0.0%d\r\n", 5-i))
	}
	w.pass(0)
	start := w.Mono()
	for range peers {
		w.trace = nil
		w.pass(10 * time.Millisecond)
		i := 5 - int(w.Mono()-start)/1e7
		if got := peers[i].Recv(); got != "*-1\r\n" {
			t.Fatalf("after %d ms: %q", (w.Mono()-start)/1e6, got)
		}
		if n := len(w.of("wait")); n > 4 {
			t.Errorf("%d waits for a timeout", n)
		}
	}
	if w.s.x.Waiting() != 0 {
		t.Error("somebody waits")
	}
}

// BLOCK-4: 0 is never, and so is what no clock reaches.
func TestBLOCK4NoTimeout(t *testing.T) {
	w := newWorld(t)
	for _, timeout := range []string{"0", "0.0", "4611686018427387"} {
		p := w.dial()
		p.Send("BLPOP q " + timeout + "\r\n")
		w.pass(10 * time.Minute)
		if got := p.Recv(); got != "" {
			t.Fatalf("%s: %q", timeout, got)
		}
		w.want(w.dial(), "RPUSH q v\r\n", ":1\r\n")
		if got := w.drain(p); got != "*2\r\n$1\r\nq\r\n$1\r\nv\r\n" {
			t.Fatalf("%s: %q", timeout, got)
		}
	}
}

// BLOCK-9: what came behind a command that waits goes on in the turn after it was answered, though no
// event tells of it; and a client that waits is read from.
func TestBLOCK9WhatCameMeanwhile(t *testing.T) {
	w := newWorld(t)
	p, other := w.dial(), w.dial()
	p.Send("BLPOP q 0\r\nINCR n\r\n" + "SET big " + strings.Repeat("x", 100_000) + "\r\nSTRLEN big\r\nPI")
	w.pass(time.Second)
	p.Send("NG\r\n")
	w.pass(time.Second)
	if got := p.Recv(); got != "" {
		t.Fatalf("answered %q while it waits", got)
	}
	w.want(other, "GET n\r\n", "$-1\r\n")
	other.Send("RPUSH q v\r\n")
	start := w.Mono()
	w.pass(0)
	want := "*2\r\n$1\r\nq\r\n$1\r\nv\r\n:1\r\n+OK\r\n:100000\r\n+PONG\r\n"
	if got := w.drain(p); got != want || w.Mono() != start {
		t.Fatalf("%q after %d ns", got, w.Mono()-start)
	}
}

// BLOCK-9, CONN-14: what a client sends while it waits counts as its query buffer.
func TestBLOCK9ItsInputHasABound(t *testing.T) {
	w := newWorld(t, "client-query-buffer-limit", "1mb")
	p := w.dial()
	p.Send("BLPOP q 0\r\n" + strings.Repeat("PING\r\n", 1<<18))
	w.pass(time.Second)
	if !p.Closed() || w.s.x.Waiting() != 0 {
		t.Error("it waits on")
	}
}

// BLOCK-8: however a connection ends while it waits, nothing is left of it, and the element stays.
func TestBLOCK8EndsOfConnections(t *testing.T) {
	for name, end := range map[string]func(w *world, p *sim.Peer){
		"close":     func(_ *world, p *sim.Peer) { p.Close() },
		"half":      func(_ *world, p *sim.Peer) { p.CloseWrite() },
		"reset":     func(_ *world, p *sim.Peer) { p.Reset() },
		"kill":      func(w *world, p *sim.Peer) { w.want(w.dial(), "CLIENT KILL ID 2\r\n", ":1\r\n") },
		"deaf, end": func(_ *world, p *sim.Peer) { p.CloseWrite() },
	} {
		w := newWorld(t)
		first := w.dial()
		p := w.dial()
		if name == "deaf, end" { // replies are owed to it still, when it ends
			w.want(first, "SETRANGE big 199999 x\r\n", ":200000\r\n")
			p.Send("GET big\r\n")
		}
		p.Send("BLPOP q other 5\r\nRPUSH seen v\r\n")
		w.pass(0)
		if w.s.x.Waiting() != 1 {
			t.Fatalf("%s: %d wait", name, w.s.x.Waiting())
		}
		end(w, p)
		w.pass(0)
		w.want(first, "RPUSH q v\r\n", ":1\r\n")
		w.want(first, "EXISTS q seen\r\n", ":1\r\n")
		w.pass(10 * time.Second)
		if w.s.x.Waiting() != 0 {
			t.Errorf("%s: who has gone waits", name)
		}
	}
}

// BLOCK-8: a push and the end of who waits in one turn, in either order: all is read, ends included, before
// anything is executed, so the element stays.
func TestBLOCK8EndInTheSameTurn(t *testing.T) {
	for _, endsFirst := range []bool{true, false} {
		w := newWorld(t)
		a, b := w.dial(), w.dial()
		waits, pushes := a, b
		if !endsFirst {
			waits, pushes = b, a
		}
		waits.Send("BLPOP q 0\r\n")
		w.pass(0)
		waits.Close()
		w.want(pushes, "RPUSH q v\r\n", ":1\r\n")
		w.want(pushes, "LLEN q\r\n", ":1\r\n")
	}
}

// BLOCK-14: who waits is not idle.
func TestBLOCK14WaitingIsNotIdling(t *testing.T) {
	w := newWorld(t, "timeout", "1")
	p := w.dial()
	p.Send("BLPOP q 0\r\n")
	w.pass(time.Minute)
	w.want(w.dial(), "RPUSH q v\r\n", ":1\r\n")
	if got := w.drain(p); !strings.HasPrefix(got, "*2\r\n") {
		t.Errorf("%q", got)
	}
}

// BLOCK-10, BLOCK-3: one push serves a long chain in one turn, and in the order of it.
func TestBLOCK10Chain(t *testing.T) {
	w := newWorld(t)
	const n = 300
	peers := make([]*sim.Peer, n)
	for i := range peers {
		peers[i] = w.Connect(home)
		peers[i].Send(fmt.Sprintf("BLMOVE q%d q%d LEFT RIGHT 0\r\n", i, i+1))
	}
	w.pass(0)
	w.want(w.dial(), fmt.Sprintf("RPUSH q0 v\r\nLRANGE q%d 0 -1\r\n", n), ":1\r\n*1\r\n$1\r\nv\r\n")
	for i, p := range peers {
		if got := w.drain(p); got != "$1\r\nv\r\n" {
			t.Fatalf("link %d: %q", i, got)
		}
	}
}

// BLOCK-5: many wait, and are served in the order in which they came, also when some in between have gone.
func TestBLOCK5InOrder(t *testing.T) {
	w := newWorld(t)
	const n = 60
	peers := make([]*sim.Peer, n)
	for i := range peers {
		peers[i] = w.dial()
		peers[i].Send("BLPOP none q 0\r\n")
		w.pass(0)
	}
	next := 0
	pusher := w.dial()
	for i := range n {
		if i%3 == 1 {
			peers[i].Close()
		}
	}
	w.pass(0)
	for i, p := range peers {
		if i%3 == 1 {
			continue
		}
		w.want(pusher, fmt.Sprintf("RPUSH q %d\r\n", next), ":1\r\n")
		want := fmt.Sprintf("*2\r\n$1\r\nq\r\n$%d\r\n%d\r\n", len(fmt.Sprint(next)), next)
		if got := p.Recv(); got != want {
			t.Fatalf("client %d: %q, want %q", i, got, want)
		}
		next++
	}
}
