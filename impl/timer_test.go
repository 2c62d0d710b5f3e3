package impl

import (
	"math/rand/v2"
	"slices"
	"testing"

	"rondo/impl/kernel"
)

// The heap against the dull way: a sorted list.
func TestTimersRunInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h timers
		type due struct {
			at  int64
			seq uint64
		}
		var ran, want []due
		all := make([]*timer, 40)
		for i := range all {
			tm := &timer{}
			tm.run = func() { ran = append(ran, due{tm.at, tm.seq}) }
			all[i] = tm
		}
		for range 200 {
			tm := all[rnd.IntN(len(all))]
			if rnd.IntN(4) == 0 {
				h.disarm(tm)
			} else {
				h.arm(tm, int64(rnd.IntN(50)))
			}
		}
		for _, tm := range all {
			if tm.pos != 0 && tm.at <= 30 {
				want = append(want, due{tm.at, tm.seq})
			}
		}
		slices.SortFunc(want, func(a, b due) int {
			if a.at != b.at {
				return int(a.at - b.at)
			}
			return int(a.seq) - int(b.seq)
		})
		h.fire(30)
		if !slices.Equal(ran, want) {
			t.Fatalf("ran %v, want %v", ran, want)
		}
		if next := h.next(); next <= 30 {
			t.Fatalf("one due at %d is left", next)
		}
	}
}

// A timer taken away by one that runs before it in the same pass does not run.
func TestTimerDisarmedInThePass(t *testing.T) {
	var h timers
	second := &timer{run: func() { t.Fatal("it ran") }}
	first := &timer{run: func() { h.disarm(second) }}
	h.arm(first, 1)
	h.arm(second, 2)
	if n := h.fire(5); n != 1 {
		t.Fatalf("%d ran", n)
	}
	if h.next() != kernel.Forever {
		t.Fatal("something is left")
	}
}
