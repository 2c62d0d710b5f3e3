package model

import (
	"math"
	"math/big"
	"slices"
)

// Commands that take from one of several keys, and those that wait until they can (BLOCK).
//
// A connection that waits is one whose session has a wait. It is served after the unit in which a
// list appeared at one of its keys, whole: after a command, or after all of an EXEC (BLOCK-3).

// wait is what a connection waits for; immutable once it is in a state.
type wait struct {
	db      int
	line    [][]byte // as it was sent
	timed   bool     // has a timeout
	timeout Instant
}

// request is a command line that takes: where from, how much, and where it goes.
type request struct {
	keys    [][]byte
	from    side
	count   int64 // of LMPOP and BLMPOP; 0: one element, of another form of reply
	moves   bool  // to a list
	to      []byte
	toSide  side
	timeout []byte // nil: does not wait
}

// parsers reads the command lines that take.
var parsers = map[string]func(args [][]byte) (request, Reply, bool){
	"lmove":      parseMove,
	"rpoplpush":  parseRotate,
	"lmpop":      func(args [][]byte) (request, Reply, bool) { return parseMany(args[1:]) },
	"blpop":      func(args [][]byte) (request, Reply, bool) { return parseWaiting(args, left), Reply{}, true },
	"brpop":      func(args [][]byte) (request, Reply, bool) { return parseWaiting(args, right), Reply{}, true },
	"blmove":     parseMove,
	"brpoplpush": parseRotate,
	"blmpop": func(args [][]byte) (request, Reply, bool) {
		r, fault, ok := parseMany(args[2:])
		r.timeout = args[1]
		return r, fault, ok
	},
}

// taking is the handler of all of them: LIST-13 to LIST-15, BLOCK-1, BLOCK-2.
func taking(name string) handler {
	return func(u *unit, args [][]byte) Reply {
		r, fault, ok := parsers[name](args)
		if !ok {
			return fault
		}
		w := wait{db: u.self().db, line: args}
		if r.timeout != nil {
			if w.timeout, w.timed, fault, ok = u.timeout(r.timeout); !ok {
				return fault
			}
		}
		for _, key := range r.keys {
			e, _, ok := u.findList(key)
			switch {
			case !ok:
				return wrongType()
			case e != nil:
				return u.take(&r, e, key)
			}
		}
		if r.timeout != nil && !u.inExec {
			u.wait(w)
		}
		if r.moves {
			return Reply{Kind: Null}
		}
		return Reply{Kind: NullArray}
	}
}

// take takes from a key that holds a list.
func (u *unit) take(r *request, e *entry, key []byte) Reply {
	switch {
	case r.moves:
		return u.move(r, e, key)
	case r.count > 0:
		rest, taken := pop(e.list, r.from, int(min(r.count, int64(len(e.list)))))
		u.putList(e, key, rest)
		return Arr(Str(string(key)), bulks(taken))
	}
	rest, taken := pop(e.list, r.from, 1)
	u.putList(e, key, rest)
	return Arr(Str(string(key)), Str(taken[0]))
}

// move takes an element of one list and gives it to another, or to the other end of the same: LIST-13.
func (u *unit) move(r *request, e *entry, key []byte) Reply {
	if _, _, ok := u.findList(r.to); !ok {
		return wrongType()
	}
	rest, taken := pop(e.list, r.from, 1)
	if string(r.to) == string(key) {
		u.putList(e, key, push(rest, r.toSide, taken[0]))
		return Str(taken[0])
	}
	u.putList(e, key, rest)
	target, list, _ := u.findList(r.to)
	u.putList(target, r.to, push(list, r.toSide, taken[0]))
	return Str(taken[0])
}

func parseWaiting(args [][]byte, from side) request {
	last := len(args) - 1
	return request{keys: args[1:last], from: from, timeout: args[last]}
}

// parseMove is LMOVE and BLMOVE.
func parseMove(args [][]byte) (request, Reply, bool) {
	from, ok := parseSide(args[3])
	to, ok2 := parseSide(args[4])
	r := request{keys: args[1:2], from: from, moves: true, to: args[2], toSide: to}
	if len(args) > 5 {
		r.timeout = args[5]
	}
	return r, syntaxError(), ok && ok2
}

// parseRotate is RPOPLPUSH and BRPOPLPUSH.
func parseRotate(args [][]byte) (request, Reply, bool) {
	r := request{keys: args[1:2], from: right, moves: true, to: args[2], toSide: left}
	if len(args) > 3 {
		r.timeout = args[3]
	}
	return r, Reply{}, true
}

// parseMany is LMPOP and BLMPOP from the number of keys on.
func parseMany(args [][]byte) (r request, fault Reply, ok bool) {
	n, isInt := integer(args[0])
	if !isInt || n < 1 {
		return r, Err("ERR numkeys should be greater than 0"), false
	}
	if n >= int64(len(args)-1) {
		return r, syntaxError(), false
	}
	r.keys, args = args[1:n+1], args[n+1:]
	r.count = 1
	if r.from, ok = parseSide(args[0]); !ok {
		return r, syntaxError(), false
	}
	switch {
	case len(args) == 1:
		return r, Reply{}, true
	case len(args) != 3 || !is(args[1], "count"):
		return r, syntaxError(), false
	}
	if r.count, ok = integer(args[2]); !ok || r.count < 1 {
		return r, Err("ERR count should be greater than 0"), false
	}
	return r, Reply{}, true
}

// timeout is when a connection that waits from now on has waited long enough; 0 seconds is never.
// BLOCK-4.
func (u *unit) timeout(arg []byte) (at Instant, timed bool, fault Reply, ok bool) {
	seconds, ok := parseFloat(string(arg))
	if !ok {
		return at, false, Err("ERR timeout is not a float or out of range"), false
	}
	ms, ok := millisOf(seconds)
	if !ok {
		return at, false, Err("ERR timeout is negative"), false
	}
	return u.env.Read().Add(ms), ms > 0, Reply{}, true
}

// millisOf is a number of seconds in milliseconds, rounded up. What is too large for it turns out
// negative in Redis.
func millisOf(seconds *big.Float) (int64, bool) {
	if seconds.IsInf() {
		return 0, false
	}
	ms, exact := new(big.Float).SetPrec(floatPrec).Mul(seconds, big.NewFloat(1000)).Int64()
	if exact == big.Below && ms != math.MaxInt64 {
		ms++
	}
	return ms, ms >= 0 && ms < timeoutMax
}

// timeoutMax keeps a timeout from overflowing once it is added to the time.
const timeoutMax = math.MaxInt64 / 2

// wait lets the connection wait: its command is not answered now.
func (u *unit) wait(w wait) {
	line := make([][]byte, len(w.line))
	for i, arg := range w.line {
		line[i] = slices.Clone(arg)
	}
	w.line = line
	u.mine().wait = &w
	u.s.waiting = append(slices.Clip(u.s.waiting), u.from)
}

// unwait is the end of waiting; the reply goes to the connection.
func (u *unit) unwait(c Client, reply Reply) {
	from := u.from
	u.from = c
	u.mine().wait = nil
	u.settle()
	u.from = from
	u.s.forget(c)
	u.outs = append(u.outs, Out{To: c, Msg: reply})
}

// forget takes a connection out of those that wait.
func (s *State) forget(c Client) {
	if i := slices.Index(s.waiting, c); i >= 0 {
		s.waiting = slices.Delete(slices.Clone(s.waiting), i, i+1)
	}
}

// signal notes that a key holds a list for which somebody may wait.
func (u *unit) signal(db int, key string) {
	if len(u.s.waiting) == 0 {
		return
	}
	i, ok := u.s.position(db, key)
	if k := (mark{db, key}); ok && u.s.entries[i].isList() && !slices.Contains(u.ready, k) {
		u.ready = append(u.ready, k)
	}
}

// serve gives lists that have appeared to those that wait for them: key after key in the order in
// which they appeared, and of each to who has waited longest (BLOCK-3, BLOCK-5). What is moved to
// another list is a change like any other, and may serve others in turn.
func (u *unit) serve() {
	for len(u.ready) > 0 {
		k := u.ready[0]
		u.ready = u.ready[1:]
		for _, c := range u.s.waiting {
			u.serveOne(c, k)
		}
	}
}

// serveOne serves a connection that waits, if it does for this key, and the key holds a list.
func (u *unit) serveOne(c Client, k mark) {
	w := u.s.of(c).wait
	r, _, _ := parsers[nameOf(w.line)](w.line)
	wanted := slices.ContainsFunc(r.keys, func(key []byte) bool { return string(key) == k.key })
	if w.db != k.db || !wanted {
		return
	}
	from := u.from
	u.from = c
	defer func() { u.from = from }()
	if e, _, ok := u.findList([]byte(k.key)); e != nil && ok {
		u.unwait(c, u.take(&r, e, []byte(k.key)))
	}
}

func nameOf(line [][]byte) string { return string(lower(nil, line[0])) }

// clientUnblock ends the waiting of a connection: BLOCK-7. It is named by its Client.
func clientUnblock(u *unit, args [][]byte) Reply {
	outcome := Reply{Kind: NullArray}
	switch {
	case len(args) > 4:
		return Err("ERR unknown subcommand or wrong number of arguments for '" +
			text(args[1], 128) + "'. Try CLIENT HELP.")
	case len(args) == 4 && is(args[3], "error"):
		outcome = Err("UNBLOCKED client unblocked via CLIENT UNBLOCK")
	case len(args) == 4 && !is(args[3], "timeout"):
		return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
	}
	id, ok := integer(args[2])
	if !ok {
		return notInteger()
	}
	if !u.s.Waiting(Client(id)) {
		return Num(0)
	}
	u.unwait(Client(id), outcome)
	return Num(1)
}
