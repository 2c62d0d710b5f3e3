package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"rondo/check/wire"
	"rondo/impl/resp"
	"rondo/model"
	"rondo/testdata"
)

// outcome is what a decoder makes of a stream: the frames, and the error that ended it.
type outcome struct {
	frames [][]string
	err    string
	rest   int // bytes left over as the beginning of a frame
}

func (o outcome) String() string {
	var parts []string
	for _, f := range o.frames {
		quoted := make([]string, len(f))
		for i, w := range f {
			quoted[i] = strconv.Quote(w)
		}
		parts = append(parts, "["+strings.Join(quoted, ", ")+"]")
	}
	if o.err != "" {
		parts = append(parts, "error "+strings.TrimPrefix(o.err, "Protocol error: "))
	}
	return strings.Join(parts, " ")
}

var limits = resp.Limits{BulkLenMax: 512 << 20}

// decodeServer runs the server's decoder over data as it arrives: next says how many bytes are
// there at each step, until all are.
func decodeServer(data []byte, next func(have int) int) outcome {
	var o outcome
	var d resp.Decoder
	taken, have := 0, 0
	for have < len(data) || taken == 0 && have == 0 {
		have = min(max(next(have), have+1), len(data))
		for {
			args, n, err := d.Next(data[taken:have], &limits)
			if err != nil {
				o.err = oneLine(err.Error()) // as the reply will show it
				return o
			}
			if n == 0 {
				break
			}
			taken += n
			if len(args) > 0 {
				o.frames = append(o.frames, toStrings(args))
			}
		}
		if have == len(data) {
			break
		}
	}
	o.rest = len(data) - taken
	return o
}

func whole(data []byte) func(int) int { return func(int) int { return len(data) } }

// decodeJudge runs the judge's independent parser.
func decodeJudge(data []byte) outcome {
	var o outcome
	for {
		args, n, err := wire.ParseCommand(data)
		if err != nil {
			o.err = err.Error()
			return o
		}
		if n == 0 {
			o.rest = len(data)
			return o
		}
		data = data[n:]
		if len(args) > 0 {
			o.frames = append(o.frames, toStrings(args))
		}
	}
}

func toStrings(args [][]byte) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(a)
	}
	return out
}

// vector is one line of testdata/resp.
type vector struct {
	bytes []byte
	want  string
	line  string
}

func vectors(t testing.TB, file string) []vector {
	t.Helper()
	files, err := testdata.Match("resp/" + file)
	if err != nil || len(files) != 1 {
		t.Fatalf("testdata/resp/%s: %d files, %v", file, len(files), err)
	}
	var out []vector
	for i, line := range strings.Split(files[0].Text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, i+1, err)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, i+1, err)
		}
		want, ok := strings.CutPrefix(line[len(quoted):], " => ")
		if !ok {
			t.Fatalf("%s:%d: no \" => \" after the bytes", file, i+1)
		}
		out = append(out, vector{[]byte(text), want, fmt.Sprintf("%s:%d", file, i+1)})
	}
	return out
}

// TestRequestVectors holds both parsers to the reviewed vectors.
func TestRequestVectors(t *testing.T) {
	for _, v := range vectors(t, "requests.txt") {
		for name, o := range map[string]outcome{
			"server": decodeServer(v.bytes, whole(v.bytes)),
			"judge":  decodeJudge(v.bytes),
		} {
			got := o.String()
			switch {
			case got == "" && (o.rest > 0 || len(v.bytes) == 0):
				got = "more"
			case got == "":
				got = "nothing"
			}
			if got != v.want {
				t.Errorf("%s: the %s's decoder: %s\nwant %s", v.line, name, got, v.want)
			}
		}
	}
}

// TestReplyVectors holds the judge's strict decoder to the reviewed vectors.
func TestReplyVectors(t *testing.T) {
	for _, v := range vectors(t, "replies.txt") {
		var d wire.Decoder
		d.Feed(v.bytes)
		r, ok, err := d.Next()
		got := "more"
		switch {
		case err != nil:
			got = "malformed"
		case ok:
			got = r.String()
		}
		if got != v.want {
			t.Errorf("%s: %s, want %s (%v)", v.line, got, v.want, err)
		}
	}
}

func seedRequests(f *testing.F) {
	for _, v := range vectors(f, "requests.txt") {
		addSeed(f, v.bytes, []byte{1, 3})
	}
}

// FuzzDecode: two parsers written apart agree on every stream.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f, "requests.txt") {
		addSeed(f, v.bytes)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		server, judge := decodeServer(data, whole(data)), decodeJudge(data)
		if server.String() != judge.String() || server.rest != judge.rest && server.err == "" {
			t.Errorf("%q\nserver %s, %d left\njudge  %s, %d left", data, server, server.rest, judge, judge.rest)
		}
	})
}

// FuzzSplit: WIRE-2. The second argument gives the sizes of the pieces, over and over.
func FuzzSplit(f *testing.F) {
	seedRequests(f)
	f.Fuzz(func(t *testing.T, data, pieces []byte) {
		i := 0
		pieced := decodeServer(data, func(have int) int {
			if len(pieces) == 0 {
				return have + 1
			}
			i++
			return have + int(pieces[(i-1)%len(pieces)])
		})
		if once := decodeServer(data, whole(data)); once.String() != pieced.String() || once.rest != pieced.rest {
			t.Errorf("%q in pieces %v\nat once   %s, %d left\nin pieces %s, %d left",
				data, pieces, once, once.rest, pieced, pieced.rest)
		}
	})
}

// FuzzRoundTrip: a command encoded by the judge is what the server decodes; a reply encoded by the
// server, in both protocols, is what the judge decodes. The input is cut into words at 0xff.
func FuzzRoundTrip(f *testing.F) {
	addSeed(f, []byte("SET\xffk\xffv"))
	addSeed(f, []byte("\xff\xff\r\n\x00\xff12345678901"))
	f.Fuzz(func(t *testing.T, data []byte) {
		words := bytes.Split(data, []byte{0xff})
		request := wire.AppendCommand(nil, words...)
		o := decodeServer(request, whole(request))
		if len(o.frames) != 1 || o.err != "" || o.rest != 0 || strings.Join(o.frames[0], "\xff") != string(data) {
			t.Fatalf("%q decodes to %s", request, o)
		}
		for proto := 2; proto <= 3; proto++ {
			reply, want := encodeReply(words, proto)
			if got, err := decodeReply(reply); err != nil || got.String() != want.String() {
				t.Fatalf("%q decodes to %s, %v; want %s", reply, got, err, want)
			}
			again := wire.AppendReply(nil, want, proto)
			if got, err := decodeReply(again); err != nil || got.String() != want.String() {
				t.Fatalf("%q decodes to %s, %v; want %s", again, got, err, want)
			}
		}
	})
}

// encodeReply answers the words with one reply of every kind, by the server's encoder.
func encodeReply(words [][]byte, proto int) ([]byte, model.Reply) {
	buf := resp.AppendArray(nil, 2*len(words)+2)
	want := model.Reply{Kind: model.Array}
	for i, w := range words {
		buf = resp.AppendBulk(buf, w)
		buf = resp.AppendInt(buf, int64(i-len(w)))
		want.Elems = append(want.Elems, model.Str(string(w)), model.Num(int64(i-len(w))))
	}
	buf = resp.AppendNull(buf, proto)
	buf = resp.AppendMap(buf, 1, proto)
	buf = resp.AppendSimple(buf, "k")
	buf = resp.AppendError(buf, "ERR "+string(words[0]))
	line := oneLine("ERR " + string(words[0]))
	pair := []model.Reply{{Kind: model.Simple, Str: "k"}, model.Err(line)}
	if proto == 3 {
		want.Elems = append(want.Elems, model.Reply{Kind: model.Null3}, model.Reply{Kind: model.Map, Elems: pair})
	} else {
		want.Elems = append(want.Elems, model.Reply{Kind: model.Null}, model.Arr(pair...))
	}
	return buf, want
}

// oneLine is what an error reply makes of its text (WIRE-22).
func oneLine(text string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(text) }

func decodeReply(b []byte) (model.Reply, error) {
	var d wire.Decoder
	d.Feed(b)
	r, ok, err := d.Next()
	if err == nil && (!ok || len(d.Pending()) > 0) {
		err = errors.New("not exactly one reply")
	}
	return r, err
}
