package tidy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rondo/check"
	"rondo/check/mutant"
	"rondo/check/mutant/reactor"
	"rondo/check/suite"
	"rondo/fuzz/small"
	"rondo/spec"
	"rondo/spec/formal"
)

var clauseID = regexp.MustCompile(`\b(?:WIRE|CONN|LOOP|EXEC|STR|LIST|KEY|TIME|LIN|BLOCK)-[0-9]+\b`)

var unknownOnPurpose = regexp.MustCompile(`-9[0-9][0-9]+$`)

// TestClausesExist: an ID that no chapter defines fails the build, wherever it stands. Numbers from
// 900 on are for tests that need an unknown clause.
func TestClausesExist(t *testing.T) {
	seen := 0
	for _, file := range files(t) {
		for _, id := range clauseID.FindAllString(string(read(t, file)), -1) {
			seen++
			if _, ok := spec.Lookup(id); !ok && !unknownOnPurpose.MatchString(id) {
				t.Errorf("%s names %s, which the spec does not have", file, id)
			}
		}
	}
	if seen < 500 {
		t.Fatalf("only %d mentions of clauses found: the search is broken", seen)
	}
}

// TestClauseMatrix is the matrix clause by kind of evidence:
//
//	case        conversations, cases and histories that name the clause
//	property    files of random programs, fuzz targets and random states that do
//	simulation  files of the server's tests, on virtual clocks, and of the judge of simulated worlds
//	exhaustive  groups of small worlds, explored to the end
//	formal      properties of the Spin models
//	mutant      faults that break the clause and are found
//
// Each MUST needs one of the first, or, where no client can see it, a test of the server under
// simulation; and each needs a mutant.
func TestClauseMatrix(t *testing.T) {
	cases, faults := casesByClause(), faultsByClause(t)
	tests := filesByClause(t, "impl/", "fuzz/world/")
	random := filesByClause(t, "check/property/", "fuzz/", "model/", "impl/store/")
	worlds, properties := worldsByClause(), formalByClause()
	var matrix strings.Builder
	for _, c := range spec.All() {
		fmt.Fprintf(&matrix, "%-9s %-6s case %3d  property %2d  simulation %2d  exhaustive %d  formal %-8s mutant %3d\n",
			c.ID, c.Level, cases[c.ID], random[c.ID], tests[c.ID], worlds[c.ID],
			cmp.Or(properties[c.ID], "-"), faults[c.ID])
		if c.Level != spec.Must {
			continue
		}
		if cases[c.ID] == 0 && tests[c.ID] == 0 {
			t.Errorf("%s is a MUST without a case and without a test that names it", c.ID)
		}
		if faults[c.ID] == 0 {
			t.Errorf("%s is a MUST without a mutant: its checks have not been checked", c.ID)
		}
	}
	t.Logf("%s", &matrix)
}

// TestNamesAreUnique: a replay line names one case.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range append(suite.Cases(), check.HistoryCases()...) {
		if seen[c.Name] {
			t.Errorf("two cases are named %s", c.Name)
		}
		seen[c.Name] = true
		if len(c.Clauses) == 0 {
			t.Errorf("%s shows no clause", c.Name)
		}
	}
}

// TestFaultsAreNamed: a fault that breaks no clause could not be convicted of anything.
func TestFaultsAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range mutant.Faults {
		if seen[f.Name] || f.Does == "" || len(f.Clauses) == 0 {
			t.Errorf("fault %q wants a unique name, a sentence and clauses", f.Name)
		}
		seen[f.Name] = true
	}
}

// TestFaultsMatch: whoever changes the server keeps its faults up to date.
func TestFaultsMatch(t *testing.T) {
	faults, err := reactor.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		if _, err := f.Edited(root); err != nil {
			t.Error(err)
		}
	}
}

func casesByClause() map[string]int {
	n := map[string]int{}
	for _, c := range append(suite.Cases(), check.HistoryCases()...) {
		for _, id := range c.Clauses {
			n[id]++
		}
	}
	return n
}

// formalByClause names the properties of the formal model that stand for a clause, as the heads of the
// models say it.
func formalByClause() map[string]string {
	ids := map[string]string{}
	for _, p := range formal.Properties() {
		for _, id := range p.Clauses {
			ids[id] = strings.TrimSpace(ids[id] + " " + p.ID)
		}
	}
	return ids
}

// TestFormalEvidence: the heads of the models are read, and what they hold is shown in the matrix.
func TestFormalEvidence(t *testing.T) {
	ids := formalByClause()
	for id, want := range map[string]string{"WIRE-1": "P1", "LIN-1": "P3", "BLOCK-5": "B2", "CONN-15": "O1 O2"} {
		if ids[id] != want {
			t.Errorf("%s is shown by %q and not by %q", id, ids[id], want)
		}
	}
}

// worldsByClause counts the groups of small worlds that show a clause.
func worldsByClause() map[string]int {
	n := map[string]int{}
	for _, clauses := range small.Clauses {
		for _, id := range clauses {
			n[id]++
		}
	}
	return n
}

// filesByClause counts the test files in some folders, and the judge of worlds, that name a clause.
func filesByClause(t *testing.T, folders ...string) map[string]int {
	n := map[string]int{}
	for _, file := range goFiles(t) {
		in := func(folder string) bool { return strings.HasPrefix(file, folder) }
		judges := strings.HasSuffix(file, "_test.go") || in("fuzz/world/") || in("check/property/")
		if !judges || !slices.ContainsFunc(folders, in) {
			continue
		}
		seen := map[string]bool{}
		text := strings.ReplaceAll(string(read(t, file)), "_", " ")
		for _, id := range clauseID.FindAllString(text, -1) {
			seen[id] = true
		}
		for id := range seen {
			n[id]++
		}
	}
	return n
}

func faultsByClause(t *testing.T) map[string]int {
	n := map[string]int{}
	for _, f := range mutant.Faults {
		for _, id := range f.Clauses {
			n[id]++
		}
	}
	inReactor, err := reactor.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range inReactor {
		for _, id := range f.Clauses {
			n[id]++
		}
	}
	return n
}
