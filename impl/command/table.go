// The table of commands: the only dispatch. What it says is what COMMAND INFO answers, and is that
// of Redis 7.0 (CONN-27).
package command

import (
	"strings"

	"rondo/impl/resp"
)

// row is one line of the table as it is written down.
type row struct {
	Name              string // lower case; that of a subcommand is "client|id"
	Arity             int    // arguments with the name; negative: at least so many
	Flags             Flags
	First, Last, Step int   // where the keys are; Last counts from the end if negative
	Group             Group // what ACLs of Redis call a category
	Handler           func(*Call)
	Subs              []row // of a container such as CLIENT
}

// Command is one line of the table.
type Command struct {
	row
	Subs []Command

	number int // of all commands and subcommands: where its statistics are
	gates  gate
	brief  bool // never long but by the length of its arguments and its reply (see meter)
}

// Flags says what a command does and where it may run.
type Flags uint32

// The flags in the order in which COMMAND INFO lists them.
const (
	Write Flags = 1 << iota
	Readonly
	DenyOOM
	Admin
	NoScript
	Blocking
	Loading
	Stale
	SkipSlowlog
	Fast
	NoAuth
	NoAsyncLoading
	NoMulti
	AllowBusy
	MovableKeys

	// Ours alone, and not shown.
	unqueued // runs at once inside MULTI
	endsTx   // is EXEC: rejected, it discards the transaction
	guarded  // must be switched on (enable-debug-command)
	lengthy  // may be long though neither its arguments nor its reply are
	leavesTx // may end a transaction, and is never refused for memory in one

	shown = unqueued - 1
)

var flagNames = []string{"write", "readonly", "denyoom", "admin", "noscript", "blocking", "loading",
	"stale", "skip_slowlog", "fast", "no_auth", "no_async_loading", "no_multi", "allow_busy",
	"movablekeys"}

// Names lists the flags as COMMAND INFO does.
func (f Flags) Names() []string { return names(uint32(f&shown), flagNames) }

// Group is a set of categories.
type Group uint32

// The categories in the order in which COMMAND INFO lists them.
const (
	keyspace Group = 1 << iota
	read
	write
	listData
	stringData
	admin
	fast
	slow
	blocking
	dangerous
	connection
	transactions
)

var groupNames = []string{"@keyspace", "@read", "@write", "@list", "@string", "@admin", "@fast",
	"@slow", "@blocking", "@dangerous", "@connection", "@transaction"}

// Categories lists the groups of a command; some follow from its flags.
func (c *Command) Categories() []string {
	g := c.Group
	for _, rule := range [...]struct {
		flag  Flags
		group Group
	}{{Readonly, read}, {Write, write}, {Admin, admin | dangerous}, {Fast, fast},
		{Blocking, blocking}} {
		if c.Flags&rule.flag != 0 {
			g |= rule.group
		}
	}
	if g&fast == 0 {
		g |= slow
	}
	return names(uint32(g), groupNames)
}

func names(bits uint32, of []string) (list []string) {
	for i, name := range of {
		if bits&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return list
}

// fits tells whether n arguments, the name included, are right (WIRE-16).
func (c *Command) fits(n int) bool {
	return n == c.Arity || c.Arity < 0 && n >= -c.Arity
}

// sub is the subcommand of that name, nil if there is none.
func (c *Command) sub(name []byte) *Command {
	for i := range c.Subs {
		if is(name, strings.ToUpper(c.Subs[i].Name[len(c.Name)+1:])) {
			return &c.Subs[i]
		}
	}
	return nil
}

// keys yields the key arguments of a command line. Some commands say themselves how many there are.
func (c *Command) keys(args [][]byte, yield func(key []byte)) {
	first, last, step := c.First, c.Last, c.Step
	if last < 0 {
		last += len(args)
	}
	if at := countAt[c.Name]; at != 0 {
		n, ok := resp.ParseInt(args[at])
		if !ok || n < 1 || n >= int64(len(args)-at) {
			return
		}
		first, last, step = at+1, at+int(n), 1
	}
	for i := first; first > 0 && i <= last && i < len(args); i += step {
		yield(args[i])
	}
}

// countAt is where the number of keys stands in commands with MovableKeys.
var countAt = map[string]int{"lmpop": 1, "blmpop": 2}

// The flags of a command that any connection may call at any time.
const always = NoScript | Loading | Stale

// The table is filled in at start, because the handlers of COMMAND refer to it.
var (
	table []Command
	every []*Command // subcommands included, by number
)

func init() {
	var rows []row
	for _, family := range [][]row{connCommands(), serverCommands(), reportCommands(),
		stringCommands(), listCommands(), keyCommands(), expiryCommands(), txCommands()} {
		rows = append(rows, family...)
	}
	table = number(rows)
	for i := range table {
		index.add(&table[i])
	}
}

// number makes commands of rows. Their places are final: index and every point to them.
func number(rows []row) []Command {
	list := make([]Command, len(rows))
	for i, r := range rows {
		c := &list[i]
		*c = Command{row: r, number: len(every)}
		if r.Flags&guarded != 0 {
			c.gates = gateGuarded
		}
		c.brief = (r.Flags&Fast != 0 || r.Group&stringData != 0) && r.Flags&lengthy == 0
		every = append(every, c)
		if r.Subs != nil {
			c.Subs = number(r.Subs)
		}
	}
	return list
}

// Table yields every command in the order of the table.
func Table(yield func(*Command) bool) {
	for i := range table {
		if !yield(&table[i]) {
			return
		}
	}
}

func connCommands() []row {
	const atOnce = always | Fast | NoAuth | AllowBusy
	return []row{
		{"ping", -1, Fast, 0, 0, 0, connection, ping, nil},
		{"echo", 2, Loading | Stale | Fast, 0, 0, 0, connection, echoBack, nil},
		{"quit", -1, atOnce | unqueued | leavesTx, 0, 0, 0, connection, quit, nil},
		{"reset", 1, atOnce | unqueued | leavesTx, 0, 0, 0, connection, reset, nil},
		{"hello", -1, atOnce, 0, 0, 0, connection, hello, nil},
		{"auth", -2, atOnce, 0, 0, 0, connection, auth, nil},
		{"select", 2, Loading | Stale | Fast, 0, 0, 0, connection, selectDB, nil},
		{"client", -2, 0, 0, 0, 0, 0, nil, []row{
			{"client|getname", 2, always, 0, 0, 0, connection, clientGetname, nil},
			{"client|help", 2, Loading | Stale, 0, 0, 0, connection, clientHelp, nil},
			{"client|id", 2, always, 0, 0, 0, connection, clientID, nil},
			{"client|info", 2, always, 0, 0, 0, connection, clientInfo, nil},
			{"client|kill", -3, Admin | always, 0, 0, 0, connection, clientKill, nil},
			{"client|list", -2, Admin | always, 0, 0, 0, connection, clientList, nil},
			{"client|setname", 3, always, 0, 0, 0, connection, clientSetname, nil},
			{"client|unblock", -3, Admin | always, 0, 0, 0, connection, clientUnblock, nil},
		}},
		{"command", -1, Loading | Stale, 0, 0, 0, connection, commandAll, []row{
			{"command|count", 2, Loading | Stale, 0, 0, 0, connection, commandCount, nil},
			{"command|docs", -2, Loading | Stale, 0, 0, 0, connection, commandDocs, nil},
			{"command|getkeys", -4, Loading | Stale, 0, 0, 0, connection, commandGetkeys, nil},
			{"command|help", 2, Loading | Stale, 0, 0, 0, connection, commandHelp, nil},
			{"command|info", -2, Loading | Stale, 0, 0, 0, connection, commandInfo, nil},
			{"command|list", -2, Loading | Stale, 0, 0, 0, connection, commandList, nil},
		}},
	}
}

func serverCommands() []row {
	return []row{
		{"config", -2, 0, 0, 0, 0, 0, nil, []row{
			{"config|get", -3, Admin | always, 0, 0, 0, 0, configGet, nil},
			{"config|help", 2, Loading | Stale, 0, 0, 0, 0, configHelp, nil},
			{"config|resetstat", 2, Admin | always, 0, 0, 0, 0, configResetstat, nil},
			{"config|rewrite", 2, Admin | always, 0, 0, 0, 0, configRewrite, nil},
			{"config|set", -4, Admin | always, 0, 0, 0, 0, configSet, nil},
		}},
		{"info", -1, Loading | Stale, 0, 0, 0, dangerous, info, nil},
		{"time", 1, Loading | Stale | Fast, 0, 0, 0, 0, timeNow, nil},
		{"dbsize", 1, Readonly | Fast, 0, 0, 0, keyspace, dbsize, nil},
		{"flushdb", -1, Write, 0, 0, 0, keyspace | dangerous, flushdb, nil},
		{"flushall", -1, Write, 0, 0, 0, keyspace | dangerous, flushall, nil},
		{"memory", -2, 0, 0, 0, 0, 0, nil, []row{
			{"memory|doctor", 2, 0, 0, 0, 0, 0, memoryDoctor, nil},
			{"memory|help", 2, Loading | Stale, 0, 0, 0, 0, memoryHelp, nil},
			{"memory|malloc-stats", 2, 0, 0, 0, 0, 0, memoryMalloc, nil},
			{"memory|purge", 2, 0, 0, 0, 0, 0, memoryPurge, nil},
			{"memory|stats", 2, 0, 0, 0, 0, 0, memoryStats, nil},
			{"memory|usage", -3, Readonly, 2, 2, 1, 0, memoryUsage, nil},
		}},
		{"swapdb", 3, Write | Fast, 0, 0, 0, keyspace | dangerous, swapdb, nil},
		{"shutdown", -1, Admin | always | NoMulti | AllowBusy, 0, 0, 0, 0, shutdown, nil},
		{"debug", -2, Admin | always | guarded, 0, 0, 0, 0, debug, nil},
	}
}

// reportCommands say how the server fares.
func reportCommands() []row {
	const tells = Admin | Loading | Stale
	return []row{
		{"slowlog", -2, 0, 0, 0, 0, 0, nil, []row{
			{"slowlog|get", -2, tells, 0, 0, 0, 0, slowlogGet, nil},
			{"slowlog|help", 2, Loading | Stale, 0, 0, 0, 0, slowlogHelp, nil},
			{"slowlog|len", 2, tells, 0, 0, 0, 0, slowlogLen, nil},
			{"slowlog|reset", 2, tells, 0, 0, 0, 0, slowlogReset, nil},
		}},
		{"latency", -2, 0, 0, 0, 0, 0, nil, []row{
			{"latency|doctor", 2, Admin | always, 0, 0, 0, 0, latencyDoctor, nil},
			{"latency|graph", 3, Admin | always, 0, 0, 0, 0, latencyGraph, nil},
			{"latency|help", 2, Loading | Stale, 0, 0, 0, 0, latencyHelp, nil},
			{"latency|histogram", -2, Admin | always, 0, 0, 0, 0, latencyHistogram, nil},
			{"latency|history", 3, Admin | always, 0, 0, 0, 0, latencyHistory, nil},
			{"latency|latest", 2, Admin | always, 0, 0, 0, 0, latencyLatest, nil},
			{"latency|reset", -2, Admin | always, 0, 0, 0, 0, latencyReset, nil},
		}},
		{"loop", -2, 0, 0, 0, 0, 0, nil, []row{ // Rondo's own
			{"loop|help", 2, Loading | Stale, 0, 0, 0, 0, loopHelp, nil},
			{"loop|histogram", -2, tells, 0, 0, 0, 0, loopHistogram, nil},
			{"loop|reset", 2, tells, 0, 0, 0, 0, loopReset, nil},
		}},
		{"role", 1, always | Fast, 0, 0, 0, admin | dangerous, role, nil},
		{"replicaof", 3, Admin | NoScript | Stale | NoAsyncLoading, 0, 0, 0, 0, replicaof, nil},
		{"slaveof", 3, Admin | NoScript | Stale | NoAsyncLoading, 0, 0, 0, 0, replicaof, nil},
	}
}

func stringCommands() []row {
	const (
		reads = Readonly | Fast
		makes = Write | DenyOOM
		edits = Write | DenyOOM | Fast
	)
	return []row{
		{"get", 2, reads, 1, 1, 1, stringData, get, nil},
		{"set", -3, makes, 1, 1, 1, stringData, set, nil},
		{"setnx", 3, edits, 1, 1, 1, stringData, setnx, nil},
		{"setex", 4, makes, 1, 1, 1, stringData, setex, nil},
		{"psetex", 4, makes, 1, 1, 1, stringData, psetex, nil},
		{"getset", 3, edits, 1, 1, 1, stringData, getset, nil},
		{"getdel", 2, Write | Fast, 1, 1, 1, stringData, getdel, nil},
		{"getex", -2, Write | Fast, 1, 1, 1, stringData, getex, nil},
		{"mget", -2, reads, 1, -1, 1, stringData, mget, nil},
		{"mset", -3, makes, 1, -1, 2, stringData, mset, nil},
		{"msetnx", -3, makes, 1, -1, 2, stringData, msetnx, nil},
		{"append", 3, edits | lengthy, 1, 1, 1, stringData, appendTo, nil},
		{"strlen", 2, reads, 1, 1, 1, stringData, strlen, nil},
		{"getrange", 4, Readonly, 1, 1, 1, stringData, getrange, nil},
		{"substr", 4, Readonly, 1, 1, 1, stringData, getrange, nil},
		{"setrange", 4, makes | lengthy, 1, 1, 1, stringData, setrange, nil},
		{"incr", 2, edits, 1, 1, 1, stringData, incr, nil},
		{"decr", 2, edits, 1, 1, 1, stringData, decr, nil},
		{"incrby", 3, edits, 1, 1, 1, stringData, incrby, nil},
		{"decrby", 3, edits, 1, 1, 1, stringData, decrby, nil},
		{"incrbyfloat", 3, edits, 1, 1, 1, stringData, incrbyfloat, nil},
	}
}

func listCommands() []row {
	const (
		reads  = Readonly
		makes  = Write | DenyOOM
		waits  = Write | NoScript | Blocking
		counts = Write | MovableKeys
	)
	return []row{
		{"lpush", -3, makes | Fast, 1, 1, 1, listData, lpush, nil},
		{"rpush", -3, makes | Fast, 1, 1, 1, listData, rpush, nil},
		{"lpushx", -3, makes | Fast, 1, 1, 1, listData, lpushx, nil},
		{"rpushx", -3, makes | Fast, 1, 1, 1, listData, rpushx, nil},
		{"lpop", -2, Write | Fast, 1, 1, 1, listData, lpop, nil},
		{"rpop", -2, Write | Fast, 1, 1, 1, listData, rpop, nil},
		{"llen", 2, reads | Fast, 1, 1, 1, listData, llen, nil},
		{"lrange", 4, reads, 1, 1, 1, listData, lrange, nil},
		{"lindex", 3, reads, 1, 1, 1, listData, lindex, nil},
		{"linsert", 5, makes, 1, 1, 1, listData, linsert, nil},
		{"lset", 4, makes, 1, 1, 1, listData, lset, nil},
		{"lrem", 4, Write, 1, 1, 1, listData, lrem, nil},
		{"ltrim", 4, Write, 1, 1, 1, listData, ltrim, nil},
		{"lpos", -3, reads, 1, 1, 1, listData, lpos, nil},
		{"lmove", 5, makes, 1, 2, 1, listData, lmove, nil},
		{"rpoplpush", 3, makes, 1, 2, 1, listData, rpoplpush, nil},
		{"lmpop", -4, counts, 0, 0, 0, listData, lmpop, nil},
		{"blpop", -3, waits, 1, -2, 1, listData, blpop, nil},
		{"brpop", -3, waits, 1, -2, 1, listData, brpop, nil},
		{"blmove", 6, waits | DenyOOM, 1, 2, 1, listData, blmove, nil},
		{"brpoplpush", 4, waits | DenyOOM, 1, 2, 1, listData, brpoplpush, nil},
		{"blmpop", -5, counts | Blocking, 0, 0, 0, listData, blmpop, nil},
	}
}

func keyCommands() []row {
	return []row{
		{"del", -2, Write, 1, -1, 1, keyspace, del, nil},
		{"unlink", -2, Write | Fast, 1, -1, 1, keyspace, del, nil},
		{"exists", -2, Readonly | Fast, 1, -1, 1, keyspace, exists, nil},
		{"type", 2, Readonly | Fast, 1, 1, 1, keyspace, typeOf, nil},
		{"touch", -2, Readonly | Fast, 1, -1, 1, keyspace, touch, nil},
		{"keys", 2, Readonly, 0, 0, 0, keyspace | dangerous, keys, nil},
		{"scan", -2, Readonly, 0, 0, 0, keyspace, scan, nil},
		{"randomkey", 1, Readonly, 0, 0, 0, keyspace, randomkey, nil},
		{"rename", 3, Write, 1, 2, 1, keyspace, rename, nil},
		{"renamenx", 3, Write | Fast, 1, 2, 1, keyspace, renamenx, nil},
		{"copy", -3, Write | DenyOOM, 1, 2, 1, keyspace, copyKey, nil},
		{"move", 3, Write | Fast, 1, 1, 1, keyspace, move, nil},
		{"object", -2, 0, 0, 0, 0, 0, nil, []row{
			{"object|encoding", 3, Readonly, 2, 2, 1, keyspace, objectEncoding, nil},
			{"object|freq", 3, Readonly, 2, 2, 1, keyspace, objectFreq, nil},
			{"object|help", 2, Loading | Stale, 0, 0, 0, keyspace, objectHelp, nil},
			{"object|idletime", 3, Readonly, 2, 2, 1, keyspace, objectIdletime, nil},
			{"object|refcount", 3, Readonly, 2, 2, 1, keyspace, objectRefcount, nil},
		}},
	}
}

func expiryCommands() []row {
	const (
		reads = Readonly | Fast
		edits = Write | Fast
	)
	return []row{
		{"expire", -3, edits, 1, 1, 1, keyspace, expire, nil},
		{"pexpire", -3, edits, 1, 1, 1, keyspace, pexpire, nil},
		{"expireat", -3, edits, 1, 1, 1, keyspace, expireat, nil},
		{"pexpireat", -3, edits, 1, 1, 1, keyspace, pexpireat, nil},
		{"expiretime", 2, reads, 1, 1, 1, keyspace, expiretime, nil},
		{"pexpiretime", 2, reads, 1, 1, 1, keyspace, pexpiretime, nil},
		{"ttl", 2, reads, 1, 1, 1, keyspace, ttl, nil},
		{"pttl", 2, reads, 1, 1, 1, keyspace, pttl, nil},
		{"persist", 2, edits, 1, 1, 1, keyspace, persist, nil},
	}
}

func txCommands() []row {
	const quick = always | Fast | AllowBusy
	return []row{
		{"multi", 1, quick | unqueued, 0, 0, 0, transactions, multi, nil},
		{"exec", 1, always | SkipSlowlog | unqueued | endsTx | leavesTx, 0, 0, 0, transactions, exec, nil},
		{"discard", 1, quick | unqueued | leavesTx, 0, 0, 0, transactions, discard, nil},
		{"watch", -2, quick | unqueued, 1, -1, 1, transactions, watchKeys, nil},
		{"unwatch", 1, quick, 0, 0, 0, transactions, unwatch, nil},
	}
}
