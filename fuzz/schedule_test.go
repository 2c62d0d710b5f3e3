//go:build !gofuzz

package fuzz

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rondo/check/explore"
	"rondo/check/linear"
	"rondo/check/mutant/reactor"
	"rondo/fuzz/world"
)

// A property of concurrent programs that shrinks: rapid draws what several clients send, and when, among
// turns of the loop and time that passes. The verdict is check/linear's, from what the clients saw
// alone: the world's model is out of it. Whatever is not needed for a failure goes, programs and
// schedule together, and what is left is printed as a table.

// move is a step of a schedule. The programs of the clients are what they send, in this order.
type move struct {
	kind   moveKind
	client int
	words  string
	ms     int
}

type moveKind int

const (
	rounds moveKind = iota // turns until the loop rests, and everybody takes what there is
	turns
	sends
	takes
	waits
	watches // and this: some of the others
	expires
)

// GoString is how rapid shows what it has drawn.
func (m move) GoString() string { return fmt.Sprintf("%+v", m.row("")) }

// row is the move in the column of who makes it; got is what clients have taken.
func (m move) row(got string) explore.Row {
	switch m.kind {
	case sends:
		return explore.Row{Client: explore.Name(m.client) + " sends " + m.words}
	case takes:
		return explore.Row{Client: cmp.Or(got, explore.Name(m.client)+" takes nothing")}
	case waits:
		return explore.Row{Kernel: fmt.Sprintf("%d ms pass", m.ms)}
	}
	if m.kind == turns {
		return explore.Row{Loop: "a turn"}
	}
	return explore.Row{Client: got, Loop: "turns"}
}

// focus are some of the commands: programs over few of them meet what takes several of the same kind
// much sooner than programs over all. What sets a deadline and what reads is always among them.
func focus(t *rapid.T) *rapid.Generator[string] {
	some := append([]string{"GET K", "SET K V PX T"},
		rapid.SliceOfN(rapid.SampledFrom(schedulesAlphabet), 1, 4).Draw(t, "alphabet")...)
	return rapid.Custom(func(t *rapid.T) string {
		var words []string
		for word := range strings.FieldsSeq(rapid.SampledFrom(some).Draw(t, "command")) {
			if pool := schedulesPools[word]; pool != nil {
				word = rapid.SampledFrom(pool).Draw(t, word)
			}
			words = append(words, word)
		}
		return strings.Join(words, " ")
	})
}

var (
	schedulesAlphabet = strings.Split("SET K V|INCR K|APPEND K V|DEL K|GETDEL K|GETSET K V|EXISTS K K|MGET K K|PTTL K|"+
		"PEXPIRE K T|PERSIST K|RENAME K K|COPY K K|MSET K V K V|WATCH K|MULTI|EXEC|DISCARD|DBSIZE", "|")
	schedulesPools = map[string][]string{"K": {"a", "b"}, "V": {"1", "x"}, "T": {"1", "2", "4"}}
)

const (
	schedulesParts   = 20
	schedulesClients = 3
)

// schedules are moves one by one, with a transaction that watches a key here and there.
func schedules(t *rapid.T) []move {
	commands := focus(t)
	part := rapid.Custom(func(t *rapid.T) []move {
		kind := rapid.SampledFrom([]moveKind{rounds, rounds, turns, sends, sends, sends, takes, waits, watches, expires}).Draw(t, "kind")
		m := move{kind: kind}
		switch kind {
		case waits:
			m.ms = rapid.IntRange(1, 5).Draw(t, "ms")
		case sends, takes, watches, expires:
			m.client = rapid.IntRange(0, schedulesClients-1).Draw(t, "client")
		}
		switch kind {
		case sends:
			m.words = commands.Draw(t, "words")
		case watches:
			return m.watched(t, commands)
		case expires:
			return m.expired(t, commands)
		}
		return []move{m}
	})
	return slices.Concat(rapid.SliceOfN(part, 1, schedulesParts).Draw(t, "schedule")...)
}

// watched is a transaction of a client on a key that it watches, which may have got a deadline before.
// Any of a turn, a command of the next client and some time may come in between.
func (m move) watched(t *rapid.T, commands *rapid.Generator[string]) []move {
	draw := func(name string) string { return rapid.SampledFrom(schedulesPools[name]).Draw(t, name) }
	send := func(words string) move { return move{kind: sends, client: m.client, words: words} }
	key := draw("K")
	var moves []move
	if rapid.Bool().Draw(t, "deadline") {
		moves = append(moves, send("SET "+key+" 1 PX "+draw("T")))
	}
	moves = append(moves, send("WATCH "+key))
	if rapid.Bool().Draw(t, "turn") {
		moves = append(moves, move{kind: rounds})
	}
	if rapid.Bool().Draw(t, "other") {
		other := (m.client + 1) % schedulesClients
		moves = append(moves, move{kind: sends, client: other, words: commands.Draw(t, "words")})
	}
	if ms := rapid.IntRange(0, 5).Draw(t, "ms"); ms > 0 {
		moves = append(moves, move{kind: waits, ms: ms})
	}
	return append(moves, send("MULTI"), send("GET "+key), send("EXEC"))
}

// expired is a key with a deadline, a command that may do something to it, and a look at it later.
func (m move) expired(t *rapid.T, commands *rapid.Generator[string]) []move {
	draw := func(name string) string { return rapid.SampledFrom(schedulesPools[name]).Draw(t, name) }
	send := func(words string) move { return move{kind: sends, client: m.client, words: words} }
	return []move{send("SET " + draw("K") + " 1 PX " + draw("T")), send(commands.Draw(t, "words")), {kind: rounds},
		{kind: waits, ms: rapid.IntRange(1, 5).Draw(t, "ms")}, send("GET " + draw("K"))}
}

// TestSchedulesAreLinearizable looks for a schedule that is not, and prints the smallest.
func TestSchedulesAreLinearizable(t *testing.T) {
	var smallest []move
	defer func() {
		if t.Failed() && smallest != nil {
			rows, broken := played(t, reduced(t, smallest))
			t.Logf("the schedule:\n%s", explore.Table(rows, *broken))
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		moves := schedules(t)
		if _, broken := played(t, moves); broken != nil {
			smallest = moves
			t.Fatal("a schedule is not linearizable") // the same each time: rapid shrinks what fails alike
		}
	})
}

// reduced leaves out moves, as long as what is left is not linearizable either. rapid, which has made
// the schedule small, does not take apart what it has drawn as one.
func reduced(t rapid.TB, moves []move) []move {
	for again := true; again; {
		again = false
		for fewer := range reductions(moves) {
			if _, broken := played(t, fewer); broken != nil {
				moves, again = fewer, true
				break
			}
		}
	}
	return moves
}

// reductions are the schedules of one move less: without it, or with its time in another wait.
func reductions(moves []move) iter.Seq[[]move] {
	return func(yield func([]move) bool) {
		for i, m := range moves {
			if !yield(slices.Delete(slices.Clone(moves), i, i+1)) {
				return
			}
			for j := range moves {
				if i == j || m.kind != waits || moves[j].kind != waits {
					continue
				}
				longer := slices.Clone(moves)
				longer[j].ms += m.ms
				if !yield(slices.Delete(longer, i, i+1)) {
					return
				}
			}
		}
	}
}

// played runs a schedule until all is answered, and judges what was seen.
func played(t rapid.TB, moves []move) (rows []explore.Row, broken *explore.Violation) {
	w, err := world.New(world.Options{Seed: 1, Recorded: true, Unjudged: true, Unaudited: true})
	if err != nil {
		t.Fatal(err)
	}
	for range schedulesClients {
		w.Dial()
	}
	if err := w.Settle(); err != nil { // they are accepted
		t.Fatal(err)
	}
	for _, m := range moves {
		got, err := makeMove(w, m)
		rows = append(rows, m.row(got))
		if err != nil {
			return rows, seenInside(t, err)
		}
	}
	before := taken(w)
	if err := w.Settle(); err != nil {
		return rows, seenInside(t, err)
	}
	if late := since(w, before); late != "" {
		rows = append(rows, explore.Row{Client: late, Loop: "turns, until all is answered"})
	}
	h := w.History()
	inCallOrder(h.Ops)
	res := linear.Check(h, linear.Options{Timeout: 5 * time.Second, Memory: 256 << 20})
	return rows, violation(res)
}

// seenInside is what the world has found before clients could see it.
func seenInside(t rapid.TB, err error) *explore.Violation {
	var v *explore.Violation
	if !errors.As(err, &v) {
		t.Fatal(err)
	}
	return v
}

// makeMove does it, and says what clients have taken.
func makeMove(w *world.World, m move) (got string, err error) {
	before := taken(w)
	switch m.kind {
	case rounds:
		if err = w.Pass(0); err == nil {
			err = drain(w.Clients()...)
		}
	case turns:
		err = w.Turn()
	case waits:
		w.Kernel.Advance(time.Duration(m.ms) * time.Millisecond)
	case sends:
		w.Clients()[m.client].Send(strings.Fields(m.words)...)
	case takes:
		err = drain(w.Clients()[m.client])
	}
	return since(w, before), err
}

func drain(clients ...*world.Client) (err error) {
	for _, c := range clients {
		if _, err = c.Drain(0); err != nil {
			return err
		}
	}
	return nil
}

// taken is how many replies each client has.
func taken(w *world.World) (n []int) {
	for _, c := range w.Clients() {
		n = append(n, len(c.Replies))
	}
	return n
}

// since lists the replies that clients have got beyond those.
func since(w *world.World, n []int) string {
	var parts []string
	for i, c := range w.Clients() {
		if len(c.Replies) == n[i] {
			continue
		}
		part := c.Name + " takes"
		for _, r := range c.Replies[n[i]:] {
			part += " " + r.String()
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// violation is what the judge has found, in one sentence.
func violation(res linear.Result) *explore.Violation {
	if res.Verdict != linear.Illegal && res.Verdict != linear.Error {
		return nil
	}
	v := &explore.Violation{How: res.Reason}
	if len(res.Findings) > 0 {
		c := res.Components[res.Findings[0].Example]
		v.Clause, v.How = c.Clause, c.Sentence
	}
	return v
}

var shrinks = flag.Bool("shrinks", false, "run TestSchedulesShrink")

// TestSchedulesShrink: a server with a fault is convicted, by a schedule of few steps. Each fault is a
// file of check/mutant/reactor, built beside the tree.
func TestSchedulesShrink(t *testing.T) {
	if !*shrinks {
		t.Skip("builds the server once for each fault; make mutants does that")
	}
	for _, name := range []string{"clock of an earlier turn", "watch overlooks expiry", "rename leaves the deadline"} {
		t.Run(name, func(t *testing.T) {
			table := convicted(t, name)
			t.Logf("\n%s", table)
			if n := stepsOf(table); n == 0 || n > shrunkMax {
				t.Errorf("%d steps are left, want %d at most", n, shrunkMax)
			}
		})
	}
}

const (
	shrunkMax  = 8
	moduleRoot = ".."
)

// TestTargetsConvict: each of the targets with a schedule finds, with its seeds alone, faults that only a
// schedule shows.
func TestTargetsConvict(t *testing.T) {
	if !*shrinks {
		t.Skip("builds the server once for each fault; make mutants does that")
	}
	for name, targets := range map[string][]string{
		"a backlog begun twice":          {"Conn"},
		"a timeout outlives the wait":    {"Conn"},
		"accepting never resumes":        {"Conn"},
		"a reply overtakes":              {"Conn", "Turns"},
		"blocked client keeps executing": {"Conn", "Turns"},
		"interest not re armed":          {"Conn", "Turns"},
		"input not resumed":              {"Turns"},
	} {
		t.Run(name, func(t *testing.T) {
			program := built(t, name)
			for _, target := range targets {
				out, err := exec.Command(program, "-test.run", "^Fuzz"+target+"$", "-test.timeout", "2m").CombinedOutput()
				if err == nil || !strings.Contains(string(out), "--- FAIL: Fuzz"+target) {
					t.Errorf("%s does not find it: %v\n%s", target, err, out)
				}
			}
		})
	}
}

// built is the tests of this package with a fault in the server.
func built(t *testing.T, name string) string {
	t.Helper()
	faults, err := reactor.All()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(faults, func(f reactor.Fault) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no fault is named %q", name)
	}
	dir := t.TempDir()
	list, err := faults[i].Overlay(moduleRoot, dir)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "fuzz.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	return program
}

// convicted runs the property with a fault, and gives the table that it prints.
func convicted(t *testing.T, name string) string {
	t.Helper()
	run := exec.Command(built(t, name), "-test.run", "^TestSchedulesAreLinearizable$", "-rapid.nofailfile",
		"-rapid.seed", "5", "-rapid.checks", "10000", "-rapid.shrinktime", "3s", "-test.timeout", "2m")
	out, err := run.CombinedOutput()
	_, table, found := strings.Cut(string(out), "the schedule:\n")
	if err == nil || !found {
		t.Fatalf("it was not convicted: %v\n%s", err, out)
	}
	table, _, _ = strings.Cut(table, "\n--- FAIL")
	return table
}

// stepsOf counts the rows of a table between its head and its end.
func stepsOf(table string) (n int) {
	for line := range strings.Lines(table) {
		switch {
		case strings.Contains(line, "broken: "):
			return n - 2
		case strings.Contains(line, "|") || strings.Contains(line, "-+-"):
			n++
		}
	}
	return 0
}
