package linear

import (
	"slices"
	"strconv"
	"strings"

	"rondo/model"
)

// This file simplifies weakened operations once more, for windows in front of which so many writes
// were weakened that the values they can leave are too many (two keys with a hundred values each).
// All that matters of a value is whether a kept operation can tell it from others. So values are
// mapped to those that one can tell and one other, anyValue, and
//
//	INCR that answered 7   becomes SET 7 XX KEEPTTL, whatever was there before; one that answered 1
//	                       needs no key
//	APPEND                 becomes SET KEEPTTL to each value that can be told, and to anyValue
//	a read in a transaction, and a reply that shows a value, no longer say what they found
//
// Each of these adds behaviour and takes none away, so that "illegal" stays sound. It needs that
// kept operations tell values by equality alone: one that asks for a length could tell anyValue
// from some of the values it stands for.

// anyValue stands for every value that no kept operation can tell from others.
const anyValue = "\x00any"

// toldMax bounds the values that can be told, of which an APPEND tries each.
const toldMax = 40

// exact reports that values are told by equality alone.
func (o *observations) exact() bool {
	return !o.all && len(o.accepts) == 0 && len(o.values) <= toldMax
}

// coarsen gives what a weakened operation becomes: nothing, one operation or several. False if
// those would be too many.
func (o *observations) coarsen(u *unit) ([]*unit, bool) {
	if u.reply != nil && u.reply.Kind == model.Error {
		return nil, true // it changed nothing
	}
	c := coarsening{seen: o, exact: u.reply == nil || !o.hides(*u.reply)}
	body := len(u.lines) - 1 - len(u.rec.Body) // where the body starts, in a transaction
	for i, line := range u.lines {
		reply := u.reply
		if u.rec.Body != nil {
			reply = nil
			if at := i - body; at >= 0 && u.reply != nil && at < len(u.reply.Elems) {
				reply = &u.reply.Elems[at]
			}
		}
		c.line(line, reply)
	}
	if c.open > 1 {
		return nil, false
	}
	var out []*unit
	for _, lines := range c.variants {
		w := *u
		w.lines = lines
		if !c.exact {
			w.reply = nil
		}
		out = append(out, &w)
	}
	return out, true
}

// coarsening builds the variants of one operation.
type coarsening struct {
	seen     *observations
	variants [][][][]byte
	exact    bool // the reply still means what it did
	open     int  // lines with several outcomes
}

func (c *coarsening) line(line [][]byte, reply *model.Reply) {
	if c.variants == nil {
		c.variants = [][][][]byte{nil}
	}
	name := lower(line[0])
	switch name {
	case "incr", "decr", "incrby", "decrby", "incrbyfloat", "append", "setrange":
		c.exact = false
		c.set(line, reply)
		return
	}
	if readsLine(line) {
		c.exact = false
		return
	}
	mapped := slices.Clone(line)
	for i := range line {
		if storesValue(name, i) && !c.seen.tell(string(line[i])) {
			mapped[i] = []byte(anyValue)
		}
	}
	for i := range c.variants {
		c.variants[i] = append(c.variants[i], mapped)
	}
}

// set replaces a command that changes a value by one that sets it.
func (c *coarsening) set(line [][]byte, reply *model.Reply) {
	var results []string
	switch {
	case reply != nil && reply.Kind == model.Error || len(line) < 2:
		return
	case reply != nil && reply.Kind == model.Int && counts(line):
		results = []string{strconv.FormatInt(reply.Int, 10)}
	case reply != nil && reply.Kind == model.Bulk:
		results = []string{reply.Str}
	default:
		c.open++
		for v := range c.seen.values {
			results = append(results, v)
		}
		slices.Sort(results)
		results = append(results, anyValue)
	}
	by, ok := delta(line)
	existed := ok && reply != nil && reply.Kind == model.Int && reply.Int != by &&
		!strings.HasPrefix(lower(line[0]), "decr")
	var out [][][][]byte
	for _, lines := range c.variants {
		for _, v := range results {
			if !c.seen.tell(v) {
				v = anyValue
			}
			set := [][]byte{[]byte("SET"), line[1], []byte(v), []byte("KEEPTTL")}
			if existed {
				set = append(set, []byte("XX"))
			}
			out = append(out, append(slices.Clone(lines), set))
		}
	}
	c.variants = out
}

func counts(line [][]byte) bool {
	_, ok := delta(line)
	return ok
}

// hides reports that the reply shows a value that is mapped away.
func (o *observations) hides(r model.Reply) bool {
	if r.Kind == model.Bulk && !o.tell(r.Str) {
		return true
	}
	return slices.ContainsFunc(r.Elems, o.hides)
}

// storesValue reports that argument i of a command is a value it stores.
func storesValue(name string, i int) bool {
	switch name {
	case "set", "setnx", "getset":
		return i == 2
	case "setex", "psetex":
		return i == 3
	case "mset", "msetnx":
		return i > 0 && i%2 == 0
	}
	return false
}
