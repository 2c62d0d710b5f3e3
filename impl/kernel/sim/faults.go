// What goes wrong in the world. All of it may happen to a server on a real system, and none of it is
// the server's fault: a reading of the manual pages as a program.
//
// Every fault has a chance of its own, and all are drawn from one sequence that the seed of the
// kernel begins, apart from the numbers that the server gets. A kernel without faults holds a nil
// pointer, whose methods say that nothing is wrong.

package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"rondo/impl/kernel"
)

// Fault is a kind of trouble.
type Fault int

const (
	// In a call.
	ShortRead     Fault = iota // a read brings a part of what is there, one byte at least
	ShortWrite                 // a write takes a part of what there is room for
	FalseRead                  // a read or an accept would block, though it was said to be ready
	FalseWrite                 // and a write
	NoBuffers                  // a write fails: the system is out of memory (ENOBUFS)
	NoDescriptors              // an accept fails, and the peer goes on waiting (EMFILE)
	Aborted                    // an accept fails, and the peer is gone (ECONNABORTED)

	// In a wait.
	Spurious  // a descriptor is reported that is not ready
	Stale     // an event comes for a connection that was closed, whose number may be in use again
	Shuffle   // the batch is in any order
	Interrupt // it ends before its time and without an event (EINTR)
	WallJump  // the wall clock is set, forwards or back

	// To a peer, at each wait that has to do with it.
	Trickle   // of what it has sent only a part arrives
	Reset     // the connection breaks
	HalfClose // it ends its sending side; what it would still send is lost
	Stall     // it is dead from now on: it sends nothing, takes nothing, and says nothing

	FaultKinds
)

var faultNames = [FaultKinds]string{"short-read", "short-write", "false-read", "false-write",
	"no-buffers", "no-descriptors", "aborted", "spurious", "stale", "shuffle", "interrupt",
	"wall-jump", "trickle", "reset", "half-close", "stall"}

func (f Fault) String() string { return faultNames[f] }

// Faults are the chances: each is one in so many. 0 is never, 1 is always.
type Faults [FaultKinds]int

func (f Faults) String() string {
	var parts []string
	for kind, n := range f {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%v %d", Fault(kind), n))
		}
	}
	return strings.Join(parts, ", ")
}

const (
	wallJumpMax = 10 * time.Second
	staleMax    = 8 // closed connections that events may still come for
)

// errNoBuffers ends the connection, as Redis has every error do but EAGAIN: who took it for a full
// buffer would wait for room that there is already, and never sleep.
var errNoBuffers = errors.New("sim: no buffer space available")

// faults is a world in which they happen.
type faults struct {
	chances Faults
	struck  Faults // how often each did
	random  *rand.PCG
	stale   []kernel.Event // of connections closed lately
}

// Break lets faults happen from now on; the zero value ends them.
func (k *Kernel) Break(f Faults) {
	if k.faults == nil {
		k.faults = &faults{random: rand.NewPCG(k.seed, 1)}
	}
	k.faults.chances = f
}

// Struck is how often each fault has happened.
func (k *Kernel) Struck() Faults {
	if k.faults == nil {
		return Faults{}
	}
	return k.faults.struck
}

// happens draws. A fault without a chance draws nothing, so that it does not move the others.
func (f *faults) happens(kind Fault) bool {
	n := f.chances[kind]
	if n == 0 || f.random.Uint64()%uint64(n) != 0 {
		return false
	}
	f.struck[kind]++
	return true
}

// below is a number from 0 to n-1.
func (f *faults) below(n int) int { return int(f.random.Uint64() % uint64(n)) }

// part is at least 1 of n.
func (f *faults) part(n int) int { return 1 + f.below(n) }

// ---- in a call ----

// read is how many of n bytes a read brings.
func (f *faults) read(n int) (int, error) {
	switch {
	case f == nil:
	case f.happens(FalseRead):
		return 0, kernel.ErrAgain
	case f.happens(ShortRead):
		return f.part(n), nil
	}
	return n, nil
}

// write is how many of n bytes a write takes.
func (f *faults) write(n int) (int, error) {
	switch {
	case f == nil || n == 0:
	case f.happens(NoBuffers):
		return 0, errNoBuffers
	case f.happens(FalseWrite):
		return 0, kernel.ErrAgain
	case f.happens(ShortWrite):
		return f.part(n), nil
	}
	return n, nil
}

// accept is what goes wrong with the first of a backlog.
func (f *faults) accept(l *socket) error {
	switch {
	case f == nil:
	case f.happens(FalseRead):
		return kernel.ErrAgain
	case f.happens(NoDescriptors):
		return kernel.ErrNoDescriptors
	case f.happens(Aborted):
		l.backlog[0].closed = true
		l.backlog[0].Reset()
		l.backlog = slices.Delete(l.backlog, 0, 1)
		return kernel.ErrAborted
	}
	return nil
}

// ---- in a wait ----

// wait is what happens to a batch of n events; it returns how many there are then.
func (f *faults) wait(k *Kernel, ev []kernel.Event, n int) int {
	if f == nil {
		return n
	}
	if f.happens(WallJump) {
		k.wall += int64(f.below(int(2*wallJumpMax))) - int64(wallJumpMax)
	}
	if n < len(ev) && f.happens(Spurious) {
		n += f.lie(k, ev, n)
	}
	if n < len(ev) && len(f.stale) > 0 && f.happens(Stale) {
		ev[n] = f.stale[f.below(len(f.stale))]
		n++
	}
	if n > 1 && f.happens(Shuffle) {
		rand.New(f.random).Shuffle(n, func(i, j int) { ev[i], ev[j] = ev[j], ev[i] })
	}
	return n
}

// lie reports a descriptor that is not in the batch, for all that it is watched for.
func (f *faults) lie(k *Kernel, ev []kernel.Event, n int) int {
	s := k.sockets[f.below(len(k.sockets))]
	if s == nil || s.in == 0 || slices.ContainsFunc(ev[:n], func(e kernel.Event) bool { return e.FD == s.fd }) {
		return 0
	}
	ev[n] = kernel.Event{FD: s.fd, Tag: s.tag, Ready: s.in}
	return 1
}

// sleep is how much of a wait without events passes.
func (f *faults) sleep(k *Kernel, nanos int64) int64 {
	if f == nil || !f.happens(Interrupt) {
		return nanos
	}
	k.idle = false
	return int64(f.below(int(nanos)))
}

// closed remembers a connection, for events that come too late.
func (f *faults) closed(s *socket) {
	if f == nil || s.peer == nil {
		return
	}
	late := kernel.Event{FD: s.fd, Tag: s.tag, Ready: kernel.Readable | kernel.Writable}
	if f.stale = append(f.stale, late); len(f.stale) > staleMax {
		f.stale = slices.Delete(f.stale, 0, 1)
	}
}

// ---- to a peer ----

func (f *faults) strike(p *Peer) {
	switch {
	case f == nil || p.reset || p.dead:
	case f.happens(Reset):
		p.Reset()
	case f.happens(HalfClose):
		p.finished, p.cut = true, true
	case f.happens(Stall):
		p.dead = true
	}
}

// trickle is how many of n bytes arrive.
func (f *faults) trickle(n int) int {
	if f == nil || !f.happens(Trickle) {
		return n
	}
	return f.part(n)
}
