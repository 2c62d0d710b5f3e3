package rhythm

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// wait returns when fd can be read, or written if that is asked too, or after ns at the latest; with
// fd -1 it only sleeps. It is a system call of the calling thread: the runtime's timers are late by
// up to a millisecond.
func wait(fd int, write bool, ns int64) error {
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if write {
		set[0].Events |= unix.POLLOUT
	}
	limit := unix.NsecToTimespec(ns)
	_, err := unix.Ppoll(set, &limit, nil)
	if errors.Is(err, unix.EINTR) {
		err = nil
	}
	return os.NewSyscallError("ppoll", err)
}

// stampReceived asks the kernel to say when bytes came. Where it does not, they came when they are
// read.
func stampReceived(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// receive reads, and says how many ns ago the last of the bytes came.
func receive(fd int, in, oob []byte) (n int, age int64, err error) {
	n, m, _, _, err := unix.Recvmsg(fd, in, oob, unix.MSG_DONTWAIT)
	if err != nil || m == 0 {
		return n, 0, err
	}
	now := time.Now().UnixNano()
	messages, err := unix.ParseSocketControlMessage(oob[:m])
	for _, c := range messages {
		if c.Header.Type == unix.SO_TIMESTAMPNS && len(c.Data) >= 16 {
			s, ns := binary.NativeEndian.Uint64(c.Data), binary.NativeEndian.Uint64(c.Data[8:])
			age = now - int64(s)*int64(time.Second) - int64(ns)
		}
	}
	// A wall clock that was set in between would tell stories.
	if age < 0 || age > int64(time.Hour) {
		age = 0
	}
	return n, age, err
}
