package spec

import (
	"strings"
	"testing"
	"time"
)

func TestParseScript(t *testing.T) {
	s, err := ParseScript("story", strings.Join([]string{
		"# A story.",
		"# clauses: STR-1 TIME-3",
		"# needs: debug exclusive",
		"",
		`> SET k "a b\x00\r\n" 'it\'s' "ab"*3`,
		"< +OK",
		"b> GET k",
		`b< "v"`,
		`>> "*1\r\n$4" '\r'`,
		`c>> "x"`,
		"fragments 1 > PING",
		`fragments 20 b>> "PING\r\n"`,
		"wait 60ms",
		"silent 30ms",
		"b silent 1s",
		"closed",
		"b closed",
		"c close",
		"half-close",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := []StepKind{Send, Expect, Send, Expect, SendRaw, SendRaw, Fragments, Fragments, Wait,
		Silent, Silent, Closed, Closed, Close, HalfClose}
	conns := "aabbacabaababca"
	for i, st := range s.Steps {
		if st.Kind != kinds[i] || st.Conn != conns[i:i+1] || st.Line != i+5 {
			t.Errorf("step %d is %v on %s at line %d: %s", i, st.Kind, st.Conn, st.Line, st.Text)
		}
	}
	if len(s.Steps) != len(kinds) {
		t.Fatalf("%d steps, want %d", len(s.Steps), len(kinds))
	}
	set := s.Steps[0].Args
	for i, want := range []string{"SET", "k", "a b\x00\r\n", "it's", "ababab"} {
		if string(set[i]) != want {
			t.Errorf("argument %d is %q, want %q", i, set[i], want)
		}
	}
	if got := string(s.Steps[4].Raw); got != "*1\r\n$4\\r" {
		t.Errorf("raw bytes %q", got)
	}
	if st := s.Steps[7]; st.N != 20 || string(st.Raw) != "PING\r\n" || s.Steps[6].N != 1 {
		t.Errorf("fragments read as %+v", st)
	}
	if s.Steps[8].Wait != 60*time.Millisecond || s.Steps[10].Wait != time.Second {
		t.Error("durations are wrong")
	}
	if len(s.Clauses) != 2 || s.Clauses[1] != "TIME-3" || len(s.Needs) != 2 || s.Line != 1 {
		t.Errorf("headers read as %v, %v, line %d", s.Clauses, s.Needs, s.Line)
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "x:1: a script without steps"},
		{"# only a comment", "x:1: a script without steps"},
		{"> PING\nPING", `x:2: no step begins like "PING"`},
		{"> PING\n<", "x:2: pattern : at byte 0: nothing"},
		{"> ", "x:1: an empty command"},
		{`> "abc`, "x:1: a quote is never closed"},
		{`> "a"b`, "x:1: a closing quote is followed by"},
		{`> "a"*0`, "does not repeat"},
		{`> "a"*999999999`, "does not repeat"},
		{`>> ""`, "x:1: no bytes to send"},
		{"fragments 0 > PING", "no step begins like"},
		{"fragments 2 < +OK", "only what is sent"},
		{"wait", "wait needs a duration"},
		{"wait 1h", "wait needs a duration"},
		{"wait -1ms", "wait needs a duration"},
		{"b wait 5ms", "wait names none"},
		{"silent soon", "silent needs a duration"},
		{"closed 5ms", "closed takes no value"},
		{"# needs: luck\n> PING", `x:1: unknown need "luck"`},
		{"# clauses: time-3\n> PING", `x:1: "time-3" is no clause ID`},
	} {
		_, err := ParseScript("x", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got error %v, want %q", c.text, err, c.want)
		}
	}
}
