// The commands of lists (LIST).
package command

import (
	"math"

	"rondo/impl/resp"
	"rondo/impl/store"
)

// side is an end of a list.
type side bool

const (
	left  side = false
	right side = true
)

func parseSide(arg []byte) (s side, ok bool) {
	return side(is(arg, "RIGHT")), is(arg, "LEFT") || is(arg, "RIGHT")
}

// at is the index of the end that an element is taken from, of a list of n.
func (s side) at(n int) int {
	if s == right {
		return n - 1
	}
	return 0
}

// push adds an element at an end, and drop takes n from one.
func (s side) push(l store.List, element []byte) {
	if s == right {
		l.Insert(l.Len(), element)
	} else {
		l.Insert(0, element)
	}
}

func (s side) drop(l store.List, n int) {
	if s == right {
		l.Cut(l.Len()-n, n)
	} else {
		l.Cut(0, n)
	}
}

// list is find for commands on lists. A key that holds something else is an error, which has been
// replied (KEY-26).
func (c *Call) list(key []byte) (l store.List, found, ok bool) {
	v, found := c.find(key)
	switch {
	case !found:
		return l, false, true
	case v.Kind != store.Lists:
		c.fail(errWrongType)
		return l, true, false
	}
	return c.DB.List(v), true, true
}

// readList is list for commands that read.
func (c *Call) readList(key []byte) (l store.List, found, ok bool) {
	l, found, ok = c.list(key)
	c.X.count(found)
	return l, found, ok
}

// shrunk passes the funnel for a list that has lost something. Without elements it is no key (LIST-1).
func (c *Call) shrunk(key []byte, l store.List, e event) {
	if l.Len() == 0 {
		c.DB.Del(key)
	}
	c.touched(key, e)
}

// elements replies so many of a list from one on, or backwards.
func (c *Call) elements(l store.List, from, n int, backwards bool) {
	c.array(n)
	if n == 0 {
		return
	}
	l.Each(from, backwards, func(element []byte) bool {
		c.bulk(element)
		n--
		return n > 0 && !c.lost()
	})
}

func lpush(c *Call)  { pushAll(c, left, false) }
func rpush(c *Call)  { pushAll(c, right, false) }
func lpushx(c *Call) { pushAll(c, left, true) }
func rpushx(c *Call) { pushAll(c, right, true) }

func pushAll(c *Call, at side, existing bool) {
	key := c.Args[1]
	l, found, ok := c.list(key)
	switch {
	case !ok:
		return
	case !found && existing: // LIST-3
		c.int(0)
		return
	case !found:
		l = c.DB.NewList(key, store.NoDeadline, c.Now)
	}
	for _, element := range c.Args[2:] {
		at.push(l, element)
	}
	n := l.Len()
	c.touched(key, evPush)
	c.int(int64(n))
}

func lpop(c *Call) { popSome(c, left) }
func rpop(c *Call) { popSome(c, right) }

// popSome looks at the count before it looks at the key (LIST-4).
func popSome(c *Call, at side) {
	if len(c.Args) > 3 {
		c.fail(wrongArity(c.Cmd.Name))
		return
	}
	count, many := int64(1), len(c.Args) == 3
	if many {
		var ok bool
		if count, ok = resp.ParseInt(c.Args[2]); !ok || count < 0 {
			c.fail(errNegative)
			return
		}
	}
	l, found, ok := c.list(c.Args[1])
	switch {
	case !ok:
	case !found && many:
		c.nullArray()
	case !found:
		c.null()
	case count == 0:
		c.array(0)
	case many:
		c.popMany(c.Args[1], l, at, count)
	default:
		c.bulk(l.At(at.at(l.Len())))
		at.drop(l, 1)
		c.shrunk(c.Args[1], l, evPop)
	}
}

// popMany replies up to count elements of a list, and removes them.
func (c *Call) popMany(key []byte, l store.List, at side, count int64) {
	n := int(min(count, int64(l.Len())))
	c.elements(l, at.at(l.Len()), n, at == right)
	at.drop(l, n)
	c.shrunk(key, l, evPop)
}

func llen(c *Call) {
	if l, found, ok := c.readList(c.Args[1]); found && ok {
		c.int(int64(l.Len()))
	} else if ok {
		c.int(0)
	}
}

func lrange(c *Call) {
	from, ok1 := resp.ParseInt(c.Args[2])
	to, ok2 := resp.ParseInt(c.Args[3])
	if !ok1 || !ok2 {
		c.fail(errNotInt)
		return
	}
	l, found, ok := c.readList(c.Args[1])
	switch {
	case !ok:
	case !found:
		c.array(0)
	default:
		i, n := part(from, to, l.Len())
		c.elements(l, i, n, false)
	}
}

// part are the first of the elements from one index to another, and how many they are, of size.
func part(from, to int64, size int) (first, n int) {
	if from < 0 {
		from = max(from+int64(size), 0)
	}
	if to < 0 {
		to += int64(size)
	}
	to = min(to, int64(size)-1)
	if from > to {
		return 0, 0
	}
	return int(from), int(to-from) + 1
}

// indexOf reads one of an element; not ok if there is none there, and fault if it is none at all.
func indexOf(arg []byte, size int) (i int, fault string, ok bool) {
	n, isInt := resp.ParseInt(arg)
	if !isInt {
		return 0, errNotInt, false
	}
	if n < 0 {
		n += int64(size)
	}
	return int(n), "", n >= 0 && n < int64(size)
}

func lindex(c *Call) {
	l, found, ok := c.readList(c.Args[1])
	if !ok {
		return
	}
	if !found {
		c.null()
		return
	}
	i, fault, ok := indexOf(c.Args[2], l.Len())
	switch {
	case fault != "":
		c.fail(fault)
	case !ok:
		c.null()
	default:
		c.bulk(l.At(i))
	}
}

func lset(c *Call) {
	l, found, ok := c.list(c.Args[1])
	switch {
	case !ok:
		return
	case !found:
		c.fail(errNoKey)
		return
	}
	i, fault, ok := indexOf(c.Args[2], l.Len())
	switch {
	case fault != "":
		c.fail(fault)
	case !ok:
		c.fail(errIndex)
	default:
		l.Set(i, c.Args[3])
		c.touched(c.Args[1], evSetAt)
		c.ok()
	}
}

func linsert(c *Call) {
	after := is(c.Args[2], "AFTER")
	if !after && !is(c.Args[2], "BEFORE") {
		c.fail(errSyntax)
		return
	}
	l, found, ok := c.list(c.Args[1])
	switch {
	case !ok:
		return
	case !found:
		c.int(0)
		return
	}
	i := l.Index(c.Args[3], 0, false, math.MaxInt)
	if i < 0 {
		c.int(-1)
		return
	}
	if after {
		i++
	}
	l.Insert(i, c.Args[4])
	n := l.Len()
	c.touched(c.Args[1], evInsert)
	c.int(int64(n))
}

// lrem removes from the tail on if count is negative (LIST-10).
func lrem(c *Call) {
	count, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.fail(errNotInt)
		return
	}
	l, found, ok := c.list(c.Args[1])
	if !ok {
		return
	}
	removed := int64(0)
	if found {
		removed = removeEqual(l, c.Args[3], count)
	}
	if removed > 0 {
		c.shrunk(c.Args[1], l, evRemove)
	}
	c.int(removed)
}

// removeEqual removes elements that equal a value: as many as count says, backwards if it is
// negative, all if it is 0.
func removeEqual(l store.List, value []byte, count int64) (removed int64) {
	i, backwards := 0, count < 0
	if backwards {
		i, count = l.Len()-1, -max(count, -math.MaxInt64)
	}
	for count == 0 || removed < count {
		if i = l.Index(value, i, backwards, math.MaxInt); i < 0 {
			break
		}
		l.Cut(i, 1)
		removed++
		if backwards {
			i--
		}
		if l.Len() == 0 {
			break
		}
	}
	return removed
}

// ltrim is a change even if all elements stay (LIST-11).
func ltrim(c *Call) {
	from, ok1 := resp.ParseInt(c.Args[2])
	to, ok2 := resp.ParseInt(c.Args[3])
	if !ok1 || !ok2 {
		c.fail(errNotInt)
		return
	}
	l, found, ok := c.list(c.Args[1])
	if !ok {
		return
	}
	if found {
		first, n := part(from, to, l.Len())
		l.Cut(first+n, l.Len()-first-n)
		l.Cut(0, first)
		c.shrunk(c.Args[1], l, evTrim)
	}
	c.ok()
}

// posOptions are those of LPOS.
type posOptions struct {
	rank, count, most int64
	counted           bool // COUNT is given: the reply is an array
}

func (o *posOptions) parse(args [][]byte) (fault string) {
	*o = posOptions{rank: 1, count: 1}
	for ; len(args) > 0; args = args[2:] {
		name := args[0]
		if len(args) == 1 || !is(name, "RANK") && !is(name, "COUNT") && !is(name, "MAXLEN") {
			return errSyntax
		}
		n, ok := resp.ParseInt(args[1])
		switch {
		case is(name, "COUNT") && (!ok || n < 0):
			return "ERR COUNT can't be negative"
		case is(name, "MAXLEN") && (!ok || n < 0):
			return "ERR MAXLEN can't be negative"
		case !ok:
			return errNotInt
		case is(name, "RANK") && n == 0:
			return errRank
		case is(name, "RANK"):
			o.rank = n
			if n == math.MinInt64 { // whose negation in Redis is itself, and reached by the first match
				o.rank = -1
			}
		case is(name, "COUNT"):
			o.count, o.counted = n, true
		default:
			o.most = n
		}
	}
	return ""
}

// lpos looks at its options before it looks at the key (LIST-12).
func lpos(c *Call) {
	var o posOptions
	if fault := o.parse(c.Args[3:]); fault != "" {
		c.fail(fault)
		return
	}
	l, found, ok := c.readList(c.Args[1])
	switch {
	case !ok:
	case !found && o.counted:
		c.array(0)
	case !found:
		c.null()
	case o.counted:
		c.counted(func() int {
			n := 0
			o.each(l, c.Args[2], func(i int) { c.int(int64(i)); n++ })
			return n
		})
	default:
		first := -1
		o.each(l, c.Args[2], func(i int) { first = i })
		if first < 0 {
			c.null()
		} else {
			c.int(int64(first))
		}
	}
}

// each calls yield with the index of each element that is asked for.
func (o *posOptions) each(l store.List, value []byte, yield func(i int)) {
	i, step, skip, found := 0, 1, o.rank, int64(0)
	if o.rank < 0 {
		i, step, skip = l.Len()-1, -1, -o.rank
	}
	seen := int64(0)
	l.Each(i, step < 0, func(element []byte) bool {
		if string(element) == string(value) {
			if skip--; skip <= 0 {
				yield(i)
				found++
			}
		}
		i += step
		seen++
		return (o.most == 0 || seen < o.most) && (o.count == 0 || found < o.count)
	})
}
