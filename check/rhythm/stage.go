package rhythm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// stage is a server, and what the work of a kind uses.
type stage struct {
	name  string
	t     *target.Target
	opt   Options
	admin *wire.Conn
	ctx   context.Context // of preparing, or of the work

	keys int     // of fill that are there; -1: not known
	rate float64 // keys a second that were filled in last
	gone error   // the server cannot be reached any more

	// Of one kind.
	clock clock
	due   time.Time // of the keys of a storm, on our clock
	begin int64     // when the work began, if that was not when it was called
	lag   *Lag
	note  string
	undo  []func() error
}

// skip is why a server is not measured in a kind.
type skip string

func (s skip) Error() string { return string(s) }

func open(s Server, opt Options) (*stage, error) {
	caps := s.Target.Caps()
	if !caps.Empty && !caps.Owned {
		return nil, errors.New("it is not empty; -flush allows emptying it, again and again")
	}
	st := &stage{name: s.Name, t: s.Target, opt: opt, keys: -1}
	return st, st.connect()
}

// connect opens the connection for what is asked beside the work.
func (s *stage) connect() (err error) {
	if s.admin != nil {
		s.admin.Close()
	}
	if s.admin, err = s.t.Dial(); err != nil {
		return err
	}
	s.admin.KeepLog(false)
	s.admin.SetReadTimeout(s.opt.Limit)
	return nil
}

func (s *stage) close() { s.admin.Close() }

// tidy leaves an empty server behind, even where the user has stopped the rest.
func (s *stage) tidy(ctx context.Context) error {
	if s.gone != nil {
		return nil // the results say so
	}
	return s.within(context.WithoutCancel(ctx), s.flush)
}

// measure is one kind of work on this server, from preparing to tidying up.
func (s *stage) measure(ctx context.Context, k Kind) (r Result) {
	if s.gone != nil {
		return Result{Error: "not measured: " + s.gone.Error()}
	}
	s.begin, s.lag, s.note, s.undo = 0, nil, "", nil
	defer func() {
		for _, undo := range s.undo {
			if err := s.within(context.WithoutCancel(ctx), undo); err != nil && r.Error == "" {
				r.Error = err.Error()
			}
		}
	}()
	if err := s.within(ctx, func() error { return k.prepare(s) }); err != nil {
		return s.failed(err)
	}
	time.Sleep(settleTime)
	asksTurn := s.resetTurn()
	s.clock = clock{time.Now()}
	probe, err := startProbe(s.t, s.opt.Rate, s.clock)
	if err != nil {
		return s.failed(err)
	}
	control := startControl(s.opt.Rate, s.clock)
	time.Sleep(leadTime)
	began := s.clock.now()
	err = s.within(ctx, func() error { return k.work(s) })
	ended := s.clock.now()
	if s.begin != 0 {
		began = s.begin
	}
	to := max(ended, began+int64(windowMin))
	_ = Pause(ctx, time.Duration(to-s.clock.now()))
	if asksTurn {
		r.TurnUs = s.turn()
	}
	seen, broken := probe.Stop()
	r.fill(seen, control.Stop(), began, ended, to)
	r.Lag, r.Note = s.lag, s.note
	if err = errors.Join(err, broken); err != nil {
		f := s.failed(err)
		r.Skip, r.Error = f.Skip, f.Error
	}
	r.judge(k, s.opt)
	return r
}

// fill takes the figures of the traces. What counts was intended from began to to.
func (r *Result) fill(probe, control Trace, began, ended, to int64) {
	r.WorkMs = ms(ended - began)
	r.Probe, r.Control = probe.Quantiles(began, to), control.Quantiles(began, to)
	r.Late = quantiles(probe.times(began, to, late))
	r.Errors, r.Lost = probe.Errors, probe.Lost
	var turns [2]Trace
	for i, s := range probe.Samples {
		turns[i%2].Samples = append(turns[i%2].Samples, s)
	}
	r.Ping, r.Get = turns[0].Quantiles(began, to), turns[1].Quantiles(began, to)
	from := began - int64(leadTime)
	r.Columns, r.ControlColumns = probe.columns(from, to, began, seriesMax), control.columns(from, to, began, seriesMax)
	r.Curve, r.ControlCurve = curve(probe.times(began, to, took)), curve(control.times(began, to, took))
}

// within bounds f by the limit of a kind.
func (s *stage) within(ctx context.Context, f func() error) error {
	limited, cancel := context.WithTimeout(ctx, s.opt.Limit)
	defer cancel()
	s.ctx = limited
	defer func() { s.ctx = ctx }()
	err := f()
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("not done within %v (-limit)", s.opt.Limit)
	}
	return err
}

// failed is the result of what could not be prepared or done. The connection may be in the middle of
// a reply: a new one is opened, and a server where that fails is not asked again.
func (s *stage) failed(err error) Result {
	var why skip
	if errors.As(err, &why) {
		return Result{Skip: string(why)}
	}
	s.keys = -1
	if lost := s.connect(); lost != nil {
		s.gone = fmt.Errorf("the server has gone: %w", lost)
	}
	return Result{Error: err.Error()}
}

// ask asks beside the work; an error reply is an error.
func (s *stage) ask(words ...string) (model.Reply, error) {
	if err := s.ctx.Err(); err != nil {
		return model.Reply{}, err
	}
	defer context.AfterFunc(s.ctx, func() { s.admin.Close() })()
	r, err := s.admin.Do(words...)
	if err == nil && r.Kind == model.Error {
		err = refused{words[0], r.Str}
	}
	return r, err
}

// refused is an error that a server answered.
type refused struct{ command, text string }

func (r refused) Error() string { return r.command + ": " + r.text }

// orSkip makes of a refusal the reason to skip a kind.
func orSkip(err error) error {
	if r := (refused{}); errors.As(err, &r) {
		short, _, _ := strings.Cut(r.Error(), ", with args") // which repeats the keys
		return skip(short)
	}
	return err
}

// info is a field of INFO, "" if there is none.
func (s *stage) info(section, field string) (string, error) {
	r, err := s.ask("INFO", section)
	return target.Fields(r.Str)[field], err
}

// turnField is how long the longest maintenance of a turn was since the last CONFIG RESETSTAT. Rondo
// has it.
const turnField = "loop_maintenance_cpu_max_usec"

func (s *stage) resetTurn() bool {
	if value, err := s.info("loop", turnField); err != nil || value == "" {
		return false
	}
	_, err := s.ask("CONFIG", "RESETSTAT")
	return err == nil
}

func (s *stage) turn() *int64 {
	value, err := s.info("loop", turnField)
	n, err2 := strconv.ParseInt(value, 10, 64)
	if err != nil || err2 != nil {
		return nil
	}
	return &n
}

// Pause is a sleep that ends early with ctx.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(0, d)):
		return nil
	}
}

// socket opens a connection that the work's end closes.
func (s *stage) socket() (c net.Conn, closed func(), err error) {
	if c, err = s.t.Socket(); err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(s.ctx, func() { _ = c.SetDeadline(time.Now()) })
	return c, func() { stop(); c.Close() }, nil
}

// flood sends n requests, so many at a time, which get a line each.
func (s *stage) flood(n, batch int, request func(b []byte, i int) []byte) error {
	return Flood(s.ctx, s.t, n, batch, request)
}

// Flood sends a target n requests that get a line each, batch at a time. An answer that is an error
// ends it.
func Flood(ctx context.Context, t *target.Target, n, batch int, request func(b []byte, i int) []byte) error {
	c, err := t.Socket()
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })()
	in := bufio.NewReaderSize(c, 64<<10)
	var out []byte
	for i := 0; i < n; {
		out = out[:0]
		first := i
		for ; i < n && i-first < batch; i++ {
			out = request(out, i)
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
		for range i - first {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if line[0] == '-' {
				return refused{"it answered", string(line[1 : len(line)-2])}
			}
		}
	}
	return nil
}
