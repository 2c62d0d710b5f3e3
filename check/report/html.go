package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"join":     strings.Join,
	"slug":     slug,
	"timeline": timeline,
	"ms":       seconds,
	"brief":    brief,
	"prose":    prose,
	"because":  Case.because,
}).Parse(pageText))

// HTML writes one self-contained page: no network, no script needed to read it.
func HTML(w io.Writer, r *Run) error {
	return page.Execute(w, struct {
		*Run
		Definitions []Definition
		Worst       string
		CaseCounts  []Tally
		HistCounts  []Tally
	}{r, Definitions, r.worst(), r.tally("case"), r.tally("history")})
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

func brief(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + ", …"
}
