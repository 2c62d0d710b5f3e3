package mutant

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/model"
)

// config is what CONFIG can set, as the server uses it.
type config struct {
	texts map[string]string // as CONFIG GET shows them

	password   string
	maxclients int
	timeout    time.Duration // 0: none
	bulkMax    int64
	queryMax   int
	output     outputLimit

	slowMicros, latencyMs int64
	slowMax               int

	maxmemory  int64 // 0: no limit
	clientsMax int64 // the same
	policy     string
	logFactor  int64
}

// outputLimit is the class "normal" of client-output-buffer-limit; 0 is none.
type outputLimit struct {
	hard, soft int
	softFor    time.Duration
}

const outputLimitOthers = "slave 268435456 67108864 60 pubsub 33554432 8388608 60"

func defaults() config {
	return config{
		texts: map[string]string{
			"requirepass": "", "maxclients": "10000", "timeout": "0", "tcp-keepalive": "300",
			"proto-max-bulk-len": "536870912", "client-query-buffer-limit": "1073741824",
			"client-output-buffer-limit": "normal 0 0 0 " + outputLimitOthers,
			"databases":                  "16", "enable-debug-command": "yes",
			"slowlog-log-slower-than": "10000", "slowlog-max-len": "128", "latency-monitor-threshold": "0",
			"maxmemory": "0", "maxmemory-policy": "noeviction", "maxmemory-samples": "5", "maxmemory-clients": "0",
			"lfu-log-factor": "10",
		},
		maxclients: 10_000, bulkMax: 512 << 20, queryMax: 1 << 30, slowMicros: 10_000, slowMax: 128,
		policy: "noeviction", logFactor: 10,
	}
}

// with returns the configuration after one more setting.
func (c config) with(name, value string) (config, error) {
	c.texts = mapsWith(c.texts, name, value)
	var err error
	var n int64
	switch name {
	case "requirepass":
		c.password = value
	case "maxclients":
		n, err = between(value, 1, 4294967295)
		c.maxclients = int(n)
	case "timeout":
		n, err = between(value, 0, 2147483647)
		c.timeout = time.Duration(n) * time.Second
	case "tcp-keepalive":
		_, err = between(value, 0, 2147483647)
	case "proto-max-bulk-len":
		c.bulkMax, err = c.memory(name, value)
	case "client-query-buffer-limit":
		n, err = c.memory(name, value)
		c.queryMax = int(n)
	case "slowlog-log-slower-than":
		c.slowMicros, err = between(value, -1, math.MaxInt64)
	case "slowlog-max-len":
		n, err = between(value, 0, math.MaxInt32)
		c.slowMax = int(n)
	case "latency-monitor-threshold":
		c.latencyMs, err = between(value, 0, math.MaxInt64)
	case "client-output-buffer-limit":
		c.output, err = c.outputLimit(value)
	default:
		var known bool
		if known, err = c.memorySetting(name, value); !known {
			err = errors.New("can't set immutable config")
		}
	}
	return c, err
}

func mapsWith(m map[string]string, name, value string) map[string]string {
	more := map[string]string{name: value}
	for k, v := range m {
		if k != name {
			more[k] = v
		}
	}
	return more
}

func between(value string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, errors.New("argument couldn't be parsed into an integer")
	}
	if n < low || n > high {
		return 0, fmt.Errorf("argument must be between %d and %d inclusive", low, high)
	}
	return n, nil
}

// memory sets a number of bytes, at least 1 MiB, and shows it without unit.
func (c config) memory(name, value string) (int64, error) {
	n, ok := bytesOf(value)
	if !ok {
		return 0, errors.New("argument must be a memory value")
	}
	if n < 1<<20 {
		return 0, errors.New("argument must be between 1048576 and 9223372036854775807 inclusive")
	}
	c.texts[name] = strconv.FormatInt(n, 10)
	return n, nil
}

var memoryUnits = []struct {
	suffix string
	bytes  int64
}{{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"b", 1}}

// bytesOf reads "1mb" and the like.
func bytesOf(value string) (int64, bool) {
	value, factor := strings.ToLower(value), int64(1)
	for _, u := range memoryUnits {
		if digits, ok := strings.CutSuffix(value, u.suffix); ok {
			value, factor = digits, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return n * factor, err == nil && n >= 0
}

// badLimit is an error with a text as Redis writes it, a sentence with its full stop.
type badLimit string

func (e badLimit) Error() string { return string(e) }

func (c config) outputLimit(value string) (outputLimit, error) {
	l, words := c.output, strings.Fields(value)
	if len(words) == 0 || len(words)%4 != 0 {
		return l, badLimit("Wrong number of arguments in buffer limit configuration.")
	}
	for ; len(words) > 0; words = words[4:] {
		if !slices.Contains([]string{"normal", "slave", "replica", "pubsub"}, words[0]) {
			return l, badLimit("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1 := bytesOf(words[1])
		soft, ok2 := bytesOf(words[2])
		secs, err := strconv.Atoi(words[3])
		if !ok1 || !ok2 || err != nil || secs < 0 {
			return l, badLimit("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		if words[0] == "normal" {
			l = outputLimit{int(hard), int(soft), time.Duration(secs) * time.Second}
		}
	}
	c.texts["client-output-buffer-limit"] = fmt.Sprintf("normal %d %d %d %s", l.hard, l.soft,
		int(l.softFor/time.Second), outputLimitOthers)
	return l, nil
}

// configSet is CONFIG SET: all of its pairs or none (CONN-25).
func (u *unit) configSet(pairs [][]byte) model.Reply {
	if len(pairs)%2 != 0 {
		return model.Err("ERR syntax error")
	}
	next, seen := u.s.config, map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		name := strings.ToLower(string(pairs[i]))
		if _, known := next.texts[name]; !known {
			return model.Err("ERR Unknown option or number of arguments for CONFIG SET - '" +
				string(pairs[i]) + "'")
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		name := strings.ToLower(string(pairs[i]))
		err := errors.New("duplicate parameter")
		if !seen[name] {
			next, err = next.with(name, string(pairs[i+1]))
		}
		if err != nil {
			return model.Err(fmt.Sprintf("ERR CONFIG SET failed (possibly related to argument '%s') - %v",
				pairs[i], err))
		}
		seen[name] = true
		if u.s.at.configAtOnce {
			u.s.config = next
		}
	}
	u.s.config = next
	u.takeStock()
	return model.OK()
}

// configGet is CONFIG GET by glob patterns.
func (u *unit) configGet(patterns [][]byte) model.Reply {
	var names []string
	for name := range u.s.config.texts {
		for _, p := range patterns {
			if ok, _ := path.Match(strings.ToLower(string(p)), name); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	r := model.Reply{Kind: model.Map}
	for _, name := range names {
		r.Elems = append(r.Elems, model.Str(name), model.Str(u.s.config.texts[name]))
	}
	return r
}
