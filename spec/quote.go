package spec

// Quoting, as redis-cli has it for arguments, and as the reply notation has it for bulk strings.

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SplitArgs splits a line into arguments: plain words, '...' and "...", the latter two
// optionally repeated with *N.
func SplitArgs(line string) ([][]byte, error) {
	var args [][]byte
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return args, nil
		}
		arg, rest, err := nextArg(line)
		if err != nil {
			return nil, err
		}
		args = append(args, []byte(arg))
		line = rest
	}
}

func nextArg(line string) (arg, rest string, err error) {
	switch line[0] {
	case '"':
		arg, rest, err = unquote(line)
	case '\'':
		arg, rest, err = unquoteSingle(line)
	default:
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		return line[:end], line[end:], nil
	}
	if err == nil {
		arg, rest, err = repeat(arg, rest)
	}
	if err == nil && rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		err = fmt.Errorf("a closing quote is followed by %q instead of a space", rest[0])
	}
	return arg, rest, err
}

var errQuote = errors.New("a quote is never closed")

// unquote takes a "..." from the beginning of s. The escapes are \n \r \t \b \a \xHH; any other
// escaped byte stands for itself.
func unquote(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] != '\\':
			b.WriteByte(s[i])
		default:
			c, n := unescape(s[i:])
			b.WriteByte(c)
			i += n - 1
		}
	}
	return "", "", errQuote
}

// unescape decodes the escape at the beginning of s and tells its length.
func unescape(s string) (byte, int) {
	if len(s) >= 4 && s[1] == 'x' {
		if v, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
			return byte(v), 4
		}
	}
	if len(s) < 2 {
		return '\\', 1
	}
	if i := strings.IndexByte("nrtba", s[1]); i >= 0 {
		return "\n\r\t\b\a"[i], 2
	}
	return s[1], 2
}

// unquoteSingle takes a '...' from the beginning of s; only \' is an escape.
func unquoteSingle(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '\'' {
			return b.String(), s[i+1:], nil
		}
		if strings.HasPrefix(s[i:], `\'`) {
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", errQuote
}

// repeat applies a *N that follows a quoted string.
func repeat(text, rest string) (string, string, error) {
	if !strings.HasPrefix(rest, "*") {
		return text, rest, nil
	}
	end := 1
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[1:end])
	if err != nil || n < 1 || n > argBytesMax/max(1, len(text)) {
		return "", "", fmt.Errorf("%q does not repeat a string: use *N with a result up to %d bytes",
			rest[:end], argBytesMax)
	}
	return strings.Repeat(text, n), rest[end:], nil
}
