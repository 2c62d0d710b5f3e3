package trace

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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

	rx    []string  // halves of requests that have arrived
	owed  []half    // of replies made and not written
	tx    []half    // of replies written and not taken
	parts [2]string // of the request under way
	asked int       // halves that were sent
	done  int       // requests executed
	ops   []int     // of the requests, as far as they are begun
}

// half of a reply, and the number of that in the model.
type half struct {
	text  string
	reply int
}

func (s *seat) oweHalves(text string, reply int, random func(n int) int) {
	for _, h := range halves(text, random) {
		s.owed = append(s.owed, half{h, reply})
	}
}

// texts are the bytes of halves.
func texts(halves []half) string {
	var b strings.Builder
	for _, h := range halves {
		b.WriteString(h.text)
	}
	return b.String()
}

// send lets the next half of a request arrive; the first one is of operation op.
func (s *seat) send(b Bounds, op int, random func(n int) int) {
	if s.asked%2 == 0 {
		s.ops = append(s.ops, op)
		s.parts = halves(frame(b.args(s.client, len(s.ops)-1, op)), random)
	}
	s.rx = append(s.rx, s.parts[s.asked%2])
	s.asked++
}

// take moves n halves to the socket.
func (s *seat) take(n int) (bytes int) {
	s.tx = append(s.tx, s.owed[:n]...)
	bytes = len(texts(s.owed[:n]))
	s.owed = s.owed[n:]
	return bytes
}

// director decides what a call does. The error of a call that should not be ends the turn.
type director interface {
	wait(untilMono int64) error              // returns when the wait is to end
	read(*seat) error                        // before the bytes are taken
	clock() error                            // before the wall clock is read
	write(s *seat, owed string) (int, error) // how much of it to take
	executes(s *seat, args []string, nowMs int64) error
}

const slotMiddle = 100 * time.Millisecond

// idleMin is longer than any deadline of a trace: what else the server has to do is later, and to the
// model there is no time event, which it calls never.
const (
	idleMin = 50 * time.Millisecond
	never   = 255
)

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
	if len(s.rx) > 0 {
		in |= s.in & kernel.Readable
	}
	if len(s.tx) < st.TX {
		in |= s.in & kernel.Writable
	}
	return in
}

func (st *stage) Read(fd kernel.FD, buf []byte) (int, error) {
	s := st.byFD[fd]
	must(st.director.read(s))
	if len(s.rx) == 0 {
		return 0, kernel.ErrAgain
	}
	n := copy(buf, strings.Join(s.rx, ""))
	s.rx = nil
	return n, nil
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
	for _, s := range st.seats {
		if s.id == id {
			must(st.director.executes(s, words, nowMs))
			return
		}
	}
	must(fmt.Errorf("a command of client %d, who is none", id))
}

func (st *stage) Malformed(id int64, text string) { must(fmt.Errorf("malformed: %s", text)) }
func (st *stage) Left(id int64)                   { must(fmt.Errorf("client %d was closed", id)) }
func (st *stage) TimesOut(id int64)               { must(fmt.Errorf("client %d has waited", id)) }
func (st *stage) StopsWaiting(id int64)           { must(fmt.Errorf("client %d has ended", id)) }
func (st *stage) Sleeps(int64)                    {}

// ended carries an error out of the middle of a turn: the server has no business with it.
type ended struct{ err error }

func must(err error) {
	if err != nil {
		panic(ended{err})
	}
}

// masks are the sets of those who are ready.
func (st *stage) masks() (readable, writable int) {
	for i, s := range st.seats {
		ready := st.ready(s)
		if ready&kernel.Readable != 0 {
			readable |= 1 << i
		}
		if ready&kernel.Writable != 0 {
			writable |= 1 << i
		}
	}
	return readable, writable
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
