//go:build linux || darwin || freebsd || netbsd || dragonfly

// What only an operating system has: files of sockets, limits, a collector that must not wait.

package kernel_test

import (
	"cmp"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// exhaust takes all free descriptors away and returns how to give them back.
func exhaust(t *testing.T, w *world) (restore func()) {
	if k, ok := w.Kernel.(*sim.Kernel); ok {
		old := k.DescriptorsMax
		k.DescriptorsMax = 4 // the listener has the first and only one
		return func() { k.DescriptorsMax = old }
	}
	var old unix.Rlimit
	w.must(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	free, err := unix.Dup(0) // the lowest free number becomes the first forbidden one
	w.must(err)
	w.must(unix.Close(free))
	low := old
	low.Cur = 0
	for range free {
		low.Cur++ // its type differs by system
	}
	w.must(unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBackends(t *testing.T) {
	if names := kernel.Backends(); len(names) < 3 || !slices.Contains(names, "poll") {
		t.Errorf("backends: %v", names)
	}
	for _, name := range append([]string{""}, kernel.Backends()...) {
		k, err := kernel.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if want := cmp.Or(name, kernel.Backends()[0]); k.Name() != want {
			t.Errorf("opened %q, got %q, want %q", name, k.Name(), want)
		}
		if err := k.Release(); err != nil {
			t.Error(err)
		}
	}
	if _, err := kernel.Open("abacus"); err == nil || !strings.Contains(err.Error(), "select") {
		t.Errorf("open of an unknown backend: %v", err)
	}
}

func TestListenAddresses(t *testing.T) {
	w := osWorld(t, "")
	for _, addr := range []string{":0", "*:0", "localhost:0", "0.0.0.0:0"} {
		l := w.listen(addr)
		_, port, _ := net.SplitHostPort(w.Addr(l))
		c := w.dial("127.0.0.1:" + port)
		defer c.close()
		fd, peer := w.accept(l)
		if peer != c.local() {
			t.Errorf("listening at %q: peer %q, want %q", addr, peer, c.local())
		}
		if local := w.Addr(fd); local != "127.0.0.1:"+port {
			t.Errorf("listening at %q: local address %q, want that of the connection", addr, local)
		}
		w.must(w.Close(fd))
	}
	for _, addr := range []string{"", "nowhere", "127.0.0.1:port", "unix:"} {
		if fd, err := w.Listen(addr); err == nil {
			t.Errorf("listen %q gave descriptor %d", addr, fd)
		}
	}
}

func TestIPv6(t *testing.T) {
	w := osWorld(t, "")
	l, err := w.Listen("[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	defer w.Close(l)
	c := w.dial(w.Addr(l))
	defer c.close()
	fd, peer := w.accept(l)
	defer w.Close(fd)
	if peer != c.local() {
		t.Errorf("peer %q, want %q", peer, c.local())
	}
}

func TestSocketOptions(t *testing.T) {
	w := osWorld(t, "")
	fd, _ := w.pair()
	option := func(level, name int) int {
		v, err := unix.GetsockoptInt(int(fd), level, name)
		w.must(err)
		return v
	}
	if option(unix.IPPROTO_TCP, unix.TCP_NODELAY) == 0 {
		t.Error("Nagle delays replies")
	}
	w.must(w.Keepalive(fd, 300))
	if option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 ||
		option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL) != 100 ||
		option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT) != 3 {
		t.Error("keepalive is not as asked for")
	}
	w.must(w.Keepalive(fd, 0))
	if option(unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 0 {
		t.Error("keepalive cannot be turned off")
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if w.must(err); flags&unix.FD_CLOEXEC == 0 {
		t.Error("children inherit the connection")
	}
}

// A temporary directory of the test may be too deep for the path of a socket.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "rondo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func TestUnixSocket(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		path := socketPath(t)
		l := w.listen("unix:" + path)
		if w.Addr(l) != "unix:"+path {
			t.Errorf("address %q", w.Addr(l))
		}
		c := w.dial("unix:" + path)
		defer c.close()
		fd, peer := w.accept(l)
		if peer != "unix:"+path {
			t.Errorf("peer %q", peer)
		}
		w.must(w.Keepalive(fd, 300))
		c.send("ping")
		if got := w.read(fd, 4); got != "ping" {
			t.Errorf("read %q", got)
		}
		if _, err := w.Listen("unix:" + path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("second listener: %v", err)
		}
		w.must(w.Close(fd))
		w.must(w.Close(l))
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the file is still there: %v", err)
		}
	})
}

func TestUnixSocketFiles(t *testing.T) {
	w := osWorld(t, "")
	stale := socketPath(t)
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	w.must(err)
	killed.SetUnlinkOnClose(false)
	w.must(killed.Close())
	l := w.listen("unix:" + stale) // the file of a dead server is in nobody's way

	w.must(os.Remove(stale))
	w.must(os.WriteFile(stale, []byte("precious"), 0o600))
	w.must(w.Close(l))
	if _, err := os.Lstat(stale); err != nil {
		t.Errorf("close removed a file that was not its own: %v", err)
	}
	if _, err := w.Listen("unix:" + stale); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("listening over a file that is no socket: %v", err)
	}
	if data, _ := os.ReadFile(stale); string(data) != "precious" {
		t.Errorf("the file now holds %q", data)
	}
}

func TestLimit(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		const high = 2000
		if limit := w.os.Limit(); limit < 16 {
			t.Errorf("limit %d", limit)
		}
		fd, _ := w.pair()
		large, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD, high)
		if err != nil {
			t.Skip("not that many descriptors here: ", err)
		}
		err = w.Watch(kernel.FD(large), 1, kernel.Writable)
		if fits := w.os.Limit() > high; fits != (err == nil) || !fits && err != kernel.ErrTooMany {
			t.Errorf("limit %d, watch of descriptor %d: %v", w.os.Limit(), large, err)
		}
		w.must(w.Close(kernel.FD(large)))
		w.must(w.Close(fd))
	})
}

// The steady state allocates nothing: a loop that does not allocate is never made to help the
// collector.
func TestNoAllocations(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		w.must(w.Watch(fd, 1, kernel.Readable))
		c.send("x")
		w.expect(kernel.Event{FD: fd, Tag: 1, Ready: kernel.Readable})
		ev, buf := make([]kernel.Event, 64), make([]byte, 64)
		for name, turn := range map[string]func(){
			"wait":     func() { _, _ = w.Wait(ev, w.Mono()) },
			"read":     func() { _, _ = w.Read(fd, buf) }, // one byte, then ErrAgain
			"write":    func() { _, _ = w.Write(fd, buf[:1]) },
			"interest": func() { _ = w.Watch(fd, 2, both); _ = w.Watch(fd, 3, kernel.Readable) },
			"wake":     func() { w.Wake(); _, _ = w.Wait(ev, kernel.Forever) },
			"done":     func() { w.Done() },
		} {
			if got := testing.AllocsPerRun(100, turn); got != 0 {
				t.Errorf("%s: %v allocations", name, got)
			}
		}
	})
}

// A collection must stop the loop, and so waits for it. If the loop has no safe point that takes
// a second and more each time; a busy machine makes some slow, but never all.
func TestCollectorNeedNotWait(t *testing.T) {
	const slow, enough = 20 * time.Millisecond, 3
	modes := map[string]func(w *world) int64{
		"spinning": func(w *world) int64 { return w.Mono() },
		"brisk":    func(w *world) int64 { return w.Mono() + int64(time.Millisecond) },
		"idle":     func(*world) int64 { return kernel.Forever },
	}
	for mode, until := range modes {
		t.Run(mode, func(t *testing.T) {
			everyBackend(t, func(t *testing.T, w *world) {
				defer w.loop(until)()
				fast := 0
				for end := time.Now().Add(patience); fast < enough && time.Now().Before(end); {
					start := time.Now()
					runtime.GC()
					if time.Since(start) < slow {
						fast++
					}
				}
				if fast < enough {
					t.Errorf("%d collections in %v took less than %v", fast, patience, slow)
				}
			})
		})
	}
}

// loop waits again and again on a goroutine of its own, until stopped.
func (w *world) loop(until func(*world) int64) (stop func()) {
	var stopped atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ev := make([]kernel.Event, 64)
		for !stopped.Load() {
			_, _ = w.Wait(ev, until(w))
		}
	}()
	return func() {
		stopped.Store(true)
		w.Wake()
		<-ended
	}
}

// Rings from many goroutines, also while the OS is released: none that matters is lost. One lost
// would leave the bell silent for ever.
func TestWakeFromEverywhere(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		const ringers, waits = 2, 1000
		var stop atomic.Bool
		defer stop.Store(true)
		for range ringers {
			go func() {
				for !stop.Load() {
					w.Wake()
				}
			}()
		}
		ev := make([]kernel.Event, 4)
		for range waits {
			end := w.Mono() + int64(patience)
			if n, err := w.Wait(ev, end); n != 0 || err != nil || w.Mono() >= end {
				t.Fatalf("wait among rings: %d, %v, %v too late", n, err, time.Duration(w.Mono()-end))
			}
		}
	})
}
