// Inline commands: a line of words, as a person types it (WIRE-5, WIRE-6, WIRE-7).
package resp

// inline decodes the line that buf begins with.
func (d *Decoder) inline(buf []byte) ([][]byte, int, error) {
	end, ok := d.lineEnd(buf, '\n')
	if !ok {
		return nil, 0, d.tooLong(buf, errInlineTooBig)
	}
	line := buf[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	d.advance(end + 1)
	if !d.words(line) {
		return nil, 0, errQuotes
	}
	args := d.args[:0]
	for _, s := range d.spans {
		args = append(args, d.scratch[s.from:s.to:s.to])
	}
	return d.finish(args)
}

// words splits a line into spans of scratch, with quotes and escapes removed.
func (d *Decoder) words(line []byte) bool {
	d.scratch, d.spans = d.scratch[:0], d.spans[:0]
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return true
		}
		from := len(d.scratch)
		n, ok := d.word(line)
		if !ok {
			return false
		}
		d.spans = append(d.spans, span{from, len(d.scratch)})
		line = line[n:]
	}
}

// word takes the word that line begins with; n is how much of line it used. A quoted part may
// begin anywhere in a word but ends it.
func (d *Decoder) word(line []byte) (n int, ok bool) {
	for n < len(line) {
		switch c := line[n]; c {
		case ' ', '\n', '\r', '\t', 0:
			return n, true
		case '"', '\'':
			used, ok := d.quoted(line[n+1:], c)
			n += 1 + used
			return n, ok && (n == len(line) || isSpace(line[n]))
		default:
			d.scratch = append(d.scratch, c)
			n++
		}
	}
	return n, true
}

// quoted takes the text after an opening quote up to and including the closing one.
func (d *Decoder) quoted(line []byte, quote byte) (used int, ok bool) {
	for used < len(line) {
		c := line[used]
		if c == quote {
			return used + 1, true
		}
		size := 1
		if c == '\\' {
			c, size = escape(line[used:], quote)
		}
		d.scratch = append(d.scratch, c)
		used += size
	}
	return used, false
}

// escape reads what follows a backslash: \xHH \n \r \t \b \a and any other character itself in
// double quotes, only \' in single quotes.
func escape(b []byte, quote byte) (c byte, size int) {
	if quote == '\'' {
		if len(b) > 1 && b[1] == '\'' {
			return '\'', 2
		}
		return '\\', 1
	}
	if len(b) >= 4 && b[1] == 'x' && hexDigit(b[2]) >= 0 && hexDigit(b[3]) >= 0 {
		return byte(hexDigit(b[2])<<4 | hexDigit(b[3])), 4
	}
	if len(b) < 2 {
		return '\\', 1
	}
	switch b[1] {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b':
		return '\b', 2
	case 'a':
		return '\a', 2
	}
	return b[1], 2
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
