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
	acted    = flag.Int("acted", 60, "how many traces of the model the server acts out")
	followed = flag.Int("followed", 20, "how many traces of the server the model follows")
	faults   = flag.Bool("faults", false, "try servers with a fault, too, and one with small budgets")
	small    = flag.Bool("small", false, "this server has been built with small budgets")
)

// bounds are those of a server as it is: its budgets are larger than anything here.
var bounds = []Bounds{
	{Clients: 2, Requests: 2, RX: 4, TX: 2, Budget: 2, Batch: 2},
	{Clients: 2, Requests: 3, RX: 4, TX: 3, Budget: 3, Batch: 2},
	{Clients: 3, Requests: 2, RX: 3, TX: 1, Budget: 2, Batch: 3},
	{Clients: 1, Requests: 4, RX: 2, TX: 2, Budget: 4, Batch: 1},
}

// smallBounds are those of a server with budgets of one (TestSmallBudgets).
var smallBounds = []Bounds{
	{Clients: 2, Requests: 3, RX: 6, TX: 3, Budget: 1, Batch: 1},
	{Clients: 3, Requests: 2, RX: 4, TX: 2, Budget: 1, Batch: 1},
}

func boundsOf(seed uint64) Bounds {
	if *small {
		return smallBounds[seed%uint64(len(smallBounds))]
	}
	return bounds[seed%uint64(len(bounds))]
}

// TestActed: the server does what the model does.
func TestActed(t *testing.T) {
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	events := 0
	for seed := range uint64(*acted) {
		b := boundsOf(seed)
		script, err := sp.Random(t.Context(), b, seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := Act(b, script, seed); err != nil {
			t.Fatalf("%+v, seed %d: %v", b, seed, err)
		}
		events += len(script)
	}
	t.Logf("%d traces, %d events", *acted, events)
}

// TestFollowed: the model does what the server does.
func TestFollowed(t *testing.T) {
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	events := 0
	for seed := range uint64(*followed) {
		b := boundsOf(seed)
		script, err := Record(b, seed)
		if err != nil {
			t.Fatalf("%+v, seed %d: %v", b, seed, err)
		}
		if _, err := sp.Follow(t.Context(), b, script); err != nil {
			t.Fatalf("%+v, seed %d: %v\n%v", b, seed, err, script)
		}
		events += len(script)
	}
	t.Logf("%d traces, %d events", *followed, events)
}

// corruptions are what a server could have done and this one did not: each changes a recorded trace
// in one place.
var corruptions = map[string]func(script []Event) bool{
	"a reply says something else":  change("RECV", func(e *Event) { e.B ^= 1 }),
	"a byte more is written":       change("WRITE", func(e *Event) { e.B++ }),
	"a byte less is read":          change("READ", func(e *Event) { e.B-- }),
	"another client is served":     change("ASK", func(e *Event) { e.A = 1 - e.A }),
	"somebody else is ready":       change("WAKE", func(e *Event) { e.A ^= 1 }),
	"it is ready to be written to": change("WAKE", func(e *Event) { e.B ^= 2 }),
	"the loop sleeps on":           change("TURN", func(e *Event) { e.A = (e.A + 7) % 256 }),
	"the clock is read again":      change("READ", func(e *Event) { e.Name, e.A, e.B = "CLOCK", 0, 0 }),
	"a command is not executed":    change("ASK", func(e *Event) { e.Name, e.A, e.B = "TICK", 0, 0 }),
}

// change makes a corruption of the first event of a name, if there is one.
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
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	script, err := Record(bounds[0], 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sp.Follow(t.Context(), bounds[0], script); err != nil {
		t.Fatalf("it is refused as it is: %v", err)
	}
	for name, corrupt := range corruptions {
		wrong := slices.Clone(script)
		if !corrupt(wrong) {
			t.Fatalf("%s: there is no such event in %v", name, script)
		}
		steps, err := sp.Follow(t.Context(), bounds[0], wrong)
		if err == nil || !strings.Contains(err.Error(), "the model does not do step") {
			t.Errorf("%s: accepted after %d steps, or not judged: %v\n%v", name, steps, err, wrong)
		}
	}
}

// TestWrongTraceIsNotActed is that of TestActed: what the model did not do the server is not held to.
func TestWrongTraceIsNotActed(t *testing.T) {
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	script, err := sp.Random(t.Context(), bounds[0], 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range script {
		if ofTheWorld[e.Name] {
			continue
		}
		wrong := slices.Delete(slices.Clone(script), i, i+1)
		if err := Act(bounds[0], wrong, 5); err == nil {
			t.Errorf("the server does without step %d, %v", i, e)
		}
	}
}

// faulty are faults of the server that break what the model says of it, and which of the two finds
// them. They are the check of the mapping: an event that nobody compares shows nothing.
var faulty = map[string]string{
	"one frame per event":            "TestActed",
	"write assumed complete":         "TestActed",
	"interest not re armed":          "TestActed",
	"write interest kept":            "TestActed",
	"time events only when idle":     "TestActed",
	"time events before file events": "TestActed",
	"sleeps through":                 "TestActed",
	"flush every second turn":        "TestActed",
	"arrivals on top of each other":  "TestActed",
	"read without budget":            "TestFollowed",
	"reads twice":                    "TestFollowed",
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
	var mine []reactor.Fault
	for _, f := range all {
		if test := faulty[f.Name]; test != "" {
			f.Package, f.Tests = "./fuzz/trace", test+"$"
			mine = append(mine, f)
		}
	}
	if len(mine) != len(faulty) {
		t.Errorf("of %d faults there are %d", len(faulty), len(mine))
	}
	_, err = reactor.Run(t.Context(), root, mine, func(k reactor.Kill) {
		if k.Err != nil || k.By == "" {
			t.Errorf("%s lives: %v", k.Fault.Name, k.Err)
			return
		}
		t.Logf("%s: killed by %s after %.1f s", k.Fault.Name, k.By, k.Took.Seconds())
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
