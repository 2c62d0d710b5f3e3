package workload

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
)

// A word is one way to use one command.
type word struct {
	command  string // what the target must have
	absolute bool   // needs to know the target's clock
	deadline bool   // may set a deadline that ends soon
	waits    bool   // may wait
	list     bool   // is about lists
	keys     int    // needs a group with at least so many keys
	readsOne bool   // reads one key and leaves it
	make     func(s *source) step
}

// step is one command line, with what a reader wants to know of the deadline it sets.
type step struct {
	args    [][]byte
	key     string
	life    int64 // ms from now until the deadline it sets, if hasLife
	hasLife bool
	waits   bool // it may wait
}

// source makes the arguments of one client: its choices come from its seed alone.
type source struct {
	rng    *rand.Rand
	plan   plan
	keys   []string
	slot   int64 // of the client in its group, for values that nobody else writes
	made   int64 // values made so far
	wallMs func() int64
}

// unique is a number that no other command of the group uses: 1 to about 2^20.
func (s *source) unique() int64 {
	s.made++
	return s.made*GroupClientsMax + s.slot + 1
}

// value is a fresh value, a multiple of 2^20: it names its writer, and increments, which are 1
// modulo 2^20, count themselves in its low bits.
func (s *source) value() string { return strconv.FormatInt(s.unique()<<20, 10) }

func (s *source) delta() string {
	return strconv.FormatInt((1+s.rng.Int64N(1<<15))<<20|1, 10)
}

// key prefers the first key of the group: it is hot, the others cooler.
func (s *source) key() string {
	for _, k := range s.keys {
		if s.rng.IntN(100) < 60 {
			return k
		}
	}
	return s.keys[0]
}

// keysSome returns 1 to all keys of the group, in random order.
func (s *source) keysSome() []string {
	order := s.rng.Perm(len(s.keys))
	some := make([]string, 0, len(order))
	for _, i := range order[:1+s.rng.IntN(len(order))] {
		some = append(some, s.keys[i])
	}
	return some
}

// two returns two different keys.
func (s *source) two() (string, string) {
	i := s.rng.IntN(len(s.keys))
	j := (i + 1 + s.rng.IntN(len(s.keys)-1)) % len(s.keys)
	return s.keys[i], s.keys[j]
}

// life is a time to live: half of them short, so that they race, half long and all different, so
// that a PTTL names the command that set it.
func (s *source) life() int64 {
	if s.rng.IntN(2) == 0 {
		return 1 + s.rng.Int64N(ShortTTLMax)
	}
	return LongTTLMin + s.unique()*13
}

// lifeOrPast also draws deadlines that are not in the future (TIME-7).
func (s *source) lifeOrPast() int64 {
	if s.rng.IntN(12) == 0 {
		return -s.rng.Int64N(3)
	}
	return s.life()
}

// timeout is for how many seconds a client waits.
func (s *source) timeout() string { return fmt.Sprintf("%.3f", float64(1+s.rng.IntN(TimeoutMax))/1000) }

func (s *source) pick(names []string, totals []int) string {
	n := s.rng.IntN(totals[len(totals)-1])
	for i, total := range totals {
		if n < total {
			return names[i]
		}
	}
	panic("workload: weights do not add up")
}

// next draws a command.
func (s *source) next() step {
	for {
		w := words[s.pick(s.plan.words, s.plan.wordSums)]
		if w.keys <= len(s.keys) {
			return w.make(s)
		}
	}
}

// read draws a command that looks at this key: mostly GET, whose reply says most.
func (s *source) read(key string) step {
	name := s.plan.reads[0]
	if s.rng.IntN(2) == 0 {
		name = s.plan.reads[s.rng.IntN(len(s.plan.reads))]
	}
	one := *s
	one.keys = []string{key}
	return words[name].make(&one)
}

func line(args ...string) step {
	st := step{key: args[1]}
	for _, a := range args {
		st.args = append(st.args, []byte(a))
	}
	return st
}

func (st step) living(ms int64) step {
	st.life, st.hasLife = ms, true
	return st
}

func ms(n int64) string { return strconv.FormatInt(n, 10) }

// one makes words of the shape "NAME key".
func one(command string) word {
	return word{command: command, make: func(s *source) step { return line(command, s.key()) }}
}

func oneRead(command string, more ...string) word {
	return word{command: command, readsOne: true, make: func(s *source) step {
		return line(append([]string{command, s.key()}, more...)...)
	}}
}

// words are all of them; a Mix names them.
var words = map[string]word{
	"get":      oneRead("get"),
	"strlen":   oneRead("strlen"),
	"type":     oneRead("type"),
	"pttl":     oneRead("pttl"),
	"ttl":      oneRead("ttl"),
	"getrange": oneRead("getrange", "0", "-1"),
	"pexpiretime": {command: "pexpiretime", absolute: true, make: func(s *source) step {
		return line("pexpiretime", s.key())
	}},
	"getdel":  one("getdel"),
	"persist": one("persist"),
	"exists":  {command: "exists", make: func(s *source) step { return many(s, "exists") }},
	"mget":    {command: "mget", make: func(s *source) step { return many(s, "mget") }},
	"del":     {command: "del", make: func(s *source) step { return line("del", s.key()) }},
	"unlink":  {command: "unlink", make: func(s *source) step { return many(s, "unlink") }},

	"set": {command: "set", make: func(s *source) step { return line("set", s.key(), s.value()) }},
	"setnx": {command: "setnx", make: func(s *source) step {
		return line("setnx", s.key(), s.value())
	}},
	"getset": {command: "getset", make: func(s *source) step {
		return line("getset", s.key(), s.value())
	}},
	"set keepttl": {command: "set", make: func(s *source) step {
		return line("set", s.key(), s.value(), "keepttl")
	}},
	"set get": {command: "set", make: func(s *source) step {
		return line("set", s.key(), s.value(), "get")
	}},
	"set xx": {command: "set", make: func(s *source) step {
		return line("set", s.key(), s.value(), "xx", "get")
	}},
	"set ex": {command: "set", make: func(s *source) step {
		return line("set", s.key(), s.value(), "ex", ms(100+s.unique()))
	}},
	"set px": {command: "set", deadline: true, make: func(s *source) step {
		n := s.life()
		return line("set", s.key(), s.value(), "px", ms(n)).living(n)
	}},
	"set nx": {command: "set", deadline: true, make: func(s *source) step {
		n := s.life()
		return line("set", s.key(), s.value(), "nx", "px", ms(n)).living(n)
	}},
	"set px get": {command: "set", deadline: true, make: func(s *source) step {
		n := s.life()
		return line("set", s.key(), s.value(), "get", "px", ms(n)).living(n)
	}},
	"set pxat": {command: "set", absolute: true, deadline: true, make: func(s *source) step {
		n := s.lifeOrPast()
		return line("set", s.key(), s.value(), "pxat", ms(s.wallMs()+n)).living(n)
	}},
	"psetex": {command: "psetex", deadline: true, make: func(s *source) step {
		n := s.life()
		return line("psetex", s.key(), ms(n), s.value()).living(n)
	}},
	"getex": {command: "getex", deadline: true, make: func(s *source) step {
		n := s.life()
		return line("getex", s.key(), "px", ms(n)).living(n)
	}},
	"getex persist": {command: "getex", make: func(s *source) step {
		return line("getex", s.key(), "persist")
	}},
	"pexpire": {command: "pexpire", deadline: true, make: func(s *source) step {
		n := s.lifeOrPast()
		return line("pexpire", s.key(), ms(n)).living(n)
	}},
	"pexpire option": {command: "pexpire", deadline: true, make: func(s *source) step {
		n, option := s.life(), []string{"nx", "xx", "gt", "lt"}[s.rng.IntN(4)]
		return line("pexpire", s.key(), ms(n), option).living(n)
	}},
	"pexpireat": {command: "pexpireat", absolute: true, deadline: true, make: func(s *source) step {
		n := s.lifeOrPast()
		return line("pexpireat", s.key(), ms(s.wallMs()+n)).living(n)
	}},

	"incrby": {command: "incrby", make: func(s *source) step {
		return line("incrby", s.key(), s.delta())
	}},
	"decrby": {command: "decrby", make: func(s *source) step {
		return line("decrby", s.key(), s.delta())
	}},
	"append": {command: "append", make: func(s *source) step {
		return line("append", s.key(), "."+s.value())
	}},
	"mset":   {command: "mset", make: func(s *source) step { return pairs(s, "mset") }},
	"msetnx": {command: "msetnx", make: func(s *source) step { return pairs(s, "msetnx") }},
	"rename": {command: "rename", keys: 2, make: func(s *source) step {
		a, b := s.two()
		return line("rename", a, b)
	}},
	"renamenx": {command: "renamenx", keys: 2, make: func(s *source) step {
		a, b := s.two()
		return line("renamenx", a, b)
	}},
	"copy": {command: "copy", keys: 2, make: func(s *source) step {
		a, b := s.two()
		if s.rng.IntN(3) == 0 {
			return line("copy", a, b)
		}
		return line("copy", a, b, "replace")
	}},
}

func init() { maps.Copy(words, listWords) }

// listWords are those about lists.
var listWords = map[string]word{
	"rpush": push("rpush"),
	"lpush": push("lpush"),
	"blpop": taking("blpop", 1, func(s *source) []string { return append(s.keysSome(), s.timeout()) }),
	"brpop": taking("brpop", 1, func(s *source) []string { return append(s.keysSome(), s.timeout()) }),
	"blmpop": taking("blmpop", 1, func(s *source) []string {
		keys := s.keysSome()
		args := append([]string{s.timeout(), strconv.Itoa(len(keys))}, keys...)
		return append(args, "left", "count", "2")
	}),
	"blmove": taking("blmove", 2, func(s *source) []string {
		a, b := s.two()
		return []string{a, b, "left", "right", s.timeout()}
	}),
	"lrange": {command: "lrange", list: true, readsOne: true, make: func(s *source) step {
		return line("lrange", s.key(), "0", "-1")
	}},
	"llen": {command: "llen", list: true, readsOne: true, make: func(s *source) step { return line("llen", s.key()) }},
	"lpop": {command: "lpop", list: true, make: func(s *source) step { return line("lpop", s.key()) }},
	"lmove": {command: "lmove", list: true, keys: 2, make: func(s *source) step {
		a, b := s.two()
		return line("lmove", a, b, "right", "left")
	}},
}

// push adds one to three elements, each of which no other command adds.
func push(command string) word {
	return word{command: command, list: true, make: func(s *source) step {
		args := []string{command, s.key()}
		for range 1 + s.rng.IntN(PushMax) {
			args = append(args, strconv.FormatInt(s.unique(), 10))
		}
		return line(args...)
	}}
}

// taking makes words that wait if there is nothing to take.
func taking(command string, keys int, args func(s *source) []string) word {
	return word{command: command, list: true, waits: true, keys: keys, make: func(s *source) step {
		st := line(append([]string{command}, args(s)...)...)
		st.waits = true
		return st
	}}
}

func many(s *source, command string) step {
	return line(append([]string{command}, s.keysSome()...)...)
}

func pairs(s *source, command string) step {
	args := []string{command}
	for _, k := range s.keysSome() {
		args = append(args, k, s.value())
	}
	return line(args...)
}
