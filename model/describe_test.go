package model_test

import (
	"strings"
	"testing"

	"rondo/model"
	"rondo/spec"
)

// after runs lines on connections: "1: SET k v".
func after(t *testing.T, lines ...string) model.State {
	t.Helper()
	s := model.Initial(model.Options{})
	for _, line := range lines {
		args, err := spec.SplitArgs(line[2:])
		if err != nil {
			t.Fatal(err)
		}
		s, _ = answer(1000, s, model.Client(line[0]-'0'), args)
	}
	return s
}

func TestDescribe(t *testing.T) {
	s := after(t, "1:SET a 1 PX 500", `1:SET b "x\r\n"`, "1:SET long x", `1:SETRANGE long 99 y`,
		"2:SELECT 3", "2:SET a 2", "2:WATCH a", "2:MULTI", "2:GET a", "2:GET b",
		"3:HELLO 3 SETNAME me", "4:WATCH b", "4:MULTI", "1:DEL b", "5:MULTI", "5:NOSUCH", "6:QUIT")
	want := `"a" = "1" (int), deadline 1500
"long" = "x` + strings.Repeat(`\x00`, 79) + `... (100 bytes)" (raw)
3:"a" = "2" (int)
connection 2: database 3, in MULTI, 2 queued, watches 3:"a"
connection 3: RESP3, named me
connection 4: in MULTI, 0 queued, a watched key has changed
connection 5: in MULTI, 0 queued, a command was refused
connection 6: closed
`
	if got := s.Describe(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	s = s.WithInstants(func(int) model.Instant { return model.Instant{Var: 2, Off: -5} })
	if got := s.Describe(); !strings.Contains(got, "deadline t2-5\n") {
		t.Errorf("a variable is shown as\n%s", got)
	}
	if got := after(t).Describe(); got != "no keys\n" {
		t.Errorf("the empty state is %q", got)
	}
}

// TestAcceptInsideExec: the choices of several commands of one transaction, and what is in a queue
// and not in the model.
func TestAcceptInsideExec(t *testing.T) {
	s := after(t, "1:MSET a 1 b 2 c 3", "1:MULTI", "1:RANDOMKEY", "1:INFO", "1:RANDOMKEY", "1:DEL a",
		"1:RANDOMKEY")
	str, exec := model.Str, [][]byte{[]byte("EXEC")}
	for _, c := range []struct {
		first, second, third model.Reply
		want                 bool
	}{
		{str("a"), str("c"), str("b"), true}, {str("b"), str("b"), str("b"), true},
		{str("a"), str("a"), str("a"), false}, {str("a"), str("d"), str("b"), false},
		{str("a"), str("b"), model.Reply{Kind: model.Null}, false},
	} {
		reply := model.Arr(c.first, str("some text"), c.second, model.Num(1), c.third)
		next, want, ok := model.Accept(1000, s, 1, exec, reply)
		if ok != c.want {
			t.Errorf("%v: %v; the model says %v", reply, ok, want)
		}
		if ok && next.Describe() != "\"b\" = \"2\" (int)\n\"c\" = \"3\" (int)\n" {
			t.Errorf("after %v:\n%s", reply, next.Describe())
		}
	}
}
