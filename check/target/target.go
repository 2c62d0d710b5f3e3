// Package target is the server under test: found at an address, or started from a command line.
//
// Open (access.go) dials, Exec (exec.go) starts a process and waits until it answers; then both ask
// the server who it is and what it can do (caps.go, cluster.go), so that a case can say what it
// needs instead of failing for the want of it. Nothing is assumed from a name but the clock profile.
package target

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"rondo/check/wire"
	"rondo/model"
)

// Target is a running server.
type Target struct {
	access Access
	flags  string // of rondo-check, to take the same target again
	caps   *Caps
	proc   *process // nil if it was running already
}

func checkAddr(addr string) error {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok && path != "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return fmt.Errorf("%q is no address: write HOST:PORT, for example 127.0.0.1:6379, or unix:PATH",
			addr)
	}
	return nil
}

// ErrNothingListens is in the error where no server is.
var ErrNothingListens = errors.New("nothing listens")

// ping tells whether a server that can be tested listens.
func (t *Target) ping() error {
	var unknown *net.DNSError
	var refused *net.OpError // by the system: a server's own refusal comes later
	c, err := t.Dial()
	switch {
	case errors.Is(err, ErrRefused):
		return fmt.Errorf("the server at %s cannot be used: %w", t.Addr(), err)
	case errors.As(err, &unknown):
		return fmt.Errorf("there is no host %q (%w)", unknown.Name, err)
	case t.access.TLS && err != nil:
		return t.access.hint(err)
	case err != nil && !errors.As(err, &refused):
		return t.access.hint(fmt.Errorf("the server at %s cannot be used: %w", t.Addr(), err))
	case err != nil:
		return fmt.Errorf("%w at %s: start a server there (%w)", ErrNothingListens, t.Addr(), err)
	}
	defer c.Close()
	r, err := c.Do("PING")
	switch {
	case err != nil:
		return t.access.hint(fmt.Errorf("what listens at %s does not answer PING as a Redis server "+
			"does: %w", t.Addr(), err))
	case r.Kind == model.Error && strings.HasPrefix(r.Str, "NOAUTH"):
		return fmt.Errorf("the server at %s asks for a password: give it with -pass, or better in the "+
			"variable %s, and a user with -user", t.Addr(), PassVariable)
	case r.Kind != model.Simple || r.Str != "PONG":
		return fmt.Errorf("the server at %s answers PING with %q, not with PONG", t.Addr(), r.Str)
	}
	return nil
}

// ask fills in the capabilities.
func (t *Target) ask() error {
	c, err := t.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	t.caps, err = askCaps(c, t.access.DB, t.access.SignsIn())
	if err != nil {
		return fmt.Errorf("ask %s what it can do: %w", t.Addr(), err)
	}
	t.caps.Owned = t.Started()
	return nil
}

// AllowFlush permits emptying the target's databases (the -flush of the command line).
func (t *Target) AllowFlush() {
	if !t.caps.Owned {
		t.caps.Owned = true
		t.flags += " -flush"
	}
}

// Flags are those of rondo-check that take the same target again; "" for the embedded server.
func (t *Target) Flags() string { return t.flags }

// Addr is where the target listens.
func (t *Target) Addr() string { return t.access.Addr }

// Access is how the target is reached.
func (t *Target) Access() Access { return t.access }

// Name is the server's name and version, "redis 7.0.15".
func (t *Target) Name() string { return strings.TrimSpace(t.caps.Server + " " + t.caps.Version) }

// Caps are what the target can do, found by asking when it was opened.
func (t *Target) Caps() *Caps { return t.caps }

// Pid is the process of the target as the server itself says, or the one that was started; 0 if
// neither is known on this machine.
func (t *Target) Pid() int {
	switch {
	case t.caps != nil && t.caps.Local && t.caps.pid > 0:
		return t.caps.pid
	case t.proc != nil:
		return t.proc.cmd.Process.Pid
	}
	return 0
}

// Dial opens a connection, signed in and in the run's database.
func (t *Target) Dial() (*wire.Conn, error) {
	c, _, err := t.access.dial()
	return c, err
}

// Socket is Dial for those who read and write bytes themselves.
func (t *Target) Socket() (net.Conn, error) {
	_, sock, err := t.access.dial()
	return sock, err
}

// Databases are those that a run may use: all of them, or only the one that Access names.
func (t *Target) Databases() []int {
	if t.access.DB != 0 {
		return []int{t.access.DB}
	}
	all := make([]int, t.caps.Databases)
	for i := range all {
		all[i] = i
	}
	return all
}

// Started says whether the target was started by Exec.
func (t *Target) Started() bool { return t.proc != nil }

// Done is closed when the process of a started target has ended; nil (never) for one At an address.
func (t *Target) Done() <-chan struct{} {
	if t.proc == nil {
		return nil
	}
	return t.proc.done
}

// Ended says how a started target ended, with the end of its output; "" while it runs.
func (t *Target) Ended() string {
	if t.proc == nil {
		return ""
	}
	select {
	case <-t.proc.done:
		return t.proc.ending()
	default:
		return ""
	}
}

// ErrNotStarted is the answer where only a started target will do.
var ErrNotStarted = errors.New("the target was not started by the judge")
