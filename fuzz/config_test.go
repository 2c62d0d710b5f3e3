package fuzz

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rondo/check/wire"
	"rondo/impl"
	"rondo/model"
)

// FuzzConfig: the bytes are a configuration file. Reading it never panics, and takes all or nothing:
// an error names the first line that is wrong. What is taken reads back as it was given, and written
// down again it is the same configuration.
//
// Line by line the same words are given to a running server by CONFIG SET, which must take what the
// file may say, but for what is decided at the start.
func FuzzConfig(f *testing.F) {
	for _, seed := range configSeeds() {
		addSeed(f, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > configBytesMax {
			return
		}
		cfg := impl.DefaultConfig()
		if err := cfg.Parse(confName, bytes.NewReader(text)); err != nil {
			configRefused(t, text, cfg, err)
		} else {
			configRewritten(t, cfg)
		}
		configLines(t, text)
	})
}

const (
	configBytesMax = 8 << 10
	configLinesMax = 40
	confName       = "rondo.conf"
)

// configSeeds are a file with every option, and what options may and may not be told.
func configSeeds() []string {
	var all strings.Builder
	for _, o := range optionNames() {
		all.WriteString(confLine(o, defaultOf(o)))
	}
	return []string{all.String(),
		"maxmemory-clients 1gb\nmaxmemory-policy nosuch\nmaxmemory x\nproto-max-bulk-len 1\nhz x\nbind \"\"\n",
		"metrics-addr nohost\nmetrics-addr 127.0.0.1:1\nlatency-tracking-info-percentiles x\ndynamic-hz maybe\n",
		"# comment\n\n port 7000 \nbind 127.0.0.1 -::1\nREQUIREPASS \"two \\x41\\n\" # no\n",
		"requirepass 'it\\'s'\nlogfile ''\nrequirepass \"a\"b\nrequirepass \"open\n",
		"client-output-buffer-limit normal 1gb 64MB 30 replica 0 0 0 pubsub 1k 1kb 1\n",
		"client-output-buffer-limit normal 1 2\nclient-output-buffer-limit x 1 2 3\n",
		"maxmemory 100mb\nmaxmemory-clients 5%\nmaxmemory-clients 101%\nmaxmemory-policy ALLKEYS-lru\n",
		"hz 0\nhz 100000\nlatency-tracking-info-percentiles 0 50.5 1e2 100.1\nmetrics-addr :1\n",
		"timeout -1\ntimeout 0x10\ntimeout 9223372036854775808\nmaxclients 0\nprotected-mode YES\n",
		"save \"\"\nsave 3600 1\nappendonly yes\nport 1 2\nport\nnosuch 1\nmemory-limit 1\nloglevel loud\n",
	}
}

// optionNames are all options, by what a server shows.
var optionNames = sync.OnceValue(func() []string {
	return slices.Sorted(maps.Keys(optionsOf(newSolo(impl.DefaultConfig()))))
})

func defaultOf(option string) string {
	cfg := impl.DefaultConfig()
	value, _ := cfg.Get(option)
	return value
}

// confLine writes an option as a line of a file; every byte that means something there is escaped.
func confLine(option, value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return option + ` "` + b.String() + "\"\n"
}

// configRefused: the error names the line, all lines before it are right, and nothing was taken.
func configRefused(t *testing.T, text []byte, cfg impl.Config, err error) {
	if !reflect.DeepEqual(cfg, impl.DefaultConfig()) {
		t.Fatalf("a file with an error was taken in part: %v", err)
	}
	number, _, ok := strings.Cut(strings.TrimPrefix(err.Error(), confName+":"), ": ")
	n, bad := strconv.Atoi(number)
	lines := bytes.SplitAfter(text, []byte("\n"))
	if !ok || bad != nil || n < 1 || n > len(lines) {
		t.Fatalf("no line of %d is named: %v", len(lines), err)
	}
	before := bytes.Join(lines[:n-1], nil)
	if early := cfg.Parse(confName, bytes.NewReader(before)); early != nil {
		t.Fatalf("line %d is named, and one before it is wrong: %v", n, early)
	}
}

// configRewritten: a configuration that is written down is the same when it is read.
func configRewritten(t *testing.T, cfg impl.Config) {
	var text strings.Builder
	names := optionNames()
	for _, o := range names {
		value, _ := cfg.Get(o)
		text.WriteString(confLine(o, value))
	}
	again := impl.DefaultConfig()
	if err := again.Parse(confName, strings.NewReader(text.String())); err != nil {
		t.Fatalf("what was written down is not taken: %v", err)
	}
	for _, o := range names {
		was, _ := cfg.Get(o)
		if is, _ := again.Get(o); is != was {
			t.Fatalf("%s was %q and is %q when it was written down", o, was, is)
		}
	}
}

// configLines gives each line to a file's reader and to a running server.
func configLines(t *testing.T, text []byte) {
	cfg := impl.DefaultConfig()
	server := newSolo(cfg)
	shown := optionsOf(server)
	lines := bytes.Split(text, []byte("\n"))
	for _, line := range lines[:min(len(lines), configLinesMax)] {
		words, ok := inlineWords(line)
		if !ok || len(words) < 2 {
			continue
		}
		option, given := strings.ToLower(words[0]), strings.Join(words[1:], " ")
		fileErr := cfg.Parse(confName, bytes.NewReader(line))
		if value, _ := cfg.Get(option); fileErr == nil && !sameSetting(option, given, value) {
			t.Fatalf("%q reads back as %q", line, value)
		}
		said, _ := server.ask("CONFIG", "SET", words[0], given)
		before := shown
		if shown = optionsOf(server); shown == nil {
			return // the new limits are for this client too
		}
		taken := said.Kind == model.Simple
		if why := differs(fileErr, taken, said.Str); why != "" {
			t.Fatalf("%q: a file's reader says %v, CONFIG SET %s: %s", line, fileErr, said, why)
		}
		if taken {
			if !sameSetting(option, given, shown[option]) {
				t.Fatalf("CONFIG SET %s %q reads back as %q", option, given, shown[option])
			}
			before[option] = shown[option]
		}
		if !maps.Equal(before, shown) {
			t.Fatalf("CONFIG SET %s %q (%s) has changed other options:\n%q\n%q", option, given, said, before, shown)
		}
	}
}

// differs says why a file and CONFIG SET may not disagree like that. They may about what is decided
// at the start, about how many values there are, and about limits that only the server knows.
func differs(file error, taken bool, said string) string {
	switch {
	case file == nil && !taken:
		for _, may := range []string{"immutable", "operating system", "memory-limit"} {
			if strings.Contains(said, may) {
				return ""
			}
		}
		return "the server refuses what the file may say"
	case file != nil && taken && !strings.Contains(file.Error(), "takes one value"):
		return "the file may not say what the server takes"
	}
	return ""
}

// inlineWords splits a line as the judge's parser of inline commands does.
func inlineWords(line []byte) (words []string, ok bool) {
	if len(line) == 0 || line[0] == '*' || bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
		return nil, false
	}
	args, n, err := wire.ParseCommand(append(slices.Clip(line), '\r', '\n'))
	return toStrings(args), err == nil && n > 0
}

// sameSetting is what it means that a value reads back as given.
func sameSetting(option, given, shown string) bool {
	switch option {
	case "hz":
		n, err := strconv.ParseInt(given, 10, 64)
		return err == nil && shown == strconv.FormatInt(max(1, min(n, 500)), 10)
	case "bind":
		return strings.Join(strings.Fields(given), " ") == shown
	case "latency-tracking-info-percentiles":
		return sameNumbers(strings.Fields(given), strings.Fields(shown))
	case "client-output-buffer-limit":
		return sameLimits(strings.Fields(given), strings.Fields(shown))
	}
	if shown == given || strings.EqualFold(shown, given) && freeText[option] == 0 {
		return true
	}
	a, ok1 := amount(given)
	b, ok2 := amount(shown)
	return ok1 && ok2 && a == b
}

// freeText are the options whose letters are not to be changed.
var freeText = map[string]int{"requirepass": 1, "logfile": 1, "unixsocket": 1, "event-backend": 1, "metrics-addr": 1}

func sameNumbers(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool {
		p, err1 := strconv.ParseFloat(x, 64)
		q, err2 := strconv.ParseFloat(y, 64)
		return err1 == nil && err2 == nil && p == q
	})
}

// sameLimits: of each class that is given the last limits are shown.
func sameLimits(given, shown []string) bool {
	want := map[string][]string{}
	for ; len(given) >= 4; given = given[4:] {
		want[strings.Replace(strings.ToLower(given[0]), "replica", "slave", 1)] = given[1:4]
	}
	for ; len(shown) >= 4; shown = shown[4:] {
		for i, v := range want[shown[0]] {
			a, ok1 := amount(v)
			b, ok2 := amount(shown[1+i])
			if !ok1 || !ok2 || a != b {
				return false
			}
		}
	}
	return len(given) == 0 && len(shown) == 0
}

var amountForm = regexp.MustCompile(`(?i)^\+?(-?[0-9]+)(b|k|kb|m|mb|g|gb|%)?$`)

// amount reads a number with a unit.
func amount(text string) (n int64, ok bool) {
	m := amountForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := int64(1)
	switch strings.ToLower(m[2]) {
	case "k":
		unit = 1e3
	case "m":
		unit = 1e6
	case "g":
		unit = 1e9
	case "kb":
		unit = 1 << 10
	case "mb":
		unit = 1 << 20
	case "gb":
		unit = 1 << 30
	case "%":
		unit = -1
	}
	return n * unit, err == nil && n <= math.MaxInt64/max(1, unit)
}

// optionsOf is what CONFIG GET * shows; nil if the server has closed the connection.
func optionsOf(s *solo) map[string]string {
	said, open := s.ask("CONFIG", "GET", "*")
	if !open {
		return nil
	}
	all := map[string]string{}
	for i := 0; i+1 < len(said.Elems); i += 2 {
		all[said.Elems[i].Str] = said.Elems[i+1].Str
	}
	return all
}
