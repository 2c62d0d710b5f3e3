package trace

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"rondo/impl"
	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// stage is a kernel whose clients are connected before the trace begins. From then on each call of the
// server that the model knows of goes to a director, who decides what comes of it. All others, and the
// clocks, are those of package sim.
type stage struct {
	*sim.Kernel
	Bounds
	director director
	seats    []*seat
	byFD     map[kernel.FD]*seat
	started  bool // the trace has begun
}

// seat is the server's end of a client.
type seat struct {
	client int
	fd     kernel.FD
	id     int64 // as the server counts
	tag    uint64
	in     kernel.Interest

	rx   []string   // what has arrived: requests, or halves of them
	left bool       // and then comes the end
	gone bool       // the server has closed
	ops  []int      // of the requests, as far as they are begun
	sent [][]string // their words
	done int        // how many were executed

	cut  cut  // for reactor.pml
	wait wait // for block.pml
}

// asks holds the server to the next request of a client, which is of operation op.
func (s *seat) asks(op int, args []string) error {
	if s.done == len(s.ops) || s.ops[s.done] != op || !slices.Equal(args, s.sent[s.done]) {
		return fmt.Errorf("the server executes %q of client %d, and its next is operation %d", args, s.client, op)
	}
	return nil
}

// director decides what a call does. The error of a call that should not be ends the turn.
type director interface {
	wait(untilMono int64) error              // returns when the wait is to end
	read(*seat) error                        // before the bytes are taken
	clock() error                            // before the wall clock is read
	write(s *seat, owed string) (int, error) // how much of it to take
	executes(s *seat, args []string, nowMs int64) error
	timesOut(*seat) error
	stopsWaiting(*seat) error
	closed(*seat) error
}

// nobodyWaits is what a director says of the rest where nobody waits or leaves.
type nobodyWaits struct{}

func (nobodyWaits) timesOut(s *seat) error     { return fmt.Errorf("client %d has waited", s.client) }
func (nobodyWaits) stopsWaiting(s *seat) error { return fmt.Errorf("client %d has ended", s.client) }
func (nobodyWaits) closed(s *seat) error       { return fmt.Errorf("client %d was closed", s.client) }

const slotMiddle = 100 * time.Millisecond

// idleMin is longer than any time event of a trace takes to come: what else the server has to do is later,
// and to the model there is no time event, which it calls never.
const idleMin = 50 * time.Millisecond

// errOver ends the last turn of a trace.
var errOver = errors.New("the trace is over")

// newStage starts a server, connects its clients, and lets it accept them.
func newStage(b Bounds, d director) (*stage, *impl.Server, error) {
	st := &stage{Kernel: sim.New(1), Bounds: b, director: d, byFD: map[kernel.FD]*seat{}}
	// The keyspace knows a deadline to the millisecond only where its calendar is unpacked, which it is
	// from here to the end of a slot of 256 ms (store/calendar.go). At the edge of a slot the first wait
	// would be shorter than the model's, once, and nothing be due.
	st.SetWall(st.Wall() + int64(slotMiddle))
	cfg := impl.DefaultConfig()
	cfg.Log = io.Discard
	server, err := impl.New(cfg, st)
	if err != nil {
		return nil, nil, err
	}
	server.Observe(st)
	for range b.Clients {
		st.Connect(server.Addr())
	}
	if err := st.Pass(0, server.Turn); err != nil {
		return nil, nil, err
	}
	if len(st.seats) != b.Clients {
		return nil, nil, fmt.Errorf("%d of %d clients were accepted", len(st.seats), b.Clients)
	}
	st.started = true
	return st, server, nil
}

func (st *stage) Accept(l kernel.FD) (kernel.FD, string, error) {
	fd, addr, err := st.Kernel.Accept(l)
	if err == nil {
		s := &seat{client: len(st.seats), fd: fd}
		st.seats = append(st.seats, s)
		st.byFD[fd] = s
	}
	return fd, addr, err
}

func (st *stage) Watch(fd kernel.FD, tag uint64, in kernel.Interest) error {
	if s := st.byFD[fd]; s != nil {
		s.tag, s.in = tag, in
	}
	return st.Kernel.Watch(fd, tag, in)
}

func (st *stage) Now() (mono, wall int64) {
	if st.started {
		must(st.director.clock())
	}
	return st.Kernel.Now()
}

func (st *stage) Wait(ev []kernel.Event, untilMono int64) (n int, err error) {
	if !st.started {
		return st.Kernel.Wait(ev, untilMono)
	}
	must(st.director.wait(untilMono))
	for _, s := range st.seats {
		if ready := st.ready(s); ready != 0 {
			ev[n] = kernel.Event{FD: s.fd, Tag: s.tag, Ready: ready}
			n++
		}
	}
	return n, nil
}

// ready is what a level-triggered poller reports.
func (st *stage) ready(s *seat) (in kernel.Interest) {
	if s.gone {
		return 0
	}
	if len(s.rx) > 0 || s.left {
		in |= s.in & kernel.Readable
	}
	if len(s.cut.tx) < st.TX {
		in |= s.in & kernel.Writable
	}
	return in
}

func (st *stage) Read(fd kernel.FD, buf []byte) (int, error) {
	s := st.byFD[fd]
	must(st.director.read(s))
	if len(s.rx) == 0 && s.left {
		return 0, io.EOF
	}
	if len(s.rx) == 0 {
		return 0, kernel.ErrAgain
	}
	n := copy(buf, strings.Join(s.rx, ""))
	s.rx = nil
	return n, nil
}

func (st *stage) Close(fd kernel.FD) error {
	if s := st.byFD[fd]; s != nil {
		s.gone = true
	}
	return st.Kernel.Close(fd)
}

func (st *stage) Write(fd kernel.FD, buf []byte) (int, error) {
	n, err := st.director.write(st.byFD[fd], string(buf))
	must(err)
	if n == 0 {
		return 0, kernel.ErrAgain
	}
	return n, nil
}

func (st *stage) Writev(fd kernel.FD, bufs [][]byte) (int, error) {
	var all []byte
	for _, b := range bufs {
		all = append(all, b...)
	}
	return st.Write(fd, all)
}

// tick lets a millisecond pass.
func (st *stage) tick() { st.Advance(time.Millisecond) }

// ---- the server's observer ----

func (st *stage) Joined(id int64, _ string) { st.seats[len(st.seats)-1].id = id }

func (st *stage) Executes(id int64, args [][]byte, nowMs int64) {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = string(a)
	}
	must(st.director.executes(st.seat(id), words, nowMs))
}

func (st *stage) Malformed(id int64, text string) { must(fmt.Errorf("malformed: %s", text)) }
func (st *stage) Left(id int64)                   { must(st.director.closed(st.seat(id))) }
func (st *stage) TimesOut(id int64)               { must(st.director.timesOut(st.seat(id))) }
func (st *stage) StopsWaiting(id int64)           { must(st.director.stopsWaiting(st.seat(id))) }
func (st *stage) Sleeps(int64)                    {}
func (st *stage) Executed(int64)                  {}
func (st *stage) Starves(id int64)                { must(fmt.Errorf("client %d finds no memory", id)) }

func (st *stage) Removed(int, []byte, bool, int64) {}

// seat is that of a client as the server counts.
func (st *stage) seat(id int64) *seat {
	i := slices.IndexFunc(st.seats, func(s *seat) bool { return s.id == id })
	if i < 0 {
		must(fmt.Errorf("the server speaks of client %d, who is none", id))
	}
	return st.seats[i]
}

// ended carries an error out of the middle of a turn: the server has no business with it.
type ended struct{ err error }

func must(err error) {
	if err != nil {
		panic(ended{err})
	}
}

// set is that of the clients for whom something holds.
func (st *stage) set(holds func(*seat) bool) (set int) {
	for i, s := range st.seats {
		if holds(s) {
			set |= 1 << i
		}
	}
	return set
}

func (st *stage) readable() int {
	return st.set(func(s *seat) bool { return st.ready(s)&kernel.Readable != 0 })
}

func (st *stage) writable() int {
	return st.set(func(s *seat) bool { return st.ready(s)&kernel.Writable != 0 })
}

// turn lets the server make a turn, and gives back what ended it.
func turn(s *impl.Server) (err error) {
	defer func() {
		if e, ok := recover().(ended); ok {
			err = e.err
		} else if e != (ended{}) {
			panic(e)
		}
	}()
	return s.Turn()
}

func newRandom(seed uint64) func(n int) int { return rand.New(rand.NewPCG(seed, 0)).IntN }
