// Package mutant is a small plain server over package model, with faults to choose from: the check
// of the checkers. Without a fault it must pass the whole suite and all histories; with any one of
// them the normal run must convict it.
//
// It is not the product and shares no code with it: a goroutine reads each connection, one writes
// each, and one lock stands for the command thread.
//
//	mutant.go    Serve, the accepting, the cron
//	conn.go      a connection: bytes in, requests out of them, replies into bytes, bytes out
//	unit.go      one command being executed: gates, model, and what it leaves on the connection
//	admin.go     the commands outside the model: CLIENT COMMAND INFO DEBUG SHUTDOWN
//	config.go    CONFIG and what it sets
//	report.go    SLOWLOG, LATENCY, statistics of commands, and their faults
//	memory.go    maxmemory, and the faults in it
//	points.go    the points at which a fault may take hold
//	usage.go     INFO memory and MEMORY, with their faults
//	wait.go      clients that wait, with their faults
//	wire.go session.go schedule.go tx.go strings.go lists.go keys.go expiry.go
//	             the faults, a row each: its name, what it does, the clauses it breaks, its hooks
package mutant

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"rondo/model"
)

// Fault is one deliberate error.
type Fault struct {
	Name    string
	Does    string   // one sentence
	Clauses []string // what it breaks
	at      points
}

// Faults are all of them, by the place where they sit.
var Faults = slices.Concat(wireFaults, sessionFaults, adminFaults, reportFaults, scheduleFaults,
	txFaults, stringFaults, listFaults, keyFaults, waitFaults, memoryFaults, usageFaults, expiryFaults)

// Server is a running mutant.
type Server struct {
	listener net.Listener
	at       points // the hooks of the chosen fault; all nil without one
	started  time.Time

	mu       sync.Mutex // the command thread: held while a command runs; guards all below
	state    model.State
	config   config
	conns    map[model.Client]*conn
	nextID   model.Client
	sweeps   bool // DEBUG SET-ACTIVE-EXPIRE
	handled  int64
	reports  reports
	rng      *rand.Rand
	used     map[usedKey]time.Time // for OBJECT IDLETIME
	uses     map[usedKey]int       // for OBJECT FREQ
	stock    map[usedKey]stock     // kept while maxmemory is set
	evicted  int
	peak     int64      // of the memory in use
	past     []snapshot // for faults that look back
	answered []*conn    // that have waited, and may have sent something meanwhile

	quit chan struct{}
	all  sync.WaitGroup
}

// cronEvery is the period of active expiry, idle timeouts and soft output limits.
const cronEvery = 50 * time.Millisecond

// Serve starts a server on l with the named fault; "" is none.
func Serve(l net.Listener, fault string) (*Server, error) {
	s := &Server{
		listener: l, started: time.Now(), config: defaults(), conns: map[model.Client]*conn{},
		sweeps: true, rng: rand.New(rand.NewPCG(1, 2)), used: map[usedKey]time.Time{},
		uses: map[usedKey]int{}, quit: make(chan struct{}),
	}
	s.state = model.Initial(model.Options{})
	if fault != "" {
		i := slices.IndexFunc(Faults, func(f Fault) bool { return f.Name == fault })
		if i < 0 {
			return nil, fmt.Errorf("no fault is named %q", fault)
		}
		s.at = Faults[i].at
	}
	s.all.Add(2)
	go s.accept()
	go s.cron()
	return s, nil
}

// Start is Serve at a free port of this machine, whose address it gives.
func Start(fault string) (s *Server, addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	if s, err = Serve(l, fault); err != nil {
		l.Close()
		return nil, "", err
	}
	return s, l.Addr().String(), nil
}

// Close stops the server and waits for its goroutines to end.
func (s *Server) Close() {
	s.stop()
	s.all.Wait()
}

// Done is closed when the server stops, by Close or by a client's SHUTDOWN.
func (s *Server) Done() <-chan struct{} { return s.quit }

// stop ends the listener and all connections; a second call does nothing.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.quit:
		return
	default:
	}
	close(s.quit)
	s.listener.Close()
	for _, c := range s.conns {
		c.kill()
	}
}

func (s *Server) accept() {
	defer s.all.Done()
	for {
		sock, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors: pause, then go on (LOOP-9)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.admit(sock)
	}
}

// admit starts serving a connection, or refuses it (CONN-12).
func (s *Server) admit(sock net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.quit:
		sock.Close()
		return
	default:
	}
	if len(s.conns) >= s.config.maxclients && !s.at.noClientLimit {
		_, _ = sock.Write([]byte("-ERR max number of clients reached\r\n"))
		sock.Close()
		return
	}
	s.nextID++
	c := newConn(s, sock, s.nextID)
	s.conns[c.id] = c
	s.all.Add(2)
	go c.read()
	go c.write()
}

func (s *Server) cron() {
	defer s.all.Done()
	tick := time.NewTicker(cronEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-tick.C:
			s.tick()
		}
	}
}

// tick deletes expired keys (TIME-15) and closes those who idle or do not read for too long.
func (s *Server) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.sweeps && !s.at.noSweep {
		ms := now.UnixMilli() - s.at.lateMs
		s.state = model.Sweep(s.state, func(d model.Instant) bool { return d.Off < ms })
	}
	for _, c := range s.conns {
		if s.config.timeout > 0 && now.Sub(c.active) > s.config.timeout && !s.at.noTimeout &&
			(!s.state.Waiting(c.id) || s.at.wait.impatient) ||
			c.overSoftLimit(now) {
			c.kill()
		}
	}
}
