package model

import (
	"fmt"
	"strings"
)

// The notation of replies: one reply on one line, as scripts and reports show it. Package spec
// documents it and reads it.

// String renders the reply. What only the model answers is rendered as the pattern that says the
// same, a time term as the difference of its instants.
func (r Reply) String() string {
	var b strings.Builder
	r.write(&b, false)
	return b.String()
}

// write renders the reply; inside a list a plain text that could be taken for more than itself is
// put in quotes.
func (r Reply) write(b *strings.Builder, inside bool) {
	switch r.Kind {
	case Simple, Error:
		b.WriteByte(map[Kind]byte{Simple: '+', Error: '-'}[r.Kind])
		if inside && !safeInside(r.Str) {
			quote(b, r.Str)
		} else {
			b.WriteString(r.Str)
		}
	case Int:
		fmt.Fprintf(b, ":%d", r.Int)
	case Bulk:
		quote(b, r.Str)
	case Null:
		b.WriteString("nil")
	case NullArray:
		b.WriteString("nil-array")
	case Null3:
		b.WriteString("null")
	case Array:
		list(b, "[", r.Elems, "]")
	case Set:
		list(b, "~[", r.Elems, "]")
	case Push:
		list(b, ">[", r.Elems, "]")
	case Map:
		pairs(b, r.Elems)
	case Double:
		b.WriteString("," + r.Str)
	case Bool:
		b.WriteString(map[bool]string{true: "#t", false: "#f"}[r.Int != 0])
	case Big:
		b.WriteString("(" + r.Str)
	case Verbatim:
		b.WriteByte('=')
		quote(b, r.Str)
	default:
		r.writeModel(b)
	}
}

// writeModel renders the kinds that are the model's alone.
func (r Reply) writeModel(b *strings.Builder) {
	switch r.Kind {
	case DiffTerm:
		fmt.Fprintf(b, ":(%v - %v)/%d", r.A, r.B, r.Unit)
	case TimeTerm:
		fmt.Fprintf(b, "[time %v]", r.A)
	case IntRange:
		fmt.Fprintf(b, ":%d..%d", r.Int, r.Max)
	case AnyOrder:
		list(b, "[", r.Elems, "] in any order")
	case ScanTerm:
		list(b, `[~"*", [part of `, r.Elems, "]]")
	default:
		b.WriteByte('*')
	}
}

func list(b *strings.Builder, open string, elems []Reply, end string) {
	b.WriteString(open)
	for i, e := range elems {
		if i > 0 {
			b.WriteString(", ")
		}
		e.write(b, true)
	}
	b.WriteString(end)
}

func pairs(b *strings.Builder, elems []Reply) {
	b.WriteByte('{')
	for i := 0; i+1 < len(elems); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		elems[i].write(b, true)
		b.WriteString(": ")
		elems[i+1].write(b, true)
	}
	b.WriteByte('}')
}

// safeInside reports whether a reader of a list cannot mistake where the text ends.
func safeInside(s string) bool {
	if strings.ContainsAny(s, "[]{}\"|") || strings.Contains(s, ", ") || strings.Contains(s, ": ") {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return strings.TrimSpace(s) == s && !strings.HasPrefix(s, "~")
}

func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
