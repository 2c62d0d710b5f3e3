//go:build linux || darwin || freebsd || netbsd || dragonfly

// What every implementation of the port must do, tried on all of them (LOOP-14). What only an
// operating system has is in os_test.go.

package kernel_test

import (
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

const both = kernel.Readable | kernel.Writable

func TestConversation(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		l := w.listen("127.0.0.1:0")
		if addr := w.Addr(l); strings.HasSuffix(addr, ":0") || !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Fatalf("address %q, want one with a port", addr)
		}
		if _, _, err := w.Accept(l); err != kernel.ErrAgain {
			t.Fatalf("accept without a peer: %v", err)
		}
		c := w.dial(w.Addr(l))
		defer c.close()
		fd, peer := w.accept(l)
		if peer != c.local() {
			t.Errorf("peer %q, want %q", peer, c.local())
		}
		buf := make([]byte, 100)
		if _, err := w.Read(fd, buf); err != kernel.ErrAgain {
			t.Fatalf("read of nothing: %v", err)
		}
		w.must(w.Watch(fd, 7, kernel.Readable))
		c.send("ping")
		w.expect(kernel.Event{FD: fd, Tag: 7, Ready: kernel.Readable})
		if got := w.read(fd, 4); got != "ping" {
			t.Errorf("read %q", got)
		}
		if n, err := w.Write(fd, []byte("pong")); n != 4 || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		if got := c.recv(4); got != "pong" {
			t.Errorf("client read %q", got)
		}
		c.closeWrite()
		w.expect(kernel.Event{FD: fd, Tag: 7, Ready: kernel.Readable})
		if _, err := w.Read(fd, buf); err != io.EOF {
			t.Errorf("read at the end: %v", err)
		}
		if n, err := w.Write(fd, []byte("bye")); n != 3 || err != nil || c.recv(3) != "bye" {
			t.Errorf("write after the peer's half-close: %d, %v", n, err)
		}
		w.must(w.Close(fd))
		if !c.ended() {
			t.Error("the client does not see the close")
		}
	})
}

func TestReadinessIsALevel(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		ready := kernel.Event{FD: fd, Tag: 1, Ready: kernel.Readable}
		w.must(w.Watch(fd, 1, kernel.Readable))
		c.send("abcd")
		w.expect(ready)
		w.expect(ready)
		w.read(fd, 3)
		w.expect(ready)
		w.read(fd, 1)
		w.quiet()
	})
}

func TestInterestChanges(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		for i, step := range []struct {
			send      string
			in, ready kernel.Interest
		}{
			{"", kernel.Readable, 0},
			{"", kernel.Writable, kernel.Writable},
			{"", both, kernel.Writable},
			{"x", both, both},
			{"", kernel.Writable, kernel.Writable},
			{"", kernel.Readable, kernel.Readable},
			{"", 0, 0},
			{"", 0, 0},
			{"", kernel.Readable, kernel.Readable},
		} {
			c.send(step.send)
			tag := uint64(i)
			w.must(w.Watch(fd, tag, step.in))
			if step.ready == 0 {
				w.quiet()
			} else {
				w.expect(kernel.Event{FD: fd, Tag: tag, Ready: step.ready})
			}
		}
		w.must(w.Close(fd))
		w.quiet()
	})
}

// A writer fills what there is room for and no more, and hears when there is room again.
func TestPartialWrites(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		chunk := []byte(strings.Repeat("0123456789abcdef", 4096))
		written, full := 0, false
		for !full {
			n, err := w.Write(fd, chunk)
			written += n
			if full = err == kernel.ErrAgain; !full {
				w.must(err)
			}
		}
		w.must(w.Watch(fd, 1, kernel.Writable))
		w.quiet()
		if got := c.recv(written); len(got) != written {
			t.Fatalf("the client got %d bytes of %d", len(got), written)
		}
		w.expect(kernel.Event{FD: fd, Tag: 1, Ready: kernel.Writable})
	})
}

// LOOP-8: what a batch says of a closed descriptor bears the old tag, and later batches do not
// speak of it at all.
func TestReuseInsideABatch(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		l := w.listen("127.0.0.1:0")
		var clients []client
		connect := func() {
			c := w.dial(w.Addr(l))
			t.Cleanup(c.close)
			clients = append(clients, c)
		}
		connect()
		old, _ := w.accept(l)
		for range 16 {
			connect()
		}
		w.must(w.Watch(old, 1, both))
		clients[0].send("for the old one")
		w.expect(kernel.Event{FD: old, Tag: 1, Ready: both})
		w.must(w.Close(old))
		heir := old + 1
		for heir != old { // the lowest free number is given out, but the clients of an OS take some too
			fd, _, err := w.Accept(l)
			w.must(err)
			heir = fd
		}
		w.must(w.Watch(heir, 2, kernel.Readable))
		w.quiet()
		w.must(w.Watch(heir, 3, both))
		w.expect(kernel.Event{FD: heir, Tag: 3, Ready: kernel.Writable})
	})
}

func TestPeerReset(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for _, in := range []kernel.Interest{kernel.Readable, both} {
			fd, c := w.pair()
			w.must(w.Watch(fd, 9, in))
			c.reset()
			w.expect(kernel.Event{FD: fd, Tag: 9, Ready: in})
			_, err := w.Read(fd, make([]byte, 10))
			if err == nil || err == io.EOF || err == kernel.ErrAgain {
				t.Errorf("read after a reset: %v", err)
			}
			w.must(w.Close(fd))
		}
	})
}

// A stream that has not arrived yet is ended and not closed; the peer gets all of it, though it
// goes on sending.
func TestCloseWrite(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		data := make([]byte, 64<<10)
		total := 0
		for {
			n, err := w.Write(fd, data)
			if total += n; err != nil {
				break // the buffer is full
			}
		}
		if w.CloseWrite(fd) {
			t.Fatal("all of it has arrived unread")
		}
		c.send("more")
		if got := len(c.recv(total)); got != total || !c.ended() {
			t.Fatalf("%d bytes of %d arrived", got, total)
		}
		w.must(w.Close(fd))
	})
}

// A write to a closed peer becomes an error in the end, and never a signal.
func TestWriteToClosedPeer(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		fd, c := w.pair()
		c.close()
		var err error
		for end := time.Now().Add(patience); err == nil && time.Now().Before(end); {
			_, err = w.Write(fd, []byte("x"))
		}
		if err == nil || err == kernel.ErrAgain {
			t.Errorf("write to a closed peer: %v", err)
		}
	})
}

// Where the batch is too short for all, everyone gets a turn.
func TestShortBatchesAreFair(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		seen := map[kernel.FD]int{}
		for range 5 {
			fd, _ := w.pair()
			seen[fd] = 0
		}
		for fd := range seen {
			w.must(w.Watch(fd, 0, kernel.Writable))
		}
		ev := make([]kernel.Event, 2)
		for range 10 {
			n, err := w.Wait(ev, w.Mono())
			w.must(err)
			for _, e := range ev[:n] {
				seen[e.FD]++
			}
		}
		for fd, times := range seen {
			if times < 2 {
				t.Errorf("descriptor %d was reported %d times of 10: %v", fd, times, seen)
			}
		}
	})
}

// LOOP-3, LOOP-4: never early. How late is not for a test on a shared machine to say, but that
// the wait does not spin is.
func TestWaitEndsWhenDue(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		waits := new(int)
		if w.os != nil {
			waits = w.os.CountWaits()
		}
		ev := make([]kernel.Event, 8)
		for _, d := range []time.Duration{-time.Second, 0, 1, 300 * time.Microsecond,
			1300 * time.Microsecond, 7 * time.Millisecond} {
			*waits = 0
			until := w.Mono() + int64(d)
			n, err := w.Wait(ev, until)
			if n != 0 || err != nil {
				t.Fatalf("wait of %v: %d, %v", d, n, err)
			}
			if early := until - w.Mono(); early > 0 {
				t.Errorf("wait of %v ended %v early", d, time.Duration(early))
			}
			if *waits > 3 { // more than one only after an interrupt
				t.Errorf("wait of %v took %d polls", d, *waits)
			}
		}
	})
}

// LOOP-11: a ring before the wait or during it ends one wait, and is no event.
func TestWake(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		ev := make([]kernel.Event, 8)
		for range 20 {
			w.Wake()
			w.Wake()
			if n, err := w.Wait(ev, kernel.Forever); n != 0 || err != nil {
				t.Fatalf("woken wait: %d, %v", n, err)
			}
			w.quiet()
			if w.os != nil {
				go w.Wake()
				if n, err := w.Wait(ev, kernel.Forever); n != 0 || err != nil {
					t.Fatalf("wait woken from elsewhere: %d, %v", n, err)
				}
			}
		}
	})
}

// LOOP-13: jobs run elsewhere, their completions where and when the loop asks.
func TestJobs(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		const jobs = 50
		var running, most, ran atomic.Int64
		var asked atomic.Bool // the loop is running completions
		done := 0             // not atomic: completions are this goroutine's
		for range jobs {
			w.Submit(func() {
				now := running.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); {
					old = most.Load()
				}
				ran.Add(1)
				running.Add(-1)
			}, func() {
				if !asked.Load() {
					t.Error("a completion ran by itself")
				}
				done++
			})
		}
		w.Submit(func() { ran.Add(1) }, nil)
		ev := make([]kernel.Event, 8)
		for end := time.Now().Add(patience); done < jobs && time.Now().Before(end); {
			n, err := w.Wait(ev, w.Mono()+int64(time.Second))
			if n != 0 || err != nil {
				t.Fatalf("wait for jobs: %d, %v", n, err)
			}
			asked.Store(true)
			for f := w.Done(); f != nil; f = w.Done() {
				f()
			}
			asked.Store(false)
		}
		if done != jobs || w.Done() != nil {
			t.Errorf("%d completions of %d", done, jobs)
		}
		if most.Load() > kernel.WorkersMax {
			t.Errorf("%d jobs at once, the bound is %d", most.Load(), kernel.WorkersMax)
		}
	})
}

func TestAddressInUse(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		addr := w.Addr(w.listen("127.0.0.1:0"))
		_, err := w.Listen(addr)
		if err == nil || !strings.Contains(err.Error(), addr) ||
			!strings.Contains(err.Error(), "address already in use") {
			t.Errorf("second listener at %s: %v", addr, err)
		}
	})
}

// LOOP-9: without descriptors accepting fails in a way that can be told, and nothing is lost.
func TestNoDescriptors(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		l := w.listen("127.0.0.1:0")
		c := w.dial(w.Addr(l))
		defer c.close()
		w.must(w.Watch(l, 0, kernel.Readable))
		w.expect(kernel.Event{FD: l, Ready: kernel.Readable})
		restore := exhaust(t, w)
		_, _, err := w.Accept(l)
		restore()
		if err != kernel.ErrNoDescriptors {
			t.Fatalf("accept without descriptors: %v", err)
		}
		fd, _, err := w.Accept(l)
		w.must(err)
		w.must(w.Close(fd))
	})
}

func TestClocksAndChance(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := w.Mono(), w.Mono()
		if b < a {
			t.Errorf("the monotonic clock went back from %d to %d", a, b)
		}
		if off := time.Since(time.Unix(0, w.Wall())).Abs(); w.os != nil && off > time.Minute {
			t.Errorf("the wall clock is off by %v", off)
		}
		if x, y, z := w.Rand(), w.Rand(), w.Rand(); x == y && y == z {
			t.Error("the random numbers are all the same")
		}
	})
}

// Both clocks at once are the same clocks, and processor time passes with work and not with waiting.
func TestClocks(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	everywhere(t, func(t *testing.T, w *world) {
		before, wallBefore := w.Mono(), w.Wall()
		mono, wall := w.Now()
		if after, wallAfter := w.Mono(), w.Wall(); mono < before || mono > after || wall < wallBefore || wall > wallAfter {
			t.Errorf("now %d %d, outside of %d to %d and %d to %d", mono, wall, before, after, wallBefore, wallAfter)
		}
		used := w.CPU()
		if _, err := w.Wait(make([]kernel.Event, 1), w.Mono()+int64(20*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if waited := w.CPU() - used; waited > int64(10*time.Millisecond) {
			t.Errorf("a wait of 20 ms used %d ns of processor time", waited)
		}
		used = w.CPU()
		if k, ok := w.Kernel.(*sim.Kernel); ok {
			k.Work(5 * time.Millisecond)
		} else {
			for start := w.Mono(); w.CPU()-used < int64(5*time.Millisecond) && w.Mono()-start < int64(patience); {
			}
		}
		if worked := w.CPU() - used; worked < int64(5*time.Millisecond) {
			t.Errorf("5 ms of work used %d ns of processor time", worked)
		}
	})
}
