package report

import (
	"fmt"
	"regexp"
	"strings"

	"rondo/check/history"
)

// Where the clock contradicts the replies, a violation says why by a chain of facts: a call, a
// return or a reply each, that bound the readings of the clock and together miss each other. The
// page letters them, a, b, c, and the drawing shows the same letters where the facts are to be seen:
// on the left end of a bar for its call, on the right one for its return, inside for its reply.

// fact is one of the chain, and where it is drawn.
type fact struct {
	text string
	op   int // in Core; -1: nowhere
	edge edge
}

type edge int

const (
	atCall edge = iota
	atReturn
	atReply
)

// letter is the name of the i-th fact.
func letter(i int) string { return string(rune('a' + i%26)) }

// Chain are the facts as the page lists them; nil if the explanation is of another kind.
func (v Violation) Chain() []string {
	var out []string
	for _, f := range v.facts() {
		out = append(out, f.text)
	}
	return out
}

// facts are the indented lines of a chain.
func (v Violation) facts() []fact {
	if len(v.Why) == 0 || !strings.HasPrefix(v.Why[0], chainHead) {
		return nil
	}
	var out []fact
	for _, line := range v.Why {
		if strings.HasPrefix(line, "  ") && len(out) < factsMax {
			f := fact{text: clip(strings.Join(strings.Fields(line), " "), stepBytesMax), op: -1}
			f.op, f.edge = v.seenAt(line)
			out = append(out, f)
		}
	}
	return out
}

const chainHead = "t1"

// Around are the lines of an explanation that are not facts: what the letters stand for, and the sum.
func (v Violation) Around() (out []string) {
	for _, line := range v.Why {
		if !strings.HasPrefix(line, "  ") {
			out = append(out, line)
		}
	}
	return out
}

// Table is an explanation of another kind: why each order ends.
func (v Violation) Table() (out []string) {
	if v.facts() != nil {
		return nil
	}
	for _, line := range v.Why[:min(len(v.Why), stepsMax)] {
		out = append(out, clip(line, stepBytesMax))
	}
	return out
}

var moment = regexp.MustCompile(`(had returned|was called) at (-?[0-9.]+) ms`)

// seenAt finds the operation and the end of its bar that a fact is about.
func (v Violation) seenAt(line string) (int, edge) {
	ms := func(ns int64) string { return fmt.Sprintf("%.3f", float64(ns-v.Origin)/1e6) }
	if m := moment.FindStringSubmatch(line); m != nil {
		for i, op := range v.Core {
			switch {
			case m[1] == "was called" && ms(op.Call) == m[2]:
				return i, atCall
			case m[1] == "had returned" && op.Return != history.Never && ms(op.Return) == m[2]:
				return i, atReturn
			}
		}
		return -1, atCall
	}
	line = strings.ToLower(clip(line, textBytesMax))
	for i := max(0, len(v.Core)-drawnMax); i < len(v.Core); i++ {
		op := v.Core[i]
		said := strings.ReplaceAll(strings.ToLower(words(op)), strings.ToLower(v.Tag), "")
		if op.Reply != nil && strings.Contains(line, "since "+said+" answered "+strings.ToLower(op.Reply.String())) {
			return i, atReply
		}
	}
	return -1, atReply
}
