package history

// The file format: JSON lines, an optional meta line first, then one operation a line, and marks
// anywhere between them.
//
//	{"meta":{"target":"redis 7.0.15","seed":1,"slack":0,"profile":"live",
//	  "offset":{"low":1700000000000000000,"high":1700000000000002000},
//	  "start":[{"db":0,"key":"k","value":"v","deadline":1700000000500}],"maxDisorder":2000000}}
//	{"client":3,"call":1203411,"return":1288012,"cmd":["SET","k","v1"],"reply":{"simple":"OK"}}
//	{"client":4,"call":1300000,"return":null,"cmd":["INCR","n"]}
//	{"client":5,"call":1,"return":2,"cmd":["EXEC"],"body":[["GET","n"]],"reply":["1"]}
//	{"mark":"kill -STOP 4711","from":1400000,"to":1900000,"outcome":"exit status 0"}
//
// CLIENT UNBLOCK names a connection by its number in the file, and not by that of the server.
//
// A byte string is a JSON string, or {"b64":S} where it is not UTF-8. Fields that are not listed
// here are errors: a misspelt "retrun" must not turn an answer into an unknown outcome.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"rondo/model"
)

// opLine is an operation as it stands in a file.
type opLine struct {
	Client *int            `json:"client"`
	Call   *int64          `json:"call"`
	Return json.RawMessage `json:"return"`
	Cmd    []text          `json:"cmd"`
	Body   [][]text        `json:"body,omitzero"`
	Reply  json.RawMessage `json:"reply,omitempty"`
	N      *int            `json:"n,omitempty"`
	DB     int             `json:"db,omitempty"`
}

type metaLine struct {
	Meta *metaFields `json:"meta"`
}

type metaFields struct {
	Target      string       `json:"target,omitempty"`
	Seed        int64        `json:"seed,omitempty"`
	Slack       int64        `json:"slack,omitempty"`
	Profile     string       `json:"profile,omitempty"`
	Offset      *offsetField `json:"offset,omitempty"`
	Start       []startField `json:"start,omitempty"`
	MaxDisorder int64        `json:"maxDisorder,omitempty"`
}

type offsetField struct {
	Low  int64 `json:"low"`
	High int64 `json:"high"`
}

// markLine is a Mark as it stands in a file; a "to" of null is Never.
type markLine struct {
	Mark    *string `json:"mark"`
	From    *int64  `json:"from"`
	To      *int64  `json:"to"`
	Outcome string  `json:"outcome,omitempty"`
}

type startField struct {
	DB       int    `json:"db,omitempty"`
	Key      *text  `json:"key"`
	Value    *text  `json:"value"`
	Deadline *int64 `json:"deadline,omitempty"`
}

// readLine is the strict reading of one line: what it says of a line is what holds, also where the
// quick reading (scan.go) does not understand it.
func (b *batch) readLine(line []byte, first bool) error {
	if !utf8.Valid(line) {
		return errors.New(`not UTF-8; write such bytes as {"b64":"..."}`)
	}
	var fields map[string]json.RawMessage
	if err := unmarshal(line, &fields); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if _, isMeta := fields["meta"]; isMeta {
		if !first {
			return errors.New(`"meta" stands only on the first line`)
		}
		m, err := readMeta(line)
		b.meta = &m
		return err
	}
	if _, isMark := fields["mark"]; isMark {
		m, err := readMark(line)
		b.marks = append(b.marks, m)
		return err
	}
	op, err := readOp(line)
	if err == nil {
		b.ops = append(b.ops, op)
	}
	return err
}

// unmarshal is strict: unknown fields and anything after the value are errors.
func unmarshal(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func readMeta(line []byte) (Meta, error) {
	var m metaLine
	if err := unmarshal(line, &m); err != nil {
		return Meta{}, err
	}
	if m.Meta == nil {
		return Meta{}, errors.New(`"meta" is null`)
	}
	f := m.Meta
	meta := Meta{Target: f.Target, Seed: f.Seed, Slack: f.Slack, Profile: f.Profile,
		MaxDisorder: f.MaxDisorder}
	if f.Offset != nil {
		meta.Offset = &Offset{f.Offset.Low, f.Offset.High}
	}
	for _, s := range f.Start {
		if s.Key == nil || s.Value == nil {
			return meta, errors.New(`"start" lists objects with "key" and "value"`)
		}
		meta.Start = append(meta.Start, StartKey{s.DB, *s.Key, *s.Value, s.Deadline})
	}
	return meta, meta.validate()
}

func readMark(line []byte) (Mark, error) {
	var l markLine
	if err := unmarshal(line, &l); err != nil {
		return Mark{}, err
	}
	if l.Mark == nil || l.From == nil {
		return Mark{}, errors.New(`a mark has a name, "mark", and a beginning, "from"`)
	}
	m := Mark{Name: *l.Mark, From: *l.From, To: Never, Outcome: l.Outcome}
	if l.To != nil {
		m.To = *l.To
	}
	if m.To < m.From {
		return Mark{}, errors.New("a mark ends before it begins")
	}
	return m, nil
}

func (m Mark) line() markLine {
	l := markLine{Mark: &m.Name, From: &m.From, Outcome: m.Outcome}
	if m.To != Never {
		l.To = &m.To
	}
	return l
}

func readOp(line []byte) (Op, error) {
	var l opLine
	if err := unmarshal(line, &l); err != nil {
		return Op{}, err
	}
	switch {
	case l.Client == nil:
		return Op{}, errors.New(`"client" is missing`)
	case l.Call == nil:
		return Op{}, errors.New(`"call" is missing`)
	case l.Return == nil:
		return Op{}, errors.New(`"return" is missing; it is null if no reply came`)
	case len(l.Cmd) == 0:
		return Op{}, errors.New(`"cmd" is missing or empty`)
	case l.N != nil && *l.N < 1:
		return Op{}, errors.New(`"n" counts from 1`)
	}
	op := Op{Client: *l.Client, Call: *l.Call, Return: Never, Cmd: words(l.Cmd), DB: l.DB}
	if l.N != nil {
		op.N = *l.N
	}
	if l.Body != nil {
		op.Body = make([][][]byte, len(l.Body))
		for i, cmd := range l.Body {
			op.Body[i] = words(cmd)
		}
	}
	if err := op.readOutcome(l); err != nil {
		return Op{}, err
	}
	return op, op.validate()
}

// readOutcome reads return and reply, which are there both or neither.
func (op *Op) readOutcome(l opLine) error {
	if string(l.Return) == "null" {
		if l.Reply != nil {
			return errors.New(`a "reply" without a "return"`)
		}
		return nil
	}
	if err := unmarshal(l.Return, &op.Return); err != nil {
		return errors.New(`"return" is neither an integer nor null`)
	}
	if l.Reply == nil {
		return errors.New(`a "return" without a "reply"`)
	}
	r, err := readReply(l.Reply, 0)
	if err != nil {
		return fmt.Errorf(`"reply": %w`, err)
	}
	op.Reply = &r
	return nil
}

func words(from []text) [][]byte {
	to := make([][]byte, len(from))
	for i, w := range from {
		to[i] = w
	}
	return to
}

func (m Meta) fields() *metaFields {
	f := &metaFields{Target: m.Target, Seed: m.Seed, Slack: m.Slack, Profile: m.Profile,
		MaxDisorder: m.MaxDisorder}
	if m.Offset != nil {
		f.Offset = &offsetField{m.Offset.Low, m.Offset.High}
	}
	for _, s := range m.Start {
		key, value := text(s.Key), text(s.Value)
		f.Start = append(f.Start, startField{s.DB, &key, &value, s.Deadline})
	}
	return f
}

// text is a byte string: a JSON string, or {"b64":S}.
type text []byte

func (t *text) UnmarshalJSON(b []byte) error {
	r, err := readReply(b, 0)
	if err != nil || r.Kind != model.Bulk {
		return fmt.Errorf(`%s is neither a string nor {"b64":"..."}`, shorten(b))
	}
	*t = text(r.Str)
	return nil
}

func (t text) MarshalJSON() ([]byte, error) { return appendText(nil, string(t)), nil }

func shorten(b []byte) string {
	const most = 40
	if len(b) <= most {
		return string(b)
	}
	return string(b[:most]) + "..."
}
