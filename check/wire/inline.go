package wire

import "strconv"

// splitInline splits an inline request into words (WIRE-5, WIRE-6); ok is false if quotes do not
// balance or a closing quote touches the next word (WIRE-7).
func splitInline(line []byte) (words [][]byte, ok bool) {
	for {
		for len(line) > 0 && isBlank(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return words, true
		}
		var word []byte
		if word, line, ok = takeWord(line); !ok {
			return nil, false
		}
		words = append(words, word)
	}
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// endsWord: form feed and vertical tab separate words, yet do not end one. So it is in Redis.
func endsWord(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0 }

// takeWord takes one word: plain bytes and quoted parts. A quoted part ends the word.
func takeWord(line []byte) (word, rest []byte, ok bool) {
	word = []byte{}
	for len(line) > 0 && !endsWord(line[0]) {
		if line[0] != '"' && line[0] != '\'' {
			word, line = append(word, line[0]), line[1:]
			continue
		}
		quote := line[0]
		word, line, ok = takeQuoted(word, line[1:], quote)
		if !ok || len(line) > 0 && !isBlank(line[0]) {
			return nil, nil, false
		}
		return word, line, true
	}
	if len(line) > 0 && line[0] == 0 {
		line = nil // Redis' words are C strings: a NUL ends the line
	}
	return word, line, true
}

// takeQuoted takes bytes up to the closing quote and undoes the escapes.
func takeQuoted(word, line []byte, quote byte) (_, rest []byte, ok bool) {
	for len(line) > 0 && line[0] != 0 {
		switch {
		case line[0] == quote:
			return word, line[1:], true
		case line[0] == '\\' && quote == '"' && len(line) > 1:
			c, n := escape(line)
			word, line = append(word, c), line[n:]
		case line[0] == '\\' && quote == '\'' && len(line) > 1 && line[1] == '\'':
			word, line = append(word, '\''), line[2:]
		default:
			word, line = append(word, line[0]), line[1:]
		}
	}
	return nil, nil, false
}

// escape reads the escape at the front of line, at least two bytes; an unknown one is its letter.
func escape(line []byte) (c byte, n int) {
	if line[1] == 'x' && len(line) >= 4 {
		if v, err := strconv.ParseUint(string(line[2:4]), 16, 8); err == nil {
			return byte(v), 4
		}
	}
	switch line[1] {
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
	return line[1], 2
}
