package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func words(args [][]byte) []string {
	var out []string
	for _, a := range args {
		out = append(out, string(a))
	}
	return out
}

func TestParseCommandAccepts(t *testing.T) {
	for _, c := range []struct {
		bytes string
		want  []string
	}{
		{"*1\r\n$4\r\nPING\r\n", []string{"PING"}},
		{"*2\r\n$3\r\nGET\r\n$3\r\n\r\n\x00\r\n", []string{"GET", "\r\n\x00"}},
		{"*0\r\n", nil},
		{"*-5\r\n", nil},
		{"\r\n", nil},
		{"   \n", nil},
		{"PING\r\n", []string{"PING"}},
		{"set  k\tv\n", []string{"set", "k", "v"}},
		{`set k "a\x41\n\" b" 'it\'s'` + "\r\n", []string{"set", "k", "aA\n\" b", "it's"}},
		{`set k "" ''` + "\r\n", []string{"set", "k", "", ""}},
		{`get a"b c"` + "\n", []string{"get", "ab c"}},
	} {
		args, n, err := ParseCommand([]byte(c.bytes + "GET next\r\n"))
		if err != nil || n != len(c.bytes) || !cmp.Equal(words(args), c.want) {
			t.Errorf("%q: %q, %d of %d, %v", c.bytes, args, n, len(c.bytes), err)
		}
		for cut := range c.bytes {
			if args, n, err := ParseCommand([]byte(c.bytes[:cut])); n != 0 || err != nil {
				t.Errorf("%q cut at %d: %q, %d, %v", c.bytes, cut, args, n, err)
			}
		}
	}
}

func TestParseCommandRejects(t *testing.T) {
	long := strings.Repeat("a", RequestLineBytesMax)
	for _, c := range []struct{ bytes, want string }{
		{"*\r\n", "invalid multibulk length"},
		{"*01\r\n", "invalid multibulk length"},
		{"*+1\r\n", "invalid multibulk length"},
		{"*2147483648\r\n", "invalid multibulk length"},
		{"*1\r\n:4\r\n", "expected '$', got ':'"},
		{"*1\r\n\r\n", "expected '$', got ' '"},
		{"*1\r\n$-1\r\n", "invalid bulk length"},
		{"*1\r\n$04\r\nPING\r\n", "invalid bulk length"},
		{"*1\r\n$536870913\r\n", "invalid bulk length"},
		{"*1" + long, "too big mbulk count string"},
		{"*1\r\n$1" + long, "too big bulk count string"},
		{"a" + long, "too big inline request"},
		{"get \"a\r\n", "unbalanced quotes in request"},
		{"get 'a'b\r\n", "unbalanced quotes in request"},
	} {
		_, n, err := ParseCommand([]byte(c.bytes))
		if n != 0 || err != ProtocolError(c.want) {
			t.Errorf("%.30q: %d, %v; want %s", c.bytes, n, err, c.want)
		}
	}
	if _, n, err := ParseCommand([]byte("*1" + long[2:])); n != 0 || err != nil {
		t.Errorf("a line of exactly 64 KiB waits: %d, %v", n, err)
	}
}

func TestParseCommandUnauthenticated(t *testing.T) {
	l := RequestLimits{BulkBytesMax: RequestBulkBytesMax, Unauthenticated: true}
	for bytes, want := range map[string]string{
		"*11\r\n":           "unauthenticated multibulk length",
		"*1\r\n$16385\r\n":  "unauthenticated bulk length",
		"*10\r\n":           "",
		"*10\r\n$16384\r\n": "",
	} {
		_, n, err := l.Parse([]byte(bytes))
		if n != 0 || (err == nil) != (want == "") || err != nil && err != ProtocolError(want) {
			t.Errorf("%q: %d, %v; want %q", bytes, n, err, want)
		}
	}
}
