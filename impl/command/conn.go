// The commands of a connection (CONN).
package command

import (
	"crypto/subtle"

	"rondo/impl/resp"
)

// Version is this server's own version. Clients decide by the server's name and version what they
// may use, so HELLO and redis_version in INFO name the server that this one behaves as; INFO's
// rondo_version tells the two apart.
const (
	Version      = "0.1.0"
	RedisName    = "redis"
	RedisVersion = "7.0.15"
)

func ping(c *Call) {
	switch len(c.Args) {
	case 1:
		c.simple("PONG")
	case 2:
		c.bulk(c.Args[1])
	default:
		c.fail(wrongArity(c.Cmd.Name))
	}
}

func echoBack(c *Call) { c.bulk(c.Args[1]) }

func quit(c *Call) { // CONN-6
	c.ok()
	c.S.CloseAfter = true
}

func reset(c *Call) { // CONN-7
	c.X.discard(c.S)
	c.S.DB, c.S.Proto, c.S.Name = 0, 2, ""
	c.S.admit(c.X.host.Password() == "")
	c.simple("RESET")
}

func selectDB(c *Call) {
	if db, ok := c.database(c.Args[1]); ok {
		c.S.DB = db
		c.ok()
	}
}

// auth knows one user, default (CONN-11).
func auth(c *Call) {
	user, password := []byte("default"), c.Args[1]
	switch {
	case len(c.Args) > 3:
		c.fail(errSyntax)
		return
	case len(c.Args) == 3:
		user, password = c.Args[1], c.Args[2]
	case c.X.host.Password() == "":
		c.fail(errNoPassword)
		return
	}
	if c.authenticate(user, password) {
		c.ok()
	}
}

// authenticate replies the error if it fails. Without a password every one is right.
func (c *Call) authenticate(user, password []byte) bool {
	want := c.X.host.Password()
	right := want == "" || subtle.ConstantTimeCompare([]byte(want), password) == 1
	if string(user) != "default" || !right {
		c.fail(errWrongPass)
		return false
	}
	c.S.admit(true)
	return true
}

// hello switches the protocol once everything else went well (WIRE-19, WIRE-21).
func hello(c *Call) {
	proto := int64(c.S.Proto)
	args := c.Args[1:]
	if len(args) > 0 {
		var ok bool
		if proto, ok = resp.ParseInt(args[0]); !ok {
			c.fail(errProtoInt)
			return
		}
		if proto < 2 || proto > 3 {
			c.fail(errProto)
			return
		}
		args = args[1:]
	}
	if !c.helloOptions(args) {
		return
	}
	if !c.S.Authenticated() && c.X.host.Password() != "" {
		c.fail(errHelloAuth)
		return
	}
	c.S.Proto = int(proto)
	c.describe()
}

// helloOptions takes the options one by one, as Redis does: an AUTH before a bad one stays. If it
// is not ok, the error has been replied.
func (c *Call) helloOptions(args [][]byte) (ok bool) {
	for len(args) > 0 {
		switch {
		case is(args[0], "AUTH") && len(args) >= 3:
			if !c.authenticate(args[1], args[2]) {
				return false
			}
			args = args[3:]
		case is(args[0], "SETNAME") && len(args) >= 2:
			if !c.setName(args[1]) {
				return false
			}
			args = args[2:]
		default:
			c.fail("ERR Syntax error in HELLO option '" + echo(args[0], len(args[0])) + "'")
			return false
		}
	}
	return true
}

func (c *Call) describe() {
	c.mapOf(7)
	c.text("server")
	c.text(RedisName)
	c.text("version")
	c.text(RedisVersion)
	c.text("proto")
	c.int(int64(c.S.Proto))
	c.text("id")
	c.int(c.S.ID)
	c.text("mode")
	c.text("standalone")
	c.text("role")
	c.text("master")
	c.text("modules")
	c.array(0)
}

// setName replies the error if the name will not do (CONN-19): it stands in CLIENT LIST, where
// blanks part the fields.
func (c *Call) setName(name []byte) bool {
	for _, ch := range name {
		if ch < '!' || ch > '~' {
			c.fail(errName)
			return false
		}
	}
	c.S.Name = string(name)
	return true
}
