// Package world is the real server on the simulated kernel, with clients whose every reply is judged.
// It is where impl, model and check meet for everything that needs a schedule: fuzz targets, random
// properties, and the exploration of all schedules.
//
//	w, err := world.New(world.Options{Seed: 1, Faults: sim.Faults{sim.ShortRead: 4}})
//	a, b := w.Dial(), w.Dial()
//	a.Send("SET", "k", "v", "PX", "5")      // one command, on its way at once
//	b.Write("GET k\r\nGE")                  // any bytes
//	err = w.Turn()                          // one turn of the loop
//	err = w.Pass(5 * time.Millisecond)      // turns, while time passes from event to event
//	err = w.Settle()                        // until everybody has all that is owed
//	err = w.End()                           // the server stops: nothing may be left
//
// What is written first can be cut afterwards: a client that has a program (Client.Plan) sends it in
// pieces, by explore.Action, which is what schedules are made of:
//
//	a.Plan("MULTI", "INCR k", "EXEC")
//	err = w.Do(explore.Action{Kind: explore.Deliver, Client: 0, N: 3})
//
// An error is an *explore.Violation where a clause is broken; w.Story(err) shows how it came to that.
//
// # What is judged
//
// The server tells its Observer what it executes, in its order. The judge (judge.go) takes frames off
// what a client has sent with a parser of its own, so that each complete frame is executed once, in
// order, and no other is; runs the model beside it, at the same reading of the clock; and compares what
// comes back with what the model answered: one reply for each command, in order, contiguous however it
// was cut. The Observer also hears which keys go unasked, by expiry or eviction, and which commands find no
// memory: the judge tests whether they may, and the model follows. So full servers are judged, and those
// whose wall clock is set. After every turn the server is audited (impl/audit.go), and before every wait: nobody
// sleeps with work to do, no time event that was due is left, no phase of maintenance exceeds its
// budget (port.go). Settle tells that nothing is owed any more, End that nothing is left over.
//
// History is the same run as check/linear wants it, to be judged from outside as any other recording.
package world

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"rondo/check/explore"
	"rondo/impl"
	"rondo/impl/kernel/sim"
	"rondo/impl/store"
	"rondo/model"
)

// Options of a world. The zero value is a perfect one.
type Options struct {
	Seed   uint64
	Config []string   // options of the server: name, value, name, value ...
	Faults sim.Faults // from the first turn on

	RecvBytes, SendBytes int           // sizes of a socket's buffers; 0: large
	ReadingCost          time.Duration // what passes with each reading of the clock; 0: nothing

	// Lossy says that a connection may end in other ways than by its client: by limits and timeouts of the
	// server, or by faults that come later. Then it need not be answered.
	Lossy bool
	// Unjudged leaves the model out: for a verdict from outside alone.
	Unjudged bool
	// Unaudited leaves out the audit after every turn: for speed.
	Unaudited bool
	// Shown keeps the steps for Story. Recorded keeps operations for History, and lets a nanosecond
	// pass with each thing that happens, so that their order shows.
	Shown, Recorded bool
	Log             io.Writer // of the server; nil: nowhere

	// Memory and Scratch are for worlds that are made by the thousand, one after the other, and
	// ended by Abandon; nil: their own.
	Memory  *store.Memory
	Scratch *impl.Scratch
}

// World is one server and its clients. It is for one goroutine.
type World struct {
	Kernel *sim.Kernel
	Server *impl.Server

	options Options
	port    *port
	judge   judge
	clients []*Client
	rows    []explore.Row
	err     error // the first violation: nothing is worth anything after it
}

// New makes a server that listens, and no client.
func New(o Options) (*World, error) {
	k := sim.New(o.Seed)
	k.RecvBytesMax = cmp.Or(o.RecvBytes, k.RecvBytesMax)
	k.SendBytesMax = cmp.Or(o.SendBytes, k.SendBytesMax)
	k.ReadingCost = o.ReadingCost
	if o.Faults != (sim.Faults{}) {
		k.Break(o.Faults)
	}
	cfg := impl.DefaultConfig()
	cfg.Memory, cfg.Scratch, cfg.Log = cmp.Or(o.Memory, store.StrictMemory()), o.Scratch, o.Log
	for i := 0; i+1 < len(o.Config); i += 2 {
		if err := cfg.Set(o.Config[i], o.Config[i+1]); err != nil {
			return nil, err
		}
	}
	w := &World{Kernel: k, options: o}
	w.port = newPort(w)
	w.judge = newJudge(w, &cfg)
	server, err := impl.New(cfg, w.port)
	if err != nil {
		return nil, err
	}
	w.Server = server
	server.Observe(&w.judge)
	return w, nil
}

// Turn is one turn of the loop, and the audit after it.
func (w *World) Turn() error {
	w.moment()
	before := len(w.rows)
	err := w.Server.Turn()
	if err == nil && !w.options.Unaudited {
		err = w.Server.Audit()
	}
	if w.options.Shown && len(w.rows) == before {
		w.show(explore.Row{Loop: "a turn"})
	}
	w.err = cmp.Or(w.err, err)
	return w.err
}

// Pass runs turns until so much time has passed and the loop would sleep on; d may be 0.
func (w *World) Pass(d time.Duration) error {
	if d > 0 && w.options.Shown {
		w.show(explore.Row{Kernel: fmt.Sprintf("%v pass", d)})
	}
	return w.Kernel.Pass(d, w.Turn)
}

// Settle lets everybody take what there is until nothing more comes, in no time at all as far as the
// server's clock goes. Then whoever is still connected has been answered all that it has asked.
func (w *World) Settle() error {
	for range settleMax {
		if err := w.Pass(0); err != nil {
			return err
		}
		taken := 0
		for _, c := range w.clients {
			n, err := c.Drain(0)
			if taken += n; err != nil {
				return err
			}
		}
		if taken == 0 {
			return w.fail(w.Quiescent())
		}
	}
	return fmt.Errorf("world: clients still take replies after %d rounds", settleMax)
}

// settleMax bounds the rounds of Settle.
const settleMax = 100_000

// End stops the server, with whatever is under way. All descriptors are closed then.
func (w *World) End() error {
	w.Server.Stop()
	for range endTurnsMax {
		err := w.Pass(endStep)
		if errors.Is(err, impl.ErrStopped) {
			return w.nothingLeft()
		}
		if err != nil {
			return err
		}
		for _, c := range w.clients {
			if _, err := c.Drain(0); err != nil {
				return err
			}
		}
	}
	return explore.Broken("LOOP-15", "the server has not stopped after %v", endTurnsMax*endStep)
}

// What is owed is waited for, but not for long: two seconds, and two more for it to arrive.
const (
	endStep     = 100 * time.Millisecond
	endTurnsMax = 60
)

func (w *World) nothingLeft() error {
	if n := w.Kernel.Open(); n > 0 {
		return explore.Broken("LOOP-15", "%d descriptors are open after the end", n)
	}
	if left := w.judge.present(); left != "" {
		return explore.Broken("CONN-22", "the session of %s has outlived the server", left)
	}
	return nil
}

// Audited turns the audits on or off.
func (w *World) Audited(on bool) { w.options.Unaudited = !on }

// Abandon leaves the world as it is, and gives its memory back.
func (w *World) Abandon() { w.Server.Abandon() }

// Do does one action of a schedule.
func (w *World) Do(a explore.Action) error {
	w.moment()
	switch a.Kind {
	case explore.Tick:
		w.show(explore.Row{Kernel: fmt.Sprintf("%d ms pass", a.N)})
		w.Kernel.Advance(time.Duration(a.N) * time.Millisecond)
		return w.err
	case explore.Step:
		return w.Turn()
	}
	return w.clients[a.Client].do(a)
}

// moment lets a nanosecond pass where operations are recorded.
func (w *World) moment() {
	if w.options.Recorded {
		w.Kernel.Advance(1)
	}
}

// fail keeps the first violation.
func (w *World) fail(err error) error {
	w.err = cmp.Or(w.err, err)
	return w.err
}

func (w *World) show(r explore.Row) {
	if w.options.Shown {
		w.rows = append(w.rows, r)
	}
}

// Forget begins the Story anew.
func (w *World) Forget() { w.rows = nil }

// Story is a failure with the steps that led to it, as a table; Options.Shown has to be set.
func (w *World) Story(err error) string {
	var v *explore.Violation
	if !errors.As(err, &v) {
		v = &explore.Violation{How: err.Error(), Clause: strings.Trim(cited.FindString(err.Error()), "()")}
	}
	return explore.Table(w.rows, *v)
}

// cited is how an audit names the clause that is broken.
var cited = regexp.MustCompile(`\([A-Z]+-[0-9]+\)`)

// Trace is the hash of everything that the server and the world have said to each other so far, byte
// for byte: two runs that differ in anything differ in it.
func (w *World) Trace() string { return w.port.sum() }

// Fingerprint appends all that the future depends on, but for what has not been sent of programs.
func (w *World) Fingerprint(b []byte) []byte {
	b = w.Kernel.Fingerprint(b)
	b = w.Server.Fingerprint(b)
	return w.judge.fingerprint(b)
}

// State is the model's: what the keys ought to be.
func (w *World) State() model.State { return w.judge.state }
