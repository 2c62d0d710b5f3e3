// Glob patterns as Redis matches them.
package command

// Glob tells whether s matches the pattern: * any text, ? any byte, [abc] [a-z] [^abc] one of a
// set, \x the byte x itself. fold ignores case. A class that is never closed ends with the pattern.
//
// Two stars never need more than the latest to be reconsidered: what an earlier one could match
// differently, the later one can as well. So the time is at most len(pattern) * len(s).
func Glob(pattern, s []byte, fold bool) bool {
	var retryPattern, retryS []byte // where to go on if this fails: after the latest star
	starred := false
	for {
		if len(pattern) > 0 && pattern[0] == '*' {
			pattern = pattern[1:]
			if len(pattern) == 0 {
				return true
			}
			starred, retryPattern, retryS = true, pattern, s
			continue
		}
		if len(s) == 0 && len(pattern) == 0 {
			return true
		}
		if len(s) > 0 && len(pattern) > 0 {
			if n, ok := globOne(pattern, s[0], fold); ok {
				pattern, s = pattern[n:], s[1:]
				continue
			}
		}
		if !starred || len(retryS) == 0 {
			return false
		}
		retryS = retryS[1:]
		pattern, s = retryPattern, retryS
	}
}

// globOne matches one byte with the first element of the pattern, which is no star; n is the
// length of that element.
func globOne(pattern []byte, c byte, fold bool) (n int, ok bool) {
	switch {
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '[':
		return globClass(pattern, c, fold)
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, same(pattern[1], c, fold)
	}
	return 1, same(pattern[0], c, fold)
}

func globClass(pattern []byte, c byte, fold bool) (n int, ok bool) {
	i := 1
	not := i < len(pattern) && pattern[i] == '^'
	if not {
		i++
	}
	match := false
	for i < len(pattern) && pattern[i] != ']' {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			match = match || same(pattern[i+1], c, fold)
			i += 2
		case i+2 < len(pattern) && pattern[i+1] == '-':
			match = match || within(pattern[i], pattern[i+2], c, fold)
			i += 3
		default:
			match = match || same(pattern[i], c, fold)
			i++
		}
	}
	return min(i+1, len(pattern)), match != not
}

func within(from, to, c byte, fold bool) bool {
	if from > to {
		from, to = to, from
	}
	if fold {
		from, to, c = lower(from), lower(to), lower(c)
	}
	return c >= from && c <= to
}

func same(a, b byte, fold bool) bool {
	return a == b || fold && lower(a) == lower(b)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
