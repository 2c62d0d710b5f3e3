package suite

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

var timeCases = []Case{
	{Name: "time/edge-of-a-deadline", Clauses: []string{"TIME-3", "TIME-5"}, Run: edgeOfADeadline},
	{Name: "time/every-command-at-the-edge", Clauses: []string{"TIME-4", "TIME-5", "TIME-12"},
		Run: everyCommandAtTheEdge},
	{Name: "time/remains-are-absent", Clauses: []string{"TIME-4", "TIME-14", "TIME-19", "KEY-7"},
		Needs: []string{"debug"}, Exclusive: true, Run: remainsAreAbsent},
	{Name: "time/relative", Clauses: []string{"TIME-2", "TIME-1", "STR-4"}, Run: relative},
	{Name: "time/rounding", Clauses: []string{"TIME-6"}, Run: rounding},
	{Name: "time/fresh-after-expiry", Clauses: []string{"TIME-14", "STR-17"}, Run: freshAfterExpiry},
	{Name: "time/clock", Clauses: []string{"TIME-18"}, Run: clock},
	{Name: "time/one-clock", Clauses: []string{"TIME-23"}, Needs: []string{"time", "pexpiretime"}, Run: oneClock},
	{Name: "time/listed-at-the-edge", Clauses: []string{"TIME-19", "KEY-4"},
		Needs: []string{"keys", "scan", "randomkey", "dbsize"}, Exclusive: true, Run: listedAtTheEdge},
	{Name: "time/active-expiry", Clauses: []string{"TIME-15"}, Needs: []string{"dbsize"},
		Exclusive: true, Run: activeExpiry},
	{Name: "time/active-expiry-lag", Clauses: []string{"TIME-16"}, Needs: []string{"dbsize"},
		Exclusive: true, Run: activeExpiryLag},
}

// setAt sets keys with deadlines of their own, in one pipeline.
func (t *T) setAt(c *wire.Conn, value string, ks []string, deadline func(i int) int64) {
	var buf []byte
	for i, k := range ks {
		buf = command(buf, "SET", k, value, "PXAT", strconv.FormatInt(deadline(i), 10))
	}
	t.Send(c, buf)
	for range ks {
		if r := t.Receive(c); r.Str != "OK" {
			t.Fail(c, "+OK for SET with PXAT", r.String())
		}
	}
}

// wrongSide fails with a reply that the clock rules out.
func (b *bracket) wrongSide(want string, got model.Reply, cmd []string, deadline int64) {
	b.t.Failf(b.c, fmt.Sprintf("%s for %s: the clock read %d to %d, the deadline is %d", want,
		describe(cmd), b.lo, b.hi, deadline), "%s", short(got.String()))
}

// edgeOfADeadline reads keys around their deadlines again and again. Each reading is bracketed by
// the target's own clock, so that an error of 1 ms in either direction is seen where the bracket
// is narrow, and nothing wrong is seen where it is not.
func edgeOfADeadline(t *T) {
	const spread = 24 // keys, one a millisecond
	c := t.Conn()
	b := t.newBracket(c)
	near := 0
	for round := range 8 {
		ks := make([]string, spread)
		for i := range ks {
			ks[i] = t.Key(fmt.Sprintf("%d-%d", round, i))
		}
		base := b.fresh() + 8
		at := func(i int) int64 { return base + int64(i) }
		t.setAt(c, "v", ks, at)
		for b.fresh() <= base+spread+3 {
			// Aim at the key whose deadline is now, and at its neighbours.
			i := min(max(0, int(b.hi-base)+t.Rand.Intn(3)-1), spread-1)
			r := b.do("GET", ks[i])
			switch {
			case r.IsNull() && b.sureAlive(at(i)):
				b.wrongSide(`"v"`, r, []string{"GET", ks[i]}, at(i))
			case !r.IsNull() && b.sureDead(at(i)):
				b.wrongSide("nil", r, []string{"GET", ks[i]}, at(i))
			case b.hi == at(i), b.lo == at(i)+1:
				near++
			}
		}
	}
	t.Note("%d readings within 1 ms of a deadline", near)
}

// edgeCommand is a command and its replies for a key that lives and for one that is absent.
type edgeCommand struct {
	line        string // %s is the key
	alive, dead string
}

var edgeCommands = []edgeCommand{
	{"GET %s", `"7"`, "nil"}, {"EXISTS %s", ":1", ":0"}, {"TYPE %s", "+string", "+none"},
	{"STRLEN %s", ":1", ":0"}, {"TTL %s", ":0..1000", ":-2"}, {"PTTL %s", ":0..1000000", ":-2"},
	{"PEXPIRETIME %s", ":1..9000000000000", ":-2"}, {"EXPIRETIME %s", ":1..9000000000", ":-2"},
	{"GETRANGE %s 0 -1", `"7"`, `""`}, {"TOUCH %s", ":1", ":0"}, {"MGET %s", `["7"]`, "[nil]"},
	{"GETEX %s", `"7"`, "nil"}, {"OBJECT ENCODING %s", `"int"`, "nil"},
	{"DEL %s", ":1", ":0"}, {"UNLINK %s", ":1", ":0"}, {"GETDEL %s", `"7"`, "nil"},
	{"PERSIST %s", ":1", ":0"}, {"EXPIRE %s 100", ":1", ":0"}, {"PEXPIRE %s 100000", ":1", ":0"},
	{"SETNX %s n", ":0", ":1"}, {"SET %s n XX", "+OK", "nil"}, {"SET %s n GET", `"7"`, "nil"},
	{"GETSET %s n", `"7"`, "nil"}, {"APPEND %s n", ":2", ":1"}, {"INCR %s", ":8", ":1"},
	{"INCRBYFLOAT %s 1", `"8"`, `"1"`}, {"DECRBY %s 2", ":5", ":-2"},
	{"SETRANGE %s 0 abc", ":3", ":3"},
	{"RENAME %s %s", "+OK", "-ERR no such key"}, {"COPY %s %sx", ":1", ":0"},
	{"MSETNX %s n", ":0", ":1"}, {"RENAMENX %s %sx", ":1", "-ERR no such key"},
}

// everyCommandAtTheEdge sends each command to keys near their deadlines: a millisecond before it,
// at it, and after it.
func everyCommandAtTheEdge(t *T) {
	c := t.Conn()
	b := t.newBracket(c)
	alive, dead := 0, 0
	for _, off := range []int64{0, 1, 2} {
		for _, n := range t.Rand.Perm(len(edgeCommands)) {
			cmd := edgeCommands[n]
			if !t.target.Caps().Has(edgeName(cmd.line)) {
				continue
			}
			k := t.Key(fmt.Sprintf("%d-%d", off, n))
			t.Key(fmt.Sprintf("%d-%dx", off, n)) // where COPY and RENAMENX put it
			deadline := b.fresh() + 1
			t.setAt(c, "7", []string{k}, func(int) int64 { return deadline })
			b.until(deadline - 1 + off)
			t.atTheEdge(b, cmd, k, deadline, &alive, &dead)
		}
	}
	t.Note("%d keys met alive, %d dead", alive, dead)
}

func edgeName(line string) string {
	words := strings.Fields(strings.ToLower(line))
	if words[0] == "object" {
		return "object|encoding"
	}
	return words[0]
}

func (t *T) atTheEdge(b *bracket, cmd edgeCommand, k string, deadline int64, alive, dead *int) {
	line := strings.Fields(strings.ReplaceAll(cmd.line, "%s", k))
	r := b.do(line...)
	isAlive, isDead := matches(cmd.alive, r), matches(cmd.dead, r)
	switch {
	case b.sureAlive(deadline) && !isAlive:
		b.wrongSide(cmd.alive, r, line, deadline)
	case b.sureDead(deadline) && !isDead:
		b.wrongSide(cmd.dead, r, line, deadline)
	case !isAlive && !isDead:
		b.wrongSide(cmd.alive+" | "+cmd.dead, r, line, deadline)
	case isAlive:
		*alive++
	default:
		*dead++
	}
}

// remainsAreAbsent takes active expiry off, so that expired keys are certainly still there when
// they are asked for.
func remainsAreAbsent(t *T) {
	c := t.Conn()
	db := t.Database(c)
	t.stopActiveExpiry()
	b := t.newBracket(c)
	var ks []string
	for i := range edgeCommands {
		ks = append(ks, t.KeyIn(db, fmt.Sprint(i)))
		t.KeyIn(db, fmt.Sprintf("%dx", i))
	}
	deadline := b.fresh() + 2
	t.setAt(c, "7", ks, func(int) int64 { return deadline })
	b.until(deadline + 1)
	t.Want(c, "[]", "KEYS", "*")
	t.Want(c, "nil", "RANDOMKEY")
	t.setAt(c, "7", ks, func(int) int64 { return deadline })
	t.Want(c, `["0", []]`, "SCAN", "0", "COUNT", "10000")
	t.setAt(c, "7", ks, func(int) int64 { return deadline })
	var alive, dead int
	for i, cmd := range edgeCommands {
		if t.target.Caps().Has(edgeName(cmd.line)) {
			t.atTheEdge(b, cmd, ks[i], deadline, &alive, &dead)
		}
	}
	t.freshHasNoDeadline(c, ks)
}

// freshHasNoDeadline looks at the keys that writes made from expired ones (TIME-14).
func (t *T) freshHasNoDeadline(c *wire.Conn, ks []string) {
	for i, k := range ks {
		if want := ":-1 | :-2"; !matches(want, t.Do(c, "PEXPIRETIME", k)) {
			t.Failf(c, "no deadline left over from an expired key, after "+edgeCommands[i].line, "%s",
				t.Do(c, "PEXPIRETIME", k).String())
		}
	}
}

// relativeForms are the ways to set a deadline from now; unit in ms.
var relativeForms = []struct {
	line string
	unit int64
}{
	{"SET %s v PX %d", 1}, {"SET %s v EX %d", 1000}, {"PSETEX %s %d v", 1}, {"SETEX %s %d v", 1000},
	{"PEXPIRE %s %d", 1}, {"EXPIRE %s %d", 1000}, {"GETEX %s PX %d", 1}, {"GETEX %s EX %d", 1000},
}

// relative sets deadlines from now, reads them, and finds each in the window of its command.
func relative(t *T) {
	c := t.Conn()
	b := t.newBracket(c)
	for round := range 40 {
		form := relativeForms[round%len(relativeForms)]
		n := int64(1000 + t.Rand.Intn(100_000))
		if !t.target.Caps().Has(edgeName(form.line)) {
			continue
		}
		k := t.Key(fmt.Sprint(round))
		t.Want(c, "+OK", "SET", k, "v")
		line := strings.Fields(fmt.Sprintf(form.line, k, n))
		b.fresh()
		r := b.do(line...)
		got := t.Want(c, ":*", "PEXPIRETIME", k).Int
		if lo, hi := b.lo+n*form.unit, b.hi+n*form.unit; r.Kind == model.Error || got < lo || got > hi {
			t.Failf(c, fmt.Sprintf("a deadline of %d to %d after %s", lo, hi, describe(line)),
				"%d, the reply being %s", got, r.String())
		}
	}
}

// rounding asks for distances and times that lie around the half seconds.
func rounding(t *T) {
	c := t.Conn()
	b := t.newBracket(c)
	k := t.Key("k")
	for _, ms := range []int64{0, 1, 499, 500, 501, 999} {
		deadline := (b.fresh()/1000+100)*1000 + ms
		t.Want(c, "+OK", "SET", k, "v", "PXAT", strconv.FormatInt(deadline, 10))
		t.Want(c, fmt.Sprintf(":%d", deadline), "PEXPIRETIME", k)
		t.Want(c, fmt.Sprintf(":%d", (deadline+500)/1000), "EXPIRETIME", k)
	}
	for round := range 60 {
		// The distance crosses a half second while TTL is asked: before it rounds up, after down.
		deadline := b.fresh() + 1500 + int64(round%5)*1000 + int64(t.Rand.Intn(4))
		t.Want(c, "+OK", "SET", k, "v", "PXAT", strconv.FormatInt(deadline, 10))
		b.fresh()
		got := b.do("TTL", k)
		lo, hi := (deadline-b.hi+500)/1000, (deadline-b.lo+500)/1000
		if got.Kind != model.Int || got.Int < lo || got.Int > hi {
			b.wrongSide(fmt.Sprintf(":%d..%d", lo, hi), got, []string{"TTL", k}, deadline)
		}
		got = b.do("PTTL", k)
		if got.Kind != model.Int || got.Int < deadline-b.hi || got.Int > deadline-b.lo {
			want := fmt.Sprintf(":%d..%d", deadline-b.hi, deadline-b.lo)
			b.wrongSide(want, got, []string{"PTTL", k}, deadline)
		}
	}
}

// freshAfterExpiry increments a counter across its deadline: it goes on until then, keeping the
// deadline, and starts anew after it, without one.
func freshAfterExpiry(t *T) {
	c := t.Conn()
	b := t.newBracket(c)
	for round := range 6 {
		k := t.Key(fmt.Sprint(round))
		deadline := b.fresh() + 6
		t.setAt(c, "100", []string{k}, func(int) int64 { return deadline })
		for last := int64(100); last >= 100; {
			r := b.do("INCR", k)
			switch {
			case r.Int == 1 && b.sureAlive(deadline):
				b.wrongSide(fmt.Sprintf(":%d", last+1), r, []string{"INCR", k}, deadline)
			case r.Int == last+1 && b.sureDead(deadline):
				b.wrongSide(":1", r, []string{"INCR", k}, deadline)
			case r.Int != 1 && r.Int != last+1:
				t.Fail(c, fmt.Sprintf(":%d | :1", last+1), r.String())
			}
			last = r.Int
		}
		t.Want(c, ":-1", "PTTL", k)
	}
}

// clock reads TIME many times on one connection; on this machine it is compared with our own.
func clock(t *T) {
	c := t.Conn()
	last := int64(0)
	for range 300 {
		before := time.Now().UnixMicro()
		now := t.now(c)
		after := time.Now().UnixMicro()
		if now < last {
			t.Failf(c, fmt.Sprintf("a time not before %d", last), "%d", now)
		}
		last = now
		if after < before || after-before > 1e6 {
			continue // our own clock was set, or we were held up
		}
		if t.target.Caps().Local && (now < before || now > after) {
			t.Failf(c, fmt.Sprintf("Unix time in microseconds, %d to %d here", before, after), "%d", now)
		}
	}
}

// listedAtTheEdge asks KEYS, SCAN, RANDOMKEY and DBSIZE while keys expire one each millisecond.
func listedAtTheEdge(t *T) {
	const keys = 40
	c := t.Conn()
	db := t.Database(c)
	b := t.newBracket(c)
	for round := range 3 {
		deadlines := map[string]int64{}
		ks := make([]string, keys)
		base := b.fresh() + 8
		at := func(i int) int64 { return base + int64(i) }
		for i := range ks {
			ks[i] = t.KeyIn(db, fmt.Sprintf("%d-%d", round, i))
			deadlines[ks[i]] = at(i)
		}
		t.setAt(c, "v", ks, at)
		for b.fresh() <= base+keys+2 {
			t.listed(b, deadlines)
		}
		t.eventually("expired keys to be removed", func() bool { return t.Do(c, "DBSIZE").Int == 0 })
	}
}

func (t *T) listed(b *bracket, deadlines map[string]int64) {
	for _, line := range [][]string{{"KEYS", "*"}, {"SCAN", "0", "COUNT", "10000"}, {"RANDOMKEY"}} {
		b.fresh()
		r := b.do(line...)
		shown := r.Elems
		switch {
		case line[0] == "SCAN" && len(r.Elems) == 2:
			shown = r.Elems[1].Elems
		case r.Kind == model.Bulk:
			shown = []model.Reply{r}
		}
		seen := map[string]bool{}
		for _, e := range shown {
			seen[e.Str] = true
			if d, ours := deadlines[e.Str]; ours && b.sureDead(d) {
				b.wrongSide("no expired key", e, line, d)
			}
		}
		for k, d := range deadlines {
			if b.sureAlive(d) && !seen[k] && line[0] != "RANDOMKEY" {
				b.wrongSide("every live key", model.Str("none of "+k), line, d)
			}
		}
	}
	n := b.do("DBSIZE").Int
	alive := int64(0)
	for _, d := range deadlines {
		if b.sureAlive(d) {
			alive++
		}
	}
	if n < alive {
		t.Failf(b.c, fmt.Sprintf("at least the %d live keys in DBSIZE", alive), "%d", n)
	}
}

// activeExpiry lets keys expire that nobody asks for: DBSIZE falls to 0 by itself.
func activeExpiry(t *T) {
	c := t.Conn()
	db := t.Database(c)
	ks := make([]string, 200)
	for i := range ks {
		ks[i] = t.KeyIn(db, fmt.Sprint(i))
	}
	deadline := t.now(c)/1000 + 20
	t.setAt(c, "v", ks, func(int) int64 { return deadline })
	for until := time.Now().Add(closeTimeout); ; time.Sleep(2 * time.Millisecond) {
		before := t.now(c) / 1000
		n := t.Want(c, ":*", "DBSIZE").Int
		now := t.now(c) / 1000
		switch {
		case n < int64(len(ks)) && now <= deadline:
			want := fmt.Sprintf("%d keys at %d, their deadline being %d", len(ks), now, deadline)
			t.Failf(c, want, "%d", n)
		case n == 0:
			t.Note("gone at most %d ms after the deadline", now-deadline)
			return
		case time.Now().After(until):
			t.Failf(c, "no key left after the deadline", "%d left %d ms after it", n, before-deadline)
		}
	}
}

// activeExpiryLag has few due keys among many that are far from due: what their removal costs
// should depend on the former only.
func activeExpiryLag(t *T) {
	const far, due, patience = 30_000, 300, 1500
	c := t.Conn()
	db := t.Database(c)
	ks := make([]string, far)
	for i := range ks {
		ks[i] = t.KeyIn(db, fmt.Sprintf("far%d", i))
	}
	later := t.now(c)/1000 + 3_600_000
	t.setAt(c, "v", ks, func(int) int64 { return later })
	ks = ks[:due]
	for i := range ks {
		ks[i] = t.KeyIn(db, fmt.Sprintf("due%d", i))
	}
	deadline := t.now(c)/1000 + 30
	t.setAt(c, "v", ks, func(int) int64 { return deadline })
	for {
		n := t.Want(c, ":*", "DBSIZE").Int
		lag := t.now(c)/1000 - deadline
		if n == far {
			t.Note("%d due keys among %d others were gone %d ms after their deadline", due, far, lag)
			return
		}
		if lag > patience {
			t.Failf(c, fmt.Sprintf("%d due keys among %d others removed soon", due, far),
				"%d left %d ms after their deadline", n-far, lag)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// oneClock sets a deadline between two readings of TIME: what it counts from lies between them.
func oneClock(t *T) {
	const life = 100_000
	c := t.Conn()
	for range 20 {
		before := t.now(c) / 1000
		t.Do(c, "SET", t.Key("k"), "v", "PX", strconv.Itoa(life))
		r := t.Do(c, "PEXPIRETIME", t.Key("k"))
		after := t.now(c) / 1000
		if from := r.Int - life; r.Kind != model.Int || from < before || from > after {
			t.Failf(c, fmt.Sprintf("a deadline %d ms after a moment between the two TIMEs around it, %d and %d",
				life, before, after), "%s", r.String())
		}
	}
}
