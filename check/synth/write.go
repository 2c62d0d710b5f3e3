package synth

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// Write simulates and writes the recording as it grows, in the order of effects: lines are out of
// call order by no more than the meta line says. Whoever wants to see each operation may.
func Write(w io.Writer, o Options, see ...func(*history.Op)) error {
	s, err := newSimulation(o)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	var meta strings.Builder
	if err := history.Write(&meta, &history.History{Meta: s.meta()}); err != nil {
		return err
	}
	if _, err := out.WriteString(meta.String()); err != nil {
		return err
	}
	var line []byte
	err = s.run(func(op *history.Op) error {
		for _, f := range see {
			f(op)
		}
		line = appendLine(line[:0], op)
		_, err := out.Write(line)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return out.Flush()
}

// appendLine is an operation in the file format. What the simulation sends and answers is plain
// text, so that nothing needs escaping.
func appendLine(b []byte, op *history.Op) []byte {
	b = strconv.AppendInt(append(b, `{"client":`...), int64(op.Client), 10)
	b = strconv.AppendInt(append(b, `,"call":`...), op.Call, 10)
	if op.Reply == nil {
		b = append(b, `,"return":null`...)
	} else {
		b = strconv.AppendInt(append(b, `,"return":`...), op.Return, 10)
	}
	b = appendWords(append(b, `,"cmd":`...), op.Cmd)
	if op.Body != nil {
		b = append(b, `,"body":[`...)
		for i, line := range op.Body {
			b = appendWords(comma(b, i), line)
		}
		b = append(b, ']')
	}
	if op.Reply != nil {
		b = appendReply(append(b, `,"reply":`...), *op.Reply)
	}
	if op.N > 0 {
		b = strconv.AppendInt(append(b, `,"n":`...), int64(op.N), 10)
	}
	return append(b, '}', '\n')
}

func appendWords(b []byte, words [][]byte) []byte {
	b = append(b, '[')
	for i, w := range words {
		b = append(append(append(comma(b, i), '"'), w...), '"')
	}
	return append(b, ']')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendReply(b []byte, r model.Reply) []byte {
	switch r.Kind {
	case model.Int:
		return strconv.AppendInt(b, r.Int, 10)
	case model.Bulk:
		return append(append(append(b, '"'), r.Str...), '"')
	case model.Simple:
		return append(append(append(b, `{"simple":"`...), r.Str...), `"}`...)
	case model.Error:
		return append(append(append(b, `{"error":"`...), r.Str...), `"}`...)
	case model.Array:
		b = append(b, '[')
		for i, e := range r.Elems {
			b = appendReply(comma(b, i), e)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}
