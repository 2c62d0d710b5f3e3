package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestMatrix sets a failed run, a good one and one that could not be made side by side.
func TestMatrix(t *testing.T) {
	bad, good := failed(), failed()
	good.Cases, good.Histories = good.Cases[1:2], nil
	bad.TabulateClauses()
	good.TabulateClauses()
	m := NewMatrix([]Column{{Name: "bad", Run: bad}, {Name: "good", Run: good},
		{Name: "gone", Error: "nothing listens at <h>:1"}})
	if m.Exit() != 1 || m.Columns[0].Exit != 1 || m.Columns[1].Exit != 0 || m.Columns[2].Exit != 3 {
		t.Errorf("exit %d of %+v", m.Exit(), m.Columns)
	}
	cells := map[string][]string{}
	for _, row := range m.Rows {
		cells[row.ID] = row.Verdicts
	}
	for id, want := range map[string]string{
		"TIME-3": "fail, not run, not run", "WIRE-1": "pass, pass, not run", "TIME-5": "illegal, not run, not run",
	} {
		if got := strings.Join(cells[id], ", "); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if _, ok := cells["WIRE-2"]; ok {
		t.Error("a clause that nobody was asked about has a row")
	}
	var text, page bytes.Buffer
	if err := MatrixText(&text, m, false); err != nil {
		t.Fatal(err)
	}
	if err := MatrixHTML(&page, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TIME-3", "nothing listens", "illegal"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for _, want := range []string{`href="bad/clauses/TIME-3.html"`, `href="good/index.html"`,
		"nothing listens at &lt;h&gt;:1", "--bad: #b3261e"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestCell: what was expected, what came and the bytes stand on the page of a cell.
func TestCell(t *testing.T) {
	run := failed()
	run.TabulateClauses()
	m := NewMatrix([]Column{{Name: "bad", Run: run}})
	for _, row := range m.Rows {
		want, ok := map[string][]string{
			"TIME-3": {"&lt;v&gt; &amp; more", "client", "$10", "rondo-check run time/TIME-3"},
			"TIME-5": {"history/expiry", "recheck", "<svg"},
		}[row.ID]
		if !ok {
			continue
		}
		var page bytes.Buffer
		if err := CellHTML(&page, m.Cell(row, 0)); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(page.String(), text) {
				t.Errorf("%s: no %q", row.ID, text)
			}
		}
	}
}
