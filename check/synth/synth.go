// Package synth makes histories without a server on the other side of a network: clients and a
// server are simulated, event by event, under a clock that is a number. The recordings are legal by
// construction, or were made with one seeded bug, and follow from their options alone: what a
// checker is measured with and tried on.
//
//	mix.go     what clients send: forms of commands, weighted
//	client.go  the clients: who calls what when, pipelines, lost replies, fresh key names
//	server.go  the server: package model under a concrete clock, which may be cached or shifted
//	bug.go     what it can be made to do wrong
//	write.go   a recording as a file, without holding it in memory
//	detect.go  which bugs the judge sees, how soon, and under which slack
package synth

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rondo/check/history"
)

// Options say what is simulated. Zero values take the defaults.
type Options struct {
	Mix     string // the name of a Mix; default "register"
	Ops     int    // default 10,000
	Clients int    // each has one request, or one burst, in flight or thinks; default 8
	Keys    int    // default 1
	Seed    uint64
	// Latency is the mean of the exponential part of the way to the server, and of the way back; 10
	// us come on top. Think is the mean pause between a reply and the next call. Defaults: 50 us and
	// 10 us.
	Latency, Think time.Duration
	Loss           float64       // the share of operations whose reply is lost; half of them happened
	Pipeline       int           // longest burst of requests sent at once; 0 and 1: none
	Rotate         int           // operations on a key until it is left and a fresh name taken; 0: never
	Values         int           // how many different values there are; 0: no two writes are alike
	Cached         time.Duration // the server refreshes its clock only so often
	Slack          time.Duration // the slack that the recording declares
	LateMs         int64         // every key expires so much late; early if negative
	Bug            string        // the name of a Bug
}

func (o Options) withDefaults() Options {
	o.Mix = cmp.Or(o.Mix, Mixes[0].Name)
	o.Ops = cmp.Or(o.Ops, 10_000)
	o.Clients = cmp.Or(o.Clients, 8)
	o.Keys = cmp.Or(o.Keys, 1)
	o.Latency = cmp.Or(o.Latency, 50*time.Microsecond)
	o.Think = cmp.Or(o.Think, 10*time.Microsecond)
	return o
}

// Make simulates and returns the recording, by call time. It panics if an option names no mix or
// bug, which is a mistake of the program.
func Make(o Options) *history.History {
	s, err := newSimulation(o)
	if err != nil {
		panic("synth: " + err.Error())
	}
	h := &history.History{Meta: s.meta(), Ops: make([]history.Op, 0, s.Ops)}
	_ = s.run(func(op *history.Op) error {
		h.Ops = append(h.Ops, *op)
		return nil
	})
	slices.SortStableFunc(h.Ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return h
}

// The server's wall clock less the clock of call and return. Not a whole number of ticks, so that a
// judge that forgets the phase is found out.
const offset = 1_700_000_000_000_400_000

func (s *simulation) meta() history.Meta {
	target := "simulated " + s.Mix
	if s.Bug != "" {
		target += ", " + s.Bug
	}
	return history.Meta{
		Target: target, Seed: int64(s.Seed), Profile: history.Frozen, Slack: int64(s.Slack),
		Offset: &history.Offset{Low: offset, High: offset}, MaxDisorder: s.disorder(),
	}
}

func newSimulation(o Options) (*simulation, error) {
	o = o.withDefaults()
	s := &simulation{Options: o}
	i := slices.IndexFunc(Mixes, func(m Mix) bool { return m.Name == o.Mix })
	if i < 0 {
		return nil, fmt.Errorf("no mix is named %q", o.Mix)
	}
	s.plan = Mixes[i].plan()
	s.server = server{cached: int64(o.Cached), lateMs: o.LateMs}
	if o.Bug != "" {
		i := slices.IndexFunc(Bugs, func(b Bug) bool { return b.Name == o.Bug })
		if i < 0 {
			return nil, fmt.Errorf("no bug is named %q", o.Bug)
		}
		s.server.bug = Bugs[i]
		s.server.lateMs += s.server.bug.lateMs
	}
	s.start()
	return s, nil
}
