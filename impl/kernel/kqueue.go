//go:build darwin || freebsd || netbsd || dragonfly

// The poller over kqueue(2): interest lives in the system as filters, one for each direction of
// a descriptor, and each reports on its own. The two are merged here, since the server decides
// for itself what comes first, the read or the write.

package kernel

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

type kqueue struct {
	table
	fd     int
	events []unix.Kevent_t
}

func openKqueue() (poller, error) {
	fd, err := unix.Kqueue()
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	return &kqueue{fd: fd}, nil
}

func (p *kqueue) watch(fd FD, tag uint64, in Interest) error {
	r := p.at(fd)
	var changes [2]unix.Kevent_t
	n := 0
	for _, f := range [...]struct {
		direction Interest
		filter    int
	}{{Readable, unix.EVFILT_READ}, {Writable, unix.EVFILT_WRITE}} {
		if (r.in^in)&f.direction == 0 {
			continue
		}
		action := unix.EV_ADD
		if in&f.direction == 0 {
			action = unix.EV_DELETE
		}
		unix.SetKevent(&changes[n], int(fd), f.filter, action)
		n++
	}
	if n > 0 {
		if _, err := unix.Kevent(p.fd, changes[:n], nil, nil); err != nil {
			return err
		}
	}
	r.tag, r.in = tag, in
	return nil
}

// drop makes no system call: closing a descriptor removes its filters.
func (p *kqueue) drop(fd FD) { p.at(fd).in = 0 }

func (p *kqueue) wait(ev []Event, timeout int64) (int, error) {
	if len(ev) > len(p.events) {
		p.events = make([]unix.Kevent_t, len(ev))
	}
	limit := unix.NsecToTimespec(timeoutIn(time.Nanosecond, timeout))
	count, err := unix.Kevent(p.fd, nil, p.events[:len(ev)], &limit)
	if err != nil {
		return 0, interrupted(err)
	}
	n := 0
	for i := range p.events[:count] {
		fd, ready := FD(p.events[i].Ident), Readable
		if p.events[i].Filter == unix.EVFILT_WRITE {
			ready = Writable
		}
		n = p.merge(ev, n, fd, ready)
	}
	return n, nil
}

// merge adds one direction to the event of fd, which it appends if there is none yet.
func (p *kqueue) merge(ev []Event, n int, fd FD, ready Interest) int {
	r := p.at(fd)
	ready &= r.in
	if at := int(r.slot); at < n && ev[at].FD == fd {
		ev[at].Ready |= ready
		return n
	}
	if ready == 0 {
		return n
	}
	r.slot = int32(n)
	ev[n] = Event{FD: fd, Tag: r.tag, Ready: ready}
	return n + 1
}

func (p *kqueue) limit() int { return math.MaxInt32 }

func (p *kqueue) close() error { return unix.Close(p.fd) }
