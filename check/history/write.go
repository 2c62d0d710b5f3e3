package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Writer writes a history file line by line, so that a recording can go on for ever.
type Writer struct {
	out   *bufio.Writer
	line  []byte
	bytes int64
}

// NewWriter writes the meta line.
func NewWriter(w io.Writer, meta Meta) (*Writer, error) {
	text, err := json.Marshal(metaLine{meta.fields()})
	if err != nil {
		return nil, fmt.Errorf("write the meta line: %w", err)
	}
	h := &Writer{out: bufio.NewWriterSize(w, writeBytes), line: text}
	return h, h.end()
}

// Op writes an operation.
func (w *Writer) Op(op *Op) (err error) {
	if w.line, err = op.append(w.line[:0]); err != nil {
		return err
	}
	return w.end()
}

// Mark writes a mark.
func (w *Writer) Mark(m Mark) (err error) {
	if w.line, err = json.Marshal(m.line()); err != nil {
		return err
	}
	return w.end()
}

// Flush writes what is still held back.
func (w *Writer) Flush() error { return w.out.Flush() }

// Bytes is how long the file is.
func (w *Writer) Bytes() int64 { return w.bytes }

func (w *Writer) end() error {
	w.line = append(w.line, '\n')
	w.bytes += int64(len(w.line))
	_, err := w.out.Write(w.line)
	return err
}

// Write writes h in the file format.
func Write(to io.Writer, h *History) error {
	w, err := NewWriter(to, h.Meta)
	if err != nil {
		return err
	}
	for i, m := range h.Marks {
		if err := w.Mark(m); err != nil {
			return fmt.Errorf("write mark %d: %w", i, err)
		}
	}
	for i := range h.Ops {
		if err := w.Op(&h.Ops[i]); err != nil {
			return fmt.Errorf("write operation %d: %w", i, err)
		}
	}
	return w.Flush()
}

// append writes the line of an operation, in the order of opLine's fields.
func (op *Op) append(b []byte) (_ []byte, err error) {
	b = strconv.AppendInt(append(b, `{"client":`...), int64(op.Client), 10)
	b = strconv.AppendInt(append(b, `,"call":`...), op.Call, 10)
	b = append(b, `,"return":`...)
	if op.Reply == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, op.Return, 10)
	}
	b = appendWords(append(b, `,"cmd":`...), op.Cmd)
	if op.Body != nil {
		// An empty transaction keeps its empty body: without it the line would read as an EXEC
		// without MULTI.
		b = append(b, `,"body":[`...)
		for i, cmd := range op.Body {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendWords(b, cmd)
		}
		b = append(b, ']')
	}
	if op.Reply != nil {
		if b, err = appendReply(append(b, `,"reply":`...), *op.Reply); err != nil {
			return b, err
		}
	}
	if op.N > 0 {
		b = strconv.AppendInt(append(b, `,"n":`...), int64(op.N), 10)
	}
	if op.DB != 0 {
		b = strconv.AppendInt(append(b, `,"db":`...), int64(op.DB), 10)
	}
	return append(b, '}'), nil
}

func appendWords(b []byte, words [][]byte) []byte {
	b = append(b, '[')
	for i, w := range words {
		if i > 0 {
			b = append(b, ',')
		}
		if plain(w) {
			b = append(append(append(b, '"'), w...), '"')
		} else {
			b = appendText(b, string(w))
		}
	}
	return append(b, ']')
}

// plain reports that a text stands in JSON as it is, between quotes.
func plain[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
