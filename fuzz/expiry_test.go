package fuzz

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rondo/check/wire"
	"rondo/impl"
	"rondo/model"
)

// FuzzExpiry: bytes become commands about deadlines and moves of the clocks: time passes from timer to
// timer, the process is late, the wall clock jumps, active expiry changes its strategy or stops. A
// plain map says which keys live. A read shows no key past its deadline (TIME-4); no live key is lost;
// and by the ordered strategy due keys are gone when they are due, in few turns (TIME-15, TIME-16).
//
// The map is all there is of a model here: what commands reply is for others to judge.
func FuzzExpiry(f *testing.F) {
	for seed := range uint64(6) {
		addSeed(f, noise(seed+100, 150*int(seed+1)))
	}
	addSeed(f, dueTogether())
	addSeed(f, inTheTick())
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newExpiry(t, &reader{data})
		for n := 0; !x.r.done() && n < expiryOpsMax; n++ {
			x.step()
		}
		x.settle()
	})
}

const (
	expiryOpsMax   = 250
	expiryPassMax  = 5 * time.Second
	expiryBulkMax  = 3
	expirySettle   = 30 * time.Second
	expiryTurnKeys = 1024 // that a turn removes, if it has the time
)

// dueTogether is a seed in which thousands of keys are due in the same millisecond, by either
// strategy.
func dueTogether() []byte {
	bulk := []byte{exBulk, 0xff, 0xff, 5}
	return append(append(append([]byte{0}, bulk...), exLate, 6, 3, exStrategy, 1),
		append(bulk, exPass, 7, 3, exStrategy, 0, exPass, 0, 0)...)
}

// inTheTick is a seed in which the tick of sampled expiry, at 100 ms, comes in the millisecond of a
// deadline.
func inTheTick() []byte {
	wait := func(scale, n byte) []byte { return []byte{exPass, scale, n} }
	return slices.Concat([]byte{1}, wait(3, 7), wait(0, 7), // to 28 and 35
		[]byte{exSet, 0, 4, 1}, wait(4, 1), wait(0, 1)) // 64 + 1 on, and there
}

// life is what the map knows of a key.
type life struct {
	deadline int64 // ms, or forever
	// doubtful: it was due while the strategy that may miss keys was at work. It is gone, or will be
	// there again when the clock is set back.
	doubtful bool
}

const forever = int64(1) << 62

// expiry is a server and the map beside it.
type expiry struct {
	*solo
	t       *testing.T
	r       *reader
	lives   map[string]life
	sampled bool
	off     bool
	late    bool // the clock moved while the server was not looking
	bulks   int
}

func newExpiry(t *testing.T, r *reader) *expiry {
	cfg := impl.DefaultConfig()
	cfg.DebugCommand = "yes"
	x := &expiry{solo: newSolo(cfg), t: t, r: r, lives: map[string]life{}}
	if r.below(2) == 1 {
		x.strategy(true)
	}
	return x
}

// The operations, by their byte.
const (
	exSet = iota
	exPlain
	exDeadline
	exPast
	exPersist
	exDel
	exGet
	exTTL
	exRename
	exCopy
	exPass
	exLate
	exJump
	exStrategy
	exOff
	exBulk
	exCount
)

func (x *expiry) step() {
	switch x.r.next() % exCount {
	case exSet:
		x.set(x.key(), x.now()+1+x.span())
	case exPlain:
		x.set(x.key(), forever)
	case exDeadline:
		x.setDeadline(x.key(), x.now()+x.span()+1)
	case exPast:
		x.setDeadline(x.key(), x.now()-x.span())
	case exPersist:
		x.persist(x.key())
	case exDel:
		x.del(x.key())
	case exGet:
		x.get(x.key())
	case exTTL:
		x.ttl(x.key())
	case exRename:
		x.rename(x.key(), x.key())
	case exCopy:
		x.copyTo(x.key(), x.key())
	case exPass:
		x.pass(min(time.Duration(x.span())*time.Millisecond, expiryPassMax))
	case exLate:
		x.Advance(time.Duration(x.span()) * time.Millisecond)
		x.late = true
	case exJump:
		x.jump()
	case exStrategy:
		x.strategy(x.r.below(2) == 1)
	case exOff:
		x.stop(x.r.below(2) == 1)
	case exBulk:
		x.bulk()
	}
	x.count()
}

func (x *expiry) key() string { return "k" + strconv.Itoa(x.r.below(24)) }

// span is a time: mostly of few milliseconds, so that deadlines come near each other.
func (x *expiry) span() int64 {
	scale := [...]uint{0, 0, 0, 2, 6, 10, 16, 26}[x.r.below(8)]
	return int64(x.r.below(8)) << scale
}

func (x *expiry) now() int64 { return x.Wall() / 1e6 }

// alive tells whether a key must be there.
func (x *expiry) alive(key string) bool {
	l, known := x.lives[key]
	return known && !l.doubtful && l.deadline >= x.now()
}

// say sends a command and compares the reply.
func (x *expiry) say(want string, words ...string) {
	x.t.Helper()
	got, _ := x.ask(words...)
	x.looked()
	if got.String() != want {
		x.t.Fatalf("at %d %q answers %s, want %s", x.now(), words, got, want)
	}
}

// sure asks whether a doubtful key is there, and forgets one that is due: to ask for it deletes it.
func (x *expiry) sure(key string) bool {
	l, known := x.lives[key]
	if known && l.doubtful && l.deadline >= x.now() {
		got, _ := x.ask("EXISTS", key)
		l.doubtful = false
		if x.lives[key] = l; got.Int == 0 {
			delete(x.lives, key)
		}
		x.looked()
	}
	if !x.alive(key) {
		delete(x.lives, key)
	}
	return x.alive(key)
}

func (x *expiry) set(key string, deadline int64) {
	if deadline == forever {
		x.say("+OK", "SET", key, key)
	} else {
		x.say("+OK", "SET", key, key, "PXAT", strconv.FormatInt(deadline, 10))
	}
	x.lives[key] = life{deadline: deadline}
}

func (x *expiry) setDeadline(key string, deadline int64) {
	there := x.sure(key)
	x.say(number(there), "PEXPIREAT", key, strconv.FormatInt(deadline, 10))
	switch {
	case there && deadline <= x.now():
		delete(x.lives, key) // TIME-12: it goes at once
	case there:
		x.lives[key] = life{deadline: deadline}
	}
}

func number(yes bool) string {
	if yes {
		return ":1"
	}
	return ":0"
}

func (x *expiry) persist(key string) {
	there := x.sure(key)
	x.say(number(there && x.lives[key].deadline != forever), "PERSIST", key)
	if there {
		x.lives[key] = life{deadline: forever}
	}
}

func (x *expiry) del(key string) {
	x.say(number(x.sure(key)), "DEL", key)
	delete(x.lives, key)
}

func (x *expiry) get(key string) {
	there := x.sure(key)
	if got, _ := x.ask("GET", key); got.IsNull() == there {
		x.t.Fatalf("at %d %s with deadline %d reads as %s", x.now(), key, x.lives[key].deadline, got)
	}
	x.looked()
}

func (x *expiry) ttl(key string) {
	left := int64(-2)
	if x.sure(key) {
		if left = -1; x.lives[key].deadline != forever {
			left = x.lives[key].deadline - x.now()
		}
	}
	x.say(":"+strconv.FormatInt(left, 10), "PTTL", key)
}

func (x *expiry) rename(from, to string) {
	if !x.sure(from) {
		x.say("-ERR no such key", "RENAME", from, to)
		return
	}
	x.say("+OK", "RENAME", from, to)
	l := x.lives[from]
	delete(x.lives, from)
	x.lives[to] = l
}

func (x *expiry) copyTo(from, to string) {
	if from == to {
		return
	}
	there := x.sure(from)
	x.say(number(there), "COPY", from, to, "REPLACE")
	if there {
		x.lives[to] = x.lives[from]
	}
}

// jump moves the wall clock alone.
func (x *expiry) jump() {
	d := time.Duration(x.span()) * time.Millisecond
	if x.r.below(2) == 0 {
		d = -d
	}
	if to := x.Wall() + int64(d); to > 1e18 && to < 3e18 {
		x.SetWall(to)
		x.late = true
	}
}

func (x *expiry) strategy(sampled bool) {
	name := "ordered"
	if sampled {
		name = "sampled"
	}
	x.sampled = x.sampled || sampled // while the answer comes either may be at work
	x.say("+OK", "CONFIG", "SET", "active-expiry", name)
	x.sampled = sampled
}

func (x *expiry) stop(off bool) {
	if off {
		x.off = true // while the answer comes expiry may be at work or not
		x.doubt()
	}
	x.say("+OK", "DEBUG", "SET-ACTIVE-EXPIRE", strings.TrimPrefix(number(!off), ":"))
	x.off = off
}

// bulk sets very many keys with one deadline.
func (x *expiry) bulk() {
	n, deadline := x.r.wide(2500)+1, x.now()+1+x.span()
	if x.bulks++; x.bulks > expiryBulkMax {
		return
	}
	var request []byte
	for i := range n {
		key := fmt.Sprintf("bulk:%d:%d", x.bulks, i)
		request = wire.AppendCommand(request, toArgs([]string{"SET", key, "", "PXAT", strconv.FormatInt(deadline, 10)})...)
		x.lives[key] = life{deadline: deadline}
	}
	x.peer.Send(string(request))
	for taken := 0; taken < 5*n; {
		got := x.peer.Recv()
		taken += len(got)
		x.turns(0)
		if got == "" && x.peer.Closed() {
			x.t.Fatal("the connection was closed")
		}
	}
	x.looked()
}

// turns lets time pass, and counts the turns.
func (x *expiry) turns(d time.Duration) (n int) {
	err := x.Pass(d, func() error { n++; return x.server.Turn() })
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// pass lets the server's timers run. What is due already goes in few turns; what comes due meanwhile
// goes when it does, unless the server was late before.
func (x *expiry) pass(d time.Duration) {
	due := 0
	for _, l := range x.lives {
		if l.deadline < x.now() {
			due++
		}
	}
	if n := x.turns(0); !x.sampled && n > 4+2*due/expiryTurnKeys {
		x.t.Fatalf("%d turns for %d due keys", n, due)
	}
	x.looked()
	x.say("+OK", "LOOP", "RESET")
	x.turns(d)
	x.looked()
	if got, _ := x.ask("LOOP", "HISTOGRAM", "expiry-lag"); !x.sampled && !x.off && !atOnce(got) {
		x.t.Fatalf("keys were late though the clock went from timer to timer: %s", got)
	}
	x.looked()
}

// atOnce tells whether a distribution has all in its first place, of no time at all.
func atOnce(said model.Reply) bool {
	if len(said.Elems) != 2 || len(said.Elems[1].Elems) != 4 {
		return false
	}
	d := said.Elems[1].Elems
	places := d[3].Elems
	return d[1].Int == 0 || len(places) >= 2 && places[0].Int <= 1 && places[1].Int == d[1].Int
}

// looked: the server has had its turns, so that by the ordered strategy all that was due is gone, and
// by the other one is in doubt.
func (x *expiry) looked() {
	x.late = false
	switch {
	case x.sampled:
		x.doubt()
	case !x.off:
		for key, l := range x.lives {
			if l.deadline < x.now() {
				delete(x.lives, key)
			}
		}
	}
}

func (x *expiry) doubt() {
	for key, l := range x.lives {
		if l.deadline < x.now() {
			l.doubtful = true
			x.lives[key] = l
		}
	}
}

// count compares the number of keys: none that lives is lost, and none is there that should be gone.
func (x *expiry) count() {
	x.t.Helper()
	if x.late {
		return // the next thing to happen is to happen to a server that has not noticed
	}
	got, _ := x.ask("DBSIZE")
	x.looked()
	least := 0
	for key := range x.lives {
		if x.alive(key) {
			least++
		}
	}
	if got.Int < int64(least) || got.Int > int64(len(x.lives)) {
		x.t.Fatalf("at %d (sampled %v, off %v) there are %d keys; %d live, and %d may be there",
			x.now(), x.sampled, x.off, got.Int, least, len(x.lives))
	}
}

// settle: in the end no key is left that is due, by either strategy, and every other one is there.
func (x *expiry) settle() {
	x.stop(false)
	x.turns(expirySettle)
	x.looked()
	if x.sampled {
		for key, l := range x.lives {
			if l.deadline < x.now() {
				delete(x.lives, key)
			}
		}
	}
	for key := range x.lives {
		x.sure(key)
	}
	got, _ := x.ask("DBSIZE")
	if got.Int != int64(len(x.lives)) {
		x.t.Fatalf("%d keys are left after %v, %d live", got.Int, expirySettle, len(x.lives))
	}
}
