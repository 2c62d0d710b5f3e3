package wire

import (
	"time"

	"rondo/model"
)

// Conn is a client's connection: strict, with deadlines and a log of what passed.
type Conn struct{}

// Entry is one piece of the wire log.
type Entry struct {
	At    time.Duration // since Dial
	Out   bool          // from client to server
	Bytes []byte        // the beginning, see LogEntryBytesMax
	Cut   int           // how many bytes were left off
}

// Dial connects to "host:port" or "unix:PATH".
func Dial(addr string, timeout time.Duration) (*Conn, error) { panic("todo") }

// Send writes one command.
func (c *Conn) Send(args ...[]byte) error { panic("todo") }

// SendRaw writes bytes as they are, in one write.
func (c *Conn) SendRaw(b []byte) error { panic("todo") }

// Receive returns the next reply; the zero deadline means the read timeout from now.
func (c *Conn) Receive(deadline time.Time) (model.Reply, error) { panic("todo") }

// Do sends one command and returns its reply.
func (c *Conn) Do(args ...string) (model.Reply, error) { panic("todo") }

// SetReadTimeout sets how long Do, and Receive without a deadline, wait.
func (c *Conn) SetReadTimeout(d time.Duration) { panic("todo") }

// CloseWrite shuts down the sending side: the server reads an end of file.
func (c *Conn) CloseWrite() error { panic("todo") }

// Close closes the connection.
func (c *Conn) Close() error { panic("todo") }

// Reset closes with a RST instead of a FIN (CONN-28).
func (c *Conn) Reset() error { panic("todo") }

// Log returns a copy of the wire log, oldest entry first.
func (c *Conn) Log() []Entry { panic("todo") }

// LocalAddr is this side's address, as CLIENT LIST shows it.
func (c *Conn) LocalAddr() string { panic("todo") }
