// Replies, appended to a buffer. proto is the protocol of the connection: 2 or 3.
package resp

import (
	"math"
	"strconv"
)

// AppendSimple appends a status such as +OK; s holds no CR or LF.
func AppendSimple(buf []byte, s string) []byte {
	buf = append(buf, '+')
	buf = append(buf, s...)
	return append(buf, '\r', '\n')
}

// AppendError appends an error reply; text begins with its code, as in "ERR syntax error". It
// stays one line whatever it echoes (WIRE-22).
func AppendError(buf []byte, text string) []byte {
	buf = append(buf, '-')
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		buf = append(buf, c)
	}
	return append(buf, '\r', '\n')
}

// AppendInt appends an integer.
func AppendInt(buf []byte, n int64) []byte {
	if uint64(n) < 10 {
		return append(buf, ':', byte('0'+n), '\r', '\n')
	}
	return header(buf, ':', n)
}

// AppendBulk appends a bulk string, binary safe (WIRE-4).
func AppendBulk(buf, b []byte) []byte {
	buf = header(buf, '$', int64(len(b)))
	buf = append(buf, b...)
	return append(buf, '\r', '\n')
}

// AppendBulkHeader appends what stands before the n bytes of a bulk string; CR LF end it.
func AppendBulkHeader(buf []byte, n int) []byte { return header(buf, '$', int64(n)) }

// AppendBulkString is AppendBulk of a string.
func AppendBulkString(buf []byte, s string) []byte {
	buf = header(buf, '$', int64(len(s)))
	buf = append(buf, s...)
	return append(buf, '\r', '\n')
}

// AppendNull appends the absent value (WIRE-18, WIRE-20).
func AppendNull(buf []byte, proto int) []byte {
	if proto >= 3 {
		return append(buf, "_\r\n"...)
	}
	return append(buf, "$-1\r\n"...)
}

// AppendNullArray appends the absent array, the reply of an EXEC that did nothing.
func AppendNullArray(buf []byte, proto int) []byte {
	if proto >= 3 {
		return append(buf, "_\r\n"...)
	}
	return append(buf, "*-1\r\n"...)
}

// AppendArray begins an array of n replies.
func AppendArray(buf []byte, n int) []byte { return header(buf, '*', int64(n)) }

// AppendMap begins a map of n pairs; in RESP2 it is an array of twice as many.
func AppendMap(buf []byte, n, proto int) []byte {
	if proto >= 3 {
		return header(buf, '%', int64(n))
	}
	return header(buf, '*', int64(n)*2)
}

// AppendSet begins a set of n replies; in RESP2 it is an array.
func AppendSet(buf []byte, n, proto int) []byte {
	if proto >= 3 {
		return header(buf, '~', int64(n))
	}
	return header(buf, '*', int64(n))
}

// AppendDouble appends a floating point number; in RESP2 it is a bulk string.
func AppendDouble(buf []byte, f float64, proto int) []byte {
	var text [32]byte
	digits := appendFloat(text[:0], f)
	if proto < 3 {
		return AppendBulk(buf, digits)
	}
	buf = append(buf, ',')
	buf = append(buf, digits...)
	return append(buf, '\r', '\n')
}

func appendFloat(buf []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(buf, "inf"...)
	case math.IsInf(f, -1):
		return append(buf, "-inf"...)
	case math.IsNaN(f):
		return append(buf, "nan"...)
	}
	return strconv.AppendFloat(buf, f, 'g', 17, 64)
}

// AppendBool appends a boolean; in RESP2 it is the integer 1 or 0.
func AppendBool(buf []byte, b bool, proto int) []byte {
	switch {
	case proto >= 3 && b:
		return append(buf, "#t\r\n"...)
	case proto >= 3:
		return append(buf, "#f\r\n"...)
	case b:
		return AppendInt(buf, 1)
	}
	return AppendInt(buf, 0)
}

// AppendVerbatim appends text for people; in RESP2 it is a bulk string.
func AppendVerbatim(buf, text []byte, proto int) []byte {
	if proto < 3 {
		return AppendBulk(buf, text)
	}
	buf = header(buf, '=', int64(len(text)+len("txt:")))
	buf = append(buf, "txt:"...)
	buf = append(buf, text...)
	return append(buf, '\r', '\n')
}

// header appends a type byte and its number. One and two digits are most of them.
func header(buf []byte, kind byte, n int64) []byte {
	switch {
	case uint64(n) < 10:
		return append(buf, kind, byte('0'+n), '\r', '\n')
	case uint64(n) < 100:
		return append(buf, kind, byte('0'+n/10), byte('0'+n%10), '\r', '\n')
	}
	buf = append(buf, kind)
	buf = strconv.AppendInt(buf, n, 10)
	return append(buf, '\r', '\n')
}
