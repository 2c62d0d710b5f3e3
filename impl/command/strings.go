// The commands of strings (STR).
package command

import (
	"math"
	"strconv"

	"rondo/impl/resp"
	"rondo/impl/store"
)

// setOptions are the options of SET and GETEX.
type setOptions struct {
	nx, xx, get, keep, persist bool

	unit   string // EX, PX, EXAT, PXAT, or nothing
	amount []byte
}

// parse reads the options of SET or, with getex, of GETEX; it tells whether they go together. The
// last of a repeated option wins (STR-6).
func (o *setOptions) parse(args [][]byte, getex bool) bool {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case !getex && is(arg, "NX") && !o.xx:
			o.nx = true
		case !getex && is(arg, "XX") && !o.nx:
			o.xx = true
		case !getex && is(arg, "GET"):
			o.get = true
		case !getex && is(arg, "KEEPTTL") && o.unit == "":
			o.keep = true
		case getex && is(arg, "PERSIST") && o.unit == "":
			o.persist = true
		default:
			unit := timeUnit(arg)
			clash := o.unit != "" && o.unit != unit || o.keep || o.persist
			if unit == "" || clash || i+1 == len(args) {
				return false
			}
			i++
			o.unit, o.amount = unit, args[i]
		}
	}
	return true
}

func timeUnit(arg []byte) string {
	for _, unit := range [...]string{"EX", "PX", "EXAT", "PXAT"} {
		if is(arg, unit) {
			return unit
		}
	}
	return ""
}

// deadline turns an amount of a unit into an absolute deadline (TIME-2), no unit into none; if it
// is not ok, the error has been replied (TIME-13).
func (c *Call) deadline(unit string, amount []byte) (int64, bool) {
	if unit == "" {
		return store.NoDeadline, true
	}
	n, ok := resp.ParseInt(amount)
	if !ok {
		c.fail(errNotInt)
		return 0, false
	}
	seconds := unit == "EX" || unit == "EXAT"
	if n <= 0 || seconds && n > math.MaxInt64/1000 {
		c.fail(invalidExpire(c.Cmd.Name))
		return 0, false
	}
	if seconds {
		n *= 1000
	}
	if unit == "EX" || unit == "PX" {
		if n > math.MaxInt64-c.Now {
			c.fail(invalidExpire(c.Cmd.Name))
			return 0, false
		}
		n += c.Now
	}
	return n, true
}

func set(c *Call) {
	if len(c.Args) > 3 {
		setWith(c)
		return
	}
	v, _ := c.find(c.Args[1])
	c.replace(v, c.Args[1], c.Args[2], tagPlain, store.NoDeadline, evSet)
	c.ok()
}

// setWith is SET with options (STR-2 to STR-6).
func setWith(c *Call) {
	var o setOptions
	if !o.parse(c.Args[3:], false) {
		c.fail(errSyntax)
		return
	}
	deadline, ok := c.deadline(o.unit, o.amount)
	if !ok {
		return
	}
	key := c.Args[1]
	old, found := c.find(key)
	if o.get && !c.isString(old) {
		return
	}
	if o.get { // STR-3: whatever becomes of it, the reply is what was there
		c.X.count(found)
		c.value(old, found)
	}
	if o.nx && found || o.xx && !found {
		if !o.get {
			c.null()
		}
		return
	}
	if o.keep && found {
		deadline = old.Deadline
	}
	c.put(key, c.Args[2], tagPlain, deadline, evSet)
	if !o.get {
		c.ok()
	}
}

// value replies what find found.
func (c *Call) value(v store.View, found bool) {
	if found {
		c.bulk(v.Value)
	} else {
		c.null()
	}
}

func get(c *Call) {
	if v, found := c.read(c.Args[1]); c.isString(v) {
		c.value(v, found)
	}
}

func setnx(c *Call) {
	key := c.Args[1]
	_, found := c.find(key)
	if !found {
		c.put(key, c.Args[2], tagPlain, store.NoDeadline, evSet)
	}
	c.bool(!found)
}

func setex(c *Call)  { setFor(c, "EX") }
func psetex(c *Call) { setFor(c, "PX") }

func setFor(c *Call, unit string) {
	if deadline, ok := c.deadline(unit, c.Args[2]); ok {
		c.find(c.Args[1])
		c.put(c.Args[1], c.Args[3], tagPlain, deadline, evSet)
		c.ok()
	}
}

func getset(c *Call) {
	v, found := c.read(c.Args[1])
	if c.isString(v) {
		c.value(v, found)
		c.put(c.Args[1], c.Args[2], tagPlain, store.NoDeadline, evSet)
	}
}

func getdel(c *Call) {
	v, found := c.read(c.Args[1])
	if !c.isString(v) {
		return
	}
	c.value(v, found)
	if found {
		c.remove(c.Args[1], evDel)
	}
}

// getex looks at the key before it looks at the time (STR-10).
func getex(c *Call) {
	var o setOptions
	if !o.parse(c.Args[2:], true) {
		c.fail(errSyntax)
		return
	}
	key := c.Args[1]
	v, found := c.read(key)
	if !c.isString(v) {
		return
	}
	if !found {
		c.null()
		return
	}
	deadline, ok := c.deadline(o.unit, o.amount)
	if !ok {
		return
	}
	c.bulk(v.Value)
	switch {
	case o.unit != "" && deadline <= c.Now: // TIME-7
		c.remove(key, evDel)
	case o.unit != "":
		c.setDeadline(key, deadline, evExpire)
	case o.persist && v.Deadline != store.NoDeadline:
		c.setDeadline(key, deadline, evPersist)
	}
}

func (c *Call) setDeadline(key []byte, at int64, e event) {
	c.DB.SetDeadline(key, at, c.Now)
	c.touched(key, e)
}

func mget(c *Call) {
	c.array(len(c.Args) - 1)
	for _, key := range c.Args[1:] {
		if c.lost() {
			return
		}
		v, found := c.read(key)
		c.value(v, found && v.Kind == store.String)
	}
}

func mset(c *Call) {
	if c.pairs() {
		c.setAll()
		c.ok()
	}
}

func msetnx(c *Call) {
	if !c.pairs() {
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		if _, found := c.find(c.Args[i]); found {
			c.int(0)
			return
		}
	}
	c.setAll()
	c.int(1)
}

func (c *Call) pairs() bool {
	if len(c.Args)%2 == 1 {
		return true
	}
	c.fail(wrongArity(c.Cmd.Name))
	return false
}

func (c *Call) setAll() {
	for i := 1; i < len(c.Args); i += 2 {
		v, _ := c.find(c.Args[i])
		c.replace(v, c.Args[i], c.Args[i+1], tagPlain, store.NoDeadline, evSet)
	}
}

func strlen(c *Call) {
	if v, _ := c.read(c.Args[1]); c.isString(v) {
		c.int(int64(len(v.Value)))
	}
}

func appendTo(c *Call) {
	key, tail := c.Args[1], c.Args[2]
	v, found := c.find(key)
	if !c.isString(v) {
		return
	}
	if !found {
		c.put(key, tail, tagPlain, store.NoDeadline, evAppend)
		c.int(int64(len(tail)))
		return
	}
	size := len(v.Value)
	if !c.lengthFits(int64(size), len(tail)) {
		return
	}
	copy(c.DB.Grow(key, size+len(tail), c.Now)[size:], tail)
	c.DB.Mark(key, tagRaw)
	c.touched(key, evAppend)
	c.int(int64(size + len(tail)))
}

// lengthFits tells whether a string may become size + more bytes long; if not, it has replied
// the error (STR-18).
func (c *Call) lengthFits(size int64, more int) bool {
	if size > c.X.Limits.BulkLenMax-int64(more) {
		c.fail(errTooLong)
		return false
	}
	return true
}

func getrange(c *Call) {
	from, ok1 := resp.ParseInt(c.Args[2])
	to, ok2 := resp.ParseInt(c.Args[3])
	if !ok1 || !ok2 {
		c.fail(errNotInt)
		return
	}
	if v, _ := c.read(c.Args[1]); c.isString(v) {
		c.bulk(slice(v.Value, from, to))
	}
}

// slice cuts as GETRANGE does: ends included, negative offsets from the end, clipped (STR-13).
func slice(b []byte, from, to int64) []byte {
	size := int64(len(b))
	if from < 0 && to < 0 && from > to {
		return nil
	}
	if from < 0 {
		from = max(from+size, 0)
	}
	if to < 0 {
		to = max(to+size, 0)
	}
	to = min(to, size-1)
	if from > to {
		return nil
	}
	return b[from : to+1]
}

func setrange(c *Call) {
	key, piece := c.Args[1], c.Args[3]
	offset, ok := resp.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.fail(errNotInt)
		return
	case offset < 0:
		c.fail(errOffset)
		return
	}
	v, found := c.find(key)
	if !c.isString(v) {
		return
	}
	if len(piece) == 0 { // STR-14: nothing to write, nothing created
		c.int(int64(len(v.Value)))
		return
	}
	if !c.lengthFits(offset, len(piece)) {
		return
	}
	if !found {
		c.DB.Put(key, nil, tagRaw, store.NoDeadline, c.Now)
	}
	size := max(len(v.Value), int(offset)+len(piece))
	copy(c.DB.Grow(key, size, c.Now)[offset:], piece)
	c.DB.Mark(key, tagRaw)
	c.touched(key, evRange)
	c.int(int64(size))
}

func incr(c *Call) { add(c, 1) }
func decr(c *Call) { add(c, -1) }

func incrby(c *Call) {
	if n, ok := resp.ParseInt(c.Args[2]); ok {
		add(c, n)
	} else {
		c.fail(errNotInt)
	}
}

func decrby(c *Call) {
	n, ok := resp.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.fail(errNotInt)
	case n == math.MinInt64:
		c.fail(errDecrement)
	default:
		add(c, -n)
	}
}

// add is INCR and its kin: on error nothing changes, and a deadline stays (STR-15, STR-17).
func add(c *Call, by int64) {
	key := c.Args[1]
	v, found := c.find(key)
	if !c.isString(v) {
		return
	}
	n, deadline := int64(0), store.NoDeadline
	if found {
		var ok bool
		if n, ok = resp.ParseInt(v.Value); !ok {
			c.fail(errNotInt)
			return
		}
		deadline = v.Deadline
	}
	sum := n + by
	if (sum > n) != (by > 0) && by != 0 {
		c.fail(errOverflow)
		return
	}
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], sum, 10)
	c.replace(v, key, digits, tagPlain, deadline, evIncr)
	c.S.Out = append(append(append(c.S.Out, ':'), digits...), "\r\n"...)
}

func incrbyfloat(c *Call) {
	key := c.Args[1]
	v, found := c.find(key)
	if !c.isString(v) {
		return
	}
	deadline := store.NoDeadline
	if found {
		deadline = v.Deadline
	} else {
		v.Value = zeroText
	}
	a, ok1 := parseFloat(v.Value)
	b, ok2 := parseFloat(c.Args[2])
	if !ok1 || !ok2 {
		c.fail(errNotFloat)
		return
	}
	sum, ok := a.plus(b)
	if !ok {
		c.fail(errNaN)
		return
	}
	c.put(key, sum, tagText, deadline, evFloat)
	c.bulk(sum)
}

var zeroText = []byte("0")
