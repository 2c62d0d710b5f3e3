package explore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// lift is a toy: a cabin that goes between floors, and a door. What it may break is asked for.
type lift struct {
	floor, top int
	open       bool
	moved      int // of no account for the future
	faulty     bool
	forgetful  bool // the fingerprint leaves out the door
	fickle     *int // counts worlds: a world that is not deterministic
	abandoned  *int
}

const (
	up   = Deliver
	down = Drain
	door = Step
)

func (l *lift) Actions(acts []Action) []Action {
	if !l.open && l.floor < l.top {
		acts = append(acts, Action{Kind: up})
	}
	if !l.open && l.floor > 0 {
		acts = append(acts, Action{Kind: down})
	}
	return append(acts, Action{Kind: door})
}

func (l *lift) Do(a Action) error {
	l.moved++
	switch a.Kind {
	case up:
		l.floor++
	case down:
		l.floor--
	case door:
		l.open = !l.open
	}
	if l.faulty && l.open && l.floor == 3 {
		return Broken("CONN-4", "the door is open at floor %d", l.floor)
	}
	if l.fickle != nil && *l.fickle > 3 {
		return errors.New("fickle")
	}
	return nil
}

func (l *lift) Redo(a Action) error { return l.Do(a) }
func (l *lift) Rest() error         { return nil }
func (l *lift) Abandon()            { *l.abandoned++ }

func (l *lift) Fingerprint(b []byte) []byte {
	if l.forgetful {
		return fmt.Append(b, l.floor)
	}
	return fmt.Append(b, l.floor, l.open)
}

func searchLift(l lift) (s Search, made, abandoned *int) {
	made, abandoned = new(int), new(int)
	l.abandoned = abandoned
	return Search{StatesMax: 100, Merges: 5, New: func() (World, error) {
		*made++
		w := l
		return &w, nil
	}}, made, abandoned
}

func TestAllStatesAreFound(t *testing.T) {
	s, made, abandoned := searchLift(lift{top: 4})
	got, err := s.Run()
	if err != nil || got.States != 10 || got.Depth != 5 || got.Broken != nil || got.Transitions != 5+5+8 {
		t.Errorf("%+v, %v", got, err)
	}
	if *made != *abandoned {
		t.Errorf("%d worlds were made, %d abandoned", *made, *abandoned)
	}
}

func TestCounterexampleIsShortest(t *testing.T) {
	s, made, abandoned := searchLift(lift{top: 9, faulty: true})
	got, err := s.Run()
	if err != nil || got.Broken == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if text := fmt.Sprint(got.Broken.Schedule); strings.Count(text, "Deliver") != 3 || len(got.Broken.Schedule) != 4 {
		t.Errorf("the schedule is %s", text)
	}
	if *made != *abandoned {
		t.Errorf("%d worlds were made, %d abandoned", *made, *abandoned)
	}
	test := Paste("Lift", "lift.New()", got.Broken.Schedule)
	if !strings.Contains(test, "{Kind: explore.Deliver, Client: 0, N: 0},\n\t\t{Kind: explore.Step,") {
		t.Errorf("as a test:\n%s", test)
	}
}

// rest is a lift whose end is judged: the cabin must not stay away from the ground.
type stuck struct{ lift }

func (s *stuck) Actions(acts []Action) []Action {
	if s.floor < s.top {
		return append(acts, Action{Kind: up})
	}
	return append(acts, Action{Kind: Step, N: 1}) // changes nothing
}

func (s *stuck) Do(a Action) error {
	if a.N == 0 {
		s.floor++
	}
	return nil
}

func (s *stuck) Redo(a Action) error { return s.Do(a) }
func (s *stuck) Rest() error         { return Broken("CONN-1", "nothing moves at floor %d", s.floor) }

func TestRestIsJudged(t *testing.T) {
	got, err := Search{StatesMax: 100, New: func() (World, error) { return &stuck{lift{top: 3, abandoned: new(int)}}, nil }}.Run()
	if err != nil || got.Rests != 1 || got.Broken == nil || len(got.Broken.Schedule) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTruncationIsAnError(t *testing.T) {
	s, _, _ := searchLift(lift{top: 400})
	if got, err := s.Run(); !errors.Is(err, ErrTruncated) {
		t.Errorf("%d states, %v", got.States, err)
	}
}

func TestFickleWorldIsAnError(t *testing.T) {
	made := 0
	s := Search{StatesMax: 100, New: func() (World, error) {
		made++
		return &lift{top: 4, fickle: &made, abandoned: new(int)}, nil
	}}
	if got, err := s.Run(); err == nil && got.Broken == nil {
		t.Errorf("%+v", got)
	}
}

// What is merged has the same future; with a fingerprint that leaves out the door it has not, and that
// is seen.
func TestMergesAreJudged(t *testing.T) {
	nothing := func(World) []byte { return nil }
	s, _, _ := searchLift(lift{top: 4})
	got, err := s.Run()
	if err != nil || len(got.Merges) != 5 {
		t.Fatalf("%d merges, %v", len(got.Merges), err)
	}
	for i, m := range got.Merges {
		if err := s.SameFuture(m, uint64(i), nothing); err != nil {
			t.Error(err)
		}
	}
	open := Merge{First: []Action{{Kind: up}}, Second: []Action{{Kind: up}, {Kind: door}}}
	s, _, _ = searchLift(lift{top: 4, forgetful: true})
	if err := s.SameFuture(open, 1, nothing); err == nil {
		t.Error("a door that is open has the same future as one that is not")
	}
	s, _, _ = searchLift(lift{top: 4})
	louder := func(w World) []byte { return []byte(strings.Repeat("x", w.(*lift).moved*w.(*lift).moved)) }
	if err := s.SameFuture(got.Merges[0], 1, louder); err == nil && len(got.Merges[0].First) != len(got.Merges[0].Second) {
		t.Error("what is heard makes no difference")
	}
}
