package practice

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"rondo/check/report"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("practice").Funcs(template.FuncMap{
	"add": func(a, b int) int { return a + b },
}).Parse(pageText))

// card is a scenario as the page shows it.
type card struct {
	*Scenario
	Judgement
	Question, Answer template.HTML
	List             []string
	From             string
}

// HTML writes the scenarios as one page, which needs no script: answers are folded.
func HTML(w io.Writer, all []*Scenario) error {
	cards := make([]card, len(all))
	for i, s := range all {
		j := s.Judge()
		c := card{Scenario: s, Judgement: j, List: s.list(), From: s.recordedFrom()}
		v := report.Violation{Clause: j.Clause, Sentence: j.Sentence, Core: s.History.Ops, Origin: s.origin(), Steps: j.Steps}
		c.Question = report.Unmarked(v)
		if !j.Allowed {
			if s.Wire == nil {
				c.Answer = report.Timeline(v)
			}
		}
		cards[i] = c
	}
	var body strings.Builder
	if err := page.Execute(&body, cards); err != nil {
		return err
	}
	return report.Frame(w, "rondo-check practice", template.HTML(body.String()))
}
