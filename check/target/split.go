package target

import (
	"errors"
	"strings"
)

// split cuts a command line into words as a shell does: blanks separate, '...' is literal, "..."
// knows \" and \\, and a backslash elsewhere makes the next byte literal. Nothing is expanded.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case c == '\'' || c == '"':
			n, err := quoted(line[i:], &word)
			if err != nil {
				return nil, err
			}
			i += n - 1
			inWord = true
		case c == '\\' && i+1 == len(line):
			return nil, errors.New("a backslash at the end")
		case c == '\\':
			i++
			word.WriteByte(line[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// quoted takes the quoted text at the front of s and says how long it was.
func quoted(s string, word *strings.Builder) (int, error) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1, nil
		case s[i] == '\\' && s[0] == '"' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		word.WriteByte(s[i])
	}
	return 0, errors.New("a quote is not closed")
}
