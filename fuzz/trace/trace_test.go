package trace

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rondo/check/mutant/reactor"
)

var (
	acted    = flag.Int("acted", 60, "how many traces of each model the server acts out")
	followed = flag.Int("followed", 20, "how many traces of the server each model follows")
	faults   = flag.Bool("faults", false, "try servers with a fault, too, and one with small budgets")
	small    = flag.Bool("small", false, "this server has been built with small budgets")
)

// models are those that are tied to the server.
var models = []struct {
	Model
	bounds      []Bounds // of a server as it is: its budgets are larger than anything here
	small       []Bounds // of one with budgets of one (TestSmallBudgets)
	corruptions map[string]func(script []Event) bool
}{
	{
		Reactor,
		[]Bounds{
			{Clients: 2, Requests: 2, RX: 4, TX: 2, Budget: 2, Batch: 2},
			{Clients: 2, Requests: 3, RX: 4, TX: 3, Budget: 3, Batch: 2},
			{Clients: 3, Requests: 2, RX: 3, TX: 1, Budget: 2, Batch: 3},
			{Clients: 1, Requests: 4, RX: 2, TX: 2, Budget: 4, Batch: 1},
		},
		[]Bounds{
			{Clients: 2, Requests: 3, RX: 6, TX: 3, Budget: 1, Batch: 1},
			{Clients: 3, Requests: 2, RX: 4, TX: 2, Budget: 1, Batch: 1},
		},
		map[string]func(script []Event) bool{
			"a reply says something else":  change("RECV", func(e *Event) { e.B ^= 1 }),
			"a byte more is written":       change("WRITE", func(e *Event) { e.B++ }),
			"a byte less is read":          change("READ", func(e *Event) { e.B-- }),
			"another client is served":     change("ASK", func(e *Event) { e.A = 1 - e.A }),
			"somebody else is ready":       change("WAKE", func(e *Event) { e.A ^= 1 }),
			"it is ready to be written to": change("WAKE", func(e *Event) { e.B ^= 2 }),
			"the loop sleeps on":           change("TURN", func(e *Event) { e.A = (e.A + 7) % 256 }),
			"the clock is read again":      change("READ", func(e *Event) { e.Name, e.A, e.B = "CLOCK", 0, 0 }),
			"a command is not executed":    change("ASK", func(e *Event) { e.Name, e.A, e.B = "TICK", 0, 0 }),
		},
	},
	{
		Block,
		[]Bounds{
			{Clients: 2, Requests: 3, Budget: 3, Batch: 2},
			{Clients: 3, Requests: 2, Budget: 2, Batch: 3},
			{Clients: 3, Requests: 4, Budget: 4, Batch: 3},
			{Clients: 3, Requests: 3, Budget: 3, Batch: 3},
		},
		[]Bounds{
			{Clients: 2, Requests: 4, Budget: 1, Batch: 1},
			{Clients: 3, Requests: 3, Budget: 1, Batch: 1},
		},
		map[string]func(script []Event) bool{
			"a reply says something else":  change("WRITE", func(e *Event) { e.B += 2 }),
			"another client is told":       change("WRITE", func(e *Event) { e.A = 1 - e.A }),
			"less is read":                 change("READ", func(e *Event) { e.B-- }),
			"another client is served":     change("ASK", func(e *Event) { e.A = 1 - e.A }),
			"a timeout of somebody else":   change("FIRE", func(e *Event) { e.A = 1 - e.A }),
			"a timeout is not seen":        change("WAKE", func(e *Event) { e.B ^= 1 }),
			"somebody else is ready":       change("WAKE", func(e *Event) { e.A ^= 1 }),
			"who waits is closed unserved": change("CLOSE", func(e *Event) { e.B ^= 1 }),
			"the loop sleeps on":           change("TURN", func(e *Event) { e.A = (e.A + 7) % 256 }),
			"a timeout comes too late":     change("DUE", func(e *Event) { e.Name = "SEND" }),
		},
	},
}

// TestActed: the server does what the models do.
func TestActed(t *testing.T) {
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			sp := newSpin(t)
			seen := map[string]int{}
			for seed := range uint64(*acted) {
				b := pick(seed, m.bounds, m.small)
				script, err := sp.Random(t.Context(), m.Model, b, seed)
				if err != nil {
					t.Fatal(err)
				}
				if err := Act(m.Model, b, script, seed); err != nil {
					t.Fatalf("%+v, seed %d: %v\n%v", b, seed, err, script)
				}
				count(seen, script)
			}
			t.Logf("%d traces, %d events: %v", *acted, seen[""], seen)
		})
	}
}

// TestFollowed: the models do what the server does.
func TestFollowed(t *testing.T) {
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			sp := newSpin(t)
			seen := map[string]int{}
			for seed := range uint64(*followed) {
				b := pick(seed, m.bounds, m.small)
				script, err := Record(m.Model, b, seed)
				if err != nil {
					t.Fatalf("%+v, seed %d: %v\n%v", b, seed, err, script)
				}
				if _, err := sp.Follow(t.Context(), m.Model, b, script); err != nil {
					t.Fatalf("%+v, seed %d: %v\n%v", b, seed, err, script)
				}
				count(seen, script)
			}
			t.Logf("%d traces, %d events: %v", *followed, seen[""], seen)
		})
	}
}

func newSpin(t *testing.T) *Spin {
	t.Helper()
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	return sp
}

func pick(seed uint64, usual, smaller []Bounds) Bounds {
	if *small {
		usual = smaller
	}
	return usual[seed%uint64(len(usual))]
}

// count adds the events of a script by name, and to "" all of them.
func count(seen map[string]int, script []Event) {
	for _, e := range script {
		seen[e.Name]++
	}
	seen[""] += len(script)
}

// change makes a corruption of the first event of a name, if there is one: what a server could have done
// and this one did not.
func change(name string, corrupt func(*Event)) func([]Event) bool {
	return func(script []Event) bool {
		i := slices.IndexFunc(script, func(e Event) bool { return e.Name == name })
		if i >= 0 {
			corrupt(&script[i])
		}
		return i >= 0
	}
}

// TestCorruptedIsRefused is the check of TestFollowed.
func TestCorruptedIsRefused(t *testing.T) {
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			sp := newSpin(t)
			script := recordAll(t, m.Model, m.bounds[0], m.corruptions)
			if _, err := sp.Follow(t.Context(), m.Model, m.bounds[0], script); err != nil {
				t.Fatalf("it is refused as it is: %v", err)
			}
			for name, corrupt := range m.corruptions {
				wrong := slices.Clone(script)
				corrupt(wrong)
				steps, err := sp.Follow(t.Context(), m.Model, m.bounds[0], wrong)
				if err == nil || !strings.Contains(err.Error(), "the model does not do step") {
					t.Errorf("%s: accepted after %d steps, or not judged: %v\n%v", name, steps, err, wrong)
				}
			}
		})
	}
}

// recordAll is a trace in which there is all that can be corrupted.
func recordAll(t *testing.T, m Model, b Bounds, corruptions map[string]func([]Event) bool) []Event {
	t.Helper()
search:
	for seed := range uint64(100) {
		script, err := Record(m, b, seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, corrupt := range corruptions {
			if !corrupt(slices.Clone(script)) {
				continue search
			}
		}
		return script
	}
	t.Fatal("no trace has all that can be corrupted")
	return nil
}

// TestWrongTraceIsNotActed is that of TestActed: what the model did not do the server is not held to.
func TestWrongTraceIsNotActed(t *testing.T) {
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			script, err := newSpin(t).Random(t.Context(), m.Model, m.bounds[0], 5)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range script {
				if m.unseen[e.Name] {
					continue
				}
				wrong := slices.Delete(slices.Clone(script), i, i+1)
				if err := Act(m.Model, m.bounds[0], wrong, 5); err == nil {
					t.Errorf("the server does without step %d, %v", i, e)
				}
			}
		})
	}
}

// faulty are faults of the server that break what a model says of it, and which of the tests find them.
// They are the check of the mapping: an event that nobody compares shows nothing.
var faulty = []struct{ fault, tests string }{
	{"one frame per event", "TestActed$/reactor"},
	{"write assumed complete", "TestActed$/reactor"},
	{"interest not re armed", "TestActed$/reactor"},
	{"write interest kept", "TestActed$/reactor"},
	{"time events only when idle", "TestActed$/reactor"},
	{"time events before file events", "TestActed$/reactor"},
	{"sleeps through", "TestActed$/reactor"},
	{"flush every second turn", "TestActed$/reactor"},
	{"arrivals on top of each other", "TestActed$/reactor"},
	{"read without budget", "TestFollowed$/reactor"},
	{"reads twice", "TestFollowed$/reactor"},
	{"last come first served", "TestActed$/block"},
	{"who has ended waits on", "TestActed$/block"},
	{"unblock counts nobody", "TestActed$/block"},
	{"one waiter a command", "TestActed$/block"},
	{"a timeout waits for the next turn", "TestActed$/block"},
	{"timeout at the tick", "TestActed$/block"},
	{"blocked client keeps executing", "TestFollowed$/block"},
	{"input not resumed", "TestFollowed$/block"},
	{"a timeout outlives the wait", "TestFollowed$/block"},
	{"timer early", "TestFollowed$/block"},
	{"time events before file events", "TestFollowed$/block"},
}

// ownFaults are those of them that are no mutant of package reactor.
var ownFaults = []reactor.Fault{
	{
		Name: "who has ended waits on", File: "impl/conn.go",
		Edits: []reactor.Edit{{
			Find:    "	s.x.Unwait(&c.Session)\n	s.count(c)\n	switch {\n",
			Replace: "	s.count(c)\n	switch {\n	case c.Waiting():\n",
		}},
	},
	{
		Name: "unblock counts nobody", File: "impl/command/block.go",
		Edits: []reactor.Edit{{Find: "	c.bool(w != nil)\n", Replace: "	c.bool(w != nil && failed)\n"}},
	},
	{
		Name: "one waiter a command", File: "impl/command/block.go",
		Edits: []reactor.Edit{
			{Find: "			p = next\n", Replace: "			_, p = next, nil\n"},
			{Find: "i < len(x.waiters.ready)", Replace: "i < min(1, len(x.waiters.ready))"},
		},
	},
	{
		Name: "a timeout waits for the next turn", File: "impl/wait.go",
		Edits: []reactor.Edit{{
			Find:    "{run: func() { s.timeOut(c) }}",
			Replace: "{run: func() { c.timeout.run = func() { s.timeOut(c) }; s.timers.arm(c.timeout, s.mono) }}",
		}},
	},
}

// TestFaultsAreFound builds the server with each.
func TestFaultsAreFound(t *testing.T) {
	if !*faults {
		t.Skip("builds the server once for each fault: go test ./fuzz/trace -faults, or make formal")
	}
	all, err := reactor.All()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, ownFaults...)
	var mine []reactor.Fault
	for _, f := range faulty {
		i := slices.IndexFunc(all, func(a reactor.Fault) bool { return a.Name == f.fault })
		if i < 0 {
			t.Fatalf("there is no fault %q", f.fault)
		}
		fault := all[i]
		fault.Package, fault.Tests = "./fuzz/trace", f.tests
		mine = append(mine, fault)
	}
	_, err = reactor.Run(t.Context(), root, mine, func(k reactor.Kill) {
		if test, _, _ := strings.Cut(k.Fault.Tests, "$"); k.Err != nil || k.By != test {
			t.Errorf("%s lives, or dies of %q: %v", k.Fault.Name, k.By, k.Err)
			return
		}
		t.Logf("%s: killed by %s after %.1f s", k.Fault.Name, k.Fault.Tests, k.Took.Seconds())
	})
	if err != nil {
		t.Error(err)
	}
}

const root = "../.."

// TestSmallBudgets builds the server with a budget of one command, and one client read from before it
// is served, which the model can have too: then clients are behind (LOOP-18).
func TestSmallBudgets(t *testing.T) {
	if !*faults {
		t.Skip("builds the server anew: go test ./fuzz/trace -faults, or make formal")
	}
	original, err := filepath.Abs(filepath.Join(root, "impl/limits.go"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	edited := string(text)
	for find, replace := range map[string]string{
		"commandsMax   = 512 ": "commandsMax = 1 ",
		"arrivedMax    = 16 ":  "arrivedMax = 1 ",
		"aheadFrames   = 16 ":  "aheadFrames = 1 ",
	} {
		if strings.Count(edited, find) != 1 {
			t.Fatalf("impl/limits.go does not say %q once", find)
		}
		edited = strings.Replace(edited, find, replace, 1)
	}
	dir := t.TempDir()
	file, list := filepath.Join(dir, "limits.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{file: []byte(edited), list: overlay} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", list, "-v", "-run", "TestActed$|TestFollowed$",
		".", "-small", fmt.Sprint("-acted=", *acted/4), fmt.Sprint("-followed=", *followed/4))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
