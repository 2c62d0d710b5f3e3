package explore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

// SameFuture follows both ways of a merge, and then lets the same happen on both sides, chosen by the
// seed, until nothing changes any more. It tells what differs: what may happen, what comes of it, or
// what is heard (heard is what clients of a world were told so far). Then the fingerprint leaves out
// something that matters.
func (s Search) SameFuture(m Merge, seed uint64, heard func(World) []byte) error {
	a, err := s.at(m.First)
	if err != nil {
		return err
	}
	b, err := s.at(m.Second)
	if err != nil {
		return err
	}
	defer a.Abandon()
	defer b.Abandon()
	fromA, fromB := len(heard(a)), len(heard(b))
	rng := rand.New(rand.NewPCG(seed, 3))
	for range futureMax {
		acts := a.Actions(nil)
		if other := b.Actions(nil); !slices.Equal(acts, other) {
			return fmt.Errorf("explore: %v may happen after one way, %v after the other", acts, other)
		}
		if len(acts) == 0 {
			break
		}
		act := acts[rng.IntN(len(acts))]
		errA, errB := a.Do(act), b.Do(act)
		if fmt.Sprint(errA) != fmt.Sprint(errB) {
			return fmt.Errorf("explore: %v comes to %v after one way, to %v after the other", act, errA, errB)
		}
		if toA, toB := heard(a)[fromA:], heard(b)[fromB:]; !bytes.Equal(toA, toB) {
			return fmt.Errorf("explore: after one way clients hear %q, after the other %q", toA, toB)
		}
		if !bytes.Equal(a.Fingerprint(nil), b.Fingerprint(nil)) {
			return fmt.Errorf("explore: %v leads to two states", act)
		}
	}
	return nil
}

// futureMax bounds a future; where nothing changes any more the rest of it is short.
const futureMax = 200

func (s Search) at(way []Action) (World, error) {
	w, err := s.New()
	if err != nil {
		return nil, err
	}
	for _, act := range way {
		if err := w.Do(act); err != nil {
			return nil, err
		}
	}
	return w, nil
}
