package model

import "math"

// Commands on keys, whatever their value.

// del is DEL and UNLINK: KEY-1, TIME-12.
func del(u *unit, args [][]byte) Reply {
	n := int64(0)
	for _, key := range args[1:] {
		if e := u.find(key); e != nil {
			u.drop(e)
			n++
		}
	}
	return Num(n)
}

// exists is EXISTS and TOUCH: KEY-2.
func exists(u *unit, args [][]byte) Reply {
	n := int64(0)
	for _, key := range args[1:] {
		if u.find(key) != nil {
			n++
		}
	}
	return Num(n)
}

// typeOf: KEY-3.
func typeOf(u *unit, args [][]byte) Reply {
	if e := u.find(args[1]); e != nil {
		return Reply{Kind: Simple, Str: e.kind()}
	}
	return Reply{Kind: Simple, Str: "none"}
}

// kind is the name of the type of a value.
func (e *entry) kind() string {
	if e.isList() {
		return "list"
	}
	return "string"
}

// keys: KEY-4, TIME-19.
func keys(u *unit, args [][]byte) Reply {
	return Reply{Kind: AnyOrder, Elems: u.alive(string(args[1]), nil)}
}

// alive lists the live keys that match a pattern, of one type or, with nil, of any. Only they are
// compared with the clock.
func (u *unit) alive(pattern string, kind []byte) []Reply {
	db, found := u.self().db, []Reply(nil)
	for _, name := range u.names() {
		if pattern != "*" && !glob(pattern, name) {
			continue
		}
		if e := u.findIn(db, name); e != nil && (kind == nil || is(kind, e.kind())) {
			found = append(found, Str(name))
		}
	}
	return found
}

// scan: KEY-5, KEY-6, TIME-19. One call may answer any cursor, and any of the live keys that match,
// also twice; but what starts at 0 and ends at 0 has visited all.
func scan(u *unit, args [][]byte) Reply {
	atStart, ok := parseCursor(text(args[1], len(args[1])))
	if !ok {
		return Err("ERR invalid cursor")
	}
	o, fault, ok := parseScanOptions(args[2:])
	if !ok {
		return fault
	}
	return Reply{Kind: ScanTerm, Int: int64(bit(atStart)), Elems: u.alive(o.pattern, o.kind)}
}

type scanOptions struct {
	pattern string
	kind    []byte // nil: any
}

func parseScanOptions(args [][]byte) (o scanOptions, fault Reply, ok bool) {
	o.pattern = "*"
	for i := 0; i < len(args); i += 2 {
		switch {
		case i+1 == len(args):
			return o, syntaxError(), false
		case is(args[i], "count"):
			if n, ok := integer(args[i+1]); !ok {
				return o, notInteger(), false
			} else if n < 1 {
				return o, syntaxError(), false
			}
		case is(args[i], "match"):
			o.pattern = string(args[i+1])
		case is(args[i], "type"):
			o.kind = args[i+1]
		default:
			return o, syntaxError(), false
		}
	}
	return o, Reply{}, true
}

// randomkey: KEY-7, TIME-19. Any live key is a right answer, and nil only if there is none.
func randomkey(u *unit, _ [][]byte) Reply {
	db, names := u.self().db, u.names()
	picked := u.env.Choose(len(names)+1, func(i int) string {
		if i < len(names) {
			return names[i]
		}
		return "" // nil contains no key
	})
	if picked < len(names) {
		if u.findIn(db, names[picked]) == nil {
			u.env.Reject()
		}
		return Str(names[picked])
	}
	for _, name := range names {
		if u.findIn(db, name) != nil {
			u.env.Reject()
			break
		}
	}
	return Reply{Kind: Null}
}

// rename: KEY-8, TIME-11.
func rename(u *unit, args [][]byte) Reply {
	e := u.find(args[1])
	if e == nil {
		return Err("ERR no such key")
	}
	if string(args[1]) != string(args[2]) {
		if target := u.find(args[2]); target != nil {
			u.drop(target)
		}
		u.moveTo(e, e.db, string(args[2]))
	}
	return OK()
}

// renamenx: KEY-9.
func renamenx(u *unit, args [][]byte) Reply {
	e := u.find(args[1])
	if e == nil {
		return Err("ERR no such key")
	}
	if string(args[1]) == string(args[2]) || u.find(args[2]) != nil {
		return Num(0)
	}
	u.moveTo(e, e.db, string(args[2]))
	return Num(1)
}

// moveTo gives an entry another place, which is free.
func (u *unit) moveTo(e *entry, db int, key string) {
	moved := *e
	moved.db, moved.key = db, key
	u.put(moved)
	u.drop(e)
}

func errSame() Reply { return Err("ERR source and destination objects are the same") }

// copyKey: KEY-10, TIME-11. Equal names are an error also where there is no such key.
func copyKey(u *unit, args [][]byte) Reply {
	target, replace := u.self().db, false
	for i := 3; i < len(args); i++ {
		switch {
		case is(args[i], "replace"):
			replace = true
		case is(args[i], "db") && i+1 < len(args):
			db, fault, ok := u.database(args[i+1])
			if !ok {
				return fault
			}
			target = db
			i++
		default:
			return syntaxError()
		}
	}
	if target == u.self().db && string(args[1]) == string(args[2]) {
		return errSame()
	}
	e := u.find(args[1])
	if e == nil {
		return Num(0)
	}
	if old := u.findIn(target, string(args[2])); old != nil {
		if !replace {
			return Num(0)
		}
		u.drop(old)
	}
	copied := *e
	copied.db, copied.key = target, string(args[2])
	u.put(copied)
	return Num(1)
}

// move: KEY-11.
func move(u *unit, args [][]byte) Reply {
	db, fault, ok := u.database(args[2])
	if !ok {
		return fault
	}
	if db == u.self().db {
		return errSame()
	}
	e := u.find(args[1])
	if e == nil || u.findIn(db, string(args[1])) != nil {
		return Num(0)
	}
	u.moveTo(e, db, e.key)
	return Num(1)
}

// objectEncoding: KEY-12.
func objectEncoding(u *unit, args [][]byte) Reply {
	if e := u.find(args[2]); e != nil {
		if e.isList() {
			return Str("quicklist")
		}
		return Str(e.encoding.String())
	}
	return Reply{Kind: Null}
}

// objectFreq: KEY-20. Whether uses are counted is a setting, and how many they are the server's to say.
func objectFreq(u *unit, args [][]byte) Reply {
	if u.find(args[2]) == nil {
		return Reply{Kind: Null}
	}
	return Reply{Kind: Any}
}

// objectIdletime: KEY-12. How long a key was idle is the server's to say.
func objectIdletime(u *unit, args [][]byte) Reply {
	if u.find(args[2]) == nil {
		return Reply{Kind: Null}
	}
	return Reply{Kind: IntRange, Max: math.MaxInt64}
}
