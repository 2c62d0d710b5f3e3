package spec

import (
	"strings"
	"testing"
)

func TestPatternMatch(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		{"+OK", "+OK;", "+ok;+OK ;-OK;\"OK\""},
		{"-ERR no such key", "-ERR no such key", "-ERR no such key x"},
		{`-"ERR blank "`, "-ERR blank ", "-ERR blank"},
		{"-~ERR wrong*", "-ERR wrong number;-ERR wrong", "-ERR right;+ERR wrong"},
		{"-~*no*key*", "-ERR no such key;-nokey", "-ERR key no"},
		{":5", ":5", ":6;:50;\"5\""},
		{":-3..4", ":-3;:0;:4", ":-4;:5"},
		{":*", ":-9223372036854775808;:7", "+7"},
		{`"a\r\n\x00\xff\"\\"`, `"a\r\n\x00\xff\"\\"`, `"a"`},
		{`"ab"*3`, `"ababab"`, `"abab"`},
		{`~"a*c"`, `"ac";"abc"`, `"a";"abcd";+abc`},
		{`~"abc"`, `"abc"`, `"ab"`},
		{"nil", "nil", "nil-array;null;\"\""},
		{"nil-array", "nil-array", "nil;null;[]"},
		{"null", "null", "nil"},
		{"*", "+OK;nil;[[:1], {+a: :2}]", "nonsense;;[;\"a"},
		{"[]", "[]", "[:1];nil-array"},
		{"[*]", "[];[:1];[:1, :2]", "nil-array;~[];{}"},
		{"[*, *]", `[:1, "a"]`, "[:1];[:1, :2, :3]"},
		{`["a", ...]`, `["a"];["a", "b", [nil]]`, `[];["b", "a"]`},
		{`["a", *] in any order`, `["a", "b"];["b", "a"];["a", "a"]`, `["a"];["b", "c"];["a", "b", "c"]`},
		{`[*, "a"] in any order`, `["a", "b"];["b", "a"]`, `["b", "c"]`},
		{`["a", "b", ...] in any order`, `["x", "b", "y", "a"]`, `["x", "b"]`},
		{`{"a": :1, "b": *}`, `{"a": :1, "b": [:1]};{"b": nil, "a": :1}`, `{"a": :1};{"a": :2, "b": :1}`},
		{`{"a": :1, ...}`, `{"b": :2, "a": :1}`, `{"b": :1}`},
		{"{}", "{}", `{"a": :1}`},
		{"~[:1, :2]", "~[:2, :1]", "[:1, :2];~[:1]"},
		{`>["message", *]`, `>["message", "x"]`, `["message", "x"]`},
		{",1.5", ",1.5", ",1.50;:1"},
		{"[,1.5, ,-inf, #t]", "[,1.5, ,-inf, #t]", "[,1.5, ,inf, #t]"},
		{"#t", "#t", "#f"},
		{"(123456789012345678901", "(123456789012345678901", "(1"},
		{`="text"`, `="text"`, `"text"`},
		{`=~"te*"`, `="text"`, `="no"`},
		{":1 | nil", ":1;nil", ":2"},
		{"+OK | -~ERR a | b*", "+OK;-ERR a | b c", "-ERR a"},
		{`[:1 | nil, "x"]`, `[:1, "x"];[nil, "x"]`, `[:2, "x"]`},
		{"[-ERR a, b: c, +OK]", `[-ERR a, b: c, +OK];[-"ERR a, b: c", +OK]`, "[-ERR a, +OK]"},
		{"[+readonly, +fast] in any order", "[+fast, +readonly]", "[+fast]"},
		{"{+a: :1, +b: +c}", "{+b: +c, +a: :1}", "{+a: :1}"},
		{"[[+a], {:1: [+b]}]", "[[+a], {:1: [+b]}]", "[[+a], {:1: [+c]}]"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.String() != c.pattern {
			t.Errorf("pattern %s is rendered as %s", c.pattern, p)
		}
		for _, reply := range strings.Split(strings.TrimSuffix(c.yes, ";"), ";") {
			if !p.Match(reply) {
				t.Errorf("pattern %s does not match %s", c.pattern, reply)
			}
		}
		for _, reply := range strings.Split(strings.TrimSuffix(c.no, ";"), ";") {
			if p.Match(reply) {
				t.Errorf("pattern %s matches %s", c.pattern, reply)
			}
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for _, text := range []string{
		"", "OK", "[", "[:1", "[:1 :2]", "[..., :1]", ":", ":x", ":5..", ":9..1", `"a`, `~x`, "=x",
		`{"a"}`, `{"a": }`, "#x", ",x", "(x", "nil x", ":1 |", "[] in some order", ">:1",
		":99999999999999999999",
	} {
		if p, err := ParsePattern(text); err == nil {
			t.Errorf("pattern %q was read as %v", text, p)
		} else if !strings.Contains(err.Error(), "at byte") {
			t.Errorf("pattern %q: error %q does not say where", text, err)
		}
	}
}

func TestZeroPatternMatchesNothing(t *testing.T) {
	if (Pattern{}).Match("+OK") {
		t.Error("the zero pattern matches")
	}
}
