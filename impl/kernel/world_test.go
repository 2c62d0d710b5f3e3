//go:build linux || darwin || freebsd || netbsd || dragonfly

// The worlds that the conformance tests run in: an OS with each poller, and the simulation. A
// world is a kernel.Kernel and, on the other side of its sockets, clients.

package kernel_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// patience bounds every wait for something that does happen.
const patience = 10 * time.Second

type world struct {
	kernel.Kernel
	t    *testing.T
	os   *kernel.OS // nil in the simulation
	dial func(addr string) client
}

// client is the peer of a connection under test.
type client interface {
	local() string
	send(data string)
	recv(n int) string // exactly n bytes; fewer if the stream ends before
	closeWrite()
	reset()
	ended() bool // nothing more arrives
	close()
}

// everywhere runs test in each world.
func everywhere(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sim", func(t *testing.T) { test(t, simWorld(t)) })
	everyBackend(t, test)
}

// everyBackend leaves the simulation out: what the test is about, only a system has.
func everyBackend(t *testing.T, test func(t *testing.T, w *world)) {
	for _, name := range kernel.Backends() {
		t.Run(name, func(t *testing.T) { test(t, osWorld(t, name)) })
	}
}

func osWorld(t *testing.T, backend string) *world {
	o, err := kernel.Open(backend)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Release(); err != nil {
			t.Error(err)
		}
	})
	dial := func(addr string) client { return dialOS(t, addr) }
	return &world{Kernel: o, t: t, os: o, dial: dial}
}

func simWorld(t *testing.T) *world {
	k := sim.New(1)
	k.Horizon = kernel.Forever
	dial := func(addr string) client { return simClient{k, k.Connect(addr)} }
	return &world{Kernel: k, t: t, dial: dial}
}

// ---- helpers on the server's side ----

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) listen(addr string) kernel.FD {
	w.t.Helper()
	fd, err := w.Listen(addr)
	w.must(err)
	w.t.Cleanup(func() { _ = w.Close(fd) })
	return fd
}

// accept waits for the next connection; it is watched only while waiting.
func (w *world) accept(l kernel.FD) (kernel.FD, string) {
	w.t.Helper()
	w.must(w.Watch(l, 0, kernel.Readable))
	w.expect(kernel.Event{FD: l, Tag: 0, Ready: kernel.Readable})
	w.must(w.Watch(l, 0, 0))
	fd, peer, err := w.Accept(l)
	w.must(err)
	return fd, peer
}

// pair is a connection: the server's end and the client.
func (w *world) pair() (kernel.FD, client) {
	w.t.Helper()
	l := w.listen("127.0.0.1:0")
	c := w.dial(w.Addr(l))
	fd, _ := w.accept(l)
	w.t.Cleanup(c.close)
	return fd, c
}

// expect waits until exactly these events are ready together. They need not be at first, since
// what several clients sent arrives one by one.
func (w *world) expect(want ...kernel.Event) {
	w.t.Helper()
	var got []kernel.Event
	buf := make([]kernel.Event, 64)
	end := w.Mono() + int64(patience)
	for range patience / time.Millisecond {
		n, err := w.Wait(buf, end)
		w.must(err)
		got = slices.SortedFunc(slices.Values(buf[:n]), func(a, b kernel.Event) int {
			return int(a.FD - b.FD)
		})
		if slices.Equal(got, want) {
			return
		}
		if w.os != nil {
			time.Sleep(time.Millisecond)
		}
	}
	w.t.Fatalf("events %v, want %v", got, want)
}

// quiet checks that nothing is ready, for as long as a packet on the loopback may take.
func (w *world) quiet() {
	w.t.Helper()
	ev := make([]kernel.Event, 64)
	n, err := w.Wait(ev, w.Mono()+int64(3*time.Millisecond))
	w.must(err)
	if n != 0 {
		w.t.Fatalf("events %v, want none", ev[:n])
	}
}

// read expects n bytes, however they are split.
func (w *world) read(fd kernel.FD, n int) string {
	w.t.Helper()
	var all []byte
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(patience); len(all) < n && time.Now().Before(end); {
		got, err := w.Read(fd, buf[:min(len(buf), n-len(all))])
		if err == kernel.ErrAgain {
			_, err = w.Wait(make([]kernel.Event, 1), w.Mono()) // bytes arrive in the simulation
		}
		w.must(err)
		all = append(all, buf[:got]...)
	}
	return string(all)
}

// ---- clients ----

type osClient struct {
	t    *testing.T
	conn net.Conn
}

func dialOS(t *testing.T, addr string) client {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	conn, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	return osClient{t, conn}
}

func (c osClient) local() string { return c.conn.LocalAddr().String() }

func (c osClient) send(data string) {
	if _, err := c.conn.Write([]byte(data)); err != nil {
		c.t.Error(err)
	}
}

func (c osClient) recv(n int) string {
	buf := make([]byte, n)
	got, _ := io.ReadFull(c.conn, buf)
	return string(buf[:got])
}

func (c osClient) closeWrite() {
	_ = c.conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (c osClient) reset() {
	_ = c.conn.(*net.TCPConn).SetLinger(0)
	_ = c.conn.Close()
}

func (c osClient) ended() bool {
	_, err := c.conn.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

func (c osClient) close() { _ = c.conn.Close() }

type simClient struct {
	k    *sim.Kernel
	peer *sim.Peer
}

func (c simClient) local() string     { return c.peer.Remote() }
func (c simClient) send(data string)  { c.peer.Send(data) }
func (c simClient) recv(n int) string { return c.peer.Recv() }
func (c simClient) closeWrite()       { c.peer.CloseWrite() }
func (c simClient) reset()            { c.peer.Reset() }
func (c simClient) ended() bool       { return c.peer.Closed() }
func (c simClient) close()            { c.peer.Close() }
