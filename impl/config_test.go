package impl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rondo/impl/store"
)

func parse(t *testing.T, text string) (Config, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rondo.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	err := cfg.ParseFile(path)
	return cfg, path, err
}

func TestConfigFile(t *testing.T) {
	cfg, _, err := parse(t, `
# a comment
  port 7000
bind 127.0.0.1 -::1
REQUIREPASS "two words \x41\n\x4g"
logfile ''
client-output-buffer-limit normal 1gb 64MB 30
client-output-buffer-limit replica 0 0 0 pubsub 1k 1kb 1
protected-mode no
save ""
appendonly no
hz 100000
`)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Port != 7000 || !slices.Equal(cfg.Bind, []string{"127.0.0.1", "-::1"}) ||
		cfg.RequirePass != "two words A\nx4g" || cfg.ProtectedMode || cfg.Hz != 500 {
		t.Fatalf("got %+v", cfg)
	}
	want := [outputClasses]OutputLimit{{1 << 30, 64 << 20, 30}, {}, {1000, 1024, 1}}
	if cfg.Output != want {
		t.Fatalf("got %v", cfg.Output)
	}
	addrs, optional := cfg.listenAddrs()
	if !slices.Equal(addrs, []string{"127.0.0.1:7000", "[::1]:7000"}) ||
		!slices.Equal(optional, []bool{false, true}) {
		t.Fatalf("listens at %q %v", addrs, optional)
	}
}

// A bad line is named by its number and shown, and says what would be right.
func TestConfigFileErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"prot 1", `unknown option "prot"`},
		{"port", "option port lacks a value"},
		{"port 1 2", "option port takes one value, not 2"},
		{"port x", "option port: argument couldn't be parsed into an integer"},
		{"port 65536", "argument must be between 0 and 65535 inclusive"},
		{`requirepass "open`, "unbalanced quotes"},
		{`requirepass "a"b`, "unbalanced quotes"},
		{"proto-max-bulk-len 1tb", "argument must be a memory value"},
		{"protected-mode maybe", "argument must be 'yes' or 'no'"},
		{"loglevel loud", "must be one of the following: debug, verbose, notice, warning"},
		{"save 3600 1", "option save takes one value"},
		{"appendonly yes", "there is no append-only file"},
		{"client-output-buffer-limit normal 1 2", "Wrong number of arguments"},
		{"client-output-buffer-limit other 1 2 3", "Invalid client class"},
		{"client-output-buffer-limit normal a 2 3", "Error in hard, soft or soft_seconds"},
	} {
		cfg, path, err := parse(t, "port 7000\n\n"+c.line+"\n")
		if err == nil {
			t.Errorf("%q was taken", c.line)
			continue
		}
		text := err.Error()
		if !strings.HasPrefix(text, path+":3: ") || !strings.Contains(text, c.want) ||
			!strings.Contains(text, "\n\t"+c.line) {
			t.Errorf("%q: error is %q", c.line, text)
		}
		if cfg.Port != 6379 {
			t.Errorf("%q: half of the file was applied", c.line)
		}
	}
}

func TestConfigLineTooLong(t *testing.T) {
	_, path, err := parse(t, "port 7000\n# "+strings.Repeat("x", configLineMax)+"\n")
	if err == nil || err.Error() != path+":2: the line is longer than 65536 bytes" {
		t.Errorf("error is %v", err)
	}
}

func TestParseMemory(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1b": 1, "1k": 1000, "1Kb": 1024, "2m": 2e6,
		"2MB": 2 << 20, "1g": 1e9, "1gb": 1 << 30, "": -1, "kb": -1, "-1": -1, "1kk": -1, "1 kb": -1,
		"9223372036854775807": 1<<63 - 1, "9223372036854775807k": -1, "1.5mb": -1} {
		if got, ok := parseMemory(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d %v", text, got, ok)
		}
	}
}

// Every option takes the value it shows, so that the output of CONFIG GET can be set again.
func TestOptionsTakeTheirOwnValue(t *testing.T) {
	cfg := DefaultConfig()
	if value, ok := cfg.Get("nosuch"); ok {
		t.Errorf("nosuch is %q", value)
	}
	for i := range options {
		o := &options[i]
		value, ok := cfg.Get(strings.ToUpper(o.name))
		if !ok {
			t.Errorf("there is no %s", o.name)
		}
		if err := o.set(&cfg, value); err != nil {
			t.Errorf("%s %q: %v", o.name, value, err)
		}
		if got := o.get(&cfg); got != value {
			t.Errorf("%s: %q became %q", o.name, value, got)
		}
		if o.help == "" && o.group != groupStub {
			t.Errorf("%s has no help", o.name)
		}
	}
}

// Huge pages are refused where there are none, and with them the file or the flag that asks for them.
func TestHugePagesAreRefusedWhereThereAreNone(t *testing.T) {
	cfg := DefaultConfig()
	if err := cfg.Set("huge-pages", "yes"); fmt.Sprint(err) != fmt.Sprint(store.HugePages()) {
		t.Errorf("huge-pages yes: %v, and the system says %v", err, store.HugePages())
	}
	if cfg.Set("huge-pages", "maybe") == nil {
		t.Error("huge-pages maybe is taken")
	}
	if err := cfg.Set("huge-pages", "no"); err != nil || cfg.HugePages {
		t.Errorf("huge-pages no: %v", err)
	}
}
