package wire

import (
	"bytes"
	"fmt"
)

// ProtocolError is what a server answers to a malformed request, after "Protocol error: ".
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// RequestLimits are the bounds of a request; DefaultRequestLimits are Redis' own.
type RequestLimits struct {
	BulkBytesMax    int64
	Unauthenticated bool // WIRE-23
}

// DefaultRequestLimits are the limits of ParseCommand.
var DefaultRequestLimits = RequestLimits{BulkBytesMax: RequestBulkBytesMax}

// ParseCommand takes one request, inline ones included, off the front of buf. n is the bytes it
// took: 0 means that more are needed; n > 0 with no args is a request without a reply (WIRE-8).
// An error is a ProtocolError.
func ParseCommand(buf []byte) (args [][]byte, n int, err error) {
	return DefaultRequestLimits.Parse(buf)
}

// Parse is ParseCommand under other limits. The arguments are copies.
func (l RequestLimits) Parse(buf []byte) (args [][]byte, n int, err error) {
	switch {
	case len(buf) == 0:
		return nil, 0, nil
	case buf[0] == '*':
		return l.parseMultibulk(buf)
	}
	return parseInline(buf)
}

// header takes the line at the front of buf, without its CR LF. As in Redis the line ends at the
// first CR, the byte after it is taken for the LF unseen, and a NUL hides all behind it.
func header(buf []byte, tooBig string) (line []byte, n int, err error) {
	i := find(buf, '\r')
	if i < 0 && len(buf) > RequestLineBytesMax {
		return nil, 0, ProtocolError(tooBig)
	}
	if i < 0 || i+2 > len(buf) {
		return nil, 0, nil
	}
	return buf[:i], i + 2, nil
}

// find is the offset of c in buf, unless a NUL comes before it; -1 if there is none.
func find(buf []byte, c byte) int {
	i := bytes.IndexByte(buf, c)
	if i >= 0 && bytes.IndexByte(buf[:i], 0) >= 0 {
		return -1
	}
	return i
}

func (l RequestLimits) parseMultibulk(buf []byte) ([][]byte, int, error) {
	line, pos, err := header(buf, "too big mbulk count string")
	if err != nil || pos == 0 {
		return nil, 0, err
	}
	count, ok := canonicalInt(line[1:])
	switch {
	case !ok || count > RequestArgsMax:
		return nil, 0, ProtocolError("invalid multibulk length")
	case l.Unauthenticated && count > UnauthenticatedArgsMax:
		return nil, 0, ProtocolError("unauthenticated multibulk length")
	case count <= 0:
		return nil, pos, nil
	}
	args := make([][]byte, 0, min(count, 1024))
	for range count {
		arg, n, err := l.parseBulk(buf[pos:])
		if err != nil || n == 0 {
			return nil, 0, err
		}
		args = append(args, arg)
		pos += n
	}
	return args, pos, nil
}

func (l RequestLimits) parseBulk(buf []byte) ([]byte, int, error) {
	line, pos, err := header(buf, "too big bulk count string")
	if err != nil || pos == 0 {
		return nil, 0, err
	}
	if len(line) == 0 || line[0] != '$' {
		return nil, 0, ProtocolError(fmt.Sprintf("expected '$', got '%s'", oneByte(buf[0])))
	}
	size, ok := canonicalInt(line[1:])
	switch {
	case !ok || size < 0 || size > l.BulkBytesMax:
		return nil, 0, ProtocolError("invalid bulk length")
	case l.Unauthenticated && size > UnauthenticatedBulkBytesMax:
		return nil, 0, ProtocolError("unauthenticated bulk length")
	}
	end := pos + int(size)
	if len(buf) < end+2 {
		return nil, 0, nil
	}
	return bytes.Clone(buf[pos:end:end]), end + 2, nil
}

// oneByte shows a byte inside an error: an error is one line (WIRE-22).
func oneByte(c byte) []byte {
	if c == '\r' || c == '\n' {
		return []byte{' '}
	}
	return []byte{c}
}

func parseInline(buf []byte) ([][]byte, int, error) {
	i := find(buf, '\n')
	if i < 0 && len(buf) > RequestLineBytesMax {
		return nil, 0, ProtocolError("too big inline request")
	}
	if i < 0 {
		return nil, 0, nil
	}
	args, ok := splitInline(bytes.TrimSuffix(buf[:i], []byte{'\r'}))
	if !ok {
		return nil, 0, ProtocolError("unbalanced quotes in request")
	}
	return args, i + 1, nil
}
