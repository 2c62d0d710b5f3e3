// Package sim is the port of package kernel in memory: the world the server sees, as a
// deterministic function of a seed and of what a test does.
//
// There are no goroutines and no real time. The test owns the peers (peer.go) and the clock; the
// server owns the port; the two take turns:
//
//	k := sim.New(1)
//	server, _ := impl.New(config, k)
//	p := k.Connect("127.0.0.1:6379")
//	p.Send("PING\r\n")
//	k.Pass(0, server.Turn)                      // turns until nothing is left to do
//	p.Recv()                                    // "+PONG\r\n"
//	k.Pass(50*time.Millisecond, server.Turn)    // the same, while the clock goes from timer to timer
//
// Both clocks are virtual. Their time stands still while code runs (but see ReadingCost) and moves in
// two ways only:
// Advance moves it at once, as if the process had been late; and a Wait with nothing to report
// jumps to its deadline, but never past Horizon. There it returns early, which to the server is an
// interrupted wait (LOOP-10) and to the test its turn to act.
//
// Sockets are finite: a reader finds at most RecvBytesMax, a writer fits at most SendBytesMax,
// so partial reads and writes happen to the server as they do outside. This world is free of
// faults, until Break lets them happen (faults.go), and strict where an OS is lenient: to use a
// descriptor that is not open is a panic.
package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rondo/impl/kernel"
)

// What a new Kernel starts with; the fields may be changed at any time.
const (
	descriptorsMax = 1024
	bufferBytesMax = 16 << 10
	monoStart      = int64(time.Hour)                   // not 0, so that "unset" is never "now"
	wallStart      = 1_700_000_000 * int64(time.Second) // a second that is easy to recognise
	fdFirst        = 3                                  // 0, 1 and 2 are taken, as everywhere
	turnsMax       = 1_000_000                          // Pass: a server that never comes to rest
)

var (
	errReset = errors.New("sim: connection reset by peer")
	errInUse = errors.New("sim: address already in use")
)

// Kernel is the simulated port. Its zero value is of no use; see New.
type Kernel struct {
	// Horizon bounds the clock: no Wait moves it further. A new Kernel's clock stands still.
	Horizon int64
	// RecvBytesMax and SendBytesMax are the sizes of a server side socket's two buffers.
	RecvBytesMax, SendBytesMax int
	// DescriptorsMax is how many descriptors there are, 0 to 2 included (LOOP-9).
	DescriptorsMax int

	// ReadingCost is what passes with each reading of the monotonic clock, as work: with it, what is
	// bounded by a budget of time ends.
	ReadingCost time.Duration
	// Self is what Process says.
	Self kernel.Process

	seed       uint64
	mono, wall int64
	cpu        int64
	random     *rand.PCG
	faults     *faults   // nil: the perfect world
	sockets    []*socket // by descriptor; nil is free
	hot        bitset    // descriptors that may be ready, or become so by themselves
	next       int       // where the next scan for readiness begins, if the last was cut short
	port       int       // the last port given out
	idle       bool      // the last Wait had nothing to report and stopped at Horizon
	woken      atomic.Bool
	jobs       []job
	done       []func()
}

type job struct{ run, done func() }

// socket is the server's end: a listener (backlog) or a connection (peer).
type socket struct {
	fd      kernel.FD
	addr    string  // of a listener
	backlog []*Peer // of a listener: connected, not yet accepted
	peer    *Peer   // of a connection
	in      kernel.Interest
	tag     uint64
}

// New returns a world in which nothing has happened yet. All its randomness comes from seed.
func New(seed uint64) *Kernel {
	return &Kernel{
		Horizon:        monoStart,
		RecvBytesMax:   bufferBytesMax,
		SendBytesMax:   bufferBytesMax,
		DescriptorsMax: descriptorsMax,
		Self:           kernel.Process{ID: 1, Executable: "sim"},
		seed:           seed,
		mono:           monoStart,
		wall:           wallStart,
		random:         rand.NewPCG(seed, 0),
		sockets:        make([]*socket, fdFirst),
		port:           40000,
	}
}

func (k *Kernel) Name() string { return "sim" }

// ---- time ----

func (k *Kernel) Wall() int64  { return k.wall }
func (k *Kernel) Rand() uint64 { return k.random.Uint64() }

func (k *Kernel) Mono() int64 {
	if k.ReadingCost > 0 {
		k.Work(k.ReadingCost)
	}
	return k.mono
}

func (k *Kernel) Now() (mono, wall int64) { return k.Mono(), k.wall }

func (k *Kernel) Process() kernel.Process { return k.Self }

// CPU is what Work has moved.
func (k *Kernel) CPU() int64 { return k.cpu }

// Advance moves both clocks at once, over any timer that lies between.
func (k *Kernel) Advance(d time.Duration) {
	k.mono += int64(d)
	k.wall += int64(d)
	k.Horizon = max(k.Horizon, k.mono)
}

// Work is Advance by a process that was busy meanwhile.
func (k *Kernel) Work(d time.Duration) {
	k.cpu += int64(d)
	k.Advance(d)
}

// SetWall makes the wall clock jump, forwards or back; the monotonic clock does not notice.
func (k *Kernel) SetWall(nanos int64) { k.wall = nanos }

// Pass runs turns until d has passed and the server is at rest: it has nothing to do, no job is under
// way, and it would sleep on. d may be 0. Pass gives back the first error of a turn, and one of its own if the
// server never comes to rest.
func (k *Kernel) Pass(d time.Duration, turn func() error) error {
	k.Horizon = k.mono + int64(d)
	for range turnsMax {
		if err := turn(); err != nil {
			return err
		}
		if k.idle && len(k.jobs) == 0 {
			return nil
		}
	}
	return fmt.Errorf("sim: still busy after %d turns", turnsMax)
}

// ---- sockets ----

// Limit is how many descriptors there are.
func (k *Kernel) Limit() int { return k.DescriptorsMax }

func (k *Kernel) Listen(addr string) (kernel.FD, error) {
	if host, ok := strings.CutSuffix(addr, ":0"); ok && !strings.HasPrefix(addr, "unix:") {
		k.port++
		addr = fmt.Sprintf("%s:%d", host, k.port)
	}
	if k.listener(addr) != nil {
		return 0, fmt.Errorf("listen at %s: %w", addr, errInUse)
	}
	return k.open(&socket{addr: addr})
}

func (k *Kernel) Addr(fd kernel.FD) string { return k.socket(fd).addr }

func (k *Kernel) Accept(fd kernel.FD) (kernel.FD, string, error) {
	l := k.socket(fd)
	if len(l.backlog) == 0 {
		return 0, "", kernel.ErrAgain
	}
	if err := k.faults.accept(l); err != nil {
		return 0, "", err
	}
	peer := l.backlog[0]
	conn, err := k.open(&socket{peer: peer})
	if err != nil {
		return 0, "", err // the peer stays in the backlog, as it does outside
	}
	peer.fd = conn
	l.backlog = slices.Delete(l.backlog, 0, 1)
	return conn, peer.remote, nil
}

func (k *Kernel) Keepalive(fd kernel.FD, seconds int) error {
	k.socket(fd)
	return nil
}

func (k *Kernel) Read(fd kernel.FD, buf []byte) (int, error) {
	p := k.conn(fd)
	switch {
	case p.reset:
		return 0, errReset
	case len(buf) == 0:
		return 0, nil
	case p.arrived > 0:
		n, err := k.faults.read(min(len(buf), p.arrived))
		copy(buf[:n], p.inbound.bytes())
		p.inbound.drop(n)
		p.arrived -= n
		return n, err
	case p.ended():
		return 0, io.EOF
	}
	return 0, kernel.ErrAgain
}

func (k *Kernel) Write(fd kernel.FD, buf []byte) (int, error) {
	p := k.conn(fd)
	n, err := k.admit(p, len(buf))
	p.receive(buf[:n])
	return n, err
}

func (k *Kernel) Writev(fd kernel.FD, bufs [][]byte) (int, error) {
	p, size := k.conn(fd), 0
	for _, b := range bufs {
		size += len(b)
	}
	n, err := k.admit(p, size)
	left := n
	for _, b := range bufs {
		b = b[:min(left, len(b))]
		left -= len(b)
		p.receive(b)
	}
	return n, err
}

// admit is how many of n bytes a write takes. One to a peer that has closed succeeds once: its
// answer, a reset, is only then on its way.
func (k *Kernel) admit(p *Peer, n int) (int, error) {
	switch room := k.SendBytesMax - p.waiting.len(); {
	case p.reset:
		return 0, errReset
	case p.gone:
		p.Reset()
		return n, nil
	case room <= 0 && n > 0:
		return 0, kernel.ErrAgain
	default:
		return k.faults.write(min(room, n))
	}
}

func (k *Kernel) CloseWrite(fd kernel.FD) (arrived bool) {
	p := k.conn(fd)
	p.done = p.waiting.len() > 0
	return !p.done
}

func (k *Kernel) Close(fd kernel.FD) error {
	s := k.socket(fd)
	k.sockets[fd] = nil
	k.hot.remove(int(fd))
	k.faults.closed(s)
	if p := s.peer; p != nil {
		p.fd = -1
		if p.closed = true; !p.read() {
			p.waiting = stream{} // torn away by the reset that answers what was not read
		}
	}
	for _, p := range s.backlog {
		p.closed, p.reset = true, true
	}
	return nil
}

// open gives out the lowest free number, as Unix does: numbers are used again at once.
func (k *Kernel) open(s *socket) (kernel.FD, error) {
	fd := fdFirst
	for fd < len(k.sockets) && k.sockets[fd] != nil {
		fd++
	}
	if fd >= k.DescriptorsMax {
		return 0, kernel.ErrNoDescriptors
	}
	if fd == len(k.sockets) {
		k.sockets = append(k.sockets, nil)
	}
	s.fd = kernel.FD(fd)
	k.sockets[fd] = s
	return s.fd, nil
}

func (k *Kernel) listener(addr string) *socket {
	for _, s := range k.sockets {
		if s != nil && s.peer == nil && s.addr == addr {
			return s
		}
	}
	return nil
}

func (k *Kernel) socket(fd kernel.FD) *socket {
	if !k.IsOpen(fd) {
		panic(fmt.Sprintf("sim: descriptor %d is not open", fd))
	}
	return k.sockets[fd]
}

func (k *Kernel) conn(fd kernel.FD) *Peer {
	p := k.socket(fd).peer
	if p == nil {
		panic(fmt.Sprintf("sim: descriptor %d is not a connection", fd))
	}
	return p
}

// ---- waiting ----

func (k *Kernel) Watch(fd kernel.FD, tag uint64, in kernel.Interest) error {
	s := k.socket(fd)
	s.tag, s.in = tag, in
	k.hot.add(int(fd))
	return nil
}

// Interest is what a descriptor is watched for.
func (k *Kernel) Interest(fd kernel.FD) kernel.Interest { return k.socket(fd).in }

// IsOpen tells whether a descriptor is.
func (k *Kernel) IsOpen(fd kernel.FD) bool {
	return fd >= 0 && int(fd) < len(k.sockets) && k.sockets[fd] != nil
}

// Open is how many descriptors are open.
func (k *Kernel) Open() (n int) {
	for _, s := range k.sockets {
		if s != nil {
			n++
		}
	}
	return n
}

// Wait reports what is ready by descriptor. Bytes on their way arrive, and submitted jobs run,
// here and nowhere else.
func (k *Kernel) Wait(ev []kernel.Event, untilMono int64) (int, error) {
	k.deliver()
	n := k.faults.wait(k, ev, k.collect(ev))
	woken := k.woken.Swap(false)
	worked := k.work()
	asleep := n == 0 && !woken && !worked
	k.idle = asleep && untilMono > k.Horizon
	if end := min(untilMono, k.Horizon); asleep && end > k.mono && end != kernel.Forever {
		k.Advance(time.Duration(k.faults.sleep(k, end-k.mono)))
	}
	return n, nil
}

// deliver lets what is on its way arrive.
func (k *Kernel) deliver() {
	for fd := k.hot.next(0); fd >= 0; fd = k.hot.next(fd + 1) {
		if p := k.sockets[fd].peer; p != nil {
			k.faults.strike(p)
			if n := p.movable(); n > 0 {
				p.arrived += k.faults.trickle(n)
			}
		}
	}
}

// collect goes round: where ev was too short for all, the next call begins with the first left out.
func (k *Kernel) collect(ev []kernel.Event) int {
	first := k.next
	k.next = 0
	n, all := k.gather(ev, 0, first, len(k.sockets))
	if all {
		n, _ = k.gather(ev, n, 0, first)
	}
	return n
}

// gather reports the ready of some descriptors behind the n reported so far; it tells whether there was
// room for all. Who is not ready, and will not be before somebody does something, is looked at again
// then.
func (k *Kernel) gather(ev []kernel.Event, n, from, to int) (int, bool) {
	for fd := k.hot.next(from); fd >= 0 && fd < to; fd = k.hot.next(fd + 1) {
		s := k.sockets[fd]
		ready := s.ready() & s.in
		switch {
		case ready == 0 && !s.moves():
			k.hot.remove(fd)
		case ready == 0:
		case n == len(ev):
			k.next = fd
			return n, false
		default:
			ev[n] = kernel.Event{FD: s.fd, Tag: s.tag, Ready: ready}
			n++
		}
	}
	return n, true
}

// moves tells whether something is going to arrive by itself, once there is room.
func (s *socket) moves() bool {
	return s.peer != nil && !s.peer.Held && !s.peer.dead && s.peer.unarrived() > 0
}

func (s *socket) ready() kernel.Interest {
	if s.peer != nil {
		return s.peer.ready()
	}
	if len(s.backlog) > 0 {
		return kernel.Readable
	}
	return 0
}

// work runs the jobs submitted so far; what they submit in turn is for the next Wait.
func (k *Kernel) work() bool {
	jobs := k.jobs
	k.jobs = nil
	for _, j := range jobs {
		j.run()
		if j.done != nil {
			k.done = append(k.done, j.done)
		}
	}
	return len(jobs) > 0
}

// ---- the rest of the world ----

func (k *Kernel) Wake() { k.woken.Store(true) }

// Submit, unlike Wake, may be called on the one goroutine of the simulation only.
func (k *Kernel) Submit(run func(), done func()) { k.jobs = append(k.jobs, job{run, done}) }

func (k *Kernel) Done() func() {
	if len(k.done) == 0 {
		return nil
	}
	done := k.done[0]
	k.done = k.done[1:]
	return done
}

var _ kernel.Kernel = (*Kernel)(nil)
