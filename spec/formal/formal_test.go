package formal

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rondo/spec"
)

// TestProperties: the headers are read, and name clauses that there are.
func TestProperties(t *testing.T) {
	var ids []string
	for _, p := range Properties() {
		ids = append(ids, p.ID)
		if p.Name == "" || !strings.HasSuffix(p.Text, ".") && !strings.HasSuffix(p.Text, ")") {
			t.Errorf("%s %q: %q", p.ID, p.Name, p.Text)
		}
		for _, id := range p.Clauses {
			if _, ok := spec.Lookup(id); !ok {
				t.Errorf("%s stands for %s, which the spec does not have", p.ID, id)
			}
		}
	}
	want := "P1 P2 P3 P4 P5 P6 P7 P8 L1 L2 B1 B2 B3 B4 B5 O1 O2"
	if got := strings.Join(ids, " "); got != want {
		t.Fatalf("the headers name %s; want %s", got, want)
	}
}

// bugs are the faults in the text of a model.
var bugs = regexp.MustCompile(`BUG [!=]= ([1-9][0-9]*)`)

// TestEveryPropertyHasAFault, within bounds that are run, and every number in a model is a fault.
func TestEveryPropertyHasAFault(t *testing.T) {
	for _, p := range Properties() {
		if !slices.ContainsFunc(Faults, func(f Fault) bool { return f.Property == p.ID && f.Model == p.Model }) {
			t.Errorf("%s has no fault that breaks it", p.ID)
		}
	}
	for _, f := range Faults {
		if !slices.ContainsFunc(Runs, func(r Run) bool { return r.Model == f.Model && slices.Equal(r.Defs, f.Defs) }) {
			t.Errorf("%s/%d is found within %v, and the model is not run within these bounds", f.Model, f.Bug, f.Defs)
		}
	}
	for _, model := range Models {
		for _, m := range bugs.FindAllStringSubmatch(Source(model), -1) {
			if !slices.ContainsFunc(Faults, func(f Fault) bool { return f.Model == model && strconv.Itoa(f.Bug) == m[1] }) {
				t.Errorf("%s.pml has a fault %s that nobody runs", model, m[1])
			}
		}
	}
}

// TestJudge: what is no evidence is not taken for any.
func TestJudge(t *testing.T) {
	const good = "\nState-vector 124 byte, depth reached 362, errors: 0\n    26917 states, stored\n"
	for _, c := range []struct {
		name, out string
		holds     bool
		states    int
	}{
		{"complete", good, true, 26917},
		{"millions", strings.Replace(good, "26917", "1.0370868e+07", 1), true, 10370868},
		{"an error", strings.Replace(good, "errors: 0", "errors: 1", 1), false, 26917},
		{"too deep", "error: max search depth too small" + good, false, 26917},
		{"cut", "Warning: Search not completed" + good, false, 26917},
		{"no memory", "pan: out of memory" + good, false, 26917},
		{"memory limit", "pan: reached -DMEMLIM bound\nmemory limit" + good, false, 26917},
		{"too many processes", "pan: error: too many processes -- current max is 6 procs", false, 0},
		{"nothing", "", false, 0},
	} {
		states, errors, cut := judge(c.out)
		if v := (Verdict{States: states, Errors: errors, Cut: cut}); v.Holds() != c.holds || states != c.states {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// TestUncovered: a statement is unreached if no copy of it is reached, and faults do not count.
func TestUncovered(t *testing.T) {
	const source = "n = 1\nm = 2\nBUG == 4 -> o = 3\n"
	const all = "STEP 3 loop\n" +
		"\tstate  30 -(tr  10)-> state  31  [id  72 tp 507] [A---G] m.pml:1 => n = 1\n" +
		"\tstate  40 -(tr  10)-> state  41  [id  72 tp 507] [A---G] m.pml:1 => n = 1\n" +
		"\tstate  50 -(tr  11)-> state  51  [id  72 tp 507] [A---G] m.pml:2 => m = 2\n" +
		"\tstate  60 -(tr  12)-> state  61  [id  72 tp 507] [A---G] m.pml:3 => o = 3\n"
	const out = "unreached in proctype loop\n" +
		"\tm.pml:1, state 40, \"n = 1\"\n" +
		"\tm.pml:2, state 50, \"m = 2\"\n" +
		"\tm.pml:3, state 60, \"o = 3\"\n" +
		"\tm.pml:9, state 99, \"-end-\"\n"
	if got := uncovered(all, out, source, "m"); !slices.Equal(got, []string{"m.pml:2 m = 2"}) {
		t.Fatalf("unreached: %q", got)
	}
}

// TestSmallest runs a small model, one of its faults, and the same fault as if it were the fault of
// another property: a kill must be of the right one.
func TestSmallest(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	v, err := Runs[0].Check(t.Context())
	if err != nil || !v.Holds() || v.States < 1000 {
		t.Fatalf("%+v, %v", v, err)
	}
	f := Faults[0]
	if v, err = f.Check(t.Context()); err != nil || v.Violated != f.Property {
		t.Fatalf("%+v, %v", v, err)
	}
	story := Story(f, v)
	for _, want := range []string{"client", "begins a request", "broken: P1 WholeFrames", "WIRE-1 (MUST)"} {
		if !strings.Contains(story, want) {
			t.Errorf("the story does not say %q:\n%s", want, story)
		}
	}
	var out strings.Builder
	r := &report{w: &out}
	f.Property = "P2"
	if err := r.fault(t.Context(), f); err != nil || r.failed != 1 || !strings.Contains(out.String(), "LIVES") {
		t.Fatalf("a fault that breaks P1 counts as one that breaks P2: %v %s", err, &out)
	}
}
