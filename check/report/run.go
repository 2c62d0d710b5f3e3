// Package report turns the outcome of a run into text, JSON, JUnit XML and one HTML page.
//
// A Run is one value; each format is a pure function of it (text.go, json.go, junit.go, html.go).
// What the verdicts mean stands here once, and the page prints it.
package report

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/check/rhythm"
	"rondo/check/suite"
	"rondo/check/wire"
	"rondo/spec"
)

// FormatVersion is the version of report.json. It grows when a field changes its meaning.
const FormatVersion = 1

// Verdict of a history. Those of cases are suite's.
const (
	HistoryOK      = "ok"
	HistoryIllegal = "illegal"
	HistoryUnknown = "unknown"
	HistoryVacuous = "vacuous"
	HistoryError   = "error"

	// NotRun is also the verdict of a clause without a case.
	NotRun = "not run"
)

// Definition says what a verdict means, and which exit status it leads to.
type Definition struct {
	Verdict string `json:"verdict"`
	Of      string `json:"of"` // "case" or "history"
	Means   string `json:"means"`
	Exit    int    `json:"exit"`
}

// Definitions are all verdicts, in the order of reports.
var Definitions = []Definition{
	{"fail", "case", "A MUST clause is broken: the server did what the clause forbids.", 1},
	{"error", "case", "The harness or its environment failed. No evidence about the server.", 3},
	{Listed, "case", "The list of -expect says that it fails, and it does not: take it off.", 1},
	{Known, "case", "It fails, and the list of -expect says why.", 0},
	{"non-strict", "case", "A SHOULD clause is not met. Redis itself is non-strict in places.", 0},
	{NotRun, "case", "The run was stopped, or lost its server, before it: no evidence.", 2},
	{"skip", "case", "Not run, for the reason given: the server lacks what the case needs.", 0},
	{"info", "case", "A measurement or an observation without a verdict.", 0},
	{"pass", "case", "The server did what the clauses say.", 0},
	{"illegal", "history", "No order of effects explains the replies: proof that a clause is broken.", 1},
	{Known, "history", "It is illegal, and the list of -expect says why.", 0},
	{"error", "history", "The recording cannot be used: no evidence about the server.", 3},
	{"unknown", "history", "A bound of time, memory or size ended the search before an answer.", 2},
	{"vacuous", "history", "Too little overlap or expiry happened for the answer to mean anything.", 2},
	{NotRun, "history", "The run was stopped, or lost its server, before it: no evidence.", 2},
	{"ok", "history", "Some order of effects, with clock ticks, explains every reply.", 0},
}

// Run is everything a report shows.
type Run struct {
	Version   int       `json:"version"` // FormatVersion
	Tool      string    `json:"tool"`    // "rondo-check 0.1.0"
	Command   string    `json:"command"` // the command line that does the same again
	Target    Target    `json:"target"`
	Seed      int64     `json:"seed"`
	As        string    `json:"as,omitempty"`    // the baseline that the levels of clauses are about
	Fault     string    `json:"fault,omitempty"` // the command that was to do something to the server
	Started   time.Time `json:"started"`
	TookMs    int64     `json:"tookMs"`
	Cases     []Case    `json:"cases"`
	Histories []History `json:"histories"`
	// Stopped says that a run came to an end before its time: what it found until then counts, and
	// what it did not reach is NotRun.
	Stopped string `json:"stopped,omitempty"`

	ExpectedIn string `json:"expectedIn,omitempty"` // the file that lists what is known to fail

	Clauses []ClauseRow `json:"clauses"`
	// Detection says what the judge of histories sees, if that was asked for.
	Detection *Detection `json:"detection,omitempty"`

	Power *Power `json:"power,omitempty"` // nil: not asked for

	Rhythm *rhythm.Report `json:"rhythm,omitempty"` // nil: not asked for
}

// Power is what this run, with its own cases, mixes and sizes, makes of servers with one deliberate
// fault each.
type Power struct {
	Mutants int        `json:"mutants"`
	Killed  int        `json:"killed"`
	Rows    []PowerRow `json:"rows"`
}

// PowerRow is one of them.
type PowerRow struct {
	Name    string   `json:"name"`
	Does    string   `json:"does"`
	Clauses []string `json:"clauses"`
	By      string   `json:"by,omitempty"` // the case or history that convicted it; "": none
	TookMs  int64    `json:"tookMs"`
	Error   string   `json:"error,omitempty"` // it could not be run
}

// Survivors are the faults that this run would not have noticed.
func (p *Power) Survivors() (names []string) {
	for _, row := range p.Rows {
		if row.By == "" {
			names = append(names, row.Name)
		}
	}
	return names
}

// Target is the server that was judged.
type Target struct {
	Name    string `json:"name"`
	Addr    string `json:"addr"`
	Exec    string `json:"exec,omitempty"`
	Profile string `json:"profile"` // how often it reads its clock in one unit: frozen or live
}

// Case is a suite.Result as reports show it.
type Case struct {
	Name     string     `json:"name"`
	Clauses  []string   `json:"clauses"`
	Verdict  string     `json:"verdict"`
	Reason   string     `json:"reason,omitempty"`
	Sent     string     `json:"sent,omitempty"` // the request that it is about
	Expected string     `json:"expected,omitempty"`
	Actual   string     `json:"actual,omitempty"`
	Wire     []WireLine `json:"wire,omitempty"`
	TookMs   int64      `json:"tookMs"`
	Replay   string     `json:"replay,omitempty"`
}

// WireLine is one transmission: quoted bytes, cut to a bound.
type WireLine struct {
	AtUs  int64  `json:"atUs"`
	From  string `json:"from"` // "client" or "server"
	Bytes string `json:"bytes"`
}

// History is one recorded and judged history.
type History struct {
	Name       string      `json:"name"`
	File       string      `json:"file,omitempty"` // relative to the report
	Verdict    string      `json:"verdict"`
	Reason     string      `json:"reason,omitempty"`
	Ops        int         `json:"ops"`
	Clients    int         `json:"clients"`
	Components int         `json:"components"`
	Clauses    []string    `json:"clauses,omitempty"`
	Figures    []Figure    `json:"figures,omitempty"`    // overlap, hits and the like, for people
	Findings   []Finding   `json:"findings,omitempty"`   // what is wrong, and how often
	Violations []Violation `json:"violations,omitempty"` // examples of it, the smallest first
	Undecided  []Undecided `json:"undecided,omitempty"`
	Faults     []Fault     `json:"faults,omitempty"` // what was done to the server from outside
	FaultTally FaultTally  `json:"faultTally,omitzero"`
	Recheck    string      `json:"recheck,omitempty"`
	TookMs     int64       `json:"tookMs"`
}

// Figure is one line of what a recording contains.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Main  bool   `json:"main,omitempty"` // the text report shows it too
}

// Violation is one component of a history that no order explains.
type Violation struct {
	Clause   string   `json:"clause"`
	Sentence string   `json:"sentence"`
	Keys     []string `json:"keys"`
	Steps    []string `json:"steps"`              // the shortest illegal history found, a line each
	Cause    string   `json:"cause,omitempty"`    // a phrase that many components share
	Why      []string `json:"why,omitempty"`      // facts in order, or why each order ends
	Unproven bool     `json:"unproven,omitempty"` // nothing is known to contradict, the component aside
	// ExplainedMs is how long it took to find all this, once the component was illegal.
	ExplainedMs int64 `json:"explainedMs,omitempty"`

	Size   int            `json:"-"` // how much there is to read
	Core   []history.Op   `json:"-"`
	Tag    string         `json:"-"`              // a hash tag of all keys, left out of texts
	Origin int64          `json:"-"`              // ns: what the times in Sentence and Steps count from
	View   string         `json:"view,omitempty"` // porcupine's interactive page, relative to the report
	Marks  []history.Mark `json:"-"`              // of the whole recording, for the drawing

	Visualization func(io.Writer) error `json:"-"` // writes that page; nil if there is none
}

// ClauseRow is one clause and what this run says of it.
type ClauseRow struct {
	ID      string   `json:"id"`
	Level   string   `json:"level"`
	Text    string   `json:"text"`
	Verdict string   `json:"verdict"` // worst verdict of its cases; NotRun without one
	Cases   []string `json:"cases,omitempty"`
}

// FromCase converts a result of the suite.
func FromCase(r suite.Result) Case {
	c := Case{
		Name: r.Name, Clauses: r.Clauses, Verdict: string(r.Verdict), Reason: cut(r.Reason),
		Sent: cut(r.Sent), Expected: cut(r.Expected), Actual: cut(r.Actual), TookMs: r.Took.Milliseconds(),
	}
	if r.Verdict == suite.Fail || r.Verdict == suite.Error || r.Verdict == suite.NonStrict {
		c.Wire = wireLines(r.Wire)
		c.Replay = r.Replay
	}
	return c
}

// cut shortens a text that a server may have made long.
func cut(s string) string {
	if len(s) <= textBytesMax {
		return s
	}
	return fmt.Sprintf("%s … %d bytes more", strings.ToValidUTF8(s[:textBytesMax], ""), len(s)-textBytesMax)
}

// plural is "1 case", "2 cases".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func wireLines(log []wire.Entry) []WireLine {
	if len(log) > wireLinesMax {
		log = log[len(log)-wireLinesMax:]
	}
	lines := make([]WireLine, 0, len(log))
	for _, e := range log {
		from := "server"
		if e.Out {
			from = "client"
		}
		lines = append(lines, WireLine{AtUs: e.At.Microseconds(), From: from, Bytes: quote(e.Bytes)})
	}
	return lines
}

func quote(b []byte) string {
	if len(b) <= wireBytesMax {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q … %d bytes more", b[:wireBytesMax], len(b)-wireBytesMax)
}

// severity orders verdicts by how much they want to be read.
func severity(verdict string) int {
	for i, d := range Definitions {
		if d.Verdict == verdict {
			return len(Definitions) - i
		}
	}
	return 0
}

// TabulateClauses fills the clause table from the cases and violations of the run.
func (r *Run) TabulateClauses() {
	cases := map[string][]Case{}
	for _, c := range r.Cases {
		for _, id := range c.Clauses {
			cases[id] = append(cases[id], c)
		}
	}
	broken := map[string]bool{}
	for _, h := range r.Histories {
		for _, id := range h.Clauses {
			cases[id] = append(cases[id], Case{Name: h.Name, Verdict: h.Verdict})
		}
		for _, v := range h.Violations {
			broken[v.Clause] = broken[v.Clause] || h.Verdict != Known
		}
	}
	r.Clauses = r.Clauses[:0]
	for _, clause := range spec.All() {
		r.Clauses = append(r.Clauses, clauseRow(clause, clause.LevelAs(r.As), cases[clause.ID], broken[clause.ID]))
	}
}

// Chapter is the chapter of the spec that the clause stands in.
func (c ClauseRow) Chapter() string {
	clause, _ := spec.Lookup(c.ID)
	name := strings.TrimSuffix(clause.File, ".md")
	return name[strings.IndexByte(name, '-')+1:]
}

func clauseRow(clause spec.Clause, level spec.Level, cases []Case, broken bool) ClauseRow {
	row := ClauseRow{ID: clause.ID, Level: string(level), Text: clause.Text, Verdict: NotRun}
	for _, c := range cases {
		row.Cases = append(row.Cases, c.Name)
		if c.Verdict == HistoryIllegal || c.Verdict == NotRun {
			continue // of an illegal history only the clause that its violation names is broken
		}
		if row.Verdict == NotRun || outranks(c.Verdict, row.Verdict) {
			row.Verdict = c.Verdict
		}
	}
	if broken {
		row.Verdict = HistoryIllegal
	}
	return row
}

// outranks: a pass outranks a skip (the clause was tested), otherwise the graver verdict shows.
func outranks(a, b string) bool {
	if b == "skip" {
		return a != "skip"
	}
	return a != "skip" && severity(a) > severity(b)
}

// Count counts verdicts of cases ("case") or histories ("history").
func (r *Run) Count(of, verdict string) int {
	n := 0
	if of == "case" {
		for _, c := range r.Cases {
			if c.Verdict == verdict {
				n++
			}
		}
		return n
	}
	for _, h := range r.Histories {
		if h.Verdict == verdict {
			n++
		}
	}
	return n
}

// Tally is one verdict and how often it occurred.
type Tally struct {
	Verdict string
	N       int
}

// tally counts every verdict of cases or histories that occurred, in the order of Definitions.
func (r *Run) tally(of string) []Tally {
	var out []Tally
	for _, d := range Definitions {
		if n := r.Count(d.Of, d.Verdict); d.Of == of && n > 0 {
			out = append(out, Tally{d.Verdict, n})
		}
	}
	return out
}

// Exit is the exit status: precedence 1 (broken), 3 (error), 2 (unknown, vacuous), 0.
func (r *Run) Exit() int {
	seen := map[int]bool{}
	for _, d := range Definitions {
		if r.Count(d.Of, d.Verdict) > 0 {
			seen[d.Exit] = true
		}
	}
	seen[2] = seen[2] || r.faultless() != ""
	for _, status := range []int{1, 3, 2} {
		if seen[status] {
			return status
		}
	}
	switch {
	case len(r.Cases)+len(r.Histories) == 0:
		return 3
	case r.Count("case", "skip") == len(r.Cases) && len(r.Histories) == 0:
		return 2 // a run of skips is no evidence
	}
	return 0
}

// Conclusion is the run in one sentence.
func (r *Run) Conclusion() string {
	if r.Stopped != "" {
		return strings.ToUpper(r.Stopped[:1]) + r.Stopped[1:] + ": " + r.conclusion()
	}
	return r.conclusion()
}

func (r *Run) conclusion() string {
	switch r.Exit() {
	case 1:
		if n := r.Count("case", Listed); n > 0 && r.Count("case", "fail")+r.Count("history", HistoryIllegal) == 0 {
			return r.outOfDate(n)
		}
		return r.Target.Name + " breaks the specification: " +
			r.both("%d of %d cases fail", "fail", "%d of %d histories are illegal", HistoryIllegal) + "."
	case 3:
		return "No verdict: the harness met an error; see the cases and histories marked error."
	case 2:
		if r.Count("case", NotRun)+r.Count("history", NotRun) > 0 {
			return "Nothing broken was found, and not all was run: " + r.both("%d of %d cases pass", "pass",
				"%d of %d histories are ok", HistoryOK) + "."
		}
		if len(r.Histories) == 0 {
			return "No verdict: every case was skipped."
		}
		if r.Count("history", HistoryUnknown)+r.Count("history", HistoryVacuous) == 0 {
			return "No verdict across faults: " + r.faultless()
		}
		return "No verdict on some histories: unknown or vacuous. Nothing broken was found."
	}
	if n := r.Count("case", Known) + r.Count("history", Known); n > 0 {
		return r.nothingNew(n)
	}
	return r.Target.Name + " keeps every clause that was tested: " +
		r.both("%d of %d cases pass", "pass", "%d of %d histories are ok", HistoryOK) + "."
}

// both counts a verdict of the cases and one of the histories, where there are any.
func (r *Run) both(ofCases, verdict, ofHistories, judged string) string {
	var parts []string
	if n := len(r.Cases); n > 0 {
		parts = append(parts, fmt.Sprintf(ofCases, r.Count("case", verdict), n))
	}
	if n := len(r.Histories); n > 0 {
		parts = append(parts, fmt.Sprintf(ofHistories, r.Count("history", judged), n))
	}
	return strings.Join(parts, ", ")
}

// CasesBySeverity are the cases, gravest verdict first, each group in its given order.
func (r *Run) CasesBySeverity() []Case {
	out := append([]Case(nil), r.Cases...)
	sort.SliceStable(out, func(i, j int) bool { return severity(out[i].Verdict) > severity(out[j].Verdict) })
	return out
}
