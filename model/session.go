package model

import "strings"

// Commands about the connection itself.

func syntaxError() Reply { return Err("ERR syntax error") }

// is compares an option word, in any case (WIRE-14).
func is(arg []byte, word string) bool {
	return len(arg) == len(word) && strings.EqualFold(string(arg), word)
}

// ping: CONN-24. Its upper bound on the arguments is its own, so a queued one fails in EXEC.
func ping(_ *unit, args [][]byte) Reply {
	switch len(args) {
	case 1:
		return Reply{Kind: Simple, Str: "PONG"}
	case 2:
		return Str(string(args[1]))
	}
	return wrongNumber("ping")
}

func wrongNumber(name string) Reply {
	return Err("ERR wrong number of arguments for '" + name + "' command")
}

// echo: CONN-24.
func echo(_ *unit, args [][]byte) Reply { return Str(string(args[1])) }

// quit: CONN-6. Nothing of the session matters any more.
func quit(u *unit, _ [][]byte) Reply {
	*u.mine() = session{client: u.from, closed: true}
	return OK()
}

// reset: CONN-7.
func reset(u *unit, _ [][]byte) Reply {
	if !u.self().plain() {
		*u.mine() = session{client: u.from}
	}
	return Reply{Kind: Simple, Str: "RESET"}
}

const wrongPass = "WRONGPASS invalid username-password pair or user is disabled."

// auth: CONN-11. There is one user, "default"; without a password it accepts any.
func auth(u *unit, args [][]byte) Reply {
	password := u.s.options.Password
	user, given := "default", args[1]
	switch {
	case len(args) > 3:
		return syntaxError()
	case len(args) == 3:
		user, given = string(args[1]), args[2]
	case password == "":
		return Err("ERR AUTH <password> called without any password configured for the default" +
			" user. Are you sure your configuration is correct?")
	}
	if !u.authenticate(user, string(given)) {
		return Err(wrongPass)
	}
	return OK()
}

func (u *unit) authenticate(user, password string) bool {
	want := u.s.options.Password
	if user != "default" || want != "" && password != want {
		return false
	}
	if want != "" && !u.self().auth {
		u.mine().auth = true
	}
	return true
}

// selectDB: CONN-8.
func selectDB(u *unit, args [][]byte) Reply {
	db, fault, ok := u.database(args[1])
	if !ok {
		return fault
	}
	if db != u.self().db {
		u.mine().db = db
	}
	return OK()
}

// database reads the number of a database.
func (u *unit) database(arg []byte) (int, Reply, bool) {
	n, ok := integer(arg)
	switch {
	case !ok:
		return 0, notInteger(), false
	case int64(int32(n)) != n:
		return 0, Err("ERR value is out of range, value must between -2147483648 and" +
			" 2147483647"), false
	case n < 0 || n >= int64(u.s.options.Databases):
		return 0, Err("ERR DB index is out of range"), false
	}
	return int(n), Reply{}, true
}

const badName = "ERR Client names cannot contain spaces, newlines or special characters."

// goodName: CONN-19. The empty name removes the name.
func goodName(name []byte) bool {
	for _, c := range name {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

// clientSetName: CONN-19.
func clientSetName(u *unit, args [][]byte) Reply {
	if !goodName(args[2]) {
		return Err(badName)
	}
	u.setName(string(args[2]))
	return OK()
}

func (u *unit) setName(name string) {
	if name != u.self().name {
		u.mine().name = name
	}
}

// clientGetName: CONN-19.
func clientGetName(u *unit, _ [][]byte) Reply {
	if name := u.self().name; name != "" {
		return Str(name)
	}
	return Reply{Kind: Null}
}

// hello: WIRE-19 to WIRE-21. Options take effect one by one, so a login or a name stays even if a
// later option is wrong; the protocol changes only if all of it is right.
func hello(u *unit, args [][]byte) Reply {
	version := int64(0)
	if len(args) > 1 {
		var ok bool
		if version, ok = integer(args[1]); !ok {
			return Err("ERR Protocol version is not an integer or out of range")
		}
		if version != 2 && version != 3 {
			return Err("NOPROTO unsupported protocol version")
		}
		if fault, ok := u.helloOptions(args[2:]); !ok {
			return fault
		}
	}
	if u.s.options.Password != "" && !u.self().auth {
		return Err("NOAUTH HELLO must be called with the client already authenticated, otherwise" +
			" the HELLO AUTH <user> <pass> option can be used to authenticate the client and" +
			" select the RESP protocol version at the same time")
	}
	if resp3 := version == 3; version != 0 && resp3 != u.self().resp3 {
		u.mine().resp3 = resp3
	}
	return u.introduction()
}

func (u *unit) helloOptions(args [][]byte) (fault Reply, ok bool) {
	for i := 0; i < len(args); i++ {
		more := len(args) - 1 - i
		switch {
		case is(args[i], "auth") && more >= 2:
			if !u.authenticate(string(args[i+1]), string(args[i+2])) {
				return Err(wrongPass), false
			}
			i += 2
		case is(args[i], "setname") && more >= 1:
			if !goodName(args[i+1]) {
				return Err(badName), false
			}
			u.setName(string(args[i+1]))
			i++
		default:
			option := text(args[i], len(args[i]))
			return Err("ERR " + errorLine("Syntax error in HELLO option '"+option+"'")), false
		}
	}
	return Reply{}, true
}

// introduction is HELLO's answer: the names are fixed, most values are the server's.
func (u *unit) introduction() Reply {
	kind, version := Array, int64(2)
	if u.self().resp3 {
		kind, version = Map, 3
	}
	return Reply{Kind: kind, Elems: []Reply{
		Str("server"), Like(Str("model")), Str("version"), Like(Str("0")),
		Str("proto"), Num(version), Str("id"), Like(Num(int64(u.from))),
		Str("mode"), Like(Str("standalone")), Str("role"), Str("master"),
		Str("modules"), Like(Arr()),
	}}
}
