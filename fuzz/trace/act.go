package trace

import (
	"errors"
	"fmt"
)

// Model to server. The trace is read from the front. What the world does in it is done as soon as it
// is next; what the server does must come by a call of the server.

// actor is the director who has a script; the player knows what it means.
type actor struct {
	*stage
	player player
	random func(n int) int
	unseen map[string]bool
	script []Event
	at     int
	began  int64 // mono at the last TURN
	turn   Event // that TURN
}

// player is a director with the part of the server in a model.
type player interface {
	director
	happen(Event) error // one of those that no call shows
}

// Act has the server act out a trace of a model. The seed decides where requests and replies are cut.
func Act(m Model, b Bounds, script []Event, seed uint64) error {
	a := &actor{random: newRandom(seed), unseen: m.unseen, script: script}
	a.player = m.player(a)
	stage, server, err := newStage(b, a.player)
	if err != nil {
		return err
	}
	a.stage = stage
	for {
		err := a.begin()
		if err == nil {
			err = turn(server)
		}
		if errors.Is(err, errOver) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("step %d of %d: %w", a.at, len(script), err)
		}
	}
}

// world does what the world does next, up to the next event of the server.
func (a *actor) world() error {
	for ; a.at < len(a.script) && a.unseen[a.script[a.at].Name]; a.at++ {
		if err := a.player.happen(a.script[a.at]); err != nil {
			return err
		}
	}
	return nil
}

// next is the next event of the server, which has to be the one that it is about to do.
func (a *actor) next(name string, client int) (Event, error) {
	if err := a.world(); err != nil {
		return Event{}, err
	}
	if a.at == len(a.script) {
		return Event{}, fmt.Errorf("the server does %s %d, and the model is at rest", name, client)
	}
	e := a.script[a.at]
	if e.Name != name || client >= 0 && e.A != client {
		return e, fmt.Errorf("the server does %s %d, and the model %v", name, client, e)
	}
	a.at++
	return e, nil
}

// begin is the beginning of a turn.
func (a *actor) begin() (err error) {
	a.turn, err = a.next("TURN", -1)
	a.began = a.Mono()
	return err
}

// wake is the end of a wait: who is readable, and a second set, have to be those of the model. If the
// trace is over the model has come to rest, so the server must have.
func (a *actor) wake(second func() int, rest func() error) error {
	if err := a.world(); err != nil {
		return err
	}
	if a.at == len(a.script) {
		if first, second := a.readable(), second(); first|second != 0 {
			return fmt.Errorf("the model is at rest, and the server has work: %b, %b", first, second)
		}
		if err := rest(); err != nil {
			return err
		}
		return errOver
	}
	e, err := a.next("WAKE", -1)
	if err != nil {
		return err
	}
	if first, second := a.readable(), second(); first != e.A || second != e.B {
		return fmt.Errorf("the server wakes for %b and %b, and the model for %b and %b", first, second, e.A, e.B)
	}
	return nil
}

// reads holds the server to how much it reads.
func (a *actor) reads(s *seat) error {
	e, err := a.next("READ", s.client)
	if err == nil && e.B != len(s.rx) {
		err = fmt.Errorf("the server reads %d of client %d, and the model %d", len(s.rx), s.client, e.B)
	}
	return err
}
