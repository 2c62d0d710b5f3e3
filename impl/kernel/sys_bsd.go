//go:build darwin || freebsd || netbsd || dragonfly

// What the BSDs and Darwin do in the portable way, with a window between opening a descriptor
// and marking it: ForkLock keeps a child process from being started inside it. A broken
// connection is an error here too: the Go runtime ignores SIGPIPE but for standard output.

package kernel

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

var backends = []backend{{"kqueue", openKqueue}, {"poll", openPoll}, {"select", openSelect}}

func newSocket(family int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	return private(fd, err)
}

func acceptSocket(fd int) (int, unix.Sockaddr, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	conn, peer, err := unix.Accept(fd)
	conn, err = private(conn, err)
	return conn, peer, err
}

func openBell() (r, w int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return 0, 0, err
	}
	for _, fd := range fds {
		if _, err := private(fd, nil); err != nil {
			return 0, 0, err
		}
	}
	return fds[0], fds[1], nil
}

// private marks a new descriptor as non-blocking and not for child processes.
func private(fd int, err error) (int, error) {
	if err != nil {
		return fd, err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

func (o *OS) Read(fd FD, buf []byte) (int, error) {
	for {
		n, err := unix.Read(int(fd), buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, failure(err.(unix.Errno))
		case n == 0 && len(buf) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (o *OS) Write(fd FD, buf []byte) (int, error) {
	for {
		n, err := unix.Write(int(fd), buf)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		default:
			return 0, failure(err.(unix.Errno))
		}
	}
}

type gather struct{}

// Writev writes one buffer after the other, as long as each is taken whole.
func (o *OS) Writev(fd FD, bufs [][]byte) (written int, err error) {
	for _, buf := range bufs {
		n, err := o.Write(fd, buf)
		if written += n; n < len(buf) {
			if written > 0 {
				return written, nil
			}
			return 0, err
		}
	}
	return written, nil
}

// CloseWrite does not know what has arrived: these systems have no common way to ask.
func (o *OS) CloseWrite(fd FD) (arrived bool) {
	return unix.Shutdown(int(fd), unix.SHUT_WR) != nil
}
