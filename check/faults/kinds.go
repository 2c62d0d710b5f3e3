package faults

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
)

// Kind is one kind of fault.
type Kind struct {
	Name  string
	What  string             // "#" is the number of clients of a crowd, "%" a tenth of it
	work  func(*stage) error // makes it, lets it last, ends it
	alone bool               // it wants a network of its own
}

// Kinds are all of them.
var Kinds = []Kind{
	{Name: "slow-loris", What: "% clients send a request at a byte a second, and the rest of it in the end", work: slowLoris},
	{Name: "never-reads", What: "16 clients ask for 8 MB each and take none of it", work: neverReads},
	{Name: "storm", What: "# connections, 64 at a time, each asks once and resets", work: storm},
	{Name: "resets", What: "clients ask for 8 MB, take a little, and reset the connection in the middle of a reply", work: resets},
	{Name: "stopped-peers", What: "a process with 16 clients is stopped while it takes replies, and goes on", work: stoppedPeers},
	{Name: "descriptors", What: "200 connections come to a server that may have 64 descriptors", work: noDescriptors},
	{Name: "pipelines", What: "# clients at the same time, each with a pipeline of 16 requests", work: pipelines},
	{Name: "lossy-line", What: "8 clients take values of 256 kB over a line that is slow and loses packets", work: lossyLine, alone: true},
}

// Select finds kinds by name; wrong is one that is not there.
func Select(names []string) (out []Kind, wrong string) {
	return rhythm.ByName(Kinds, names, func(k Kind) string { return k.Name })
}

// Title says what is done, with its sizes.
func (k Kind) Title(opt Options) string {
	return strings.NewReplacer("#", fmt.Sprint(opt.Clients), "%", fmt.Sprint(loris(opt))).Replace(k.What)
}

func loris(opt Options) int { return max(1, opt.Clients/lorisPart) }

// slowLoris opens a tenth of the crowd, and ends well if each request is answered once it is whole.
func slowLoris(s *stage) error {
	c, err := s.gather(s.room(loris(s.opt)), s.t.Socket)
	if err != nil {
		return err
	}
	defer c.reset()
	word := strings.Repeat("x", int(s.opt.Window/time.Second)+1)
	ask, reply := request("ECHO", word), bulk([]byte(word))
	sent, until := 0, time.Now().Add(s.opt.Window)
	for ; sent < len(ask)-1 && time.Now().Before(until); sent++ {
		if err := c.each(func(_ int, conn net.Conn) error { return write(conn, ask[sent:sent+1]) }); err != nil {
			return broken("a client that is slow was sent away: " + err.Error())
		}
		if err := rhythm.Pause(s.ctx, min(time.Second, time.Until(until))); err != nil {
			return err
		}
	}
	s.note = fmt.Sprintf("%d clients, %d bytes each", len(c), sent)
	err = c.each(func(_ int, conn net.Conn) error {
		if err := write(conn, ask[sent:]); err != nil {
			return err
		}
		return expect(conn, reply)
	})
	if err != nil {
		return broken("a client that was slow got no right answer: " + err.Error())
	}
	return nil
}

func write(c net.Conn, b []byte) error {
	_, err := c.Write(b)
	return err
}

// greedy asks for more than the sockets hold, and does not take it.
func (s *stage) greedy(ask []byte) (net.Conn, error) {
	c, err := s.t.Socket()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(shallow) // or the system would read in its place
	}
	for range valueAsks {
		if err := write(c, ask); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func neverReads(s *stage) error {
	ask, _, err := s.value()
	if err != nil {
		return err
	}
	c, err := s.gather(takers, func() (net.Conn, error) { return s.greedy(ask) })
	if err != nil {
		return err
	}
	defer c.reset()
	return s.hold()
}

// storm ends well if every connection is answered.
func storm(s *stage) error {
	ping, pong := request("PING"), []byte("+PONG\r\n")
	began := time.Now()
	err := several(s.opt.Clients, func(int) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		c, err := s.t.Socket()
		if err != nil {
			return err
		}
		defer reset(c)
		_ = c.SetDeadline(time.Now().Add(connLimit))
		if err := write(c, ping); err != nil {
			return err
		}
		return expect(c, pong)
	})
	if err != nil {
		return broken("a connection of the storm was not answered: " + err.Error())
	}
	s.note = fmt.Sprintf("%.0f connections a second", float64(s.opt.Clients)/time.Since(began).Seconds())
	return nil
}

func resets(s *stage) error {
	ask, _, err := s.value()
	if err != nil {
		return err
	}
	until, n := time.Now().Add(s.opt.Window), atomic.Int64{}
	err = several(takers, func(int) error {
		in := make([]byte, shallow)
		for time.Now().Before(until) && s.ctx.Err() == nil {
			c, err := s.greedy(ask)
			if err != nil {
				return err
			}
			_ = c.SetDeadline(time.Now().Add(connLimit))
			_, err = c.Read(in)
			if reset(c); err != nil {
				return err
			}
			n.Add(1)
		}
		return nil
	})
	s.note = fmt.Sprintf("%d resets", n.Load())
	if err != nil {
		return broken("a client that asked for much was not served: " + err.Error())
	}
	return nil
}

// noDescriptors ends well if those who wait come in as soon as there is room.
func noDescriptors(s *stage) error {
	lift, err := s.limit()
	if err != nil {
		return err
	}
	defer func() { _ = lift() }()
	ping, pong := request("PING"), []byte("+PONG\r\n")
	c, err := s.gather(strangers, s.knock)
	if err != nil {
		return err
	}
	defer c.reset()
	in, out := crowd{}, crowd{}
	for _, conn := range c {
		_ = write(conn, ping) // to be refused is to be answered
	}
	time.Sleep(feelTime)
	for _, conn := range c {
		if _ = conn.SetReadDeadline(time.Now().Add(time.Millisecond)); expect(conn, pong) == nil {
			in = append(in, conn)
		} else {
			out = append(out, conn)
		}
	}
	if len(out) == 0 {
		return skipped("the limit of descriptors is not felt")
	}
	s.note = fmt.Sprintf("%d came in, %d did not", len(in), len(out))
	if err := s.hold(); err != nil {
		return err
	}
	c.reset()
	return s.comesIn()
}

// limit leaves the server few descriptors; lift gives back what it had.
func (s *stage) limit() (lift func() error, err error) {
	if !s.t.Started() {
		return nil, skipped("the descriptors are limited only of a server that is started here")
	}
	pid := s.t.Pid()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return nil, skipped("it takes /proc to count the server's descriptors")
	}
	lift, err = target.LimitDescriptors(pid, max(descriptors, len(open)+spareMin))
	if err != nil {
		return nil, skipped("the descriptors of the server cannot be limited here: " + err.Error())
	}
	return lift, nil
}

// knock connects, whether or not somebody opens.
func (s *stage) knock() (net.Conn, error) { return net.DialTimeout("tcp", s.t.Addr(), connLimit) }

// comesIn tries until somebody new is answered.
func (s *stage) comesIn() error {
	var last error
	for until := time.Now().Add(resumeTime); time.Now().Before(until); {
		c, err := s.t.Socket()
		if err == nil {
			_ = c.SetDeadline(until)
			_ = write(c, request("PING"))
			err = expect(c, []byte("+PONG\r\n"))
			c.Close()
		}
		if last = err; last == nil {
			return nil
		}
		time.Sleep(feelTime)
	}
	return broken("nobody comes in although there is room again: " + last.Error())
}

// pipelines has every client send before any is read from. It ends well if all answers are right.
func pipelines(s *stage) error {
	n := s.room(s.opt.Clients)
	c, err := s.gather(n, s.t.Socket)
	if err != nil {
		return err
	}
	defer c.reset()
	defer s.drop(n)
	rounds := 0
	for until := time.Now().Add(s.opt.Window); rounds == 0 || time.Now().Before(until); rounds++ {
		if err := c.each(func(i int, conn net.Conn) error { return write(conn, s.countUp(i)) }); err != nil {
			return broken("a pipeline was not taken: " + err.Error())
		}
		err := c.each(func(i int, conn net.Conn) error { return expect(conn, counted(rounds)) })
		if err != nil {
			return broken("a pipeline was answered " + err.Error())
		}
	}
	s.note = fmt.Sprintf("%d clients, %d requests", n, rounds*n*pipeline)
	return nil
}

func (s *stage) countUp(i int) (out []byte) {
	incr := request("INCR", s.key(fmt.Sprint("pipeline", i)))
	for range pipeline {
		out = append(out, incr...)
	}
	return out
}

// counted are the replies to a client's pipeline of a round.
func counted(round int) (out []byte) {
	for i := range pipeline {
		out = fmt.Appendf(out, ":%d\r\n", round*pipeline+i+1)
	}
	return out
}

// drop deletes the keys of n pipelines.
func (s *stage) drop(n int) {
	for i := range n {
		if _, err := s.ask("DEL", s.key(fmt.Sprint("pipeline", i))); err != nil {
			return
		}
	}
}
