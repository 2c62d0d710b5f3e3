package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

var named = func(name string) bool { return !strings.Contains(name, "nosuch") }

func expectations(t *testing.T, text string) []Expectation {
	t.Helper()
	list, err := ReadExpectations(strings.NewReader(text), named)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestExpect: what is listed does not count, what is not does, and a line that is out of date fails.
func TestExpect(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		exit int
		want string // a verdict and the case or history that has it
	}{
		"nothing listed":      {"# none", 1, "fail time/TIME-3"},
		"by clause":           {"TIME-3 slow\nTIME-5 slow", 3, "known history/expiry"}, // conn/reset is an error
		"by name":             {"time/TIME-3 slow\nhistory/expiry slow", 3, "known time/TIME-3"},
		"half of it":          {"time/TIME-3 slow", 1, "illegal history/expiry"},
		"passes":              {"time/TIME-3 slow\nhistory/expiry slow\nWIRE-1 once", 1, "listed expect/WIRE-1"},
		"may pass":            {"time/TIME-3 slow\nhistory/expiry slow\n?WIRE-1 once", 3, "pass wire/WIRE-1"},
		"skipped is no proof": {"time/TIME-3 slow\nhistory/expiry slow\nCONN-30 once", 3, "skip conn/unix-socket"},
	} {
		r := failed()
		r.Expect("known.txt", expectations(t, c.list))
		var verdicts []string
		for key, verdict := range r.verdicts() {
			_, what, _ := strings.Cut(key, " ")
			verdicts = append(verdicts, verdict+" "+what)
		}
		if r.Exit() != c.exit || !slices.Contains(verdicts, c.want) {
			t.Errorf("%s: exit %d, want %d and %q in %q", name, r.Exit(), c.exit, c.want, verdicts)
		}
	}
}

func TestExpectationsAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"TIME-3":                "line 1: TIME-3 has no reason",
		"\n# x\nnosuch because": `line 3: there is no clause, case or history "nosuch"`,
		"TIME-3 a\nTIME-3 b":    "line 2: TIME-3 is listed twice",
	} {
		_, err := ReadExpectations(strings.NewReader(text), named)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestWrittenExpectationsHold: the list that a run writes excuses the same run.
func TestWrittenExpectationsHold(t *testing.T) {
	var list bytes.Buffer
	if err := WriteExpectations(&list, failed()); err != nil {
		t.Fatal(err)
	}
	r := failed()
	r.Expect("known.txt", expectations(t, list.String()))
	if n := r.Count("case", "fail") + r.Count("history", HistoryIllegal) + r.Count("case", Listed); n != 0 {
		t.Errorf("%d are not excused by\n%s", n, &list)
	}
	var text bytes.Buffer
	if err := Text(&text, r, false); err != nil || !strings.Contains(text.String(),
		"known  time/TIME-3: no reason given yet (line 4: the reply differs)\n") {
		t.Errorf("%v in\n%s", err, &text)
	}
}

// TestExpectedConclusions: the headline does not praise what is excused.
func TestExpectedConclusions(t *testing.T) {
	for list, want := range map[string]string{
		"a slow\nb slow":         "x does nothing new: 2 known failures are listed in known.txt; 1 of 3 cases pass.",
		"a slow\nb slow\nc slow": "known.txt is out of date: one of its lines names what does not fail any more.",
	} {
		r := &Run{Target: Target{Name: "x"}, Cases: []Case{{Name: "a", Verdict: "fail"}, {Name: "b", Verdict: "fail"},
			{Name: "c", Verdict: "pass"}}}
		r.Expect("known.txt", expectations(t, list))
		if got := r.Conclusion(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestTrack compares with an earlier report.
func TestTrack(t *testing.T) {
	var file bytes.Buffer
	if err := JSON(&file, failed()); err != nil {
		t.Fatal(err)
	}
	before, err := ReadRun(&file)
	if err != nil {
		t.Fatal(err)
	}
	now := failed()
	if changes := now.Changes(before); len(changes) != 0 || ExitOf(changes, now) != 0 {
		t.Errorf("the same run: %+v, exit %d", changes, ExitOf(changes, now))
	}
	now.Cases[0].Verdict = "pass" // mended
	changes := now.Changes(before)
	if len(changes) != 1 || changes[0].Was != "fail" || ExitOf(changes, now) != 0 {
		t.Errorf("mended: %+v, exit %d", changes, ExitOf(changes, now))
	}
	now.Cases[1].Verdict = "fail" // broken
	now.Histories[0].Verdict = HistoryUnknown
	changes = now.Changes(before)
	var text bytes.Buffer
	if err := TextChanges(&text, changes, now, false); err != nil {
		t.Fatal(err)
	}
	if len(changes) != 3 || ExitOf(changes, now) != 1 || !strings.HasPrefix(text.String(), "pass -> fail  wire/WIRE-1\n") {
		t.Errorf("broken: exit %d\n%s", ExitOf(changes, now), &text)
	}
	if _, err := ReadRun(strings.NewReader(`{"some": "json"}`)); err == nil {
		t.Error("any JSON is taken for a report")
	}
}
