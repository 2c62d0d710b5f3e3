package fuzz

import (
	"strings"
	"time"

	"rondo/model"
	"rondo/spec"
	"rondo/spec/commands"
)

// A program is decoded from bytes by a grammar: each action takes a byte for what it is, and a
// byte for each choice in it. Any bytes are a program, and a small change of them is a small
// change of it, which is what a coverage-guided fuzzer needs. Lines of the grammar are command
// templates; a capital letter stands for a choice among the words of its pool.
var templates = strings.FieldsFunc(`
GET K|GET K|SET K V|SET K V|SET K V PX T|SET K V EX S|SET K V PXAT A|SET K V O|SET K V O O|SET K V PX T O O
SETNX K V|SETEX K S V|PSETEX K T V|GETSET K V|GETDEL K|GETEX K|GETEX K PX T|GETEX K PERSIST|GETEX K O O
MGET K K K|MSET K V K V|MSETNX K V K V|APPEND K V|STRLEN K|GETRANGE K I I|SETRANGE K R V
INCR K|DECR K|INCRBY K I|DECRBY K I|INCRBYFLOAT K F
DEL K|DEL K K|UNLINK K|EXISTS K|EXISTS K K K|TOUCH K K|TYPE K|KEYS P|SCAN 0|SCAN 0 MATCH P COUNT I|RANDOMKEY|DBSIZE
RENAME K K|RENAMENX K K|COPY K K|COPY K K REPLACE|COPY K K DB D|MOVE K D|OBJECT ENCODING K
EXPIRE K S|EXPIRE K S E|PEXPIRE K T|PEXPIRE K T E|PEXPIRE K T E E|PEXPIREAT K A|PEXPIREAT K A E|EXPIREAT K I
TTL K|PTTL K|EXPIRETIME K|PEXPIRETIME K|PERSIST K|TIME
MULTI|MULTI|EXEC|EXEC|EXEC|DISCARD|WATCH K|WATCH K K|UNWATCH
PING|PING V|ECHO V|SELECT D|HELLO 2|HELLO 3|HELLO I|RESET|QUIT|CLIENT GETNAME|CLIENT SETNAME V|AUTH V
FLUSHDB|FLUSHALL ASYNC`, func(c rune) bool { return c == '|' || c == '\n' })

// The epoch of the simulated wall clock is not known to the grammar: A is around it by name.
var pools = map[byte][]string{
	'K': {"a", "b", "c", "d", ""},
	'V': {"", "1", "-1", "10", "abc", "3.5", "9223372036854775807", "-9223372036854775808", " 1", "01", "\r\n\x00\xff", strings.Repeat("x", 45), "5e3"},
	'I': {"0", "1", "-1", "2", "-3", "5", "100", "9223372036854775807", "-9223372036854775808", "x", "", "1.5", "+1", "01"},
	'R': {"0", "1", "3", "7", "-1", "536870912", "9223372036854775807", "x"},
	'F': {"0", "1", "-1", "0.1", "3.0e3", "1e-5", "1e17", "-2.5", "nan", "inf", "x", "", " 1", "1 ", "0x10", "5.0"},
	'T': {"1", "2", "5", "10", "50", "1000", "100000", "0", "-1", "x", "9223372036854775807", "9223372036854775000"},
	'S': {"1", "2", "100", "0", "-1", "x", "9223372036854775807", "9223372036854776"},
	'A': {"1", "0", "-1", "32503680000000", "9223372036854775807", "x", "253402300800"},
	'O': {"NX", "XX", "GET", "KEEPTTL", "PX", "EX", "PXAT", "EXAT", "PERSIST", "10", "100000", "0", "nx", "JUNK"},
	'E': {"NX", "XX", "GT", "LT", "gt", "JUNK"},
	'P': {"*", "a", "[ab]", "?", "", "[^a]", "\\a", "a*b", "[a-c]"},
	'D': {"0", "1", "15", "16", "-1", "x"},
}

// reader hands out bytes; past the end it hands out zeros.
type reader struct{ data []byte }

func (r *reader) next() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) pick(words []string) string { return words[int(r.next())%len(words)] }

const (
	actionsMax = 200
	clientsMax = 3
	anyCommand = 0xfe // an action byte: any command of the table with any words
	pauseByte  = 0xff // an action byte: time passes
)

func decodeProgram(data []byte) program {
	r := &reader{data}
	var p program
	for len(r.data) > 0 && len(p) < actionsMax {
		kind, how := r.next(), r.next()
		if kind == pauseByte {
			p = append(p, action{pause: pauses[int(how)%len(pauses)]})
			continue
		}
		a := action{client: int(how) % clientsMax, cut: int(how) / clientsMax % 16}
		if kind == anyCommand {
			a.cmd = r.anyCommand()
		} else {
			a.cmd = r.expand(templates[int(kind)%len(templates)])
		}
		if model.Models(a.cmd) {
			p = append(p, a)
		}
	}
	return p
}

var pauses = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 6 * time.Millisecond,
	51 * time.Millisecond, time.Second, 100 * time.Second,
}

func (r *reader) expand(template string) [][]byte {
	var cmd [][]byte
	for word := range strings.FieldsSeq(template) {
		if pool := pools[word[0]]; pool != nil && len(word) == 1 {
			word = r.pick(pool)
		}
		cmd = append(cmd, []byte(word))
	}
	return cmd
}

// anyCommand takes a name from the table and up to five words from any pool: wrong arity, wrong
// types, options where none belong.
func (r *reader) anyCommand() [][]byte {
	name := commands.Table[int(r.next())%len(commands.Table)].Name
	var cmd [][]byte
	for word := range strings.SplitSeq(name, "|") {
		cmd = append(cmd, []byte(word))
	}
	const letters = "KVIRFTSAOEPD"
	for n := int(r.next()) % 6; n > 0; n-- {
		cmd = append(cmd, []byte(r.pick(pools[letters[int(r.next())%len(letters)]])))
	}
	return cmd
}

// encodeProgram is a program that decodes to something close to a conversation: its commands by
// their first template, words where a pool has them.
func encodeProgram(s spec.Script) []byte {
	var out []byte
	for _, step := range s.Steps {
		switch {
		case step.Kind == spec.Wait:
			out = append(out, pauseByte, 4)
		case len(step.Args) > 0:
			for i, t := range templates {
				words := strings.Fields(t)
				if len(words) == len(step.Args) && strings.EqualFold(words[0], string(step.Args[0])) {
					out = append(out, byte(i), step.Conn[0]-'a')
					out = append(out, encodeWords(words, step.Args)...)
					break
				}
			}
		}
	}
	return out
}

func encodeWords(words []string, args [][]byte) []byte {
	var out []byte
	for i, word := range words {
		pool := pools[word[0]]
		if len(word) > 1 || pool == nil {
			continue
		}
		choice := byte(len(args[i]))
		for j, w := range pool {
			if w == string(args[i]) {
				choice = byte(j)
			}
		}
		out = append(out, choice)
	}
	return out
}
