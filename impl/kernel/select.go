//go:build linux || darwin || freebsd || netbsd || dragonfly

// The poller over select(2): the interest is two bit sets of fixed size, copied for every wait
// since the system answers in place. It can watch no descriptor of FD_SETSIZE and above; it is
// kept because it runs everywhere, and because it shows what the others are for.

package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

type selects struct {
	table
	read, write unix.FdSet
	max         FD // the largest watched descriptor, or -1
	from        FD // where the next scan begins
}

// fdSetSize is FD_SETSIZE: the number of bits in a set.
const fdSetSize = len(unix.FdSet{}.Bits) * unix.NFDBITS

func openSelect() (poller, error) { return &selects{max: -1}, nil }

func (p *selects) watch(fd FD, tag uint64, in Interest) error {
	if int(fd) >= fdSetSize {
		return ErrTooMany
	}
	r := p.at(fd)
	r.tag, r.in = tag, in
	setBit(&p.read, fd, in&Readable != 0)
	setBit(&p.write, fd, in&Writable != 0)
	p.max = max(p.max, fd)
	for p.max >= 0 && p.table[p.max].in == 0 {
		p.max--
	}
	return nil
}

func setBit(set *unix.FdSet, fd FD, on bool) {
	if on {
		set.Set(int(fd))
	} else {
		set.Clear(int(fd))
	}
}

func (p *selects) drop(fd FD) {
	if int(fd) < fdSetSize {
		_ = p.watch(fd, 0, 0) // fails for larger ones only
	}
}

func (p *selects) wait(ev []Event, timeout int64) (int, error) {
	read, write := p.read, p.write
	limit := unix.NsecToTimeval(timeoutIn(time.Microsecond, timeout) * int64(time.Microsecond))
	bits, err := unix.Select(int(p.max)+1, &read, &write, nil, &limit)
	if err != nil {
		return 0, interrupted(err)
	}
	return p.collect(ev, bits, &read, &write), nil
}

// collect goes round, as that of poll does. bits counts a descriptor once for each direction.
func (p *selects) collect(ev []Event, bits int, read, write *unix.FdSet) (n int) {
	for i := FD(0); i <= p.max && n < len(ev) && bits > 0; i++ {
		if p.from > p.max {
			p.from = 0
		}
		fd := p.from
		p.from++
		var ready Interest
		if read.IsSet(int(fd)) {
			ready |= Readable
			bits--
		}
		if write.IsSet(int(fd)) {
			ready |= Writable
			bits--
		}
		if ready != 0 {
			ev[n] = Event{FD: fd, Tag: p.table[fd].tag, Ready: ready}
			n++
		}
	}
	return n
}

func (p *selects) limit() int { return fdSetSize }

func (p *selects) close() error { return nil }
