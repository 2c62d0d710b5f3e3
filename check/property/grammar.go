package property

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"rondo/model"
)

// Templates are command lines of the model's alphabet in which a capital letter stands for a word
// of its pool. What is about the whole keyspace comes last, see Whole.
var Templates = strings.FieldsFunc(`
GET K|GET K|SET K V|SET K V|SET K V PX T|SET K V EX S|SET K V PXAT A|SET K V O|SET K V O O|SET K V PX T O O
SETNX K V|SETEX K S V|PSETEX K T V|GETSET K V|GETDEL K|GETEX K|GETEX K PX T|GETEX K PERSIST|GETEX K O O
MGET K K K|MSET K V K V|MSETNX K V K V|APPEND K V|STRLEN K|GETRANGE K I I|SETRANGE K R V
INCR K|DECR K|INCRBY K I|DECRBY K I|INCRBYFLOAT K F
LPUSH K V|LPUSH K V V|RPUSH K V|RPUSH K V V V|LPUSHX K V|RPUSHX K V|LPOP K|RPOP K|LPOP K I|RPOP K I
LLEN K|LRANGE K 0 -1|LRANGE K I I|LINDEX K I|LINSERT K BEFORE V V|LINSERT K AFTER V V|LSET K I V|LREM K I V
LTRIM K I I|LPOS K V|LPOS K V RANK I COUNT I|LPOS K V MAXLEN I|LMOVE K K H H|RPOPLPUSH K K|LMPOP 1 K H
LMPOP 2 K K H COUNT I
DEL K|DEL K K|UNLINK K|EXISTS K|EXISTS K K K|TOUCH K K|TYPE K|KEYS P|SCAN 0|SCAN 0 MATCH P COUNT I|RANDOMKEY|DBSIZE
RENAME K K|RENAMENX K K|COPY K K|COPY K K REPLACE|COPY K K DB D|MOVE K D|OBJECT ENCODING K
EXPIRE K S|EXPIRE K S E|PEXPIRE K T|PEXPIRE K T E|PEXPIRE K T E E|PEXPIREAT K A|PEXPIREAT K A E|EXPIREAT K I
TTL K|PTTL K|EXPIRETIME K|PEXPIRETIME K|PERSIST K|TIME
MULTI|MULTI|EXEC|EXEC|EXEC|DISCARD|WATCH K|WATCH K K|UNWATCH
PING|PING V|ECHO V|SELECT D|HELLO 2|HELLO 3|HELLO I|RESET|QUIT|CLIENT GETNAME|CLIENT SETNAME V|AUTH V
FLUSHDB|FLUSHALL ASYNC|SWAPDB D D`, func(c rune) bool { return c == '|' || c == '\n' })

// Waits are command lines after which a client may have to wait.
var Waits = strings.Split("BLPOP K W|BRPOP K K W|BLMOVE K K H H W|BRPOPLPUSH K K W|BLMPOP W 1 K H|"+
	"BLMPOP W 2 K K H COUNT I", "|")

// Pools are the words for the capital letters. They are few, so that programs meet the same states
// again, and lie at the edges.
var Pools = map[byte][]string{
	'K': {"a", "b", "c", "d", ""},
	'V': {"", "1", "-1", "10", "abc", "3.5", "9223372036854775807", "-9223372036854775808", " 1", "01",
		"\r\n\x00\xff", strings.Repeat("x", 45), "5e3"},
	'I': {"0", "1", "-1", "2", "-3", "5", "100", "9223372036854775807", "-9223372036854775808", "x", "",
		"1.5", "+1", "01"},
	'R': {"0", "1", "3", "7", "-1", "536870912", "9223372036854775807", "x"},
	'F': {"0", "1", "-1", "0.1", "3.0e3", "1e-5", "1e17", "-2.5", "nan", "inf", "x", "", " 1", "1 ",
		"0x10", "5.0"},
	'T': {"1", "2", "5", "10", "50", "1000", "100000", "0", "-1", "x", "9223372036854775807",
		"9223372036854775000"},
	'S': {"1", "2", "100", "0", "-1", "x", "9223372036854775807", "9223372036854776"},
	'A': {"1", "0", "-1", "32503680000000", "9223372036854775807", "x", "253402300800"},
	'O': {"NX", "XX", "GET", "KEEPTTL", "PX", "EX", "PXAT", "EXAT", "PERSIST", "10", "100000", "0", "nx",
		"JUNK"},
	'E': {"NX", "XX", "GT", "LT", "gt", "JUNK"},
	'P': {"*", "a", "[ab]", "?", "", "[^a]", "\\a", "a*b", "[a-c]"},
	'D': {"0", "1", "15", "16", "-1", "x"},
	'H': {"LEFT", "RIGHT", "LEFT", "RIGHT", "left", "UP"},
	'W': {"0", "0.001", "0.004", "0.05", "1", "2e-3", "-1", "x"},
}

// still are pools with which no deadline comes or passes while a program runs, however slowly, and
// no two relative ones are compared.
var still = map[byte][]string{
	'T': {"1000000", "2000000", "0", "-1", "x", "9223372036854775807"},
	'S': {"1000", "2000", "0", "-1", "x", "9223372036854775807"},
	'O': {"NX", "XX", "GET", "KEEPTTL", "PX", "EX", "PXAT", "PERSIST", "1000000", "0", "nx", "JUNK"},
	'E': {"NX", "XX", "JUNK"},
}

// Whole tells commands that see or change keys that are not their arguments.
func Whole(name string) bool {
	switch strings.ToLower(name) {
	case "keys", "scan", "randomkey", "dbsize", "flushdb", "flushall", "swapdb", "object":
		return true
	}
	return false
}

// connection are the commands that change their connection or end it.
var connection = words("multi exec discard watch unwatch select hello reset quit client auth move")

// clock are those whose reply depends on when they run.
var clock = words("ttl pttl expiretime pexpiretime time")

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// command is one command line.
type command [][]byte

// GoString is how rapid shows what it has drawn.
func (c command) GoString() string { return line(c) }

// action is a command of one client, or a pause of all.
type action struct {
	conn  string // "a" or "b"
	args  command
	pause time.Duration
}

// GoString is how rapid shows what it has drawn.
func (a action) GoString() string {
	if a.args == nil {
		return "wait " + a.pause.String()
	}
	return a.conn + "> " + line(a.args)
}

// alphabet is what a law draws from.
type alphabet struct {
	templates []string
	pools     []map[byte][]string // the first that has a letter counts
}

// everything is what the server has and other users of it do not see.
func everything(s *Server) alphabet {
	return alphabet{pick(Templates, s, func(name string) bool { return name != "auth" && name != "hello" || s.RESP3() }),
		[]map[byte][]string{Pools}}
}

// data are the commands on keys, with replies that do not depend on when they run.
func data(s *Server) alphabet {
	return alphabet{pick(Templates, s, func(name string) bool { return !connection[name] && !clock[name] }),
		[]map[byte][]string{still, Pools}}
}

func pick(templates []string, s *Server, which func(name string) bool) []string {
	var out []string
	for _, t := range templates {
		name, _, _ := strings.Cut(strings.ToLower(t), " ")
		if !Whole(name) && s.Has(name) && which(name) && modelled(t) {
			out = append(out, t)
		}
	}
	return out
}

// on restricts the keys.
func (a alphabet) on(keys ...string) alphabet {
	return alphabet{a.templates, append([]map[byte][]string{{'K': keys}}, a.pools...)}
}

// command draws one line that the model can judge.
func (a alphabet) command(t *rapid.T) command {
	template := rapid.SampledFrom(a.templates).Draw(t, "template")
	var args command
	for word := range strings.FieldsSeq(template) {
		if len(word) == 1 && Pools[word[0]] != nil {
			word = rapid.SampledFrom(a.pool(word[0])).Draw(t, word)
		}
		args = append(args, []byte(word))
	}
	return args
}

func modelled(template string) bool {
	var args [][]byte
	for word := range strings.FieldsSeq(template) {
		args = append(args, []byte(word))
	}
	return model.Models(args)
}

func (a alphabet) pool(letter byte) []string {
	for _, p := range a.pools {
		if p[letter] != nil {
			return p[letter]
		}
	}
	return nil
}

// commands draws a program of one client.
func (a alphabet) commands(t *rapid.T, name string) []command {
	return rapid.SliceOfN(rapid.Custom(a.command), 1, programMax).Draw(t, name)
}

// focus draws some of the templates. Programs over few commands meet what takes several of the same
// kind much sooner than programs over all of them (swarm testing).
func (a alphabet) focus(t *rapid.T) alphabet {
	return alphabet{rapid.SliceOfN(rapid.SampledFrom(a.templates), 2, 8).Draw(t, "focus"), a.pools}
}

// program draws one of two clients, with pauses.
func (a alphabet) program(t *rapid.T) []action {
	watches := slices.Contains(a.templates, "WATCH K") && slices.Contains(a.templates, "MULTI")
	a = a.focus(t)
	part := rapid.Custom(func(t *rapid.T) []action {
		switch n := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case n == 9:
			return []action{{pause: rapid.SampledFrom(pauses).Draw(t, "pause")}}
		case n == 8 && watches:
			return a.watched(t)
		}
		return []action{a.action(t)}
	})
	return slices.Concat(rapid.SliceOfN(part, 1, programMax).Draw(t, "program")...)
}

func (a alphabet) action(t *rapid.T) action {
	return action{conn: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "conn"), args: a.command(t)}
}

// watched draws a transaction that watches a key, with a command of either client in between.
func (a alphabet) watched(t *rapid.T) []action {
	key := rapid.SampledFrom(a.pool('K')).Draw(t, "key")
	one := func(words ...string) action {
		cmd := action{conn: "a"}
		for _, w := range words {
			cmd.args = append(cmd.args, []byte(w))
		}
		return cmd
	}
	return []action{one("WATCH", key), a.action(t), one("MULTI"), one("GET", key), one("EXEC")}
}

// programMax bounds a program; a shorter one finds nearly all, and shrinks faster.
const programMax = 24

var pauses = []time.Duration{time.Millisecond, 2 * time.Millisecond, 6 * time.Millisecond}
