package trace

import (
	"fmt"
	"strings"
	"time"

	"rondo/impl/kernel"
)

// reactor.pml: bytes, and a key with a deadline. A request of the model has two bytes, and so has a
// reply. A real one is cut in two somewhere, and the halves stand for the bytes.

// Reactor is reactor.pml.
var Reactor = Model{
	Name:   "reactor",
	unseen: map[string]bool{"TICK": true, "SEND": true, "MORE": true, "RECV": true},
	player: func(a *actor) player { return &reactorPlayer{actor: a} },
	scribe: func(r *recorder) scribe { return &reactorScribe{recorder: r} },
}

// The operations of the model, and the replies that are no value.
const (
	opGet = iota
	opSet
	opSetPX
)

const (
	replyNil = iota
	replyOK
	replyValue // of the first write, and so on
)

// value is what a request writes.
func (b Bounds) value(client, request int) string { return fmt.Sprintf("v%d-%d", client, request) }

// args are the words of a request.
func (b Bounds) args(client, request, op int) []string {
	switch op {
	case opSet:
		return []string{"SET", "k", b.value(client, request)}
	case opSetPX:
		return []string{"SET", "k", b.value(client, request), "PX", "1"}
	}
	return []string{"GET", "k"}
}

// reply is the one that a number of the model stands for.
func (b Bounds) reply(n int) string {
	switch n {
	case replyNil:
		return "$-1\r\n"
	case replyOK:
		return "+OK\r\n"
	}
	n -= replyValue
	return bulk(b.value(n/b.Requests, n%b.Requests))
}

// halves cuts a request or a reply in two, somewhere inside.
func halves(s string, random func(n int) int) [2]string {
	cut := 1 + random(len(s)-1)
	return [2]string{s[:cut], s[cut:]}
}

// sendHalf lets the next half of a request arrive; the first one is of operation op.
func (st *stage) sendHalf(s *seat, op int, random func(n int) int) {
	if s.cut.asked%2 == 0 {
		s.ops = append(s.ops, op)
		words := st.args(s.client, len(s.sent), op)
		s.sent = append(s.sent, words)
		s.cut.parts = halves(frame(words), random)
	}
	s.rx = append(s.rx, s.cut.parts[s.cut.asked%2])
	s.cut.asked++
}

// cut is what there is of a client in halves.
type cut struct {
	parts [2]string // of the request under way
	asked int       // of requests, which were sent
	owed  []half    // of replies made and not written
	tx    []half    // of replies written and not taken
}

// half of a reply, and the number of that in the model.
type half struct {
	text  string
	reply int
}

func (s *seat) oweHalves(text string, reply int, random func(n int) int) {
	for _, h := range halves(text, random) {
		s.cut.owed = append(s.cut.owed, half{h, reply})
	}
}

// texts are the bytes of halves.
func texts(halves []half) string {
	var b strings.Builder
	for _, h := range halves {
		b.WriteString(h.text)
	}
	return b.String()
}

// take moves n halves to the socket.
func (s *seat) take(n int) (bytes int) {
	s.cut.tx = append(s.cut.tx, s.cut.owed[:n]...)
	bytes = len(texts(s.cut.owed[:n]))
	s.cut.owed = s.cut.owed[n:]
	return bytes
}

// ---- model to server ----

type reactorPlayer struct {
	*actor
	nobodyWaits
	early   bool  // the server's wait ends before the model's: see wait
	reading int64 // ms of the wall clock, the last reading
}

func (a *reactorPlayer) happen(e Event) error {
	if e.Name == "TICK" {
		a.tick()
		return nil
	}
	s := a.seats[e.A]
	if e.Name != "RECV" {
		a.sendHalf(s, e.B, a.random)
		return nil
	}
	if len(s.cut.tx) == 0 || s.cut.tx[0].reply != e.B {
		return fmt.Errorf("%v, and there is %+v", e, s.cut.tx)
	}
	s.cut.tx = s.cut.tx[1:]
	return nil
}

// wait holds the server to how long it means to sleep, and to whom it watches. It may mean to sleep for
// less than the model, if it has a key with a deadline: the calendar of the keyspace has entries that
// mean nothing any more, and finds that out when their time has come. Then a slice of active expiry runs
// for nothing (clock).
func (a *reactorPlayer) wait(until int64) error {
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
	return a.wake(a.writable, a.rest)
}

func (a *reactorPlayer) rest() error {
	for _, s := range a.seats {
		if len(s.cut.owed) > 0 || s.done != a.Requests || s.in&kernel.Writable != 0 {
			return fmt.Errorf("the model is at rest, and client %d is owed %q", s.client, texts(s.cut.owed))
		}
	}
	return nil
}

func (a *reactorPlayer) read(s *seat) error { return a.reads(s) }

func (a *reactorPlayer) clock() (err error) {
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
func (a *reactorPlayer) executes(s *seat, args []string, nowMs int64) error {
	ask, err := a.next("ASK", s.client)
	if err != nil {
		return err
	}
	if err := s.asks(ask.B, args); err != nil {
		return err
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
func (a *reactorPlayer) write(s *seat, bytes string) (int, error) {
	e, err := a.next("WRITE", s.client)
	if err != nil {
		return 0, err
	}
	if want := texts(s.cut.owed); bytes != want {
		return 0, fmt.Errorf("the server writes %q to client %d, which is owed %q", bytes, s.client, want)
	}
	if e.B > len(s.cut.owed) {
		return 0, fmt.Errorf("%v, and only %d are owed", e, len(s.cut.owed))
	}
	return s.take(e.B), nil
}

// ---- server to model ----

// ticksMax is so few that nothing but a key is due in that time.
const ticksMax = 20

type reactorScribe struct {
	*recorder
	nobodyWaits
	ticks int
}

func (r *reactorScribe) can() (can []func()) {
	for _, s := range r.seats {
		if s.cut.asked < 2*r.Requests && len(s.rx) < r.RX {
			can = append(can, func() { r.send(s) })
		}
		if len(s.cut.tx) > 0 {
			can = append(can, func() {
				r.note("RECV", s.client, s.cut.tx[0].reply)
				s.cut.tx = s.cut.tx[1:]
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
	return can
}

func (r *reactorScribe) send(s *seat) {
	op := 0
	if s.cut.asked%2 == 0 {
		op = r.random(opSetPX + 1)
		r.note("SEND", s.client, op)
	} else {
		r.note("MORE", s.client, 0)
	}
	r.sendHalf(s, op, r.random)
}

func (r *reactorScribe) wait(until int64) error {
	r.sleeps(never)
	if left := until - r.began; left < int64(idleMin) {
		r.sleeps(int(max(0, left) / int64(time.Millisecond)))
	}
	return r.wake(until, r.writable)
}

func (r *reactorScribe) read(s *seat) error { return r.reads(s) }

func (r *reactorScribe) clock() error {
	r.world()
	r.note("CLOCK", 0, 0)
	return nil
}

func (r *reactorScribe) executes(s *seat, args []string, _ int64) error {
	err := r.asks(s, args)
	s.done++
	return err
}

// write takes what fits. What the server writes is what is left of the replies that were begun, and
// then whole ones.
func (r *reactorScribe) write(s *seat, bytes string) (int, error) {
	r.world()
	bytes, begun := strings.CutPrefix(bytes, texts(s.cut.owed))
	if !begun {
		return 0, fmt.Errorf("client %d is owed %q, and gets %q", s.client, texts(s.cut.owed), bytes)
	}
	for bytes != "" {
		reply, n := firstReply(bytes, replyValue+r.Clients*r.Requests, r.reply)
		if n < 0 {
			return 0, fmt.Errorf("client %d gets %q, which no request asked for", s.client, bytes)
		}
		s.oweHalves(reply, n, r.random)
		bytes = bytes[len(reply):]
	}
	n := min(len(s.cut.owed), r.TX-len(s.cut.tx))
	r.note("WRITE", s.client, n)
	return s.take(n), nil
}
