package small

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"rondo/check/explore"
)

var all = flag.Bool("all", false, "explore every pair, and not the quick ones alone")

// Each group explores its pairs to the end, until one breaks a clause. With -v the table of all of them
// follows at the end.
func TestFraming(t *testing.T)      { exploreGroup(t, Framing) }
func TestInterference(t *testing.T) { exploreGroup(t, Interference) }
func TestTime(t *testing.T)         { exploreGroup(t, Time) }
func TestTransactions(t *testing.T) { exploreGroup(t, Transactions) }
func TestWaiting(t *testing.T)      { exploreGroup(t, Waiting) }
func TestEnds(t *testing.T)         { exploreGroup(t, Ends) }

func exploreGroup(t *testing.T, group string) {
	for i := range Pairs {
		p := &Pairs[i]
		if p.Group != group || !p.Quick && !*all {
			continue
		}
		from := processorTime()
		found, result := exploreTo(t, p)
		table.add(p.Name, found, processorTime()-from, result)
		if result != ok {
			return
		}
	}
}

// rows is the table: pair, states, transitions, actions on the longest way, processor time, result.
type rows struct {
	text strings.Builder
	all  explore.Result
	took time.Duration
}

var table rows

func (r *rows) line(name string, found explore.Result, took time.Duration, result string) {
	fmt.Fprintf(&r.text, "%-42s %9d %11d %6d %7.1f  %s\n", name, found.States, found.Transitions, found.Depth,
		took.Seconds(), result)
}

func (r *rows) add(name string, found explore.Result, took time.Duration, result string) {
	r.line(name, found, took, result)
	r.all.States, r.all.Transitions = r.all.States+found.States, r.all.Transitions+found.Transitions
	r.all.Depth, r.took = max(r.all.Depth, found.Depth), r.took+took
}

func (r *rows) print() {
	fmt.Printf("%-42s %9s %11s %6s %7s  %s\n", "pair", "states", "transitions", "depth", "CPU s", "result")
	r.line("all", r.all, r.took, "")
	fmt.Print(r.text.String())
}

const ok = "ok"

// explored are the quick pairs that have been, with places where two ways lead to one state.
var explored = map[*Pair]explore.Result{}

// exploreTo explores a pair, and says how that went.
func exploreTo(t *testing.T, p *Pair) (explore.Result, string) {
	s := p.Search()
	if p.Quick {
		s.Merges = mergesEach
	}
	found, err := s.Run()
	switch {
	case err != nil:
		t.Errorf("%s: %v", p.Name, err)
		return found, err.Error()
	case found.Broken != nil:
		t.Errorf("\n%s", p.Story(found.Broken))
		return found, found.Broken.Err.Error()
	}
	if p.Quick {
		explored[p] = found
	}
	return found, ok
}

// At least mergesMin places are followed, mergesEach of each quick pair that has so many.
const mergesMin, mergesEach = 1000, 120

// TestMergedStatesAreTheSame: the fingerprint leaves nothing out that matters. Of places where two ways
// lead to one state some are drawn of each quick pair, and followed on both sides.
func TestMergedStatesAreTheSame(t *testing.T) {
	looked := 0
	for i := range Pairs {
		p := &Pairs[i]
		if !p.Quick {
			continue
		}
		found, known := explored[p]
		if !known {
			if _, result := exploreTo(t, p); result != ok {
				t.FailNow()
			}
			found = explored[p]
		}
		s := p.Search()
		s.New = func() (explore.World, error) { return p.Make(nil, false) } // two live at once
		for j, m := range found.Merges {
			looked++
			if err := s.SameFuture(m, uint64(j), func(w explore.World) []byte { return w.(*World).Heard() }); err != nil {
				t.Fatalf("%s: %v, after %v and %v", p.Name, err, m.First, m.Second)
			}
		}
	}
	if looked < mergesMin {
		t.Errorf("only %d pairs of ways were followed", looked)
	}
	t.Logf("%d pairs of ways", looked)
}

// An exploration makes garbage at the pace of its worlds, and keeps little: it need not be collected
// often.
func TestMain(m *testing.M) {
	debug.SetGCPercent(1000)
	failed := m.Run()
	if testing.Verbose() && table.all.States > 0 {
		table.print()
	}
	os.Exit(failed)
}

func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

var _ explore.World = (*World)(nil)
