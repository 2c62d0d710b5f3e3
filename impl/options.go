package impl

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"

	"rondo/impl/store"
)

// The options: one line each, in the groups of -help. A name, its syntax and its meaning stand
// beside the two functions that read and change it, so that the file, the flags, CONFIG GET,
// CONFIG SET and the help text cannot disagree. Error texts are Redis' (CONN-25).

// refusal is why a value is not taken, in Redis' words, capitals and full stops included.
type refusal string

func (r refusal) Error() string { return string(r) }

type option struct {
	group, name, syntax, help string
	fixed                     bool // decided at the start: CONFIG SET refuses it
	many                      bool // takes several words
	get                       func(*Config) string
	set                       func(*Config, string) error
}

const (
	groupNet   = "Where it listens, and to whom"
	groupLimit = "Limits of a client"
	groupData  = "Keyspace"
	groupTell  = "What it says of itself"
	groupLoop  = "The loop and the log"
	groupStub  = "Accepted for compatibility; these values only"
)

var options = []option{
	{group: groupNet, name: "bind", syntax: "HOST ...", fixed: true, many: true,
		help: "addresses to listen at; -HOST may fail, * is every address",
		get:  func(c *Config) string { return strings.Join(c.Bind, " ") }, set: setBind},
	intOption(groupNet, "port", "N", "TCP port; 0 for none, see -addr for any free one",
		func(c *Config) *int64 { return &c.Port }, 0, 65535).atStart(),
	textOption(groupNet, "unixsocket", "PATH", "listen at this path too",
		func(c *Config) *string { return &c.UnixSocket }).atStart(),
	boolOption(groupNet, "protected-mode", "without a password serve only loopback peers",
		func(c *Config) *bool { return &c.ProtectedMode }),
	textOption(groupNet, "requirepass", "TEXT", "clients must AUTH with this password",
		func(c *Config) *string { return &c.RequirePass }),
	wordOption(groupNet, "enable-debug-command", "allow DEBUG to nobody, all, or local clients",
		func(c *Config) *string { return &c.DebugCommand }, "no", "yes", "local").atStart(),

	intOption(groupLimit, "maxclients", "N", "connections served at a time",
		func(c *Config) *int64 { return &c.MaxClients }, 1, math.MaxUint32),
	intOption(groupLimit, "timeout", "SECONDS", "close a client idle for so long; 0: never",
		func(c *Config) *int64 { return &c.TimeoutSecs }, 0, math.MaxInt32),
	intOption(groupLimit, "tcp-keepalive", "SECONDS", "probe a silent peer after so long; 0: never",
		func(c *Config) *int64 { return &c.KeepaliveSecs }, 0, math.MaxInt32),
	memoryOption(groupLimit, "proto-max-bulk-len", "longest argument and string",
		func(c *Config) *int64 { return &c.BulkBytesMax }, 1<<20),
	memoryOption(groupLimit, "client-query-buffer-limit", "longest incomplete request",
		func(c *Config) *int64 { return &c.QueryBytesMax }, 1<<20),
	{group: groupLimit, name: "client-output-buffer-limit", syntax: "CLASS HARD SOFT SECONDS ...",
		many: true, help: "unread replies a normal, replica or pubsub client may have",
		get: outputText, set: setOutput},

	intOption(groupData, "databases", "N", "keyspaces to SELECT",
		func(c *Config) *int64 { return &c.Databases }, 1, 1<<14).atStart(),
	hugePages(),
	boolOption(groupData, "activedefrag", "make memory dense again that deletions left sparse",
		func(c *Config) *bool { return &c.ActiveDefrag }),
	memoryOption(groupData, "memory-limit", "what the process should occupy: maxmemory, and the Go heap; 0: no limit",
		func(c *Config) *int64 { return &c.ProcessMax }, 0).atStart(),
	memoryOption(groupData, "maxmemory", "what keys and clients may occupy; 0: no limit",
		func(c *Config) *int64 { return &c.MemoryMax }, 0),
	wordOption(groupData, "maxmemory-policy", "which keys make room when that is used up",
		func(c *Config) *string { return &c.MemoryPolicy }, policyNames()...),
	{group: groupData, name: "maxmemory-clients", syntax: "BYTES|PERCENT%",
		help: "what clients may hold together; those that hold most are closed",
		get:  clientsText, set: setClients},
	intOption(groupData, "maxmemory-samples", "N", "keys looked at to choose one, at least",
		func(c *Config) *int64 { return &c.EvictSamples }, 1, math.MaxInt32),
	intOption(groupData, "maxmemory-eviction-tenacity", "N", "how long commands wait for room, 0 to 100",
		func(c *Config) *int64 { return &c.EvictTenacity }, 0, 100),
	intOption(groupData, "lfu-log-factor", "N", "how much more slowly large counts of uses grow",
		func(c *Config) *int64 { return &c.LFULogFactor }, 0, math.MaxInt32),
	intOption(groupData, "lfu-decay-time", "MINUTES", "a count of uses falls by one in so long; 0: never",
		func(c *Config) *int64 { return &c.LFUDecayMinutes }, 0, math.MaxInt32),
	wordOption(groupData, "active-expiry", "how expired keys are found: by deadline, or by looking at some",
		func(c *Config) *string { return &c.ActiveExpiry }, orderedExpiry, sampledExpiry),
	intOption(groupData, "active-expire-effort", "N", "how hard sampled expiry tries, 1 to 10",
		func(c *Config) *int64 { return &c.ExpireEffort }, 1, 10),

	lazyOption("user-flush", "FLUSHALL and FLUSHDB without ASYNC or SYNC", 0),
	lazyOption("user-del", "DEL", 1),
	lazyOption("server-del", "values that a command replaces", 2),
	lazyOption("expire", "expired keys", 3),
	lazyOption("eviction", "evicted keys", 4),

	intOption(groupTell, "slowlog-log-slower-than", "MICROSECONDS",
		"commands that take so long are for SLOWLOG GET; 0: all, -1: none",
		func(c *Config) *int64 { return &c.Reporting.SlowMicros }, -1, math.MaxInt64),
	intOption(groupTell, "slowlog-max-len", "N", "how many of them are kept",
		func(c *Config) *int64 { return &c.Reporting.SlowMax }, 0, math.MaxInt64),
	intOption(groupTell, "latency-monitor-threshold", "MILLISECONDS",
		"what holds the loop for so long is for LATENCY; 0: nothing",
		func(c *Config) *int64 { return &c.Reporting.LatencyMs }, 0, math.MaxInt64),
	boolOption(groupTell, "latency-tracking", "keep the distribution of each command's latency",
		func(c *Config) *bool { return &c.Reporting.Tracking }),
	{group: groupTell, name: "latency-tracking-info-percentiles", syntax: "P ...", many: true,
		help: "the percentiles that INFO latencystats shows", get: percentilesText, set: setPercentiles},
	{group: groupTell, name: "metrics-addr", syntax: "HOST:PORT", fixed: true,
		help: "answer http://HOST:PORT/metrics for Prometheus",
		get:  func(c *Config) string { return c.MetricsAddr }, set: setMetricsAddr},

	{group: groupLoop, name: "hz", syntax: "N", help: "ticks of background work a second, 1 to 500",
		get: func(c *Config) string { return strconv.FormatInt(c.Hz, 10) }, set: setHz},
	boolOption(groupLoop, "dynamic-hz", "more ticks a second while there are many clients",
		func(c *Config) *bool { return &c.DynamicHz }),
	{group: groupLoop, name: "event-backend", syntax: "NAME", fixed: true,
		help: "poller: see -version for those built in",
		get:  func(c *Config) string { return c.EventBackend },
		set:  func(c *Config, v string) error { c.EventBackend = v; return nil }},
	wordOption(groupLoop, "loglevel", "how much to log",
		func(c *Config) *string { return &c.LogLevel }, "debug", "verbose", "notice", "warning"),
	textOption(groupLoop, "logfile", "PATH", "append the log to this file, not standard output",
		func(c *Config) *string { return &c.LogFile }).atStart(),

	stubOption("save", "", "Invalid save parameters"),
	stubOption("appendonly", "no", "there is no append-only file: only 'no' is accepted"),
}

// findOption knows an option by its name, whatever its case.
func findOption(name string) *option {
	i := slices.IndexFunc(options, func(o option) bool { return strings.EqualFold(o.name, name) })
	if i < 0 {
		return nil
	}
	return &options[i]
}

// atStart makes an option one that CONFIG SET refuses.
func (o option) atStart() option {
	o.fixed = true
	return o
}

func intOption(group, name, syntax, help string, at func(*Config) *int64, lo, hi int64) option {
	return option{group: group, name: name, syntax: syntax, help: help,
		get: func(c *Config) string { return strconv.FormatInt(*at(c), 10) },
		set: func(c *Config, v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return refusal("argument couldn't be parsed into an integer")
			}
			return within(at(c), n, lo, hi)
		}}
}

func memoryOption(group, name, help string, at func(*Config) *int64, lo int64) option {
	return option{group: group, name: name, syntax: "BYTES", help: help,
		get: func(c *Config) string { return strconv.FormatInt(*at(c), 10) },
		set: func(c *Config, v string) error {
			n, ok := parseMemory(v)
			if !ok {
				return refusal("argument must be a memory value")
			}
			return within(at(c), n, lo, math.MaxInt64)
		}}
}

func within(at *int64, n, lo, hi int64) error {
	if n < lo || n > hi {
		return fmt.Errorf("argument must be between %d and %d inclusive", lo, hi)
	}
	*at = n
	return nil
}

func textOption(group, name, syntax, help string, at func(*Config) *string) option {
	return option{group: group, name: name, syntax: syntax, help: help,
		get: func(c *Config) string { return *at(c) },
		set: func(c *Config, v string) error { *at(c) = v; return nil }}
}

func boolOption(group, name, help string, at func(*Config) *bool) option {
	return option{group: group, name: name, syntax: "yes|no", help: help,
		get: func(c *Config) string {
			if *at(c) {
				return "yes"
			}
			return "no"
		},
		set: func(c *Config, v string) error {
			yes := strings.EqualFold(v, "yes")
			if !yes && !strings.EqualFold(v, "no") {
				return refusal("argument must be 'yes' or 'no'")
			}
			*at(c) = yes
			return nil
		}}
}

// hugePages is refused where there are none: who sets it relies on it.
func hugePages() option {
	o := boolOption(groupData, "huge-pages", "keep keys in pages of 2 MiB: faster reads, and memory taken in larger steps",
		func(c *Config) *bool { return &c.HugePages }).atStart()
	set := o.set
	o.set = func(c *Config, v string) error {
		if err := set(c, v); err != nil || !c.HugePages {
			return err
		}
		return store.HugePages()
	}
	return o
}

// lazyOption: what is freed is never waited for, so both values mean the same.
func lazyOption(name, what string, i int) option {
	return boolOption(groupData, "lazyfree-lazy-"+name, "accepted: to free "+what+" never blocks, either way",
		func(c *Config) *bool { return &c.Lazy[i] })
}

func wordOption(group, name, help string, at func(*Config) *string, words ...string) option {
	return option{group: group, name: name, syntax: strings.Join(words, "|"), help: help,
		get: func(c *Config) string { return *at(c) },
		set: func(c *Config, v string) error {
			i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, v) })
			if i < 0 {
				return fmt.Errorf("argument(s) must be one of the following: %s",
					strings.Join(words, ", "))
			}
			*at(c) = words[i]
			return nil
		}}
}

// stubOption answers clients that ask for what Rondo has not: one value, which may be set again.
func stubOption(name, value, why string) option {
	return option{group: groupStub, name: name, syntax: strconv.Quote(value),
		get: func(*Config) string { return value },
		set: func(_ *Config, v string) error {
			if !strings.EqualFold(v, value) {
				return refusal(why)
			}
			return nil
		}}
}

func setHz(c *Config, v string) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return refusal("argument couldn't be parsed into an integer")
	}
	c.Hz = max(hzMin, min(n, hzMax))
	return nil
}

// setMetricsAddr takes an address to listen at, or nothing.
func setMetricsAddr(c *Config, v string) error {
	if _, port, err := net.SplitHostPort(v); v != "" {
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return refusal("HOST:PORT is needed, for example 127.0.0.1:9121")
		}
	}
	c.MetricsAddr = v
	return nil
}

func percentilesText(c *Config) string {
	words := make([]string, len(c.Percentiles))
	for i, p := range c.Percentiles {
		words[i] = percentile(p)
	}
	return strings.Join(words, " ")
}

// percentile writes a number as short as it is.
func percentile(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

func setPercentiles(c *Config, v string) error {
	var next []float64
	for _, word := range strings.Fields(v) {
		p, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(p) {
			return refusal("Invalid latency-tracking-info-percentiles parameters")
		}
		if p < 0 || p > 100 {
			return refusal("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
		}
		if len(next) == percentileMax {
			return fmt.Errorf("at most %d percentiles are taken", percentileMax)
		}
		next = append(next, p)
	}
	c.Percentiles = next
	return nil
}

func clientsText(c *Config) string {
	if c.ClientsMax < 0 {
		return strconv.FormatInt(-c.ClientsMax, 10) + "%"
	}
	return strconv.FormatInt(c.ClientsMax, 10)
}

func setClients(c *Config, v string) error {
	percent, isPercent := strings.CutSuffix(v, "%")
	n, ok := parseMemory(v)
	if isPercent {
		m, err := strconv.ParseInt(percent, 10, 64)
		n, ok = -m, err == nil && m >= 0
	}
	if !ok {
		return refusal("argument must be a memory or percent value")
	}
	if n < -100 {
		return refusal("percentage argument must be less or equal to 100")
	}
	c.ClientsMax = n
	return nil
}

func setBind(c *Config, v string) error {
	hosts := strings.Fields(v)
	if len(hosts) == 0 || len(hosts) > listensMax {
		return fmt.Errorf("between 1 and %d addresses are needed", listensMax)
	}
	c.Bind = hosts
	return nil
}

// listenAddrs are the addresses to listen at, in the form of kernel.Listen; optional[i] may fail.
func (c *Config) listenAddrs() (addrs []string, optional []bool) {
	if c.Port != 0 || c.AnyPort {
		for _, h := range c.Bind {
			host, may := strings.CutPrefix(h, "-")
			switch host {
			case "*":
				host = "0.0.0.0"
			case "::*":
				host = "::"
			}
			addrs = append(addrs, net.JoinHostPort(host, strconv.FormatInt(c.Port, 10)))
			optional = append(optional, may)
		}
	}
	if c.UnixSocket != "" {
		addrs, optional = append(addrs, "unix:"+c.UnixSocket), append(optional, false)
	}
	return addrs, optional
}

var classNames = [outputClasses]string{"normal", "slave", "pubsub"}

func outputText(c *Config) string {
	var b strings.Builder
	for i, l := range c.Output {
		fmt.Fprintf(&b, " %s %d %d %d", classNames[i], l.Hard, l.Soft, l.SoftSecs)
	}
	return b.String()[1:]
}

func setOutput(c *Config, v string) error {
	words := strings.Fields(v)
	if len(words)%4 != 0 {
		return refusal("Wrong number of arguments in buffer limit configuration.")
	}
	next := c.Output
	for ; len(words) > 0; words = words[4:] {
		name := strings.ToLower(words[0])
		if name == "replica" {
			name = "slave"
		}
		class := slices.Index(classNames[:], name)
		if class < 0 {
			return refusal("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1 := parseMemory(words[1])
		soft, ok2 := parseMemory(words[2])
		secs, err := strconv.ParseInt(words[3], 10, 32)
		if !ok1 || !ok2 || err != nil || secs < 0 {
			return refusal(
				"Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		next[class] = OutputLimit{hard, soft, secs}
	}
	c.Output = next
	return nil
}

var memoryUnits = map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10,
	"m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}

// parseMemory reads bytes with an optional unit: 64mb, 1gb; k, m and g are powers of ten.
func parseMemory(v string) (int64, bool) {
	digits := strings.TrimRight(v, "bkmgBKMG")
	unit, ok := memoryUnits[strings.ToLower(v[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}
