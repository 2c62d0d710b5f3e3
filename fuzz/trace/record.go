package trace

import (
	"errors"
	"fmt"
)

// Server to model. The world does something by chance whenever the server calls, and what it did and
// what the server does is written down.

// turnsMax is the bound of a recording, of a server that never comes to rest.
const turnsMax = 200

// recorder is the director who takes notes; the scribe knows the words.
type recorder struct {
	*stage
	scribe scribe
	random func(n int) int
	script []Event
	turnAt int   // where in the script this turn begins
	began  int64 // and when
}

// scribe is a director who knows what can happen in the world of a model.
type scribe interface {
	director
	can() []func()
}

// Record lets the server run in a world of chance until nothing can happen, and gives what happened, in
// the words of a model.
func Record(m Model, b Bounds, seed uint64) ([]Event, error) {
	r := &recorder{random: newRandom(seed)}
	r.scribe = m.scribe(r)
	stage, server, err := newStage(b, r.scribe)
	if err != nil {
		return nil, err
	}
	r.stage = stage
	for range turnsMax {
		r.world()
		r.turnAt, r.began = len(r.script), r.Mono()
		r.note("TURN", 0, 0)
		if err := turn(server); err != nil {
			if errors.Is(err, errOver) {
				err = nil
			}
			return r.script, err
		}
	}
	return nil, fmt.Errorf("not at rest after %d turns", turnsMax)
}

func (r *recorder) note(name string, a, b int) { r.script = append(r.script, Event{name, a, b}) }

// world lets some things happen, or nothing.
func (r *recorder) world() {
	for r.random(3) > 0 && r.happen() {
	}
}

// happen does one thing that can happen; false if nothing can.
func (r *recorder) happen() bool {
	can := r.scribe.can()
	if len(can) == 0 {
		return false
	}
	can[r.random(len(can))]()
	return true
}

// wake lets things happen until the server has to wake: until then, or because somebody is readable or in
// the second set.
func (r *recorder) wake(until int64, second func() int) error {
	r.world()
	for {
		if first, second := r.readable(), second(); first|second != 0 || until <= r.Mono() {
			r.note("WAKE", first, second)
			return nil
		}
		if !r.happen() {
			return errOver
		}
	}
}

// sleeps notes how long the server waits, in the words of the model.
func (r *recorder) sleeps(n int) { r.script[r.turnAt].A = n }

func (r *recorder) reads(s *seat) error {
	r.world()
	r.note("READ", s.client, len(s.rx))
	return nil
}

// asks notes what the next request of a client asks, if that is what the server executes.
func (r *recorder) asks(s *seat, args []string) error {
	if s.done == len(s.ops) {
		return fmt.Errorf("client %d did not send %q", s.client, args)
	}
	r.note("ASK", s.client, s.ops[s.done])
	return s.asks(s.ops[s.done], args)
}
