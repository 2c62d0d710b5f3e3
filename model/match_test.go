package model_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rondo/model"
	"rondo/spec"
)

// TestTTLRounds: the nearest second, as Redis computes it: (ms+500)/1000.
func TestTTLRounds(t *testing.T) {
	for ms := int64(0); ms <= 3100; ms++ {
		term := model.Diff(model.At(5000+ms), model.At(5000), 1000)
		for v := int64(-1); v <= 5; v++ {
			if got, want := match(term, model.Num(v)), v == (ms+500)/1000; got != want {
				t.Fatalf("%d ms shown as %d: %v, want %v", ms, v, got, want)
			}
		}
		if fixed := model.Fix(term); fixed.Int != (ms+500)/1000 {
			t.Fatalf("%d ms are fixed as %v", ms, fixed)
		}
	}
}

func match(m, observed model.Reply) bool { return model.Match(m, observed, model.Between) }

// TestTermsAtTheEnds: what the model fixes it also matches, at the ends of 64 bits too.
func TestTermsAtTheEnds(t *testing.T) {
	ends := []int64{0, 1, 499, 500, math.MaxInt64 - 500, math.MaxInt64 - 1, math.MaxInt64}
	for _, at := range ends {
		for _, unit := range []int64{1, 1000} {
			term := model.Diff(model.At(at), model.At(0), unit)
			if !match(term, model.Fix(term)) {
				t.Errorf("%v does not match %v", term, model.Fix(term))
			}
			for _, far := range []int64{math.MinInt64, math.MaxInt64} {
				if far != at && match(term, model.Num(far)) {
					t.Errorf("%v matches %d", term, far)
				}
			}
		}
	}
}

func group(k model.Kind, elems ...model.Reply) model.Reply {
	return model.Reply{Kind: k, Elems: elems}
}

func TestMatch(t *testing.T) {
	num, str := model.Num, model.Str
	null := func(k model.Kind) model.Reply { return model.Reply{Kind: k} }
	of := group
	scan := func(cursor string, keys ...model.Reply) model.Reply {
		return model.Arr(str(cursor), model.Arr(keys...))
	}
	pair := of(model.Map, str("a"), num(1), str("b"), num(2))
	term := model.Diff(model.At(1100), model.At(1000), 1)
	time := model.Time(model.At(1234567))
	some := model.Reply{Kind: model.AnyOrder, Elems: []model.Reply{str("a"), str("b")}}
	whole := model.Reply{Kind: model.ScanTerm, Int: 1, Elems: some.Elems}
	part := model.Reply{Kind: model.ScanTerm, Elems: some.Elems}
	upTo9 := model.Reply{Kind: model.IntRange, Int: 1, Max: 9}
	for _, c := range []struct {
		m, observed model.Reply
		want        bool
	}{
		{str("a"), str("a"), true}, {str("a"), str("b"), false},
		{str("OK"), model.OK(), false}, {model.Err("OK"), model.OK(), false},
		{num(1), num(1), true}, {num(1), num(2), false}, {num(1), str("1"), false},
		{null(model.Null), null(model.NullArray), true},
		{null(model.NullArray), null(model.Null3), true},
		{null(model.Null), str(""), false}, {null(model.NullArray), model.Arr(), false},
		{model.Arr(num(1)), model.Arr(num(1)), true}, {model.Arr(num(1)), model.Arr(), false},
		{model.Arr(num(1)), model.Arr(num(1), num(1)), false},
		{model.Arr(num(1)), of(model.Set, num(1)), false},
		{pair, of(model.Map, str("b"), num(2), str("a"), num(1)), true},
		{pair, of(model.Map, str("b"), num(1), str("a"), num(2)), false},
		{of(model.Map, str("a"), num(1)), of(model.Map, str("b"), num(1)), false},
		{of(model.Map, str("a"), num(1)), model.Arr(str("a"), num(1)), false},
		{term, num(100), true}, {term, num(99), false}, {term, str("100"), false},
		{time, model.Arr(str("1234"), str("567999")), true},
		{time, model.Arr(str("1234"), str("566999")), false},
		{time, model.Arr(str("1234"), str("1567000")), false},
		{time, model.Arr(num(1234), num(567000)), false},
		{some, model.Arr(str("b"), str("a")), true}, {some, model.Arr(str("a")), false},
		{some, model.Arr(str("a"), str("a")), false}, {some, model.Arr(str("a"), num(1)), false},
		{whole, scan("0", str("b"), str("a")), true}, {whole, scan("0", str("b")), false},
		{whole, scan("7", str("b")), true}, {whole, scan("7", str("c")), false},
		{whole, scan("0", str("b"), str("a"), str("b")), true}, {whole, scan("x", str("b")), false},
		{part, scan("0", str("b")), true}, {part, scan("0"), true},
		{part, model.Arr(str("0")), false},
		{upTo9, num(1), true}, {upTo9, num(9), true}, {upTo9, num(0), false},
		{upTo9, num(10), false},
		{null(model.Any), num(7), true}, {model.Like(str("x")), str("y"), true},
		{model.Like(str("x")), num(7), false},
	} {
		if got := match(c.m, c.observed); got != c.want {
			t.Errorf("%v matches %v: %v, want %v", c.m, c.observed, got, c.want)
		}
	}
}

// TestFixIsAllowed: what Fix makes of a reply of the model is a reply that it allows.
func TestFixIsAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms, s := int64(start), model.Initial(model.Options{})
		for _, m := range drawProgram(t) {
			ms += m.after
			next, outs := answer(ms, s, m.client, m.line)
			for _, out := range outs {
				if fixed := model.Fix(out.Msg); !match(out.Msg, fixed) {
					t.Fatalf("%v: %v does not allow %v", m, out.Msg, fixed)
				}
			}
			s = next
		}
	})
}

func TestNotation(t *testing.T) {
	str := model.Str
	of := group
	text := func(k model.Kind, s string) model.Reply { return model.Reply{Kind: k, Str: s} }
	for _, c := range []struct {
		reply model.Reply
		want  string
	}{
		{model.OK(), "+OK"}, {model.Err("ERR no"), "-ERR no"}, {model.Num(-12), ":-12"},
		{str("a\r\n\t\x00\xff\"\\"), `"a\r\n\t\x00\xff\"\\"`}, {str(""), `""`},
		{of(model.Null), "nil"}, {of(model.NullArray), "nil-array"}, {of(model.Null3), "null"},
		{model.Arr(), "[]"}, {model.Arr(model.OK(), model.Arr(model.Num(1))), "[+OK, [:1]]"},
		{of(model.Map, str("k"), model.Num(1), str("l"), model.Num(2)), `{"k": :1, "l": :2}`},
		{of(model.Set, model.Num(1)), "~[:1]"}, {of(model.Push, model.Num(1)), ">[:1]"},
		{text(model.Double, "1.5"), ",1.5"}, {text(model.Big, "123"), "(123"},
		{model.Reply{Kind: model.Bool, Int: 1}, "#t"}, {model.Reply{Kind: model.Bool}, "#f"},
		{text(model.Verbatim, "a"), `="a"`},
		{model.Arr(model.Err("ERR a, b")), `[-"ERR a, b"]`},
		{model.Arr(model.Err("ERR a ")), `[-"ERR a "]`},
		{model.Reply{Kind: model.IntRange, Max: 3}, ":0..3"}, {of(model.Any), "*"},
		{of(model.AnyOrder, str("a"), str("b")), `["a", "b"] in any order`},
	} {
		if got := c.reply.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// drawReply draws replies as a server sends them.
func drawReply(t *rapid.T, depth int) model.Reply {
	kinds := []model.Kind{model.Simple, model.Error, model.Int, model.Bulk, model.Null,
		model.NullArray, model.Null3, model.Bool, model.Verbatim}
	if depth > 0 {
		kinds = append(kinds, model.Array, model.Set, model.Push)
	}
	r := model.Reply{Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	texts := rapid.SampledFrom([]string{"", "a", "*", "a, b", "a]", "x}", ": y", "\"", " ", "~",
		"nil", "[", "\\", " | +b"})
	switch r.Kind {
	case model.Simple, model.Error, model.Bulk, model.Verbatim:
		r.Str = texts.Draw(t, "text") + texts.Draw(t, "text")
		if r.Kind == model.Bulk || r.Kind == model.Verbatim {
			r.Str += rapid.SampledFrom([]string{"", "\r\n", "\x00\xff"}).Draw(t, "bytes")
		}
	case model.Int:
		r.Int = rapid.Int64Range(-3, 3).Draw(t, "int")
	case model.Bool:
		r.Int = int64(rapid.IntRange(0, 1).Draw(t, "bool"))
	case model.Array, model.Set, model.Push:
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			r.Elems = append(r.Elems, drawReply(t, depth-1))
		}
	}
	return r
}

// TestNotationIsUnambiguous: different replies have different lines, and a line inside a list is a
// pattern that matches this line and, with another reply in the list, no other.
func TestNotationIsUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawReply(t, 2), drawReply(t, 2)
		same := fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
		if (a.String() == b.String()) != same {
			t.Fatalf("%#v\nand %#v\nare both %s", a, b, a)
		}
		list := model.Arr(a, b)
		line := list.String()
		pattern, err := spec.ParsePattern(line)
		if err != nil || !pattern.Match(line) {
			t.Fatalf("%s as a pattern: %v", line, err)
		}
		other := model.Arr(b, a).String()
		if !same && pattern.Match(other) && !strings.Contains(line, "~[") {
			t.Fatalf("%s matches %s", line, other)
		}
	})
}
