package mutant

import "rondo/model"

// points are where a fault may take hold. A fault sets one or two of them; all others are nil.
// Hooks that get a unit run under the lock of the server.
type points struct {
	// The wire. parse takes one request off the front of the input, as wire's own parser does.
	parse  parser
	frame  func(c *conn, args [][]byte) [][]byte // a request has been parsed
	order  func(cmds [][][]byte) [][][]byte      // all requests that one read completed
	refuse func(c *conn, err error) []byte       // a protocol error is about to be answered
	encode func(c *conn, reply []byte) []byte    // the bytes of a reply
	flush  func(replies [][]byte) [][]byte       // all replies that one read caused
	output func(out []byte) []byte               // bytes are about to be queued for writing
	ended  func(c *conn)                         // the client has ended; the lock is not held

	// A command. before may rewrite u.cmd, or answer in its place with u.answer; after may change
	// u.reply and run further commands; admin may answer a command outside the model.
	before func(u *unit)
	after  func(u *unit)
	admin  func(u *unit, name string) (model.Reply, bool)

	// The clock: expiry is judged by a clock so many ms late, always or for one command.
	lateMs int64
	stale  func(u *unit) int64

	// Things that are left out, or done the wrong way.
	noSweep        bool // no active expiry
	noTimeout      bool // idle clients stay
	noClientLimit  bool
	noQueryLimit   bool
	noOutputLimit  bool
	blockingWrites bool // replies are written under the lock of the command thread
	deaf           bool // input is not looked at any more once the client has ended its side
	stays          bool // QUIT does not close
	configAtOnce   bool // CONFIG SET takes effect pair by pair
	sparesKilled   bool // CLIENT KILL closes nobody
	slowUncut      bool // the slow log keeps whole arguments
	lastSample     bool // the latency monitor does not keep the worst of a second

	// Memory (memory.go).
	noMemoryLimit                                  bool
	refusesAll, refusesFirst                       bool // reads too; also where room can be made
	alwaysEvicts, neverEvicts, evictsAny           bool
	evictsTheBest, evictsQuietly, evictsUncounted  bool
	execNeedsNothing, execNeedsAll                 bool
	queueNeedsNothing, queuesAreFree, discardNeeds bool
	countsNothing, copiesUses                      bool
	clientsUnlimited, closesSmallest               bool
	memoryStill                                    bool // INFO counts no values

	wait waiting // wait.go
}

// What faults are written with.

// on limits a hook to some commands.
func on(f func(u *unit), names ...string) func(u *unit) {
	return func(u *unit) {
		for _, n := range names {
			if n == u.name {
				f(u)
				return
			}
		}
	}
}

// onDone limits an after hook to some commands that have been executed, not queued.
func onDone(f func(u *unit), names ...string) func(u *unit) {
	return on(func(u *unit) {
		if !isQueued(u.reply) {
			f(u)
		}
	}, names...)
}

// staleFor judges expiry for some commands by a clock of the distant past: to them every stored key
// is alive.
func staleFor(names ...string) func(u *unit) int64 {
	return func(u *unit) int64 {
		for _, n := range names {
			if n == u.name {
				return distantPast
			}
		}
		return 0
	}
}

const distantPast = 1 << 41

func isQueued(r model.Reply) bool { return r.Kind == model.Simple && r.Str == "QUEUED" }

// find is the position of an option in a command line, 0 if it has none.
func find(cmd [][]byte, option string) int {
	for i := 2; i < len(cmd); i++ {
		if isWord(cmd[i], option) {
			return i
		}
	}
	return 0
}

// without returns a command line without n words from the i-th on.
func without(cmd [][]byte, i, n int) [][]byte {
	if i == 0 || i+n > len(cmd) {
		return cmd
	}
	return append(append([][]byte{}, cmd[:i]...), cmd[i+n:]...)
}

// with returns a command line with more words.
func with(cmd [][]byte, words ...string) [][]byte {
	return append(append([][]byte{}, cmd...), line(words...)...)
}

// rename executes another command with the same arguments.
func rename(name string) func(u *unit) {
	return func(u *unit) { u.cmd = append(line(name), u.cmd[1:]...) }
}

// key is the first key of the command, or "".
func (u *unit) key() string {
	if len(u.cmd) < 2 {
		return ""
	}
	return string(u.cmd[1])
}

// nobody is a client number that no connection has.
const nobody model.Client = 0

// asNobody runs command lines in database db for no connection, so that watches notice.
func (u *unit) asNobody(db int, cmds ...[][]byte) (last model.Reply) {
	u.model(nobody, line("select", itoa(int64(db))))
	for _, cmd := range cmds {
		last = u.model(nobody, cmd)
	}
	u.s.state = model.Close(u.s.state, nobody)
	return last
}

// poke makes whoever watches a key believe that it has changed.
func (u *unit) poke(db int, key string) {
	if r := u.asNobody(db, line("get", key)); !r.IsNull() {
		u.asNobody(db, line("set", key, r.Str, "keepttl"))
		return
	}
	u.asNobody(db, line("set", key, ""), line("del", key))
}
