package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"rondo/model"
)

// ErrClosed is in the error of a read from, or a write to, a connection that the server ended.
var ErrClosed = errors.New("the server closed the connection")

// ErrTimeout is in the error of a Receive for which no reply came in time.
var ErrTimeout = errors.New("no reply in time")

// Conn is a client's connection: strict, with deadlines and a log of what passed. It is for one
// goroutine, except that one may send while another receives once KeepLog(false) was called.
type Conn struct {
	sock        net.Conn
	opened      time.Time
	dec         Decoder
	readTimeout time.Duration
	chunk       []byte
	log         wireLog
	ended       error
}

// Dial connects to "host:port" or "unix:PATH".
func Dial(addr string, timeout time.Duration) (*Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	sock, err := net.DialTimeout(network, addr, timeout)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	c := &Conn{sock: sock, opened: time.Now(), readTimeout: ReadTimeout}
	return c, nil
}

// NewConn is a Conn on a socket that is already open.
func NewConn(sock net.Conn) *Conn {
	return &Conn{sock: sock, opened: time.Now(), readTimeout: ReadTimeout}
}

// SetReadTimeout sets how long Do, and Receive without a deadline, wait.
func (c *Conn) SetReadTimeout(d time.Duration) { c.readTimeout = d }

// KeepLog switches the wire log on or off; it is on at first.
func (c *Conn) KeepLog(on bool) { c.log.off = !on }

// Send writes one command.
func (c *Conn) Send(args ...[]byte) error { return c.SendRaw(AppendCommand(nil, args...)) }

// SendRaw writes bytes as they are, in one write.
func (c *Conn) SendRaw(b []byte) error {
	c.log.add(time.Since(c.opened), true, b)
	if err := c.sock.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil {
		return err
	}
	n, err := c.sock.Write(b)
	switch {
	case err == nil:
		return nil
	case isEnd(err):
		return fmt.Errorf("write %d bytes: %w (%v)", len(b), ErrClosed, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("write %d bytes: the server took only %d in %v and reads no more: %w",
			len(b), n, WriteTimeout, ErrTimeout)
	}
	return fmt.Errorf("write %d bytes: %w", len(b), err)
}

// Receive returns the next reply; the zero deadline means the read timeout from now. Its error is
// a *MalformedError, or wraps ErrClosed or ErrTimeout.
func (c *Conn) Receive(deadline time.Time) (model.Reply, error) {
	asked := time.Now()
	if deadline.IsZero() {
		deadline = asked.Add(c.readTimeout)
	}
	for {
		r, ok, err := c.dec.Next()
		if ok || err != nil {
			return r, err
		}
		if c.ended != nil {
			return r, c.ended
		}
		if err := c.fill(deadline); err != nil {
			return r, c.readError(err, time.Since(asked))
		}
	}
}

// fill reads once.
func (c *Conn) fill(deadline time.Time) error {
	if err := c.sock.SetReadDeadline(deadline); err != nil {
		return err
	}
	if c.chunk == nil {
		c.chunk = make([]byte, ReadChunkBytes)
	}
	n, err := c.sock.Read(c.chunk)
	if n > 0 {
		c.log.add(time.Since(c.opened), false, c.chunk[:n])
		c.dec.Feed(c.chunk[:n])
		return nil
	}
	return err
}

// readError says what was missing when the bytes stopped coming. The end of a connection is
// remembered; a timeout is not: the reply may still come.
func (c *Conn) readError(err error, waited time.Duration) error {
	part := c.dec.Pending()
	text := fmt.Sprintf("expected a reply at offset %d, got %d bytes of one: %q",
		c.dec.Offset(), len(part), part[:min(len(part), ErrorBytesMax)])
	if len(part) == 0 {
		text = fmt.Sprintf("expected a reply at offset %d, got nothing", c.dec.Offset())
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w (%v): %s", ErrTimeout, waited.Round(time.Millisecond), text)
	case isEnd(err) && len(part) > 0:
		c.ended = &MalformedError{c.dec.Offset(), "a whole reply before the connection ended",
			part[:min(len(part), ErrorBytesMax)]}
	case isEnd(err):
		c.ended = fmt.Errorf("%w: %s", ErrClosed, text)
	default:
		c.ended = fmt.Errorf("%s: %w", text, err)
	}
	return c.ended
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// Do sends one command and returns its reply.
func (c *Conn) Do(args ...string) (model.Reply, error) {
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = []byte(a)
	}
	return c.DoArgs(words...)
}

// DoArgs is Do with the arguments as bytes.
func (c *Conn) DoArgs(args ...[]byte) (model.Reply, error) {
	if err := c.Send(args...); err != nil {
		return model.Reply{}, err
	}
	return c.Receive(time.Time{})
}

// CloseWrite shuts down the sending side: the server reads an end of file (CONN-5).
func (c *Conn) CloseWrite() error {
	half, ok := c.sock.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("this kind of connection cannot be closed on one side")
	}
	return half.CloseWrite()
}

// Close closes the connection.
func (c *Conn) Close() error { return c.sock.Close() }

// Reset closes with a RST instead of a FIN where the transport has it (CONN-28).
func (c *Conn) Reset() error {
	if tcp, ok := c.transport().(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
		return tcp.Close()
	}
	return c.sock.Close()
}

// transport is the socket under TLS, or the socket.
func (c *Conn) transport() net.Conn {
	if safe, ok := c.sock.(interface{ NetConn() net.Conn }); ok {
		return safe.NetConn()
	}
	return c.sock
}

// SetReadBuffer bounds what the kernel keeps for a client that does not read (CONN-17).
func (c *Conn) SetReadBuffer(bytes int) error {
	sock, ok := c.transport().(interface{ SetReadBuffer(int) error })
	if !ok {
		return errors.New("this kind of connection has no receive buffer to set")
	}
	return sock.SetReadBuffer(bytes)
}

// LocalAddr is this side's address, as CLIENT LIST shows it.
func (c *Conn) LocalAddr() string { return c.sock.LocalAddr().String() }

// Log returns a copy of the wire log, oldest entry first.
func (c *Conn) Log() []Entry { return c.log.entries() }

// RemoteAddr is the server's address.
func (c *Conn) RemoteAddr() string { return c.sock.RemoteAddr().String() }
