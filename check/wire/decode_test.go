package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rondo/model"
)

var accepted = []struct {
	bytes string
	want  model.Reply
}{
	{"+OK\r\n", model.OK()},
	{"+\r\n", model.Reply{Kind: model.Simple}},
	{"-ERR no\r\n", model.Err("ERR no")},
	{":0\r\n", model.Num(0)},
	{":-9223372036854775808\r\n", model.Num(-9223372036854775808)},
	{":9223372036854775807\r\n", model.Num(9223372036854775807)},
	{"$-1\r\n", model.Reply{Kind: model.Null}},
	{"$0\r\n\r\n", model.Str("")},
	{"$4\r\n\r\n\x00\xff\r\n", model.Str("\r\n\x00\xff")},
	{"*-1\r\n", model.Reply{Kind: model.NullArray}},
	{"*0\r\n", model.Arr()},
	{"*2\r\n:1\r\n*1\r\n$1\r\na\r\n", model.Arr(model.Num(1), model.Arr(model.Str("a")))},
	{"_\r\n", model.Reply{Kind: model.Null3}},
	{"#t\r\n", model.Reply{Kind: model.Bool, Int: 1}},
	{"#f\r\n", model.Reply{Kind: model.Bool}},
	{",1.5e-7\r\n", model.Reply{Kind: model.Double, Str: "1.5e-7"}},
	{",-inf\r\n", model.Reply{Kind: model.Double, Str: "-inf"}},
	{"(-12345678901234567890\r\n", model.Reply{Kind: model.Big, Str: "-12345678901234567890"}},
	{"=6\r\ntxt:ab\r\n", model.Reply{Kind: model.Verbatim, Str: "ab"}},
	{"!6\r\nERR no\r\n", model.Err("ERR no")},
	{"%1\r\n+k\r\n:1\r\n", model.Reply{Kind: model.Map,
		Elems: []model.Reply{{Kind: model.Simple, Str: "k"}, model.Num(1)}}},
	{"~1\r\n:1\r\n", model.Reply{Kind: model.Set, Elems: []model.Reply{model.Num(1)}}},
	{">1\r\n:1\r\n", model.Reply{Kind: model.Push, Elems: []model.Reply{model.Num(1)}}},
}

func TestDecodeAccepts(t *testing.T) {
	for _, c := range accepted {
		var d Decoder
		d.Feed([]byte(c.bytes))
		got, ok, err := d.Next()
		if !ok || err != nil || !cmp.Equal(got, c.want, equalEmpty) {
			t.Errorf("%q: got %+v, %v, %v; want %+v", c.bytes, got, ok, err, c.want)
		}
		if d.Offset() != int64(len(c.bytes)) {
			t.Errorf("%q: %d bytes taken", c.bytes, d.Offset())
		}
	}
}

var equalEmpty = cmp.FilterValues(func(a, b []model.Reply) bool {
	return len(a) == 0 && len(b) == 0
}, cmp.Ignore())

func TestDecodeRejects(t *testing.T) {
	for _, c := range []struct {
		bytes, expected string
		offset          int64
	}{
		{"OK\r\n", "a type byte", 0},
		{"+OK\n", "CR before LF", 3},
		{"+OK\rX", "LF after CR", 4},
		{"+a\r\r\n", "LF after CR", 3},
		{"-\r\n", "the text of an error", 1},
		{":\r\n", "a 64-bit integer", 1},
		{":+1\r\n", "a 64-bit integer", 1},
		{":01\r\n", "a 64-bit integer", 1},
		{":-0\r\n", "a 64-bit integer", 1},
		{": 1\r\n", "a 64-bit integer", 1},
		{":9223372036854775808\r\n", "a 64-bit integer", 1},
		{"$-2\r\n", "a length", 1},
		{"$03\r\nabc\r\n", "a length", 1},
		{"$3\r\nabcd\r\n", "CR LF after the 3 bytes", 7},
		{"$3\r\nabcX\n", "CR LF after the 3 bytes", 7},
		{"$536870913\r\n", "a length of at most", 1},
		{"*-2\r\n", "a length", 1},
		{"*1\r\n:x\r\n", "a 64-bit integer", 5},
		{"*99999999\r\n", "a length of at most", 1},
		{"%-1\r\n", "a length", 1},
		{"~-1\r\n", "a length", 1},
		{"_x\r\n", "nothing after", 1},
		{"#true\r\n", "'t' or 'f'", 1},
		{",1,5\r\n", "a number", 1},
		{",.5\r\n", "a number", 1},
		{"(01\r\n", "an integer", 1},
		{"=3\r\ntxt\r\n", "three letters", 4},
		{strings.Repeat("*1\r\n", DepthMax+2), "levels of nesting", 4 * (DepthMax + 1)},
		{"+" + strings.Repeat("a", LineBytesMax+1), "the end of a line", 0},
	} {
		var d Decoder
		d.Feed([]byte("+OK\r\n"))
		d.Feed([]byte(c.bytes))
		if _, ok, err := d.Next(); !ok || err != nil {
			t.Fatalf("the reply before %q: %v %v", c.bytes, ok, err)
		}
		_, ok, err := d.Next()
		var bad *MalformedError
		if ok || !errors.As(err, &bad) {
			t.Errorf("%.40q: got %v, %v; want a MalformedError", c.bytes, ok, err)
			continue
		}
		if !strings.Contains(bad.Expected, c.expected) || bad.Offset != c.offset+5 {
			t.Errorf("%.40q: %v; want %q at %d", c.bytes, bad, c.expected, c.offset+5)
		}
		if _, _, again := d.Next(); again != err {
			t.Errorf("%.40q: the error does not stay: %v", c.bytes, again)
		}
	}
}

// A reply cut anywhere is incomplete, never wrong, and completes when the rest comes.
func TestDecodeAtEveryCut(t *testing.T) {
	for _, c := range accepted {
		for cut := range c.bytes {
			var d Decoder
			d.Feed([]byte(c.bytes[:cut]))
			if r, ok, err := d.Next(); ok || err != nil {
				t.Fatalf("%q cut at %d: %+v %v %v", c.bytes, cut, r, ok, err)
			}
			d.Feed([]byte(c.bytes[cut:]))
			if r, ok, err := d.Next(); !ok || err != nil || !cmp.Equal(r, c.want, equalEmpty) {
				t.Fatalf("%q joined at %d: %+v %v %v", c.bytes, cut, r, ok, err)
			}
		}
	}
}

func genReply(proto int) *rapid.Generator[model.Reply] {
	text := rapid.StringMatching(`[a-z ]{1,8}`)
	leaves := []*rapid.Generator[model.Reply]{
		rapid.Map(rapid.Int64(), model.Num),
		rapid.Map(rapid.String(), model.Str),
		rapid.Map(text, model.Err),
		rapid.Map(text, func(s string) model.Reply { return model.Reply{Kind: model.Simple, Str: s} }),
	}
	kinds := []model.Kind{model.Array}
	if proto == 2 {
		leaves = append(leaves, rapid.Just(model.Reply{Kind: model.Null}),
			rapid.Just(model.Reply{Kind: model.NullArray}))
	} else {
		kinds = append(kinds, model.Set, model.Push)
		leaves = append(leaves, rapid.Just(model.Reply{Kind: model.Null3}),
			rapid.Map(rapid.Bool(), func(b bool) model.Reply {
				r := model.Reply{Kind: model.Bool}
				if b {
					r.Int = 1
				}
				return r
			}), rapid.Map(text, func(s string) model.Reply {
				return model.Reply{Kind: model.Verbatim, Str: s}
			}))
	}
	leaf := rapid.OneOf(leaves...)
	return rapid.Custom(func(t *rapid.T) model.Reply {
		if rapid.Bool().Draw(t, "leaf") {
			return leaf.Draw(t, "reply")
		}
		return model.Reply{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Elems: rapid.SliceOfN(leaf, 0, 4).Draw(t, "elems")}
	})
}

// What is encoded decodes to itself, however the bytes are cut.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		proto := rapid.SampledFrom([]int{2, 3}).Draw(t, "proto")
		want := rapid.SliceOfN(genReply(proto), 1, 5).Draw(t, "replies")
		var buf []byte
		for _, r := range want {
			buf = AppendReply(buf, r, proto)
		}
		var d Decoder
		var got []model.Reply
		for len(buf) > 0 {
			n := rapid.IntRange(1, len(buf)).Draw(t, "cut")
			d.Feed(buf[:n])
			buf = buf[n:]
			for {
				r, ok, err := d.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				got = append(got, r)
			}
		}
		if diff := cmp.Diff(want, got, equalEmpty); diff != "" {
			t.Fatal(diff)
		}
	})
}

// In protocol 2 the types of RESP3 become what Redis makes of them.
func TestEncodeDowngrades(t *testing.T) {
	for _, c := range []struct {
		reply model.Reply
		want  string
	}{
		{model.Reply{Kind: model.Map, Elems: []model.Reply{model.Str("k"), model.Num(1)}},
			"*2\r\n$1\r\nk\r\n:1\r\n"},
		{model.Reply{Kind: model.Set, Elems: []model.Reply{model.Num(1)}}, "*1\r\n:1\r\n"},
		{model.Reply{Kind: model.Double, Str: "1.5"}, "$3\r\n1.5\r\n"},
		{model.Reply{Kind: model.Bool, Int: 1}, ":1\r\n"},
		{model.Reply{Kind: model.Verbatim, Str: "ab"}, "$2\r\nab\r\n"},
		{model.Reply{Kind: model.NullArray}, "*-1\r\n"},
	} {
		if got := string(AppendReply(nil, c.reply, 2)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.reply, got, c.want)
		}
	}
	if got := string(AppendReply(nil, model.Reply{Kind: model.NullArray}, 3)); got != "_\r\n" {
		t.Errorf("a null array in RESP3: %q", got)
	}
}
