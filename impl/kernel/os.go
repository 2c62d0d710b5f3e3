//go:build linux || darwin || freebsd || netbsd || dragonfly

// The port over a real operating system.
//
// An OS is a poller (poller.go, and a page for each), non-blocking sockets of its own (socket.go,
// and the calls that differ by system in sys_*.go), a bell that other goroutines ring to end a
// wait (bell.go), and a few workers for what may block (worker.go). The runtime's own network
// poller is not involved: with a file descriptor in hand and one goroutine, a request costs its
// system calls and nothing else.

package kernel

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// OS implements Kernel.
type OS struct {
	name      string
	poller    poller
	bell      bell
	workers   workers
	listeners map[FD]listener
	origin    time.Time // of Mono
	random    *rand.PCG
	limit     int
	gather    gather
}

var _ Kernel = (*OS)(nil)

// Open makes an OS whose poller is the backend of that name, or the best one for "".
func Open(name string) (*OS, error) {
	chosen, err := choose(name)
	if err != nil {
		return nil, err
	}
	p, err := chosen.open()
	if err != nil {
		return nil, fmt.Errorf("kernel: open %s: %w", chosen.name, err)
	}
	o := &OS{
		name:      chosen.name,
		poller:    p,
		listeners: map[FD]listener{},
		origin:    time.Now(),
		random:    seeded(),
		limit:     min(raiseLimit(), p.limit()),
	}
	if err := o.hangBell(); err != nil {
		_ = p.close()
		return nil, fmt.Errorf("kernel: open %s: %w", chosen.name, err)
	}
	o.workers.wake = o.Wake
	return o, nil
}

func (o *OS) hangBell() error {
	if err := o.bell.open(); err != nil {
		return err
	}
	if err := o.poller.watch(o.bell.fd(), 0, Readable); err != nil {
		o.bell.close()
		return err
	}
	return nil
}

// Backends names the pollers of this system, the best first.
func Backends() []string {
	var names []string
	for _, b := range backends {
		names = append(names, b.name)
	}
	return names
}

func choose(name string) (backend, error) {
	for _, b := range backends {
		if name == "" || name == b.name {
			return b, nil
		}
	}
	return backend{}, fmt.Errorf("kernel: no poller %q here, only %s",
		name, strings.Join(Backends(), ", "))
}

func seeded() *rand.PCG {
	var seed [16]byte
	_, _ = cryptorand.Read(seed[:]) // documented never to fail
	return rand.NewPCG(binary.NativeEndian.Uint64(seed[:8]), binary.NativeEndian.Uint64(seed[8:]))
}

// Release closes what Open opened. Sockets are their owner's to Close, before.
func (o *OS) Release() error {
	o.bell.close()
	return o.poller.close()
}

// Name is that of the poller.
func (o *OS) Name() string { return o.name }

// Limit is how many descriptors this process may have and this poller can watch, all that are
// open already included. A server takes fewer clients than that.
func (o *OS) Limit() int { return o.limit }

// raiseLimit raises the soft limit of descriptors to the hard one, where the system lets it.
func raiseLimit() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return fdSetSize // all systems allow as many
	}
	if l.Cur < l.Max {
		raised := unix.Rlimit{Cur: l.Max, Max: l.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			l = raised
		}
	}
	return int(min(uint64(l.Cur), 1<<31-1))
}

// ---- time and chance ----

func (o *OS) Mono() int64  { return int64(time.Since(o.origin)) }
func (o *OS) Wall() int64  { return time.Now().UnixNano() }
func (o *OS) Rand() uint64 { return o.random.Uint64() }

// Now takes both from one time.Time, which holds both.
func (o *OS) Now() (mono, wall int64) {
	now := time.Now()
	return int64(now.Sub(o.origin)), now.UnixNano()
}

func (o *OS) Process() Process { return OSProcess() }

func (o *OS) CPU() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(threadClock, &t); err != nil {
		return 0 // a system without it: no work is seen
	}
	return t.Nano()
}

// ---- waiting ----

func (o *OS) Watch(fd FD, tag uint64, in Interest) error { return o.poller.watch(fd, tag, in) }

// Wait goes on after an interrupt, with what is left of the time (LOOP-10).
func (o *OS) Wait(ev []Event, untilMono int64) (int, error) {
	if len(ev) == 0 {
		return 0, unix.EINVAL
	}
	for {
		timeout := int64(-1)
		if untilMono != Forever {
			timeout = max(0, untilMono-o.Mono())
		}
		n, err := o.poller.wait(ev, timeout)
		rung := false
		if n > 0 && o.bell.rung.Load() {
			n, rung = o.answer(ev[:n])
		}
		if n > 0 || rung || timeout == 0 || err != nil {
			return n, err
		}
	}
}

// answer takes the bell out of the events: Wake ends a wait, it is nothing to handle (LOOP-11).
func (o *OS) answer(ev []Event) (n int, rung bool) {
	for _, e := range ev {
		if e.FD == o.bell.fd() {
			o.bell.answer()
			rung = true
			continue
		}
		ev[n] = e
		n++
	}
	return n, rung
}

// interrupted makes of EINTR a wait without events.
func interrupted(err error) error {
	if err == unix.EINTR {
		return nil
	}
	return err
}

// ---- the loop's neighbours ----

func (o *OS) Wake()                          { o.bell.ring() }
func (o *OS) Submit(run func(), done func()) { o.workers.submit(job{run, done}) }
func (o *OS) Done() func()                   { return o.workers.next() }
