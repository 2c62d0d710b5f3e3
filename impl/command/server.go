// The commands about the server as a whole.
package command

import (
	"strconv"
	"strings"

	"rondo/impl/resp"
)

// timeNow answers the unit's wall clock, to the microsecond (TIME-17, TIME-18). The host's finer
// reading is taken once and kept inside the millisecond that the unit goes by.
func timeNow(c *Call) {
	if c.X.micros == 0 {
		first := c.Now * 1000
		c.X.micros = min(max(c.X.host.NowMicros(), first), first+999)
	}
	c.array(2)
	c.text(strconv.FormatInt(c.X.micros/1e6, 10))
	c.text(strconv.FormatInt(c.X.micros%1e6, 10))
}

func dbsize(c *Call) { c.int(int64(c.DB.Len())) }

func flushdb(c *Call) {
	if c.flushOptions() {
		c.X.flush(c.S.DB)
		c.ok()
	}
}

func flushall(c *Call) {
	if c.flushOptions() {
		for db := range c.X.dbs {
			c.X.flush(db)
		}
		c.ok()
	}
}

// flushOptions accepts SYNC and ASYNC alike: a database is dropped in constant time.
func (c *Call) flushOptions() bool {
	if len(c.Args) == 1 || len(c.Args) == 2 && (is(c.Args[1], "SYNC") || is(c.Args[1], "ASYNC")) {
		return true
	}
	c.fail(errSyntax)
	return false
}

// swapdb reads both numbers before it looks whether there are such databases, as Redis does.
func swapdb(c *Call) {
	a, okA := resp.ParseInt(c.Args[1])
	b, okB := resp.ParseInt(c.Args[2])
	last := int64(len(c.X.dbs)) - 1
	switch {
	case !okA || a != int64(int32(a)):
		c.fail("ERR invalid first DB index")
	case !okB || b != int64(int32(b)):
		c.fail("ERR invalid second DB index")
	case min(a, b) < 0 || max(a, b) > last:
		c.fail(errDBIndex)
	default:
		c.X.swap(int(a), int(b), c.Now)
		c.ok()
	}
}

func info(c *Call) {
	sections := make([]string, 0, len(c.Args)-1)
	for _, arg := range c.Args[1:] {
		sections = append(sections, strings.ToLower(string(arg)))
	}
	c.verbatim(c.X.host.Info(sections))
}

// shutdown gives no reply when it succeeds: the connection just ends, as all do.
func shutdown(c *Call) {
	var save, nosave, other, abort bool
	for _, arg := range c.Args[1:] {
		switch {
		case is(arg, "SAVE"):
			save = true
		case is(arg, "NOSAVE"):
			nosave = true
		case is(arg, "NOW"), is(arg, "FORCE"):
			other = true
		case is(arg, "ABORT"):
			abort = true
		default:
			c.fail(errSyntax)
			return
		}
	}
	switch {
	case save && nosave, abort && (save || nosave || other):
		c.fail(errSyntax)
	case abort: // it never takes long enough to be stopped
		c.fail(errNoShutdown)
	default:
		c.S.CloseAfter = true
		c.X.host.Shutdown()
	}
}

func configGet(c *Call) {
	patterns := make([]string, 0, len(c.Args)-2)
	for _, arg := range c.Args[2:] {
		patterns = append(patterns, string(arg))
	}
	pairs := c.X.host.ConfigGet(patterns)
	c.mapOf(len(pairs))
	for _, p := range pairs {
		c.text(p[0])
		c.text(p[1])
	}
}

func configSet(c *Call) {
	if len(c.Args)%2 == 1 {
		c.fail(errSyntax)
		return
	}
	var pairs [][2]string
	for i := 2; i < len(c.Args); i += 2 {
		pairs = append(pairs, [2]string{string(c.Args[i]), string(c.Args[i+1])})
	}
	if err := c.X.host.ConfigSet(pairs); err != nil {
		c.fail("ERR " + trimErr(err.Error()))
		return
	}
	c.ok()
}

func configResetstat(c *Call) {
	c.X.host.ConfigResetStat()
	c.ok()
}

func configRewrite(c *Call) { c.fail(errNoRewrite) }

func configHelp(c *Call) {
	c.help("CONFIG", []string{
		"GET <pattern>",
		"    Return parameters matching the glob-like <pattern> and their values.",
		"SET <directive> <value>",
		"    Set the configuration <directive> to <value>.",
		"RESETSTAT",
		"    Reset statistics reported by the INFO command.",
		"REWRITE",
		"    Rewrite the configuration file.",
	})
}

// debug is what tests need. Its subcommands are no commands of their own, as in Redis.
func debug(c *Call) {
	switch {
	case is(c.Args[1], "SLEEP") && len(c.Args) == 3:
		c.X.host.Sleep(leadingFloat(c.Args[2]))
		c.ok()
	case is(c.Args[1], "SET-ACTIVE-EXPIRE") && len(c.Args) == 3:
		c.X.host.SetActiveExpire(leadingFloat(c.Args[2]) != 0)
		c.ok()
	case is(c.Args[1], "HELP") && len(c.Args) == 2:
		c.help("DEBUG", []string{
			"SET-ACTIVE-EXPIRE <0|1>",
			"    Setting it to 0 disables expiring keys in background when they are not",
			"    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
			"    default.",
			"SLEEP <seconds>",
			"    Stop the server for <seconds>. Decimals allowed.",
		})
	default:
		c.fail("ERR unknown subcommand or wrong number of arguments for '" +
			echo(c.Args[1], echoMax) + "'. Try DEBUG HELP.")
	}
}

// leadingFloat reads as much of b as is a number, 0 if nothing is.
func leadingFloat(b []byte) float64 {
	for end := min(len(b), 64); end > 0; end-- {
		if n, err := strconv.ParseFloat(string(b[:end]), 64); err == nil {
			return n
		}
	}
	return 0
}

func objectHelp(c *Call) {
	c.help("OBJECT", []string{
		"ENCODING <key>",
		"    Return the kind of internal representation used in order to store the value",
		"    associated with a <key>.",
		"FREQ <key>",
		"    Return the access frequency index of the <key>. The returned integer is",
		"    proportional to the logarithm of the recent access frequency of the key.",
		"IDLETIME <key>",
		"    Return the idle time of the <key>, that is the approximated number of",
		"    seconds elapsed since the last access to the key.",
		"REFCOUNT <key>",
		"    Return the number of references of the value associated with the specified",
		"    <key>.",
	})
}
