//go:build linux || darwin || freebsd || netbsd || dragonfly

// The poller over poll(2): the interest is an array that every wait hands to the system, which
// looks at all of it. There is no limit to a descriptor's number; the cost is linear.

package kernel

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

type poll struct {
	table
	fds  []unix.PollFd // dense, in no order
	from int           // where the next scan begins
}

func openPoll() (poller, error) { return &poll{}, nil }

func (p *poll) watch(fd FD, tag uint64, in Interest) error {
	r := p.at(fd)
	switch {
	case in == 0:
		p.drop(fd)
		return nil
	case r.in == 0:
		r.slot = int32(len(p.fds))
		p.fds = append(p.fds, unix.PollFd{Fd: int32(fd)})
	}
	r.tag, r.in = tag, in
	p.fds[r.slot].Events = pollMask(in)
	return nil
}

func pollMask(in Interest) (mask int16) {
	if in&Readable != 0 {
		mask |= unix.POLLIN
	}
	if in&Writable != 0 {
		mask |= unix.POLLOUT
	}
	return mask
}

// drop fills the hole with the last entry.
func (p *poll) drop(fd FD) {
	r := p.at(fd)
	if r.in == 0 {
		return
	}
	last := p.fds[len(p.fds)-1]
	p.fds[r.slot] = last
	p.at(FD(last.Fd)).slot = r.slot
	p.fds = p.fds[:len(p.fds)-1]
	r.in = 0
}

func (p *poll) wait(ev []Event, timeout int64) (int, error) {
	ready, err := unix.Poll(p.fds, int(timeoutIn(time.Millisecond, timeout)))
	if err != nil {
		return 0, interrupted(err)
	}
	return p.collect(ev, ready), nil
}

// collect goes round: where ev is too short for all that is ready, the next scan begins with the
// first one left out, so that none starves.
func (p *poll) collect(ev []Event, ready int) (n int) {
	ready = min(ready, len(ev))
	for i := 0; i < len(p.fds) && n < ready; i++ {
		if p.from >= len(p.fds) {
			p.from = 0
		}
		entry := &p.fds[p.from]
		p.from++
		if entry.Revents == 0 {
			continue
		}
		r := p.at(FD(entry.Fd))
		if in := pollReady(entry.Revents) & r.in; in != 0 {
			ev[n] = Event{FD: FD(entry.Fd), Tag: r.tag, Ready: in}
			n++
		}
	}
	return n
}

func pollReady(mask int16) (ready Interest) {
	const broken = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	if mask&(unix.POLLIN|broken) != 0 {
		ready |= Readable
	}
	if mask&(unix.POLLOUT|broken) != 0 {
		ready |= Writable
	}
	return ready
}

func (p *poll) limit() int { return math.MaxInt32 }

func (p *poll) close() error { return nil }
