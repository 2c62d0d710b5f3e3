// The commands that take from the first of several keys that holds a list, or move an element to
// another, and those that wait until they can (BLOCK): parsed to one request, and carried out by one
// function, whether at once or later (block.go).
package command

import (
	"math"

	"rondo/impl/resp"
	"rondo/impl/store"
)

// request is what is to be taken, from where, and where it goes. Its bytes are views.
type request struct {
	keys   [][]byte
	from   side
	count  int64 // of LMPOP and BLMPOP; 0: one element, and another form of reply
	moves  bool  // to a list
	to     []byte
	toSide side

	waits   bool
	timeout []byte
}

// parser reads the arguments of a command; fault is the error.
type parser func(args [][]byte, r *request) (fault string)

func lmove(c *Call)      { take(c, parseMove) }
func rpoplpush(c *Call)  { take(c, parseRotate) }
func lmpop(c *Call)      { take(c, parseMany) }
func blpop(c *Call)      { take(c, parsePopLeft) }
func brpop(c *Call)      { take(c, parsePopRight) }
func blmove(c *Call)     { take(c, parseMove) }
func brpoplpush(c *Call) { take(c, parseRotate) }
func blmpop(c *Call)     { take(c, parseManyWaiting) }

// take is the way of all of them: from the first key that holds a list, or else the client waits
// (BLOCK-1), but in a transaction (BLOCK-6).
func take(c *Call, parse parser) {
	var r request
	if fault := parse(c.Args, &r); fault != "" {
		c.fail(fault)
		return
	}
	until := int64(0)
	if r.waits {
		var fault string
		if until, fault = c.until(r.timeout); fault != "" {
			c.fail(fault)
			return
		}
	}
	for _, key := range r.keys {
		if l, found, ok := c.list(key); !ok {
			return
		} else if found {
			c.takeFrom(&r, key, l)
			return
		}
	}
	switch {
	case r.waits && !c.S.inTx():
		c.X.wait(c, &r, until)
	case r.moves:
		c.null()
	default:
		c.nullArray()
	}
}

// takeFrom carries out a request on one of its keys, which holds the list l.
func (c *Call) takeFrom(r *request, key []byte, l store.List) {
	switch {
	case r.moves:
		c.moveElement(r, key, l)
	case r.count > 0:
		c.array(2)
		c.bulk(key)
		c.popMany(key, l, r.from, r.count)
	default:
		c.array(2)
		c.bulk(key)
		c.bulk(l.At(r.from.at(l.Len())))
		r.from.drop(l, 1)
		c.shrunk(key, l, evPop)
	}
}

// moveElement moves an element to another list, or to the other end of the same (LIST-13). It is
// copied on the way: what it is a view of changes.
func (c *Call) moveElement(r *request, key []byte, l store.List) {
	if _, _, ok := c.list(r.to); !ok {
		return
	}
	element := append(c.X.element[:0], l.At(r.from.at(l.Len()))...)
	c.bulk(element)
	r.from.drop(l, 1)
	if string(r.to) == string(key) {
		r.toSide.push(l, element)
		c.touched(key, evPush)
	} else {
		c.shrunk(key, l, evPop)
		to, found, _ := c.list(r.to) // only now: what was found before may have moved
		if !found {
			to = c.DB.NewList(r.to, store.NoDeadline, c.Now)
		}
		r.toSide.push(to, element)
		c.touched(r.to, evPush)
	}
	if c.X.element = element; cap(element) > keptElementMax {
		c.X.element = nil
	}
}

// keptElementMax is how long an element may be whose memory is kept for the next that is moved.
const keptElementMax = 64 << 10

func parsePopLeft(args [][]byte, r *request) string  { return parsePop(args, r, left) }
func parsePopRight(args [][]byte, r *request) string { return parsePop(args, r, right) }

func parsePop(args [][]byte, r *request, from side) string {
	last := len(args) - 1
	*r = request{keys: args[1:last], from: from, waits: true, timeout: args[last]}
	return ""
}

// parseMove is LMOVE and BLMOVE.
func parseMove(args [][]byte, r *request) string {
	from, ok1 := parseSide(args[3])
	to, ok2 := parseSide(args[4])
	if !ok1 || !ok2 {
		return errSyntax
	}
	*r = request{keys: args[1:2], from: from, moves: true, to: args[2], toSide: to}
	r.waitFor(args[5:])
	return ""
}

// parseRotate is RPOPLPUSH and BRPOPLPUSH.
func parseRotate(args [][]byte, r *request) string {
	*r = request{keys: args[1:2], from: right, moves: true, to: args[2], toSide: left}
	r.waitFor(args[3:])
	return ""
}

func (r *request) waitFor(rest [][]byte) {
	if len(rest) > 0 {
		r.waits, r.timeout = true, rest[0]
	}
}

func parseManyWaiting(args [][]byte, r *request) string {
	fault := parseMany(args[1:], r)
	r.waits, r.timeout = true, args[1]
	return fault
}

// parseMany is LMPOP, and BLMPOP behind its timeout.
func parseMany(args [][]byte, r *request) string {
	n, ok := resp.ParseInt(args[1])
	if !ok || n < 1 {
		return errNumKeys
	}
	if n >= int64(len(args)-2) {
		return errSyntax
	}
	*r = request{keys: args[2 : 2+n], count: 1}
	rest := args[2+n:]
	if r.from, ok = parseSide(rest[0]); !ok {
		return errSyntax
	}
	switch {
	case len(rest) == 1:
		return ""
	case len(rest) != 3 || !is(rest[1], "COUNT"):
		return errSyntax
	}
	if r.count, ok = resp.ParseInt(rest[2]); !ok || r.count < 1 {
		return errCount
	}
	return ""
}

// until is the moment of the monotonic clock, which is read anew, at which a wait from now on has
// lasted as long as a timeout says; forever for one of 0 seconds (BLOCK-4).
func (c *Call) until(arg []byte) (at int64, fault string) {
	ms, ok := resp.ParseInt(arg)
	if ok && ms >= 0 && ms <= math.MaxInt64/1000 {
		ms *= 1000 // the usual form, without the arithmetic of long doubles
	} else {
		seconds, isFloat := parseFloat(arg)
		if !isFloat {
			return 0, errTimeout
		}
		if ms, ok = seconds.millis(); !ok {
			return 0, errTimeoutNegative
		}
	}
	now := c.X.host.Mono()
	if ms == 0 || ms > (forever-now)/1e6 {
		return forever, ""
	}
	return now + ms*1e6, ""
}

const forever = math.MaxInt64
