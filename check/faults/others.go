package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/rhythm"
	"rondo/check/wire"
	"rondo/model"
)

// others are the clients that behave, and must not notice.
type others struct {
	probe *rhythm.Probe
	began time.Time
	stop  chan struct{}
	all   sync.WaitGroup
	right atomic.Int64

	mu    sync.Mutex
	first error // the first answer that was not right
}

// seen is what they saw.
type seen struct {
	right          int
	before, during rhythm.Quantiles
}

// meetOthers opens the connections and begins to ask.
func (s *stage) meetOthers() (*others, error) {
	o := &others{stop: make(chan struct{})}
	var conns []*wire.Conn
	for range othersCount {
		c, err := s.t.Dial()
		if err != nil {
			return nil, errors.Join(err, closeAll(conns))
		}
		c.KeepLog(false)
		c.SetReadTimeout(othersLimit)
		conns = append(conns, c)
	}
	var err error
	o.began = time.Now()
	if o.probe, err = rhythm.StartProbe(s.t, probeRate); err != nil {
		return nil, errors.Join(err, closeAll(conns))
	}
	for i, c := range conns {
		o.all.Go(func() {
			defer c.Close()
			key := s.key(fmt.Sprint("other", i))
			o.ask(c, key)
			_, _ = c.Do("DEL", key)
		})
	}
	return o, nil
}

func closeAll(conns []*wire.Conn) (err error) {
	for _, c := range conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// ask counts a key up and reads it back, each answer being the only one that is right.
func (o *others) ask(c *wire.Conn, key string) {
	wants := []func(n int64) (words []string, want model.Reply){
		func(n int64) ([]string, model.Reply) { return []string{"INCR", key}, model.Num(n) },
		func(n int64) ([]string, model.Reply) { return []string{"GET", key}, model.Str(fmt.Sprint(n)) },
		func(n int64) ([]string, model.Reply) {
			return []string{"ECHO", fmt.Sprint(key, n)}, model.Str(fmt.Sprint(key, n))
		},
	}
	for n := int64(0); ; n++ {
		select {
		case <-o.stop:
			return
		case <-time.After(othersPause):
		}
		words, want := wants[n%3](1 + n/3)
		if got, err := c.Do(words...); err != nil {
			o.wrong(fmt.Sprintf("%s was not answered: %v", words[0], err))
			return
		} else if got.String() != want.String() {
			o.wrong(fmt.Sprintf("%s %s was answered %s and not %s", words[0], words[1], got, want))
			return
		}
		o.right.Add(1)
	}
}

func (o *others) wrong(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == nil {
		o.first = broken("another client: " + what)
	}
}

// moment is when the fault begins, and how much was right by then.
type moment struct {
	at    time.Duration // since the others began
	right int64
}

// mark lets them have the server for themselves for a while.
func (o *others) mark(ctx context.Context, lead time.Duration) moment {
	_ = rhythm.Pause(ctx, lead)
	return moment{time.Since(o.began), o.right.Load()}
}

// leave ends the asking. The error says what they must not have seen.
func (o *others) leave(began moment) (seen, error) {
	ended, right := time.Since(o.began), o.right.Load()
	close(o.stop)
	o.all.Wait()
	trace, err := o.probe.Stop()
	out := seen{right: int(right - began.right), before: trace.Quantiles(0, int64(began.at)),
		during: trace.Quantiles(int64(began.at), int64(ended))}
	switch {
	case o.first != nil:
		return out, o.first
	case err != nil:
		return out, broken(err.Error())
	case trace.Errors > 0 || trace.Lost > 0:
		return out, broken(fmt.Sprintf("of the probe's requests %d were answered by an error and %d not at all",
			trace.Errors, trace.Lost))
	case out.right == 0:
		return out, broken("no other client got an answer while it lasted")
	}
	return out, nil
}

// reset closes a connection so that the other side sees a reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
