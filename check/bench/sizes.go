package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
	"rondo/check/wire"
)

// This file reads from the system what keys and idle clients cost a server in memory: its resident
// size before and after. A server that was started here is started again for each figure, since
// memory that was used before may have been kept.

// Size is what one of many costs each server.
type Size struct {
	What   string    `json:"what"`
	N      int       `json:"n"`
	Each   []float64 `json:"each"`             // bytes, by server
	Why    []string  `json:"why,omitempty"`    // by server, why there is no figure
	Target float64   `json:"target,omitempty"` // the ratio to the first server is at most this
}

// add takes the figure of the next server, or why it has none.
func (s *Size) add(each float64, err error) {
	why := ""
	if err != nil {
		each, why = 0, err.Error()
	}
	s.Each, s.Why = append(s.Each, each), append(s.Why, why)
}

// What memory is to be, by the table of what is to be reached.
const (
	keyTarget      = 0.40
	volatileTarget = 0.45
	clientTarget   = 0.50
)

// memory measures servers with so many keys, without and with a deadline on each.
func memory(ctx context.Context, servers []Server, opt Options) (out []Size, err error) {
	for _, n := range opt.MemoryKeys {
		plain := Size{What: "keys", N: n, Target: keyTarget}
		volatile := Size{What: "keys with a deadline", N: n, Target: volatileTarget}
		for _, s := range servers {
			for _, row := range []struct {
				to      *Size
				options []string
			}{{&plain, nil}, {&volatile, []string{"PX", "3600000"}}} {
				opt.Progress(fmt.Sprintf("%s: memory of %d %s", s.Name, n, row.to.What))
				row.to.add(s.perKey(ctx, n, row.options))
				if ctx.Err() != nil {
					return out, ctx.Err()
				}
			}
		}
		out = append(out, plain, volatile)
	}
	return out, nil
}

// fresh is another instance of a server that was started here, or the server itself, emptied.
func (s Server) fresh(ctx context.Context) (t *target.Target, stop func(), err error) {
	if !s.Target.Started() {
		return s.Target, func() {}, s.empty(ctx)
	}
	if t, err = s.Target.Again(); err != nil {
		return nil, nil, err
	}
	if err := startsEmpty(t); err != nil {
		_ = t.Stop()
		return nil, nil, err
	}
	return t, func() { _ = t.Stop() }, nil
}

// startsEmpty refuses a server that has loaded keys: what these cost would be missing from the figure.
func startsEmpty(t *target.Target) error {
	c, err := t.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.Do("DBSIZE")
	if err == nil && r.Int > 0 {
		err = fmt.Errorf("it starts with %d keys: has it found a dump? With --dir {dir} it looks for one in a"+
			" folder of its own", r.Int)
	}
	return err
}

func (s Server) perKey(ctx context.Context, n int, options []string) (float64, error) {
	t, stop, err := s.fresh(ctx)
	if err != nil {
		return 0, err
	}
	defer stop()
	before, err := residentOf(t.Pid())
	if err != nil {
		return 0, err
	}
	if err := rhythm.Fill(ctx, t, n, options...); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	after, err := residentOf(t.Pid())
	return float64(after-before) / float64(n), err
}

const (
	dialsPause  = 5 * time.Millisecond
	dialsAtOnce = 100 // or the backlog of the listener overflows
)

// idleClients measures what clients cost that are connected and do nothing.
func idleClients(ctx context.Context, servers []Server, opt Options) ([]Size, error) {
	out := []Size{{What: "clients, never used"}, {What: "clients, just after one PING"},
		{What: fmt.Sprintf("clients, %v later", opt.IdleWait)}}
	for i := range out {
		out[i].N, out[i].Target = opt.IdleClients, clientTarget
	}
	for _, s := range servers {
		opt.Progress(fmt.Sprintf("%s: %d idle clients", s.Name, opt.IdleClients))
		each, err := s.perClient(ctx, opt)
		for i := range out {
			out[i].add(each[i], err)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

func (s Server) perClient(ctx context.Context, opt Options) (each [3]float64, err error) {
	n := opt.IdleClients
	if most := rhythm.Descriptors(); most > 0 && most < n+descriptorsKept {
		return each, fmt.Errorf("%d connections need more descriptors than the %d of this process (ulimit -n)", n, most)
	}
	t, stop, err := s.fresh(ctx)
	if err != nil {
		return each, err
	}
	defer stop()
	before, err := residentOf(t.Pid())
	if err != nil {
		return each, err
	}
	var clients []net.Conn
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	for len(clients) < n {
		if len(clients)%dialsAtOnce == 0 {
			time.Sleep(dialsPause)
		}
		c, err := t.Socket()
		if err != nil || ctx.Err() != nil {
			return each, fmt.Errorf("only %d of %d connections: %w", len(clients), n, errors.Join(err, ctx.Err()))
		}
		clients = append(clients, c)
	}
	for i, prepare := range []func() error{
		func() error { return nil }, // never used
		func() error { return pingAll(clients) },
		func() error { return pause(ctx, opt.IdleWait) },
	} {
		if err := prepare(); err != nil {
			return each, err
		}
		time.Sleep(settle)
		after, err := residentOf(t.Pid())
		if err != nil {
			return each, err
		}
		each[i] = float64(after-before) / float64(n)
	}
	return each, nil
}

// descriptorsKept are those of this process that are not the clients'.
const descriptorsKept = 64

func pingAll(clients []net.Conn) error {
	ping := wire.AppendCommand(nil, []byte("PING"))
	const pong = "+PONG\r\n"
	in := make([]byte, 512)
	for i, c := range clients {
		_ = c.SetDeadline(time.Now().Add(answerTime))
		_, err := c.Write(ping)
		n := 0
		if err == nil {
			n, err = c.Read(in)
		}
		if err == nil && string(in[:n]) != pong {
			err = fmt.Errorf("it answered %.100q", in[:n])
		}
		if err != nil {
			return fmt.Errorf("client %s of %d: %w", strconv.Itoa(i+1), len(clients), err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
