package reactor

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	findMark    = "-- find --\n"
	replaceMark = "-- replace --\n"
)

// header are the keys of the first lines, in their order.
var header = [...]string{"clause", "fault", "file", "caught by"}

// parse reads a file of faults. It is strict: what it does not understand would be a fault that is
// not the one it says it is.
func parse(text string) (Fault, error) {
	head, edits, found := strings.Cut(text, findMark)
	if !found {
		return Fault{}, fmt.Errorf("no line %q", strings.TrimSpace(findMark))
	}
	f, err := parseHeader(head)
	if err != nil {
		return Fault{}, err
	}
	for edit := range strings.SplitSeq(edits, findMark) {
		e, err := parseEdit(edit)
		if err != nil {
			return Fault{}, err
		}
		f.Edits = append(f.Edits, e)
	}
	return f, nil
}

func parseHeader(text string) (f Fault, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(header) {
		return f, fmt.Errorf("%d lines before the first edit; they are %q", len(lines), header)
	}
	var values [len(header)]string
	for i, key := range header {
		value, found := strings.CutPrefix(lines[i], key+": ")
		if !found || value == "" || value != strings.TrimSpace(value) {
			return f, fmt.Errorf("line %d is %q and not %q and a value", i+1, lines[i], key+": ")
		}
		values[i] = value
	}
	f.Clauses, f.Does, f.File = strings.Fields(values[0]), values[1], values[2]
	if !strings.HasSuffix(f.Does, ".") || strings.Contains(f.Does, ". ") {
		return f, fmt.Errorf("what the fault does is not one sentence: %q", f.Does)
	}
	if f.Package, f.Tests, _ = strings.Cut(values[3], " "); f.Tests == "" {
		return f, errors.New("caught by wants a package and a pattern of tests")
	}
	if _, err := regexp.Compile(f.Tests); err != nil {
		return f, err
	}
	return f, nil
}

func parseEdit(text string) (Edit, error) {
	find, replace, found := strings.Cut(text, replaceMark)
	find, replace = strings.TrimSuffix(find, "\n"), strings.TrimSuffix(replace, "\n")
	switch {
	case !found:
		return Edit{}, fmt.Errorf("an edit without a line %q", strings.TrimSpace(replaceMark))
	case strings.Contains(replace, strings.TrimSpace(replaceMark)):
		return Edit{}, errors.New("an edit that replaces twice")
	case find == "" || find == replace:
		return Edit{}, errors.New("an edit that changes nothing")
	}
	return Edit{Find: find, Replace: replace}, nil
}
