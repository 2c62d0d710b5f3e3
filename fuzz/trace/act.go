package trace

import (
	"errors"
	"fmt"
	"strings"

	"rondo/impl/kernel"
)

// Model to server. The trace is read from the front. What the world does in it is done as soon as it
// is next; what the server does must come by a call of the server.

// actor is the director who has a script.
type actor struct {
	*stage
	random  func(n int) int
	script  []Event
	at      int
	began   int64 // mono at the last TURN
	turn    Event // that TURN
	early   bool  // the server's wait ends before the model's: see wait
	reading int64 // ms of the wall clock, the last reading
}

// Act has the server act out a trace. The seed decides where requests and replies are cut.
func Act(b Bounds, script []Event, seed uint64) error {
	a := &actor{random: newRandom(seed), script: script}
	stage, server, err := newStage(b, a)
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
	for ; a.at < len(a.script) && ofTheWorld[a.script[a.at].Name]; a.at++ {
		if err := a.happen(a.script[a.at]); err != nil {
			return err
		}
	}
	return nil
}

func (a *actor) happen(e Event) error {
	if e.Name == "TICK" {
		a.tick()
		return nil
	}
	s := a.seats[e.A]
	if e.Name != "RECV" {
		s.send(a.Bounds, e.B, a.random)
		return nil
	}
	if len(s.tx) == 0 || s.tx[0].reply != e.B {
		return fmt.Errorf("%v, and there is %+v", e, s.tx)
	}
	s.tx = s.tx[1:]
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

// wait holds the server to how long it means to sleep, and to whom it watches. It may mean to sleep for
// less than the model, if it has a key with a deadline: the calendar of the keyspace has entries that
// mean nothing any more, and finds that out when their time has come. Then a slice of active expiry runs
// for nothing (clock).
func (a *actor) wait(until int64) error {
	promised := a.began + int64(a.turn.A)*1e6
	a.early = false
	switch {
	case a.turn.A == never && until < a.began+int64(idleMin):
		return fmt.Errorf("the server sleeps for %d ns only, and the model has no time event", until-a.began)
	case a.turn.A != never && until > promised:
		return fmt.Errorf("the server sleeps for %d ns, and the model for %d ms", until-a.began, a.turn.A)
	case a.turn.A != never:
		a.early = until < promised
	}
	if err := a.world(); err != nil {
		return err
	}
	if a.at == len(a.script) {
		return a.rest()
	}
	e, err := a.next("WAKE", -1)
	if err != nil {
		return err
	}
	readable, writable := a.masks()
	if readable != e.A || writable != e.B {
		return fmt.Errorf("readable are %b and writable %b, and in the model %b and %b",
			readable, writable, e.A, e.B)
	}
	return nil
}

// rest is the end: the model has come to rest, so the server must have.
func (a *actor) rest() error {
	if readable, writable := a.masks(); readable|writable != 0 {
		return errors.New("the model is at rest, and the server has work")
	}
	for _, s := range a.seats {
		if len(s.owed) > 0 || s.done != a.Requests || s.in&kernel.Writable != 0 {
			return fmt.Errorf("the model is at rest, and client %d is owed %q", s.client, texts(s.owed))
		}
	}
	return errOver
}

func (a *actor) read(s *seat) error {
	e, err := a.next("READ", s.client)
	if err == nil && e.B != len(s.rx) {
		err = fmt.Errorf("the server reads %d halves, and the model %d", len(s.rx), e.B)
	}
	return err
}

func (a *actor) clock() (err error) {
	if err = a.world(); err != nil {
		return err
	}
	if a.early && a.at < len(a.script) && a.script[a.at].Name == "TURN" {
		a.early = false // the turn is over but for an entry that means nothing
	} else {
		_, err = a.next("CLOCK", -1)
	}
	a.reading = a.Wall() / 1e6
	return err
}

// executes holds the server to what it executes, and when; and learns what it has to reply.
func (a *actor) executes(s *seat, args []string, nowMs int64) error {
	ask, err := a.next("ASK", s.client)
	if err != nil {
		return err
	}
	want := a.args(s.client, s.done, ask.B)
	if strings.Join(args, " ") != strings.Join(want, " ") {
		return fmt.Errorf("the server executes %q, and the model %q", args, want)
	}
	if nowMs != a.reading {
		return fmt.Errorf("by the clock of the server it is %d, and by its last reading %d", nowMs, a.reading)
	}
	reply, err := a.next("REPLY", s.client)
	if err != nil {
		return err
	}
	s.oweHalves(a.reply(reply.B), reply.B, a.random)
	s.done++
	return nil
}

// write takes as many halves as the model says, of what must be all that the client is owed.
func (a *actor) write(s *seat, bytes string) (int, error) {
	e, err := a.next("WRITE", s.client)
	if err != nil {
		return 0, err
	}
	if want := texts(s.owed); bytes != want {
		return 0, fmt.Errorf("the server writes %q to client %d, which is owed %q", bytes, s.client, want)
	}
	if e.B > len(s.owed) {
		return 0, fmt.Errorf("%v, and only %d are owed", e, len(s.owed))
	}
	return s.take(e.B), nil
}
