package model

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Tests of the parts, from inside the package.

func TestInteger(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, "-7": -7, "120": 120,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64} {
		if got, ok := integer([]byte(text)); !ok || got != want {
			t.Errorf("%q is %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", "+1", "01", "-0", "-01", "00", " 1", "1 ", "1.0", "1e3",
		"0x1",
		"1_0",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999", "1\x00", "--1"} {
		if got, ok := integer([]byte(text)); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// TestFloats: texts seen on Redis 7.0.15 on x86-64, as INCRBYFLOAT of a missing key answers.
func TestFloats(t *testing.T) {
	for text, want := range map[string]string{
		"3.0e3": "3000", "0.1": "0.1", "-.5": "-0.5", "5.": "5", "+1": "1", "1e+5": "100000",
		"-0":   "0",
		"0x10": "16", "0X1.8p1": "3", "0x.8": "0.5", "1e-17": "0.00000000000000001", "1e-18": "0",
		"4e-18": "0", "6e-18": "0.00000000000000001", "-1e-20": "0", "0e99999999999": "0",
		"1234567890123456789012": "1234567890123456788992", "3.6e-4951": "0", "0x1p-16445": "0",
		"0.1234567890123456789": "0.12345678901234568", "1e99999999999": "", "1e4933": "",
		"1e-99999999999": "", "1.8e-4951": "", "0x1p-16446": "", "0x1p16384": "", "": "",
		"e5": "", ".": "", "1e": "",
		"1p5": "", "0x": "", "0x.p1": "", "nan": "", " 1": "", "1 ": "", "1_0": "", "0b1": "",
		"1\x00": "", "infi": "",
	} {
		x, ok := parseFloat(text)
		got := ""
		if ok {
			got, ok = addFloats(x, new(big.Float).SetPrec(floatPrec))
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q gives %q, %v; want %q", text, got, ok, want)
		}
	}
	if largest, ok := parseFloat("1.18973149535723176502e4932"); !ok {
		t.Error("the largest long double is refused")
	} else if _, ok := addFloats(largest, largest); ok {
		t.Error("an overflow is no error")
	}
	if x, ok := parseFloat(strings.Repeat("9", floatTextMax)); ok {
		t.Errorf("a text as long as Redis' buffer is %v", x)
	}
}

// globBySpec is the matcher as a definition: what the first element may match, then the rest.
func globBySpec(pattern, s string) bool {
	if pattern == "" || s == "" && pattern[0] != '*' {
		return pattern == "" && s == ""
	}
	if pattern[0] == '*' {
		return globBySpec(pattern[1:], s) || s != "" && globBySpec(pattern, s[1:])
	}
	ok, next := globOne(pattern, 0, s[0])
	return ok && globBySpec(pattern[next:], s[1:])
}

func TestGlobIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runes := func(from string) *rapid.Generator[rune] { return rapid.RuneFrom([]rune(from)) }
		pattern := rapid.StringOfN(runes("ab*?[]^-\\"), 0, 9, -1).Draw(t, "pattern")
		s := rapid.StringOfN(runes("ab-]"), 1, 6, -1).Draw(t, "string")
		if got, want := glob(pattern, s), globBySpec(pattern, s); got != want {
			t.Fatalf("%q matches %q: %v, want %v", pattern, s, got, want)
		}
	})
}

func TestGlobElements(t *testing.T) {
	for _, c := range []struct {
		pattern, yes, no string // bytes that match, that do not
	}{
		{"?", "ab]", ""}, {"a", "a", "b"}, {`\*`, "*", `a\`}, {`\`, `\`, "a"},
		{"[ab]", "ab", "c-]"},
		{"[^ab]", "c^", "ab"}, {"[a-c]", "abc", "d-"}, {"[c-a]", "abc", "d-"},
		{"[a-]", "a^]", "-b"},
		{`[\]]`, "]", `\a`}, {"[]a]", "", "]a"}, {"[ab", "ab", "c["}, {"[", "", "[a"},
		{"[^", "a[^", ""},
	} {
		for _, s := range c.yes {
			if !glob(c.pattern, string(s)) {
				t.Errorf("%q does not match %q", c.pattern, s)
			}
		}
		for _, s := range c.no {
			if glob(c.pattern, string(s)) {
				t.Errorf("%q matches %q", c.pattern, s)
			}
		}
	}
}

// counter is a clock that counts how it is asked.
type counter struct {
	Concrete
	reads, compares int
}

func (c *counter) Read() Instant            { c.reads++; return c.Concrete.Read() }
func (c *counter) Before(a, b Instant) bool { c.compares++; return c.Concrete.Before(a, b) }

// TestReadings: a server of profile `live` takes a reading of its own for the base of a relative
// time, for "is it past?", TTL, PTTL and TIME, and nowhere else; a plain SET asks nothing.
func TestReadings(t *testing.T) {
	set := "set k v px 100"
	for _, c := range []struct {
		before, line    string
		reads, compares int
	}{
		{set, "get k", 0, 1}, {set, "set k w", 0, 0}, {set, "mset k w", 0, 0},
		{set, "set k w nx", 0, 1},
		{set, "set k w px 5", 1, 0}, {set, "set k w pxat 5", 0, 0}, {set, "setex k 5 w", 1, 0},
		{set, "pexpire k 5", 2, 2}, {set, "pexpireat k 5", 1, 2}, {set, "pexpire k 5 gt", 1, 2},
		{set, "pexpire none 5", 1, 0}, {set, "pexpireat none 5", 0, 0},
		{set, "getex k px 5", 1, 1}, {set, "getex k pxat 5", 1, 2}, {set, "getex none px 5", 0, 0},
		{set, "pttl k", 1, 2}, {set, "ttl k", 1, 2}, {set, "pexpiretime k", 0, 1},
		{"set k v", "pttl k", 0, 0},
		{set, "time", 1, 0}, {set, "rename k l", 0, 1}, {set, "copy k l", 0, 1},
		{set, "flushall", 0, 0}, {set, "swapdb 0 1", 0, 0},
		{set, "watch k", 0, 1}, {set, "del k k", 0, 1}, {set, "exists k k", 0, 2},
	} {
		s, _ := Step(&Concrete{Ms: 1000}, Initial(Options{}), 1, split(c.before))
		env := &counter{Concrete: Concrete{Ms: 1050}}
		Step(env, s, 1, split(c.line))
		if env.reads != c.reads || env.compares != c.compares {
			t.Errorf("%s; %s: %d readings and %d comparisons, want %d and %d", c.before, c.line,
				env.reads, env.compares, c.reads, c.compares)
		}
	}
}

func split(line string) (args [][]byte) {
	for _, word := range strings.Fields(line) {
		args = append(args, []byte(word))
	}
	return args
}

// advancing is a clock of profile live: every further reading is a millisecond later.
type advancing struct{ Concrete }

func (a *advancing) Now() Instant  { return At(1000) }
func (a *advancing) Read() Instant { a.Ms++; return At(a.Ms) }

// TestClampOfTTL: a key alive by the unit's reading whose deadline a later reading has passed
// shows 0, not a negative rest.
func TestClampOfTTL(t *testing.T) {
	for _, line := range []string{"pttl k", "ttl k"} {
		s, _ := Step(&Concrete{Ms: 900}, Initial(Options{}), 1, split("set k v px 100"))
		_, outs := Step(&advancing{Concrete{Ms: 1000}}, s, 1, split(line))
		if outs[0].Msg.Kind != Int || outs[0].Msg.Int != 0 {
			t.Errorf("%s: %v", line, outs[0].Msg)
		}
	}
}

// labelled checks the promise of labels: the reply contains the label of the alternative taken.
type labelled struct {
	Concrete
	label string
}

func (l *labelled) Choose(n int, label func(int) string) int {
	i := l.Concrete.Choose(n, label)
	l.label = label(i)
	return i
}

func TestLabelsKeepTheirPromise(t *testing.T) {
	s, _ := Step(&Concrete{}, Initial(Options{}), 1, split("mset a 1 b 2 c 3"))
	allowed := 0
	for i := range 4 {
		env := &labelled{Concrete: Concrete{Pick: func(int) int { return i }}}
		_, outs := Step(env, s, 1, split("randomkey"))
		if !env.Rejected {
			allowed++
			if env.label != outs[0].Msg.Str {
				t.Errorf("label %q, reply %v", env.label, outs[0].Msg)
			}
		}
	}
	if allowed != 3 {
		t.Errorf("%d alternatives for three keys", allowed)
	}
}

// TestModels: what is decided, what is not.
func TestModels(t *testing.T) {
	for line, want := range map[string]bool{
		"get k": true, "GET": true, "nosuch": true, "client getname": true,
		"client nosuch": true, "client": true,
		"config get": true, "config get x": false, "client list": false,
		"client pause 1": false, "info": false,
		"hset k f v": false, "shutdown": false, "debug sleep 0": false, "": false,
		"xgroup help": false,
	} {
		if got := Models(split(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
		if want {
			continue
		}
		s, outs := Step(&Concrete{}, Initial(Options{}), 1, split(line))
		untouched := string(Initial(Options{}).Shape(nil))
		if line != "" && (outs[0].Msg.Kind != Any || string(s.Shape(nil)) != untouched) {
			t.Errorf("%q: %v", line, outs[0].Msg)
		}
	}
}

// TestWaits: what the examples cannot show, because their clock is not the model's.
func TestWaits(t *testing.T) {
	step := func(s State, c Client, ms int64, line string) (State, []Out) {
		return Step(&Concrete{Ms: ms}, s, c, split(line))
	}
	s, outs := step(Initial(Options{}), 1, 100, "blpop k 0.5")
	if len(outs) != 0 || !s.Waiting(1) || s.Waiting(2) {
		t.Fatalf("1 does not wait: %v", outs)
	}
	s, _ = step(s, 2, 200, "brpop j k 0")
	due := Due(s)
	if len(due) != 1 || due[0] != (Event{At: At(600), Client: 1}) {
		t.Fatalf("due: %v", due)
	}
	if same, outs := step(s, 1, 300, "ping"); len(outs) > 0 || !same.Waiting(1) {
		t.Error("who waits executes")
	}
	if gone := Close(s, 1); gone.Waiting(1) || len(Due(gone)) > 0 {
		t.Error("who has gone waits")
	}
	fired, outs := Fire(&Concrete{Ms: 700}, s, due[0])
	if len(outs) != 1 || outs[0].To != 1 || !outs[0].Msg.IsNull() || fired.Waiting(1) {
		t.Errorf("fired: %v", outs)
	}
	served, outs := step(s, 3, 300, "rpush k a b c")
	if len(outs) != 3 || outs[0].To != 3 || outs[1].To != 1 || outs[2].To != 2 {
		t.Errorf("served: %v", outs)
	}
	alone, _ := step(Initial(Options{}), 9, 0, "rpush k b")
	if string(served.Shape(nil)) != string(alone.Shape(nil)) {
		t.Errorf("left over:\n%s", served.Describe())
	}
	later := s.WithInstants(func(int) Instant { return Instant{Var: 3} })
	if Due(later)[0].At.Var != 3 || Due(s)[0].At.Var != 0 {
		t.Error("a timeout has no slot")
	}
}

func BenchmarkStep(b *testing.B) {
	s := Initial(Options{})
	for _, line := range []string{"set a 1 px 100", "set b 2", "set c 3 px 50", "set d x",
		"set e y px 10"} {
		s, _ = Step(&Concrete{}, s, 1, split(line))
	}
	for _, line := range []string{"get a", "set a 2", "set c 5 px 10", "incrby b 5", "pttl a",
		"rename a b"} {
		b.Run(line, func(b *testing.B) {
			cmd, env := split(line), &Concrete{}
			b.ReportAllocs()
			for b.Loop() {
				Step(env, s, 1, cmd)
			}
		})
	}
	b.Run("Shape", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 256)
		for b.Loop() {
			buf = s.Shape(buf[:0])
		}
	})
}
