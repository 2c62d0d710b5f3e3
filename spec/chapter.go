package spec

// A chapter, line by line: headings open and close clauses, labelled paragraphs fill them, fences
// become examples. Prose between a "#" or "##" heading and the next clause is the essay; the
// parser skips it.

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var clauseHead = regexp.MustCompile(`^### ([A-Z]+-[1-9][0-9]*) · (MUST|SHOULD|MAY)$`)

type chapterParser struct {
	file, chapter string
	lines         []string
	next          int // index of the next line
	clauses       []Clause
	open          bool // inside a clause
	errs          []error
}

// parseChapter splits a chapter into its clauses. Errors name file and line.
func parseChapter(file, chapter, text string) ([]Clause, error) {
	p := &chapterParser{file: file, chapter: chapter, lines: strings.Split(text, "\n")}
	for p.next < len(p.lines) {
		p.block()
	}
	for _, c := range p.clauses {
		p.errs = append(p.errs, complete(c))
	}
	return p.clauses, errors.Join(p.errs...)
}

// block consumes one heading, blank line, fence or paragraph.
func (p *chapterParser) block() {
	line := p.lines[p.next]
	switch {
	case strings.TrimSpace(line) == "":
		p.next++
	case strings.HasPrefix(line, "### "):
		p.heading(line)
	case strings.HasPrefix(line, "#"):
		p.open = false
		p.next++
	case strings.HasPrefix(line, "```"):
		p.fence(line)
	default:
		p.paragraph()
	}
}

func (p *chapterParser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...)))
}

func (p *chapterParser) heading(line string) {
	p.next++
	m := clauseHead.FindStringSubmatch(line)
	p.open = m != nil
	if m == nil {
		p.fail(p.next, "a clause heading reads \"### TIME-3 · MUST\" (or SHOULD, MAY), not %q", line)
		return
	}
	p.clauses = append(p.clauses, Clause{
		ID: m[1], Level: Level(m[2]), Chapter: p.chapter, File: p.file, Line: p.next,
	})
}

// fence consumes a code block; a script becomes an example of the clause it stands in.
func (p *chapterParser) fence(line string) {
	p.next++
	first := p.next
	for p.next < len(p.lines) && !strings.HasPrefix(p.lines[p.next], "```") {
		p.next++
	}
	if p.next == len(p.lines) {
		p.fail(first, "this fence is never closed")
		return
	}
	body := p.lines[first:p.next]
	p.next++
	if strings.TrimSpace(strings.TrimPrefix(line, "```")) != "script" {
		return // a drawing or other text
	}
	if !p.open {
		p.fail(first, "a script stands outside of any clause")
		return
	}
	p.example(body, first)
}

// example parses the lines of a fence whose opening line has the number first.
func (p *chapterParser) example(body []string, first int) {
	c := &p.clauses[len(p.clauses)-1]
	name := c.ID
	if n := len(c.Examples); n > 0 {
		name = fmt.Sprintf("%s.%d", c.ID, n+1)
	}
	s, err := parseScript(p.file, name, strings.Join(body, "\n"), first)
	if err != nil {
		p.errs = append(p.errs, err)
		return
	}
	s.Clauses = append([]string{c.ID}, s.Clauses...)
	c.Examples = append(c.Examples, s)
}

// paragraph consumes lines up to a blank one and files them under their label.
func (p *chapterParser) paragraph() {
	first := p.next
	for p.next < len(p.lines) && !p.ends(p.lines[p.next]) {
		p.next++
	}
	if !p.open {
		return // the essay
	}
	text := strings.Join(p.lines[first:p.next], " ")
	c := &p.clauses[len(p.clauses)-1]
	field, label := c.field(text)
	switch {
	case field == nil:
		p.fail(first+1, "%s: a paragraph that is neither its sentence nor *Why.*, *Seen by.*, *Range.*",
			c.ID)
	case *field != "":
		p.fail(first+1, "%s: a second %s paragraph", c.ID, label)
	default:
		*field = strings.TrimSpace(strings.TrimPrefix(text, label))
	}
}

func (p *chapterParser) ends(line string) bool {
	return strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") ||
		strings.HasPrefix(line, "```")
}

// field tells where a paragraph of a clause belongs, by how it begins.
func (c *Clause) field(text string) (*string, string) {
	labels := map[string]*string{"*Why.*": &c.Why, "*Seen by.*": &c.SeenBy, "*Range.*": &c.Range}
	for label, field := range labels {
		if strings.HasPrefix(text, label) {
			return field, label
		}
	}
	if c.Text == "" && c.Why == "" && c.SeenBy == "" {
		return &c.Text, ""
	}
	return nil, ""
}

// complete reports what a finished clause lacks.
func complete(c Clause) error {
	var missing []string
	for _, f := range []struct{ name, text string }{
		{"its sentence", c.Text}, {"*Why.*", c.Why}, {"*Seen by.*", c.SeenBy},
	} {
		if f.text == "" {
			missing = append(missing, f.name)
		}
	}
	if missing == nil {
		return checkRange(c)
	}
	return fmt.Errorf("%s:%d: %s lacks %s", c.File, c.Line, c.ID, strings.Join(missing, ", "))
}
