package small

import (
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"rondo/check/explore"
)

// row is a line of the table that TestEveryPair prints.
const row = "%-42s %9d %11d %6d %7.1f  %s\n"

// TestEveryPair explores each pair to the end. With -v it prints what that was.
func TestEveryPair(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-42s %9s %11s %6s %7s  %s\n", "pair", "states", "transitions", "depth", "CPU s", "result")
	var all explore.Result
	began := processorTime()
	for i := range Pairs {
		if p := &Pairs[i]; p.Quick || !testing.Short() {
			t.Run(p.Name, func(t *testing.T) {
				from := processorTime()
				found, result := exploreTo(t, p)
				all.States, all.Transitions = all.States+found.States, all.Transitions+found.Transitions
				all.Depth = max(all.Depth, found.Depth)
				fmt.Fprintf(&table, row, p.Name, found.States, found.Transitions, found.Depth,
					(processorTime() - from).Seconds(), result)
			})
		}
	}
	fmt.Fprintf(&table, row, "all", all.States, all.Transitions, all.Depth, (processorTime() - began).Seconds(), "")
	t.Logf("\n%s", table.String())
}

// exploreTo explores a pair, and says how that went.
func exploreTo(t *testing.T, p *Pair) (explore.Result, string) {
	found, err := p.Search().Run()
	switch {
	case err != nil:
		t.Error(err)
		return found, err.Error()
	case found.Broken != nil:
		t.Errorf("\n%s", p.Story(found.Broken))
		return found, found.Broken.Err.Error()
	}
	return found, "ok"
}

// TestMergedStatesAreTheSame: the fingerprint leaves nothing out that matters. Of places where two ways
// lead to one state 1,000 are drawn, over the quick pairs, and followed on both sides.
func TestMergedStatesAreTheSame(t *testing.T) {
	const all = 1000
	quick := 0
	for _, p := range Pairs {
		if p.Quick {
			quick++
		}
	}
	looked := 0
	for i := range Pairs {
		p := &Pairs[i]
		if !p.Quick {
			continue
		}
		s := p.Search()
		s.Merges = all/quick + 1
		found, err := s.Run()
		if err != nil {
			t.Fatal(err)
		}
		s.New = func() (explore.World, error) { return p.Make(nil, false) } // two live at once
		for j, m := range found.Merges {
			looked++
			if err := s.SameFuture(m, uint64(j), func(w explore.World) []byte { return w.(*World).Heard() }); err != nil {
				t.Fatalf("%s: %v, after %v and %v", p.Name, err, m.First, m.Second)
			}
		}
	}
	if looked < all {
		t.Errorf("only %d pairs of ways were followed", looked)
	}
}

// An exploration makes garbage at the pace of its worlds, and keeps little: it need not be collected
// often.
func TestMain(m *testing.M) {
	debug.SetGCPercent(1000)
	m.Run()
}

func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

var _ explore.World = (*World)(nil)
