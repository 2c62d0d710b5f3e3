package synth

import (
	"fmt"
	"strconv"
	"strings"
)

// Mix is a distribution of command lines.
type Mix struct {
	Name, Does string
	// GroupKeys is how many keys are used together; they are one component.
	GroupKeys int
	// forms are weights and command lines. K is a key of the group and J another one; V a value, D an
	// amount to add; T a time to live of 1 to 5 ms, U half of the time a long one that no other
	// command uses, A the same as a date; O is NX, GT or LT. A form may be several lines, sent one
	// after the other; "MULTI n" is a transaction of up to n lines.
	forms string
}

// Mixes are all of them.
var Mixes = []Mix{
	{Name: "register", Does: "GET and SET", forms: "1 GET K|1 SET K V"},
	{Name: "ttlreg", Does: "GET and SET PX", forms: "1 GET K|1 SET K V PX T"},
	{Name: "hidden", Does: "GET, SET PX and EXISTS: no reply tells a deadline",
		forms: "5 GET K|3 SET K V PX T|2 EXISTS K"},
	{Name: "lock", Does: "SET NX PX, DEL, GET and PTTL",
		forms: "4 SET K V NX PX T|2 DEL K|3 GET K|1 PTTL K"},
	{Name: "counter", Does: "INCR, PEXPIRE NX, GET and PTTL",
		forms: "4 INCR K|2 PEXPIRE K T NX|3 GET K|1 PTTL K"},
	{Name: "full", Does: "18 forms of 15 commands with plain replies",
		forms: "8 SET K V|8 SET K V PX U|4 SET K V KEEPTTL|3 SETNX K V|20 GET K|3 GETDEL K|" +
			"4 GETEX K PX U|3 GETSET K V|8 INCR K|3 DEL K|5 EXISTS K|5 PEXPIRE K U|" +
			"12 PEXPIRE K U O|2 PEXPIREAT K A|4 PERSIST K|4 PTTL K|3 TTL K|3 PEXPIRETIME K"},
	{Name: "fullg", Does: "the same, self-describing: SET GET, GETEX, increments that differ",
		forms: "8 SET K V GET|8 SET K V PX U GET|4 SET K V KEEPTTL GET|3 SET K V NX GET|20 GET K|" +
			"3 GETDEL K|8 GETEX K PX U|3 GETEX K PERSIST|8 INCRBY K D|3 DEL K|5 EXISTS K|" +
			"3 PEXPIRE K U|6 PEXPIRE K U O|2 PEXPIREAT K A|2 PERSIST K|4 PTTL K|3 TTL K|" +
			"3 PEXPIRETIME K"},
	{Name: "tx", Does: "several keys: EXEC, WATCH, RENAME, COPY, MGET, beside single commands",
		GroupKeys: 3,
		forms: "8 SET K V PX U GET|10 GET K|4 INCRBY K D|3 DEL K|3 GETEX K PX U|3 PTTL K|4 MGET K J|" +
			"3 RENAME K J|3 COPY K J REPLACE|2 MSET K V J V|6 MULTI 3|3 WATCH K;MULTI 2|" +
			"3 WATCH K J;GET K;MULTI 2|1 WATCH K;UNWATCH"},
}

// form is a sequence of command lines, cut into words.
type form struct {
	lines [][]string
	multi bool // some line is a transaction
}

// plan is a mix ready to draw from: a form for each unit of weight.
type plan struct {
	drawn  []*form
	single []*form // those that may stand in a transaction
	keys   int
}

func (m Mix) plan() plan {
	p := plan{keys: max(1, m.GroupKeys)}
	for _, text := range strings.Split(m.forms, "|") {
		weight, lines, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(weight)
		if err != nil {
			panic(fmt.Sprintf("synth: the form %q of mix %s has no weight", text, m.Name))
		}
		f := &form{}
		for _, line := range strings.Split(lines, ";") {
			f.lines = append(f.lines, strings.Fields(line))
			f.multi = f.multi || f.lines[len(f.lines)-1][0] == "MULTI"
		}
		for range n {
			p.drawn = append(p.drawn, f)
			if len(f.lines) == 1 && !f.multi {
				p.single = append(p.single, f)
			}
		}
	}
	return p
}

// The times to live, in ms. Long ones are all different, so that a PTTL names its writer, and none
// of them ends within a recording.
const (
	shortMax = 5
	longMin  = 100_000
)

// words fills a line's placeholders. now is when it is called, by the server's clock.
func (s *simulation) words(g *group, line []string, now int64) [][]byte {
	out := make([][]byte, len(line))
	k := 0
	if len(g.names) > 1 {
		k = s.rng.IntN(len(g.names))
	}
	for i, w := range line {
		switch w {
		case "K":
			out[i] = g.names[k]
		case "J":
			out[i] = g.names[(k+1)%len(g.names)]
		case "V":
			out[i] = number(s.value())
		case "D":
			out[i] = number((1+s.rng.Int64N(1<<20))<<20 | 1)
		case "T":
			out[i] = short[s.rng.IntN(shortMax)]
		case "U":
			if n := s.life(); n <= shortMax {
				out[i] = short[n-1]
			} else {
				out[i] = number(n)
			}
		case "A":
			out[i] = number(now + s.life())
		case "O":
			out[i] = s.fixed([]string{"NX", "GT", "LT"}[s.rng.IntN(3)])
		default:
			out[i] = s.fixed(w)
		}
	}
	return out
}

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// life is a time to live, short or long.
func (s *simulation) life() int64 {
	if s.rng.IntN(2) == 0 {
		return 1 + s.rng.Int64N(shortMax)
	}
	s.made++
	return longMin + s.made*13
}

var short = func() (out [shortMax][]byte) {
	for i := range out {
		out[i] = number(int64(i + 1))
	}
	return out
}()

// fixed is a word as bytes, made once: a recording of a million operations shares its words.
func (s *simulation) fixed(w string) []byte {
	b, ok := s.shared[w]
	if !ok {
		b = []byte(w)
		s.shared[w] = b
	}
	return b
}

// value is a multiple of 2^20: it names its writer, and increments count in its low bits.
func (s *simulation) value() int64 {
	if s.Values > 0 {
		return (1 + s.rng.Int64N(int64(s.Values))) << 20
	}
	s.made++
	return s.made << 20
}

// Describe says what a mix is made of; "" if there is none of that name.
func Describe(mix string) string {
	for _, m := range Mixes {
		if m.Name == mix {
			return m.Does
		}
	}
	return ""
}
