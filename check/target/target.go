// Package target is the server under test: found at an address, or started from a command line.
package target

import (
	"io"

	"rondo/check/wire"
)

// Target is a running server.
type Target struct{}

// At takes the server that listens at addr ("host:port" or "unix:PATH").
func At(addr string) (*Target, error) { panic("todo") }

// Exec starts a server from a command line in which {port} is replaced by a free port and {dir} by
// an empty directory, and waits until it answers PING. Its output goes to logTo (nil: nowhere).
func Exec(command string, logTo io.Writer) (*Target, error) { panic("todo") }

// ExecArgs is Exec with the words of the command line already apart.
func ExecArgs(argv []string, logTo io.Writer) (*Target, error) { panic("todo") }

// Again starts another instance of a target that was started from a command.
func (t *Target) Again() (*Target, error) { panic("todo") }

// AllowFlush permits emptying the target's databases (the -flush of the command line).
func (t *Target) AllowFlush() { panic("todo") }

// Addr is where the target listens.
func (t *Target) Addr() string { panic("todo") }

// Name is the server's name and version, "redis 7.0.15".
func (t *Target) Name() string { panic("todo") }

// Pid is the process of the target, 0 if not known.
func (t *Target) Pid() int { panic("todo") }

// Started says whether the target was started by Exec.
func (t *Target) Started() bool { panic("todo") }

// Stop ends a started target, with all that it started; a target At an address is left alone.
func (t *Target) Stop() error { panic("todo") }

// Dial opens a connection.
func (t *Target) Dial() (*wire.Conn, error) { panic("todo") }

// Caps are what the target can do, found by asking when it was opened.
func (t *Target) Caps() *Caps { panic("todo") }

// Caps is what a target can do.
type Caps struct {
	Server    string // "redis", "rondo", "miniredis" ...
	Version   string
	Profile   string // history.Frozen or history.Live
	RESP3     bool
	Debug     bool // DEBUG SLEEP is allowed
	ConfigSet bool
	Databases int
	Empty     bool // all databases were empty when asked
	Owned     bool // its data are ours to delete: we started it, or -flush
	Local     bool // on this machine: one kernel clock
}

// Has reports whether the target knows a command ("get", "client|id").
func (c *Caps) Has(command string) bool { panic("todo") }
