package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

// Matrix is several targets side by side: a row for each clause, a column for each target, and
// behind each cell what that target was asked and did.
type Matrix struct {
	Version int          `json:"version"` // MatrixVersion
	Tool    string       `json:"tool"`
	Command string       `json:"command"`
	Seed    int64        `json:"seed"`
	Started time.Time    `json:"started"`
	TookMs  int64        `json:"tookMs"`
	Columns []Column     `json:"columns"`
	Rows    []ClauseCell `json:"rows"`
}

// MatrixVersion is the version of matrix.json.
const MatrixVersion = 1

// Column is one target.
type Column struct {
	Name       string         `json:"name"` // as the command line names it: a folder of the report
	Target     Target         `json:"target"`
	Conclusion string         `json:"conclusion"`
	Exit       int            `json:"exit"`
	Verdicts   map[string]int `json:"verdicts"`        // of clauses, as in the rows
	Error      string         `json:"error,omitempty"` // why there is no run

	Run *Run `json:"-"`
}

// ClauseCell is one row: a clause and, for each column, the verdict.
type ClauseCell struct {
	ID       string   `json:"id"`
	Level    string   `json:"level"`
	Text     string   `json:"text"`
	Verdicts []string `json:"verdicts"` // in the order of the columns
}

// Differs says whether the targets do not all have the same verdict.
func (row ClauseCell) Differs() bool {
	return slices.ContainsFunc(row.Verdicts, func(v string) bool { return v != row.Verdicts[0] })
}

// NewMatrix puts runs beside each other; a run of nil stands for a target that could not be
// judged, Error saying why. Clauses that no run has anything to say about are left out.
func NewMatrix(columns []Column) *Matrix {
	m := &Matrix{Version: MatrixVersion, Columns: columns}
	index := map[string]int{}
	for i := range columns {
		c := &columns[i]
		c.Verdicts = map[string]int{}
		if c.Run == nil {
			c.Exit, c.Conclusion = 3, "No verdict: "+c.Error
			continue
		}
		c.Target, c.Conclusion, c.Exit = c.Run.Target, c.Run.Conclusion(), c.Run.Exit()
		for _, row := range c.Run.Clauses {
			n, ok := index[row.ID]
			if !ok {
				n = len(m.Rows)
				index[row.ID] = n
				m.Rows = append(m.Rows, ClauseCell{row.ID, row.Level, row.Text,
					slices.Repeat([]string{NotRun}, len(columns))})
			}
			m.Rows[n].Verdicts[i] = row.Verdict
			c.Verdicts[row.Verdict]++
		}
	}
	m.Rows = slices.DeleteFunc(m.Rows, func(row ClauseCell) bool {
		return row.Verdicts[0] == NotRun && !row.Differs()
	})
	return m
}

// Differing are the rows in which the targets do not agree.
func (m *Matrix) Differing() []ClauseCell {
	return slices.DeleteFunc(slices.Clone(m.Rows), func(row ClauseCell) bool { return !row.Differs() })
}

// Chapter is the chapter of the spec that the clause stands in.
func (row ClauseCell) Chapter() string { return ClauseRow{ID: row.ID}.Chapter() }

// Verdicts are those that occur, the gravest first, and Chapters the chapters: to filter by.
func (m *Matrix) Verdicts() []string {
	verdicts, _ := m.all().occurring()
	return verdicts
}

func (m *Matrix) Chapters() []string {
	_, chapters := m.all().occurring()
	return chapters
}

// all is every cell as a clause of one run.
func (m *Matrix) all() *Run {
	r := &Run{}
	for _, row := range m.Rows {
		for _, v := range row.Verdicts {
			r.Clauses = append(r.Clauses, ClauseRow{ID: row.ID, Verdict: v})
		}
	}
	return r
}

// matrixLine is a row as the page's template reads it; Anchor: links to the clause lead to it.
type matrixLine struct {
	Row    ClauseCell
	Anchor bool
	Cells  []matrixCell
}

type matrixCell struct{ Column, Verdict, Page string }

// Line prepares a row for the page.
func (m *Matrix) Line(row ClauseCell, anchor bool) matrixLine {
	line := matrixLine{Row: row, Anchor: anchor}
	for i, v := range row.Verdicts {
		line.Cells = append(line.Cells, matrixCell{m.Columns[i].Name, v, m.Page(row, i)})
	}
	return line
}

// Exit is the gravest of the columns' exit statuses: 1, 3, 2, 0.
func (m *Matrix) Exit() int {
	for _, status := range []int{1, 3, 2} {
		if slices.ContainsFunc(m.Columns, func(c Column) bool { return c.Exit == status }) {
			return status
		}
	}
	return 0
}

// Cell is all that one target showed of one clause.
type Cell struct {
	Column    *Column
	Clause    ClauseRow
	Means     string // what the verdict means
	Cases     []foldedCase
	Histories []History // with the violations of this clause only
}

// Page is where the cell's page stands beside matrix.json; "" if nothing was asked.
func (m *Matrix) Page(row ClauseCell, column int) string {
	if row.Verdicts[column] == NotRun {
		return ""
	}
	return fmt.Sprintf("%s/clauses/%s.html", m.Columns[column].Name, row.ID)
}

// Cell collects what a column's run has about a clause.
func (m *Matrix) Cell(row ClauseCell, column int) Cell {
	c := Cell{Column: &m.Columns[column]}
	run := c.Column.Run
	i := slices.IndexFunc(run.Clauses, func(r ClauseRow) bool { return r.ID == row.ID })
	c.Clause = run.Clauses[i]
	if i := slices.IndexFunc(Definitions, func(d Definition) bool { return d.Verdict == c.Clause.Verdict }); i >= 0 {
		c.Means = Definitions[i].Means
	}
	var cases []Case
	for _, one := range run.CasesBySeverity() {
		if slices.Contains(one.Clauses, row.ID) {
			cases = append(cases, one)
		}
	}
	budget := caseBytesMax
	c.Cases = fold(cases, &budget)
	for i := range c.Cases {
		c.Cases[i].Base = "../../index.html"
	}
	for _, h := range run.Histories {
		h.Violations = slices.DeleteFunc(slices.Clone(h.Violations), func(v Violation) bool {
			return v.Clause != row.ID
		})
		if len(h.Violations) > 0 || slices.Contains(h.Clauses, row.ID) {
			h.File = "../" + h.File
			for i := range h.Violations {
				if v := &h.Violations[i]; v.View != "" {
					v.View = "../" + v.View
				}
			}
			c.Histories = append(c.Histories, h)
		}
	}
	return c
}

// MatrixJSON writes matrix.json.
func MatrixJSON(w io.Writer, m *Matrix) error { return encode(w, m) }

// MatrixText writes the columns, and the rows in which they differ or that are broken.
func MatrixText(w io.Writer, m *Matrix, color bool) error {
	p := &printer{w: w, color: color}
	width := 10
	for _, c := range m.Columns {
		width = max(width, len(c.Name))
		p.printf("%s: %s\n", c.Name, p.paint(columnVerdict(c.Exit), c.Conclusion))
	}
	p.printf("\n%-10s %-6s", "clause", "")
	for _, c := range m.Columns {
		p.printf(" %-*s", width, c.Name)
	}
	p.printf("\n")
	same := 0
	for _, row := range m.Rows {
		if !row.Differs() && !bad(row.Verdicts[0]) {
			same++
			continue
		}
		p.printf("%-10s %-6s", row.ID, row.Level)
		for _, v := range row.Verdicts {
			p.printf(" %s%s", p.paint(v, v), strings.Repeat(" ", max(0, width-len(v))))
		}
		p.printf("\n")
	}
	p.printf("and %d clauses on which all agree, none of them broken\n", same)
	return p.err
}

func bad(verdict string) bool {
	return verdict == "fail" || verdict == "error" || verdict == HistoryIllegal
}

// columnVerdict is a word for an exit status.
func columnVerdict(exit int) string {
	return map[int]string{0: "pass", 1: "fail", 2: "unknown", 3: "error"}[exit]
}

//go:embed matrix.html
var matrixText string

//go:embed cell.html
var cellText string

var matrixPage, cellPage = sibling("matrix", matrixText), sibling("cell", cellText)

// sibling makes a page that shares the style and the parts of the report's own.
func sibling(name, text string) *template.Template {
	t := template.Must(pages.Clone()).Funcs(template.FuncMap{"column": columnVerdict,
		"definitions": func() []Definition { return Definitions }})
	return template.Must(t.New(name).Parse(text))
}

// MatrixHTML writes the page of the whole matrix.
func MatrixHTML(w io.Writer, m *Matrix) error { return matrixPage.Execute(w, m) }

// CellHTML writes the page of one cell.
func CellHTML(w io.Writer, c Cell) error { return cellPage.Execute(w, c) }
