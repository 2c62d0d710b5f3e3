package practice

import (
	"fmt"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/check/wire"
	"rondo/model"
)

// Line is one transmission of a wire log.
type Line struct {
	At    int64 // ns
	Out   bool  // from the client to the server
	Bytes string
}

// String writes the line as files hold it: milliseconds, direction, quoted bytes.
func (l Line) String() string {
	arrow := "<-"
	if l.Out {
		arrow = "->"
	}
	return fmt.Sprintf("%9.3f %s %q", float64(l.At)/1e6, arrow, l.Bytes)
}

func parseLine(text string) (Line, error) {
	at, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	ms, err := strconv.ParseFloat(at, 64)
	arrow, quoted, _ := strings.Cut(rest, " ")
	if err != nil || arrow != "->" && arrow != "<-" {
		return Line{}, fmt.Errorf("%q is not a time in ms, an arrow and quoted bytes", text)
	}
	b, err := strconv.Unquote(quoted)
	return Line{int64(ms * 1e6), arrow == "->", b}, err
}

// loadWire reads a wire log as a history: the n-th reply answers the n-th request (CONN-1). A
// request is called when its last byte is on its way, and returns when the last byte of its reply
// is there.
func (s *Scenario) loadWire(text string) error {
	w := &wireReader{s: s}
	s.History = &history.History{}
	for _, row := range strings.Split(strings.TrimSpace(text), "\n") {
		line, err := parseLine(row)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		s.Wire = append(s.Wire, line)
		if s.Broken == "" {
			w.take(line)
		}
	}
	return nil
}

type wireReader struct {
	s        *Scenario
	sent     []byte
	replies  wire.Decoder
	answered int
}

func (w *wireReader) take(l Line) {
	h := w.s.History
	if l.Out {
		w.sent = append(w.sent, l.Bytes...)
		for {
			args, n, err := wire.ParseCommand(w.sent)
			if err != nil || n == 0 {
				return
			}
			w.sent = w.sent[n:]
			if args != nil {
				h.Ops = append(h.Ops, history.Op{Client: 1, Call: l.At, Return: history.Never, Cmd: args, N: len(h.Ops) + 1})
			}
		}
	}
	w.replies.Feed([]byte(l.Bytes))
	for w.s.Broken == "" {
		r, ok, err := w.replies.Next()
		switch {
		case err != nil:
			w.broken("WIRE-18", "the server sent bytes that are no reply", w.answered)
		case !ok:
			return
		case w.answered == len(h.Ops):
			w.early(l, r)
		default:
			op := &h.Ops[w.answered]
			op.Reply, op.Return = &r, l.At
			w.answered++
		}
	}
}

// early is a reply to which there is no whole request.
func (w *wireReader) early(l Line, r model.Reply) {
	what := fmt.Sprintf("the reply %s comes although no request is open", r)
	clause := "CONN-1"
	if len(w.sent) > 0 {
		clause = "WIRE-1"
		what = fmt.Sprintf("the reply %s comes when only %d bytes of the request are there", r, len(w.sent))
	}
	w.s.History.Ops = append(w.s.History.Ops, history.Op{Client: 1, Call: l.At, Return: l.At, Reply: &r,
		Cmd: [][]byte{[]byte("(no whole request)")}, N: len(w.s.History.Ops) + 1})
	w.broken(clause, what, len(w.s.History.Ops)-1)
}

func (w *wireReader) broken(clause, what string, at int) {
	w.s.Broken, w.s.At = clause+": "+what, at
}
