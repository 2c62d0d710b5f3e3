package mutant

import (
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// conn is one connection. Its reader parses and executes; its writer sends what the reader, or
// nobody else, has queued, so that a client that does not read holds up itself only (CONN-17).
type conn struct {
	s    *Server
	sock net.Conn
	id   model.Client

	// What it has sent.
	in       []byte
	segments int    // reads since the last complete request
	closing  bool   // nothing more is executed (CONN-6, WIRE-13)
	waitings int    // how often it has begun to wait
	onServed func() // what is done when it has waited and is served; nil: nothing

	// Of the command thread: what the session looks like from outside.
	opened, active time.Time
	authed         bool
	proto, db      int
	name, last     string
	multi          bool
	queue          [][][]byte
	watched        [][]byte
	watchedMs      int64
	held           [][]byte // a command that a fault keeps

	// Of the writer.
	mu       sync.Mutex
	more     *sync.Cond
	out      []byte
	inflight int       // bytes given to the kernel and not yet taken
	softOver time.Time // since when the soft limit is exceeded
	finish   bool      // close once out is written
	dead     bool
	written  chan struct{} // the writer has ended
}

func newConn(s *Server, sock net.Conn, id model.Client) *conn {
	now := time.Now()
	c := &conn{s: s, sock: sock, id: id, proto: 2, opened: now, active: now,
		authed: s.config.password == "", written: make(chan struct{})}
	c.more = sync.NewCond(&c.mu)
	return c
}

// read is the reader: it ends when the client does, or when we have decided to close.
func (c *conn) read() {
	defer c.s.all.Done()
	defer c.end()
	chunk := make([]byte, 64<<10)
	for closing := false; !closing; {
		n, err := c.sock.Read(chunk)
		if n > 0 {
			closing = c.drain(chunk[:n])
		}
		if err != nil {
			if c.s.at.ended != nil {
				c.s.at.ended(c)
			}
			return
		}
	}
	c.linger()
}

// deafened tells, for a fault, whether the client has already ended its side.
func (c *conn) deafened() bool {
	if !c.s.at.deaf {
		return false
	}
	_ = c.sock.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
	defer c.sock.SetReadDeadline(time.Time{})
	one := make([]byte, 1)
	n, err := c.sock.Read(one)
	c.in = append(c.in, one[:n]...)
	return err == io.EOF
}

// linger reads on without looking until the client has taken notice, so that what was written is
// not lost to a reset.
func (c *conn) linger() {
	c.flushAndFinish()
	_ = c.sock.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, c.sock)
}

// end is the end of the connection: its transaction, watches and name go, and nothing else
// (CONN-22).
func (c *conn) end() {
	c.flushAndFinish()
	c.s.mu.Lock()
	if !c.s.state.Waiting(c.id) || !c.s.at.wait.keepsGone {
		c.s.state = model.Close(c.s.state, c.id)
	}
	delete(c.s.conns, c.id)
	c.s.mu.Unlock()
	<-c.written
	c.sock.Close()
}

// drain executes every request that is complete, as an event loop does: all that one read brought,
// before anybody else's, and then what those had sent before who have been answered by it. It tells
// whether that was the end.
func (c *conn) drain(arrived []byte) (closing bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.in = append(c.in, arrived...)
	c.segments++
	if !c.deafened() {
		c.executeAll()
		c.s.goOn()
	}
	return c.closing
}

func (c *conn) executeAll() {
	var replies [][]byte
	for !c.closing && !c.waits() {
		cmds, err := c.parse()
		for _, cmd := range cmds {
			if c.closing || c.waits() {
				break
			}
			replies = append(replies, c.execute(cmd))
			if c.s.at.flush == nil {
				c.send(replies[0])
				replies = replies[:0]
			}
		}
		if err != nil {
			replies = append(replies, c.refuse(err))
		}
		if len(cmds) == 0 {
			break
		}
	}
	if c.s.at.flush != nil {
		replies = c.s.at.flush(replies)
	}
	for _, r := range replies {
		c.send(r)
	}
}

// parse takes the next request off the input; with a fault that reorders, all there are.
func (c *conn) parse() (cmds [][][]byte, err error) {
	for {
		args, n, err := c.next()
		if err != nil || n == 0 {
			break
		}
		c.in = c.in[n:]
		if c.s.at.frame != nil && len(args) > 0 {
			args = c.s.at.frame(c, args)
		}
		c.segments = min(1, len(c.in)) // what is left came with the latest
		if len(args) == 0 {
			continue // WIRE-8
		}
		cmds = append(cmds, args)
		if c.s.at.order == nil {
			return cmds, nil
		}
	}
	if c.s.at.order != nil && len(cmds) > 1 {
		cmds = c.s.at.order(cmds)
	}
	if _, _, err = c.next(); err != nil {
		return cmds, err
	}
	if len(c.in) > c.s.config.queryMax && !c.s.at.noQueryLimit {
		c.kill() // CONN-14
	}
	return cmds, nil
}

func (c *conn) next() ([][]byte, int, error) {
	l := wire.RequestLimits{BulkBytesMax: c.s.config.bulkMax, Unauthenticated: !c.authed}
	if c.s.at.parse != nil {
		return c.s.at.parse(l, c.in)
	}
	return l.Parse(c.in)
}

// refuse answers a protocol error; what follows is not looked at (WIRE-13).
func (c *conn) refuse(err error) []byte {
	c.closing, c.in = true, nil
	if c.s.at.refuse != nil {
		return c.s.at.refuse(c, err)
	}
	return []byte("-ERR " + err.Error() + "\r\n")
}

// execute runs one request, under the lock of the server, and returns the bytes of its reply.
func (c *conn) execute(cmd [][]byte) []byte {
	if isWord(cmd[0], "post") || isWord(cmd[0], "host:") { // WIRE-26: a browser
		c.closing = true
		return nil
	}
	u := c.s.unit(c, cmd)
	u.do()
	if c.s.state.Waiting(c.id) {
		c.startWaiting(u.micros / 1000)
		return nil
	}
	if strings.EqualFold(string(cmd[0]), "quit") && !c.s.at.stays {
		c.closing = true // CONN-6
	}
	reply := wire.AppendReply(nil, u.reply, c.proto)
	if c.s.at.encode != nil {
		reply = c.s.at.encode(c, reply)
	}
	if c.s.at.blockingWrites {
		_, _ = c.sock.Write(reply)
		return nil
	}
	return reply
}

// send queues bytes for the writer; a client that lets them pile up is closed (CONN-15).
func (c *conn) send(b []byte) {
	if c.s.at.output != nil {
		b = c.s.at.output(b)
	}
	c.mu.Lock()
	c.out = append(c.out, b...)
	pending := len(c.out) + c.inflight
	c.more.Signal()
	c.mu.Unlock()
	if hard := c.s.config.output.hard; hard > 0 && pending >= hard && !c.s.at.noOutputLimit {
		c.kill()
	}
}

// write is the writer.
func (c *conn) write() {
	defer c.s.all.Done()
	defer close(c.written)
	for {
		c.mu.Lock()
		c.inflight = 0
		for len(c.out) == 0 && !c.finish && !c.dead {
			c.more.Wait()
		}
		b := c.out
		c.out, c.inflight = nil, len(b)
		over := len(b) == 0 || c.dead
		c.mu.Unlock()
		if over {
			break
		}
		if _, err := c.sock.Write(b); err != nil {
			c.kill()
		}
	}
	if half, ok := c.sock.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// flushAndFinish has the writer end once it has written everything.
func (c *conn) flushAndFinish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish = true
	c.more.Signal()
}

// kill ends a connection at once; what it is owed is lost.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	c.more.Signal()
	c.sock.Close()
}

// overSoftLimit tells whether the output has been over the soft limit for too long (CONN-16).
func (c *conn) overSoftLimit(now time.Time) bool {
	l := c.s.config.output
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case l.soft == 0 || len(c.out)+c.inflight < l.soft:
		c.softOver = time.Time{}
	case c.softOver.IsZero():
		c.softOver = now
	default:
		return now.Sub(c.softOver) > l.softFor
	}
	return false
}
