package formal

import (
	"fmt"
	"strings"

	"rondo/check/explore"
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
	"reactor": {"nil", "OK", "the value of a", "the value of b", "the value of c"},
	"live":    {"something"},
	"block":   {"nil", "a number", "an element"},
	"output":  {"nothing", "1 unit", "2 units"},
}

// column is where a row of the table says something.
type column func(*explore.Row) *string

func client(r *explore.Row) *string { return &r.Client }
func kernel(r *explore.Row) *string { return &r.Kernel }
func loop(r *explore.Row) *string   { return &r.Loop }

// sentences tell an event: who does it, and the text with %[1]s for the client and %[2]d for the
// number, or %[2]s where that is a name.
var sentences = map[string]struct {
	in   column
	text string
}{
	"TICK":  {kernel, "1 ms passes"},
	"SEND":  {client, "%[1]s begins a request"},
	"MORE":  {client, "%[1]s sends the next byte"},
	"RECV":  {client, "%[1]s takes part of a reply"},
	"LEAVE": {client, "%[1]s leaves"},
	"DEAF":  {client, "%[1]s takes nothing any more"},
	"DUE":   {kernel, "a time event is due"},
	"TURN":  {loop, "turn"},
	"WAKE":  {kernel, "the wait ends"},
	"READ":  {loop, "reads %[2]d bytes of %[1]s"},
	"CLOCK": {loop, "reads the clock"},
	"ASK":   {loop, "%[1]s: %[2]s"},
	"REPLY": {loop, "-> %[2]s to %[1]s"},
	"WRITE": {loop, "writes %[2]d to %[1]s"},
	"FIRE":  {loop, "runs the time event"},
	"CLOSE": {loop, "closes %[1]s"},
}

// row tells an event in words.
func row(model, line string) (r explore.Row) {
	var event string
	var who, n int
	if got, _ := fmt.Sscanf(line, "@%s %d %d", &event, &who, &n); got != 3 {
		return explore.Row{Loop: "and from here on for ever:"}
	}
	s, known := sentences[event]
	if !known {
		return explore.Row{Loop: line}
	}
	*s.in(&r) = strings.NewReplacer("%[1]s", explore.Name(who), "%[2]d", fmt.Sprint(n),
		"%[2]s", name(model, event, n)).Replace(s.text)
	return r
}

// name is what a number stands for, in an event of a model.
func name(model, event string, n int) string {
	names := asks[model]
	if event == "REPLY" {
		names = replies[model]
	}
	if n >= len(names) {
		return fmt.Sprint(n)
	}
	return names[n]
}

// Story is the counterexample of a fault, and what it breaks.
func Story(f Fault, v Verdict) string {
	var rows []explore.Row
	for _, line := range v.Trail {
		rows = append(rows, row(f.Model, line))
	}
	broken := explore.Violation{How: "nothing"}
	if p, ok := Lookup(v.Violated); ok {
		broken = explore.Violation{Clause: p.Clauses[0], How: p.ID + " " + p.Name + ": " + p.Text}
	}
	return fmt.Sprintf("%s.pml, fault %d: %s\n\n%s", f.Model, f.Bug, f.Does, explore.Table(rows, broken))
}
