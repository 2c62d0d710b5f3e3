package resp

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var open = &Limits{BulkLenMax: 512 << 20}

// decode feeds the input in pieces of the given size and notes what happens in words.
func decode(input string, piece int, lim *Limits) string {
	var d Decoder
	var buf []byte
	var out []string
	for len(input) > 0 || len(buf) > 0 {
		n := min(piece, len(input))
		buf = append(buf, input[:n]...)
		input = input[n:]
		for {
			args, used, err := d.Next(buf, lim)
			if err != nil {
				return strings.Join(append(out, err.Error()), "|")
			}
			if used == 0 {
				break
			}
			out = append(out, fmt.Sprintf("%q", args))
			buf = append([]byte(nil), buf[used:]...) // another place in memory, as conns do it
		}
		if n == 0 {
			out = append(out, fmt.Sprintf("+%d", len(buf)))
			break
		}
	}
	return strings.Join(out, "|")
}

// The replies are those of redis-server 7.0.15 to the same bytes. "+n" are n bytes of a frame
// that is not complete.
var decodings = []struct{ input, want string }{
	{"*1\r\n$4\r\nPING\r\n", `["PING"]`},
	{"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$13\r\n\r\n\x00*$: 45678\xff\r\n",
		`["SET" "k" "\r\n\x00*$: 45678\xff"]`},
	{"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n", `["ECHO" ""]|["PING"]`},
	{"*11\r\n" + strings.Repeat("$1\r\na\r\n", 11),
		`["a"` + strings.Repeat(` "a"`, 10) + `]`},
	{"*1\r\n$100\r\n" + strings.Repeat("x", 100) + "\r\n", `["` + strings.Repeat("x", 100) + `"]`},
	// Nothing is asked (WIRE-8).
	{"*0\r\n", `[]`}, {"*-5\r\nPING\r\n", `[]|["PING"]`},
	{"\r\n", `[]`}, {"\n", `[]`}, {"   \r\n", `[]`},
	// Redis' leniencies: the byte after CR, the two after a bulk; a NUL hides the end of a line.
	{"*1\rX$4\rXPINGXXPING\n", `["PING"]|["PING"]`},
	{"*1\r\n\x00PING\r\n", `+11`}, {"PING \x00x\r\n", `+9`},
	// Half frames.
	{"*", `+1`}, {"*1\r", `+3`}, {"*1\r\n$4\r\nPING\r", `+13`}, {"PING", `+4`},
	// Errors.
	{"*\r\n", "Protocol error: invalid multibulk length"},
	{"*01\r\n", "Protocol error: invalid multibulk length"},
	{"*-0\r\n", "Protocol error: invalid multibulk length"},
	{"*+1\r\n", "Protocol error: invalid multibulk length"},
	{"*2147483648\r\n", "Protocol error: invalid multibulk length"},
	{"*1048577\r\n", `+10`},
	{"PING\r\n*1\r\n+PING\r\n", `["PING"]|Protocol error: expected '$', got '+'`},
	{"*1\r\n\r\n$4\r\nPING\r\n", "Protocol error: expected '$', got '\r'"},
	{"*1\r\n\xff\r\n", "Protocol error: expected '$', got '\xff'"},
	{"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
	{"*1\r\n$\r\n", "Protocol error: invalid bulk length"},
	{"*1\r\n$00\r\n\r\n", "Protocol error: invalid bulk length"},
	{"*1\r\n$ 4\r\nPING\r\n", "Protocol error: invalid bulk length"},
	{"*1\r\n$536870913\r\n", "Protocol error: invalid bulk length"},
	{"*1\r\n$18446744073709551616\r\n", "Protocol error: invalid bulk length"},
	// Inline (WIRE-5, WIRE-6, WIRE-7).
	{"PING\r\nPING\nGET\rx  a\t\n", `["PING"]|["PING"]|["GET" "x" "a"]`},
	{`PI"NG"` + "\r\n", `["PING"]`}, {"'PING'\r\n", `["PING"]`},
	{`ECHO "\x41\q\"\n\r\t\b\a"` + "\r\n", `["ECHO" "Aq\"\n\r\t\b\a"]`},
	{`ECHO '\n\'"'` + "\r\n", `["ECHO" "\\n'\""]`},
	{`ECHO "" ''` + "\r\n", `["ECHO" "" ""]`},
	{`ECHO a\` + "\r\n", `["ECHO" "a\\"]`}, {"ECHO a\vb\r\n", `["ECHO" "a\vb"]`},
	{"\vPING\r\n", `["PING"]`},
	{`"PING"x` + "\r\n", "Protocol error: unbalanced quotes in request"},
	{`ECHO "a\` + "\r\n", "Protocol error: unbalanced quotes in request"},
	{"ECHO 'a\r\n", "Protocol error: unbalanced quotes in request"},
}

// WIRE-2: how the bytes are split changes nothing.
func TestDecode(t *testing.T) {
	for _, c := range decodings {
		for piece := 1; piece <= len(c.input); piece++ {
			if got := decode(c.input, piece, open); got != c.want {
				t.Errorf("%q in pieces of %d: %s, want %s", c.input, piece, got, c.want)
				break
			}
		}
	}
}

// WIRE-12: a line may have 64 KiB without its end; a longer one will do if the end has come.
func TestLineLimits(t *testing.T) {
	for _, c := range []struct{ head, want string }{
		{"", "Protocol error: too big inline request"},
		{"*", "Protocol error: too big mbulk count string"},
		{"*1\r\n$", "Protocol error: too big bulk count string"},
	} {
		line := strings.LastIndex(c.head, "\n") + 1
		fill := func(n int) string { return c.head + strings.Repeat("1", n-len(c.head)+line) }
		for _, piece := range []int{1 << 20, 1000, 7} {
			waits := fmt.Sprintf("+%d", lineBytesMax+line)
			if got := decode(fill(lineBytesMax), piece, open); got != waits {
				t.Errorf("64 KiB after %q: %s", c.head, got)
			}
			if got := decode(fill(lineBytesMax+1), piece, open); got != c.want {
				t.Errorf("64 KiB and a byte after %q: %s", c.head, got)
			}
		}
	}
	long := "ECHO " + strings.Repeat("x", 70_000) + "\r\n"
	if got := decode(long, len(long), open); !strings.HasPrefix(got, `["ECHO" "xxx`) {
		t.Errorf("a complete long line: %.40s", got)
	}
}

// WIRE-23.
func TestUnauthenticated(t *testing.T) {
	lim := &Limits{BulkLenMax: 512 << 20, AuthRequired: true}
	for _, c := range []struct{ input, want string }{
		{"*1\r\n$4\r\nPING\r\n", `["PING"]`},
		{"*10\r\n", "+5"},
		{"*11\r\n", "Protocol error: unauthenticated multibulk length"},
		{"*1\r\n$16384\r\n", "+12"},
		{"*1\r\n$16385\r\n", "Protocol error: unauthenticated bulk length"},
	} {
		if got := decode(c.input, 3, lim); got != c.want {
			t.Errorf("%q: %s, want %s", c.input, got, c.want)
		}
	}
}

// WIRE-24: Need counts down to the end of a large argument.
func TestNeed(t *testing.T) {
	var d Decoder
	const size = 100_000
	buf := []byte(fmt.Sprintf("*2\r\n$4\r\nECHO\r\n$%d\r\n", size))
	head := len(buf)
	for got := 0; got < size+2; got += 10_000 {
		if _, n, err := d.Next(buf, open); n != 0 || err != nil || d.Need() != size+2-got {
			t.Fatalf("after %d bytes: took %d, err %v, needs %d", got, n, err, d.Need())
		}
		buf = append(buf, bytes.Repeat([]byte("x"), min(10_000, head+size+2-len(buf)))...)
	}
	if args, n, _ := d.Next(buf, open); n != len(buf) || len(args[1]) != size || d.Need() != 0 {
		t.Errorf("at the end: took %d of %d, needs %d", n, len(buf), d.Need())
	}
}

// A frame that arrives byte by byte is looked at a bounded number of times.
func TestDribbleIsLinear(t *testing.T) {
	var d Decoder
	frame := []byte("*1\r\n$60000\r\n" + strings.Repeat("x", 60000) + "\r\n")
	line := []byte(strings.Repeat("y", 60000) + "\n")
	for _, input := range [][]byte{frame, line} {
		for i := range input {
			if _, n, err := d.Next(input[:i+1], open); err != nil || n > 0 != (i+1 == len(input)) {
				t.Fatal(i, n, err)
			}
			if d.pos == 0 && i+1 < len(input) && input[0] == 'y' && d.scanned != i+1 {
				t.Fatal("the line is searched again from its beginning")
			}
		}
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	var d Decoder
	buf := []byte("*3\r\n$3\r\nSET\r\n$10\r\nkey:000001\r\n$5\r\nvalue\r\n")
	long := []byte("*2\r\n$4\r\nECHO\r\n$200\r\n" + strings.Repeat("x", 200) + "\r\n")
	inline := []byte("GET 'key'\r\n")
	for _, input := range [][]byte{buf, long, inline} {
		if n := testing.AllocsPerRun(100, func() { d.Next(input, open) }); n != 0 {
			t.Errorf("%.20q: %v allocations", input, n)
		}
	}
}

// What any arguments encode to decodes to them again, in any pieces.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 120), 1, 12).Draw(t, "args")
		buf := AppendArray(nil, len(args))
		for _, arg := range args {
			buf = AppendBulk(buf, arg)
		}
		piece := rapid.IntRange(1, len(buf)).Draw(t, "piece")
		if got, want := decode(string(buf), piece, open), fmt.Sprintf("%q", args); got != want {
			t.Fatalf("%q became %s", args, got)
		}
	})
}

func TestParseInt(t *testing.T) {
	for _, s := range []string{"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "0x1", "a", "00",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616",
		"99999999999999999999", "123456789012345678901"} {
		if n, ok := ParseInt([]byte(s)); ok {
			t.Errorf("%q is taken for %d", s, n)
		}
	}
	for _, n := range []int64{0, 1, 9, 10, -1, -10, 12345, math.MaxInt64, math.MinInt64} {
		if got, ok := ParseInt(fmt.Append(nil, n)); !ok || got != n {
			t.Errorf("%d becomes %d %v", n, got, ok)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendSimple(nil, "OK"), "+OK\r\n"},
		{AppendError(nil, "ERR a\r\nb"), "-ERR a  b\r\n"}, // WIRE-22
		{AppendInt(nil, 7), ":7\r\n"}, {AppendInt(nil, 42), ":42\r\n"},
		{AppendInt(nil, -1), ":-1\r\n"}, {AppendInt(nil, 100), ":100\r\n"},
		{AppendInt(nil, math.MinInt64), ":-9223372036854775808\r\n"},
		{AppendBulk(nil, []byte("a\r\nb")), "$4\r\na\r\nb\r\n"},
		{AppendBulkString(nil, ""), "$0\r\n\r\n"},
		{AppendNull(nil, 2), "$-1\r\n"}, {AppendNull(nil, 3), "_\r\n"},
		{AppendNullArray(nil, 2), "*-1\r\n"}, {AppendNullArray(nil, 3), "_\r\n"},
		{AppendArray(nil, 12), "*12\r\n"},
		{AppendMap(nil, 2, 2), "*4\r\n"}, {AppendMap(nil, 2, 3), "%2\r\n"},
		{AppendSet(nil, 2, 2), "*2\r\n"}, {AppendSet(nil, 2, 3), "~2\r\n"},
		{AppendDouble(nil, 1.5, 2), "$3\r\n1.5\r\n"},
		{AppendDouble(nil, math.Inf(-1), 3), ",-inf\r\n"},
		{AppendBool(nil, true, 2), ":1\r\n"}, {AppendBool(nil, false, 3), "#f\r\n"},
		{AppendVerbatim(nil, []byte("x"), 2), "$1\r\nx\r\n"},
		{AppendVerbatim(nil, []byte("x"), 3), "=5\r\ntxt:x\r\n"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	var d Decoder
	buf := []byte("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$5\r\nvalue\r\n")
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, n, _ := d.Next(buf, open); n != len(buf) {
			b.Fatal(n)
		}
	}
}

// Ahead gives what Next would, and stops where Next has to go on.
func TestAheadIsNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var buf []byte
		for range rapid.IntRange(1, 40).Draw(t, "frames") {
			args := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 105), 0, 5).Draw(t, "args")
			if rapid.IntRange(0, 9).Draw(t, "inline") == 0 {
				buf = append(buf, "PING\r\n"...)
				continue
			}
			buf = AppendArray(buf, len(args))
			buf[len(buf)-len(strconv.Itoa(len(args)))-3] = '*'
			for _, a := range args {
				buf = AppendBulk(buf, a)
			}
		}
		buf = buf[:len(buf)-rapid.IntRange(0, min(len(buf), 20)).Draw(t, "missing")]
		var ahead, next Decoder
		for at := 0; ; {
			frames := ahead.Ahead(buf[at:], open, make([]Frame, 0, 16))
			for _, f := range frames {
				args, n, err := next.Next(buf[at:], open)
				if err != nil || n != f.Bytes || !slices.EqualFunc(args, f.Args, bytes.Equal) {
					t.Fatalf("ahead %q (%d bytes), next %q (%d bytes) %v", f.Args, f.Bytes, args, n, err)
				}
				at += n
			}
			if len(frames) == 16 {
				continue
			}
			_, n, err := next.Next(buf[at:], open)
			_, m, _ := ahead.Next(buf[at:], open)
			if n != m {
				t.Fatalf("Next takes %d bytes, after Ahead %d", n, m)
			}
			if at += n; n == 0 || err != nil {
				return
			}
		}
	})
}
