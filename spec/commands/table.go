// Package commands is the one table of the commands that this project covers: name, arity, flags,
// key positions and family, as COMMAND INFO of Redis 7.0 reports them. The model takes its arity
// checks from it, the suite compares a server's COMMAND INFO with it, and the workload and the fuzz
// dictionary draw their commands from it. It imports nothing of this project.
//
//	table.go   the rows
//	lookup.go  finding a row, and the keys of a command line
//	others.go  what Redis has beyond the table
package commands

import "strings"

// Command is one row. A subcommand is a row of its own, named "client|id", directly after its
// container.
type Command struct {
	Name  string   // lower case
	Arity int      // words of the command line, the name included; negative: at least that many
	Flags []string // as COMMAND INFO spells them: write readonly denyoom fast admin no_auth ...
	// First, Last and Step are the key positions in the command line: from First to Last
	// (negative: counted from the end), every Step-th word. All 0: no keys.
	First, Last, Step int
	// CountAt is where the number of keys stands that follow it, if the keys have no fixed positions
	// (flag movablekeys); 0 otherwise.
	CountAt int
	Family  string // conn server string key expiry list tx
}

// Has reports whether the command carries a flag.
func (c Command) Has(flag string) bool {
	for _, f := range c.Flags {
		if f == flag {
			return true
		}
	}
	return false
}

// Fits reports whether a command line of n words (the name and the subcommand included) has a
// length that the command accepts.
func (c Command) Fits(n int) bool {
	if c.Arity < 0 {
		return n >= -c.Arity
	}
	return n == c.Arity
}

// Flag sets that recur. A session command works while loading and on a stale replica.
const (
	session = "loading stale"
	tellers = "admin noscript loading stale"
	always  = "noscript loading stale fast no_auth allow_busy"
)

// Table holds every command of the project, grouped by family.
var Table = []Command{
	row("conn", "ping", -1, "fast"),
	row("conn", "echo", 2, session+" fast"),
	row("conn", "quit", -1, always),
	row("conn", "reset", 1, always),
	row("conn", "hello", -1, always),
	row("conn", "auth", -2, always),
	row("conn", "select", 2, session+" fast"),
	row("conn", "client", -2, ""),
	row("conn", "client|id", 2, "noscript "+session),
	row("conn", "client|getname", 2, "noscript "+session),
	row("conn", "client|setname", 3, "noscript "+session),
	row("conn", "client|list", -2, tellers),
	row("conn", "client|info", 2, "noscript "+session),
	row("conn", "client|kill", -3, tellers),
	row("conn", "client|unblock", -3, tellers),

	row("server", "command", -1, session),
	row("server", "command|count", 2, session),
	row("server", "command|list", -2, session),
	row("server", "command|info", -2, session),
	row("server", "info", -1, session),
	row("server", "config", -2, ""),
	row("server", "config|get", -3, tellers),
	row("server", "config|set", -4, tellers),
	row("server", "config|resetstat", 2, tellers),
	row("server", "time", 1, session+" fast"),
	row("server", "dbsize", 1, "readonly fast"),
	row("server", "flushdb", -1, "write"),
	row("server", "flushall", -1, "write"),
	row("server", "memory", -2, ""),
	row("server", "memory|usage", -3, "readonly", 2, 2, 1),
	row("server", "memory|stats", 2, ""),
	row("server", "memory|doctor", 2, ""),
	row("server", "memory|purge", 2, ""),
	row("server", "memory|malloc-stats", 2, ""),
	row("server", "swapdb", 3, "write fast"),
	row("server", "shutdown", -1, tellers+" no_multi allow_busy"),
	row("server", "debug", -2, tellers),
	row("server", "slowlog", -2, ""),
	row("server", "slowlog|get", -2, "admin "+session),
	row("server", "slowlog|len", 2, "admin "+session),
	row("server", "slowlog|reset", 2, "admin "+session),
	row("server", "latency", -2, ""),
	row("server", "latency|doctor", 2, tellers),
	row("server", "latency|graph", 3, tellers),
	row("server", "latency|histogram", -2, tellers),
	row("server", "latency|history", 3, tellers),
	row("server", "latency|latest", 2, tellers),
	row("server", "latency|reset", -2, tellers),
	row("server", "role", 1, "noscript "+session+" fast"),
	row("server", "replicaof", 3, "admin noscript stale no_async_loading"),
	row("server", "slaveof", 3, "admin noscript stale no_async_loading"),

	row("string", "set", -3, "write denyoom", 1, 1, 1),
	row("string", "get", 2, "readonly fast", 1, 1, 1),
	row("string", "setnx", 3, "write denyoom fast", 1, 1, 1),
	row("string", "setex", 4, "write denyoom", 1, 1, 1),
	row("string", "psetex", 4, "write denyoom", 1, 1, 1),
	row("string", "getset", 3, "write denyoom fast", 1, 1, 1),
	row("string", "getdel", 2, "write fast", 1, 1, 1),
	row("string", "getex", -2, "write fast", 1, 1, 1),
	row("string", "mget", -2, "readonly fast", 1, -1, 1),
	row("string", "mset", -3, "write denyoom", 1, -1, 2),
	row("string", "msetnx", -3, "write denyoom", 1, -1, 2),
	row("string", "append", 3, "write denyoom fast", 1, 1, 1),
	row("string", "strlen", 2, "readonly fast", 1, 1, 1),
	row("string", "getrange", 4, "readonly", 1, 1, 1),
	row("string", "setrange", 4, "write denyoom", 1, 1, 1),
	row("string", "incr", 2, "write denyoom fast", 1, 1, 1),
	row("string", "decr", 2, "write denyoom fast", 1, 1, 1),
	row("string", "incrby", 3, "write denyoom fast", 1, 1, 1),
	row("string", "decrby", 3, "write denyoom fast", 1, 1, 1),
	row("string", "incrbyfloat", 3, "write denyoom fast", 1, 1, 1),

	row("key", "del", -2, "write", 1, -1, 1),
	row("key", "unlink", -2, "write fast", 1, -1, 1),
	row("key", "exists", -2, "readonly fast", 1, -1, 1),
	row("key", "type", 2, "readonly fast", 1, 1, 1),
	row("key", "keys", 2, "readonly"),
	row("key", "scan", -2, "readonly"),
	row("key", "randomkey", 1, "readonly"),
	row("key", "rename", 3, "write", 1, 2, 1),
	row("key", "renamenx", 3, "write fast", 1, 2, 1),
	row("key", "copy", -3, "write denyoom", 1, 2, 1),
	row("key", "move", 3, "write fast", 1, 1, 1),
	row("key", "touch", -2, "readonly fast", 1, -1, 1),
	row("key", "object", -2, ""),
	row("key", "object|encoding", 3, "readonly", 2, 2, 1),
	row("key", "object|freq", 3, "readonly", 2, 2, 1),
	row("key", "object|idletime", 3, "readonly", 2, 2, 1),

	row("expiry", "expire", -3, "write fast", 1, 1, 1),
	row("expiry", "pexpire", -3, "write fast", 1, 1, 1),
	row("expiry", "expireat", -3, "write fast", 1, 1, 1),
	row("expiry", "pexpireat", -3, "write fast", 1, 1, 1),
	row("expiry", "expiretime", 2, "readonly fast", 1, 1, 1),
	row("expiry", "pexpiretime", 2, "readonly fast", 1, 1, 1),
	row("expiry", "ttl", 2, "readonly fast", 1, 1, 1),
	row("expiry", "pttl", 2, "readonly fast", 1, 1, 1),
	row("expiry", "persist", 2, "write fast", 1, 1, 1),

	row("list", "lpush", -3, "write denyoom fast", 1, 1, 1),
	row("list", "rpush", -3, "write denyoom fast", 1, 1, 1),
	row("list", "lpushx", -3, "write denyoom fast", 1, 1, 1),
	row("list", "rpushx", -3, "write denyoom fast", 1, 1, 1),
	row("list", "lpop", -2, "write fast", 1, 1, 1),
	row("list", "rpop", -2, "write fast", 1, 1, 1),
	row("list", "llen", 2, "readonly fast", 1, 1, 1),
	row("list", "lrange", 4, "readonly", 1, 1, 1),
	row("list", "lindex", 3, "readonly", 1, 1, 1),
	row("list", "linsert", 5, "write denyoom", 1, 1, 1),
	row("list", "lset", 4, "write denyoom", 1, 1, 1),
	row("list", "lrem", 4, "write", 1, 1, 1),
	row("list", "ltrim", 4, "write", 1, 1, 1),
	row("list", "lpos", -3, "readonly", 1, 1, 1),
	row("list", "lmove", 5, "write denyoom", 1, 2, 1),
	row("list", "rpoplpush", 3, "write denyoom", 1, 2, 1),
	counted(1, "list", "lmpop", -4, "write movablekeys"),
	row("list", "blpop", -3, "write noscript blocking", 1, -2, 1),
	row("list", "brpop", -3, "write noscript blocking", 1, -2, 1),
	row("list", "blmove", 6, "write denyoom noscript blocking", 1, 2, 1),
	row("list", "brpoplpush", 4, "write denyoom noscript blocking", 1, 2, 1),
	counted(2, "list", "blmpop", -5, "write blocking movablekeys"),

	row("tx", "multi", 1, "noscript loading stale fast allow_busy"),
	row("tx", "exec", 1, "noscript loading stale skip_slowlog"),
	row("tx", "discard", 1, "noscript loading stale fast allow_busy"),
	row("tx", "watch", -2, "noscript loading stale fast allow_busy", 1, -1, 1),
	row("tx", "unwatch", 1, "noscript loading stale fast allow_busy"),
}

// row makes a Command; keys is empty or first, last, step.
func row(family, name string, arity int, flags string, keys ...int) Command {
	c := Command{Name: name, Arity: arity, Flags: strings.Fields(flags), Family: family}
	if len(keys) == 3 {
		c.First, c.Last, c.Step = keys[0], keys[1], keys[2]
	}
	return c
}

// counted is row for a command that says itself, in word at, how many keys follow.
func counted(at int, family, name string, arity int, flags string) Command {
	c := row(family, name, arity, flags)
	c.CountAt = at
	return c
}
