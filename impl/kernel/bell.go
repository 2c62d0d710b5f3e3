//go:build linux || darwin || freebsd || netbsd || dragonfly

// The bell: how another goroutine ends the loop's wait. It is a descriptor that the poller
// watches like any other, readable as long as somebody has rung: an eventfd on Linux, a pipe
// elsewhere (openBell in sys_*.go).

package kernel

import (
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

type bell struct {
	rung atomic.Bool // set before the descriptor is written, cleared after it was read
	r, w int         // the same for an eventfd
}

// chime is what is written: an eventfd wants eight bytes that are not all zero.
var chime = [8]byte{1, 1, 1, 1, 1, 1, 1, 1}

func (b *bell) open() (err error) {
	b.r, b.w, err = openBell()
	return err
}

func (b *bell) fd() FD { return FD(b.r) }

// ring costs a system call once for each wait, however often it is called.
func (b *bell) ring() {
	if b.rung.CompareAndSwap(false, true) {
		_, _ = retry(func() (int, error) { return unix.Write(b.w, chime[:]) })
	}
}

// answer silences the bell. The order matters: cleared first, a ring in between would be read
// away here and leave the flag set over an empty descriptor, and nobody could ring again. In
// this order a ring in between is dropped, and the Wait that called answer is the one it ends.
func (b *bell) answer() {
	var buf [8]byte
	_, _ = retry(func() (int, error) { return unix.Read(b.r, buf[:]) })
	b.rung.Store(false)
}

// close waits for a ring under way, which would otherwise be written to whoever is given the
// number next, and leaves the flag set: later rings do nothing.
func (b *bell) close() {
	for !b.rung.CompareAndSwap(false, true) {
		var buf [8]byte
		if n, _ := unix.Read(b.r, buf[:]); n > 0 {
			b.rung.Store(false)
		}
		runtime.Gosched()
	}
	_ = unix.Close(b.r)
	if b.w != b.r {
		_ = unix.Close(b.w)
	}
}

// retry repeats a call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
