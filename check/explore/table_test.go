package explore

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	rows := []Row{
		{Client: "a sends GET k"},
		{Kernel: "22 bytes of a arrive"},
		{Loop: "a: GET k\r\n" + strings.Repeat("x", 80)},
		{Client: "a takes 2 bytes of é", Kernel: "2 ms pass"},
	}
	got := Table(rows, Violation{"CONN-4", "\"-1\" follows \"+O\""})
	want := `client               | kernel               | loop
---------------------+----------------------+-------------------------------------------------
a sends GET k        |                      |
                     | 22 bytes of a arrive |
                     |                      | a: GET k\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
a takes 2 bytes of é | 2 ms pass            |
broken: "-1" follows "+O"
CONN-4 (MUST): The bytes of a reply are contiguous and complete, however many writes they took.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTableIsBounded(t *testing.T) {
	got := Table(make([]Row, rowsMax+7), Violation{"NOT-1", "so"})
	if n := strings.Count(got, "\n"); n != rowsMax+4 || !strings.HasPrefix(got, "(7 steps before)") {
		t.Errorf("%d lines:\n%s", n, got)
	}
	if !strings.HasSuffix(got, "broken: NOT-1: so\n") {
		t.Errorf("ends with %q", got[len(got)-40:])
	}
}
