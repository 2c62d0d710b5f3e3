package mutant

import (
	"strconv"
	"strings"

	"rondo/model"
)

// Faults in deadlines and in what happens at them.
var expiryFaults = []Fault{
	{"PEXPIREAT adds one", "PEXPIREAT and PXAT set a deadline one millisecond late.",
		[]string{"TIME-1"}, points{before: shiftDeadline(0, 1)}},
	{"deadline from the connection",
		"A relative time counts from the first command of its connection.",
		[]string{"TIME-2"}, points{before: func(u *unit) {
			shiftDeadline(u.c.opened.UnixMilli()-u.micros/1000, 0)(u)
		}}},
	{"expires at the deadline", "A key is expired in the millisecond of its deadline.",
		[]string{"TIME-3"}, points{lateMs: -1}},
	{"expired value returned", "GET answers values that have expired and are still stored.",
		[]string{"TIME-4", "TIME-5"}, points{noSweep: true, stale: staleFor("get")}},
	{"expired value measured", "STRLEN and TYPE see values that have expired and are still stored.",
		[]string{"TIME-4"}, points{noSweep: true, stale: staleFor("strlen", "type", "getrange")}},
	{"expires 20 ms late", "Every key lives 20 ms longer than it should.",
		[]string{"TIME-5", "TIME-3", "LIN-4"}, points{lateMs: 20}},
	{"expires 5 ms early", "Every key dies 5 ms before it should.",
		[]string{"TIME-5", "TIME-3", "LIN-4"}, points{lateMs: -5}},
	{"TTL rounds down", "TTL answers whole seconds only.",
		[]string{"TIME-6"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 && !u.c.multi {
				r := u.run("pttl", u.key())
				u.answer(model.Num(max(r.Int/1000, min(r.Int, 0))))
			}
		}, "ttl")}},
	{"PTTL one less", "PTTL answers one millisecond less than there is.",
		[]string{"TIME-6"}, points{after: onDone(func(u *unit) {
			if u.reply.Int > 1 {
				u.reply.Int--
			}
		}, "pttl")}},
	{"no key and no deadline alike", "TTL and PTTL answer -1 for a key that does not exist.",
		[]string{"TIME-6"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int && u.reply.Int == -2 {
				u.reply.Int = -1
			}
		}, "ttl", "pttl")}},
	{"past deadline ignored", "PEXPIRE with a time that is not in the future leaves the key alone.",
		[]string{"TIME-7"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && strings.HasPrefix(string(u.cmd[2]), "-") && !u.c.multi {
				u.answer(model.Num(u.run("exists", u.key()).Int))
			}
		}, "expire", "pexpire")}},
	{"GT and LT swapped", "EXPIRE GT shortens and LT lengthens.",
		[]string{"TIME-8"}, points{before: on(func(u *unit) {
			gt, lt := find(u.cmd, "gt"), find(u.cmd, "lt")
			switch {
			case gt > 2 && lt == 0:
				u.cmd[gt] = []byte("lt")
			case lt > 2 && gt == 0:
				u.cmd[lt] = []byte("gt")
			}
		}, "expire", "pexpire", "expireat", "pexpireat")}},
	{"EXPIRE NX ignored", "EXPIRE NX sets a deadline also where there is one.",
		[]string{"TIME-8"}, points{before: on(dropOption("nx", 1),
			"expire", "pexpire", "expireat", "pexpireat")}},
	{"EXPIRE looks first", "EXPIRE answers 0 for a missing key before it looks at its options.",
		[]string{"TIME-9"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Error && len(u.cmd) > 2 &&
				u.asNobody(u.c.db, line("exists", u.key())).Int == 0 {
				u.reply = model.Num(0)
			}
		}, "expire", "pexpire", "expireat", "pexpireat")}},
	{"PERSIST does nothing", "PERSIST answers and leaves the deadline.",
		[]string{"TIME-10"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 && !u.c.multi {
				u.answer(model.Num(min(1, max(0, u.run("pttl", u.key()).Int+1))))
			}
		}, "persist")}},
	{"PERSIST always 1", "PERSIST answers 1 for every key that exists.",
		[]string{"TIME-10"}, points{after: onDone(func(u *unit) {
			u.reply = model.Num(u.run("exists", u.key()).Int)
		}, "persist")}},
	{"GETSET keeps deadline", "GETSET leaves the deadline as it was.",
		[]string{"TIME-11", "STR-8"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 {
				u.cmd = line("set", u.key(), string(u.cmd[2]), "keepttl", "get")
			}
		}, "getset")}},
	{"DEL counts expired keys",
		"DEL, EXISTS and PERSIST see keys that have expired and are still stored.",
		[]string{"TIME-12", "KEY-1"},
		points{noSweep: true, stale: staleFor("del", "unlink", "exists", "persist")}},
	{"zero time accepted", "SET PX 0 stores the value without a deadline.",
		[]string{"TIME-13"}, points{before: on(func(u *unit) {
			for _, option := range []string{"px", "ex"} {
				if i := find(u.cmd, option); i > 2 && i+1 < len(u.cmd) && string(u.cmd[i+1]) == "0" {
					u.cmd = without(u.cmd, i, 2)
				}
			}
		}, "set")}},
	{"invalid time unnamed", "The error for an invalid time does not name the command.",
		[]string{"TIME-13", "TIME-9"},
		points{after: errorText("ERR invalid expire time", always("ERR invalid expire time"))}},
	{"old value revived", "INCR and APPEND go on from a value that has expired.",
		[]string{"TIME-14", "TIME-4"}, points{noSweep: true,
			stale: staleFor("incr", "incrby", "decrby", "append", "setrange")}},
	{"no active expiry", "Keys that nobody asks for are never deleted.",
		[]string{"TIME-15"}, points{noSweep: true}},
	{"TIME without microseconds", "TIME answers 0 microseconds.",
		[]string{"TIME-18"}, points{after: onDone(func(u *unit) {
			if len(u.reply.Elems) == 2 {
				u.reply = model.Arr(u.reply.Elems[0], model.Str("0"))
			}
		}, "time")}},
	{"TIME of another clock", "TIME answers a clock that is a quarter of a second ahead.",
		[]string{"TIME-23"}, points{after: onDone(func(u *unit) {
			if len(u.reply.Elems) == 2 {
				micros := u.micros + 250_000
				u.reply = model.Arr(model.Str(itoa(micros/1_000_000)), model.Str(itoa(micros%1_000_000)))
			}
		}, "time")}},
	{"KEYS shows expired", "KEYS and SCAN show keys that have expired and are still stored.",
		[]string{"TIME-19", "KEY-4"}, points{noSweep: true, stale: staleFor("keys", "scan")}},
	{"RANDOMKEY shows expired", "RANDOMKEY may answer a key that has expired and is still stored.",
		[]string{"TIME-19", "KEY-7"}, points{noSweep: true, stale: staleFor("randomkey")}},
	{"PXAT in the past ignored",
		"SET with PXAT or EXAT in the past stores the value without a deadline.",
		[]string{"TIME-21"}, points{before: on(func(u *unit) {
			for option, unit := range map[string]int64{"pxat": 1, "exat": 1000} {
				i := find(u.cmd, option)
				if i < 3 || i+1 >= len(u.cmd) {
					continue
				}
				at, err := strconv.ParseInt(string(u.cmd[i+1]), 10, 64)
				if err == nil && at > 0 && at*unit < u.micros/1000 {
					u.cmd = without(u.cmd, i, 2)
				}
			}
		}, "set")}},
}

// shiftDeadline moves what a command sets: relative times by some milliseconds, absolute ones by
// others.
func shiftDeadline(relative, absolute int64) func(u *unit) {
	return func(u *unit) {
		shift := func(i int, by int64) {
			if i < 1 || i >= len(u.cmd) || by == 0 {
				return
			}
			if n, err := strconv.ParseInt(string(u.cmd[i]), 10, 64); err == nil && n > 0 {
				u.cmd[i] = []byte(itoa(max(1, n+by)))
			}
		}
		switch u.name {
		case "pexpire", "psetex":
			shift(2, relative)
		case "pexpireat":
			shift(2, absolute)
		case "set", "getex":
			if i := find(u.cmd, "px"); i > 0 {
				shift(i+1, relative)
			}
			if i := find(u.cmd, "pxat"); i > 0 {
				shift(i+1, absolute)
			}
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
