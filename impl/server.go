package impl

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"rondo/impl/command"
	"rondo/impl/kernel"
	"rondo/impl/resp"
	"rondo/impl/store"
)

// ErrStopped is what Turn returns once the server has ended in order.
var ErrStopped = errors.New("impl: server has stopped")

// Server is one event loop with its clients and its keyspace. All of it belongs to the goroutine
// that calls Turn; Stop alone may be called from elsewhere.
type Server struct {
	k   kernel.Kernel
	cfg Config
	log logger
	x   *command.Executor

	memory     *store.Memory // of the keyspaces, and of large arguments
	account    account
	measuredAt int64 // monotonic ns
	tasks      tasks

	// The last readings of the monotonic clock (afterSleep) and of the wall clock (readClock).
	mono  int64
	wall  int64
	nowMs int64

	observer Observer // nil for none

	// Connections.
	listeners []*listener
	table     table
	nextID    int64
	current   *conn   // whose command runs
	pending   []*conn // with replies to flush before the loop sleeps
	behind    []*conn // with requests that were too many for a turn
	goingOn   []*conn // those of the last turn
	parting   []*conn // or dead already
	dying     []*conn // to be closed by reap

	// Buffers.
	arena    []byte
	taken    int       // of the arena, by what has arrived
	arrived  []arrival // read, and not yet served
	keys     [][]byte  // scratch of serveArrived
	lender   lender
	vector   [kernel.WritevMax][]byte // what one call writes
	pool     pool
	decoders []*resp.Decoder // at rest

	// What follows from cfg (apply).
	limits, strangerLimits resp.Limits
	hardLimit              int
	clientsCap             int64 // maxclients can be no more, given the descriptors there are

	// Time events.
	timers      timers
	tick        timer
	upkeepTimer timer // armed while there is more to do than fits into a tick
	expiry      timer // of ordered
	expirer     expirer
	expiryOn    bool // DEBUG SET-ACTIVE-EXPIRE
	eviction    timer

	// Memory of clients (evict.go).
	counting       bool
	clientBytesMax int64
	resume         timer
	partingEnd     timer
	acceptPaused   bool // since the last failure no connection was accepted

	events []kernel.Event
	frames []resp.Frame // those decoded ahead, none between two calls
	done   []func()
	turns  uint64
	stats  stats
	rhythm rhythm

	// For metrics.go.
	scraped   bool // somebody may scrape
	publishAt int64
	snapshot  atomic.Pointer[snapshot]

	// The end: asked for, begun (no more accepting and executing), and out of patience.
	stopAsked   atomic.Bool
	ending      bool
	endingSince int64
	patience    bool // what is owed and what is under way is still waited for
	lastCall    timer
}

// New makes a server on a kernel. When it returns, the server listens; nothing is accepted before
// the first Turn.
func New(cfg Config, k kernel.Kernel) (*Server, error) {
	s := &Server{
		k:        k,
		cfg:      cfg,
		log:      newLogger(cfg.Log, cfg.LogLevel),
		arrived:  make([]arrival, 0, arrivedMax),
		keys:     make([][]byte, 0, arrivedMax),
		frames:   make([]resp.Frame, 0, aheadFrames),
		expiryOn: true,
		mono:     k.Mono(),
	}
	scratch := cfg.Scratch
	if scratch == nil {
		scratch = NewScratch()
	}
	s.arena, s.lender.arena, s.events = scratch.arena, scratch.lent, scratch.events
	if s.memory = cfg.Memory; s.memory == nil {
		s.memory = store.HeapMemory()
	}
	s.cfg.EventBackend = k.Name() // whoever opened it, with whatever configuration
	s.readClock()
	s.stats.begin(s.mono, s.wall, k.Rand())
	s.rhythm.begin(s.mono)
	s.x = command.New(host{s}, int(cfg.Databases), s.memory, k.Rand(), command.Limits{}) // see apply
	if err := s.capClients(); err != nil {
		return nil, err
	}
	s.apply()
	s.look(s.k.Process())
	s.account.startup, s.measuredAt = s.usedBytes(0), s.mono
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.tick.run, s.expiry.run, s.eviction.run, s.upkeepTimer.run = s.onTick, s.expire, s.evict, s.upkeep
	s.resume.run, s.lastCall.run, s.partingEnd.run = s.resumeAccepting, s.giveUp, s.endParting
	s.timers.arm(&s.tick, s.mono+s.tickPeriod())
	return s, nil
}

// capClients lowers maxclients to what the descriptors allow: the process's limit, or how many
// this poller can watch (select: FD_SETSIZE).
func (s *Server) capClients() error {
	s.clientsCap = math.MaxUint32
	if k, ok := s.k.(interface{ Limit() int }); ok {
		s.clientsCap = int64(k.Limit()) - fdReserve
	}
	if s.clientsCap < 1 {
		return fmt.Errorf("only %d descriptors are allowed: raise the limit (ulimit -n)",
			s.clientsCap+fdReserve)
	}
	if s.cfg.MaxClients > s.clientsCap {
		s.log.warning("maxclients lowered to what the descriptors of this process and poller allow",
			"asked", s.cfg.MaxClients, "maxclients", s.clientsCap)
		s.cfg.MaxClients = s.clientsCap
	}
	return nil
}

// apply recomputes what follows from the configuration.
func (s *Server) apply() {
	s.limits = resp.Limits{BulkLenMax: s.cfg.BulkBytesMax}
	s.strangerLimits = resp.Limits{BulkLenMax: s.cfg.BulkBytesMax, AuthRequired: true}
	s.x.Limits.BulkLenMax, s.x.Limits.HeldMax = s.cfg.BulkBytesMax, s.cfg.QueryBytesMax
	s.hardLimit = math.MaxInt / 2 // so that something can be added to it
	if hard := s.cfg.Output[classNormal].Hard; hard > 0 {
		s.hardLimit = int(min(hard, math.MaxInt/2))
	}
	s.memory.Compact(s.cfg.ActiveDefrag)
	s.x.Report(s.cfg.Reporting)
	s.log.setLevel(s.cfg.LogLevel)
	s.applyMemory()
	s.applyExpiry()
}

// readClock is the one place that reads the wall clock for commands (TIME-17). The reading stays
// until the next read from a client, slice of expiry, or sleep of a command. The monotonic clock
// comes with it.
func (s *Server) readClock() (mono int64) {
	mono, s.wall = s.k.Now()
	s.nowMs = s.wall / 1e6
	return mono
}

// Addr is the first address the server listens at, with its actual port.
func (s *Server) Addr() string { return s.listeners[0].addr }

// Run turns until the server has ended; an error is that of the poller. The thread is the loop's
// own: signals and other goroutines find another.
func (s *Server) Run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		if err := s.Turn(); err != nil {
			if errors.Is(err, ErrStopped) {
				return nil
			}
			return err
		}
	}
}

// Stop asks the server to end. Safe from any goroutine.
func (s *Server) Stop() {
	s.stopAsked.Store(true)
	s.k.Wake()
}

// end begins the end: nobody new is accepted, nothing more is executed, and what is owed is
// written, but not for longer than shutdownFlush (LOOP-15).
func (s *Server) end() {
	s.ending = true
	s.endingSince, s.patience = s.k.Mono(), true
	s.log.notice("stopping: flushing what is owed", "clients", s.table.live)
	s.unlisten()
	s.cancel(taskMeasure)
	s.cancel(taskPurge)
	for c := range s.table.each {
		s.finish(c)
	}
	s.timers.arm(&s.lastCall, s.endingSince+int64(shutdownFlush))
}

// giveUp closes those that have not taken what they are owed, and waits for no task any more.
func (s *Server) giveUp() {
	s.patience = false
	for c := range s.table.each {
		s.fail(c, "did not read its replies before the end", nil)
	}
	for _, c := range s.parting {
		s.kill(c)
	}
}

// ended says that the last connection is closed, and the last task done.
func (s *Server) ended() bool {
	return s.endingSince != 0 && s.table.live == 0 && len(s.dying) == 0 && len(s.parting) == 0 &&
		!(s.patience && s.busy())
}
