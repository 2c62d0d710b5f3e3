package trace

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Server to model. The world does something by chance whenever the server calls, and what it did and
// what the server does is written down.

// Bounds of a recording.
const (
	ticksMax = 20  // so that nothing but a key is due in that time
	turnsMax = 200 // of a server that never comes to rest
)

// recorder is the director who takes notes.
type recorder struct {
	*stage
	random func(n int) int
	script []Event
	turnAt int   // where in the script this turn begins
	began  int64 // and when
	ticks  int
}

// Record lets the server run in a world of chance until all is sent and taken, and gives what happened.
func Record(b Bounds, seed uint64) ([]Event, error) {
	r := &recorder{random: newRandom(seed)}
	stage, server, err := newStage(b, r)
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
	var can []func()
	for _, s := range r.seats {
		if s.asked < 2*r.Requests && len(s.rx) < r.RX {
			can = append(can, func() { r.send(s) })
		}
		if len(s.tx) > 0 {
			can = append(can, func() {
				r.note("RECV", s.client, s.tx[0].reply)
				s.tx = s.tx[1:]
			})
		}
	}
	if r.ticks < ticksMax {
		can = append(can, func() {
			r.note("TICK", 0, 0)
			r.ticks++
			r.tick()
		})
	}
	if len(can) == 0 {
		return false
	}
	can[r.random(len(can))]()
	return true
}

func (r *recorder) send(s *seat) {
	op := 0
	if s.asked%2 == 0 {
		op = r.random(opSetPX + 1)
		r.note("SEND", s.client, op)
	} else {
		r.note("MORE", s.client, 0)
	}
	s.send(r.Bounds, op, r.random)
}

// wait notes how long the server means to sleep, and lets things happen until it has to wake.
func (r *recorder) wait(until int64) error {
	r.script[r.turnAt].A = never
	if left := until - r.began; left < int64(idleMin) {
		r.script[r.turnAt].A = int(max(0, left) / int64(time.Millisecond))
	}
	r.world()
	for {
		readable, writable := r.masks()
		if readable|writable != 0 || until <= r.Mono() {
			r.note("WAKE", readable, writable)
			return nil
		}
		if !r.happen() {
			return errOver
		}
	}
}

func (r *recorder) read(s *seat) error {
	r.world()
	r.note("READ", s.client, len(s.rx))
	return nil
}

func (r *recorder) clock() error {
	r.world()
	r.note("CLOCK", 0, 0)
	return nil
}

func (r *recorder) executes(s *seat, args []string, _ int64) error {
	op := opGet
	switch len(args) {
	case 3:
		op = opSet
	case 5:
		op = opSetPX
	}
	if s.done == len(s.ops) || strings.Join(args, " ") != strings.Join(r.args(s.client, s.done, op), " ") {
		return fmt.Errorf("client %d did not send %q", s.client, args)
	}
	s.done++
	r.note("ASK", s.client, op)
	return nil
}

// write takes what fits. What the server writes is what is left of the replies that were begun, and
// then whole ones.
func (r *recorder) write(s *seat, bytes string) (int, error) {
	r.world()
	bytes, begun := strings.CutPrefix(bytes, texts(s.owed))
	if !begun {
		return 0, fmt.Errorf("client %d is owed %q, and gets %q", s.client, texts(s.owed), bytes)
	}
	for bytes != "" {
		reply, n := r.firstReply(bytes)
		if n < 0 {
			return 0, fmt.Errorf("client %d gets %q, which no request asked for", s.client, bytes)
		}
		s.oweHalves(reply, n, r.random)
		bytes = bytes[len(reply):]
	}
	n := min(len(s.owed), r.TX-len(s.tx))
	r.note("WRITE", s.client, n)
	return s.take(n), nil
}

// firstReply is the reply that some bytes begin with, and its number.
func (b Bounds) firstReply(bytes string) (string, int) {
	for n := range replyValue + b.Clients*b.Requests {
		if reply := b.reply(n); strings.HasPrefix(bytes, reply) {
			return reply, n
		}
	}
	return "", -1
}
