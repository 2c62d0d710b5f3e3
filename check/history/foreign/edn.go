package foreign

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// EDN values become: nil, bool, int64, float64, string, keyword, symbol, []any (vectors, lists and
// sets), map[any]any for maps whose keys are scalars. Tags are passed over.
type (
	keyword string
	symbol  string
	closer  rune // the end of a collection, met by its reader
)

// ednDepthMax bounds how deep collections nest.
const ednDepthMax = 64

type ednReader struct {
	in   *bufio.Reader
	line int
}

func newEDN(r io.Reader) *ednReader { return &ednReader{in: bufio.NewReader(r), line: 1} }

func (e *ednReader) next() (rune, error) {
	c, _, err := e.in.ReadRune()
	if c == '\n' {
		e.line++
	}
	return c, err
}

func (e *ednReader) back(c rune) {
	if c == '\n' {
		e.line--
	}
	_ = e.in.UnreadRune() // of the rune just read: it cannot fail
}

// read returns the next value, a closer, or io.EOF.
func (e *ednReader) read(depth int) (any, error) {
	if depth > ednDepthMax {
		return nil, errors.New("collections nest too deep")
	}
	for {
		c, err := e.next()
		switch {
		case err != nil:
			return nil, err
		case unicode.IsSpace(c) || c == ',':
		case c == ';':
			for c != '\n' && err == nil {
				c, err = e.next()
			}
		case c == '#':
			skip, value, err := e.dispatch(depth)
			if err != nil || !skip {
				return value, err
			}
		default:
			return e.value(c, depth)
		}
	}
}

// dispatch reads what follows a #: a set, something discarded, or a tag and its value.
func (e *ednReader) dispatch(depth int) (skip bool, value any, err error) {
	c, err := e.next()
	switch {
	case err != nil:
		return false, nil, cutOff(err)
	case c == '{':
		value, err = e.many('}', depth)
		return false, value, err
	case c == '_':
		_, err = e.element(depth)
		return true, nil, err
	}
	e.back(c)
	if _, err := e.word(); err != nil {
		return false, nil, err
	}
	value, err = e.element(depth)
	return false, value, err
}

func (e *ednReader) value(c rune, depth int) (any, error) {
	switch c {
	case '[':
		return e.many(']', depth)
	case '(':
		return e.many(')', depth)
	case '{':
		return e.mapping(depth)
	case ']', ')', '}':
		return closer(c), nil
	case '"':
		return e.text()
	}
	e.back(c)
	word, err := e.word()
	if err != nil {
		return nil, err
	}
	return scalar(word), nil
}

// scalar is what a bare word means.
func scalar(word string) any {
	switch word {
	case "nil":
		return nil
	case "true", "false":
		return word == "true"
	}
	if rest, ok := strings.CutPrefix(word, ":"); ok {
		return keyword(rest)
	}
	if n, err := strconv.ParseInt(strings.TrimSuffix(word, "N"), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(strings.TrimSuffix(word, "M"), 64); err == nil {
		return f
	}
	return symbol(word)
}

// element is read where a value must follow.
func (e *ednReader) element(depth int) (any, error) {
	v, err := e.read(depth + 1)
	if c, isEnd := v.(closer); err == nil && isEnd {
		return nil, fmt.Errorf("%q without its beginning", string(rune(c)))
	}
	return v, cutOff(err)
}

func (e *ednReader) many(end rune, depth int) (any, error) {
	list := []any{}
	for {
		v, err := e.read(depth + 1)
		if err != nil {
			return nil, cutOff(err)
		}
		if c, isEnd := v.(closer); isEnd {
			if rune(c) != end {
				return nil, fmt.Errorf("%q where %q is due", string(rune(c)), string(end))
			}
			return list, nil
		}
		list = append(list, v)
	}
}

func (e *ednReader) mapping(depth int) (any, error) {
	v, err := e.many('}', depth)
	if err != nil {
		return nil, err
	}
	list := v.([]any)
	if len(list)%2 != 0 {
		return nil, errors.New("a map with a key and no value")
	}
	m := map[any]any{}
	for i := 0; i < len(list); i += 2 {
		switch list[i].(type) {
		case []any, map[any]any: // of no use to a history: only the keys of an operation are looked at
		default:
			m[list[i]] = list[i+1]
		}
	}
	return m, nil
}

func (e *ednReader) text() (any, error) {
	var b strings.Builder
	for {
		c, err := e.next()
		switch {
		case err != nil:
			return nil, cutOff(err)
		case c == '"':
			return b.String(), nil
		case c == '\\':
			if c, err = e.escape(); err != nil {
				return nil, err
			}
		}
		b.WriteRune(c)
	}
}

func (e *ednReader) escape() (rune, error) {
	c, err := e.next()
	if err != nil {
		return 0, cutOff(err)
	}
	switch c {
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case '"', '\\':
		return c, nil
	case 'u':
		var hex [4]rune
		for i := range hex {
			if hex[i], err = e.next(); err != nil {
				return 0, cutOff(err)
			}
		}
		n, err := strconv.ParseUint(string(hex[:]), 16, 16)
		return rune(n), err
	}
	return 0, fmt.Errorf(`\%c in a string`, c)
}

func (e *ednReader) word() (string, error) {
	var b strings.Builder
	for {
		c, err := e.next()
		if err == nil && !unicode.IsSpace(c) && !strings.ContainsRune(`,;"()[]{}`, c) {
			b.WriteRune(c)
			continue
		}
		if err == nil {
			e.back(c)
		}
		if b.Len() == 0 {
			return "", errors.New("a word is missing")
		}
		return b.String(), nil
	}
}

// cutOff makes the end of the input an error where something is still due.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
