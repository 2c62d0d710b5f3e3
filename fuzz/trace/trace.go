// Package trace ties the formal model of the loop (spec/formal/reactor.pml) to the server, in both
// directions.
//
//	Act      a trace of the model is acted out: the kernel and the clock do what it says, and the real
//	         server is held to every call that it says, and to every reply
//	Record   the real server runs in a world of chance, and what it did is a trace
//	Follow   spin runs the model with such a trace as its environment: each step of the model must be
//	         the next of the trace, or the model gets stuck, and the trace is refused
//
// So whatever the model does within a random run the server does, and whatever the server does in a
// random run the model can do. There is no second model of the loop here: what comes next is decided
// by the trace alone.
//
//	trace.go    events as text, and what they stand for in bytes
//	stage.go    the kernel of a server whose every call is looked at
//	act.go      model to server
//	record.go   server to model
//	spin.go     traces of the model, and the model as the judge of traces
//
// A request of the model has two bytes, and so has a reply. A real one is cut in two somewhere, and
// the halves stand for the bytes.
package trace

import (
	"fmt"
	"strings"
)

// Event is a step of a trace; spec/formal/events.h says what the numbers are.
type Event struct {
	Name string
	A, B int
}

func (e Event) String() string { return fmt.Sprintf("@%s %d %d", e.Name, e.A, e.B) }

// What the world does; everything else is done by the server.
var ofTheWorld = map[string]bool{"TICK": true, "SEND": true, "MORE": true, "RECV": true}

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

// Parse reads the events of what a model has printed; other lines are left out.
func Parse(text string) (events []Event, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "@") {
			continue
		}
		var e Event
		if _, err := fmt.Sscanf(line, "@%s %d %d", &e.Name, &e.A, &e.B); err != nil {
			return nil, fmt.Errorf("%q is no event: %w", line, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// Bounds are those of a model, and of a server that fits it.
type Bounds struct {
	Clients, Requests int // of each
	RX, TX            int // bytes of the model in the kernel's buffers
	Budget            int // commands of one client in a turn
	Batch             int // clients read from before the first is served
}

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

func frame(args []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "*%d\r\n", len(args))
	for _, a := range args {
		s.WriteString(bulk(a))
	}
	return s.String()
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

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
