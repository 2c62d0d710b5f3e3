package linear

import (
	"math"
	"strconv"
)

// This file is the theory of one key, where a configuration is a value and four integers.
//
// Of the clock only a lower bound matters between two operations, since the next reading may be any
// later one: now >= a. A deadline d has dl <= d <= du, and it was computed from the clock, so now
// is not arbitrarily far behind it: d-now <= b. Every step is an intersection with differences, a
// choice of a new deadline, and elapse, all of them exact over the integers. In the middle of a
// step there is an upper bound of now and a lower one of d-now too: a span.
//
// Both clock profiles are the same steps. In profile live a command may read the clock again: the
// reading moves on, to anything up to the end of the window (span.read).

// cell is a configuration of one key.
type cell struct {
	a, dl, du, b int64
	value        int32 // noValue, someValue, or one from 1 on (values)
	life         int32 // who set the deadline, if facts speak of it (lives.go)
	mortal       bool  // has a deadline; else dl, du and b are 0
}

const (
	noValue   = int32(0)
	someValue = int32(-1)
	far       = int64(1) << 60 // beyond all times, and sums of a few do not overflow
)

// span is a cell in the middle of a step: tl <= now <= th, dl <= d <= du, p <= d-now <= q. hi is
// the end of the window, up to which the clock may be read again.
type span struct {
	tl, th, dl, du, p, q, hi int64
	life                     int32
}

// close makes every bound the tightest that the others imply; false if nothing is left.
func (s *span) close() bool {
	s.tl, s.th = max(s.tl, s.dl-s.q), min(s.th, s.du-s.p)
	s.dl, s.du = max(s.dl, s.tl+s.p), min(s.du, s.th+s.q)
	s.p, s.q = max(s.p, s.dl-s.th), min(s.q, s.du-s.tl)
	return s.tl <= s.th && s.dl <= s.du && s.p <= s.q
}

// ahead limits d-now from below, behind from above.
func (s *span) ahead(p int64) bool  { s.p = max(s.p, p); return s.close() }
func (s *span) behind(q int64) bool { s.q = min(s.q, q); return s.close() }

// within limits the deadline.
func (s *span) within(dl, du int64) bool {
	s.dl, s.du = max(s.dl, dl), min(s.du, du)
	return s.close()
}

// read reads the clock again.
func (s *span) read(live bool) {
	if live {
		s.th, s.p = s.hi, -2*far
		s.close()
	}
}

// cell lets time elapse.
func (s *span) cell(value int32, mortal bool) cell {
	if !mortal {
		return cell{a: s.tl, value: value}
	}
	return cell{a: s.tl, dl: s.dl, du: s.du, b: s.q, value: value, life: s.life, mortal: true}
}

// oneKey is the theory: the operations of one component, compiled.
type oneKey struct {
	live     bool
	acts     []act // by unit; values that look alike may have numbers of their own (instances.go)
	compiled []act // as they were before
	values   *values
	first    cell
	traits   traits
	doubtful map[int32]bool // values that a command of unknown outcome has made too
}

// traits are what the commands of the component have in common.
type traits struct {
	dates  bool // some command or reply speaks of an absolute time
	timed  bool // some command sets a deadline
	adds   bool // some INCRBY of unknown outcome: any integer may be made
	joins  bool // some APPEND: any text may be made
	peeks  bool // some reply depends on what a value is, other than by naming it
	counts bool // some INCRBY may have met "0"
}

func (k *oneKey) start() []cell { return []cell{k.first} }

func (k *oneKey) holds(*cell) []int32 { return nil }
func (k *oneKey) value(c *cell) int32 { return c.value }

func (k *oneKey) life(c *cell) int32 { return c.life }
func (k *oneKey) forget(c *cell)     { c.value = someValue }
func (k *oneKey) forgetLife(c *cell) { c.life = 0 }

// settle: what is surely expired is absent; how long ago makes no difference; and no reading to
// come is below lo.
func (k *oneKey) settle(c *cell, lo int64) {
	c.a = max(c.a, lo)
	if !c.mortal {
		return
	}
	c.a = max(c.a, c.dl-c.b)
	if c.du < c.a {
		*c = cell{a: c.a}
		return
	}
	c.dl = max(c.dl, c.a-1)
	c.b = min(c.b, c.du-c.a)
}

func (k *oneKey) includes(a, b *cell) bool {
	if a.value != b.value || a.life != b.life || a.mortal != b.mortal || a.a > b.a {
		return false
	}
	return a.dl <= b.dl && a.du >= b.du && a.b >= b.b
}

func (k *oneKey) hash(c *cell) uint64 { return uint64(c.value)<<1 | uint64(toInt(c.mortal)) }

// step runs one operation. Whether the key is there is asked first, by all commands but those that
// overwrite it unseen, and may be answered both ways.
func (k *oneKey) step(out []cell, c *cell, o *op, hi int64) []cell {
	a := &k.acts[o.unit]
	hi = min(hi, far)
	s := span{tl: max(c.a, o.lo), th: hi, dl: c.dl, du: c.du, p: -2 * far, q: c.b, hi: hi, life: c.life}
	if s.tl > s.th {
		return out
	}
	if !c.mortal {
		s.dl, s.du, s.q = -2*far, 2*far, 2*far
	}
	switch {
	case a.blind:
		return k.gone(out, a, &s)
	case c.value == noValue:
		return k.gone(out, a, &s)
	case !c.mortal:
		return k.there(out, a, c, &s)
	}
	alive := s
	if alive.ahead(0) {
		out = k.there(out, a, c, &alive)
	}
	if s.behind(-1) {
		out = k.gone(out, a, &s)
	}
	return out
}

// store sets a value with the deadline of the command, or none. The base of a relative deadline is
// the last reading.
func (k *oneKey) store(out []cell, value int32, a *act, s *span) []cell {
	switch {
	case !a.is(timed):
		return append(out, cell{a: s.tl, value: value})
	case a.is(date):
		return append(out, dated(value, a, s))
	}
	return append(out, cell{
		a: s.tl, dl: s.tl + a.n, du: s.th + a.n, b: a.n, value: value, life: a.life, mortal: true,
	})
}

func dated(value int32, a *act, s *span) cell {
	return cell{a: s.tl, dl: a.n, du: a.n, b: a.n - s.tl, value: value, life: a.life, mortal: true}
}

// gone runs an operation that finds no key (or does not look).
func (k *oneKey) gone(out []cell, a *act, s *span) []cell {
	keep := cell{a: s.tl}
	switch a.code {
	case aGet, aGetDel, aGetEx:
		if a.sees(saysNil) {
			return append(out, keep)
		}
	case aSet:
		return k.setGone(out, a, s)
	case aFlush:
		if a.sees(saysOK) {
			return append(out, keep)
		}
	case aAdd:
		if a.number(a.n) {
			return append(out, cell{a: s.tl, value: k.result(a, 0)})
		}
	case aAppend:
		if a.number(int64(len(k.values.text[a.value]))) {
			return append(out, cell{a: s.tl, value: a.value})
		}
	case aType:
		if a.sees(saysAbsent) {
			return append(out, keep)
		}
	case aRange:
		if a.reply == saysLost || a.reply == saysText && a.met == k.values.empty {
			return append(out, keep)
		}
	case aLeft, aUntil:
		if a.number(-2) {
			return append(out, keep)
		}
	default: // aCount, aLength, aDel, aExpire, aPersist
		if a.number(0) {
			return append(out, keep)
		}
	}
	return out
}

// setGone is the SET family on no key, or blind.
func (k *oneKey) setGone(out []cell, a *act, s *span) []cell {
	done := !a.is(onlyThere)
	switch {
	case a.is(numeric):
		if !a.number(int64(toInt(done))) {
			return out
		}
	case a.is(gives):
		if !a.sees(saysNil) {
			return out
		}
	case done && !a.sees(saysOK), !done && !a.sees(saysNil):
		return out
	}
	if !done {
		return append(out, cell{a: s.tl})
	}
	s.read(k.live)
	return k.store(out, a.value, a, s)
}

// there runs an operation that finds the key.
func (k *oneKey) there(out []cell, a *act, c *cell, s *span) []cell {
	ok := false
	switch a.code {
	case aGet:
		ok = a.shows(c.value)
	case aCount:
		ok = a.number(a.n)
	case aType:
		ok = a.sees(saysThere)
	case aLength, aRange:
		ok = k.looks(a, c.value)
	case aLeft, aUntil:
		return k.ttl(out, a, c, s)
	case aSet:
		return k.setThere(out, a, c, s)
	case aGetDel, aDel:
		if a.code == aDel && a.number(1) || a.code == aGetDel && a.shows(c.value) {
			return append(out, cell{a: s.tl})
		}
	case aGetEx:
		return k.getex(out, a, c, s)
	case aAdd, aAppend:
		return k.change(out, a, c, s)
	case aExpire:
		return k.expire(out, a, c, s)
	case aPersist:
		if !c.mortal {
			ok = a.number(0)
		} else if a.number(1) {
			return append(out, cell{a: s.tl, value: c.value})
		}
	}
	if ok {
		out = append(out, s.cell(c.value, c.mortal))
	}
	return out
}

// looks is STRLEN and GETRANGE. Values that such commands may see are never forgotten.
func (k *oneKey) looks(a *act, value int32) bool {
	text := k.values.text[value]
	if a.code == aLength {
		return a.number(int64(len(text)))
	}
	return a.reply == saysLost ||
		a.reply == saysText && k.values.text[a.met] == substring(text, a.n, a.num)
}

// substring is GETRANGE: STR-13.
func substring(s string, start, end int64) string {
	if start < 0 && end < 0 && start > end {
		return ""
	}
	size := int64(len(s))
	from := func(at int64) int64 {
		if at < 0 {
			at += size
		}
		return max(at, 0)
	}
	start, end = from(start), min(from(end), size-1)
	if start > end {
		return ""
	}
	return s[start : end+1]
}

// setThere is the SET family on a key that is there, and was looked at.
func (k *oneKey) setThere(out []cell, a *act, c *cell, s *span) []cell {
	done := !a.is(onlyGone)
	switch {
	case a.is(numeric):
		if !a.number(int64(toInt(done))) {
			return out
		}
	case a.is(gives):
		if !a.shows(c.value) {
			return out
		}
	case done && !a.sees(saysOK), !done && !a.sees(saysNil):
		return out
	}
	switch {
	case !done:
		return append(out, s.cell(c.value, c.mortal))
	case a.is(keeps):
		return append(out, s.cell(a.value, c.mortal))
	}
	s.read(k.live)
	return k.store(out, a.value, a, s)
}

// getex: only a date can be past already, by a further reading.
func (k *oneKey) getex(out []cell, a *act, c *cell, s *span) []cell {
	switch {
	case !a.shows(c.value):
		return out
	case a.is(date):
		return k.until(out, a, c.value, s)
	case a.is(timed), a.is(endless):
		s.read(k.live)
		return k.store(out, c.value, a, s)
	}
	return append(out, s.cell(c.value, c.mortal))
}

// until gives the key a date as its deadline, or deletes it if a further reading is not before it.
func (k *oneKey) until(out []cell, a *act, value int32, s *span) []cell {
	if s.tl < a.n {
		out = append(out, dated(value, a, s))
	}
	end := s.th
	if k.live {
		end = s.hi
	}
	if a.n <= end {
		out = append(out, cell{a: max(s.tl, a.n)})
	}
	return out
}

// change is INCRBY and APPEND: the deadline stays.
func (k *oneKey) change(out []cell, a *act, c *cell, s *span) []cell {
	value := c.value
	if a.code == aAppend {
		text := k.values.text[value] + k.values.text[a.value]
		if !a.number(int64(len(text))) {
			return out
		}
		return append(out, s.cell(k.values.id(text), c.mortal))
	}
	if value == someValue { // nobody's result: kept apart by facts, so no number is known to need it
		if a.reply == saysLost {
			return append(out, s.cell(value, c.mortal))
		}
		return out
	}
	n, isNumber := k.values.integer(value)
	switch {
	case !isNumber:
		if a.sees(saysNotInteger) {
			return append(out, s.cell(value, c.mortal))
		}
	case overflows(n, a.n):
		if a.sees(saysOverflow) {
			return append(out, s.cell(value, c.mortal))
		}
	case a.number(n + a.n):
		return append(out, s.cell(k.result(a, n), c.mortal))
	}
	return out
}

func overflows(n, by int64) bool {
	return by < 0 && n < math.MinInt64-by || by > 0 && n > math.MaxInt64-by
}

// result is the value that INCRBY leaves: known beforehand if it was answered.
func (k *oneKey) result(a *act, n int64) int32 {
	if a.reply != saysLost {
		return a.made
	}
	return k.values.id(strconv.FormatInt(n+a.n, 10))
}

// ttl is TTL, PTTL, EXPIRETIME and PEXPIRETIME. In profile live the second reading may have passed
// the deadline: then 0 is answered.
func (k *oneKey) ttl(out []cell, a *act, c *cell, s *span) []cell {
	switch {
	case a.reply == saysLost:
		return append(out, s.cell(c.value, c.mortal))
	case !c.mortal:
		if a.num == -1 && a.reply == saysNumber {
			out = append(out, s.cell(c.value, false))
		}
		return out
	case a.reply != saysNumber || a.num < 0 || a.num > far/1000:
		return out
	}
	lo, hi := a.num, a.num
	if a.is(seconds) {
		lo, hi = 1000*a.num-500, 1000*a.num+499
	}
	ok := false
	if a.code == aUntil {
		ok = s.within(lo, hi)
	} else {
		s.read(k.live)
		if k.live && a.num == 0 {
			lo = -2 * far
		}
		ok = s.ahead(lo) && s.behind(hi)
	}
	if ok {
		out = append(out, s.cell(c.value, true))
	}
	return out
}

// expire is the EXPIRE family on a key that is there: NX, XX, GT and LT, then the deadline.
func (k *oneKey) expire(out []cell, a *act, c *cell, s *span) []cell {
	if !a.is(date) {
		s.read(k.live)
	}
	refused := c.mortal && a.is(ifNone) || !c.mortal && (a.is(ifSome) || a.is(ifLater))
	if refused || !c.mortal || !a.is(ifLater) && !a.is(ifEarlier) {
		return k.expired(out, a, c, s, refused)
	}
	yes, no := *s, *s
	canYes, canNo := false, false
	switch later := a.is(ifLater); {
	case later && a.is(date):
		canYes, canNo = yes.within(-far, a.n-1), no.within(a.n, 2*far)
	case later:
		canYes, canNo = yes.behind(a.n-1), no.ahead(a.n)
	case a.is(date):
		canYes, canNo = yes.within(a.n+1, 2*far), no.within(-far, a.n)
	default:
		canYes, canNo = yes.ahead(a.n+1), no.behind(a.n)
	}
	if canYes {
		out = k.expired(out, a, c, &yes, false)
	}
	if canNo {
		out = k.expired(out, a, c, &no, true)
	}
	return out
}

// expired ends expire: refused, or a new deadline, or a deletion where it is past already.
func (k *oneKey) expired(out []cell, a *act, c *cell, s *span, refused bool) []cell {
	switch {
	case refused:
		if a.number(0) {
			out = append(out, s.cell(c.value, c.mortal))
		}
		return out
	case !a.number(1):
		return out
	case a.is(date):
		return k.until(out, a, c.value, s)
	case a.n <= 0:
		return append(out, cell{a: s.tl})
	}
	out = k.store(out, c.value, a, s)
	if k.live && s.tl+a.n <= s.hi {
		out = append(out, cell{a: s.tl + a.n})
	}
	return out
}
