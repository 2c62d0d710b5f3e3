package model

// glob matches a key against a pattern as Redis does: * any bytes, ? one byte, [a-z] [^a] one of a
// class, \ takes the next byte as it is. KEY-4.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0 // where to go on after the last star, should the rest not match
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			star, from = p, i
			continue
		}
		if ok, next := globOne(pattern, p, s[i]); ok {
			p, i = next, i+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	// An empty string never enters the loop of Redis' matcher, which alone skips stars.
	return p == len(pattern) && (s != "" || pattern == "")
}

// globOne matches one byte against the part of the pattern at p, and tells where the next begins.
func globOne(pattern string, p int, c byte) (ok bool, next int) {
	if p >= len(pattern) {
		return false, p
	}
	switch pattern[p] {
	case '?':
		return true, p + 1
	case '[':
		return globClass(pattern, p+1, c)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return pattern[p] == c, p + 1
}

// globClass matches one byte against a class, p being after the bracket. A class that is never
// closed ends with the pattern; a range may be written from either end.
func globClass(pattern string, p int, c byte) (ok bool, next int) {
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	match := false
	for p < len(pattern) && pattern[p] != ']' {
		switch rest := pattern[p:]; {
		case rest[0] == '\\' && len(rest) >= 2:
			match = match || rest[1] == c
			p += 2
		case len(rest) >= 3 && rest[1] == '-':
			low, high := min(rest[0], rest[2]), max(rest[0], rest[2])
			match = match || low <= c && c <= high
			p += 3
		default:
			match = match || rest[0] == c
			p++
		}
	}
	return match != negated, min(p+1, len(pattern))
}
