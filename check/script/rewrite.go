package script

import (
	"fmt"
	"strings"

	"rondo/check/target"
	"rondo/model"
	"rondo/spec"
)

// Rewrite returns the text of the script with every expectation that does not match replaced by
// what the target answered. Expectations that do match stay as written, so a reviewed range or
// wildcard survives. Steps that expect no reply, or an end, are not rewritten: that they fail is
// an error.
func Rewrite(t *target.Target, s spec.Script, prefix string) (string, error) {
	lines := strings.Split(s.Text, "\n")
	m := run(t, s, prefix, func(st spec.Step, got model.Reply) error {
		i := st.Line - s.Line
		arrow := strings.Index(lines[i], "<")
		pattern, err := PatternFor(got)
		if err != nil || arrow < 0 {
			return fmt.Errorf("line %d: cannot write %s as a pattern: %w", st.Line, got.String(), err)
		}
		lines[i] = lines[i][:arrow] + "< " + pattern
		return nil
	})
	if m != nil {
		return "", m
	}
	return strings.Join(lines, "\n"), nil
}

// PatternFor writes a reply as the pattern that matches it: the notation, or quoted where a text
// would be read as something else.
func PatternFor(r model.Reply) (string, error) {
	notation := r.String()
	candidates := []string{notation}
	switch r.Kind {
	case model.Error:
		candidates = append(candidates, "-"+model.Str(r.Str).String())
	case model.Simple:
		candidates = append(candidates, "+"+model.Str(r.Str).String())
	}
	var err error
	for _, text := range candidates {
		if text != strings.TrimSpace(text) {
			continue
		}
		var p spec.Pattern
		if p, err = spec.ParsePattern(text); err == nil && p.Match(notation) {
			return text, nil
		}
	}
	return "", fmt.Errorf("no pattern is equal to it: %w", err)
}
