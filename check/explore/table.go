package explore

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"rondo/spec"
)

// How a schedule that breaks a clause is shown, wherever it comes from: an exploration, a trace of the
// formal model, or a property that was shrunk.

// Row is one step of it, in the column of whoever took it; what follows from it at once may stand
// beside it.
type Row struct {
	Client string // a sends GET k
	Kernel string // 6 bytes of a arrive; 2 ms pass
	Loop   string // a: GET k -> nil
}

// Violation is a clause that does not hold, and how that was seen. As an error it ends a run.
type Violation struct {
	Clause string // "CONN-4"
	How    string
}

func (v *Violation) Error() string { return v.Clause + ": " + v.How }

// Broken is a Violation as an error.
func Broken(clause, how string, args ...any) error {
	return &Violation{clause, fmt.Sprintf(how, args...)}
}

// Bounds of a table: it is to be read on a terminal.
const (
	cellMax = 48
	rowsMax = 200
)

// Table prints the steps that lead to a violation, and ends with the clause as the spec has it. Of
// very many steps it shows the last.
func Table(rows []Row, v Violation) string {
	var b strings.Builder
	head := Row{"client", "kernel", "loop"}
	if left := len(rows) - rowsMax; left > 0 {
		fmt.Fprintf(&b, "(%d steps before)\n", left)
		rows = rows[left:]
	}
	width := head.widths()
	for _, r := range rows {
		for i, w := range r.widths() {
			width[i] = max(width[i], w)
		}
	}
	line := func(r Row) {
		cells := r.cells()
		text := fmt.Sprintf("%s | %s | %s", pad(cells[0], width[0]), pad(cells[1], width[1]), cells[2])
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	line(head)
	b.WriteString(strings.Repeat("-", width[0]+1) + "+" + strings.Repeat("-", width[1]+2) + "+" +
		strings.Repeat("-", width[2]+1) + "\n")
	for _, r := range rows {
		line(r)
	}
	b.WriteString(v.String())
	return b.String()
}

// String is the end of a table: what happened, and what should have.
func (v Violation) String() string {
	c, known := spec.Lookup(v.Clause)
	if !known {
		return fmt.Sprintf("broken: %s: %s\n", cmp.Or(v.Clause, "no clause"), v.How)
	}
	text := strings.Join(strings.Fields(c.Text), " ")
	return fmt.Sprintf("broken: %s\n%s (%s): %s\n", v.How, c.ID, c.Level, text)
}

func (r Row) cells() [3]string { return [3]string{clip(r.Client), clip(r.Kernel), clip(r.Loop)} }

func (r Row) widths() (w [3]int) {
	for i, cell := range r.cells() {
		w[i] = utf8.RuneCountInString(cell)
	}
	return w
}

// clip shortens a cell, and keeps it on one line.
func clip(s string) string {
	s = strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s)
	if utf8.RuneCountInString(s) <= cellMax {
		return s
	}
	return string([]rune(s)[:cellMax-3]) + "..."
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
