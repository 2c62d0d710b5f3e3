//go:build !linux

package rhythm

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// wait returns when fd can be read, or written if that is asked too, or after ns, in steps of a
// millisecond, at the latest; with fd -1 it only sleeps.
func wait(fd int, write bool, ns int64) error {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if write {
		set[0].Events |= unix.POLLOUT
	}
	_, err := unix.Poll(set, int((ns+int64(time.Millisecond)-1)/int64(time.Millisecond)))
	if errors.Is(err, unix.EINTR) {
		err = nil
	}
	return os.NewSyscallError("poll", err)
}

// stampReceived does nothing: bytes came when they are read.
func stampReceived(int) {}

func receive(fd int, in, _ []byte) (n int, age int64, err error) {
	n, err = unix.Read(fd, in)
	return n, 0, err
}
