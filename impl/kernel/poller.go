//go:build linux || darwin || freebsd || netbsd || dragonfly

// What the pollers share: the interface, the table of registrations, the rounding of time.
//
// All pollers are level triggered: what was not read or written is reported again, so that one
// read per event is enough and fair (LOOP-7). All report readiness only in the directions that
// are watched, an error or hang-up in each of them, so that no server can tell them apart
// (LOOP-14).

package kernel

import "time"

// poller waits for readiness of many descriptors.
type poller interface {
	// watch sets the interest in fd; 0 removes it.
	watch(fd FD, tag uint64, in Interest) error
	// drop forgets fd, which is about to be closed.
	drop(fd FD)
	// wait fills ev, waiting for timeout nanoseconds at most; below 0 means forever. It may end
	// early: by an interrupt, or because the system cannot wait that long at once.
	wait(ev []Event, timeout int64) (int, error)
	// limit is the first descriptor that cannot be watched.
	limit() int
	close() error
}

// backend is a poller by name.
type backend struct {
	name string
	open func() (poller, error)
}

// registration is what is known of a watched descriptor. It is the only place that holds the
// tag: a report of the system is turned into an Event at once, with the tag of that moment, so
// one for a descriptor closed since, or used again, cannot reach its successor (LOOP-8).
type registration struct {
	tag    uint64
	serial uint32 // epoll: tells this use of the number from the ones before
	slot   int32  // poll: the position in its array; kqueue: in the batch
	in     Interest
}

// table holds the registrations by descriptor, the numbers of which are small and dense.
type table []registration

// at returns the place of fd and makes room for it.
func (t *table) at(fd FD) *registration {
	for int(fd) >= len(*t) {
		*t = append(*t, registration{})
	}
	return &(*t)[fd]
}

// sleepMax is the longest single wait: every system takes it, and the caller waits again.
const sleepMax = int64(24 * time.Hour)

// timeoutIn converts nanoseconds to units, upwards: a wait is never too short, which would
// make the loop spin through the last fraction of a unit (LOOP-4).
func timeoutIn(unit time.Duration, timeout int64) int64 {
	if timeout > sleepMax || timeout < 0 {
		timeout = sleepMax
	}
	return (timeout + int64(unit) - 1) / int64(unit)
}
