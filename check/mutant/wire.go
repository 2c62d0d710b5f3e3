package mutant

import (
	"bytes"
	"strings"
	"unicode"

	"rondo/check/wire"
	"rondo/model"
)

// Faults in how requests are taken off the wire and replies are put on it.
var wireFaults = []Fault{
	{"half frame executed", "A request is executed when all but its last bytes, CR and LF, are there.",
		[]string{"WIRE-1", "WIRE-3"}, points{parse: parseEarly}},
	{"half frame executed at the end",
		"A request that lacks its last bytes is executed when the client ends.",
		[]string{"WIRE-3"}, points{ended: completeAtEnd}},
	{"split request clipped", "A request that came in several segments loses its last byte.",
		[]string{"WIRE-2"}, points{frame: clipSplit}},
	{"arguments end at NUL", "Arguments end at their first zero byte.",
		[]string{"WIRE-4"}, points{frame: cutAtNUL}},
	{"inline splits at each blank", "Two blanks in an inline command have an empty word between them.",
		[]string{"WIRE-5"}, points{parse: inlineWith(splitAtEachBlank)}},
	{"inline quotes ignored", "Quotes in an inline command are ordinary characters.",
		[]string{"WIRE-6", "WIRE-7"}, points{parse: inlineWith(bytes.Fields)}},
	{"open quote closed", "A quote that is not closed ends at the end of its line.",
		[]string{"WIRE-7"}, points{parse: forgiving("unbalanced quotes", takeLine)}},
	{"empty array answered", "An array of no elements gets a reply.",
		[]string{"WIRE-8"}, points{parse: answerEmpty}},
	{"loose array count", "An array count may have leading zeros and a plus sign.",
		[]string{"WIRE-9"}, points{parse: forgiving("invalid multibulk length", looseCount)}},
	{"one protocol error for all", "Every protocol error has the same text.",
		[]string{"WIRE-7", "WIRE-9", "WIRE-10", "WIRE-11", "WIRE-12"}, points{refuse: oneText}},
	{"any type byte", "Any byte will do where a '$' is expected.",
		[]string{"WIRE-10"}, points{parse: forgiving("expected '$'", anyTypeByte)}},
	{"negative length is empty", "A bulk string of negative length is an empty one.",
		[]string{"WIRE-11"}, points{parse: negativeIsEmpty}},
	{"endless line", "A line without an end is waited for, however long.",
		[]string{"WIRE-12"}, points{parse: forgiving("too big", waitFor)}},
	{"protocol error loses replies", "After a protocol error only the error itself is sent.",
		[]string{"WIRE-13", "CONN-1"}, points{flush: onlyTheError}},
	{"protocol error forgiven", "After a protocol error the connection goes on.",
		[]string{"WIRE-13"}, points{refuse: goOn}},
	{"mixed case unknown", "A command name in mixed case is unknown.",
		[]string{"WIRE-14"}, points{before: refuseMixedCase}},
	{"unknown command without arguments", "The error for an unknown command leaves out its arguments.",
		[]string{"WIRE-15"}, points{after: errorText("ERR unknown command", cutAtComma)}},
	{"arity without name", "The error for a wrong number of arguments does not name the command.",
		[]string{"WIRE-16"}, points{after: errorText("ERR wrong number of arguments",
			always("ERR wrong number of arguments"))}},
	{"arity unchecked", "A command with too many arguments is executed with those it knows.",
		[]string{"WIRE-16"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 2 {
				u.cmd = u.cmd[:2]
			}
		}, "get", "strlen", "persist", "ttl", "pttl", "echo")}},
	{"subcommand error changed", "The error for an unknown subcommand has another text.",
		[]string{"WIRE-17"}, points{after: errorText("ERR unknown subcommand", func(s string) string {
			return strings.Replace(s, "unknown", "no such", 1)
		})}},
	{"null array as null", "An aborted EXEC answers the null of strings, not of arrays.",
		[]string{"WIRE-18"}, points{after: func(u *unit) {
			if u.reply.Kind == model.NullArray {
				u.reply.Kind = model.Null
			}
		}}},
	{"nil is empty", "A missing value is answered as an empty string.",
		[]string{"WIRE-18", "STR-7"}, points{after: on(func(u *unit) {
			if u.reply.IsNull() {
				u.reply = model.Str("")
			}
		}, "get")}},
	{"HELLO 2 ignored", "A connection that speaks RESP3 stays with it.",
		[]string{"WIRE-19"}, points{before: on(func(u *unit) {
			if u.c.proto == 3 && len(u.cmd) > 1 && string(u.cmd[1]) == "2" {
				u.cmd = line("hello")
			}
		}, "hello")}},
	{"RESP2 null in RESP3", "In RESP3 a null is still written as RESP2 writes it.",
		[]string{"WIRE-20"}, points{encode: func(c *conn, b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("_\r\n"), []byte("$-1\r\n"))
		}}},
	{"HELLO 4 accepted", "HELLO takes a version that does not exist for 3.",
		[]string{"WIRE-21"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 1 && string(u.cmd[1]) == "4" {
				u.cmd[1] = []byte("3")
			}
		}, "hello")}},
	{"line break in error", "An error echoes line breaks as they came.",
		[]string{"WIRE-22"}, points{after: echoRaw}},
	{"no limits before AUTH", "A stranger may send requests as large as anybody's.",
		[]string{"WIRE-23"}, points{parse: func(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
			l.Unauthenticated = false
			return l.Parse(buf)
		}}},
	{"large argument damaged", "One bit in the middle of an argument of 32 KiB or more is wrong.",
		[]string{"WIRE-24"}, points{frame: flipBit}},
}

// parser takes one request off the front of the input: wire.RequestLimits.Parse, or another one.
type parser func(l wire.RequestLimits, buf []byte) (args [][]byte, n int, err error)

// parseEarly takes a request that would be complete with CR LF after it. The CR LF that come later
// are then a blank line, and silent.
func parseEarly(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	args, n, err := l.Parse(buf)
	for _, rest := range []string{"\n", "\r\n"} {
		if n > 0 || err != nil || len(buf) == 0 {
			break
		}
		if early, m, _ := l.Parse(append(bytes.Clone(buf), rest...)); m > 0 {
			args, n = early, len(buf)
		}
	}
	return args, n, err
}

func completeAtEnd(c *conn) {
	if len(c.in) == 0 {
		return
	}
	c.in = append(bytes.TrimSuffix(c.in, []byte("\r")), "\r\n"...)
	c.drain(nil)
}

func clipSplit(c *conn, args [][]byte) [][]byte {
	if last := len(args) - 1; c.segments > 1 && len(args[last]) > 0 {
		args[last] = args[last][:len(args[last])-1]
	}
	return args
}

func cutAtNUL(_ *conn, args [][]byte) [][]byte {
	for i := range args {
		args[i], _, _ = bytes.Cut(args[i], []byte{0})
	}
	return args
}

func flipBit(_ *conn, args [][]byte) [][]byte {
	for _, a := range args {
		if len(a) >= 32<<10 {
			a[len(a)/2] ^= 1
		}
	}
	return args
}

// inlineWith parses inline commands by another rule.
func inlineWith(split func([]byte) [][]byte) parser {
	return func(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 || buf[0] == '*' {
			return l.Parse(buf)
		}
		words := split(bytes.TrimSuffix(buf[:i], []byte{'\r'}))
		if len(bytes.Join(words, nil)) == 0 {
			words = nil
		}
		return words, i + 1, nil
	}
}

func splitAtEachBlank(text []byte) [][]byte { return bytes.Split(text, []byte{' '}) }

// forgiving has a protocol error with a certain text handled otherwise.
func forgiving(text string, f parser) parser {
	return func(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
		args, n, err := l.Parse(buf)
		if err != nil && strings.Contains(err.Error(), text) {
			return f(l, buf)
		}
		return args, n, err
	}
}

func takeLine(_ wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	i := bytes.IndexByte(buf, '\n')
	return bytes.Fields(bytes.ReplaceAll(buf[:i], []byte{'"'}, nil)), i + 1, nil
}

func waitFor(wire.RequestLimits, []byte) ([][]byte, int, error) { return nil, 0, nil }

func looseCount(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	strict := append([]byte{'*'}, bytes.TrimLeft(buf[1:], "+0")...)
	args, n, err := l.Parse(strict)
	if n > 0 {
		n += len(buf) - len(strict)
	}
	return args, n, err
}

// anyTypeByte tries the request again with every line that begins with another mark repaired.
func anyTypeByte(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	repaired := bytes.Clone(buf)
	for _, mark := range []string{"!", ":", "+", "*", "%"} {
		repaired = bytes.ReplaceAll(repaired, []byte("\n"+mark), []byte("\n$"))
	}
	return l.Parse(repaired)
}

func negativeIsEmpty(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	negative, empty := []byte("\n$-1\r\n"), []byte("\n$0\r\n\r\n")
	grown := bytes.Count(buf, negative) * (len(empty) - len(negative))
	args, n, err := l.Parse(bytes.ReplaceAll(buf, negative, empty))
	if n > 0 {
		n -= grown
	}
	return args, n, err
}

func answerEmpty(l wire.RequestLimits, buf []byte) ([][]byte, int, error) {
	args, n, err := l.Parse(buf)
	if n > 0 && len(args) == 0 && buf[0] == '*' {
		args = line("ping")
	}
	return args, n, err
}

func oneText(*conn, error) []byte { return []byte("-ERR Protocol error: bad request\r\n") }

func goOn(c *conn, err error) []byte {
	c.closing = false
	return []byte("-ERR " + err.Error() + "\r\n")
}

func onlyTheError(replies [][]byte) [][]byte {
	last := len(replies) - 1
	if last >= 0 && bytes.HasPrefix(replies[last], []byte("-ERR Protocol error")) {
		return replies[last:]
	}
	return replies
}

func refuseMixedCase(u *unit) {
	upper := strings.ContainsFunc(string(u.cmd[0]), unicode.IsUpper)
	lower := strings.ContainsFunc(string(u.cmd[0]), unicode.IsLower)
	if upper && lower {
		u.cmd[0] = append([]byte("no-"), u.cmd[0]...)
	}
}

// errorText changes the text of errors that begin in a certain way.
func errorText(prefix string, f func(string) string) func(u *unit) {
	return func(u *unit) {
		if u.reply.Kind == model.Error && strings.HasPrefix(u.reply.Str, prefix) {
			u.reply.Str = f(u.reply.Str)
		}
	}
}

// always is a text whatever it was before.
func always(text string) func(string) string { return func(string) string { return text } }

func cutAtComma(s string) string {
	s, _, _ = strings.Cut(s, ",")
	return s
}

func echoRaw(u *unit) {
	if u.reply.Kind == model.Error && strings.HasPrefix(u.reply.Str, "ERR unknown command") &&
		bytes.ContainsAny(bytes.Join(u.cmd, nil), "\r\n") {
		u.reply.Str = "ERR unknown command '" + string(bytes.Join(u.cmd, []byte(" "))) + "'"
	}
}
