package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// stage is a server, and what the faults use.
type stage struct {
	t     *target.Target
	opt   Options
	admin *wire.Conn
	name  string // of this run, in the names of its keys

	// Of one fault.
	ctx  context.Context
	note string
	undo []func() error
}

func open(t *target.Target, opt Options) (*stage, error) {
	s := &stage{t: t, opt: opt, name: strconv.FormatInt(time.Now().UnixNano(), 36)}
	var err error
	if s.admin, err = t.Dial(); err != nil {
		return nil, err
	}
	s.admin.KeepLog(false)
	s.admin.SetReadTimeout(connLimit)
	return s, nil
}

// close removes what faults share; their own keys they have removed themselves.
func (s *stage) close() {
	_, _ = s.admin.Do("DEL", s.key("value"))
	s.admin.Close()
}

// key is a key of this run.
func (s *stage) key(name string) string { return "rondo:{faults" + s.name + "}" + name }

// ask asks beside the fault; an error reply is an error.
func (s *stage) ask(words ...string) (model.Reply, error) {
	r, err := s.admin.Do(words...)
	if err == nil && r.Kind == model.Error {
		err = fmt.Errorf("%s: %s", words[0], r.Str)
	}
	return r, err
}

// hold lets a fault last.
func (s *stage) hold() error { return rhythm.Pause(s.ctx, s.opt.Window) }

// value is stored, and is what a GET of it must answer.
func (s *stage) value() (ask, reply []byte, err error) {
	key, value := s.key("value"), pattern()
	r, err := s.admin.DoArgs([]byte("SET"), []byte(key), value)
	if err == nil && r.Kind == model.Error {
		err = errors.New("SET: " + r.Str)
	}
	return request("GET", key), bulk(value), err
}

// pattern is the value that is asked for.
func pattern() []byte { return bytes.Repeat([]byte("0123456789abcdef"), valueBytes/16) }

func request(words ...string) []byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return wire.AppendCommand(nil, args...)
}

func bulk(b []byte) []byte { return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(b), b) }

// room is how many of n clients there can be: this process, and the server, have bounds.
func (s *stage) room(n int) int {
	if limit := rhythm.Descriptors(); limit > 0 {
		n = min(n, limit-strangers)
	}
	r, err := s.ask("CONFIG", "GET", "maxclients")
	if err != nil || len(r.Elems) != 2 {
		return n
	}
	was := r.Elems[1].Str
	most, err := strconv.Atoi(was)
	if err != nil || most >= n+strangers {
		return n
	}
	if s.t.Caps().Owned {
		if _, err := s.ask("CONFIG", "SET", "maxclients", strconv.Itoa(n+strangers)); err == nil {
			s.undo = append(s.undo, func() error {
				_, err := s.ask("CONFIG", "SET", "maxclients", was)
				return err
			})
			return n
		}
	}
	return max(1, most-strangers)
}

// crowd are the connections of a fault.
type crowd []net.Conn

// gather opens n connections.
func (s *stage) gather(n int, dial func() (net.Conn, error)) (crowd, error) {
	c := make(crowd, n)
	err := c.each(func(i int, _ net.Conn) (err error) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if c[i], err = dial(); err == nil {
			_ = c[i].SetDeadline(time.Now().Add(connLimit + s.opt.Window))
		}
		return err
	})
	if err != nil {
		c.reset()
		return nil, broken(fmt.Sprintf("not all of %d connections could be opened: %v", n, err))
	}
	return c, nil
}

// each calls f for every connection, some at the same time, and returns the first error.
func (c crowd) each(f func(i int, conn net.Conn) error) error {
	return several(len(c), func(i int) error { return f(i, c[i]) })
}

// several calls f for the numbers below n, some at the same time, and returns the first error.
func several(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for from := range min(dialers, n) {
		wg.Go(func() {
			for i := from; i < n; i += dialers {
				err := f(i)
				mu.Lock()
				if first == nil {
					first = err
				}
				stop := first != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}

func (c crowd) reset() {
	for _, conn := range c {
		if conn != nil {
			reset(conn)
		}
	}
}

// expect reads exactly want.
func expect(c io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%.60q and not %.60q", got, want)
	}
	return nil
}
