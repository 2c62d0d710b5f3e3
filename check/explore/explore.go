// Package explore tries every schedule of a small world: a server, a few clients with short programs, a
// network that cuts where it likes, and a clock. It knows none of them, but what they can do next
// (World). It goes breadth first, so that the first schedule that breaks a clause is a shortest one, and
// merges states that are the same, so that there is an end.
//
// A state is kept as the way that led to it, and come back to by going it again on a new world. That
// costs time, but next to no memory, and asks nothing of the world but to be deterministic.
//
//	explore.go  the search
//	merge.go    what is merged is the same: pairs of ways to one state, followed side by side
//	action.go   what schedules are made of
//	table.go    how a schedule that breaks a clause is shown
//	paste.go    and how it becomes a test
package explore

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// World is what is explored: one that has just been made, and that does what it is told. Everything
// about it follows from the actions it has done.
type World interface {
	// Actions appends what may happen next, in a fixed order.
	Actions([]Action) []Action
	// Do lets it happen; an error is a clause broken, see Violation.
	Do(Action) error
	// Redo is Do of what has been found good from here before: it need not look again.
	Redo(Action) error
	// Rest tells what is wrong where nothing that may happen changes anything any more.
	Rest() error
	// Fingerprint appends all that the future depends on.
	Fingerprint([]byte) []byte
	// Abandon is the last call.
	Abandon()
}

// Search is what to explore.
type Search struct {
	New       func() (World, error)
	StatesMax int // it is an error if there are more
	// Merges is of how many places where two ways lead to one state to keep both, chosen by chance.
	Merges int
}

// Result is what was found.
type Result struct {
	States      int
	Transitions int // actions tried, those that change nothing included
	Depth       int // actions on the longest of the shortest ways to a state
	Rests       int // states in which nothing changes any more
	Broken      *Counterexample
	Merges      []Merge
}

// Counterexample is a shortest schedule that breaks a clause.
type Counterexample struct {
	Schedule []Action
	Err      error
}

// Merge is two ways to one state.
type Merge struct{ First, Second []Action }

// ErrTruncated says that there are more states than the search may visit: nothing is known of them.
var ErrTruncated = errors.New("explore: not explored to the end")

// key is a fingerprint, short enough to keep: that two of a million differ in what they stand for has
// a chance of one in 10^26.
type key [16]byte

// step is a state, as the last action on the way to it.
type step struct {
	from  int32
	depth int32
	act   Action
}

type search struct {
	Search
	Result
	steps []step // by state; the first is the beginning
	known map[key]int32
	rng   *rand.Rand
	seen  int // merges so far
	buf   []byte
}

// Run explores to the end, or until a clause is broken. An error is one of the search itself.
func (s Search) Run() (Result, error) {
	x := &search{Search: s, known: map[key]int32{}, rng: rand.New(rand.NewPCG(1, 2))}
	w, err := x.New()
	if err != nil {
		return x.Result, err
	}
	x.add(x.print(w), step{from: -1})
	w.Abandon()
	for at := int32(0); int(at) < len(x.steps); at++ {
		if err := x.expand(at); err != nil || x.Broken != nil {
			return x.Result, err
		}
	}
	return x.Result, nil
}

// expand does everything that may happen in a state. A world in which something happened that changes
// nothing is as good as a new one.
func (x *search) expand(at int32) error {
	way := x.way(at)
	w, err := x.replay(way)
	if err != nil {
		return err
	}
	here := x.print(w)
	resting := true
	for _, act := range w.Actions(nil) {
		if w == nil {
			if w, err = x.replay(way); err != nil {
				return err
			}
		}
		x.Transitions++
		if err := w.Do(act); err != nil {
			x.Broken = &Counterexample{append(way, act), err}
			w.Abandon()
			return nil
		}
		there := x.print(w)
		if there == here {
			continue
		}
		resting = false
		w.Abandon()
		w = nil
		if err := x.reach(there, at, act); err != nil {
			return err
		}
	}
	if resting {
		x.Rests++
		if err := w.Rest(); err != nil {
			x.Broken = &Counterexample{way, err}
		}
	}
	if w != nil {
		w.Abandon()
	}
	return nil
}

// reach notes a state that an action leads to.
func (x *search) reach(there key, at int32, act Action) error {
	if same, known := x.known[there]; known {
		x.merged(same, at, act)
		return nil
	}
	if len(x.steps) >= x.StatesMax {
		return fmt.Errorf("%w: there are more than %d states", ErrTruncated, x.StatesMax)
	}
	x.add(there, step{at, x.steps[at].depth + 1, act})
	return nil
}

func (x *search) add(k key, s step) {
	x.known[k] = int32(len(x.steps))
	x.steps = append(x.steps, s)
	x.States, x.Depth = len(x.steps), max(x.Depth, int(s.depth))
}

// merged keeps some of the places where ways meet, each with the same chance.
func (x *search) merged(same, at int32, act Action) {
	x.seen++
	if x.seen <= x.Search.Merges {
		x.Result.Merges = append(x.Result.Merges, Merge{x.way(same), append(x.way(at), act)})
	} else if i := x.rng.IntN(x.seen); i < x.Search.Merges {
		x.Result.Merges[i] = Merge{x.way(same), append(x.way(at), act)}
	}
}

// way is how to come to a state.
func (x *search) way(at int32) []Action {
	way := make([]Action, 0, x.steps[at].depth+1)
	for ; x.steps[at].from >= 0; at = x.steps[at].from {
		way = append(way, x.steps[at].act)
	}
	slices.Reverse(way)
	return way
}

// replay makes a world and goes a way that has been gone.
func (x *search) replay(way []Action) (World, error) {
	w, err := x.New()
	if err != nil {
		return nil, err
	}
	for _, act := range way {
		if err := w.Redo(act); err != nil {
			return nil, fmt.Errorf("explore: the world is not deterministic: %v the second time", err)
		}
	}
	return w, nil
}

func (x *search) print(w World) (k key) {
	x.buf = w.Fingerprint(x.buf[:0])
	sum := sha256.Sum256(x.buf)
	copy(k[:], sum[:])
	return k
}
