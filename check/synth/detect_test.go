package synth

import (
	"context"
	"testing"
	"time"

	"rondo/check/linear"
)

// TestDetect: a correct server is never convicted, and what shows at once is, under every slack.
func TestDetect(t *testing.T) {
	all := Bugs
	defer func() { Bugs = all }()
	Bugs = []Bug{all[0], all[4]}
	o := DetectDefaults()
	o.Histories, o.Ops, o.Seed = 2, 6_000, 5
	seen := 0
	o.Progress = func(Detection) { seen++ }
	found, err := Detect(t.Context(), o)
	if err != nil || len(found) != 3 || seen != 3 {
		t.Fatalf("%v, %v, %d seen", found, err, seen)
	}
	for _, d := range found {
		for _, c := range d.Cells {
			want := 2
			if d.Bug == "" {
				want = 0
			}
			if c.Detected != want || c.Below || c.Undecided > 0 || (c.Median > 0) != (want > 0) {
				t.Errorf("%q with a slack of %v: %+v", d.Bug, c.Slack, c)
			}
		}
	}
	if found[1].Cells[3].Median < found[1].Cells[0].Median {
		t.Errorf("slack makes an error of time easier to see: %v", found[1].Cells)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Detect(ctx, o); err == nil {
		t.Error("an interruption is no table")
	}
}

// TestBar: what falls behind is marked.
func TestBar(t *testing.T) {
	for _, c := range []struct {
		bug                 string
		slack               time.Duration
		detected, undecided int
		below               bool
	}{
		{"", 0, 0, 0, false}, {"", 0, 1, 0, true}, {"", 0, 0, 1, true},
		{Bugs[1].Name, time.Millisecond, 10, 0, false}, {Bugs[1].Name, time.Millisecond, 9, 0, true},
		{Bugs[1].Name, 5 * time.Millisecond, 3, 0, false}, {Bugs[1].Name, 3 * time.Millisecond, 3, 0, false},
	} {
		cell := Cell{Slack: c.slack, Histories: 10, Detected: c.detected, Undecided: c.undecided}
		if cell.finish(c.bug, []int{3, 1, 2}); cell.Below != c.below || cell.Median != 2 {
			t.Errorf("%+v: %+v", c, cell)
		}
	}
	for _, b := range Bugs {
		if bars[b.Name] == [4]string{} {
			t.Errorf("%s has no bar", b.Name)
		}
	}
}

// TestConviction: the prefix is the shortest, and nothing shorter is illegal.
func TestConviction(t *testing.T) {
	o := small("full", 3)
	o.Bug = Bugs[0].Name
	h := Make(o)
	n, v := linear.Conviction(h, linear.Options{})
	if v != linear.Illegal || n < 2 || n > len(h.Ops) {
		t.Fatalf("%d, %s", n, v)
	}
	o.Bug = ""
	if n, v := linear.Conviction(Make(o), linear.Options{}); n != 0 || v != linear.OK {
		t.Errorf("a correct server: %d, %s", n, v)
	}
}
