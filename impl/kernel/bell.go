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
	rung  atomic.Bool // set before the descriptor is written, cleared after it was read
	r, w  int         // the same for an eventfd
	heard [8]byte     // what was read
}

// chime is what is written: an eventfd wants eight bytes that are not all zero.
var chime = [8]byte{1, 1, 1, 1, 1, 1, 1, 1}

func (b *bell) open() (err error) {
	b.r, b.w, err = openBell()
	return err
}

func (b *bell) fd() FD { return FD(b.r) }

// ring costs one system call for each wait, however often it is called.
func (b *bell) ring() {
	if !b.rung.CompareAndSwap(false, true) {
		return
	}
	_, err := unix.Write(b.w, chime[:])
	for err == unix.EINTR {
		_, err = unix.Write(b.w, chime[:])
	}
}

// answer silences the bell. The order matters: cleared first, a ring in between would be read
// away here and leave the flag set over an empty descriptor, and nobody could ring again. In
// this order a ring in between is dropped, and the Wait that called answer is the one it ends.
func (b *bell) answer() {
	b.silence()
	b.rung.Store(false)
}

// silence says whether there was anything to silence.
func (b *bell) silence() bool {
	n, err := unix.Read(b.r, b.heard[:])
	for err == unix.EINTR {
		n, err = unix.Read(b.r, b.heard[:])
	}
	return n > 0
}

// close waits for a ring under way, which would otherwise be written to whoever is given the
// number next, and leaves the flag set: later rings do nothing.
func (b *bell) close() {
	for !b.rung.CompareAndSwap(false, true) {
		if b.silence() {
			b.rung.Store(false)
		}
		runtime.Gosched()
	}
	_ = unix.Close(b.r)
	if b.w != b.r {
		_ = unix.Close(b.w)
	}
}
