package linear

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rondo/check/history"
	"rondo/model"
)

// This file has small histories by hand, good and bad twins, with the clause that the bad one
// breaks. Times are in milliseconds.

// did is one operation: client, call, return, the command line, its reply. In a transaction the
// lines of the body are separated by "; ".
type did struct {
	client    int
	call, ret float64
	cmd       string
	reply     *model.Reply // nil: lost
}

func re(r model.Reply) *model.Reply { return &r }

var (
	ok    = re(model.OK())
	null  = re(model.Reply{Kind: model.Null})
	nulls = re(model.Reply{Kind: model.NullArray})
)

func str(s string) *model.Reply { return re(model.Str(s)) }
func num(n int64) *model.Reply  { return re(model.Num(n)) }
func arr(r ...*model.Reply) *model.Reply {
	var elems []model.Reply
	for _, e := range r {
		elems = append(elems, *e)
	}
	return re(model.Arr(elems...))
}

// recorded makes a history with a clock that is known exactly: at 0 it is 1000 s after 1970.
func recorded(ops ...did) *history.History {
	const second = 1_000_000_000
	h := &history.History{Meta: history.Meta{Profile: history.Frozen,
		Offset: &history.Offset{Low: 1000 * second, High: 1000 * second}}}
	count := map[int]int{}
	for _, d := range ops {
		count[d.client]++
		op := history.Op{Client: d.client, N: count[d.client], Reply: d.reply,
			Call: int64(d.call * tick), Return: int64(d.ret * tick)}
		if d.reply == nil {
			op.Return = history.Never
		}
		if body, is := strings.CutPrefix(d.cmd, "EXEC: "); is {
			op.Cmd = words("EXEC")
			for _, line := range strings.Split(body, "; ") {
				op.Body = append(op.Body, words(strings.Fields(line)...))
			}
		} else {
			op.Cmd = words(strings.Fields(d.cmd)...)
		}
		h.Ops = append(h.Ops, op)
	}
	return h
}

var twins = []struct {
	name      string
	good, bad []did
	clause    string
	sentence  string // a part of it
}{
	{"a value is served after its deadline",
		[]did{{1, 0, 1, "SET k v PX 5", ok}, {2, 6.9, 7.5, "GET k", null}},
		[]did{{1, 0, 1, "SET k v PX 5", ok}, {2, 9.2, 9.5, "GET k", str("v")}},
		"TIME-5", "GET k by client 2 at [9.200, 9.500] ms answered \"v\" although the deadline lies in " +
			"[5.000, 6.000] ms: served at least 3 ms late"},
	{"a value is gone before its deadline",
		[]did{{1, 0, 1, "SET k v PX 5", ok}, {2, 6.1, 7.5, "GET k", null}},
		[]did{{1, 0, 1, "SET k v PX 5", ok}, {2, 3.2, 3.5, "GET k", null}},
		"TIME-5", "expired at least 3 ms early"},
	{"alive in the tick of the deadline, expired in the next",
		[]did{{1, 0, 0.1, "SET k v PX 5", ok}, {2, 5.1, 5.2, "GET k", str("v")}},
		[]did{{1, 0, 0.1, "SET k v PX 5", ok}, {2, 6.1, 6.2, "GET k", str("v")}},
		"TIME-5", "served at least 1 ms late"},
	{"TTL rounds to the nearest second",
		[]did{{1, 0, 1, "SET k v PX 1700", ok}, {1, 2, 3, "TTL k", num(2)}},
		[]did{{1, 0, 1, "SET k v PX 1700", ok}, {1, 2, 3, "TTL k", num(1)}},
		"TIME-6", "although the deadline lies in"},
	{"a reported time, and beside it what looks inside values",
		[]did{{1, 0, 1, "SET k a", ok}, {2, 2, 2.5, "SET k v PX 5", ok}, {3, 2.1, 9, "APPEND k x", num(2)},
			{1, 7.1, 7.5, "PTTL k", num(0)}},
		[]did{{1, 0, 1, "SET k a", ok}, {2, 2, 2.5, "SET k v PX 5", ok}, {3, 2.1, 9, "APPEND k x", num(2)},
			{1, 9.2, 9.5, "PTTL k", num(0)}},
		"TIME-6", "although the deadline lies in [7.000, 7.000]"},
	{"an overwritten value",
		[]did{{1, 0, 1, "SET k 1", ok}, {1, 2, 9, "SET k 2", ok}, {2, 5, 6, "GET k", str("1")}},
		[]did{{1, 0, 1, "SET k 1", ok}, {1, 2, 3, "SET k 2", ok}, {2, 5, 6, "GET k", str("1")}},
		"LIN-2", "GET k by client 2 at [5.000, 6.000] ms answered \"1\""},
	{"a lost update",
		[]did{{1, 0, 3, "INCR n", num(2)}, {2, 1, 4, "INCR n", num(1)}},
		[]did{{1, 0, 3, "INCR n", num(1)}, {2, 1, 4, "INCR n", num(1)}},
		"LIN-3", "no order of these 2 operations"},
	{"pipelined commands cross",
		[]did{{1, 0, 8, "SET a 1", ok}, {1, 1, 9, "GET b", null},
			{2, 0, 8, "SET b 2", ok}, {2, 1, 9, "GET a", str("1")}},
		[]did{{1, 0, 8, "SET a 1", ok}, {1, 1, 9, "GET b", null},
			{2, 0, 8, "SET b 2", ok}, {2, 1, 9, "GET a", null}},
		"LIN-6", "pipelined"},
	{"something between two commands of EXEC",
		[]did{{1, 0, 9, "EXEC: SET k 1; GET k", arr(ok, str("1"))}, {2, 1, 8, "SET k 2", ok}},
		[]did{{1, 0, 9, "EXEC: SET k 1; GET k", arr(ok, str("2"))}, {2, 1, 8, "SET k 2", ok}},
		"LIN-7", "one by one"},
	{"WATCH misses a change",
		[]did{{1, 0, 1, "WATCH k", ok}, {2, 2, 3, "SET k 2", ok}, {1, 4, 5, "EXEC: GET k", nulls}},
		[]did{{1, 0, 1, "WATCH k", ok}, {2, 2, 3, "SET k 2", ok},
			{1, 4, 5, "EXEC: GET k", arr(str("2"))}},
		"LIN-8", "watched"},
	{"WATCH sees a change that was not",
		[]did{{1, 0, 1, "WATCH k", ok}, {1, 4, 5, "EXEC: GET k", arr(null)}},
		[]did{{1, 0, 1, "WATCH k", ok}, {1, 4, 5, "EXEC: GET k", nulls}},
		"LIN-8", "null although none had"},
	{"WATCH misses an expiry",
		[]did{{2, 0, 1, "SET k v PX 5", ok}, {1, 2, 3, "WATCH k", ok},
			{1, 9, 10, "EXEC: GET k", nulls}},
		[]did{{2, 0, 1, "SET k v PX 5", ok}, {1, 2, 3, "WATCH k", ok},
			{1, 9, 10, "EXEC: GET k", arr(null)}},
		"TIME-5", ""},
	{"a lost command takes effect twice",
		[]did{{1, 0, 0, "INCR n", nil}, {2, 5, 6, "INCR n", num(2)}},
		[]did{{1, 0, 0, "INCR n", nil}, {2, 5, 6, "INCR n", num(3)}},
		"LIN-5", "more than once"},
	{"a lost command without its predecessor",
		[]did{{1, 0, 0, "SET a 1", nil}, {1, 1, 0, "SET b 2", nil},
			{2, 5, 6, "MGET a b", arr(str("1"), null)}},
		[]did{{1, 0, 0, "SET a 1", nil}, {1, 1, 0, "SET b 2", nil},
			{2, 5, 6, "MGET a b", arr(null, str("2"))}},
		"LIN-6", "pipelined"},
	{"a clock that goes back",
		[]did{{1, 0, 1, "TIME", arr(str("1000"), str("900"))}},
		[]did{{1, 5, 6, "TIME", arr(str("1000"), str("900"))}},
		"TIME-5", "which no clock reading inside its window gives: only a clock that is at least 5 ms"},
	{"a reply that is never right",
		[]did{{1, 0, 1, "APPEND k abc", num(3)}},
		[]did{{1, 0, 1, "APPEND k abc", num(2)}},
		"LIN-3", "no state that the other operations can have left gives this reply"},
}

func TestTwins(t *testing.T) {
	for _, tt := range twins {
		t.Run(tt.name, func(t *testing.T) {
			if res := Check(recorded(tt.good...), Options{}); res.Verdict != OK {
				t.Errorf("the good one is %s: %s", res.Verdict, res.Reason)
			}
			res := Check(recorded(tt.bad...), Options{})
			if res.Verdict != Illegal {
				t.Fatalf("the bad one is %s: %s", res.Verdict, res.Reason)
			}
			c := res.Components[0]
			if c.Clause != tt.clause || !strings.Contains(c.Sentence, tt.sentence) {
				t.Errorf("%s: %s\nwant %s: ...%s...", c.Clause, c.Sentence, tt.clause, tt.sentence)
			}
			if len(c.Core) == 0 || len(c.Core) > len(tt.bad) || len(c.Steps) < len(c.Core) {
				t.Errorf("core %v, steps %q", c.Core, c.Steps)
			}
			for _, h := range []*history.History{recorded(tt.good...), recorded(tt.bad...)} {
				if want := bruteVerdict(h, false, true); Check(h, Options{}).Verdict != want {
					t.Errorf("the definition says %s", want)
				}
			}
		})
	}
}

// TestSteps fixes the drawing of a core.
func TestSteps(t *testing.T) {
	res := Check(recorded(
		did{3, 0.12, 0.41, "SET k v1 PX 5", ok},
		did{4, 0.2, 0.3, "SET other x", ok},
		did{12, 1.2, 1.3, "GET k", str("v1")},
		did{4, 8.1, 8.2, "GET k", str("v1")}), Options{})
	var steps []string
	for _, c := range res.Components {
		steps = append(steps, c.Steps...)
	}
	want := []string{
		`client 3  [0.000, 0.290] ms  SET k v1 PX 5 -> +OK  deadline in [4.880, 4.880]`,
		`client 4  [7.980, 8.080] ms  GET k -> "v1"         deadline in [4.880, 4.880]`,
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownOffset: what only the phase of the clock could refute is not refuted.
func TestUnknownOffset(t *testing.T) {
	early := []did{{1, 0, 0.1, "SET k v PX 5", ok}, {2, 6.1, 6.2, "GET k", str("v")}}
	h := recorded(early...)
	h.Meta.Offset = nil
	if res := Check(h, Options{}); res.Verdict != OK || !res.SomePhase {
		t.Errorf("one tick late: %s, some phase %v", res.Verdict, res.SomePhase)
	}
	h = recorded(early[0], did{2, 8.1, 8.2, "GET k", str("v")})
	h.Meta.Offset = nil
	res := Check(h, Options{})
	if res.Verdict != Illegal || res.Components[0].Clause != "TIME-5" {
		t.Errorf("three ticks late: %s %s", res.Verdict, res.Reason)
	}
	// Absolute times only have to fit each other.
	h = recorded(did{1, 0, 1, "SET k v PXAT 1700000000005", ok},
		did{1, 2, 3, "PTTL k", num(2)}, did{1, 9, 10, "GET k", null})
	h.Meta.Offset = nil
	if res := Check(h, Options{}); res.Verdict != OK {
		t.Errorf("absolute times: %s %s", res.Verdict, res.Reason)
	}
	h = recorded(did{1, 0, 1, "SET k v PXAT 1700000000005", ok},
		did{1, 2, 3, "PTTL k", num(2)}, did{1, 9, 10, "GET k", str("v")})
	h.Meta.Offset = nil
	if res := Check(h, Options{}); res.Verdict != Illegal {
		t.Errorf("absolute times that contradict each other: %s", res.Verdict)
	}
}

// TestProfiles: one EXEC of a live target may read its clock several times.
func TestProfiles(t *testing.T) {
	h := recorded(did{1, 0, 1.5, "EXEC: SET a v PX 50; SET b v PX 50; PEXPIRETIME a; PEXPIRETIME b",
		arr(ok, ok, num(1000_050), num(1000_051))})
	for profile, want := range map[string]Verdict{"frozen": Illegal, "live": OK, "": OK} {
		h.Meta.Profile = profile
		if res := Check(h, Options{}); res.Verdict != want {
			t.Errorf("profile %q: %s, want %s", profile, res.Verdict, want)
		}
	}
}

// TestSlack: a server may be told to have an old clock.
func TestSlack(t *testing.T) {
	h := recorded(did{1, 0, 1, "SET k v PX 5", ok}, did{2, 9.2, 9.5, "GET k", str("v")})
	for slack, want := range map[int64]Verdict{2 * tick: Illegal, 4 * tick: OK} {
		h.Meta.Slack = slack
		if res := Check(h, Options{}); res.Verdict != want {
			t.Errorf("slack %d: %s, want %s", slack, res.Verdict, want)
		}
	}
}

// TestStart: a recording may begin with keys.
func TestStart(t *testing.T) {
	deadline := int64(1000_005)
	h := recorded(did{1, 0, 1, "GET k", str("v")}, did{1, 8, 9, "GET k", null})
	h.Meta.Start = []history.StartKey{{Key: []byte("k"), Value: []byte("v"), Deadline: &deadline}}
	if res := Check(h, Options{}); res.Verdict != OK {
		t.Errorf("%s %s", res.Verdict, res.Reason)
	}
	h.Ops[1].Reply = str("v")
	if res := Check(h, Options{}); res.Verdict != Illegal {
		t.Errorf("after the deadline: %s", res.Verdict)
	}
	h.Ops[1] = recorded(did{2, 5.1, 5.2, "GET k", null}).Ops[0]
	if res := Check(h, Options{}); res.Verdict != Illegal {
		t.Errorf("gone in the tick of the deadline: %s", res.Verdict)
	}
}

// TestMalformed: a recording that cannot be is no evidence.
func TestMalformed(t *testing.T) {
	for name, ops := range map[string][]did{
		"returns before its call":          {{1, 5, 4, "GET k", null}},
		"returns decrease on a connection": {{1, 0, 9, "GET k", null}, {1, 1, 8, "GET k", null}},
		"answered after an unanswered one": {{1, 0, 0, "GET k", nil}, {1, 1, 8, "GET k", null}},
	} {
		if res := Check(recorded(ops...), Options{}); res.Verdict != Error || res.Reason == "" {
			t.Errorf("%s: %s %q", name, res.Verdict, res.Reason)
		}
	}
}

// TestRefused: what cannot be decided is unknown, without a search and never ok.
func TestRefused(t *testing.T) {
	var many, wide []did
	for i := range 20 {
		many = append(many, did{1, float64(10 * i), float64(10*i + 1), "INCR k", num(int64(i + 1))})
		wide = append(wide, did{i + 1, 0, 1000, "GET k", null})
	}
	for _, tt := range []struct {
		ops    []did
		opt    Options
		reason string
	}{
		{many, Options{Engine: Porcupine, OpsMax: 19}, "20 operations, more than 19"},
		{wide, Options{Engine: Porcupine}, "20 clients at once, more than 8"},
		{[]did{{1, 0, 1, "SADD k v", num(1)}, {1, 2, 3, "GET a", null}}, Options{},
			"SADD is not a command that the model decides"},
	} {
		res := Check(recorded(tt.ops...), tt.opt)
		if res.Verdict != Unknown || !strings.Contains(res.Reason, tt.reason) {
			t.Errorf("%s: %s %q", tt.reason, res.Verdict, res.Reason)
		}
	}
}

// TestEngines: both engines together say what either has decided, and no more.
func TestEngines(t *testing.T) {
	for _, tt := range [][3]Verdict{
		{OK, OK, OK}, {Illegal, Illegal, Illegal}, {Unknown, Unknown, Unknown},
		{OK, Unknown, OK}, {Illegal, Unknown, Illegal}, {Unknown, OK, OK}, {Unknown, Illegal, Illegal},
		{OK, Illegal, Error}, {Illegal, OK, Error},
	} {
		got := agreed(opinion{verdict: tt[0]}, opinion{verdict: tt[1]})
		if got.verdict != tt[2] || got.verdict == Error && !strings.Contains(got.reason, "porcupine "+string(tt[1])) {
			t.Errorf("%s and %s: %+v, want %s", tt[0], tt[1], got, tt[2])
		}
	}
	for _, engine := range []string{"", Rondo, Porcupine, Both} {
		for _, tt := range twins[:6] {
			good := Check(recorded(tt.good...), Options{Engine: engine})
			bad := Check(recorded(tt.bad...), Options{Engine: engine})
			if good.Verdict != OK || bad.Verdict != Illegal {
				t.Errorf("%s, %s: %s and %s", engine, tt.name, good.Verdict, bad.Verdict)
			}
		}
	}
	if res := Check(&history.History{}, Options{Engine: "oracle"}); res.Verdict != Error {
		t.Errorf("an engine that is none: %s", res.Verdict)
	}
}

// TestUndecided: an unknown verdict says which bound was reached, and where.
func TestUndecided(t *testing.T) {
	p := split(recorded(did{1, 1, 2, "GET k", null}, did{2, 3, 9, "GET k", null}, did{3, 4, 0, "GET k", nil}))[0]
	opt := Options{Timeout: time.Second, Memory: 3 << 20}
	for took, bound := range map[time.Duration]string{time.Second: "within 1s", time.Millisecond: "in 3 MiB"} {
		got := p.undecided(5*tick, opt, took)
		if !strings.Contains(got, bound) ||
			!strings.Contains(got, "4.000 ms after the first of 3 operations, where 2 are in flight") {
			t.Error(got)
		}
	}
}

// TestComponents: what ties keys together, and what does not.
func TestComponents(t *testing.T) {
	for _, tt := range []struct {
		name string
		ops  []did
		want string
	}{
		{"nothing", []did{{1, 0, 1, "GET a", null}, {1, 2, 3, "GET b", null}}, "[a] [b]"},
		{"a command", []did{{1, 0, 1, "GET a", null}, {1, 2, 3, "MGET b a", arr(null, null)}}, "[a b]"},
		{"a transaction", []did{{1, 0, 1, "EXEC: GET a; GET b", arr(null, null)}}, "[a b]"},
		{"an overlap on a connection",
			[]did{{1, 0, 3, "GET a", null}, {1, 2, 4, "GET b", null}, {1, 5, 6, "GET c", null}},
			"[a b] [c]"},
		{"no overlap between connections",
			[]did{{1, 0, 3, "GET a", null}, {2, 2, 4, "GET b", null}}, "[a] [b]"},
		{"a watch", []did{{1, 0, 1, "WATCH a", ok}, {1, 2, 3, "EXEC: GET b", arr(null)},
			{1, 4, 5, "EXEC: GET c", arr(null)}}, "[a b] [c]"},
		{"the whole keyspace",
			[]did{{1, 0, 1, "GET a", null}, {1, 2, 3, "GET b", null}, {1, 4, 5, "DBSIZE", num(0)}},
			"[a b]"},
		{"the connection itself",
			[]did{{1, 0, 1, "PING", re(model.Reply{Kind: model.Simple, Str: "PONG"})},
				{1, 2, 3, "SELECT 3", ok}, {2, 2, 3, "GET a", null}}, "[] [a]"},
	} {
		res := Check(recorded(tt.ops...), Options{})
		var got []string
		for _, c := range res.Components {
			got = append(got, fmt.Sprint(c.Keys))
		}
		if s := strings.Join(got, " "); s != tt.want || res.Verdict != OK {
			t.Errorf("%s: %s, want %s (%s %s)", tt.name, s, tt.want, res.Verdict, res.Reason)
		}
	}
}

// TestDatabases: the same name in two databases is two keys, until a command crosses over.
func TestDatabases(t *testing.T) {
	h := recorded(did{1, 0, 1, "SET k 1", ok}, did{2, 0, 1, "GET k", null})
	h.Ops[1].DB = 3
	res := Check(h, Options{})
	if res.Verdict != OK || len(res.Components) != 2 || res.Components[1].Keys[0] != "3:k" {
		t.Errorf("%s %v", res.Verdict, res.Components)
	}
	h = recorded(did{1, 0, 1, "SET k 1", ok}, did{1, 2, 3, "MOVE k 3", num(1)},
		did{2, 4, 5, "GET k", str("1")})
	h.Ops[2].DB = 3
	if res := Check(h, Options{}); res.Verdict != OK || len(res.Components) != 1 {
		t.Errorf("%s %s", res.Verdict, res.Reason)
	}
}

// TestRepeatable: the same history gets the same result, and a page that shows it.
func TestRepeatable(t *testing.T) {
	var ops []did
	for _, tt := range twins[:4] {
		ops = append(ops, tt.bad...)
	}
	for i := range ops {
		ops[i].client += 10 * i
		ops[i].cmd = strings.ReplaceAll(ops[i].cmd, "k", fmt.Sprint("k", i/2))
	}
	first, second := Check(recorded(ops...), Options{}), Check(recorded(ops...), Options{})
	var page bytes.Buffer
	err := first.Components[0].Visualization(&page)
	if err != nil || !strings.Contains(page.String(), "<html") {
		t.Errorf("%v, %d bytes", err, page.Len())
	}
	for _, r := range []*Result{&first, &second} {
		for i := range r.Components {
			r.Components[i].Visualization, r.Components[i].Explained = nil, 0
		}
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if empty := Check(&history.History{}, Options{}); empty.Verdict != OK {
		t.Errorf("an empty history: %s", empty.Verdict)
	}
}
