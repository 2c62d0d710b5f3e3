package property

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec/commands"
)

// Server is the server under test. It is for one goroutine.
type Server struct {
	target *target.Target
	clock  *wire.Conn // reads the server's clock; nothing else is sent on it
	run    string     // makes keys fresh
	talks  int
	// PauseMax bounds a pause of a program. A real server is waited for; in a synctest bubble pauses
	// cost nothing, and may be as long as keys live.
	PauseMax time.Duration
	// failure is the last conversation that broke a law.
	failure string
}

// pauseMax is for servers in real time.
const pauseMax = 3 * time.Millisecond

// NewServer takes a target. Close it when done.
func NewServer(t *target.Target) (*Server, error) {
	c, err := t.Dial()
	if err != nil {
		return nil, err
	}
	c.KeepLog(false)
	return &Server{target: t, clock: c, run: strconv.FormatInt(time.Now().UnixNano(), 36),
		PauseMax: pauseMax}, nil
}

// Through is NewServer of one in this process, to which dial opens connections: in a synctest bubble
// there is no network.
func Through(dial func() (net.Conn, error)) (*Server, error) {
	t, err := target.Open(target.Access{Addr: "bubble:1", Through: dial})
	if err != nil {
		return nil, err
	}
	return NewServer(t)
}

// Close ends the connection to the clock.
func (s *Server) Close() { s.clock.Close() }

// Has reports whether the server knows a command; a container counts as known.
func (s *Server) Has(name string) bool {
	return commands.Container(name) || s.target.Caps().Has(name)
}

// RESP3 reports whether HELLO 3 works.
func (s *Server) RESP3() bool { return s.target.Caps().RESP3 }

// initial is the model's idea of the server before a program.
func (s *Server) initial() model.State {
	return model.Initial(model.Options{Databases: s.target.Caps().Databases, BulkLenMax: 512 << 20})
}

// now is the server's clock in Unix ms.
func (s *Server) now() (int64, error) { return ReadClock(s.clock) }

// ReadClock asks a server for its clock, in Unix ms.
func ReadClock(c *wire.Conn) (int64, error) {
	r, err := c.Do("TIME")
	if err != nil {
		return 0, err
	}
	if len(r.Elems) != 2 {
		return 0, fmt.Errorf("TIME answers %s", r)
	}
	secs, err1 := strconv.ParseInt(r.Elems[0].Str, 10, 64)
	micros, err2 := strconv.ParseInt(r.Elems[1].Str, 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("TIME answers %s", r)
	}
	return secs*1000 + micros/1000, nil
}
