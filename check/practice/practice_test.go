package practice

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// claim is what a lesson says of its recording.
func claim(s *Scenario) (allowed bool, clause string) {
	head, _, _ := strings.Cut(s.Lesson, ": ")
	if head == "Allowed" {
		return true, ""
	}
	clause, _ = strings.CutPrefix(head, "Not allowed (")
	return false, strings.TrimSuffix(clause, ")")
}

// TestLessonsAreTrue: the engine says of each recording what its lesson says, and names operations
// that cannot be exactly where it is not allowed.
func TestLessonsAreTrue(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Errorf("only %d scenarios", len(all))
	}
	for _, s := range all {
		allowed, clause := claim(s)
		j := s.Judge()
		t.Logf("%-18s allowed %v %s %v %s", s.Name, j.Allowed, j.Clause, j.Cannot, j.Sentence)
		if j.Unknown || j.Allowed != allowed || j.Clause != clause {
			t.Errorf("%s: the lesson says allowed %v %q, the engine %v %q, unknown %v: %s",
				s.Name, allowed, clause, j.Allowed, j.Clause, j.Unknown, j.Sentence)
		}
		if (len(j.Cannot) > 0) == j.Allowed || !j.Allowed && j.Sentence == "" {
			t.Errorf("%s: operations that cannot be: %v; %q", s.Name, j.Cannot, j.Sentence)
		}
	}
}

func everything(t *testing.T) (all []*Scenario, chosen []int) {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	chosen, err = Pick(all, nil)
	for i := range all {
		chosen = append(chosen, i)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all, chosen
}

// play answers every question by a function of the judgement and gives the last line.
func play(t *testing.T, answer func(j Judgement) string) (last, out string) {
	t.Helper()
	all, chosen := everything(t)
	var in strings.Builder
	for _, s := range all {
		in.WriteString(answer(s.Judge()))
	}
	var b bytes.Buffer
	(&Player{In: strings.NewReader(in.String()), Out: &b}).Play(all, chosen)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	return lines[len(lines)-1], b.String()
}

// TestScore: who knows everything gets all points, who says the opposite none, and nonsense is
// asked again.
func TestScore(t *testing.T) {
	all, _ := everything(t)
	most := len(all)
	for _, s := range all {
		if !s.Judge().Allowed {
			most++
		}
	}
	knows := func(j Judgement) string {
		if j.Allowed {
			return "maybe\nyes\n"
		}
		return fmt.Sprintf("n\n99\n%d\n", j.Cannot[len(j.Cannot)-1]+1)
	}
	if last, out := play(t, knows); last != fmt.Sprintf("%d of %d points", most, most) || strings.Contains(out, "No") && strings.Contains(out, "No.\n") {
		t.Errorf("who knows gets %s", last)
	}
	opposite := func(j Judgement) string {
		if j.Allowed {
			return "n\n"
		}
		return "y\n"
	}
	// who takes an allowed one for not allowed is told so, and not asked for an operation
	if last, _ := play(t, opposite); last != fmt.Sprintf("0 of %d points", most) {
		t.Errorf("who says the opposite gets %s", last)
	}
	if last, _ := play(t, func(Judgement) string { return "" }); strings.Contains(last, "points") {
		t.Errorf("who says nothing gets %s", last)
	}
}

// TestWrongOperation: an operation without whose reply the rest is still impossible is no answer.
func TestWrongOperation(t *testing.T) {
	all, _ := everything(t)
	chosen, err := Pick(all, []string{"outlived"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	(&Player{In: strings.NewReader("n\n1\n"), Out: &b}).Play(all, chosen)
	if !strings.Contains(b.String(), "still not allowed") || !strings.Contains(b.String(), "1 of 2 points") {
		t.Errorf("%s", b.String())
	}
}

// TestDraw: pictures fit a terminal and hold every operation.
func TestDraw(t *testing.T) {
	all, _ := everything(t)
	for _, s := range all {
		for _, row := range strings.Split(s.Draw(), "\n") {
			if n := utf8.RuneCountInString(row); n > 100 && s.Wire == nil {
				t.Errorf("%s: a row of %d letters: %s", s.Name, n, row)
			}
		}
	}
	chosen, _ := Pick(all, []string{"back-again"})
	want := `
  client 1   |--1---|             |--3---|
  client 2                 |----------------2-----------------|
  client 3                                      |--4---|
`
	if got := all[chosen[0]].Draw(); !strings.HasPrefix("\n"+got, want) {
		t.Errorf("drawn as\n%s", got)
	}
}

// TestPage: one page, no script needed, an answer folded below each question, and no mark in it
// before that.
func TestPage(t *testing.T) {
	all, _ := everything(t)
	var b bytes.Buffer
	if err := HTML(&b, all); err != nil {
		t.Fatal(err)
	}
	cards := strings.Split(b.String(), "<article")[1:]
	if len(cards) != len(all) {
		t.Fatalf("%d cards of %d scenarios", len(cards), len(all))
	}
	for i, card := range cards {
		question, answer, found := strings.Cut(card, "<details>")
		if !found || strings.Contains(question, "bad") || strings.Contains(question, "llowed") || !strings.Contains(answer, "llowed") {
			t.Errorf("%s: the answer is missing, or not folded", all[i].Name)
		}
		if allowed, _ := claim(all[i]); !allowed && all[i].Wire == nil && !strings.Contains(answer, `class="bad"`) {
			t.Errorf("%s: the answer marks no operation", all[i].Name)
		}
	}
}

func TestBadScenarios(t *testing.T) {
	for _, text := range []string{"x", "1.0 -> hello", `0.1 => "a"`} {
		if err := (&Scenario{Name: "x"}).loadWire(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	s := &Scenario{Name: "x"}
	if err := s.loadWire(`0.1 -> "PING\r\n"` + "\n" + `0.2 <- "PONG\r\n"`); err != nil || !strings.Contains(s.Broken, "no reply") {
		t.Errorf("bytes that are no reply: %v %q", err, s.Broken)
	}
	s = &Scenario{Name: "x"}
	if err := s.loadWire(`0.2 <- "+PONG\r\n"`); err != nil || !strings.HasPrefix(s.Broken, "CONN-1") {
		t.Errorf("a reply to nothing: %v %q", err, s.Broken)
	}
	all, _ := everything(t)
	for _, bad := range []string{"0", "21", "nonesuch"} {
		if _, err := Pick(all, []string{bad}); err == nil {
			t.Errorf("there is a scenario %s", bad)
		}
	}
}
