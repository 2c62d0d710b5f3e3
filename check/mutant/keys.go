package mutant

import (
	"slices"
	"strconv"

	"rondo/model"
	"rondo/spec/commands"
)

// Faults in the commands on keys of any kind.
var keyFaults = []Fault{
	{"DEL counts missing keys", "DEL and UNLINK answer the number of their arguments.",
		[]string{"KEY-1"}, points{after: onDone(countArguments, "del", "unlink")}},
	{"EXISTS counts once", "EXISTS and TOUCH count a key that is named twice once.",
		[]string{"KEY-2"}, points{before: on(func(u *unit) {
			var seen [][]byte
			for _, arg := range u.cmd {
				if !slices.ContainsFunc(seen, func(b []byte) bool { return string(b) == string(arg) }) {
					seen = append(seen, arg)
				}
			}
			u.cmd = seen
		}, "exists", "touch")}},
	{"TYPE of nothing", "TYPE answers string for a key that does not exist.",
		[]string{"KEY-3"}, points{after: onDone(func(u *unit) {
			if u.reply.Str == "none" {
				u.reply.Str = "string"
			}
		}, "type")}},
	{"KEYS ignores pattern", "KEYS answers all keys.",
		[]string{"KEY-4"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 {
				u.cmd[1] = []byte("*")
			}
		}, "keys")}},
	{"SCAN misses a key", "SCAN leaves out one of three or more keys.",
		[]string{"KEY-5"}, points{after: onDone(func(u *unit) {
			if len(u.reply.Elems) == 2 && len(u.reply.Elems[1].Elems) >= 3 {
				u.reply = model.Arr(u.reply.Elems[0], model.Arr(u.reply.Elems[1].Elems[1:]...))
			}
		}, "scan")}},
	{"SCAN ignores MATCH", "SCAN answers keys whether they match or not.",
		[]string{"KEY-6"}, points{before: on(func(u *unit) {
			u.cmd = without(u.cmd, find(u.cmd, "match"), 2)
		}, "scan")}},
	{"any cursor", "SCAN takes a cursor that is no number for 0.",
		[]string{"KEY-6"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 1 && (u.cmd[1][0] < '0' || u.cmd[1][0] > '9') {
				u.cmd[1] = []byte("0")
			}
		}, "scan")}},
	{"RANDOMKEY invents", "RANDOMKEY answers a key that does not exist.",
		[]string{"KEY-7"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Bulk {
				u.reply.Str += "?"
			}
		}, "randomkey")}},
	{"RENAME loses deadline", "RENAME makes a key that does not expire.",
		[]string{"KEY-8", "TIME-11"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Simple {
				u.run("persist", string(u.cmd[2]))
			}
		}, "rename")}},
	{"RENAME of nothing", "RENAME of a key that does not exist answers OK.",
		[]string{"KEY-8"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Error {
				u.reply = model.OK()
			}
		}, "rename")}},
	{"RENAME copies", "RENAME leaves the old key where it was.",
		[]string{"KEY-8"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && !u.c.multi && u.run("exists", u.key()).Int == 1 &&
				string(u.cmd[1]) != string(u.cmd[2]) {
				u.run("copy", u.key(), string(u.cmd[2]), "replace")
				u.answer(model.OK())
			}
		}, "rename")}},
	{"RENAMENX overwrites", "RENAMENX does what RENAME does.",
		[]string{"KEY-9"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && !u.c.multi && u.run("exists", u.key()).Int == 1 {
				u.run("rename", u.key(), string(u.cmd[2]))
				u.answer(model.Num(1))
			}
		}, "renamenx")}},
	{"COPY overwrites", "COPY needs no REPLACE.",
		[]string{"KEY-10"}, points{before: on(func(u *unit) {
			if len(u.cmd) >= 3 && find(u.cmd, "replace") < 3 {
				u.cmd = with(u.cmd, "replace")
			}
		}, "copy")}},
	{"COPY loses deadline", "COPY makes a key that does not expire.",
		[]string{"KEY-10", "TIME-11"}, points{after: onDone(func(u *unit) {
			if u.reply.Int == 1 && find(u.cmd, "db") < 3 {
				u.run("persist", string(u.cmd[2]))
			}
		}, "copy")}},
	{"MOVE copies", "MOVE leaves the key where it was.",
		[]string{"KEY-11"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 {
				u.cmd = line("copy", u.key(), u.key(), "db", string(u.cmd[2]))
			}
		}, "move")}},
	{"OBJECT ENCODING raw", "OBJECT ENCODING answers raw for every string.",
		[]string{"KEY-12"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Bulk {
				u.reply.Str = "raw"
			}
		}, "object")}},
	{"DBSIZE off by one", "DBSIZE counts one key too many.",
		[]string{"KEY-13"}, points{after: onDone(func(u *unit) { u.reply.Int++ }, "dbsize")}},
	{"FLUSHDB empties all", "FLUSHDB empties all databases.",
		[]string{"KEY-13"}, points{before: on(rename("flushall"), "flushdb")}},
	{"SWAPDB does nothing", "SWAPDB answers OK and leaves the databases as they are.",
		[]string{"KEY-14"}, points{before: on(func(u *unit) {
			if !u.c.multi && u.would().Kind == model.Simple {
				u.answer(model.OK())
			}
		}, "swapdb")}},
	{"SWAPDB loses one", "SWAPDB loses what was in the first database.",
		[]string{"KEY-14"}, points{before: on(func(u *unit) {
			if !u.c.multi && u.would().Kind == model.Simple && string(u.cmd[1]) != string(u.cmd[2]) {
				db, _ := strconv.Atoi(string(u.cmd[1]))
				u.asNobody(db, line("flushdb"))
			}
		}, "swapdb")}},
}

// countArguments answers the number of keys that the command names.
func countArguments(u *unit) {
	if u.reply.Kind == model.Int {
		u.reply.Int = int64(len(commands.Keys(u.cmd)))
	}
}
