package wire

import (
	"strconv"

	"rondo/model"
)

// AppendCommand appends a command as an array of bulk strings (WIRE-1).
func AppendCommand(buf []byte, args ...[]byte) []byte {
	buf = appendHeader(buf, '*', len(args))
	for _, arg := range args {
		buf = appendBlob(buf, '$', string(arg))
	}
	return buf
}

// AppendReply appends a reply in protocol 2 or 3. In protocol 2 what it has no type for becomes
// what Redis makes of it: maps and sets become arrays, doubles bulk strings, booleans integers.
// Time terms have no bytes: make them concrete first.
func AppendReply(buf []byte, r model.Reply, proto int) []byte {
	switch r.Kind {
	case model.Simple:
		return appendLine(buf, '+', r.Str)
	case model.Error:
		return appendLine(buf, '-', r.Str)
	case model.Int:
		return appendLine(buf, ':', strconv.FormatInt(r.Int, 10))
	case model.Bulk:
		return appendBlob(buf, '$', r.Str)
	case model.Null, model.NullArray, model.Null3:
		return appendNull(buf, r.Kind, proto)
	case model.Array, model.Map, model.Set, model.Push:
		return appendAggregate(buf, r, proto)
	case model.Double, model.Bool, model.Big, model.Verbatim:
		return appendScalar3(buf, r, proto)
	}
	panic("wire: a time term has no bytes")
}

func appendNull(buf []byte, kind model.Kind, proto int) []byte {
	switch {
	case proto >= 3 || kind == model.Null3:
		return append(buf, "_\r\n"...)
	case kind == model.NullArray:
		return append(buf, "*-1\r\n"...)
	}
	return append(buf, "$-1\r\n"...)
}

func appendAggregate(buf []byte, r model.Reply, proto int) []byte {
	mark, n := byte('*'), len(r.Elems)
	if proto >= 3 {
		switch r.Kind {
		case model.Map:
			mark, n = '%', n/2
		case model.Set:
			mark = '~'
		case model.Push:
			mark = '>'
		}
	}
	buf = appendHeader(buf, mark, n)
	for _, e := range r.Elems {
		buf = AppendReply(buf, e, proto)
	}
	return buf
}

func appendScalar3(buf []byte, r model.Reply, proto int) []byte {
	switch {
	case r.Kind == model.Bool && proto >= 3 && r.Int != 0:
		return append(buf, "#t\r\n"...)
	case r.Kind == model.Bool && proto >= 3:
		return append(buf, "#f\r\n"...)
	case r.Kind == model.Bool:
		return appendLine(buf, ':', strconv.FormatInt(r.Int, 10))
	case proto < 3:
		return appendBlob(buf, '$', r.Str)
	case r.Kind == model.Double:
		return appendLine(buf, ',', r.Str)
	case r.Kind == model.Big:
		return appendLine(buf, '(', r.Str)
	}
	return appendBlob(buf, '=', "txt:"+r.Str)
}

func appendLine(buf []byte, mark byte, text string) []byte {
	buf = append(buf, mark)
	buf = append(buf, text...)
	return append(buf, '\r', '\n')
}

func appendHeader(buf []byte, mark byte, n int) []byte {
	buf = append(buf, mark)
	buf = strconv.AppendInt(buf, int64(n), 10)
	return append(buf, '\r', '\n')
}

func appendBlob(buf []byte, mark byte, text string) []byte {
	buf = appendHeader(buf, mark, len(text))
	buf = append(buf, text...)
	return append(buf, '\r', '\n')
}
