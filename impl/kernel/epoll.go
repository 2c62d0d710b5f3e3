//go:build linux

// The poller over epoll(7): interest lives in the system, a wait costs what is ready, not what
// is watched. Redis' ae_epoll.c is the model, but for the serial number in the event's data.

package kernel

import (
	"math"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

type epoll struct {
	table
	fd     int
	serial uint32
	events []unix.EpollEvent
	pace   pace
}

func openEpoll() (poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &epoll{fd: fd, pace: newPace()}, nil
}

func (p *epoll) watch(fd FD, tag uint64, in Interest) error {
	r := p.at(fd)
	op, serial := unix.EPOLL_CTL_MOD, r.serial
	switch {
	case r.in == in:
		r.tag = tag
		return nil
	case in == 0:
		op = unix.EPOLL_CTL_DEL
	case r.in == 0:
		op = unix.EPOLL_CTL_ADD
		p.serial++
		serial = p.serial
	}
	event := unix.EpollEvent{Events: epollMask(in), Fd: int32(fd), Pad: int32(serial)}
	if err := unix.EpollCtl(p.fd, op, int(fd), &event); err != nil {
		return err
	}
	r.tag, r.in, r.serial = tag, in, serial
	return nil
}

func epollMask(in Interest) (mask uint32) {
	if in&Readable != 0 {
		mask |= unix.EPOLLIN
	}
	if in&Writable != 0 {
		mask |= unix.EPOLLOUT
	}
	return mask
}

// drop makes no system call: closing removes the last reference, and with it the interest. Were
// there another one (a fork in progress holds copies for a moment), the serial number keeps its
// events from whoever gets the number next.
func (p *epoll) drop(fd FD) { p.at(fd).in = 0 }

func (p *epoll) wait(ev []Event, timeout int64) (int, error) {
	if len(ev) > len(p.events) {
		p.events = make([]unix.EpollEvent, len(ev))
	}
	ms := int(timeoutIn(time.Millisecond, timeout))
	count, errno := epollWait(p.fd, p.events[:len(ev)], ms, ms == 0 || p.pace.brisk)
	if ms != 0 {
		p.pace.beat()
	}
	if errno != 0 {
		return 0, interrupted(errno)
	}
	n := 0
	for i := range p.events[:count] {
		event := &p.events[i]
		r := p.at(FD(event.Fd))
		ready := epollReady(event.Events) & r.in
		if ready == 0 || r.serial != uint32(event.Pad) {
			continue
		}
		ev[n] = Event{FD: FD(event.Fd), Tag: r.tag, Ready: ready}
		n++
	}
	return n, nil
}

func epollReady(mask uint32) (ready Interest) {
	if mask&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		ready |= Readable
	}
	if mask&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		ready |= Writable
	}
	return ready
}

// pace tells whether traffic flows, so that a wait will be short.
type pace struct {
	brisk  bool
	never  bool // preemption by signals is switched off
	origin time.Time
	last   time.Duration
}

// briskMax is the longest time between the ends of two waits that counts as brisk.
const briskMax = 5 * time.Millisecond

func newPace() pace {
	never := strings.Contains(os.Getenv("GODEBUG"), "asyncpreemptoff=1")
	return pace{never: never, origin: time.Now()}
}

// beat is the end of a wait that was allowed to sleep.
func (p *pace) beat() {
	now := time.Since(p.origin)
	p.brisk = now-p.last <= briskMax && !p.never
	p.last = now
}

// epollWait waits. With raw the scheduler is not told. That saves the loop its return: otherwise
// a thread that has slept for some 20 µs finds its place given away and has to get it back, which
// costs up to a sixth of a request. But a goroutine in a raw system call counts as running, so the
// collector has to wait for it. It sends a signal, which ends the wait; and then the loop must come
// by a stack check to be stopped, or it could not be stopped at all. This function has one, its
// prologue, as long as it is not inlined: it is the loop's safe point. With it a collection is
// delayed by less than 1 ms, without it by seconds.
//
// While nothing flows the wait is not raw: the runtime would disturb it every 10 ms.
//
//go:noinline
func epollWait(epfd int, events []unix.EpollEvent, ms int, raw bool) (int, unix.Errno) {
	at := unsafe.SliceData(events)
	if raw {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT,
			uintptr(epfd), uintptr(unsafe.Pointer(at)), uintptr(len(events)), uintptr(ms), 0, 0)
		return int(n), errno
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT,
		uintptr(epfd), uintptr(unsafe.Pointer(at)), uintptr(len(events)), uintptr(ms), 0, 0)
	return int(n), errno
}

func (p *epoll) limit() int { return math.MaxInt32 }

func (p *epoll) close() error { return unix.Close(p.fd) }
