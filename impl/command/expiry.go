// The commands of deadlines (TIME).
package command

import (
	"math"
	"strings"

	"rondo/impl/resp"
	"rondo/impl/store"
)

func expire(c *Call)    { expireAt(c, 1000, c.Now) }
func pexpire(c *Call)   { expireAt(c, 1, c.Now) }
func expireat(c *Call)  { expireAt(c, 1000, 0) }
func pexpireat(c *Call) { expireAt(c, 1, 0) }

// expireAt sets the deadline base + argument * unit. Options are checked before the number, the
// number before the key (TIME-9).
func expireAt(c *Call, unit, base int64) {
	var o expireOptions
	if fault := o.parse(c.Args[3:]); fault != "" {
		c.fail(fault)
		return
	}
	n, ok := resp.ParseInt(c.Args[2])
	if !ok {
		c.fail(errNotInt)
		return
	}
	if n > math.MaxInt64/unit || n < math.MinInt64/unit || n*unit > math.MaxInt64-base {
		c.fail(invalidExpire(c.Cmd.Name)) // TIME-13
		return
	}
	key, at := c.Args[1], n*unit+base
	v, found := c.find(key)
	switch {
	case !found || !o.allow(v.Deadline, at):
		c.int(0)
		return
	case at <= c.Now: // TIME-7
		c.remove(key, evDel)
	default:
		c.setDeadline(key, at, evExpire)
	}
	c.int(1)
}

type expireOptions struct{ nx, xx, gt, lt bool }

func (o *expireOptions) parse(args [][]byte) (fault string) {
	for _, arg := range args {
		switch {
		case is(arg, "NX"):
			o.nx = true
		case is(arg, "XX"):
			o.xx = true
		case is(arg, "GT"):
			o.gt = true
		case is(arg, "LT"):
			o.lt = true
		default:
			// Redis cuts line ends off the end of this one, and shows them as blanks elsewhere.
			return "ERR Unsupported option " + strings.TrimRight(echo(arg, len(arg)), "\r\n")
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		return errExclusive
	case o.gt && o.lt:
		return errGTLT
	}
	return ""
}

// allow tells whether the deadline may change; none counts as infinitely late (TIME-8).
func (o *expireOptions) allow(have, want int64) bool {
	none := have == store.NoDeadline
	return !(o.nx && !none ||
		o.xx && none ||
		o.gt && (none || want <= have) ||
		o.lt && !none && want >= have)
}

func persist(c *Call) {
	v, found := c.find(c.Args[1])
	had := found && v.Deadline != store.NoDeadline
	if had { // TIME-10
		c.setDeadline(c.Args[1], store.NoDeadline, evPersist)
	}
	c.bool(had)
}

// The replies of TTL and its kin for a key that is not there, or has no deadline (TIME-6).
const (
	ttlNoKey      = -2
	ttlNoDeadline = -1
)

func ttl(c *Call)         { remaining(c, 1000, c.Now) }
func pttl(c *Call)        { remaining(c, 1, c.Now) }
func expiretime(c *Call)  { remaining(c, 1000, 0) }
func pexpiretime(c *Call) { remaining(c, 1, 0) }

func remaining(c *Call, unit, since int64) {
	v, found := c.peek(c.Args[1])
	switch {
	case !found:
		c.int(ttlNoKey)
	case v.Deadline == store.NoDeadline:
		c.int(ttlNoDeadline)
	default:
		left := max(v.Deadline-since, 0)
		c.int(left/unit + (left%unit+unit/2)/unit) // left + unit/2 might overflow
	}
}
