package model

import (
	"bytes"

	"rondo/spec/commands"
)

// handler is one command: it answers and changes the unit. The number of arguments is right.
type handler func(u *unit, args [][]byte) Reply

// rule is a row of the command table with its handler.
type rule struct {
	commands.Command
	run       handler // nil: not modelled
	immediate bool    // runs between MULTI and EXEC too
	container bool    // only a name for its subcommands
}

func (r *rule) do(u *unit, args [][]byte) Reply {
	if r.run == nil {
		return Reply{Kind: Any}
	}
	return r.run(u, args)
}

// other is the rule of everything that is not in the table.
var other rule

var rules = map[string]*rule{}

// Filled here and not in the declaration, because the handler of EXEC looks rules up itself.
func init() {
	for _, c := range commands.Table {
		r := &rule{Command: c, run: handlers[c.Name]}
		r.container = commands.Container(c.Name)
		rules[c.Name] = r
	}
	for _, name := range []string{"multi", "exec", "discard", "watch", "quit", "reset"} {
		rules[name].immediate = true
	}
}

// lookup finds the rule of a command line. It does not allocate: checkers do it a million times.
func lookup(cmd [][]byte) (*rule, bool) {
	var buf [32]byte
	name := lower(buf[:0], cmd[0])
	r, ok := rules[string(name)]
	switch {
	case ok && r.container && len(cmd) > 1:
		name = lower(append(name, '|'), cmd[1])
		r, ok = rules[string(name)]
	case ok && bytes.IndexByte(cmd[0], '|') >= 0: // "client|id" is no word of a command line
		return nil, false
	}
	return r, ok
}

func lower(buf, word []byte) []byte {
	for _, c := range word {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

var handlers = map[string]handler{
	"ping":           ping,
	"echo":           echo,
	"quit":           quit,
	"reset":          reset,
	"hello":          hello,
	"auth":           auth,
	"select":         selectDB,
	"client|getname": clientGetName,
	"client|setname": clientSetName,

	"time":     now,
	"dbsize":   dbsize,
	"flushdb":  flushdb,
	"flushall": flushall,
	"swapdb":   swapdb,

	"set":         set,
	"get":         get,
	"setnx":       setnx,
	"setex":       setFor(relative(1000), "setex"),
	"psetex":      setFor(relative(1), "psetex"),
	"getset":      getset,
	"getdel":      getdel,
	"getex":       getex,
	"mget":        mget,
	"mset":        mset,
	"msetnx":      msetnx,
	"append":      appendValue,
	"strlen":      strlen,
	"getrange":    getrange,
	"setrange":    setrange,
	"incr":        func(u *unit, args [][]byte) Reply { return count(u, args[1], 1) },
	"decr":        func(u *unit, args [][]byte) Reply { return count(u, args[1], -1) },
	"incrby":      incrby,
	"decrby":      decrby,
	"incrbyfloat": incrbyfloat,

	"del":             del,
	"unlink":          del,
	"exists":          exists,
	"touch":           exists,
	"type":            typeOf,
	"keys":            keys,
	"scan":            scan,
	"randomkey":       randomkey,
	"rename":          rename,
	"renamenx":        renamenx,
	"copy":            copyKey,
	"move":            move,
	"object|encoding": objectEncoding,
	"object|freq":     objectFreq,
	"object|idletime": objectIdletime,

	"lpush":          pushTo(left, false),
	"rpush":          pushTo(right, false),
	"lpushx":         pushTo(left, true),
	"rpushx":         pushTo(right, true),
	"lpop":           popFrom(left, "lpop"),
	"rpop":           popFrom(right, "rpop"),
	"llen":           llen,
	"lrange":         lrange,
	"lindex":         lindex,
	"linsert":        linsert,
	"lset":           lset,
	"lrem":           lrem,
	"ltrim":          ltrim,
	"lpos":           lpos,
	"lmove":          taking("lmove"),
	"rpoplpush":      taking("rpoplpush"),
	"lmpop":          taking("lmpop"),
	"blpop":          taking("blpop"),
	"brpop":          taking("brpop"),
	"blmove":         taking("blmove"),
	"brpoplpush":     taking("brpoplpush"),
	"blmpop":         taking("blmpop"),
	"client|unblock": clientUnblock,

	"expire":      expire(relative(1000), "expire"),
	"pexpire":     expire(relative(1), "pexpire"),
	"expireat":    expire(absolute(1000), "expireat"),
	"pexpireat":   expire(absolute(1), "pexpireat"),
	"ttl":         remaining(1000),
	"pttl":        remaining(1),
	"expiretime":  deadlineOf(1000),
	"pexpiretime": deadlineOf(1),
	"persist":     persist,

	"multi":   multi,
	"exec":    exec,
	"discard": discard,
	"watch":   watch,
	"unwatch": unwatch,
}
