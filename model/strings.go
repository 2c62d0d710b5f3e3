package model

import (
	"math"
	"strings"
)

// Commands on string values.

// encoding is what OBJECT ENCODING answers (KEY-12). It depends on how the value was made: one
// that was set is int, embstr or raw by its bytes, one that was changed in place is raw.
type encoding byte

const (
	asInt encoding = iota
	asEmbedded
	asRaw
)

func (e encoding) String() string { return [...]string{"int", "embstr", "raw"}[e] }

// embeddedMax is the longest value that Redis stores in one piece with its header.
const embeddedMax = 44

// encode is the encoding of a value that is set.
func encode(value string) encoding {
	if _, ok := integer([]byte(value)); ok {
		return asInt
	}
	return encodeText(value)
}

// encodeText is encode for a value that is never stored as an integer.
func encodeText(value string) encoding {
	if len(value) <= embeddedMax {
		return asEmbedded
	}
	return asRaw
}

// fresh is an entry for a key of the connection's database, without a deadline.
func (u *unit) fresh(key, value []byte) entry {
	v := string(value)
	return entry{db: u.self().db, key: string(key), value: v, encoding: encode(v)}
}

// change stores another value in place: the deadline stays (STR-17). old is nil for a new key.
func (u *unit) change(old *entry, key []byte, value string, enc encoding) {
	e := entry{db: u.self().db, key: string(key)}
	if old != nil {
		e = *old
	}
	e.value, e.encoding = value, enc
	u.put(e)
}

// bulk answers a value, or nil for a missing key and for a list.
func bulk(e *entry) Reply {
	if e == nil || e.isList() {
		return Reply{Kind: Null}
	}
	return Str(e.value)
}

// set: STR-1 to STR-6, TIME-1, TIME-2, TIME-13. Without a condition the key is overwritten without
// being looked at.
func set(u *unit, args [][]byte) Reply {
	o, ok := parseSetOptions(args[3:], true)
	if !ok {
		return syntaxError()
	}
	e := u.fresh(args[1], args[2])
	if o.timed {
		at, fault, ok := u.deadline("set", o.timing, o.time)
		if !ok {
			return fault
		}
		e.mortal, e.deadline = true, at
	}
	var old *entry
	if o.nx || o.xx || o.get || o.keep {
		old = u.find(args[1])
	}
	reply := OK()
	if o.get {
		if old != nil && old.isList() {
			return wrongType()
		}
		reply = bulk(old)
	}
	if o.nx && old != nil || o.xx && old == nil {
		if o.get {
			return reply
		}
		return Reply{Kind: Null}
	}
	if o.keep && old != nil {
		e.mortal, e.deadline = old.mortal, old.deadline
	}
	u.put(e)
	return reply
}

// setOptions are the options of SET and GETEX.
type setOptions struct {
	nx, xx, get, keep, persist bool
	timed                      bool
	timing                     timing
	time                       []byte
}

var timeWords = []struct {
	word   string
	timing timing
}{{"ex", relative(1000)}, {"px", relative(1)}, {"exat", absolute(1000)}, {"pxat", absolute(1)}}

// parseSetOptions: STR-6. A repeated option is fine and the last counts; a conflict is not.
func parseSetOptions(args [][]byte, isSet bool) (o setOptions, ok bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case isSet && is(arg, "nx") && !o.xx:
			o.nx = true
		case isSet && is(arg, "xx") && !o.nx:
			o.xx = true
		case isSet && is(arg, "get"):
			o.get = true
		case isSet && is(arg, "keepttl") && !o.timed:
			o.keep = true
		case !isSet && is(arg, "persist") && !o.timed:
			o.persist = true
		case i+1 < len(args) && o.takeTime(arg, args[i+1]):
			i++
		default:
			return o, false
		}
	}
	return o, true
}

func (o *setOptions) takeTime(arg, time []byte) bool {
	for _, w := range timeWords {
		if is(arg, w.word) && !o.keep && !o.persist && (!o.timed || o.timing == w.timing) {
			o.timed, o.timing, o.time = true, w.timing, time
			return true
		}
	}
	return false
}

// get: STR-7.
func get(u *unit, args [][]byte) Reply {
	e, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	return bulk(e)
}

// setnx: STR-8.
func setnx(u *unit, args [][]byte) Reply {
	if u.find(args[1]) != nil {
		return Num(0)
	}
	u.put(u.fresh(args[1], args[2]))
	return Num(1)
}

// setFor is SETEX and PSETEX: STR-8.
func setFor(t timing, name string) handler {
	return func(u *unit, args [][]byte) Reply {
		at, fault, ok := u.deadline(name, t, args[2])
		if !ok {
			return fault
		}
		e := u.fresh(args[1], args[3])
		e.mortal, e.deadline = true, at
		u.put(e)
		return OK()
	}
}

// getset: STR-8, TIME-11.
func getset(u *unit, args [][]byte) Reply {
	old, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	u.put(u.fresh(args[1], args[2]))
	return bulk(old)
}

// getdel: STR-9.
func getdel(u *unit, args [][]byte) Reply {
	old, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	if old != nil {
		u.drop(old)
	}
	return bulk(old)
}

// getex: STR-10, TIME-7. The key is looked at before the time, and only a time given as a date may
// be past already.
func getex(u *unit, args [][]byte) Reply {
	o, ok := parseSetOptions(args[2:], false)
	if !ok {
		return syntaxError()
	}
	e, ok := u.findText(args[1])
	switch {
	case !ok:
		return wrongType()
	case e == nil:
		return Reply{Kind: Null}
	}
	if o.timed {
		at, fault, ok := u.deadline("getex", o.timing, o.time)
		if !ok {
			return fault
		}
		if o.timing.date && !u.env.Before(u.env.Read(), at) {
			u.drop(e)
		} else {
			u.endAt(e, at)
		}
	}
	if o.persist && e.mortal {
		u.endNever(e)
	}
	return Str(e.value)
}

// mget: STR-11.
func mget(u *unit, args [][]byte) Reply {
	values := make([]Reply, len(args)-1)
	for i, key := range args[1:] {
		values[i] = bulk(u.find(key))
	}
	return Arr(values...)
}

// mset: STR-11.
func mset(u *unit, args [][]byte) Reply {
	if len(args)%2 == 0 {
		return wrongNumber("mset")
	}
	u.setPairs(args)
	return OK()
}

// msetnx: STR-11.
func msetnx(u *unit, args [][]byte) Reply {
	if len(args)%2 == 0 {
		return wrongNumber("msetnx")
	}
	for i := 1; i < len(args); i += 2 {
		if u.find(args[i]) != nil {
			return Num(0)
		}
	}
	u.setPairs(args)
	return Num(1)
}

func (u *unit) setPairs(args [][]byte) {
	for i := 1; i < len(args); i += 2 {
		u.put(u.fresh(args[i], args[i+1]))
	}
}

// tooLong: STR-18.
func (u *unit) tooLong(size, more int64) bool {
	return size > math.MaxInt64-more || size+more > u.s.options.BulkLenMax
}

func errTooLong() Reply {
	return Err("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
}

// appendValue: STR-12, STR-18.
func appendValue(u *unit, args [][]byte) Reply {
	old, ok := u.findText(args[1])
	switch {
	case !ok:
		return wrongType()
	case old == nil:
		u.put(u.fresh(args[1], args[2]))
		return Num(int64(len(args[2])))
	}
	if u.tooLong(int64(len(old.value)), int64(len(args[2]))) {
		return errTooLong()
	}
	value := old.value + string(args[2])
	u.change(old, args[1], value, asRaw)
	return Num(int64(len(value)))
}

// strlen: STR-12.
func strlen(u *unit, args [][]byte) Reply {
	e, ok := u.findText(args[1])
	switch {
	case !ok:
		return wrongType()
	case e == nil:
		return Num(0)
	}
	return Num(int64(len(e.value)))
}

// getrange: STR-13.
func getrange(u *unit, args [][]byte) Reply {
	start, ok := integer(args[2])
	end, ok2 := integer(args[3])
	if !ok || !ok2 {
		return notInteger()
	}
	e, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	if e == nil || start < 0 && end < 0 && start > end {
		return Str("")
	}
	size := int64(len(e.value))
	start, end = fromEnd(start, size), min(fromEnd(end, size), size-1)
	if start > end {
		return Str("")
	}
	return Str(e.value[start : end+1])
}

// fromEnd turns a negative offset into one from the beginning.
func fromEnd(offset, size int64) int64 {
	if offset < 0 {
		offset += size
	}
	return max(offset, 0)
}

// setrange: STR-14, STR-18.
func setrange(u *unit, args [][]byte) Reply {
	offset, ok := integer(args[2])
	if !ok {
		return notInteger()
	}
	if offset < 0 {
		return Err("ERR offset is out of range")
	}
	old, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	part, value := string(args[3]), ""
	if old != nil {
		value = old.value
	}
	if part == "" {
		return Num(int64(len(value)))
	}
	if u.tooLong(offset, int64(len(part))) {
		return errTooLong()
	}
	end := int(offset) + len(part)
	if pad := end - len(value); pad > 0 {
		value += strings.Repeat("\x00", pad)
	}
	value = value[:offset] + part + value[end:]
	u.change(old, args[1], value, asRaw)
	return Num(int64(len(value)))
}

// incrby: STR-15.
func incrby(u *unit, args [][]byte) Reply {
	n, ok := integer(args[2])
	if !ok {
		return notInteger()
	}
	return count(u, args[1], n)
}

// decrby: STR-15. The most negative number has no negation.
func decrby(u *unit, args [][]byte) Reply {
	n, ok := integer(args[2])
	switch {
	case !ok:
		return notInteger()
	case n == math.MinInt64:
		return Err("ERR decrement would overflow")
	}
	return count(u, args[1], -n)
}

// count adds to an integer value: STR-15, STR-17.
func count(u *unit, key []byte, by int64) Reply {
	old, ok := u.findText(key)
	if !ok {
		return wrongType()
	}
	value := int64(0)
	if old != nil {
		if value, ok = integer([]byte(old.value)); !ok {
			return notInteger()
		}
	}
	if by < 0 && value < math.MinInt64-by || by > 0 && value > math.MaxInt64-by {
		return Err("ERR increment or decrement would overflow")
	}
	u.change(old, key, formatInteger(value+by), asInt)
	return Num(value + by)
}

// incrbyfloat: STR-16, STR-17.
func incrbyfloat(u *unit, args [][]byte) Reply {
	old, ok := u.findText(args[1])
	if !ok {
		return wrongType()
	}
	sum, ok := parseFloat("0")
	if old != nil {
		sum, ok = parseFloat(old.value)
	}
	by, ok2 := parseFloat(string(args[2]))
	if !ok || !ok2 {
		return Err("ERR value is not a valid float")
	}
	result, ok := addFloats(sum, by)
	if !ok {
		return Err("ERR increment would produce NaN or Infinity")
	}
	u.change(old, args[1], result, encodeText(result))
	return Str(result)
}
