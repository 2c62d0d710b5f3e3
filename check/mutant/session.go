package mutant

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"time"

	"rondo/model"
	"rondo/spec/commands"
)

// Faults in the conversation: order, end, and what a connection remembers.
var sessionFaults = []Fault{
	{"replies swapped", "The last two replies of a pipeline change places.",
		[]string{"CONN-1"}, points{flush: swapLast[[]byte]}},
	{"reply twice", "The last reply of a pipeline of three or more is sent twice.",
		[]string{"CONN-1"}, points{flush: func(r [][]byte) [][]byte {
			if n := len(r); n >= 3 {
				r = append(r, r[n-1])
			}
			return r
		}}},
	{"pipeline forgotten",
		"Of the commands that one read completes only the first three are executed.",
		[]string{"CONN-2", "CONN-1"}, points{order: func(cmds [][][]byte) [][][]byte {
			return cmds[:min(3, len(cmds))]
		}}},
	{"commands reordered", "The last two commands of a pipeline are executed in the other order.",
		[]string{"CONN-3", "LIN-6"}, points{order: swapLast[[][]byte], flush: swapLast[[]byte]}},
	{"reply truncated", "What does not go out in one write of 16 KiB is forgotten.",
		[]string{"CONN-4"}, points{output: func(b []byte) []byte { return b[:min(len(b), 16<<10)] }}},
	{"deaf after half-close", "Commands are not answered if the client has ended its side by then.",
		[]string{"CONN-5"}, points{deaf: true}},
	{"QUIT does not close", "QUIT answers and the connection stays open.",
		[]string{"CONN-6"}, points{stays: true}},
	{"QUIT comes last", "Commands pipelined after QUIT are executed before it.",
		[]string{"CONN-6"}, points{order: quitLast}},
	{"RESET keeps database", "RESET leaves the connection in its database.",
		[]string{"CONN-7"}, points{before: on(func(u *unit) {
			db := u.c.db
			u.answer(u.step(u.cmd))
			u.run("select", itoa(int64(db)))
		}, "reset")}},
	{"RESET keeps transaction", "RESET does not end a transaction.",
		[]string{"CONN-7"}, points{before: on(func(u *unit) {
			if u.c.multi {
				u.answer(model.Reply{Kind: model.Simple, Str: "RESET"})
			}
		}, "reset")}},
	{"SELECT for all", "SELECT moves every connection.",
		[]string{"CONN-8"}, points{after: onDone(func(u *unit) {
			for _, c := range u.s.clients() {
				if u.reply.Kind == model.Simple && c != u.c && !c.multi {
					u.model(c.id, u.cmd)
				}
			}
		}, "select")}},
	{"reads without password", "Commands that only read need no password.",
		[]string{"CONN-9"}, points{before: func(u *unit) {
			if c, ok := commands.Find(u.cmd); ok && c.Has("readonly") && !u.c.authed {
				u.c.authed = true
				u.answer(u.step(u.cmd))
				u.c.authed = false
			}
		}}},
	{"password before arity",
		"Without the password everything is answered NOAUTH, also what does not exist.",
		[]string{"CONN-10"}, points{before: func(u *unit) {
			if c, ok := commands.Find(u.cmd); !u.c.authed && !(ok && c.Has("no_auth")) {
				u.answer(model.Err("NOAUTH Authentication required."))
			}
		}}},
	{"any password", "AUTH accepts any password.",
		[]string{"CONN-11"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 && u.s.config.password != "" {
				u.cmd = line("auth", u.s.config.password)
			}
		}, "auth")}},
	{"failed AUTH succeeds quietly", "AUTH without a configured password answers OK.",
		[]string{"CONN-11"}, points{after: on(func(u *unit) {
			if strings.HasPrefix(u.reply.Str, "ERR AUTH") {
				u.reply = model.OK()
			}
		}, "auth")}},
	{"end executes transaction",
		"A transaction that is not finished is executed when its connection ends.",
		[]string{"CONN-22"}, points{ended: func(c *conn) {
			c.s.mu.Lock()
			defer c.s.mu.Unlock()
			if c.multi {
				c.execute(line("exec"))
			}
		}}},
	{"death takes a neighbour",
		"A connection that ends in the middle of a request takes another one with it.",
		[]string{"CONN-28"}, points{ended: takeNeighbour}},
	{"PING forgets", "PING answers PONG also if it has an argument.",
		[]string{"CONN-24"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 {
				u.cmd = u.cmd[:1]
			}
		}, "ping")}},
}

// Faults in limits and administration.
var adminFaults = []Fault{
	{"no client limit", "maxclients is not looked at.",
		[]string{"CONN-12"}, points{noClientLimit: true}},
	{"idle client kept", "timeout is not looked at.",
		[]string{"CONN-13"}, points{noTimeout: true}},
	{"idle client closed early", "A client is closed after half of timeout.",
		[]string{"CONN-13"}, points{after: func(u *unit) {
			if u.s.config.timeout > 0 {
				u.c.active = time.Now().Add(-u.s.config.timeout / 2)
			}
		}}},
	{"no query limit", "client-query-buffer-limit is not looked at.",
		[]string{"CONN-14"}, points{noQueryLimit: true}},
	{"no output limit", "client-output-buffer-limit is not looked at.",
		[]string{"CONN-15"}, points{noOutputLimit: true}},
	{"slow client blocks", "The command thread waits until a client has taken its reply.",
		[]string{"CONN-17"}, points{blockingWrites: true}},
	{"client numbers return", "CLIENT ID answers how many connections there are.",
		[]string{"CONN-18"}, points{admin: func(u *unit, name string) (model.Reply, bool) {
			return model.Num(int64(len(u.s.conns))), name == "client|id"
		}}},
	{"client name unchecked", "CLIENT SETNAME takes blanks and line breaks for underscores.",
		[]string{"CONN-19"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && isWord(u.cmd[1], "setname") {
				u.cmd[2] = blanks.ReplaceAll(u.cmd[2], []byte("_"))
			}
		}, "client")}},
	{"client list without database", "CLIENT LIST and INFO show every connection in database 0.",
		[]string{"CONN-20"}, points{after: onDone(func(u *unit) {
			u.reply.Str = databases.ReplaceAllString(u.reply.Str, " db=0 ")
		}, "client")}},
	{"killed client lives", "CLIENT KILL counts the connections and closes none.",
		[]string{"CONN-21"}, points{sparesKilled: true}},
	{"CONFIG SET halfway", "CONFIG SET keeps the pairs before the one that is wrong.",
		[]string{"CONN-25"}, points{configAtOnce: true}},
	{"INFO tells all", "INFO answers all sections, whichever was asked for.",
		[]string{"CONN-26"}, points{before: on(func(u *unit) { u.cmd = line("info") }, "info")}},
	{"COMMAND INFO wrong", "COMMAND INFO says that GET takes three words.",
		[]string{"CONN-27"}, points{after: onDone(func(u *unit) {
			for i, e := range u.reply.Elems {
				if len(e.Elems) > 1 && e.Elems[0].Str == "get" {
					e.Elems = slices.Clone(e.Elems)
					e.Elems[1] = model.Num(3)
					u.reply.Elems[i] = e
				}
			}
		}, "command")}},
	{"COMMAND COUNT wrong", "COMMAND COUNT counts one command too many.",
		[]string{"CONN-27"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int {
				u.reply.Int++
			}
		}, "command")}},
}

var (
	blanks    = regexp.MustCompile(`[\s]`)
	databases = regexp.MustCompile(` db=\d+ `)

	failedCalls = regexp.MustCompile(`failed_calls=\d+`)
)

// swapLast exchanges the last two of a list.
func swapLast[T any](all []T) []T {
	if n := len(all); n >= 2 {
		all[n-1], all[n-2] = all[n-2], all[n-1]
	}
	return all
}

func quitLast(cmds [][][]byte) [][][]byte {
	isQuit := func(cmd [][]byte) bool { return isWord(cmd[0], "quit") }
	slices.SortStableFunc(cmds, func(a, b [][]byte) int {
		switch {
		case isQuit(a) && !isQuit(b):
			return 1
		case isQuit(b) && !isQuit(a):
			return -1
		}
		return 0
	})
	return cmds
}

// takeNeighbour kills the oldest other connection.
func takeNeighbour(c *conn) {
	if len(bytes.TrimSpace(c.in)) == 0 {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, other := range c.s.clients() {
		if other != c {
			other.kill()
			return
		}
	}
}
