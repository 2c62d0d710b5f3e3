package mutant

import (
	"slices"
	"time"

	"rondo/model"
)

// Faults in transactions.
var txFaults = []Fault{
	{"queued command executed", "A command is executed when it is queued, and again by EXEC.",
		[]string{"EXEC-1"}, points{after: func(u *unit) {
			if isQueued(u.reply) {
				u.asNobody(u.c.db, u.cmd)
			}
		}}},
	{"EXEC reversed", "EXEC executes the queue from its end.",
		[]string{"EXEC-2"}, points{before: replaying(func(u *unit, q [][][]byte) []model.Reply {
			slices.Reverse(q)
			replies := u.each(q)
			slices.Reverse(replies)
			return replies
		})}},
	{"EXEC not atomic", "Others are served between the commands of one EXEC.",
		[]string{"EXEC-3", "LIN-7"},
		points{before: replaying(func(u *unit, q [][][]byte) (r []model.Reply) {
			for _, cmd := range q {
				r = append(r, u.step(cmd))
				u.pause(200 * time.Microsecond)
			}
			return r
		})}},
	{"nested MULTI aborts", "MULTI inside MULTI spoils the transaction.",
		[]string{"EXEC-4"}, points{after: on(spoil, "multi")}},
	{"EXEC without MULTI", "EXEC without MULTI answers an empty array.",
		[]string{"EXEC-5"}, points{after: on(func(u *unit) {
			if u.reply.Str == "ERR EXEC without MULTI" {
				u.reply = model.Arr()
			}
		}, "exec")}},
	{"EXECABORT ignored", "EXEC executes what could be queued although something could not.",
		[]string{"EXEC-6"}, points{before: on(func(u *unit) {
			if u.c.multi && len(u.cmd) == 1 && u.would().Kind == model.Error {
				u.replay(u.each)
			}
		}, "exec")}},
	{"EXEC stops at an error", "After a command that fails EXEC executes no further ones.",
		[]string{"EXEC-7"}, points{before: replaying(func(u *unit, q [][][]byte) (r []model.Reply) {
			for _, cmd := range q {
				r = append(r, u.step(cmd))
				if r[len(r)-1].Kind == model.Error {
					break
				}
			}
			return r
		})}},
	{"DISCARD executes", "DISCARD executes the queue.",
		[]string{"EXEC-8"}, points{before: on(func(u *unit) {
			if u.c.multi {
				u.replay(u.each)
				u.answer(model.OK())
			}
		}, "discard")}},
	{"DISCARD keeps watches", "DISCARD does not forget the watched keys.",
		[]string{"EXEC-14"}, points{before: on(keepWatches, "discard")}},
	{"EXEC with arguments goes on", "EXEC with arguments is refused and the transaction stays open.",
		[]string{"EXEC-20"}, points{before: on(func(u *unit) {
			if u.c.multi && len(u.cmd) > 1 {
				u.answer(model.Err("EXECABORT Transaction discarded because of: wrong number of arguments" +
					" for 'exec' command"))
			}
		}, "exec")}},
	{"WATCH ignored", "WATCH watches nothing.",
		[]string{"EXEC-9", "LIN-8"}, points{before: on(func(u *unit) {
			if !u.c.multi && len(u.cmd) > 1 {
				u.answer(model.OK())
			}
		}, "watch")}},
	{"own change forgiven", "What the watching connection changes itself does not count.",
		[]string{"EXEC-10"}, points{after: rearm}},
	{"failed write dirties", "A command that changed nothing counts as a change of its key.",
		[]string{"EXEC-11"}, points{after: onDone(func(u *unit) {
			if u.reply.IsNull() || u.reply.Kind == model.Int && u.reply.Int == 0 {
				u.poke(u.c.db, u.key())
			}
		}, "del", "unlink", "expire", "pexpire", "persist", "setnx", "renamenx", "set", "getex", "getdel",
			"msetnx")}},
	{"WATCH ignores expiry", "A watched key that has expired does not count as changed.",
		[]string{"EXEC-12"}, points{noSweep: true, before: on(func(u *unit) {
			now := u.late
			u.late = u.micros/1000 - u.c.watchedMs
			clean := u.would().Kind == model.Array
			if u.late = now; clean {
				u.replay(u.each)
			}
		}, "exec")}},
	{"expired key watched",
		"A key that had expired before WATCH still counts as changed when it is deleted.",
		[]string{"EXEC-13"}, points{noSweep: true, before: on(watchExpired, "watch")}},
	{"EXEC keeps watches", "EXEC does not forget the watched keys.",
		[]string{"EXEC-14"}, points{before: on(keepWatches, "exec")}},
	{"UNWATCH ignored", "UNWATCH forgets nothing.",
		[]string{"EXEC-14"}, points{before: on(func(u *unit) {
			if !u.c.multi {
				u.answer(model.OK())
			}
		}, "unwatch")}},
	{"WATCH in MULTI aborts", "WATCH inside MULTI spoils the transaction.",
		[]string{"EXEC-15"}, points{after: on(spoil, "watch")}},
	{"EXEC rereads the clock", "Each command of an EXEC is judged by a clock reading of its own.",
		[]string{"EXEC-17"}, points{before: replaying(func(u *unit, q [][][]byte) (r []model.Reply) {
			for _, cmd := range q {
				u.micros = time.Now().UnixMicro()
				r = append(r, u.step(cmd))
			}
			return r
		})}},
	{"watch in every database", "A watch is for the name in every database.",
		[]string{"EXEC-18"}, points{after: on(func(u *unit) {
			if u.reply.Kind != model.Simple {
				return
			}
			for db := range 16 {
				u.model(u.c.id, line("select", itoa(int64(db))))
				u.model(u.c.id, u.cmd)
			}
			u.model(u.c.id, line("select", itoa(int64(u.c.db))))
		}, "watch")}},
	{"flush dirties all", "FLUSHDB and FLUSHALL count as a change of keys that did not exist.",
		[]string{"EXEC-19"}, points{after: onDone(func(u *unit) {
			for _, c := range u.s.clients() {
				for _, key := range c.watched {
					u.poke(c.db, string(key))
				}
			}
		}, "flushdb", "flushall")}},
	{"SWAPDB dirties all", "SWAPDB counts as a change of keys that neither database has.",
		[]string{"EXEC-21"}, points{after: onDone(func(u *unit) {
			for _, c := range u.s.clients() {
				for _, key := range c.watched {
					u.poke(c.db, string(key))
				}
			}
		}, "swapdb")}},
	{"SWAPDB unseen", "Who watches keys does not notice a SWAPDB.",
		[]string{"EXEC-21"}, points{after: onDone(func(u *unit) {
			for _, c := range u.s.clients() {
				if len(c.watched) > 0 && !c.multi {
					u.model(c.id, line("unwatch"))
					u.model(c.id, append(line("watch"), c.watched...))
				}
			}
		}, "swapdb")}},
}

// would is what the command would answer.
func (u *unit) would() model.Reply {
	before, others := u.s.state, u.others
	r := u.model(u.c.id, u.cmd)
	u.s.state, u.others = before, others
	return r
}

// each executes commands one after the other.
func (u *unit) each(cmds [][][]byte) []model.Reply {
	replies := make([]model.Reply, 0, len(cmds))
	for _, cmd := range cmds {
		replies = append(replies, u.step(cmd))
	}
	return replies
}

// replay ends the transaction and executes its queue in another way.
func (u *unit) replay(f func([][][]byte) []model.Reply) {
	queue := slices.Clone(u.c.queue)
	u.run("discard")
	u.answer(model.Arr(f(queue)...))
}

// replaying takes over an EXEC that would succeed.
func replaying(f func(u *unit, queue [][][]byte) []model.Reply) func(u *unit) {
	return on(func(u *unit) {
		if u.c.multi && len(u.cmd) == 1 && u.would().Kind == model.Array {
			u.replay(func(queue [][][]byte) []model.Reply { return f(u, queue) })
		}
	}, "exec")
}

// spoil makes EXEC answer EXECABORT if the command was refused inside MULTI.
func spoil(u *unit) {
	if u.reply.Kind == model.Error && u.c.multi {
		u.model(u.c.id, line("no-such-command"))
	}
}

// keepWatches watches again what the end of the transaction forgets, with the changes seen so far.
func keepWatches(u *unit) {
	watched, cmd := slices.Clone(u.c.watched), u.cmd
	u.cmd = line("exec")
	dirty := u.would().IsNull()
	u.cmd = cmd
	u.answer(u.step(u.cmd))
	if len(watched) == 0 || u.c.multi {
		return
	}
	u.step(append(line("watch"), watched...))
	if dirty && u.name == "discard" {
		u.poke(u.c.db, string(watched[0]))
	}
}

// rearm watches again after a command of the watching connection.
func rearm(u *unit) {
	if len(u.c.watched) == 0 || u.c.multi || u.name == "watch" || u.name == "get" {
		return
	}
	watched := slices.Clone(u.c.watched)
	u.run("unwatch")
	u.step(append(line("watch"), watched...))
}

// watchExpired makes a watch dirty if one of its keys is stored but expired.
func watchExpired(u *unit) {
	var gone []string
	for _, key := range u.cmd[1:] {
		now := u.late
		u.late = distantPast
		stored := u.asNobody(u.c.db, line("exists", string(key))).Int
		u.late = now
		if stored == 1 && u.asNobody(u.c.db, line("exists", string(key))).Int == 0 {
			gone = append(gone, string(key))
		}
	}
	u.answer(u.step(u.cmd))
	for _, key := range gone {
		u.poke(u.c.db, key)
	}
}
