package linear

import (
	"strings"
	"testing"

	"rondo/model"
)

// TestMet: what an operation met is read from any reply that says it, of each key by itself, and
// where the reply says nothing nobody is called late or early.
func TestMet(t *testing.T) {
	late := []did{{1, 0, 1, "SET a 1", ok}, {1, 2, 3, "SET a 5 PX 20", ok}, {1, 4, 5, "SET b 2 PX 2000", ok}}
	for _, tt := range []struct {
		cmd   string
		reply *model.Reply
		want  string
	}{
		{"MGET a b", arr(str("5"), str("2")), "the deadline of a lies in [22.000, 23.000] ms: served at least 37 ms late"},
		{"EXISTS b a", num(2), "the deadline of a lies in [22.000, 23.000] ms: served at least 37 ms late"},
		{"INCRBY a 3", num(8), "served at least 37 ms late"},
		{"APPEND a x", num(2), "served at least 37 ms late"},
		{"STRLEN a", num(1), "served at least 37 ms late"},
		{"GETRANGE a 0 -1", str("5"), "served at least 37 ms late"},
		{"COPY a c", num(1), "the deadline of a lies in [22.000, 23.000] ms: served at least 37 ms late"},
		{"RENAME a c", ok, "the deadline of a lies in [22.000, 23.000] ms: served at least 37 ms late"},
		{"EXEC: GET b; GET a", arr(str("2"), str("5")), "the deadline of a lies in [22.000, 23.000] ms: served at least 37 ms late"},
		{"EXEC: DEL a; EXISTS a", arr(num(1), num(0)), "served at least 37 ms late"},
		{"MGET a b", arr(null, null), "the deadline of b lies in [2004.000, 2005.000] ms: expired at least 1944 ms early"},
		{"INCRBY b 4", num(4), "expired at least 1944 ms early"},
		{"APPEND b x", num(1), "expired at least 1944 ms early"},
		{"STRLEN b", num(0), "expired at least 1944 ms early"},
		{"COPY b c", num(0), "expired at least 1944 ms early"},
		{"EXEC: SET a 1; GET b", arr(ok, null), "expired at least 1944 ms early"},
		{"MGET b a", arr(str("2"), str("7")), "MGET b a"},
	} {
		res := Check(recorded(append(late, did{2, 60, 61, tt.cmd, tt.reply})...), Options{})
		if res.Verdict != Illegal {
			t.Errorf("%s: %s", tt.cmd, res.Verdict)
			continue
		}
		if c := res.Components[res.Findings[0].Example]; !strings.Contains(c.Sentence, tt.want) {
			t.Errorf("%s: %s: %s\nwant %s", tt.cmd, c.Clause, c.Sentence, tt.want)
		}
	}
}
