package model

import (
	"math"
	"slices"
	"strings"
)

// Commands on lists. A list is a slice of strings that is never changed, only replaced; one that is
// empty is no key (LIST-1).

func wrongType() Reply {
	return Err("WRONGTYPE Operation against a key holding the wrong kind of value")
}

// isList tells a list from a string.
func (e *entry) isList() bool { return e.list != nil }

// findText is find for commands on strings: not ok if the key holds a list (KEY-26).
func (u *unit) findText(key []byte) (e *entry, ok bool) {
	e = u.find(key)
	return e, e == nil || !e.isList()
}

// findList is find for commands on lists: the elements, none for a missing key.
func (u *unit) findList(key []byte) (e *entry, list []string, ok bool) {
	e = u.find(key)
	if e == nil {
		return nil, nil, true
	}
	return e, e.list, e.isList()
}

// putList makes a key hold these elements, or no key if there are none. The deadline stays.
func (u *unit) putList(old *entry, key []byte, list []string) {
	e := entry{db: u.self().db, key: string(key)}
	if old != nil {
		e = *old
	}
	if e.list = list; len(list) > 0 {
		u.put(e)
	} else {
		u.drop(old)
	}
}

// side is an end of a list.
type side bool

const (
	left  side = false
	right side = true
)

func parseSide(arg []byte) (side, bool) {
	return side(is(arg, "right")), is(arg, "left") || is(arg, "right")
}

// push is a list with one element more, pop one with n elements less, and these, in the order in
// which they come off.
func push(list []string, at side, element string) []string {
	if at == left {
		return append([]string{element}, list...)
	}
	return append(slices.Clip(list), element)
}

func pop(list []string, at side, n int) (rest, taken []string) {
	if at == left {
		return list[n:], list[:n]
	}
	taken = slices.Clone(list[len(list)-n:])
	slices.Reverse(taken)
	return list[:len(list)-n], taken
}

// bulks are elements as a reply.
func bulks(list []string) Reply {
	elems := make([]Reply, len(list))
	for i, element := range list {
		elems[i] = Str(element)
	}
	return Arr(elems...)
}

// pushTo is LPUSH, RPUSH (LIST-2), LPUSHX and RPUSHX (LIST-3).
func pushTo(at side, existing bool) handler {
	return func(u *unit, args [][]byte) Reply {
		e, list, ok := u.findList(args[1])
		switch {
		case !ok:
			return wrongType()
		case e == nil && existing:
			return Num(0)
		}
		for _, element := range args[2:] {
			list = push(list, at, string(element))
		}
		u.putList(e, args[1], list)
		return Num(int64(len(list)))
	}
}

// popFrom is LPOP and RPOP: LIST-4. The count is looked at before the key.
func popFrom(at side, name string) handler {
	return func(u *unit, args [][]byte) Reply {
		if len(args) > 3 {
			return wrongNumber(name)
		}
		count := int64(1)
		if len(args) == 3 {
			var ok bool
			if count, ok = integer(args[2]); !ok || count < 0 {
				return Err("ERR value is out of range, must be positive")
			}
		}
		e, list, ok := u.findList(args[1])
		switch {
		case !ok:
			return wrongType()
		case e == nil && len(args) == 3:
			return Reply{Kind: NullArray}
		case e == nil:
			return Reply{Kind: Null}
		case count == 0:
			return Arr()
		}
		rest, taken := pop(list, at, int(min(count, int64(len(list)))))
		u.putList(e, args[1], rest)
		if len(args) == 3 {
			return bulks(taken)
		}
		return Str(taken[0])
	}
}

// llen: LIST-5.
func llen(u *unit, args [][]byte) Reply {
	_, list, ok := u.findList(args[1])
	if !ok {
		return wrongType()
	}
	return Num(int64(len(list)))
}

// lrange: LIST-6.
func lrange(u *unit, args [][]byte) Reply {
	start, ok := integer(args[2])
	end, ok2 := integer(args[3])
	if !ok || !ok2 {
		return notInteger()
	}
	_, list, ok := u.findList(args[1])
	if !ok {
		return wrongType()
	}
	return bulks(within(list, start, end))
}

// within is the part of a list from one index to another, both included.
func within(list []string, start, end int64) []string {
	n := int64(len(list))
	start = fromEnd(start, n)
	if end < 0 {
		end += n
	}
	if end = min(end, n-1); start > end {
		return nil
	}
	return list[start : end+1]
}

// indexIn is the place of an element; not ok if there is none.
func indexIn(list []string, index int64) (int, bool) {
	n := int64(len(list))
	if index < 0 {
		index += n
	}
	return int(index), 0 <= index && index < n
}

// lindex: LIST-7. The key is looked at before the index.
func lindex(u *unit, args [][]byte) Reply {
	e, list, ok := u.findList(args[1])
	index, isInt := integer(args[2])
	switch {
	case !ok:
		return wrongType()
	case e == nil:
		return Reply{Kind: Null}
	case !isInt:
		return notInteger()
	}
	if i, ok := indexIn(list, index); ok {
		return Str(list[i])
	}
	return Reply{Kind: Null}
}

// lset: LIST-8.
func lset(u *unit, args [][]byte) Reply {
	e, list, ok := u.findList(args[1])
	index, isInt := integer(args[2])
	switch {
	case !ok:
		return wrongType()
	case e == nil:
		return Err("ERR no such key")
	case !isInt:
		return notInteger()
	}
	i, ok := indexIn(list, index)
	if !ok {
		return Err("ERR index out of range")
	}
	list = slices.Clone(list)
	list[i] = string(args[3])
	u.putList(e, args[1], list)
	return OK()
}

// linsert: LIST-9.
func linsert(u *unit, args [][]byte) Reply {
	after := is(args[2], "after")
	if !after && !is(args[2], "before") {
		return syntaxError()
	}
	e, list, ok := u.findList(args[1])
	switch {
	case !ok:
		return wrongType()
	case e == nil:
		return Num(0)
	}
	i := slices.Index(list, string(args[3]))
	if i < 0 {
		return Num(-1)
	}
	if after {
		i++
	}
	list = slices.Insert(slices.Clone(list), i, string(args[4]))
	u.putList(e, args[1], list)
	return Num(int64(len(list)))
}

// lrem: LIST-10. A negative count begins at the end; 0 is all.
func lrem(u *unit, args [][]byte) Reply {
	count, ok := integer(args[2])
	if !ok {
		return notInteger()
	}
	e, list, ok := u.findList(args[1])
	if !ok {
		return wrongType()
	}
	kept, removed := []string(nil), int64(0)
	backwards := count < 0
	if backwards {
		count = max(count, -math.MaxInt64) * -1
		list = reversed(list)
	}
	for _, element := range list {
		if element == string(args[3]) && (count == 0 || removed < count) {
			removed++
		} else {
			kept = append(kept, element)
		}
	}
	if backwards {
		kept = reversed(kept)
	}
	if removed > 0 {
		u.putList(e, args[1], kept)
	}
	return Num(removed)
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// ltrim: LIST-11. It counts as a change even if all of the list stays.
func ltrim(u *unit, args [][]byte) Reply {
	start, ok := integer(args[2])
	end, ok2 := integer(args[3])
	if !ok || !ok2 {
		return notInteger()
	}
	e, list, ok := u.findList(args[1])
	switch {
	case !ok:
		return wrongType()
	case e != nil:
		u.putList(e, args[1], within(list, start, end))
	}
	return OK()
}

// lpos: LIST-12. The options are looked at before the key.
func lpos(u *unit, args [][]byte) Reply {
	o, fault, ok := parsePosOptions(args[3:])
	if !ok {
		return fault
	}
	_, list, ok := u.findList(args[1])
	if !ok {
		return wrongType()
	}
	found := o.positions(list, string(args[2]))
	switch {
	case o.counted:
		return Arr(found...)
	case len(found) == 0:
		return Reply{Kind: Null}
	}
	return found[0]
}

type posOptions struct {
	rank, count, most int64
	counted           bool // COUNT is given: the answer is an array
}

func parsePosOptions(args [][]byte) (o posOptions, fault Reply, ok bool) {
	o = posOptions{rank: 1, count: 1}
	for i := 0; i < len(args); i += 2 {
		known := is(args[i], "rank") || is(args[i], "count") || is(args[i], "maxlen")
		if !known || i+1 == len(args) {
			return o, syntaxError(), false
		}
		n, isInt := integer(args[i+1])
		name := strings.ToUpper(string(args[i]))
		switch {
		case name != "RANK" && (!isInt || n < 0):
			return o, Err("ERR " + name + " can't be negative"), false
		case !isInt:
			return o, notInteger(), false
		case name == "RANK" && n == 0:
			return o, Err("ERR RANK can't be zero: use 1 to start from the first match, 2 from" +
				" the second ... or use negative to start from the end of the list"), false
		case name == "RANK" && n == math.MinInt64: // it has no negation, and the first will do
			o.rank = -1
		case name == "RANK":
			o.rank = n
		case name == "COUNT":
			o.count, o.counted = n, true
		default:
			o.most = n
		}
	}
	return o, Reply{}, true
}

// positions are those of an element, as the options ask for them.
func (o posOptions) positions(list []string, element string) (found []Reply) {
	skip := o.rank
	backwards := skip < 0
	if backwards {
		skip = -skip
	}
	for seen := range list {
		i := seen
		if backwards {
			i = len(list) - 1 - seen
		}
		if o.most > 0 && int64(seen) == o.most || o.count > 0 && int64(len(found)) == o.count {
			break
		}
		if list[i] != element {
			continue
		}
		if skip--; skip <= 0 {
			found = append(found, Num(int64(i)))
		}
	}
	return found
}
