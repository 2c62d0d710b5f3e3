package mutant

import (
	"slices"
	"strconv"

	"rondo/model"
)

// Faults in the commands of lists.
var listFaults = []Fault{
	{"an empty list stays", "A list that has lost its last element has an empty one instead.",
		[]string{"LIST-1"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Bulk && u.run("exists", u.key()).Int == 0 {
				u.run("rpush", u.key(), "")
			}
		}, "lpop", "rpop")}},
	{"LPUSH keeps the order", "LPUSH puts its elements at the head as they stand.",
		[]string{"LIST-2"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 3 {
				elements := slices.Clone(u.cmd[2:])
				slices.Reverse(elements)
				u.cmd = append(slices.Clone(u.cmd[:2]), elements...)
			}
		}, "lpush")}},
	{"RPUSH loses the deadline", "RPUSH and LPUSH make a key that does not expire.",
		[]string{"LIST-2"}, points{after: onDone(func(u *unit) { u.run("persist", u.key()) }, "lpush", "rpush")}},
	{"LPUSHX makes a list", "LPUSHX does what LPUSH does.",
		[]string{"LIST-3"}, points{before: on(rename("lpush"), "lpushx")}},
	{"LPOP takes one", "LPOP and RPOP take one element whatever their count.",
		[]string{"LIST-4"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && string(u.cmd[2]) > "1" {
				u.cmd = append(slices.Clone(u.cmd[:2]), []byte("1"))
			}
		}, "lpop", "rpop")}},
	{"LLEN off by one", "LLEN counts one element too many.",
		[]string{"LIST-5"}, points{after: onDone(func(u *unit) { u.reply.Int++ }, "llen")}},
	{"LRANGE without its end", "LRANGE leaves out the last element.",
		[]string{"LIST-6"}, points{after: onDone(func(u *unit) {
			if n := len(u.reply.Elems); n > 0 {
				u.reply.Elems = u.reply.Elems[:n-1]
			}
		}, "lrange")}},
	{"LINDEX from the tail", "LINDEX -1 is the last but one.",
		[]string{"LIST-7"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && string(u.cmd[2]) == "-1" {
				u.cmd = line("lindex", u.key(), "-2")
			}
		}, "lindex")}},
	{"LSET beyond the end", "LSET at an index beyond the end answers OK.",
		[]string{"LIST-8"}, points{after: onDone(func(u *unit) {
			if u.reply.Str == "ERR index out of range" {
				u.reply = model.OK()
			}
		}, "lset")}},
	{"LINSERT always before", "LINSERT puts the element before the pivot.",
		[]string{"LIST-9"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 5 && isWord(u.cmd[2], "after") {
				u.cmd = slices.Clone(u.cmd)
				u.cmd[2] = []byte("before")
			}
		}, "linsert")}},
	{"LREM from the head", "LREM with a negative count begins at the head.",
		[]string{"LIST-10"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 4 && len(u.cmd[2]) == 2 && u.cmd[2][0] == '-' {
				u.cmd = line("lrem", u.key(), string(u.cmd[2][1:]), string(u.cmd[3]))
			}
		}, "lrem")}},
	{"LTRIM keeps one more", "LTRIM keeps the element behind its end too.",
		[]string{"LIST-11"}, points{before: on(func(u *unit) {
			if n, err := strconv.Atoi(string(u.cmd[len(u.cmd)-1])); err == nil && len(u.cmd) == 4 && n != -1 {
				u.cmd = line("ltrim", u.key(), string(u.cmd[2]), strconv.Itoa(n+1))
			}
		}, "ltrim")}},
	{"LPOS ignores RANK", "LPOS begins at the first element that equals.",
		[]string{"LIST-12"}, points{before: on(func(u *unit) {
			if i := find(u.cmd, "rank"); i+1 < len(u.cmd) && i > 0 && u.would().Kind != model.Error {
				u.cmd = without(u.cmd, i, 2)
			}
		}, "lpos")}},
	{"RPOPLPUSH to the tail", "RPOPLPUSH adds at the tail.",
		[]string{"LIST-13"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && !u.c.multi {
				u.cmd = line("lmove", u.key(), string(u.cmd[2]), "right", "right")
			}
		}, "rpoplpush")}},
	{"LMPOP looks at one key", "LMPOP looks at its first key only.",
		[]string{"LIST-14"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 4 && string(u.cmd[1]) == "2" && u.would().Kind != model.Error {
				u.cmd = append(line("lmpop", "1", string(u.cmd[2])), u.cmd[4:]...)
			}
		}, "lmpop")}},
	{"elements are C strings", "An element ends at its first zero byte.",
		[]string{"LIST-15"}, points{before: on(func(u *unit) {
			u.cmd = slices.Clone(u.cmd)
			for i, arg := range u.cmd {
				if end := slices.Index(arg, 0); end >= 0 && i > 1 {
					u.cmd[i] = arg[:end]
				}
			}
		}, "rpush", "lpush")}},
	{"a list is a string", "TYPE answers string for a list.",
		[]string{"LIST-16", "KEY-3"}, points{after: onDone(func(u *unit) {
			if u.reply.Str == "list" {
				u.reply.Str = "string"
			}
		}, "type")}},
	{"GET of a list", "GET of a list answers null.",
		[]string{"KEY-26"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Error && len(u.cmd) == 2 {
				u.reply = model.Reply{Kind: model.Null}
			}
		}, "get")}},
}
