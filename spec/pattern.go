package spec

// The reply notation and patterns over it, as the package comment lists them. The notation writes
// one reply as one line; model.Reply.String renders it.
//
// A bulk string escapes \r \n \t \" \\ and writes every other byte outside of printable ASCII as
// \xHH, two lower-case digits. Inside an array or map an unquoted text ends where the next element
// or the closing bracket begins.

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Pattern says which replies are right. Its zero value matches nothing.
type Pattern struct {
	text string
	root *node
}

// String is the pattern as written.
func (p Pattern) String() string { return p.text }

// Match tells whether a reply in notation is one that the pattern describes. Text that is not in
// the notation matches nothing.
func (p Pattern) Match(notation string) bool {
	if p.root == nil {
		return false
	}
	r := reader{s: notation}
	v, err := r.whole()
	return err == nil && p.root.match(v)
}

// ParsePattern parses a pattern.
func ParsePattern(text string) (Pattern, error) {
	text = strings.TrimSpace(text)
	r := reader{s: text, pattern: true}
	n, err := r.whole()
	if err != nil {
		return Pattern{}, fmt.Errorf("pattern %s: %w", text, err)
	}
	return Pattern{text: text, root: n}, nil
}

// node is a reply or a part of one, or what is expected in its place.
type node struct {
	kind     byte   // the first byte of the notation; 'n' nil 'a' nil-array '0' null '*' '|'
	text     string // of strings, doubles, booleans, big numbers
	glob     bool   // text has wildcards
	lo, hi   int64  // of integers
	elems    []*node
	open     bool // more elements may follow
	anyOrder bool
}

// reader parses notation, or patterns if pattern is set.
type reader struct {
	s       string
	pos     int
	depth   int
	key     bool // reading the key of a map: a text ends at ": "
	pattern bool
}

func (r *reader) rest() string { return r.s[r.pos:] }

func (r *reader) take(prefix string) bool {
	if !strings.HasPrefix(r.rest(), prefix) {
		return false
	}
	r.pos += len(prefix)
	return true
}

func (r *reader) errorf(format string, args ...any) error {
	return fmt.Errorf("at byte %d: %s", r.pos, fmt.Sprintf(format, args...))
}

func (r *reader) whole() (*node, error) {
	n, err := r.either()
	if err == nil && r.pos < len(r.s) {
		err = r.errorf("%q is left over", r.rest())
	}
	return n, err
}

// either reads A | B | C.
func (r *reader) either() (*node, error) {
	first, err := r.element()
	if err != nil || !r.pattern || !strings.HasPrefix(r.rest(), " | ") {
		return first, err
	}
	n := &node{kind: '|', elems: []*node{first}}
	for r.take(" | ") {
		e, err := r.element()
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, e)
	}
	return n, nil
}

var words = []struct {
	word string
	kind byte
}{{"nil-array", 'a'}, {"nil", 'n'}, {"null", '0'}}

func (r *reader) element() (*node, error) {
	for _, w := range words {
		if r.take(w.word) {
			return &node{kind: w.kind}, nil
		}
	}
	if r.pos == len(r.s) {
		return nil, r.errorf("nothing where a reply should stand")
	}
	switch c := r.s[r.pos]; c {
	case '*':
		if r.pattern {
			r.pos++
			return &node{kind: '*'}, nil
		}
	case '+', '-':
		r.pos++
		return r.line(c)
	case ':':
		r.pos++
		return r.integer()
	case '"':
		return r.quoted('"', false)
	case '[', '{':
		return r.list(c)
	case '>', '~', '=':
		return r.marked(c)
	case ',', '#', '(':
		r.pos++
		return r.scalar(c)
	}
	return nil, r.errorf("no reply begins like %q", r.rest())
}

// marked reads what begins with a mark before a quote or bracket.
func (r *reader) marked(c byte) (*node, error) {
	r.pos++
	switch next := r.rest(); {
	case c == '~' && r.pattern && strings.HasPrefix(next, `"`):
		return r.quoted('"', true)
	case c == '=' && r.pattern && r.take("~"):
		return r.quoted('=', true)
	case c == '=':
		return r.quoted('=', false)
	case strings.HasPrefix(next, "["):
		return r.list(c)
	}
	return nil, r.errorf("%q is followed by neither quote nor bracket", c)
}

// quoted reads "...", in patterns also "..."*N.
func (r *reader) quoted(kind byte, glob bool) (*node, error) {
	if !strings.HasPrefix(r.rest(), `"`) {
		return nil, r.errorf("a quote is missing")
	}
	text, rest, err := unquote(r.rest())
	if err == nil && r.pattern {
		text, rest, err = repeat(text, rest)
	}
	if err != nil {
		return nil, r.errorf("%v", err)
	}
	r.pos = len(r.s) - len(rest)
	return &node{kind: kind, text: text, glob: glob}, nil
}

// line reads the text of a simple string or an error.
func (r *reader) line(kind byte) (*node, error) {
	glob := r.pattern && r.take("~")
	if r.pattern || r.depth > 0 {
		if strings.HasPrefix(r.rest(), `"`) {
			return r.quoted(kind, glob)
		}
	}
	end := r.textEnd()
	n := &node{kind: kind, text: r.s[r.pos:end], glob: glob}
	r.pos = end
	return n, nil
}

var (
	nextAlternative = regexp.MustCompile(`^ \| (\+|-|:[-0-9*]|["~>\[{,#(=*]|nil|null)`)
	nextElement     = regexp.MustCompile(`^, (\+|-|:[-0-9*]|["~>\[{,#(=*]|nil|null|\.\.\.)`)
	closing         = regexp.MustCompile(`^[\]}](, |: |[\]}]| \| | in any order|$)`)
)

// textEnd finds where an unquoted text ends.
func (r *reader) textEnd() int {
	for i := r.pos; i < len(r.s); i++ {
		rest := r.s[i:]
		switch {
		case r.pattern && nextAlternative.MatchString(rest),
			r.depth > 0 && nextElement.MatchString(rest),
			r.depth > 0 && closing.MatchString(rest),
			r.key && strings.HasPrefix(rest, ": "):
			return i
		}
	}
	return len(r.s)
}

var (
	integerText = regexp.MustCompile(`^-?[0-9]+`)
	scalarText  = map[byte]*regexp.Regexp{
		',': regexp.MustCompile(`^(-?[0-9][0-9.eE+-]*|-?inf|nan)`),
		'#': regexp.MustCompile(`^[tf]`),
		'(': regexp.MustCompile(`^-?[0-9]+`),
	}
)

func (r *reader) integer() (*node, error) {
	if r.pattern && r.take("*") {
		return &node{kind: ':', lo: -1 << 63, hi: 1<<63 - 1}, nil
	}
	lo, err := r.number()
	if err != nil || !r.pattern || !r.take("..") {
		return &node{kind: ':', lo: lo, hi: lo}, err
	}
	hi, err := r.number()
	if err == nil && hi < lo {
		err = r.errorf("an empty range %d..%d", lo, hi)
	}
	return &node{kind: ':', lo: lo, hi: hi}, err
}

func (r *reader) number() (int64, error) {
	digits := integerText.FindString(r.rest())
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, r.errorf("an integer is missing or too large")
	}
	r.pos += len(digits)
	return v, nil
}

func (r *reader) scalar(kind byte) (*node, error) {
	text := scalarText[kind].FindString(r.rest())
	if text == "" {
		return nil, r.errorf("no value after %q", kind)
	}
	r.pos += len(text)
	return &node{kind: kind, text: text}, nil
}

// list reads an array, set, push or map; the reader stands at the bracket.
func (r *reader) list(kind byte) (*node, error) {
	end := "]"
	if kind == '{' {
		end = "}"
	}
	r.pos++
	r.depth++
	outer := r.key
	n := &node{kind: kind, anyOrder: kind == '~'}
	err := r.elements(n, end)
	r.depth--
	r.key = outer
	if err != nil {
		return nil, err
	}
	if r.pattern && kind != '{' && r.take(" in any order") {
		n.anyOrder = true
	}
	if kind == '[' && r.pattern && len(n.elems) == 1 && n.elems[0].kind == '*' && !n.open {
		return &node{kind: '[', open: true}, nil
	}
	return n, nil
}

// elements reads up to and including the closing bracket.
func (r *reader) elements(n *node, end string) error {
	if r.take(end) {
		return nil
	}
	for {
		if r.pattern && r.take("...") {
			n.open = true
			if !r.take(end) {
				return r.errorf("... stands only before %s", end)
			}
			return nil
		}
		if err := r.entry(n); err != nil {
			return err
		}
		if r.take(end) {
			return nil
		}
		if !r.take(", ") {
			return r.errorf("neither \", \" nor %q after an element", end)
		}
	}
}

// entry reads an element, or a key and its value.
func (r *reader) entry(n *node) error {
	r.key = n.kind == '{'
	e, err := r.either()
	r.key = false
	if err != nil {
		return err
	}
	n.elems = append(n.elems, e)
	if n.kind != '{' {
		return nil
	}
	if !r.take(": ") {
		return r.errorf("a key is followed by \": \" and its value")
	}
	v, err := r.either()
	n.elems = append(n.elems, v)
	return err
}
