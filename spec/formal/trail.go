package formal

import (
	"fmt"
	"io"
	"strings"
)

// A counterexample is the events of the run that led to the error, a line each: who acts stands in the
// column of the client, the kernel or the loop, and the last line names what is broken.

// asks are the operations of a model, by their number in its text.
var asks = map[string][]string{
	"reactor": {"GET k", "SET k v", "SET k v PX 1"},
	"block":   {"BLPOP l 0", "BLPOP l, with a timeout", "RPUSH l a", "RPUSH l a b", "CLIENT UNBLOCK"},
}

// replies likewise.
var replies = map[string][]string{
	"reactor": {"nil", "OK", "the value of client 0", "the value of client 1", "the value of client 2"},
	"live":    {"something"},
	"block":   {"nil", "an element", "a number"},
	"output":  {"nothing", "1 unit", "2 units"},
}

const (
	inClient = iota
	inKernel
	inLoop
)

// sentences tell an event: the column, and the text with %[1]d for its first number and %[2]d for its
// second, or %[2]s where that is a name.
var sentences = map[string]struct {
	column int
	text   string
}{
	"TICK":  {inKernel, "the clock goes on by 1 ms"},
	"SEND":  {inClient, "%[1]d begins a request"},
	"MORE":  {inClient, "%[1]d sends the next byte"},
	"RECV":  {inClient, "%[1]d takes part of a reply"},
	"LEAVE": {inClient, "%[1]d leaves"},
	"DEAF":  {inClient, "%[1]d takes nothing any more"},
	"DUE":   {inKernel, "the time event is due"},
	"TURN":  {inLoop, "turn"},
	"WAKE":  {inKernel, "the wait ends"},
	"READ":  {inLoop, "reads %[2]d bytes of %[1]d"},
	"CLOCK": {inLoop, "reads the clock"},
	"ASK":   {inLoop, "executes %[2]s of %[1]d"},
	"REPLY": {inLoop, "replies %[2]s to %[1]d"},
	"WRITE": {inLoop, "writes %[2]d to %[1]d"},
	"FIRE":  {inLoop, "runs the time event"},
	"CLOSE": {inLoop, "closes %[1]d"},
}

// Sentence tells an event in words, and in which column.
func Sentence(model, line string) (column int, text string) {
	var event string
	var a, b int
	if n, _ := fmt.Sscanf(line, "@%s %d %d", &event, &a, &b); n != 3 {
		return inLoop, "from here on for ever:"
	}
	s, ok := sentences[event]
	if !ok {
		return inLoop, line
	}
	if !strings.Contains(s.text, "%") {
		return s.column, s.text
	}
	if !strings.Contains(s.text, "[2]s") {
		return s.column, strings.TrimSuffix(fmt.Sprintf(s.text, a, b), fmt.Sprintf("%%!(EXTRA int=%d)", b))
	}
	names := asks[model]
	if event == "REPLY" {
		names = replies[model]
	}
	name := fmt.Sprint(b)
	if b < len(names) {
		name = names[b]
	}
	return s.column, fmt.Sprintf(s.text, a, name)
}

// Story writes a counterexample, and the property that it breaks.
func Story(w io.Writer, f Fault, v Verdict) {
	fmt.Fprintf(w, "%s.pml with fault %d: %s\n\n", f.Model, f.Bug, f.Does)
	fmt.Fprintf(w, "  %-28s %-26s %s\n", "client", "kernel", "loop")
	for _, line := range v.Trail {
		column, text := Sentence(f.Model, line)
		cells := [3]string{}
		cells[column] = text
		fmt.Fprintf(w, "%s\n", strings.TrimRight(fmt.Sprintf("  %-28s %-26s %s", cells[0], cells[1], cells[2]), " "))
	}
	if p, ok := Lookup(v.Violated); ok {
		fmt.Fprintf(w, "\nbroken: %s %s (%s): %s\n", p.ID, p.Name, strings.Join(p.Clauses, ", "), p.Text)
	}
}
