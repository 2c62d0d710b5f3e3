// SLOWLOG: the commands that took longer than slowlog-log-slower-than (CONN-32).
package command

import (
	"bytes"
	"fmt"

	"rondo/impl/resp"
)

// What an entry keeps of a command line.
const (
	slowArgsMax  = 32
	slowBytesMax = 128 // of an argument
)

// slowlog holds the last ones, the oldest first. It is empty nearly always, and its entries belong
// to nobody else.
type slowlog struct {
	entries []slowEntry
	nextID  int64
}

type slowEntry struct {
	id, unix, micros int64
	args             []string
	addr, name       string
}

// logSlow adds a command that took so long. One that waits is kept until it is served: who waits is
// not slow (BLOCK-15).
func (x *Executor) logSlow(c *Call, micros int64) {
	e := slowEntry{micros: micros, args: keptArgs(c.Cmd, c.Args), addr: x.host.PeerAddr(c.S), name: c.S.Name}
	if c.S.Waiting() {
		c.S.waiter.slow = &e
		return
	}
	x.slowlog.push(e, x.host.NowMs()/1000, x.meter.SlowMax)
}

// push numbers an entry, and keeps the last most of them.
func (l *slowlog) push(e slowEntry, unix, most int64) {
	e.id, e.unix = l.nextID, unix
	l.entries = append(l.entries, e)
	l.nextID++
	if over := int64(len(l.entries)) - most; over > 0 {
		clear(l.entries[:over])
		l.entries = l.entries[over:]
	}
}

// keptArgs are the arguments as the log shows them: cut, and without secrets.
func keptArgs(cmd *Command, args [][]byte) []string {
	n := min(len(args), slowArgsMax)
	list := make([]string, 0, n)
	for i := range n {
		if i == slowArgsMax-1 && len(args) > slowArgsMax {
			list = append(list, fmt.Sprintf("... (%d more arguments)", len(args)-slowArgsMax+1))
			break
		}
		switch arg := args[i]; {
		case secret(cmd, args, i):
			list = append(list, "(redacted)")
		case len(arg) > slowBytesMax:
			list = append(list, fmt.Sprintf("%s... (%d more bytes)",
				arg[:slowBytesMax], len(arg)-slowBytesMax))
		default:
			list = append(list, string(arg))
		}
	}
	return list
}

// secret tells whether argument i is a password, or a user's name beside one.
func secret(cmd *Command, args [][]byte, i int) bool {
	switch cmd.Name {
	case "auth":
		return i > 0
	case "hello":
		return i > 2 && is(args[i-1], "AUTH") || i > 3 && is(args[i-2], "AUTH")
	case "config|set":
		return i > 2 && i%2 == 1 && bytes.EqualFold(args[i-1], []byte("requirepass"))
	}
	return false
}

func slowlogGet(c *Call) {
	n := int64(10)
	switch {
	case len(c.Args) > 3:
		c.fail("ERR unknown subcommand or wrong number of arguments for '" +
			echo(c.Args[1], echoMax) + "'. Try SLOWLOG HELP.")
		return
	case len(c.Args) == 3:
		var ok bool
		if n, ok = resp.ParseInt(c.Args[2]); !ok || n < -1 {
			c.fail("ERR count should be greater than or equal to -1")
			return
		}
	}
	entries := c.X.slowlog.entries
	if n >= 0 && n < int64(len(entries)) {
		entries = entries[int64(len(entries))-n:]
	}
	c.array(len(entries))
	for i := len(entries) - 1; i >= 0; i-- {
		e := &entries[i]
		c.array(6)
		c.int(e.id)
		c.int(e.unix)
		c.int(e.micros)
		c.array(len(e.args))
		for _, arg := range e.args {
			c.text(arg)
		}
		c.text(e.addr)
		c.text(e.name)
	}
}

func slowlogLen(c *Call) { c.int(int64(len(c.X.slowlog.entries))) }

func slowlogReset(c *Call) {
	c.X.slowlog.entries = nil
	c.ok()
}

func slowlogHelp(c *Call) {
	c.help("SLOWLOG", []string{
		"GET [<count>]",
		"    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
		"    Entries are made of:",
		"    id, timestamp, time in microseconds, arguments array, client IP and port,",
		"    client name",
		"LEN",
		"    Return the length of the slowlog.",
		"RESET",
		"    Reset the slowlog.",
	})
}
