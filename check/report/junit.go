package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// JUnit's elements, as CI systems read them: a broken clause is a <failure>, trouble of the
// harness and a missing verdict are an <error>, never the other way round.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure"`
	Error   *junitFault `xml:"error"`
	Skipped *junitFault `xml:"skipped"`
	Out     string      `xml:"system-out,omitempty"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes the run as junit.xml: one testsuite of cases by chapter, one of histories.
func JUnit(w io.Writer, r *Run) error {
	all := junitSuites{Name: "rondo-check " + r.Target.Name, Time: seconds(r.TookMs)}
	order, byChapter := []string{}, map[string][]junitCase{}
	for _, c := range r.Cases {
		chapter, _, _ := strings.Cut(c.Name, "/")
		if byChapter[chapter] == nil {
			order = append(order, chapter)
		}
		byChapter[chapter] = append(byChapter[chapter], junitFromCase(chapter, c))
	}
	for _, chapter := range order {
		all.add(chapter, byChapter[chapter])
	}
	var histories []junitCase
	for _, h := range r.Histories {
		histories = append(histories, junitFromHistory(h))
	}
	if histories != nil {
		all.add("histories", histories)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (all *junitSuites) add(name string, cases []junitCase) {
	s := junitSuite{Name: name, Tests: len(cases), Cases: cases}
	for _, c := range cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Errors += s.Errors
	all.Skipped += s.Skipped
	all.Suites = append(all.Suites, s)
}

func junitFromCase(chapter string, c Case) junitCase {
	out := junitCase{Class: "rondo." + chapter, Name: c.Name, Time: seconds(c.TookMs)}
	detail := func() string {
		return fmt.Sprintf("clauses: %s\nsent:     %s\nexpected: %s\nactual:   %s\nreplay:   %s\n",
			strings.Join(c.Clauses, " "), c.Sent, c.Expected, c.Actual, c.Replay)
	}
	switch c.Verdict {
	case "fail", Listed:
		out.Failure = &junitFault{Message: c.Reason, Type: c.Verdict, Text: detail()}
	case "error":
		out.Error = &junitFault{Message: c.Reason, Type: "error", Text: detail()}
	case "skip", NotRun:
		out.Skipped = &junitFault{Message: c.Reason}
	case "non-strict", "info", Known:
		out.Out = c.Verdict + ": " + c.Reason + "\n" + detail()
	}
	return out
}

func junitFromHistory(h History) junitCase {
	out := junitCase{Class: "rondo.histories", Name: h.Name, Time: seconds(h.TookMs)}
	switch h.Verdict {
	case HistoryIllegal:
		fault := &junitFault{Message: h.Reason, Type: HistoryIllegal}
		for _, f := range h.Shown() {
			fault.Text += f.Clause + ": " + cut(f.Smallest.Sentence) + "\n  " + strings.Join(f.Smallest.Listed(), "\n  ") + "\n"
		}
		fault.Text += "recheck: " + h.Recheck + "\n"
		out.Failure = fault
	case HistoryError, HistoryUnknown, HistoryVacuous:
		out.Error = &junitFault{Message: h.Reason, Type: h.Verdict}
	case NotRun:
		out.Skipped = &junitFault{Message: h.Reason}
	}
	return out
}

func seconds(ms int64) string { return fmt.Sprintf("%d.%03d", ms/1000, ms%1000) }
