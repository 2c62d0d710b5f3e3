// Package trace ties formal models of the loop (spec/formal) to the server, in both directions.
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
//	trace.go    events as text, and the models
//	stage.go    the kernel of a server whose every call is looked at
//	act.go      model to server, whatever the model
//	record.go   server to model, likewise
//	reactor.go  what the events of reactor.pml are to a server: bytes, and a key with a deadline
//	block.go    what those of block.pml are: commands that wait
//	spin.go     traces of a model, and a model as the judge of traces
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

// Model is one of spec/formal, by what its events are to a server.
type Model struct {
	Name string
	// What no call of the server shows, or what is not its doing.
	unseen map[string]bool
	player func(*actor) player
	scribe func(*recorder) scribe
}

// never is the argument of a TURN that waits for no time event.
const never = 255

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
	RX, TX            int // bytes of reactor.pml in the kernel's buffers
	Budget            int // commands of one client in a turn
	Batch             int // clients read from before the first is served
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

// firstReply is the reply that some bytes begin with, and its number: of the first n replies of a model.
func firstReply(bytes string, n int, text func(int) string) (string, int) {
	for i := range n {
		if reply := text(i); strings.HasPrefix(bytes, reply) {
			return reply, i
		}
	}
	return "", -1
}
