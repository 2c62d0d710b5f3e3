package world

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rondo/check/explore"
	"rondo/check/linear"
	"rondo/check/wire"
	"rondo/impl/kernel/sim"
	"rondo/model"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T, o Options) *World {
	t.Helper()
	w, err := New(o)
	must(t, err)
	return w
}

func TestWorld(t *testing.T) {
	w := newWorld(t, Options{Recorded: true})
	a, b := w.Dial(), w.Dial()
	a.Send("SET", "k", "v", "PX", "5")
	a.Write("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\r\nGET k\r\nPI")
	must(t, w.Settle())
	b.Plan("MULTI", "INCR n", "GET k", "EXEC")
	for b.Unsent() > 0 {
		must(t, w.Do(explore.Action{Kind: explore.Deliver, Client: 1, N: 7}))
		must(t, w.Do(explore.Action{Kind: explore.Step}))
		must(t, w.Do(explore.Action{Kind: explore.Drain, Client: 1, N: 2}))
	}
	must(t, w.Pass(6*time.Millisecond))
	a.Write("NG\r\nGET k\r\n")
	must(t, w.Settle())
	var got []string
	for _, r := range append(a.Replies, b.Replies...) {
		got = append(got, r.String())
	}
	want := `+OK "v" "v" +PONG nil +OK +QUEUED +QUEUED [:1, "v"]`
	if text := strings.Join(got, " "); text != want {
		t.Errorf("%s, want %s", text, want)
	}
	if res := linear.Check(w.History(), linear.Options{}); res.Verdict != linear.OK || res.Judged != 6 {
		t.Errorf("judged from outside: %s %s, %d operations", res.Verdict, res.Reason, res.Judged)
	}
	must(t, w.End())
}

// wrongs are what a wrong server does, behind a SET that is on its way, and the clause it breaks.
var wrongs = map[string]struct {
	clause string
	wrong  func(t *testing.T, w *World, a *Client) error
}{
	"another reply": {"LIN-3", func(t *testing.T, w *World, a *Client) error {
		a.due[0].reply = model.Str("w")
		return w.Settle()
	}},
	"no reply": {"CONN-1", func(t *testing.T, w *World, a *Client) error {
		a.due = append(a.due, due{reply: model.OK()})
		return w.Settle()
	}},
	"a reply to nothing": {"CONN-1", func(t *testing.T, w *World, a *Client) error {
		a.due = nil
		return w.Settle()
	}},
	"another command": {"CONN-3", func(t *testing.T, w *World, a *Client) error {
		a.Send("GET", "k")
		a.unread = Encode("GET", "j")
		return w.Settle()
	}},
	"half a command": {"WIRE-3", func(t *testing.T, w *World, a *Client) error {
		a.Send("GET", "k")
		a.unread = a.unread[:5]
		return w.Settle()
	}},
	"a command that has not arrived": {"WIRE-3", func(t *testing.T, w *World, a *Client) error {
		a.Send("GET", "k")
		a.sent--
		return w.Settle()
	}},
	"a clock that was not read": {"TIME-17", func(t *testing.T, w *World, a *Client) error {
		a.Send("GET", "k")
		for i := range a.stamps {
			a.stamps[i].ms += 2
		}
		return w.Settle()
	}},
	"a command that is not executed": {"LOOP-18", func(t *testing.T, w *World, a *Client) error {
		must(t, w.Settle())
		a.unread = Encode("GET", "k")
		return w.Settle()
	}},
	"a key that goes too early": {"TIME-3", func(t *testing.T, w *World, a *Client) error {
		w.judge.Removed(0, []byte("k"), false, w.Kernel.Wall()/1e6)
		return w.err
	}},
	"a key that is evicted without need": {"KEY-17", func(t *testing.T, w *World, a *Client) error {
		w.judge.Removed(0, []byte("k"), true, w.Kernel.Wall()/1e6)
		return w.err
	}},
	"a key that is evicted twice": {"KEY-18", func(t *testing.T, w *World, a *Client) error {
		w.judge.spare.evicts = true
		w.judge.Removed(0, []byte("k"), true, w.Kernel.Wall()/1e6)
		w.judge.Removed(0, []byte("k"), true, w.Kernel.Wall()/1e6)
		return w.err
	}},
	"a command that is refused without need": {"KEY-15", func(t *testing.T, w *World, a *Client) error {
		starved(w, a, "GET", "k")
		return w.err
	}},
	"a command that is refused too early": {"KEY-16", func(t *testing.T, w *World, a *Client) error {
		w.judge.spare.evicts = true
		starved(w, a, "SET", "k", "w")
		return w.err
	}},
	"broken bytes": {"CONN-4", func(t *testing.T, w *World, a *Client) error { return a.receive([]byte("OK\r\n")) }},
	"a session that stays": {"CONN-22", func(t *testing.T, w *World, a *Client) error {
		must(t, w.Settle())
		must(t, w.End())
		a.left = false
		return w.nothingLeft()
	}},
}

// TestJudgeConvicts: the judge is judged, by what is wrong.
func TestJudgeConvicts(t *testing.T) {
	for name, test := range wrongs {
		w := newWorld(t, Options{})
		a := w.Dial()
		a.Send("SET", "k", "v")
		must(t, w.Pass(0))
		err := test.wrong(t, w, a)
		var v *explore.Violation
		if !errors.As(err, &v) || v.Clause != test.clause {
			t.Errorf("%s: %v, want %s broken", name, err, test.clause)
		}
	}
}

// starved puts a command before the judge that finds no memory.
func starved(w *World, a *Client, words ...string) {
	a.Send(words...)
	args, _, _ := wire.ParseCommand(Encode(words...))
	a.Peer.Reset() // so that it is not unread
	w.judge.Executes(a.id, args, w.Kernel.Wall()/1e6)
	w.judge.Starves(a.id)
	w.judge.Executed(a.id)
}

// TestFullServerIsFollowed: what a full server does is what the model does that is told of it.
func TestFullServerIsFollowed(t *testing.T) {
	w := newWorld(t, Options{Config: []string{"maxmemory", "3500", "maxmemory-policy", "volatile-ttl"}})
	a := w.Dial()
	a.Send("SET", "stays", "x")
	for i := range 10 {
		a.Send("SET", fmt.Sprint("goes", i), "x", "EX", "100")
		must(t, w.Settle())
	}
	a.Send("SET", "large", strings.Repeat("x", 4000))
	must(t, w.Settle())
	a.Write("SET k v\r\nMULTI\r\nGET stays\r\nEXEC\r\nGET stays\r\n")
	must(t, w.Settle())
	n, mortal := w.State().Keys()
	if n != 2 || mortal != 0 {
		t.Errorf("%d keys are left, %d of them with a deadline", n, mortal)
	}
	got := a.Replies[len(a.Replies)-5:]
	const refused = `-OOM command not allowed when used memory > 'maxmemory'. `
	want := `[` + refused + `+OK ` + refused +
		`-EXECABORT Transaction discarded because of previous errors. "x"]`
	if text := fmt.Sprint(got); text != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// TestClockSetBack: an expired key that nobody has asked for lives again, and one that was is gone.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, Options{Config: []string{"active-expiry", "sampled", "enable-debug-command", "yes"},
		Faults: sim.Faults{sim.WallJump: 1 << 40}})
	a := w.Dial()
	a.Write("DEBUG SET-ACTIVE-EXPIRE 0\r\nSET asked x PX 5\r\nSET not x PX 5\r\n")
	must(t, w.Settle())
	w.Kernel.Advance(10 * time.Millisecond)
	a.Write("GET asked\r\nDBSIZE\r\n")
	must(t, w.Settle())
	w.Kernel.SetWall(w.Kernel.Wall() - int64(10*time.Millisecond))
	a.Write("MGET asked not\r\n")
	must(t, w.Settle())
	if text := fmt.Sprint(a.Replies[3:]); text != `[nil :1 [nil, "x"]]` {
		t.Error(text)
	}
}

// A story is what happened, in the columns of who did it.
func TestStory(t *testing.T) {
	w := newWorld(t, Options{Shown: true, SendBytes: 3})
	a := w.Dial()
	a.Plan("SET k v", "GET k")
	for _, act := range []explore.Action{{Kind: explore.Step}, {Kind: explore.Deliver, N: 30},
		{Kind: explore.Step}, {Kind: explore.Tick, N: 2}, {Kind: explore.Step}, {Kind: explore.Drain, N: 2}} {
		must(t, w.Do(act))
	}
	a.due[0].reply = model.Num(1)
	a.Next(0)
	err := w.Settle()
	story := w.Story(err)
	for _, want := range []string{
		"a is accepted", "a sends SET k v; bytes 1-3/20 of GET k", "30 bytes read of a",
		"a: SET k v -> +OK", "2 ms pass", "3 of 5 bytes written for a", `a takes "+O"`,
		"LIN-3 (MUST): Each reply is the one",
	} {
		if !strings.Contains(story, want) {
			t.Errorf("no %q in\n%s", want, story)
		}
	}
}

// LOOP-17: expiry, housekeeping and eviction keep to their budgets in every turn, though each reading
// of the clock takes long. The loop has to cut its work for that.
func TestBudgetsAreKept(t *testing.T) {
	w := newWorld(t, Options{ReadingCost: 20 * time.Microsecond, Unaudited: true})
	a := w.Dial()
	for i := range 3000 {
		a.Write("SET " + strings.Repeat("k", 1+i%40) + string(rune('0'+i%10)) + time.Duration(i).String() + " v PX 50\r\n")
	}
	must(t, w.Settle())
	must(t, w.Pass(time.Second))
	a.Write("INFO stats\r\nDBSIZE\r\n")
	must(t, w.Settle())
	stats := a.Replies[3000].Str
	if strings.Contains(stats, "expired_time_cap_reached_count:0\r\n") {
		t.Error("expiry was never cut: the budget was not tested")
	}
	if n := a.Replies[3001].Int; n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

func TestBudgetIsJudged(t *testing.T) {
	w := newWorld(t, Options{ReadingCost: time.Nanosecond})
	w.port.CPU()
	w.Kernel.Work(2 * time.Millisecond)
	w.port.CPU()
	var v *explore.Violation
	if !errors.As(w.err, &v) || v.Clause != "LOOP-17" {
		t.Errorf("maintenance of 2 ms: %v", w.err)
	}
}

func TestDeadPeersHoldNobodyUp(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := w.Dial(), w.Dial()
	must(t, w.Pass(0))
	w.Kernel.Break(sim.Faults{sim.Stall: 1})
	a.Send("SET", "k", "v")
	must(t, w.Pass(0))
	w.Kernel.Break(sim.Faults{})
	b.Send("GET", "k")
	must(t, w.Settle())
	if len(a.Replies) != 0 || !a.Peer.Dead() {
		t.Errorf("the dead were answered %v", a.Replies)
	}
	must(t, w.End())
}
