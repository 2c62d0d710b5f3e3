package kernel_test

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rondo/impl/kernel"
)

// LOOP-10: signals in the middle of a wait neither end it early nor are an error.
func TestInterruptedWait(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		waits := w.os.CountWaits()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var stop atomic.Bool
		thread, ended := unix.Gettid(), make(chan struct{})
		go func() {
			defer close(ended)
			for !stop.Load() {
				_ = unix.Tgkill(os.Getpid(), thread, unix.SIGURG) // as the Go scheduler does
				time.Sleep(time.Millisecond)
			}
		}()
		until := w.Mono() + int64(30*time.Millisecond)
		n, err := w.Wait(make([]kernel.Event, 1), until)
		early := until - w.Mono()
		stop.Store(true)
		<-ended
		if n != 0 || err != nil || early > 0 {
			t.Errorf("interrupted wait: %d, %v, %v early", n, err, time.Duration(early))
		}
		if *waits < 2 {
			t.Errorf("nothing interrupted the wait")
		}
	})
}

// LOOP-8, the hard way: a copy of a closed descriptor elsewhere keeps the old connection alive,
// and epoll goes on reporting it under the number that now is another's.
func TestCopyOutlivesClose(t *testing.T) {
	everyBackend(t, func(t *testing.T, w *world) {
		old, c := w.pair()
		heir, _ := w.pair()
		w.must(w.Watch(old, 1, kernel.Readable))
		outlives, err := unix.Dup(int(old))
		w.must(err)
		defer unix.Close(outlives)
		w.must(w.Close(old))
		w.must(unix.Dup3(int(heir), int(old), unix.O_CLOEXEC))
		w.must(w.Watch(old, 2, kernel.Readable))
		c.send("for the old one")
		w.quiet()
		w.must(w.Close(old))
	})
}
