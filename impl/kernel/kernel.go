// Package kernel is the server's one port to the world: time, randomness, sockets, waiting, and
// work in the background all go through it.
//
// There are two implementations. OS (os.go) is the real thing: non-blocking sockets over system
// calls, with a poller (epoll, poll, select or kqueue; a page each) chosen by name. Package
// kernel/sim is the same port in memory with a virtual clock, so that the same server is a
// deterministic function of its inputs.
//
// Everything but Wake and Submit is called on the loop's goroutine only.
package kernel

import "errors"

// FD names an open socket of a Kernel. A number may be used again after Close, even inside one
// batch of events; the tag of Watch is what tells the two apart (LOOP-8).
type FD int

// Interest is a set of directions to wait for; readiness is reported in the same terms.
type Interest uint8

const (
	Readable Interest = 1 << iota
	Writable
)

// Event says that FD, watched with Tag, is ready in the directions it is watched for. An error or
// hang-up of the peer shows in each of them: the read or write that follows finds it. Readiness
// is a hint and not a promise (LOOP-2).
type Event struct {
	FD    FD
	Tag   uint64
	Ready Interest
}

// WritevMax is how many buffers Writev takes.
const WritevMax = 3

// Forever as the deadline of Wait means that only an event or Wake ends it.
const Forever = int64(1<<63 - 1)

// The errors a caller tells apart; every other error closes the one connection it happened on.
var (
	// ErrAgain: nothing to read or accept, or no room to write.
	ErrAgain = errors.New("kernel: would block")
	// ErrNoDescriptors: accepting has to pause (LOOP-9).
	ErrNoDescriptors = errors.New("kernel: no descriptors left")
	// ErrAborted: this peer is gone before it was accepted, try the next.
	ErrAborted = errors.New("kernel: connection aborted")
	// ErrTooMany: this poller cannot watch a descriptor that large (select).
	ErrTooMany = errors.New("kernel: descriptor too large")
)

// Kernel is the port. Times are nanoseconds.
type Kernel interface {
	// Name tells kernels apart: an OS has that of its poller, as Backends gives it.
	Name() string
	// Mono is the monotonic clock, from an arbitrary origin: timers and budgets.
	Mono() int64
	// Wall is the clock of the Unix epoch, which may jump: deadlines of keys (TIME-1).
	Wall() int64
	// Now is both at once, for the price of one.
	Now() (mono, wall int64)
	// CPU is the processor time that the calling thread has used, from an arbitrary origin: what
	// was work and not waiting to be scheduled. It costs as much as twenty readings of Mono.
	CPU() int64
	// Rand is a uniformly random number.
	Rand() uint64
	// Process is what the system says of this process. Safe from any goroutine, since it may take long.
	Process() Process

	// Listen opens a listening socket: "host:port" (port 0: any free one) or "unix:PATH". Its
	// error reads "listen at ADDR: why".
	Listen(addr string) (FD, error)
	// Addr is the local address of a socket: of a listening one in the form Listen takes, of a
	// connection "ip:port" (which a listener at 0.0.0.0 does not tell), or "" if it has none.
	Addr(FD) string
	// Accept returns a waiting connection and the peer's address ("ip:port", or "unix:PATH").
	// The new socket does not block and has no Nagle delay.
	Accept(FD) (FD, string, error)
	// Keepalive asks for TCP probes after so many idle seconds; 0 turns them off.
	Keepalive(fd FD, seconds int) error
	// Read fills buf once. io.EOF is the orderly end of the peer's stream.
	Read(fd FD, buf []byte) (int, error)
	// Write takes as much of buf as fits now.
	Write(fd FD, buf []byte) (int, error)
	// Writev is Write of several buffers, one behind the other; of no more than WritevMax.
	Writev(fd FD, bufs [][]byte) (int, error)
	// CloseWrite ends our side of a stream, unless all of it has arrived: then Close may follow at
	// once, and does. Otherwise a Close would lose what is on its way as soon as the peer sends
	// more, or has sent what was not read: it answers that with a reset.
	CloseWrite(FD) (arrived bool)
	Close(FD) error

	// Watch sets what fd is waited for; 0 removes it. The tag comes back in each Event and
	// carries the caller's generation.
	Watch(fd FD, tag uint64, in Interest) error
	// Wait fills ev with what is ready, waiting until the monotonic time untilMono at most, and
	// never returning 0 events before it but after Wake or an interrupt. It may end late by less
	// than one unit of the poller (LOOP-3, LOOP-4).
	Wait(ev []Event, untilMono int64) (int, error)

	// Wake ends a Wait in progress, or the next one. Safe from any goroutine and signal handler.
	Wake()
	// Submit runs job elsewhere; its done is then handed out by Done. Safe from any goroutine.
	Submit(job func(), done func())
	// Done returns the done function of a finished job, or nil when there is none. The loop runs
	// it in its last phase (LOOP-13).
	Done() func()
}
