// Package command is what the server can do: the table of commands (the only dispatch), the gates
// every command passes, transactions, and the handlers by family.
//
// It knows no sockets, and of clocks only what its Host has read from the wall clock. A connection
// hands Executor.Run the arguments of one frame; the reply is appended to Session.Out. Everything
// runs on the command thread.
package command

import (
	"rondo/impl/histogram"
	"rondo/impl/store"
)

// Session is what commands know of one connection. The server embeds it in its own connection
// type. Only the command thread touches it.
type Session struct {
	ID          int64  // CLIENT ID
	Name        string // CLIENT SETNAME
	DB          int    // SELECT
	Proto       int    // 2 or 3
	gates       gate
	CloseAfter  bool   // close once Out is flushed; nothing more is executed or appended (CONN-6)
	CloseNow    string // why to close without flushing; empty while there is no reason
	LastCommand string

	// Out receives replies; the connection flushes it. No string makes it longer than OutMax:
	// the connection is given up instead (see room).
	Out    []byte
	OutMax int

	Owner any // what the host knows it by

	tx     *transaction // MULTI queue and WATCH marks (tx.go); nil while there are none
	waiter *waiter      // nil while it does not wait (block.go)
}

// Call is one command being executed: the only argument of a handler. Args are views into the
// input buffer, valid during the call; what is kept must be copied.
type Call struct {
	Args [][]byte
	Now  int64 // Unix ms: the wall clock as this execution unit goes by it (TIME-17, EXEC-16)
	DB   *store.DB
	S    *Session
	X    *Executor // keyspace, host, and the funnel touched
	Cmd  *Command
}

// Host is what handlers ask of the server around them; package impl implements it, and package
// sim-driven tests through it.
type Host interface {
	// NowMs is the last reading of the wall clock in Unix milliseconds. The host reads it before it
	// calls Run, and may serve several commands that had arrived by then with one reading.
	NowMs() int64
	// NowMicros is the same reading in microseconds, for TIME.
	NowMicros() int64
	// Mono is the monotonic clock in nanoseconds, read anew.
	Mono() int64
	Rand() uint64
	// MakeRoom evicts keys until what is used fits into maxmemory, but not for long.
	MakeRoom() Room

	// Direct writes a long string to the client under execution without a copy of it, behind
	// Session.Out; false if that is not to be done now, and the string has to be appended.
	Direct(b []byte) bool

	// Answer lets reply append to the Out of a session that has waited; it may be another than the one
	// under execution. What that one has sent behind is executed from then on.
	Answer(s *Session, reply func())
	// WaitUntil has Executor.TimeOut called at a moment of the monotonic clock, and no earlier; that
	// was asked for before is forgotten. math.MaxInt64 is never.
	WaitUntil(s *Session, mono int64)

	// Password is requirepass, empty for none.
	Password() string
	// DebugAllowed tells whether this session may use DEBUG (enable-debug-command).
	DebugAllowed(*Session) bool
	// Sleep holds the command thread (DEBUG SLEEP).
	Sleep(seconds float64)
	// SetActiveExpire switches the background expiry (DEBUG SET-ACTIVE-EXPIRE).
	SetActiveExpire(on bool)
	// Shutdown asks the server to stop: it flushes what it owes and ends (SHUTDOWN).
	Shutdown()

	// ConfigGet returns name, value pairs that match any of the glob patterns, sorted by name.
	ConfigGet(patterns []string) [][2]string
	// ConfigSet applies all pairs or none; the error's text is the reply's.
	ConfigSet(pairs [][2]string) error
	ConfigResetStat()

	// LoopHistograms yields what the loop has measured of its turns; LoopReset begins it anew.
	LoopHistograms(yield func(name string, h *histogram.Histogram))
	LoopReset()

	// PeerAddr is where the client comes from whose command runs.
	PeerAddr(*Session) string
	// Info is the text of INFO for these sections (none: the default ones).
	Info(sections []string) []byte
	// Memory is what memory is used for; Purge gives back what it can, in the background.
	Memory() MemoryReport
	Purge()
	// Clients calls yield for every connection until it returns false. yield may Kill.
	Clients(yield func(ClientInfo) bool)
	// Kill closes another connection than the caller's, at once.
	Kill(ClientInfo)
}

// ClientInfo is a connection as CLIENT LIST shows it.
type ClientInfo struct {
	Session      *Session
	Addr, Laddr  string
	Unix         bool // it came in at a unix socket
	FD           int
	AgeSecs      int64
	IdleSecs     int64
	QueryBuf     int // bytes waiting in the query buffer
	QueryBufFree int
	OutBytes     int // reply bytes not yet written
	Events       string
}
