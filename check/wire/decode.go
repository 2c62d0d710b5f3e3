package wire

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"rondo/model"
)

// MalformedError says where the bytes of a server stop being RESP.
type MalformedError struct {
	Offset   int64 // of the offending byte in the stream
	Expected string
	Got      []byte // from Offset on, see ErrorBytesMax
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed reply at offset %d: expected %s, got %q",
		e.Offset, e.Expected, e.Got)
}

// Decoder turns the bytes of a server into replies, strictly and incrementally. A reply that is
// not complete is parsed again from its beginning when more has come; `need` keeps that from being
// quadratic where it matters, in long bulk strings.
type Decoder struct {
	buf  []byte
	pos  int   // where the next reply begins in buf
	need int   // bytes that buf must hold before it is worth trying again
	base int64 // offset of buf[0] in the stream
	err  error // sticky: after a malformed byte nothing is trusted
}

// Feed hands over more bytes; they are copied.
func (d *Decoder) Feed(b []byte) {
	if d.pos > 0 && d.pos >= len(d.buf)/2 {
		n := copy(d.buf, d.buf[d.pos:])
		d.base += int64(d.pos)
		d.need = max(0, d.need-d.pos)
		d.buf, d.pos = d.buf[:n], 0
	}
	d.buf = append(d.buf, b...)
}

// Offset is how many bytes of the stream the replies returned so far took.
func (d *Decoder) Offset() int64 { return d.base + int64(d.pos) }

// Pending is what has arrived of a reply that is not complete.
func (d *Decoder) Pending() []byte { return d.buf[d.pos:] }

// Next returns the next complete reply; ok is false if more bytes are needed.
func (d *Decoder) Next() (r model.Reply, ok bool, err error) {
	if d.err != nil || len(d.buf) < d.need || d.pos == len(d.buf) {
		return r, false, d.err
	}
	p := parser{buf: d.buf, pos: d.pos, base: d.base}
	r, ok = p.reply(0)
	switch {
	case p.err != nil:
		d.err = p.err
		return model.Reply{}, false, d.err
	case !ok:
		d.need = p.need
		return model.Reply{}, false, nil
	}
	d.pos, d.need = p.pos, 0
	return r, true, nil
}

// parser walks over one reply. Every method answers ok = false both when bytes are missing and
// when err is set.
type parser struct {
	buf  []byte
	pos  int
	base int64
	need int
	err  error
}

func (p *parser) fail(at int, expected string) {
	if p.err == nil {
		got := bytes.Clone(p.buf[at:min(len(p.buf), at+ErrorBytesMax)])
		p.err = &MalformedError{p.base + int64(at), expected, got}
	}
}

func (p *parser) reply(depth int) (r model.Reply, ok bool) {
	if depth > DepthMax {
		p.fail(p.pos, fmt.Sprintf("at most %d levels of nesting", DepthMax))
		return r, false
	}
	if p.pos == len(p.buf) {
		return r, false
	}
	mark, start := p.buf[p.pos], p.pos
	if bytes.IndexByte([]byte("+-:$*%~>_,#(=!"), mark) < 0 {
		p.fail(start, "a type byte, one of + - : $ * and of RESP3 % ~ > _ , # ( = !")
		return r, false
	}
	line, ok := p.line()
	if !ok {
		return r, false
	}
	switch mark {
	case '$', '=', '!':
		return p.blob(mark, line, start)
	case '*', '%', '~', '>':
		return p.aggregate(mark, line, start, depth)
	}
	return p.scalar(mark, line, start)
}

// line takes the rest of the line after the type byte, without its CR LF.
func (p *parser) line() ([]byte, bool) {
	rest := p.buf[p.pos+1:]
	i := bytes.IndexAny(rest[:min(len(rest), LineBytesMax+2)], "\r\n")
	switch {
	case i < 0 && len(rest) > LineBytesMax:
		p.fail(p.pos, fmt.Sprintf("the end of a line within %d bytes", LineBytesMax))
		return nil, false
	case i < 0:
		return nil, false
	case rest[i] == '\n':
		p.fail(p.pos+1+i, "CR before LF")
		return nil, false
	case i+1 == len(rest):
		return nil, false
	case rest[i+1] != '\n':
		p.fail(p.pos+1+i+1, "LF after CR")
		return nil, false
	}
	p.pos += 1 + i + 2
	return rest[:i], true
}

// length reads a count: canonical, not negative except -1 where RESP2 says null.
func (p *parser) length(line []byte, start int, most int64, null bool) (int, bool) {
	n, ok := canonicalInt(line)
	if !ok || n < -1 || n == -1 && !null {
		p.fail(start+1, "a length, digits without leading zeros")
		return 0, false
	}
	if n > most {
		p.fail(start+1, fmt.Sprintf("a length of at most %d", most))
		return 0, false
	}
	return int(n), true
}

func (p *parser) blob(mark byte, line []byte, start int) (r model.Reply, ok bool) {
	n, ok := p.length(line, start, BulkBytesMax, mark == '$')
	if !ok {
		return r, false
	}
	if n < 0 {
		return model.Reply{Kind: model.Null}, true
	}
	end := p.pos + n
	if end+2 > len(p.buf) {
		p.need = end + 2
		return r, false
	}
	if p.buf[end] != '\r' || p.buf[end+1] != '\n' {
		p.fail(end, fmt.Sprintf("CR LF after the %d bytes of a bulk string", n))
		return r, false
	}
	text := string(p.buf[p.pos:end])
	p.pos = end + 2
	switch mark {
	case '!':
		return model.Err(text), true
	case '=':
		if len(text) < 4 || text[3] != ':' {
			p.fail(end-n, "three letters and ':' at the beginning of a verbatim string")
			return r, false
		}
		return model.Reply{Kind: model.Verbatim, Str: text[4:]}, true
	}
	return model.Str(text), true
}

var aggregateKinds = map[byte]model.Kind{
	'*': model.Array, '%': model.Map, '~': model.Set, '>': model.Push,
}

func (p *parser) aggregate(mark byte, line []byte, start, depth int) (r model.Reply, ok bool) {
	n, ok := p.length(line, start, ElemsMax, mark == '*')
	if !ok {
		return r, false
	}
	if n < 0 {
		return model.Reply{Kind: model.NullArray}, true
	}
	if mark == '%' {
		n *= 2
	}
	r.Kind = aggregateKinds[mark]
	// The count is only a claim until the elements are here: allocate for what there is.
	r.Elems = make([]model.Reply, 0, min(n, (len(p.buf)-p.pos)/3+1))
	for range n {
		e, ok := p.reply(depth + 1)
		if !ok {
			return model.Reply{}, false
		}
		r.Elems = append(r.Elems, e)
	}
	return r, true
}

var (
	doubleText = regexp.MustCompile(`^(-?(\d+)(\.\d+)?([eE][+-]?\d+)?|-?inf|nan)$`)
	bigText    = regexp.MustCompile(`^(0|-?[1-9]\d*)$`)
)

func (p *parser) scalar(mark byte, line []byte, start int) (r model.Reply, ok bool) {
	text := string(line)
	switch mark {
	case '+':
		return model.Reply{Kind: model.Simple, Str: text}, true
	case '-':
		if text == "" {
			p.fail(start+1, "the text of an error")
			return r, false
		}
		return model.Err(text), true
	case ':':
		n, ok := canonicalInt(line)
		if !ok {
			p.fail(start+1, "a 64-bit integer without '+' or leading zeros")
		}
		return model.Num(n), ok
	case '_':
		r.Kind, ok = model.Null3, text == ""
	case '#':
		r.Kind, ok = model.Bool, text == "t" || text == "f"
		if text == "t" {
			r.Int = 1
		}
	case ',':
		r.Kind, r.Str, ok = model.Double, text, doubleText.MatchString(text)
	case '(':
		r.Kind, r.Str, ok = model.Big, text, bigText.MatchString(text)
	}
	if !ok {
		p.fail(start+1, scalarForms[mark])
	}
	return r, ok
}

var scalarForms = map[byte]string{
	'_': "nothing after the '_' of a null", '#': "'t' or 'f'",
	',': "a number, inf, -inf or nan", '(': "an integer without '+' or leading zeros",
}

// canonicalInt reads a 64-bit integer in its one canonical spelling.
func canonicalInt(b []byte) (int64, bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > len(strconv.Itoa(math.MaxInt64)) {
		return 0, false
	}
	if digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}
