package suite

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

var execCases = []Case{
	{Name: "exec/move-between-keys", Clauses: []string{"EXEC-3", "EXEC-2"}, Run: moveBetweenKeys},
	{Name: "exec/watch-race", Clauses: []string{"EXEC-9", "EXEC-11"}, Run: watchRace},
	{Name: "exec/watch-expiry", Clauses: []string{"EXEC-12"}, Run: watchExpiry},
	{Name: "exec/watch-remains", Clauses: []string{"EXEC-13"}, Needs: []string{"debug"},
		Exclusive: true, Run: watchRemains},
	{Name: "exec/one-reading", Clauses: []string{"EXEC-16"}, Needs: []string{"debug"},
		Run: oneReading},
}

// moveBetweenKeys has clients move amounts between two keys in transactions while others add the
// two up: the sum never changes (EXEC-3).
func moveBetweenKeys(t *T) {
	a, b := t.Key("a"), t.Key("b")
	t.Want(t.Conn(), "+OK", "MSET", a, "1000", b, "1000")
	until := time.Now().Add(workersTime)
	rnds := []interface{ Intn(int) int }{t.NewRand(), t.NewRand(), t.NewRand(), t.NewRand()}
	t.Workers(4, func(i int) {
		c := t.Conn()
		for time.Now().Before(until) {
			if i < 2 {
				t.move(c, a, b, strconv.Itoa(1+rnds[i].Intn(9)))
				continue
			}
			t.addUp(c, a, b, i == 2)
		}
	})
}

func (t *T) move(c *wire.Conn, a, b, amount string) {
	buf := command(nil, "MULTI")
	buf = command(buf, "DECRBY", a, amount)
	buf = command(buf, "GET", a)
	buf = command(buf, "INCRBY", b, amount)
	t.Send(c, command(buf, "EXEC"))
	for range 4 {
		t.Receive(c)
	}
	if r := t.Receive(c); !matches("[:*, *, :*]", r) {
		t.Fail(c, "[:*, *, :*] for EXEC", r.String())
	}
}

func (t *T) addUp(c *wire.Conn, a, b string, inExec bool) {
	var both []model.Reply
	if inExec {
		buf := command(nil, "MULTI")
		buf = command(buf, "GET", a)
		buf = command(buf, "GET", b)
		t.Send(c, command(buf, "EXEC"))
		for range 3 {
			t.Receive(c)
		}
		both = t.Receive(c).Elems
	} else {
		both = t.Do(c, "MGET", a, b).Elems
	}
	if len(both) != 2 {
		t.Failf(c, "two values", "%d", len(both))
	}
	x, _ := strconv.Atoi(both[0].Str)
	y, _ := strconv.Atoi(both[1].Str)
	if x+y != 2000 {
		t.Failf(c, "a sum of 2000, as between any two transactions", "%d + %d = %d", x, y, x+y)
	}
}

// watchRace has clients increment by WATCH, GET, MULTI, SET, EXEC: each success counts once.
func watchRace(t *T) {
	k := t.Key("n")
	until := time.Now().Add(workersTime)
	var wins, losses atomic.Int64
	t.Workers(4, func(int) {
		c := t.Conn()
		for time.Now().Before(until) {
			if t.tryIncrement(c, k) {
				wins.Add(1)
			} else {
				losses.Add(1)
			}
		}
	})
	c := t.Conn()
	if got := t.Do(c, "GET", k); got.Str != fmt.Sprint(wins.Load()) {
		t.Fail(c, fmt.Sprintf("\"%d\", the number of EXECs that succeeded", wins.Load()), got.String())
	}
	t.Note("%d increments, %d lost races", wins.Load(), losses.Load())
}

func (t *T) tryIncrement(c *wire.Conn, k string) bool {
	t.Want(c, "+OK", "WATCH", k)
	n, _ := strconv.Atoi(t.Do(c, "GET", k).Str)
	buf := command(nil, "MULTI")
	buf = command(buf, "SET", k, strconv.Itoa(n+1))
	t.Send(c, command(buf, "EXEC"))
	t.Receive(c)
	t.Receive(c)
	r := t.Receive(c)
	if !matches("[+OK] | nil-array", r) {
		t.Fail(c, "[+OK] | nil-array for EXEC", r.String())
	}
	return !r.IsNull()
}

// watchExpiry watches a key that lives and executes around its deadline: whether EXEC may succeed
// is decided by the clock alone, exactly (EXEC-12).
func watchExpiry(t *T) {
	c := t.Conn()
	b := t.newBracket(c)
	null, ok := 0, 0
	for round := range 40 {
		k := t.Key(fmt.Sprint(round))
		deadline := b.fresh() + 5
		t.Want(c, "+OK", "SET", k, "v", "PXAT", fmt.Sprint(deadline))
		t.Want(c, "+OK", "WATCH", k)
		if b.fresh() > deadline {
			t.Want(c, "+OK", "UNWATCH")
			continue // too late: perhaps it was expired at WATCH
		}
		time.Sleep(time.Duration(t.Rand.Intn(8000)) * time.Microsecond)
		t.Want(c, "+OK", "MULTI")
		t.Want(c, "+QUEUED", "PING")
		b.fresh()
		r := b.do("EXEC")
		switch {
		case r.IsNull() && b.sureAlive(deadline):
			b.wrongSide("[+PONG]", r, []string{"EXEC"}, deadline)
		case !r.IsNull() && b.sureDead(deadline):
			b.wrongSide("nil-array", r, []string{"EXEC"}, deadline)
		case r.IsNull():
			null++
		default:
			ok++
		}
	}
	t.Note("%d transactions before the deadline, %d after it", ok, null)
}

// watchRemains watches a key that is expired and still there, which takes active expiry off
// (EXEC-13).
func watchRemains(t *T) {
	c, other := t.Conn(), t.Conn()
	t.stopActiveExpiry()
	for _, touch := range []string{"GET", "DEL", "SET"} {
		k := t.Key(touch)
		t.Want(c, "+OK", "SET", k, "v", "PX", "1")
		time.Sleep(5 * time.Millisecond)
		t.Want(c, "+OK", "WATCH", k)
		want := "[+PONG]"
		switch touch {
		case "GET":
			t.Want(other, "nil", "GET", k)
		case "DEL":
			t.Want(other, ":0", "DEL", k)
		default:
			t.Want(other, "+OK", "SET", k, "new")
			want = "nil-array"
		}
		t.Want(c, "+OK", "MULTI")
		t.Want(c, "+QUEUED", "PING")
		t.Want(c, want, "EXEC")
	}
}

// stopActiveExpiry lets only accesses expire keys, until the case ends.
func (t *T) stopActiveExpiry() {
	c := t.Conn()
	t.Undo(func() { _, _ = c.Do("DEBUG", "SET-ACTIVE-EXPIRE", "1") })
	if r := t.Do(c, "DEBUG", "SET-ACTIVE-EXPIRE", "0"); r.Kind == model.Error {
		t.Skip("the target has no DEBUG SET-ACTIVE-EXPIRE: " + r.Str)
	}
}

// oneReading sets equal times at both ends of a long transaction: one reading gives one deadline
// (EXEC-16).
func oneReading(t *T) {
	c := t.Conn()
	a, b := t.Key("a"), t.Key("b")
	buf := command(nil, "MULTI")
	buf = command(buf, "SET", a, "v", "PX", "100000")
	buf = command(buf, "DEBUG", "SLEEP", "0.005")
	buf = command(buf, "SET", b, "v", "PX", "100000")
	buf = command(buf, "PEXPIRETIME", a)
	buf = command(buf, "PEXPIRETIME", b)
	t.Send(c, command(buf, "EXEC"))
	for range 6 {
		t.Receive(c)
	}
	r := t.Receive(c)
	if !matches("[+OK, +OK, +OK, :*, :*]", r) {
		t.Fail(c, "[+OK, +OK, +OK, :*, :*] for EXEC", r.String())
	}
	if r.Elems[3].Int != r.Elems[4].Int {
		t.Failf(c, "one deadline for equal times in one EXEC", "deadlines %d ms apart",
			r.Elems[4].Int-r.Elems[3].Int)
	}
}
