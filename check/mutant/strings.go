package mutant

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"

	"rondo/model"
)

// Faults in the commands on strings.
var stringFaults = []Fault{
	{"SET keeps deadline", "A plain SET leaves the deadline as it was.",
		[]string{"STR-1", "TIME-11"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 {
				u.cmd = with(u.cmd, "keepttl")
			}
		}, "set")}},
	{"NX ignored", "SET NX overwrites.",
		[]string{"STR-2"}, points{before: on(dropOption("nx", 1), "set")}},
	{"XX ignored", "SET XX creates.",
		[]string{"STR-2"}, points{before: on(dropOption("xx", 1), "set")}},
	{"SET GET answers the new value", "SET with GET answers what it has stored.",
		[]string{"STR-3"}, points{after: onDone(func(u *unit) {
			if find(u.cmd, "get") > 2 && u.reply.Kind == model.Bulk {
				u.reply = model.Str(string(u.cmd[2]))
			}
		}, "set")}},
	{"EX counts milliseconds", "SET EX takes its seconds for milliseconds.",
		[]string{"STR-4"}, points{before: on(func(u *unit) {
			if i := find(u.cmd, "ex"); i > 2 {
				u.cmd[i] = []byte("px")
			}
		}, "set")}},
	{"KEEPTTL lost", "SET KEEPTTL removes the deadline.",
		[]string{"STR-5"}, points{before: on(dropOption("keepttl", 1), "set")}},
	{"conflict accepted", "SET takes both of NX and XX, and heeds NX.",
		[]string{"STR-6"}, points{before: on(func(u *unit) {
			if find(u.cmd, "nx") > 2 {
				dropOption("xx", 1)(u)
			}
		}, "set")}},
	{"error text changed", "A syntax error has another text.",
		[]string{"STR-6"}, points{after: errorText("ERR syntax error", always("ERR wrong syntax"))}},
	{"SETNX answers OK", "SETNX answers as SET does.",
		[]string{"STR-8"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int && u.reply.Int == 1 {
				u.reply = model.OK()
			}
		}, "setnx")}},
	{"SETEX counts milliseconds", "SETEX takes its seconds for milliseconds.",
		[]string{"STR-8"}, points{before: on(rename("psetex"), "setex")}},
	{"GETSET answers the new value", "GETSET answers what it has stored.",
		[]string{"STR-8"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Bulk {
				u.reply = model.Str(string(u.cmd[2]))
			}
		}, "getset")}},
	{"GETDEL does not delete", "GETDEL only answers.",
		[]string{"STR-9"}, points{before: on(rename("get"), "getdel")}},
	{"GETEX ignores options", "GETEX only answers.",
		[]string{"STR-10"}, points{before: on(func(u *unit) {
			u.cmd = u.cmd[:min(2, len(u.cmd))]
		}, "getex")}},
	{"MSETNX partial", "MSETNX sets those of its keys that are absent.",
		[]string{"STR-11"}, points{before: on(func(u *unit) {
			for i := 1; i+1 < len(u.cmd) && !u.c.multi; i += 2 {
				u.run("setnx", string(u.cmd[i]), string(u.cmd[i+1]))
				u.answer(model.Num(1))
			}
		}, "msetnx")}},
	{"MSET forgets the last", "MSET does not set the last of three or more keys.",
		[]string{"STR-11"}, points{before: on(func(u *unit) {
			if len(u.cmd) >= 7 {
				u.cmd = u.cmd[:len(u.cmd)-2]
			}
		}, "mset")}},
	{"APPEND answers its own length", "APPEND answers how much it has appended.",
		[]string{"STR-12"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int {
				u.reply = model.Num(int64(len(u.cmd[2])))
			}
		}, "append")}},
	{"GETRANGE without ends", "GETRANGE takes a negative end for the last byte but one less.",
		[]string{"STR-13"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 4 && strings.HasPrefix(string(u.cmd[3]), "-") {
				u.cmd[3] = []byte(string(u.cmd[3]) + "0")
			}
		}, "getrange")}},
	{"SETRANGE pads with blanks", "SETRANGE fills the gap with blanks.",
		[]string{"STR-14"}, points{before: on(padWithBlanks, "setrange")}},
	{"loose integers", "INCRBY and DECRBY cut off the fraction of their argument.",
		[]string{"STR-15"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 {
				u.cmd[2], _, _ = bytes.Cut(u.cmd[2], []byte("."))
			}
		}, "incrby", "decrby")}},
	{"INCR wraps", "INCR and INCRBY wrap around at 64 bits.",
		[]string{"STR-15"}, points{after: onDone(wrapAround, "incr", "incrby")}},
	{"INCRBYFLOAT pads", "INCRBYFLOAT writes two decimals at least.",
		[]string{"STR-16"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Bulk && !strings.Contains(u.reply.Str, ".") {
				u.reply.Str += ".00"
			}
		}, "incrbyfloat")}},
	{"APPEND drops deadline", "APPEND makes a key that does not expire.",
		[]string{"STR-17"}, points{after: onDone(persist, "append")}},
	{"INCR drops deadline", "INCR and INCRBY make a key that does not expire.",
		[]string{"STR-17"}, points{after: onDone(persist, "incr", "incrby")}},
	{"string too long quietly", "What would make a string too long is answered 0.",
		[]string{"STR-18"}, points{after: instead("ERR string exceeds", model.Num(0))}},
}

func dropOption(name string, n int) func(u *unit) {
	return func(u *unit) {
		if i := find(u.cmd, name); i > 2 {
			u.cmd = without(u.cmd, i, n)
		}
	}
}

// instead answers something else where there would be an error.
func instead(prefix string, r model.Reply) func(u *unit) {
	return func(u *unit) {
		if u.reply.Kind == model.Error && strings.HasPrefix(u.reply.Str, prefix) {
			u.reply = r
		}
	}
}

func persist(u *unit) {
	if u.reply.Kind == model.Int {
		u.run("persist", u.key())
	}
}

func padWithBlanks(u *unit) {
	if len(u.cmd) != 4 || u.c.multi {
		return
	}
	at, err := strconv.ParseInt(string(u.cmd[2]), 10, 64)
	size := u.run("strlen", u.key()).Int
	if gap := at - size; err == nil && gap > 0 && gap < 1<<20 && len(u.cmd[3]) > 0 {
		u.run("append", u.key(), strings.Repeat(" ", int(gap)))
	}
}

func wrapAround(u *unit) {
	if u.reply.Str != "ERR increment or decrement would overflow" {
		return
	}
	old, _ := new(big.Int).SetString(u.run("get", u.key()).Str, 10)
	by := big.NewInt(1)
	if len(u.cmd) == 3 {
		by.SetString(string(u.cmd[2]), 10)
	}
	low64 := new(big.Int).And(old.Add(old, by), new(big.Int).SetUint64(1<<64-1))
	n := int64(low64.Uint64())
	u.run("set", u.key(), itoa(n), "keepttl")
	u.reply = model.Num(n)
}
