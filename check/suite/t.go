package suite

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"sync"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec"
)

// T is a case's handle on its target. Its methods may be called from the workers of Workers; Rand
// may not: give each worker a generator of its own with NewRand.
type T struct {
	Rand *rand.Rand

	target *target.Target
	prefix string
	as     string // the baseline

	mu        sync.Mutex
	conns     []*wire.Conn
	cut       bool // the case has had its time
	keys      map[key]bool
	undo      []func()
	result    Result
	ended     bool // the result is decided
	unreached bool // a connection could not be opened
	clause    string
}

type key struct {
	db   int
	name string
}

// abort is what a decided case panics with, to leave through all its functions.
type abort struct{}

func newT(tg *target.Target, c Case, prefix string, rnd *rand.Rand, res Result) *T {
	return &T{Rand: rnd, target: tg, prefix: prefix, keys: map[key]bool{}, result: res}
}

// Key makes a name that is used nowhere else; the key is deleted when the case ends.
func (t *T) Key(name string) string { return t.KeyIn(t.home(), name) }

// home is the database that connections begin in.
func (t *T) home() int { return t.target.Access().DB }

// KeyIn is Key for a key of another database.
func (t *T) KeyIn(db int, name string) string {
	name = t.prefix + name
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys[key{db, name}] = true
	return name
}

// NewRand is a generator for one worker.
func (t *T) NewRand() *rand.Rand { return rand.New(rand.NewSource(t.Rand.Int63())) }

// Conn opens a connection to the target, closed when the case ends.
func (t *T) Conn() *wire.Conn { return t.ConnTo(t.target) }

// ConnTo is Conn to another server than the target, an instance that the case started.
func (t *T) ConnTo(tg *target.Target) *wire.Conn {
	c, err := tg.Dial()
	if err != nil {
		t.Broken(err)
	}
	c.SetReadTimeout(replyTimeout)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = append(t.conns, c)
	if t.cut {
		c.Close()
	}
	return c
}

// Again starts another instance of the target, stopped when the case ends.
func (t *T) Again(extra ...string) *target.Target {
	tg, err := t.target.Again(extra...)
	if err != nil {
		t.Broken(err)
	}
	t.Undo(tg.Kill)
	return tg
}

// Undo is called when the case ends, the last one first.
func (t *T) Undo(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undo = append(t.undo, f)
}

// end undoes, deletes the keys and closes the connections. None of it changes the verdict.
func (t *T) end() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
	for _, c := range t.conns {
		c.Close()
	}
	if len(t.keys) == 0 {
		return
	}
	if c, err := t.target.Dial(); err == nil {
		defer c.Close()
		var all []byte
		for k := range t.keys {
			if k.db != t.home() {
				all = command(all, "SELECT", strconv.Itoa(k.db))
			}
			all = command(all, "DEL", k.name)
			if k.db != t.home() {
				all = command(all, "SELECT", strconv.Itoa(t.home()))
			}
		}
		_ = c.SendRaw(command(all, "PING"))
		for r := (model.Reply{}); err == nil && r.Str != "PONG"; {
			r, err = c.Receive(time.Time{})
		}
	}
}

// cutOff closes the connections of a case that has had its time.
func (t *T) cutOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	for _, c := range t.conns {
		c.Close()
	}
}

// Clause says which clause of several the checks that follow are about.
func (t *T) Clause(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clause = id
}

// decide ends the case. The first decision counts: workers may come to several.
func (t *T) decide(v Verdict, reason, expected, actual string, c *wire.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.ended = true
		t.result.Verdict, t.result.Reason = v, reason
		t.result.Expected, t.result.Actual = clip(expected), clip(actual)
		if c != nil {
			t.result.Wire = c.Log()
		}
		if t.clause != "" && (v == Fail || v == NonStrict || v == Info) {
			t.result.Clauses = []string{t.clause}
		}
	}
	panic(abort{})
}

func clip(s string) string {
	const most = 600 // what a conversation has shortened stays as it is
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:most], len(s))
}

// Fail ends the case: the target did something else than it must, or should. c, if not nil, is the
// connection whose wire log tells more.
func (t *T) Fail(c *wire.Conn, expected, actual string) {
	t.mu.Lock()
	about := t.result.Clauses
	if t.clause != "" {
		about = []string{t.clause}
	}
	t.mu.Unlock()
	verdict := map[spec.Level]Verdict{spec.Must: Fail, spec.Should: NonStrict, spec.May: Info}
	t.decide(verdict[level(about, t.as)], fmt.Sprintf("expected %s, got %s", short(expected), short(actual)),
		expected, actual, c)
}

func short(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// Failf is Fail with a formatted actual.
func (t *T) Failf(c *wire.Conn, expected, format string, args ...any) {
	t.Fail(c, expected, fmt.Sprintf(format, args...))
}

// Skip ends the case without evidence.
func (t *T) Skip(reason string) { t.decide(Skip, reason, "", "", nil) }

// Broken ends the case: the harness or the environment failed.
func (t *T) Broken(err error) {
	t.mu.Lock()
	t.unreached = t.unreached || notThere(err)
	t.mu.Unlock()
	t.decide(Error, err.Error(), "", "", nil)
}

// Note goes with a pass: what was measured.
func (t *T) Note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Reason = fmt.Sprintf(format, args...)
}

// Do sends a command and returns its reply. No reply, or one that is no RESP, ends the case.
func (t *T) Do(c *wire.Conn, args ...string) model.Reply {
	r, err := c.Do(args...)
	if err != nil {
		t.Failf(c, "a reply to "+describe(args), "%v", err)
	}
	return t.excused(args, r)
}

// excused ends the case where a reply says that the target is not the one to ask, that this user
// may not, or that it has no such command: nothing is known about it then.
func (t *T) excused(args []string, r model.Reply) model.Reply {
	if why := cmp.Or(t.target.Excuse(r), t.target.Lacks(args, r)); why != "" {
		t.Skip(why)
	}
	return r
}

// Receive returns the next reply of a pipeline.
func (t *T) Receive(c *wire.Conn) model.Reply {
	r, err := c.Receive(time.Time{})
	if err != nil {
		t.Fail(c, "a reply", err.Error())
	}
	return t.excused(nil, r)
}

// Send writes bytes.
func (t *T) Send(c *wire.Conn, b []byte) {
	if err := c.SendRaw(b); err != nil {
		t.Failf(c, "the server takes what is sent", "%v", err)
	}
}

// Want is Do with a reply that must match a pattern of the spec's notation.
func (t *T) Want(c *wire.Conn, pattern string, args ...string) model.Reply {
	r := t.Do(c, args...)
	if !matches(pattern, r) {
		t.Fail(c, pattern+" for "+describe(args), r.String())
	}
	return r
}

var patterns sync.Map // text to spec.Pattern: parsed once

func matches(pattern string, r model.Reply) bool {
	p, ok := patterns.Load(pattern)
	if !ok {
		parsed, err := spec.ParsePattern(pattern)
		if err != nil {
			panic(err)
		}
		p, _ = patterns.LoadOrStore(pattern, parsed)
	}
	return p.(spec.Pattern).Match(r.String())
}

// WantClosed reads to the end: no further reply, then the server's close.
func (t *T) WantClosed(c *wire.Conn) {
	r, err := c.Receive(time.Now().Add(closeTimeout))
	if err == nil {
		t.Fail(c, "the connection is closed", r.String())
	}
	if !errors.Is(err, wire.ErrClosed) {
		t.Fail(c, "the connection is closed", err.Error())
	}
}

// Workers runs n functions side by side and waits for them. If one of them ends the case the
// others are not stopped: they have to end by themselves.
func (t *T) Workers(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			defer t.recover()
			work(i)
		})
	}
	wg.Wait()
	t.mu.Lock()
	ended := t.ended
	t.mu.Unlock()
	if ended {
		panic(abort{})
	}
}

func describe(args []string) string {
	text := ""
	for i, a := range args {
		switch {
		case i == 8:
			return text + " ..."
		case i > 0:
			text += " "
		}
		if len(a) > 40 {
			a = a[:40] + "..."
		}
		if q := strconv.Quote(a); len(q) == len(a)+2 && a != "" {
			text += a
		} else {
			text += q
		}
	}
	return text
}

// command appends a command in RESP.
func command(buf []byte, args ...string) []byte {
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = []byte(a)
	}
	return wire.AppendCommand(buf, words...)
}

// Database is a database without keys, for what is about a whole keyspace. It is not emptied, but
// a case that uses it must run alone.
func (t *T) Database(c *wire.Conn) int {
	for _, db := range slices.Backward(t.target.Databases()) {
		t.inDatabase(c, db)
		if t.Want(c, ":*", "DBSIZE").Int == 0 {
			return db
		}
	}
	t.Skip("no empty database: empty one, or allow it with -flush")
	return 0
}

// inDatabase selects a database, if there is more than one to choose from.
func (t *T) inDatabase(c *wire.Conn, db int) {
	if len(t.target.Databases()) > 1 {
		t.Want(c, "+OK", "SELECT", strconv.Itoa(db))
	}
}
