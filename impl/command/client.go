// CLIENT: what connections there are, and ending them (CONN-18 to CONN-21).
package command

import (
	"strconv"

	"rondo/impl/resp"
)

func clientID(c *Call) { c.int(c.S.ID) }

func clientGetname(c *Call) {
	if c.S.Name == "" {
		c.null()
	} else {
		c.text(c.S.Name)
	}
}

func clientSetname(c *Call) {
	if c.setName(c.Args[2]) {
		c.ok()
	}
}

func clientInfo(c *Call) {
	c.lines(func(i ClientInfo) bool { return i.Session == c.S })
}

func clientList(c *Call) {
	switch args := c.Args[2:]; {
	case len(args) == 0:
		c.lines(func(ClientInfo) bool { return true })
	case len(args) == 2 && is(args[0], "TYPE"):
		kind := clientType(args[1])
		if kind == "" {
			c.fail("ERR Unknown client type '" + echo(args[1], len(args[1])) + "'")
			return
		}
		c.lines(func(ClientInfo) bool { return kind == "normal" })
	case len(args) > 1 && is(args[0], "ID"):
		ids := map[int64]bool{}
		for _, arg := range args[1:] {
			id, ok := resp.ParseInt(arg)
			if !ok {
				c.fail(errClientID)
				return
			}
			ids[id] = true
		}
		c.lines(func(i ClientInfo) bool { return ids[i.Session.ID] })
	default:
		c.fail(errSyntax)
	}
}

// clientType is the class of that name; every connection here is a normal one.
func clientType(arg []byte) string {
	switch {
	case is(arg, "NORMAL"):
		return "normal"
	case is(arg, "SLAVE"), is(arg, "REPLICA"):
		return "replica"
	case is(arg, "PUBSUB"):
		return "pubsub"
	case is(arg, "MASTER"):
		return "master"
	}
	return ""
}

// lines replies one line for each connection that is wanted.
func (c *Call) lines(wanted func(ClientInfo) bool) {
	var body []byte
	c.X.host.Clients(func(i ClientInfo) bool {
		if wanted(i) {
			body = append(appendClient(body, i), '\n')
		}
		return true
	})
	c.verbatim(body)
}

// appendClient writes the fields of Redis 7.0 in its order.
func appendClient(b []byte, i ClientInfo) []byte {
	s := i.Session
	multi, events, cmd := -1, i.Events, s.LastCommand
	if s.inTx() {
		multi = len(s.tx.queue)
	}
	if cmd == "" {
		cmd = "NULL"
	}
	number := func(name string, n int64) {
		b = strconv.AppendInt(append(append(b, name...), '='), n, 10)
		b = append(b, ' ')
	}
	word := func(name, value string) {
		b = append(append(append(b, name...), '='), value...)
		b = append(b, ' ')
	}
	number("id", s.ID)
	word("addr", i.Addr)
	word("laddr", i.Laddr)
	number("fd", int64(i.FD))
	word("name", s.Name)
	number("age", i.AgeSecs)
	number("idle", i.IdleSecs)
	word("flags", clientFlags(i))
	number("db", int64(s.DB))
	number("sub", 0)
	number("psub", 0)
	number("ssub", 0)
	number("multi", int64(multi))
	number("qbuf", int64(i.QueryBuf))
	number("qbuf-free", int64(i.QueryBufFree))
	number("argv-mem", 0)
	number("multi-mem", s.Held())
	number("obl", int64(i.OutBytes))
	number("oll", 0)
	number("omem", 0)
	number("tot-mem", int64(i.QueryBuf+i.QueryBufFree+i.OutBytes)+s.Held())
	word("events", events)
	word("cmd", cmd)
	word("user", "default")
	number("redir", -1)
	number("resp", int64(s.Proto))
	return b[:len(b)-1]
}

func clientFlags(i ClientInfo) string {
	s, flags := i.Session, ""
	if s.Waiting() {
		flags += "b"
	}
	if s.inTx() {
		flags += "x"
	}
	if s.tx != nil && s.tx.dirty {
		flags += "d"
	}
	if s.CloseAfter {
		flags += "c"
	}
	if s.CloseNow != "" {
		flags += "A"
	}
	if i.Unix {
		flags += "U"
	}
	if flags == "" {
		return "N"
	}
	return flags
}

// killFilter chooses the connections that CLIENT KILL ends.
type killFilter struct {
	id                int64
	addr, laddr, kind string
	skipMe            bool
}

func clientKill(c *Call) {
	if len(c.Args) == 3 { // the old form names an address and may mean oneself
		f := killFilter{addr: string(c.Args[2])}
		if f.addr != "" && c.kill(&f) > 0 {
			c.ok()
		} else {
			c.fail(errNoClient)
		}
		return
	}
	f := killFilter{skipMe: true}
	if fault := f.parse(c.Args[2:]); fault != "" {
		c.fail(fault)
		return
	}
	c.int(c.kill(&f))
}

func (f *killFilter) parse(args [][]byte) (fault string) {
	for ; len(args) >= 2; args = args[2:] {
		value := string(args[1])
		switch {
		case is(args[0], "ID"):
			id, ok := resp.ParseInt(args[1])
			if !ok || id < 1 {
				return errKillID
			}
			f.id = id
		case is(args[0], "TYPE"):
			if f.kind = clientType(args[1]); f.kind == "" {
				return "ERR Unknown client type '" + value + "'"
			}
		case is(args[0], "ADDR"):
			f.addr = value
		case is(args[0], "LADDR"):
			f.laddr = value
		case is(args[0], "USER"):
			if value != "default" {
				return "ERR No such user '" + value + "'"
			}
		case is(args[0], "SKIPME") && is(args[1], "YES"):
			f.skipMe = true
		case is(args[0], "SKIPME") && is(args[1], "NO"):
			f.skipMe = false
		default:
			return errSyntax
		}
	}
	if len(args) == 1 {
		return errSyntax
	}
	return ""
}

func (f *killFilter) match(i ClientInfo, me *Session) bool {
	return (f.id == 0 || f.id == i.Session.ID) &&
		(f.addr == "" || f.addr == i.Addr) &&
		(f.laddr == "" || f.laddr == i.Laddr) &&
		(f.kind == "" || f.kind == "normal") &&
		!(f.skipMe && i.Session == me)
}

// kill ends the connections that match and counts them; one's own ends after the reply.
func (c *Call) kill(f *killFilter) (n int64) {
	c.X.host.Clients(func(i ClientInfo) bool {
		if !f.match(i, c.S) {
			return true
		}
		if i.Session == c.S {
			c.S.CloseAfter = true
		} else {
			c.X.host.Kill(i)
		}
		n++
		return true
	})
	return n
}

func clientHelp(c *Call) {
	c.help("CLIENT", []string{
		"GETNAME",
		"    Return the name of the current connection.",
		"ID",
		"    Return the ID of the current connection.",
		"INFO",
		"    Return information about the current client connection.",
		"KILL <ip:port>",
		"    Kill connection made from <ip:port>.",
		"KILL <option> <value> [<option> <value> [...]]",
		"    Kill connections. Options are:",
		"    * ADDR (<ip:port>|<unixsocket>:0)",
		"      Kill connections made from the specified address",
		"    * LADDR (<ip:port>|<unixsocket>:0)",
		"      Kill connections made to specified local address",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      Kill connections by type.",
		"    * USER <username>",
		"      Kill connections authenticated by <username>.",
		"    * SKIPME (YES|NO)",
		"      Skip killing current connection (default: yes).",
		"    * ID <client-id>",
		"      Kill connections by client id.",
		"LIST [options ...]",
		"    Return information about client connections. Options:",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      Return clients of specified type.",
		"    * ID <client-id> [<client-id> [...]]",
		"      Return clients of specified IDs only.",
		"SETNAME <name>",
		"    Assign the name <name> to the current connection.",
		"UNBLOCK <clientid> [TIMEOUT|ERROR]",
		"    Unblock the specified blocked client.",
	})
}
