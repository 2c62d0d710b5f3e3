// The simulation's own promises. That it is a port like any other is tested with the others, in
// package kernel.

package sim_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

const addr = "127.0.0.1:6379"

// loop is the smallest server: it echoes, and notes at which offsets its timer ran.
type loop struct {
	k        *sim.Kernel
	listener kernel.FD
	start    int64
	timer    int64 // next due, or Forever
	period   time.Duration
	ticks    []time.Duration
}

func newLoop(t *testing.T, k *sim.Kernel, period time.Duration) *loop {
	t.Helper()
	fd, err := k.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Watch(fd, 0, kernel.Readable); err != nil {
		t.Fatal(err)
	}
	l := &loop{k: k, listener: fd, start: k.Mono(), timer: kernel.Forever, period: period}
	if period > 0 {
		l.timer = k.Mono() + int64(period)
	}
	return l
}

func (l *loop) turn() error {
	var ev [8]kernel.Event
	n, err := l.k.Wait(ev[:], l.timer)
	for _, e := range ev[:n] {
		if e.FD == l.listener {
			fd, _, _ := l.k.Accept(e.FD)
			_ = l.k.Watch(fd, 1, kernel.Readable)
			continue
		}
		l.echo(e.FD)
	}
	for l.period > 0 && l.k.Mono() >= l.timer {
		l.ticks = append(l.ticks, time.Duration(l.k.Mono()-l.start))
		l.timer = l.k.Mono() + int64(l.period)
	}
	return err
}

func (l *loop) echo(fd kernel.FD) {
	buf := make([]byte, 100)
	n, err := l.k.Read(fd, buf)
	if err == nil {
		_, err = l.k.Write(fd, buf[:n])
	}
	if err != nil {
		_ = l.k.Close(fd)
	}
}

func pass(t *testing.T, k *sim.Kernel, d time.Duration, turn func() error) {
	t.Helper()
	if err := k.Pass(d, turn); err != nil {
		t.Fatal(err)
	}
}

func TestTimeGoesFromTimerToTimer(t *testing.T) {
	k := sim.New(1)
	l := newLoop(t, k, 20*time.Millisecond)
	wall := k.Wall()
	pass(t, k, 0, l.turn)
	if k.Mono() != l.start || l.ticks != nil {
		t.Errorf("time passed on its own: %v", l.ticks)
	}
	pass(t, k, 50*time.Millisecond, l.turn)
	pass(t, k, 10*time.Millisecond, l.turn)
	k.Advance(25 * time.Millisecond) // over the timer at 80: the process was late
	pass(t, k, 0, l.turn)
	const ms = time.Millisecond
	if want := []time.Duration{20 * ms, 40 * ms, 60 * ms, 85 * ms}; !slices.Equal(l.ticks, want) {
		t.Errorf("ticks at %v, want %v", l.ticks, want)
	}
	if mono, wall := k.Mono()-l.start, k.Wall()-wall; mono != int64(85*ms) || wall != mono {
		t.Errorf("the clocks moved by %d and %d", mono, wall)
	}
	mono := k.Mono()
	if k.SetWall(5); k.Wall() != 5 || k.Mono() != mono {
		t.Errorf("after a jump of the wall clock: %d and %d", k.Wall(), k.Mono())
	}
}

func TestPassFindsTheRestless(t *testing.T) {
	k := sim.New(1)
	if err := k.Pass(0, func() error { _, err := k.Wait(nil, k.Mono()); return err }); err == nil {
		t.Error("a server that only polls is taken to be at rest")
	}
	broken := errors.New("broken")
	if err := k.Pass(0, func() error { return broken }); err != broken {
		t.Errorf("error of a turn: %v", err)
	}
}

func TestPeer(t *testing.T) {
	k := sim.New(1)
	l := newLoop(t, k, 0)
	p := k.Connect(addr)
	p.Send("hello")
	pass(t, k, 0, l.turn)
	if got := p.Recv(); got != "hello" || p.Closed() {
		t.Errorf("got %q, closed %v", got, p.Closed())
	}
	p.Send("bye")
	p.CloseWrite()
	pass(t, k, 0, l.turn)
	if got := p.Recv(); got != "bye" || !p.Closed() || p.Broken() {
		t.Errorf("got %q, closed %v, broken %v", got, p.Closed(), p.Broken())
	}
	if p := k.Connect("127.0.0.1:1"); !p.Closed() || !p.Broken() {
		t.Error("connected to nobody")
	}
	waiting := k.Connect(addr)
	if err := k.Close(l.listener); err != nil || !waiting.Broken() {
		t.Errorf("the listener's end leaves its backlog: %v", err)
	}
}

func TestPeerAddresses(t *testing.T) {
	k := sim.New(1)
	for _, at := range []string{addr, "unix:/tmp/s"} {
		l, err := k.Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*sim.Peer{k.Connect(at), k.ConnectFrom("203.0.113.5:9", at)} {
			if _, remote, err := k.Accept(l); err != nil || remote != p.Remote() {
				t.Errorf("accepted %q, %v; want %q", remote, err, p.Remote())
			}
		}
	}
}

func TestBuffersAreFinite(t *testing.T) {
	k := sim.New(1)
	k.RecvBytesMax, k.SendBytesMax = 3, 2
	l, err := k.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := k.Connect(addr)
	fd, _, err := k.Accept(l)
	if err != nil {
		t.Fatal(err)
	}
	p.Send("abcde")
	p.CloseWrite()
	var reads []string
	for err == nil {
		var n int
		buf := make([]byte, 10)
		if _, err := k.Wait(nil, k.Mono()); err != nil {
			t.Fatal(err)
		}
		if n, err = k.Read(fd, buf); err == nil {
			reads = append(reads, string(buf[:n]))
		}
	}
	if err != io.EOF || strings.Join(reads, " ") != "abc de" {
		t.Errorf("reads %q, %v", reads, err)
	}
	for _, want := range []string{"xy", "zx"} {
		if n, err := k.Write(fd, []byte(want+"more")); n != 2 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		if _, err := k.Write(fd, []byte("more")); err != kernel.ErrAgain {
			t.Errorf("write without room: %v", err)
		}
		if got := p.Recv(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What a job submits, and what its completion submits, has its turn later (LOOP-13).
func TestJobsRunInWait(t *testing.T) {
	k := sim.New(1)
	var order []string
	note := func(s string) func() { return func() { order = append(order, s) } }
	k.Submit(func() { note("run 1")(); k.Submit(note("run 3"), note("done 3")) }, note("done 1"))
	k.Submit(note("run 2"), note("done 2"))
	turn := func() error {
		_, err := k.Wait(nil, kernel.Forever)
		note("waited")()
		for done := k.Done(); done != nil; done = k.Done() {
			done()
		}
		return err
	}
	pass(t, k, 0, turn)
	want := "run 1 run 2 waited done 1 done 2 run 3 waited done 3 waited"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSameSeedSameWorld(t *testing.T) {
	a, b, c := sim.New(7), sim.New(7), sim.New(8)
	if x, y, z := a.Rand(), b.Rand(), c.Rand(); x != y || x == z {
		t.Errorf("seeds 7, 7, 8 gave %d, %d, %d", x, y, z)
	}
}

func TestUseAfterCloseIsAPanic(t *testing.T) {
	k := sim.New(1)
	fd, err := k.Listen(addr)
	if err == nil {
		err = k.Close(fd)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the second close went unnoticed")
		}
	}()
	_ = k.Close(fd)
}
