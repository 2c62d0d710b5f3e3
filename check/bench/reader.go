package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"rondo/check/rhythm"
	"rondo/check/wire"
	"rondo/model"
)

// This file lets a client ask for a gigabyte and read none of it, under a limit of its output, and
// sees whether the server closes it, and what others feel.

// Reader is what a server made of a client that does not read.
type Reader struct {
	Why     string           `json:"why,omitempty"` // there is nothing else
	Closed  float64          `json:"closed"`        // ms after its request, the latest; 0: it was not
	Grown   int64            `json:"grown"`         // bytes that the server's resident size grew meanwhile, the most
	Without rhythm.Quantiles `json:"without"`       // ms of a probe, in windows without the reader
	With    rhythm.Quantiles `json:"with"`          // and in those that begin with its request

	open bool // in a window it was not closed
}

// Ratio of the others' p99 with it and without it.
func (r Reader) Ratio() float64 { return r.With.P99 / r.Without.P99 }

const (
	readerTarget = 1.2
	readerLimit  = "normal 64mb 0 0"
	readerValue  = 1 << 20
	readerAsks   = 1 << 10 // of the value: a gigabyte
	readerWindow = time.Second
	readerRounds = 5
	readerPoll   = 2 * time.Millisecond
)

// reader measures one server. It changes a setting for the time.
func (s Server) reader(ctx context.Context) Reader {
	out, err := s.readers(ctx)
	if err != nil {
		return Reader{Why: err.Error()}
	}
	return out
}

func (s Server) readers(ctx context.Context) (out Reader, err error) {
	if !s.Target.Caps().Owned {
		return out, errors.New("it changes client-output-buffer-limit: -flush allows it")
	}
	const setting = "client-output-buffer-limit"
	admin, err := s.Target.Dial()
	if err != nil {
		return out, err
	}
	defer admin.Close()
	was, err := admin.Do("CONFIG", "GET", setting)
	if err != nil || len(was.Elems) != 2 {
		return out, errors.Join(err, fmt.Errorf("it has no %s", setting))
	}
	if r, err := admin.Do("CONFIG", "SET", setting, readerLimit); err != nil || r.Kind == model.Error {
		return out, errors.Join(err, fmt.Errorf("CONFIG SET %s: %s", setting, r.Str))
	}
	defer func() { _, _ = admin.Do("CONFIG", "SET", setting, was.Elems[1].Str) }()
	if _, err := admin.DoArgs([]byte("SET"), []byte(readerKey), make([]byte, readerValue)); err != nil {
		return out, err
	}
	var without, with rhythm.Trace
	for range readerRounds {
		if err := s.window(ctx, &without, nil); err != nil {
			return out, err
		}
		if err := s.window(ctx, &with, &out); err != nil {
			return out, err
		}
	}
	if out.open {
		out.Closed = 0
	}
	const always = 1 << 62
	out.Without, out.With = without.Quantiles(0, always), with.Quantiles(0, always)
	return out, nil
}

const readerKey = "rondo:{bench}large"

// window adds what a probe sees in the time of a window, with a reader if out is there for it.
func (s Server) window(ctx context.Context, to *rhythm.Trace, out *Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	time.Sleep(settle)
	probe, err := rhythm.StartProbe(s.Target, rhythm.RateDefault)
	if err != nil {
		return err
	}
	asked := make(chan error, 1)
	if out != nil {
		go func() { asked <- s.ask(out, time.Now().Add(answerTime)) }()
	} else {
		asked <- nil
	}
	time.Sleep(readerWindow)
	trace, err := probe.Stop()
	to.Samples = append(to.Samples, trace.Samples...)
	return errors.Join(err, <-asked)
}

// ask asks for the gigabyte, and then sends nothing that means anything until the connection has
// ended: only who reads or writes learns of that.
func (s Server) ask(out *Reader, until time.Time) error {
	before, err := residentOf(s.Target.Pid())
	if err != nil {
		return err
	}
	c, err := s.Target.Socket()
	if err != nil {
		return err
	}
	defer c.Close()
	var request []byte
	for range readerAsks {
		request = wire.AppendCommand(request, []byte("GET"), []byte(readerKey))
	}
	_ = c.SetWriteDeadline(until)
	began := time.Now()
	for err = error(nil); err == nil; time.Sleep(readerPoll) {
		now, lost := residentOf(s.Target.Pid())
		if lost != nil {
			return lost
		}
		out.Grown = max(out.Grown, now-before)
		_, err = c.Write(request)
		request = []byte("\r\n") // an empty line, to which there is no reply
		if time.Now().After(until) || errors.Is(err, os.ErrDeadlineExceeded) {
			out.open = true
			return nil
		}
	}
	out.Closed = max(out.Closed, float64(time.Since(began).Microseconds())/1000)
	return nil
}
