// Package spec is what must hold: the numbered clauses of the chapters, with their examples.
//
// The chapters are prose for people, and this package reads them as they stand. A chapter is
// split into clauses (chapter.go); an example in a ```script fence is a conversation of commands
// and expected replies (script.go); an expected reply is a pattern over the reply notation
// (pattern.go). Everything is embedded and parsed once.
//
// A clause looks like this, and no other paragraph may stand inside it:
//
//	### TIME-3 · MUST
//	A key is expired if and only if the clock is later than its deadline.
//
//	*Why.* One sentence or more.
//
//	*Seen by.* What shows it: this example, a case of the suite, simulation, histories.
//
//	*Range.* Only where versions of Redis differ.
//
//	```script
//	# needs: debug
//	> SET k v PX 50
//	< +OK
//	```
//
// # Conversations
//
// Examples and testdata/script share one notation, which chapter 1 (1-wire.md, "How examples are
// written") describes in full. The steps, each of which may name a connection, as in "b>":
//
//	> SET k v             send; consecutive sends are one pipeline     wait 60ms    time passes
//	< +OK                 the next reply matches this pattern          silent 30ms  no reply comes
//	>> "PING\r\n"         send raw bytes                               closed       by the server
//	fragments 1 > GET k   send in pieces of 1 byte                     close        by the client
//	# needs: debug        what a target must offer (Needs)             half-close   its sending side
//
// Replies, as model.Reply.String renders them:
//
//	+OK  -ERR text  :12  "bulk\r\n\x00"  nil ($-1)  nil-array (*-1)  null (_)  [a, b]  {k: v}  ~[a]
//	>[a] (push)  ,1.5 (double)  #t #f  (123 (big number)  ="verbatim"
//
// Patterns are replies, and also:
//
//	A | B  either     *  anything                   -~ERR a*  +~OK*  ~"a*"  =~"a*"  with wildcards
//	:1..3  :*  integers                             -"ERR text "  quoted, for blanks at the end
//	"ab"*200  repeated                              [a, b] in any order    [*]  any array
//	[a, ...]  {k: v, ...}  and perhaps more
package spec

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed *.md
var files embed.FS

// Level is how binding a clause is. A server that breaks a MUST fails; one that breaks a SHOULD
// is reported as non-strict; a MAY is a permission.
type Level string

// The three levels.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Clause is one obligation: one sentence, one observable.
type Clause struct {
	ID       string // "TIME-3": a chapter's word and a number, never reused
	Level    Level
	Chapter  string // "time"
	Text     string // the sentence
	Why      string
	SeenBy   string
	Range    string // versions, where they differ; else empty
	Examples []Script
	File     string // "6-time.md"
	Line     int    // of the heading
}

type book struct {
	clauses  []Clause
	byID     map[string]int
	chapters []string
	text     map[string]string
	err      error
}

var load = sync.OnceValue(func() *book { return readBook(files) })

// All returns every clause in the order of the chapters.
func All() []Clause { return load().clauses }

// Chapters returns the names of the chapters in order: wire, conn, loop and so on.
func Chapters() []string { return load().chapters }

// Text returns a chapter as written, in Markdown, or "" for an unknown name.
func Text(chapter string) string { return load().text[chapter] }

// Lookup finds a clause by its ID; the case of the letters does not matter.
func Lookup(id string) (Clause, bool) {
	b := load()
	i, ok := b.byID[strings.ToUpper(id)]
	if !ok {
		return Clause{}, false
	}
	return b.clauses[i], true
}

// Err tells what is wrong with the embedded chapters; the tests of this package keep it nil.
func Err() error { return load().err }

var chapterName = regexp.MustCompile(`^[0-9]+-([a-z]+)\.md$`)

// readBook parses every chapter of a folder. It goes on after an error, so that one slip in a
// chapter does not hide the others.
func readBook(dir fs.FS) *book {
	b := &book{byID: map[string]int{}, text: map[string]string{}}
	names, err := fs.Glob(dir, "*.md")
	errs := []error{err}
	for _, name := range names {
		m := chapterName.FindStringSubmatch(path.Base(name))
		if m == nil {
			continue // claims.md and the like: prose, not clauses
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		clauses, err := parseChapter(name, m[1], string(text))
		errs = append(errs, err)
		b.chapters = append(b.chapters, m[1])
		b.text[m[1]] = string(text)
		errs = append(errs, b.add(clauses))
	}
	b.err = errors.Join(errs...)
	return b
}

// add appends clauses; an ID that exists already is an error and is left out.
func (b *book) add(clauses []Clause) error {
	var errs []error
	for _, c := range clauses {
		if i, ok := b.byID[c.ID]; ok {
			first := b.clauses[i]
			errs = append(errs, fmt.Errorf("%s:%d: clause %s exists already at %s:%d",
				c.File, c.Line, c.ID, first.File, first.Line))
			continue
		}
		b.byID[c.ID] = len(b.clauses)
		b.clauses = append(b.clauses, c)
	}
	return errors.Join(errs...)
}
