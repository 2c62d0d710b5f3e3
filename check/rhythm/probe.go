package rhythm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
)

// Probe asks a server at a fixed rate from a thread of its own, PING and GET in turn, and does not
// wait for an answer before it sends the next request: when the server stands still for 100 ms, a
// hundred requests feel it, each for as long as it had to wait.
//
// The latency of a request counts from the moment for which it was intended. Where the probe's own
// thread woke too late to send it then, that part is the machine's and not the server's: it is taken
// off, and shown as Late. When an answer came is what the kernel says where it can (Linux), and not
// when the probe found the time to read it.
type Probe struct {
	file   *os.File // the socket's descriptor, a duplicate of ours
	fd     int
	clock  clock
	period int64
	stop   chan struct{}
	done   chan struct{}
	trace  Trace
	err    error

	in      []byte
	oob     []byte
	out     []byte // of requests, what the socket did not take
	blocked bool   // it takes no more: the server does not read
	open    int    // of trace.Samples, the first without an answer
	half    bool   // the header of a value was read, and the value is to come
	line    []byte // the beginning of a line

	wake func(fd int, write bool, ns int64) error // wait, but in tests
}

// Trace is what a probe or a control saw, in order of time.
type Trace struct {
	Samples []Sample
	Errors  int // answers that were errors
	Lost    int // requests without an answer: their latency is at least what stands there
}

// Sample is one request, or one reading of the clock.
type Sample struct {
	At   int64 // ns on the clock of the measurement: when it was intended
	Took int64 // ns
	Late int64 // ns by which the probe was too late itself, not in Took
}

// clock counts from the beginning of a measurement; all traces of it share one.
type clock struct{ origin time.Time }

func (c clock) now() int64 { return int64(time.Since(c.origin)) }

// ProbeKey is the key that a probe reads.
const ProbeKey = "rondo:{rhythm}probe"

// probeSends are a probe's requests, in turn.
var probeSends = [2][]byte{
	wire.AppendCommand(nil, []byte("PING")),
	wire.AppendCommand(nil, []byte("GET"), []byte(ProbeKey)),
}

// StartProbe opens a connection and begins to ask, rate times a second.
func StartProbe(t *target.Target, rate int) (*Probe, error) {
	return startProbe(t, rate, clock{time.Now()})
}

func startProbe(t *target.Target, rate int, c clock) (*Probe, error) {
	p, err := newProbe(t, rate, c)
	if err == nil {
		go p.run()
	}
	return p, err
}

func newProbe(t *target.Target, rate int, c clock) (*Probe, error) {
	conn, err := t.Socket()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	filer, ok := conn.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, errors.New("the probe asks over a plain socket, not over TLS")
	}
	file, err := filer.File()
	if err != nil {
		return nil, err
	}
	p := &Probe{file: file, fd: int(file.Fd()), clock: c, period: int64(time.Second) / int64(rate),
		stop: make(chan struct{}), done: make(chan struct{}), in: make([]byte, 64<<10), oob: make([]byte, 128), wake: wait}
	if err := syscall.SetNonblock(p.fd, true); err != nil {
		file.Close()
		return nil, os.NewSyscallError("fcntl", err)
	}
	stampReceived(p.fd)
	return p, nil
}

// Stop ends the asking, waits for the answers that are missing, and returns all that was seen. The
// error is that of the connection.
func (p *Probe) Stop() (Trace, error) {
	close(p.stop)
	<-p.done
	return p.trace, p.err
}

// run is the probe's thread.
func (p *Probe) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	defer p.file.Close()
	next, asked := p.clock.now()+p.period, false // asked: to stop
	var until int64
	for {
		now := p.clock.now()
		if !asked {
			next = p.send(next, now) // before it stops: what was intended until then was
		}
		select {
		case <-p.stop:
			if !asked {
				asked, until = true, now+int64(drainTime)
			}
		default:
		}
		if asked && (p.open == len(p.trace.Samples) || now > until) {
			break
		}
		if p.err = p.flush(); p.err != nil {
			break
		}
		wakeAt := next
		if asked {
			wakeAt = until
		}
		if p.err = p.wake(p.fd, p.blocked, max(0, wakeAt-p.clock.now())); p.err != nil {
			break
		}
		if p.err = p.receive(); p.err != nil {
			break
		}
	}
	p.lose(p.clock.now())
}

// send makes a request of every moment that has come, and returns the next.
func (p *Probe) send(next, now int64) int64 {
	for ; next <= now; next += p.period {
		s := Sample{At: next, Late: now - next}
		if p.blocked {
			s.Late = 0 // it is the server that does not take it
		}
		p.out = append(p.out, probeSends[len(p.trace.Samples)%2]...)
		p.trace.Samples = append(p.trace.Samples, s)
	}
	return next
}

func (p *Probe) flush() error {
	if len(p.out) == 0 {
		return nil
	}
	n, err := syscall.Write(p.fd, p.out)
	if err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("the probe's connection: %w", err)
	}
	p.out = append(p.out[:0], p.out[max(0, n):]...)
	p.blocked = len(p.out) > 0
	return nil
}

// receive takes the answers that are there.
func (p *Probe) receive() error {
	for {
		n, age, err := receive(p.fd, p.in, p.oob)
		switch {
		case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
			return nil
		case err != nil:
			return fmt.Errorf("the probe's connection: %w", err)
		case n == 0:
			return fmt.Errorf("the probe's connection: %w", io.ErrUnexpectedEOF)
		}
		at := p.clock.now() - age
		for _, c := range p.in[:n] {
			if c != '\n' {
				p.line = append(p.line, c)
				continue
			}
			p.answer(at)
			p.line = p.line[:0]
		}
	}
}

// answer is told of a line of a reply: a value has two, all others one.
func (p *Probe) answer(at int64) {
	switch value := len(p.line) > 1 && p.line[0] == '$' && p.line[1] != '-'; {
	case value && !p.half:
		p.half = true
		return
	case p.half:
		p.half = false
	case len(p.line) > 0 && p.line[0] == '-':
		p.trace.Errors++
	}
	if p.open == len(p.trace.Samples) {
		return // it answers what nobody asked
	}
	s := &p.trace.Samples[p.open]
	s.Took = max(0, at-s.At-s.Late)
	p.open++
}

// lose ends the requests that are without an answer.
func (p *Probe) lose(now int64) {
	for ; p.open < len(p.trace.Samples); p.open++ {
		s := &p.trace.Samples[p.open]
		s.Took = max(0, now-s.At-s.Late)
		p.trace.Lost++
	}
}
