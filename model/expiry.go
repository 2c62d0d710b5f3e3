package model

import "math"

// Deadlines. `Now` of the unit decides what has expired; every further use of the clock takes a
// reading of its own, at the place where Redis takes it (TIME-17 is about servers that do not).

// timing says how a command gives a time.
type timing struct {
	unit int64 // milliseconds of one unit of the argument
	date bool  // Unix time, not from now
}

func relative(unit int64) timing { return timing{unit: unit} }
func absolute(unit int64) timing { return timing{unit: unit, date: true} }

func invalidTime(command string) Reply {
	return Err("ERR invalid expire time in '" + command + "' command")
}

// deadline reads the time of SET, SETEX and GETEX: TIME-1, TIME-2, TIME-13. It must be positive.
func (u *unit) deadline(command string, t timing, arg []byte) (Instant, Reply, bool) {
	n, ok := integer(arg)
	switch {
	case !ok:
		return Instant{}, notInteger(), false
	case n <= 0 || n > math.MaxInt64/t.unit:
		return Instant{}, invalidTime(command), false
	}
	at, ok := u.later(t, n*t.unit)
	if !ok {
		return Instant{}, invalidTime(command), false
	}
	return at, Reply{}, true
}

// later is a time of n milliseconds as an instant; not ok if it overflows 64 bits. Only a time of
// geological size can, so only then is the clock asked.
func (u *unit) later(t timing, n int64) (Instant, bool) {
	if t.date {
		return At(n), true
	}
	base := u.env.Read()
	if n > math.MaxInt64/2 && u.env.Before(At(math.MaxInt64-n), base) {
		return Instant{}, false
	}
	return base.Add(n), true
}

// endAt gives a key a deadline.
func (u *unit) endAt(e *entry, at Instant) {
	changed := *e
	changed.mortal, changed.deadline = true, at
	u.put(changed)
}

// endNever takes the deadline from a key.
func (u *unit) endNever(e *entry) {
	changed := *e
	changed.mortal, changed.deadline = false, Instant{}
	u.put(changed)
}

// expireOptions are NX, XX, GT and LT: TIME-8.
type expireOptions struct{ nx, xx, gt, lt bool }

func parseExpireOptions(args [][]byte) (o expireOptions, fault Reply, ok bool) {
	for _, arg := range args {
		switch {
		case is(arg, "nx"):
			o.nx = true
		case is(arg, "xx"):
			o.xx = true
		case is(arg, "gt"):
			o.gt = true
		case is(arg, "lt"):
			o.lt = true
		default:
			return o, Err("ERR " + errorLine("Unsupported option "+text(arg, len(arg)))), false
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		return o, Err("ERR NX and XX, GT or LT options at the same time are not compatible"), false
	case o.gt && o.lt:
		return o, Err("ERR GT and LT options at the same time are not compatible"), false
	}
	return o, Reply{}, true
}

// expire is the EXPIRE family: TIME-7 to TIME-9. Options, integer, overflow, key, in this order; a
// time in the past is no error.
func expire(t timing, name string) handler {
	return func(u *unit, args [][]byte) Reply {
		o, fault, ok := parseExpireOptions(args[3:])
		if !ok {
			return fault
		}
		n, ok := integer(args[2])
		if !ok {
			return notInteger()
		}
		if n > math.MaxInt64/t.unit || n < math.MinInt64/t.unit {
			return invalidTime(name)
		}
		at, ok := u.later(t, n*t.unit)
		if !ok {
			return invalidTime(name)
		}
		e := u.find(args[1])
		if e == nil || !u.permits(o, e, at) {
			return Num(0)
		}
		if !u.env.Before(u.env.Read(), at) {
			u.drop(e)
		} else {
			u.endAt(e, at)
		}
		return Num(1)
	}
}

// permits: TIME-8. No deadline counts as one at infinity.
func (u *unit) permits(o expireOptions, e *entry, at Instant) bool {
	switch {
	case o.nx && e.mortal, o.xx && !e.mortal:
		return false
	case o.gt:
		return e.mortal && u.env.Before(e.deadline, at)
	case o.lt:
		return !e.mortal || u.env.Before(at, e.deadline)
	}
	return true
}

// remaining is TTL and PTTL: TIME-6. Where a later reading has passed the deadline of a key that
// was alive by the unit's reading, Redis answers 0.
func remaining(scale int64) handler {
	return func(u *unit, args [][]byte) Reply {
		e := u.find(args[1])
		switch {
		case e == nil:
			return Num(-2)
		case !e.mortal:
			return Num(-1)
		}
		read := u.env.Read()
		if u.env.Before(e.deadline, read) {
			return Num(0)
		}
		return Diff(e.deadline, read, scale)
	}
}

// deadlineOf is EXPIRETIME and PEXPIRETIME: TIME-6.
func deadlineOf(scale int64) handler {
	return func(u *unit, args [][]byte) Reply {
		e := u.find(args[1])
		switch {
		case e == nil:
			return Num(-2)
		case !e.mortal:
			return Num(-1)
		}
		return Diff(e.deadline, At(0), scale)
	}
}

// persist: TIME-10.
func persist(u *unit, args [][]byte) Reply {
	e := u.find(args[1])
	if e == nil || !e.mortal {
		return Num(0)
	}
	u.endNever(e)
	return Num(1)
}
