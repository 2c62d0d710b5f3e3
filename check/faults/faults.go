// Package faults does to a server what clients and networks do to it in the real world, on real
// sockets, and watches what the others see of it.
//
// The others are clients that behave (others.go): some ask and hold every answer against the only one
// that is right, and a probe asks at a fixed rate and writes down how long its answers took. They have
// the server for themselves first; then one fault after another begins beside them (kinds.go):
// requests that trickle in, replies that nobody takes, a storm of connections, resets in the middle of
// a reply, peers that are stopped (peer.go), no descriptors, ten thousand pipelines, a line that loses
// packets (line.go). A fault may also have to end well: who was only slow gets the right answer in the
// end, and who could not come in comes in once there is room.
//
// A server fails if an answer to the others is wrong or missing, if they wait too long, or if a fault
// does not end well. How long they waited is compared with an absolute bound, which is far above what
// a busy machine does; beside it stands what they waited before.
package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
)

// Options says what is done, and how much of it.
type Options struct {
	Kinds   []Kind
	Clients int           // of the largest crowds
	Window  time.Duration // that a fault lasts at least
	WaitMax time.Duration // that of a hundred requests of the others 99 may take
	Peer    []string      // a command that runs Peer with the address as its only argument

	// Alone says that this process has a network of its own, which a fault may slow down. If not,
	// Elsewhere makes the same run of such a fault where it is so.
	Alone     bool
	Elsewhere func(ctx context.Context, kind string) (Result, error)

	Progress func(text string)
}

// Verdicts of a fault.
const (
	Pass  = "pass"
	Fail  = "fail"
	Skip  = "skip"
	Error = "error" // the fault could not be made: no evidence
)

// Result is one fault and what the others saw.
type Result struct {
	Fault   string `json:"fault"`
	What    string `json:"what"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"` // why not pass
	Note    string `json:"note,omitempty"`   // how much was done

	Right  int              `json:"right"` // answers to the others during the fault, each compared
	Before rhythm.Quantiles `json:"before"`
	During rhythm.Quantiles `json:"during"`
}

// Ratio is how much longer the others waited at p99 than before; 0 where nothing was measured.
func (r Result) Ratio() float64 {
	if r.Before.P99 == 0 {
		return 0
	}
	return r.During.P99 / r.Before.P99
}

// Report is what was seen of a server.
type Report struct {
	Server  string    `json:"server"`
	Addr    string    `json:"addr"`
	Started time.Time `json:"started"`
	Stopped bool      `json:"stopped,omitempty"` // by the user, before its time
	Results []Result  `json:"results"`
}

// Run makes one fault after another.
func Run(ctx context.Context, t *target.Target, opt Options) (*Report, error) {
	defer rhythm.Threads()()
	out := &Report{Server: t.Name(), Addr: t.Addr(), Started: time.Now()}
	s, err := open(t, opt)
	if err != nil {
		return nil, err
	}
	defer s.close()
	for _, k := range opt.Kinds {
		opt.Progress(k.Name)
		r := s.measure(ctx, k)
		if ctx.Err() != nil {
			out.Stopped = true
			break
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

// Exit is the exit status: 1 if the server failed, 3 after an error, 2 if nothing was seen.
func (r *Report) Exit() int {
	has := func(verdict string) bool {
		return slices.ContainsFunc(r.Results, func(r Result) bool { return r.Verdict == verdict })
	}
	switch {
	case has(Fail):
		return 1
	case has(Error):
		return 3
	case !has(Pass) || r.Stopped:
		return 2
	}
	return 0
}

// Check says what is wrong with options.
func (o Options) Check() error {
	switch {
	case o.Clients < 1 || o.Clients > clientsMax:
		return fmt.Errorf("-clients wants a number from 1 to %d", clientsMax)
	case o.Window < windowMin || o.Window > windowMax:
		return fmt.Errorf("-window wants %v to %v", windowMin, windowMax)
	case o.WaitMax <= 0:
		return errors.New("-wait wants something positive")
	}
	return nil
}

// broken is a fault that did not end well: the server's doing.
type broken string

func (b broken) Error() string { return string(b) }

// skipped is a fault that cannot be made here.
type skipped string

func (s skipped) Error() string { return string(s) }

// measure is one fault, from the time before it to the verdict.
func (s *stage) measure(ctx context.Context, k Kind) Result {
	r := Result{Fault: k.Name, What: k.Title(s.opt)}
	if k.alone && !s.opt.Alone {
		return s.elsewhere(ctx, k, r)
	}
	s.ctx, s.note = ctx, ""
	o, err := s.meetOthers()
	if err != nil {
		return r.judged(err)
	}
	began := o.mark(ctx, leadTime)
	err = k.work(s)
	seen, otherwise := o.leave(began)
	r.Right, r.Before, r.During, r.Note = seen.right, seen.before, seen.during, s.note
	for _, undo := range s.undo {
		err = errors.Join(err, undo())
	}
	s.undo = nil
	if err == nil {
		err = otherwise
	}
	if limit := ms(s.opt.WaitMax); err == nil && r.During.P99 > limit {
		err = broken(fmt.Sprintf("of a hundred requests of the others 99 took up to %.0f ms, and %.0f are allowed",
			r.During.P99, limit))
	}
	return r.judged(err)
}

// elsewhere leaves a fault to a process with a network of its own.
func (s *stage) elsewhere(ctx context.Context, k Kind, r Result) Result {
	if s.opt.Elsewhere == nil {
		return r.judged(skipped("a network can be made slow only for a server that is started here"))
	}
	seen, err := s.opt.Elsewhere(ctx, k.Name)
	if err != nil {
		return r.judged(skipped(err.Error()))
	}
	return seen
}

// judged has the verdict that an error means.
func (r Result) judged(err error) Result {
	var b broken
	var why skipped
	switch {
	case err == nil:
		r.Verdict = Pass
		return r
	case errors.As(err, &b):
		r.Verdict = Fail
	case errors.As(err, &why):
		r.Verdict = Skip
	default:
		r.Verdict = Error
	}
	r.Reason = err.Error()
	return r
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
