package spec

// Matching of a parsed pattern against a parsed reply.

import "strings"

// match tells whether the reply v is one that n describes.
func (n *node) match(v *node) bool {
	switch {
	case n.kind == '*':
		return true
	case n.kind == '|':
		for _, e := range n.elems {
			if e.match(v) {
				return true
			}
		}
		return false
	case n.kind != v.kind:
		return false
	}
	switch n.kind {
	case ':':
		return n.lo <= v.lo && v.lo <= n.hi
	case '[', '~', '>':
		return n.matchElems(v)
	case '{':
		return len(n.elems) <= len(v.elems) && (n.open || len(n.elems) == len(v.elems)) &&
			assign(pairs(n.elems), pairs(v.elems))
	}
	return n.matchText(v.text)
}

func (n *node) matchElems(v *node) bool {
	if len(v.elems) < len(n.elems) || len(v.elems) > len(n.elems) && !n.open {
		return false
	}
	if n.anyOrder {
		return assign(n.elems, v.elems)
	}
	for i, e := range n.elems {
		if !e.match(v.elems[i]) {
			return false
		}
	}
	return true
}

func (n *node) matchText(s string) bool {
	if !n.glob {
		return n.text == s
	}
	parts := strings.Split(n.text, "*")
	last := len(parts) - 1
	if last == 0 {
		return n.text == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[last])
}

// pairs makes one two-element array of each key and value, so that a map is a set of pairs.
func pairs(elems []*node) []*node {
	var out []*node
	for i := 0; i+1 < len(elems); i += 2 {
		out = append(out, &node{kind: '[', elems: elems[i : i+2]})
	}
	return out
}

// assign tells whether every pattern can be given a reply of its own that it matches: a bipartite
// matching by augmenting paths. Trying replies in order without going back would refuse
// [*, "a"] in any order for ["a", "b"].
func assign(patterns, replies []*node) bool {
	owner := make([]int, len(replies)) // 1 + index of the pattern that holds this reply
	for i := range patterns {
		if !augment(patterns, replies, i, owner, make([]bool, len(replies))) {
			return false
		}
	}
	return true
}

func augment(patterns, replies []*node, i int, owner []int, seen []bool) bool {
	for j, v := range replies {
		if seen[j] || !patterns[i].match(v) {
			continue
		}
		seen[j] = true
		if owner[j] == 0 || augment(patterns, replies, owner[j]-1, owner, seen) {
			owner[j] = i + 1
			return true
		}
	}
	return false
}
