package impl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"rondo/impl/command"
	"rondo/impl/store"
)

// A Config comes about in this order: the defaults, then the lines of a file, then the flags of
// the command line; CONFIG SET changes it later. All four meet in the table of options.go.

// Config is what an operator may decide. Its zero value is of no use: see DefaultConfig.
type Config struct {
	Bind       []string // hosts; one that begins with '-' may fail to bind
	Port       int64    // 0: no TCP, unless AnyPort
	AnyPort    bool     // listen on whatever port is free
	UnixSocket string   // path, empty for none

	ProtectedMode bool
	RequirePass   string
	DebugCommand  string // enable-debug-command: no, yes, local

	MaxClients    int64
	TimeoutSecs   int64 // 0: never
	KeepaliveSecs int64 // 0: off
	BulkBytesMax  int64 // proto-max-bulk-len
	QueryBytesMax int64 // client-query-buffer-limit
	Output        [outputClasses]OutputLimit

	ProcessMax      int64  // memory-limit, of which Main makes two; 0: none
	MemoryMax       int64  // maxmemory; 0: no limit
	MemoryPolicy    string // maxmemory-policy
	ClientsMax      int64  // maxmemory-clients; below 0 in percent of MemoryMax, 0: no limit
	EvictSamples    int64  // maxmemory-samples
	EvictTenacity   int64  // maxmemory-eviction-tenacity, 0 to 100
	LFULogFactor    int64
	LFUDecayMinutes int64  // 0: never
	ActiveExpiry    string // ordered or sampled
	ExpireEffort    int64  // active-expire-effort of sampled, 1 to 10

	Reporting   command.Reporting // SLOWLOG, LATENCY, INFO latencystats
	Percentiles []float64         // latency-tracking-info-percentiles
	MetricsAddr string            // where Main serves Metrics, empty for nowhere

	Databases    int64
	Lazy         [5]bool // lazyfree-lazy-...: of no effect
	HugePages    bool    // ask the system for pages of 2 MiB for keys
	ActiveDefrag bool    // memory that deletions have left sparse is made dense again
	Hz           int64
	DynamicHz    bool
	EventBackend string // what Main opens, empty: the best there is; New takes its kernel's
	LogLevel     string
	LogFile      string        // what Main opens, empty: standard output
	Log          io.Writer     // where the log goes; nil: nowhere
	Memory       *store.Memory // where keys live; nil: the Go heap. Of one server only
	Scratch      *Scratch      // what it works in; nil: its own
	source       string        // the file that was parsed, for INFO
}

// OutputLimit bounds the replies a client has not read: it is closed once Hard bytes are pending,
// or Soft bytes for longer than SoftSecs (CONN-15, CONN-16). 0 means no bound.
type OutputLimit struct{ Hard, Soft, SoftSecs int64 }

// Classes of clients with an output limit of their own. The words are Redis'.
const (
	classNormal = iota
	classReplica
	classPubsub
	outputClasses
)

// DefaultConfig is what holds where nothing is said: Redis' defaults, but for the loopback address
// and a bound for the output of normal clients, where Redis has none.
func DefaultConfig() Config {
	return Config{
		Bind:          []string{"127.0.0.1"},
		Port:          6379,
		ProtectedMode: true,
		DebugCommand:  "no",
		MaxClients:    10000,
		KeepaliveSecs: 300,
		BulkBytesMax:  512 << 20,
		QueryBytesMax: 1 << 30,
		Output: [outputClasses]OutputLimit{
			classNormal:  {256 << 20, 64 << 20, 60},
			classReplica: {256 << 20, 64 << 20, 60},
			classPubsub:  {32 << 20, 8 << 20, 60},
		},
		MemoryPolicy:    noEviction,
		EvictSamples:    5,
		EvictTenacity:   10,
		LFULogFactor:    10,
		LFUDecayMinutes: 1,
		ActiveExpiry:    orderedExpiry,
		ExpireEffort:    1,
		Reporting:       command.Reporting{SlowMicros: 10_000, SlowMax: 128, Tracking: true},
		Percentiles:     []float64{50, 99, 99.9},
		Databases:       16,
		ActiveDefrag:    true,
		Hz:              10,
		DynamicHz:       true,
		LogLevel:        "notice",
	}
}

// Set changes one option, in Redis' name and syntax; several words are one value with blanks.
func (c *Config) Set(name, value string) error {
	o := findOption(name)
	if o == nil {
		return fmt.Errorf("unknown option %q", clip(name))
	}
	return o.set(c, value)
}

// Get is the value of an option, as CONFIG GET shows it and Set takes it.
func (c *Config) Get(name string) (value string, ok bool) {
	o := findOption(name)
	if o == nil {
		return "", false
	}
	return o.get(c), true
}

// heapShare is what memory-limit leaves to the Go heap; 0 is no limit.
func (c *Config) heapShare() int64 {
	if c.ProcessMax == 0 {
		return 0
	}
	return max(heapShareMin, min(c.ProcessMax/8, heapShareMax))
}

// checkMemory refuses limits that do not go together.
func (c *Config) checkMemory() error {
	room := c.ProcessMax - c.heapShare()
	switch {
	case c.ProcessMax == 0:
		return nil
	case room < heapShareMin:
		return refusal(fmt.Sprintf("memory-limit must be 0, or %d at least", 2*heapShareMin))
	case c.MemoryMax == 0 || c.MemoryMax > room:
		return refusal(fmt.Sprintf("memory-limit leaves %d bytes for maxmemory", room))
	}
	return nil
}

// divideMemory makes a limit for keys and clients, and one for the Go heap, of that for the process.
func (c *Config) divideMemory() {
	if c.ProcessMax > 0 && c.MemoryMax == 0 {
		c.MemoryMax = c.ProcessMax - c.heapShare()
	}
}

// ParseFile is Parse of a file.
func (c *Config) ParseFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the configuration: %w", err)
	}
	defer f.Close()
	return c.Parse(path, f)
}

// Parse reads lines "option value ...", with Redis' quotes and # comments. An error names the file
// and the line, and nothing of the file has been applied then.
func (c *Config) Parse(path string, r io.Reader) error {
	next := *c
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, configLineMax)
	n := 0
	for lines.Scan() {
		n++
		if err := next.parseLine(lines.Text()); err != nil {
			return fmt.Errorf("%s:%d: %w\n\t%s", path, n, err, strings.TrimSpace(lines.Text()))
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: the line is longer than %d bytes", path, n+1, configLineMax)
	} else if err != nil {
		return fmt.Errorf("cannot read the configuration: %w", err)
	}
	next.source = path
	*c = next
	return nil
}

func (c *Config) parseLine(line string) error {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	words, err := splitWords(line)
	if err != nil {
		return err
	}
	o := findOption(words[0])
	switch {
	case o == nil:
		return fmt.Errorf("unknown option %q", clip(words[0]))
	case len(words) == 1:
		return fmt.Errorf("option %s lacks a value", o.name)
	case len(words) > 2 && !o.many:
		return fmt.Errorf("option %s takes one value, not %d", o.name, len(words)-1)
	}
	if err := o.set(c, strings.Join(words[1:], " ")); err != nil {
		return fmt.Errorf("option %s: %w", o.name, err)
	}
	return nil
}

var errQuotes = errors.New("unbalanced quotes")

// splitWords splits a line at blanks; a word may be quoted as in redis-cli: "..." with escapes,
// '...' with \' alone.
func splitWords(line string) (words []string, err error) {
	for {
		line = strings.TrimLeft(line, " \t\r\n\v\f")
		if line == "" {
			return words, nil
		}
		var word string
		if word, line, err = nextWord(line); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}

// nextWord takes the word that line begins with. A closing quote must end it. Form feed and vertical tab
// do not, though they are blanks before a word: so it is in Redis, as for inline commands (WIRE-5).
func nextWord(line string) (word, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch ch := line[i]; {
		case strings.IndexByte(" \t\r\n", ch) >= 0:
			return b.String(), line[i:], nil
		case ch == '"' || ch == '\'':
			n, ok := quoted(&b, line[i+1:], ch)
			i += 1 + n
			if !ok || i < len(line) && strings.IndexByte(" \t\r\n\v\f", line[i]) < 0 {
				return "", "", errQuotes
			}
		default:
			b.WriteByte(ch)
			i++
		}
	}
	return b.String(), "", nil
}

// quoted reads up to and with the closing quote q; n is how many bytes that were.
func quoted(b *strings.Builder, s string, q byte) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == q:
			return i + 1, true
		case s[i] == '\\' && i+1 < len(s) && (q == '"' || s[i+1] == '\''):
			i += unescape(b, s[i+1:])
		default:
			b.WriteByte(s[i])
		}
	}
	return len(s), false
}

// unescape writes the byte that the escape s stands for; n is how many bytes of s it took.
func unescape(b *strings.Builder, s string) (n int) {
	if s[0] == 'x' && len(s) >= 3 {
		if v, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			b.WriteByte(byte(v))
			return 3
		}
	}
	if i := strings.IndexByte("nrtba", s[0]); i >= 0 {
		b.WriteByte("\n\r\t\b\a"[i])
	} else {
		b.WriteByte(s[0])
	}
	return 1
}

// clip keeps an echoed name short.
func clip(s string) string { return s[:min(len(s), nameBytesMax)] }
