package linear

import (
	"math"
	"strconv"
	"unsafe"

	"rondo/check/history"
	"rondo/model"
)

// This file compiles the commands of a one-key component for onekey.go, once, and says which
// components are such: one key, and only the commands below, in the forms whose reply depends on
// the key. All else is for the general theory.

// act is one compiled command with its reply.
type act struct {
	code  code
	reply says
	blind bool // overwrites the key without looking at it
	opts  opts
	value int32 // what it writes
	met   int32 // the value in its reply
	made  int32 // INCRBY: its result, if it was answered
	life  int32 // the deadline that it sets, if facts speak of it
	n     int64 // milliseconds, a date, an increment, a number of keys, a start
	num   int64 // the number in its reply; an end
}

type code uint8

const (
	aGet code = iota
	aSet
	aGetDel
	aGetEx
	aAdd
	aAppend
	aCount // EXISTS, TOUCH
	aType
	aLength
	aRange
	aDel
	aExpire
	aPersist
	aLeft  // TTL, PTTL
	aUntil // EXPIRETIME, PEXPIRETIME
	aFlush
)

// says is what a reply says.
type says uint8

const (
	saysLost       says = iota // nothing: it was lost
	saysOther                  // nothing that the command can answer
	saysOK                     // +OK
	saysNil                    // any null
	saysNumber                 // :num
	saysText                   // the value met
	saysThere                  // +string
	saysAbsent                 // +none
	saysNotInteger             // the value is no integer
	saysOverflow
)

type opts uint16

const (
	timed    opts = 1 << iota // sets a deadline
	date                      // n is a date
	onlyGone                  // NX of SET
	onlyThere
	gives   // SET GET: answers the old value
	keeps   // KEEPTTL
	numeric // SETNX and MSETNX answer 0 and 1
	endless // GETEX PERSIST
	seconds // replies count seconds
	ifNone  // NX, XX, GT, LT of EXPIRE
	ifSome
	ifLater
	ifEarlier
)

func (a *act) is(o opts) bool { return a.opts&o != 0 }

func (a *act) sees(s says) bool { return a.reply == saysLost || a.reply == s }

func (a *act) number(n int64) bool {
	return a.reply == saysLost || a.reply == saysNumber && a.num == n
}

func (a *act) shows(value int32) bool {
	return a.reply == saysLost || a.reply == saysText && a.met == value
}

// values numbers the texts of a component, from 1 on. Searches add to it.
type values struct {
	text  []string
	ids   map[string]int32
	empty int32 // ""
	zero  int32 // "0"
	bytes int64
}

// textMax bounds all texts together, so that no APPEND meets the limit of Redis.
const textMax = 256 << 20

func newValues(n int) *values {
	v := &values{text: make([]string, 1, n+3), ids: make(map[string]int32, n)}
	v.empty, v.zero = v.id(""), v.id("0")
	return v
}

func (v *values) id(text string) int32 {
	if id, ok := v.ids[text]; ok {
		return id
	}
	id := int32(len(v.text))
	v.text = append(v.text, text)
	v.ids[text] = id
	v.bytes += int64(len(text))
	return id
}

// again is a new number for the same text.
func (v *values) again(id int32) int32 {
	v.text = append(v.text, v.text[id])
	return int32(len(v.text)) - 1
}

func (v *values) of(word []byte) int32 { return v.id(unsafe.String(unsafe.SliceData(word), len(word))) }

// integer reads a value as a strict 64-bit integer (STR-15).
func (v *values) integer(id int32) (int64, bool) { return strictInteger(v.text[id]) }

func strictInteger(s string) (int64, bool) {
	digits := s
	if s != "" && s[0] == '-' {
		digits = s[1:]
	}
	if digits == "" || len(digits) > 19 || digits[0] == '0' && len(s) > 1 ||
		digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// compiler turns units into acts.
type compiler struct {
	p   *part
	k   *oneKey
	buf [24]byte
}

// newOneKey compiles a component; false if it is not one of those.
func newOneKey(p *part) (*oneKey, bool) {
	if len(p.keys) != 1 || p.from != nil && p.first == nil {
		return nil, false
	}
	c := &compiler{p: p, k: &oneKey{
		live: p.meta.Profile != history.Frozen, acts: make([]act, len(p.units)),
		values: newValues(len(p.units)),
	}}
	for i, u := range p.units {
		if !c.unit(&c.k.acts[i], u) {
			return nil, false
		}
	}
	if c.k.values.bytes > textMax || !c.begin() || c.k.traits.dates && p.meta.Offset == nil {
		return nil, false
	}
	c.k.compiled = c.k.acts
	return c.k, true
}

// begin is the configuration before everything. With an unknown offset the clock may show any time,
// which is a mere name for it unless somebody speaks of dates.
func (c *compiler) begin() bool {
	c.k.first = cell{}
	if c.p.meta.Offset == nil {
		c.k.first.a = -far
	}
	if c.p.first != nil {
		c.k.first = c.k.cellOf(c.p.first)
		c.k.traits.timed = c.k.traits.timed || c.k.first.mortal
		return true
	}
	for _, s := range c.p.meta.Start {
		if s.DB != c.p.keys[0].db || string(s.Key) != c.p.keys[0].name {
			continue
		}
		c.k.first.value = c.k.values.of(s.Value)
		c.k.first.mortal = false
		if d := s.Deadline; d != nil {
			if *d <= 0 || *d >= far { // SET PXAT refuses, or sums may overflow
				return false
			}
			c.k.first = dated(c.k.first.value, &act{n: *d}, &span{tl: c.k.first.a})
			c.k.traits.dates, c.k.traits.timed = true, true
		}
	}
	return true
}

// unit compiles one unit.
func (c *compiler) unit(a *act, u *unit) bool {
	if u.rec.Body != nil || u.lo < -far/2 || u.lo > far/2 {
		return false
	}
	w := u.rec.Cmd
	name := c.lower(w[0])
	if name == "flushall" || name == "flushdb" {
		a.code, a.blind = aFlush, true
		return len(w) == 1 && c.replyOf(a, u)
	}
	return len(w) > 1 && c.command(a, name, w) && c.replyOf(a, u)
}

// lower is a word in lower case; "" if it is too long for any word here. The string is good until
// the next call.
func (c *compiler) lower(w []byte) string {
	if len(w) > len(c.buf) {
		return ""
	}
	for i, b := range w {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		c.buf[i] = b
	}
	return unsafe.String(&c.buf[0], len(w))
}

func (c *compiler) command(a *act, name string, w [][]byte) bool {
	switch name {
	case "get":
		return len(w) == 2
	case "mget":
		a.n = int64(len(w) - 1)
		return true
	case "set", "setnx", "setex", "psetex", "getset", "mset", "msetnx":
		return c.store(a, name, w)
	case "getdel":
		a.code = aGetDel
		return len(w) == 2
	case "getex":
		a.code = aGetEx
		return c.options(a, w[2:])
	case "incr", "decr", "incrby", "decrby":
		return c.add(a, name, w)
	case "append":
		a.code, c.k.traits.peeks, c.k.traits.joins = aAppend, true, true
		if len(w) == 3 {
			a.value = c.k.values.of(w[2])
		}
		return len(w) == 3
	case "exists", "touch":
		a.code, a.n = aCount, int64(len(w)-1)
		return true
	case "del", "unlink":
		a.code = aDel
		return true
	case "type":
		a.code = aType
		return len(w) == 2
	case "strlen":
		a.code, c.k.traits.peeks = aLength, true
		return len(w) == 2
	case "getrange":
		return c.substring(a, w)
	case "persist":
		a.code = aPersist
		return len(w) == 2
	case "ttl", "pttl", "expiretime", "pexpiretime":
		return c.ask(a, name, len(w))
	case "expire", "pexpire", "expireat", "pexpireat":
		return c.expire(a, name, w)
	}
	return false
}

// store is the SET family.
func (c *compiler) store(a *act, name string, w [][]byte) bool {
	a.code = aSet
	at, want := 2, 3
	ok := true
	switch name {
	case "set":
		want = len(w)
		ok = len(w) > 2 && c.options(a, w[3:])
		a.blind = !a.is(onlyGone | onlyThere | gives | keeps)
	case "setnx":
		a.opts = onlyGone | numeric
	case "setex", "psetex":
		at, want, a.blind = 3, 4, true
		unit := int64(1)
		if name == "setex" {
			unit = 1000
		}
		ok = len(w) == 4 && c.time(a, w[2], unit, false)
	case "getset":
		a.opts = gives
	case "mset", "msetnx":
		at, want = len(w)-1, len(w)
		ok, a.blind = len(w)%2 == 1, name == "mset"
		if !a.blind {
			a.opts = onlyGone | numeric
		}
	}
	if !ok || len(w) != want {
		return false
	}
	a.value = c.k.values.of(w[at])
	return true
}

// options are those of SET and GETEX, each at most once; whatever else is for the model to judge.
func (c *compiler) options(a *act, w [][]byte) bool {
	for i := 0; i < len(w); i++ {
		var o opts
		unit := int64(1)
		switch c.lower(w[i]) {
		case "nx":
			o = onlyGone
		case "xx":
			o = onlyThere
		case "get":
			o = gives
		case "keepttl":
			o = keeps
		case "persist":
			o = endless
		case "ex":
			o, unit = timed, 1000
		case "px":
			o = timed
		case "exat":
			o, unit = timed|date, 1000
		case "pxat":
			o = timed | date
		default:
			return false
		}
		if a.is(o) {
			return false
		}
		if o&timed != 0 {
			if i++; i == len(w) || !c.time(a, w[i], unit, o&date != 0) {
				return false
			}
		}
		a.opts |= o
	}
	const ofSet, ofGetEx = onlyGone | onlyThere | gives | keeps, endless
	wrong := ofGetEx
	if a.code == aGetEx {
		wrong = ofSet
	}
	return !a.is(wrong) && a.opts&(onlyGone|onlyThere) != onlyGone|onlyThere &&
		a.opts&(timed|keeps) != timed|keeps && a.opts&(timed|endless) != timed|endless
}

// time is a positive time of reasonable size.
func (c *compiler) time(a *act, word []byte, unit int64, isDate bool) bool {
	n, ok := strictInteger(string(word))
	if !ok || n <= 0 || n > far/2/unit {
		return false
	}
	a.n = n * unit
	a.opts |= timed
	c.k.traits.timed = true
	if isDate {
		a.opts |= date
		c.k.traits.dates = true
	}
	return true
}

func (c *compiler) add(a *act, name string, w [][]byte) bool {
	a.code, a.n = aAdd, 1
	want := 2
	if name == "incrby" || name == "decrby" {
		want = 3
		ok := false
		if len(w) != 3 {
			return false
		}
		if a.n, ok = strictInteger(string(w[2])); !ok {
			return false
		}
	}
	if name[0] == 'd' {
		if a.n == math.MinInt64 {
			return false
		}
		a.n = -a.n
	}
	return len(w) == want
}

func (c *compiler) substring(a *act, w [][]byte) bool {
	if len(w) != 4 {
		return false
	}
	start, ok := strictInteger(string(w[2]))
	end, ok2 := strictInteger(string(w[3]))
	a.code, a.n, a.num, c.k.traits.peeks = aRange, start, end, true
	return ok && ok2
}

func (c *compiler) ask(a *act, name string, words int) bool {
	a.code = aLeft
	if name == "expiretime" || name == "pexpiretime" {
		a.code, c.k.traits.dates = aUntil, true
	}
	if name[0] != 'p' {
		a.opts = seconds
	}
	return words == 2
}

func (c *compiler) expire(a *act, name string, w [][]byte) bool {
	if len(w) < 3 {
		return false
	}
	a.code, a.opts, c.k.traits.timed = aExpire, timed, true
	unit := int64(1)
	if name[0] == 'e' {
		unit = 1000
	}
	if name == "expireat" || name == "pexpireat" {
		a.opts, c.k.traits.dates = timed|date, true
	}
	n, ok := strictInteger(string(w[2]))
	if !ok || n > far/2/unit || n < -far/2/unit {
		return false
	}
	a.n = n * unit
	for _, word := range w[3:] {
		o := map[string]opts{"nx": ifNone, "xx": ifSome, "gt": ifLater, "lt": ifEarlier}[c.lower(word)]
		if o == 0 || a.is(o) {
			return false
		}
		a.opts |= o
	}
	others := a.opts & (ifSome | ifLater | ifEarlier)
	return !(a.is(ifNone) && others != 0) && others&(ifLater|ifEarlier) != ifLater|ifEarlier
}

// replyOf compiles the reply.
func (c *compiler) replyOf(a *act, u *unit) bool {
	r := u.reply
	if r == nil {
		a.reply = saysLost
		c.k.traits.adds = c.k.traits.adds || a.code == aAdd
		return true
	}
	a.reply = saysOther
	if r.Kind == model.Array && a.code == aGet && a.n > 0 { // MGET: the same key each time
		if int64(len(r.Elems)) != a.n {
			return true
		}
		for i := range r.Elems {
			if !(r.Elems[i].Kind == model.Bulk && r.Elems[0].Kind == model.Bulk &&
				r.Elems[i].Str == r.Elems[0].Str || r.Elems[i].IsNull() && r.Elems[0].IsNull()) {
				return true
			}
		}
		r = &r.Elems[0]
	} else if a.code == aGet && a.n > 0 {
		return true
	}
	switch {
	case r.IsNull():
		a.reply = saysNil
	case r.Kind == model.Int && a.code != aRange:
		a.reply, a.num = saysNumber, r.Int
		c.counted(a)
	case r.Kind == model.Bulk:
		a.reply, a.met = saysText, c.k.values.id(r.Str)
	case r.Kind == model.Simple && r.Str == "OK":
		a.reply = saysOK
	case r.Kind == model.Simple && r.Str == "string":
		a.reply = saysThere
	case r.Kind == model.Simple && r.Str == "none":
		a.reply = saysAbsent
	case r.Kind == model.Error && r.Str == "ERR value is not an integer or out of range":
		a.reply, c.k.traits.peeks = saysNotInteger, true
	case r.Kind == model.Error && r.Str == "ERR increment or decrement would overflow":
		a.reply, c.k.traits.peeks = saysOverflow, true
	}
	return true
}

// counted: an answered INCRBY tells its result, and what it met.
func (c *compiler) counted(a *act) {
	if a.code != aAdd {
		return
	}
	a.made = c.k.values.id(strconv.FormatInt(a.num, 10))
	switch met := a.num - a.n; {
	case a.n == 0:
		c.k.traits.peeks = true // it makes what it met, or "0"
	case overflows(met, a.n) || met+a.n != a.num:
		a.reply = saysOther
	case met == 0:
		c.k.traits.counts = true
	default:
		a.met = c.k.values.id(strconv.FormatInt(met, 10))
	}
}
