package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"rondo/check/rhythm"
)

// Pages are complete as they are: one file, no network, and no script is needed to read them. The
// one script they carry (rows.js) sorts and filters. The style (style.css) follows dark mode, the
// width of a phone, and paper.

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	styleText string
	//go:embed rows.js
	rowsText string
)

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"join":     strings.Join,
	"slug":     slug,
	"chapter":  chapter,
	"cut":      cut,
	"remark":   func(s string) string { return clip(s, stepBytesMax) },
	"timeline": Timeline,
	"ms":       seconds,
	"brief":    brief,
	"prose":    prose,
	"because":  Case.because,
	"gist":     Case.gist,
	"rank":     severity,
	"unfolds":  func(c Case) bool { return c.failed() || c.Verdict == "non-strict" },
	"style":    func() template.CSS { return template.CSS(styleText) },
	"figure":   rhythm.Ms,
	"rhythm":   showRhythm,
	"rows":     func() template.JS { return template.JS(rowsText) },
}).Parse(pageText + rhythmText))

// foldedCase is a case that stands open on the page or not. Short: the page has had its fill, and
// what is long is left to report.json.
type foldedCase struct {
	Case
	Open, Short bool
	Base        string // of links to clauses: "" if they are on the same page
}

// fold prepares cases for the page, whose budget they share.
func fold(cases []Case, budget *int) []foldedCase {
	out := make([]foldedCase, len(cases))
	for i, c := range cases {
		out[i] = foldedCase{Case: c, Open: i < openCasesMax}
		for _, text := range []string{c.Reason, c.Sent, c.Expected, c.Actual} {
			*budget -= len(escape(text))
		}
		for _, line := range c.Wire {
			*budget -= len(escape(line.Bytes))
		}
		if *budget < 0 {
			f := &out[i]
			f.Short, f.Wire = true, nil
			f.Reason, f.Expected, f.Actual = clip(c.Reason, gistChars), clip(c.Expected, gistChars), clip(c.Actual, gistChars)
		}
	}
	return out
}

// onPage is a Run as the page's template reads it.
type onPage struct {
	*Run
	Definitions        []Definition
	Worst              string
	CaseCounts         []Tally
	HistCounts         []Tally
	Failed, NonStrict  []foldedCase
	Verdicts, Chapters []string // to filter by: those that occur
}

// HTML writes the run as one self-contained page.
func HTML(w io.Writer, r *Run) error {
	p := onPage{Run: r, Definitions: Definitions, Worst: r.worst(), CaseCounts: r.tally("case"),
		HistCounts: r.tally("history")}
	var failed, nonStrict []Case
	for _, c := range r.CasesBySeverity() {
		switch {
		case c.failed():
			failed = append(failed, c)
		case c.Verdict == "non-strict":
			nonStrict = append(nonStrict, c)
		}
	}
	budget := caseBytesMax
	p.Failed, p.NonStrict = fold(failed, &budget), fold(nonStrict, &budget)
	p.Verdicts, p.Chapters = r.occurring()
	return pages.ExecuteTemplate(w, "page", p)
}

func (c Case) failed() bool {
	return c.Verdict == "fail" || c.Verdict == "error" || c.Verdict == Listed
}

// gist is a failed case in half a line, so that a folded one can be judged.
func (c Case) gist() string {
	if c.Expected == "" {
		return clip(c.Reason, gistChars)
	}
	expected, _, _ := strings.Cut(c.Expected, " (line ")
	return clip(fmt.Sprintf("expected %s, got %s", clip(expected, gistChars/2), c.Actual), gistChars)
}

// occurring are the verdicts, gravest first, and chapters of everything on the page.
func (r *Run) occurring() (verdicts, chapters []string) {
	add := func(list *[]string, s string) {
		if !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	for _, c := range r.Clauses {
		add(&verdicts, c.Verdict)
		add(&chapters, c.Chapter())
	}
	for _, c := range r.Cases {
		add(&verdicts, c.Verdict)
		add(&chapters, chapter(c.Name))
	}
	for _, h := range r.Histories {
		add(&verdicts, h.Verdict)
		add(&chapters, chapter(h.Name))
	}
	slices.SortStableFunc(verdicts, func(a, b string) int { return severity(b) - severity(a) })
	return verdicts, chapters
}

// Frame writes a page of another package in the style of the report.
func Frame(w io.Writer, title string, body template.HTML) error {
	return pages.ExecuteTemplate(w, "frame", struct {
		Title string
		Body  template.HTML
	}{title, body})
}

// chapter is the first part of a case's name.
func chapter(name string) string {
	first, _, found := strings.Cut(name, "/")
	if !found || first == "" {
		return "history" // a file that was judged again
	}
	return first
}

// slug makes an anchor of a case's name.
func slug(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, name)
}

// prose renders the backticks of Markdown; everything else is text.
func prose(text string) template.HTML {
	parts := strings.Split(text, "`")
	var b strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0 || i == len(parts)-1:
			b.WriteString(escape(part))
		default:
			b.WriteString("<code>" + escape(part) + "</code>")
		}
	}
	return template.HTML(b.String())
}

// brief names the first few and counts the rest.
func brief(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
