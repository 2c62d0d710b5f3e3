// The commands of keys, whatever they hold (KEY).
package command

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"rondo/impl/resp"
	"rondo/impl/store"
)

func del(c *Call) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, found := c.find(key); found { // TIME-12: an expired key does not count
			c.remove(key, evDel)
			n++
		}
	}
	c.int(n)
}

func exists(c *Call) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, found := c.peek(key); found {
			n++
		}
	}
	c.int(n)
}

func touch(c *Call) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, found := c.read(key); found {
			n++
		}
	}
	c.int(n)
}

func typeOf(c *Call) {
	if v, found := c.peek(c.Args[1]); found {
		c.simple(typeName(v))
	} else {
		c.simple("none")
	}
}

func typeName(v store.View) string {
	if v.Kind == store.Lists {
		return "list"
	}
	return "string"
}

// keys hides expired keys but leaves them where they are: it may not change what it walks over.
// keysSample keys are looked at before the length of a reply is guessed.
const keysSample = 1024

func keys(c *Call) {
	pattern, from, seen := c.Args[1], len(c.S.Out), 0
	c.counted(func() (n int) {
		c.DB.Each(func(key []byte, v store.View) bool {
			// Room at once for what is likely to come: new memory is what takes longest.
			if seen++; seen == keysSample {
				likely := (len(c.S.Out) - from) * (c.DB.Len() - seen) / seen
				c.S.Out = slices.Grow(c.S.Out, max(0, min(likely+likely/16, c.S.OutMax-len(c.S.Out))))
			}
			if !v.Expired(c.Now) && Glob(pattern, key, false) { // TIME-19
				c.bulk(key)
				n++
			}
			return !c.lost()
		})
		return n
	})
}

// scanOptions are those of SCAN.
type scanOptions struct {
	match []byte // nil: everything
	count int64
	kind  []byte // nil: any
}

func (o *scanOptions) parse(args [][]byte) (fault string) {
	for ; len(args) >= 2; args = args[2:] {
		switch {
		case is(args[0], "COUNT"):
			n, ok := resp.ParseInt(args[1])
			if !ok {
				return errNotInt
			}
			if n < 1 {
				return errSyntax
			}
			o.count = n
		case is(args[0], "MATCH"):
			if o.match = args[1]; string(o.match) == "*" {
				o.match = nil
			}
		case is(args[0], "TYPE"):
			o.kind = args[1]
		default:
			return errSyntax
		}
	}
	if len(args) == 1 {
		return errSyntax
	}
	return ""
}

// scanVisitsMax is how many buckets SCAN looks at for each key asked for, should they be empty.
const scanVisitsMax = 10

// scan walks the buckets from the cursor on until it has about COUNT keys (KEY-5, KEY-6). Expired
// keys are not shown but removed, once the walk is over.
func scan(c *Call) {
	cursor, ok := parseCursor(c.Args[1])
	if !ok {
		c.fail(errCursor)
		return
	}
	o := scanOptions{count: 10}
	if fault := o.parse(c.Args[2:]); fault != "" {
		c.fail(fault)
		return
	}
	found, expired, seen := c.X.keys[:0], [][]byte(nil), int64(0)
	collect := func(key []byte, v store.View) {
		switch {
		case v.Expired(c.Now):
			seen++
			expired = append(expired, bytes.Clone(key))
		default:
			seen++
			if o.kind == nil || bytes.EqualFold(o.kind, []byte(typeName(v))) {
				found = append(found, key)
			}
		}
	}
	for visits := min(o.count, math.MaxInt64/scanVisitsMax) * scanVisitsMax; visits > 0; visits-- {
		cursor = c.DB.Scan(cursor, collect)
		if cursor == 0 || seen >= o.count {
			break
		}
	}
	c.scanned(cursor, &o, found)
	for _, key := range expired {
		c.X.expire(c.S.DB, key)
	}
}

// scanned replies what SCAN found.
func (c *Call) scanned(cursor uint64, o *scanOptions, found [][]byte) {
	wanted := found[:0]
	for _, key := range found {
		if o.match == nil || Glob(o.match, key, false) {
			wanted = append(wanted, key)
		}
	}
	var digits [20]byte
	c.array(2)
	c.bulk(strconv.AppendUint(digits[:0], cursor, 10))
	c.array(len(wanted))
	for _, key := range wanted {
		c.bulk(key)
	}
	clear(found) // they are views: keep nothing alive
	if c.X.keys = found[:0]; cap(found) > 1024 {
		c.X.keys = nil
	}
}

// parseCursor reads what C's strtoul reads: a sign, no digits at all, a negative number.
func parseCursor(b []byte) (uint64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// randomkey draws until it meets a key that is alive; those that are not are removed, so that
// it comes to an end (KEY-7).
func randomkey(c *Call) {
	for {
		key, v, ok := c.DB.Sample(c.X.host.Rand())
		if !ok {
			c.null()
			return
		}
		if !v.Expired(c.Now) {
			c.bulk(key)
			return
		}
		c.X.expire(c.S.DB, bytes.Clone(key))
	}
}

func rename(c *Call) { renameTo(c, false) }

func renamenx(c *Call) { renameTo(c, true) }

// renameTo moves value and deadline over the target (KEY-8, KEY-9, TIME-11). The target is looked
// up first because that may remove it, and a view lasts until the next change.
func renameTo(c *Call, nx bool) {
	from, to := c.Args[1], c.Args[2]
	_, taken := c.find(to)
	v, found := c.find(from)
	switch {
	case !found:
		c.fail(errNoKey)
		return
	case nx && taken:
		c.int(0)
		return
	}
	if !bytes.Equal(from, to) {
		c.DB.Take(to, c.DB, v, c.Now)
		c.DB.SetUse(to, v)
		c.touched(to, evTo)
		c.remove(from, evFrom)
	}
	if nx {
		c.int(1)
	} else {
		c.ok()
	}
}

// copyKey copies value and deadline (KEY-10).
func copyKey(c *Call) {
	from, to := c.Args[1], c.Args[2]
	db, replace := c.S.DB, false
	for i := 3; i < len(c.Args); i++ {
		switch {
		case is(c.Args[i], "REPLACE"):
			replace = true
		case is(c.Args[i], "DB") && i+1 < len(c.Args):
			i++
			var ok bool
			if db, ok = c.database(c.Args[i]); !ok {
				return
			}
		default:
			c.fail(errSyntax)
			return
		}
	}
	if db == c.S.DB && bytes.Equal(from, to) {
		c.fail(errSameObject)
		return
	}
	_, taken := c.X.find(db, to, c.Now)
	v, found := c.read(from)
	if !found || taken && !replace {
		c.int(0)
		return
	}
	c.X.dbs[db].Copy(to, c.DB, v, c.Now)
	c.X.touched(db, to, evCopy)
	c.int(1)
}

func move(c *Call) {
	key := c.Args[1]
	db, ok := c.database(c.Args[2])
	if !ok {
		return
	}
	if db == c.S.DB {
		c.fail(errSameObject)
		return
	}
	_, taken := c.X.find(db, key, c.Now)
	v, found := c.find(key)
	if !found || taken {
		c.int(0)
		return
	}
	c.X.dbs[db].Take(key, c.DB, v, c.Now)
	c.X.dbs[db].SetUse(key, v)
	c.X.touched(db, key, evMove)
	c.remove(key, evMoved)
	c.int(1)
}

// database reads the number of one; if there is none, the error has been replied.
func (c *Call) database(arg []byte) (int, bool) {
	n, ok := resp.ParseInt(arg)
	switch {
	case !ok:
		c.fail(errNotInt)
	case n != int64(int32(n)):
		c.fail(errNotInt32)
	case n < 0 || n >= int64(len(c.X.dbs)):
		c.fail(errDBIndex)
	default:
		c.X.reached = max(c.X.reached, int(n))
		return int(n), true
	}
	return 0, false
}

// The forms a string can have, as OBJECT ENCODING shows them (KEY-12).
const (
	embeddedMax = 44 // a longer one is raw
	sharedMax   = 10000
	sharedRefs  = math.MaxInt32
)

func encoding(v store.View) string {
	_, isInt := resp.ParseInt(v.Value)
	switch {
	case v.Kind == store.Lists:
		return "quicklist"
	case v.Tag == tagRaw:
		return "raw"
	case v.Tag == tagPlain && isInt:
		return "int"
	case len(v.Value) <= embeddedMax:
		return "embstr"
	}
	return "raw"
}

func objectEncoding(c *Call) {
	if v, ok := c.peek(c.Args[2]); ok {
		c.text(encoding(v))
	} else {
		c.null()
	}
}

func objectIdletime(c *Call) {
	switch v, ok := c.peek(c.Args[2]); {
	case !ok:
		c.null()
	case c.X.access.Often:
		c.fail(errLFU)
	default:
		c.int(v.Idle(c.Now))
	}
}

// objectRefcount shows small integers as shared, which in Redis they are.
func objectRefcount(c *Call) {
	v, ok := c.peek(c.Args[2])
	n, _ := resp.ParseInt(v.Value)
	switch {
	case !ok:
		c.null()
	case encoding(v) == "int" && n >= 0 && n < sharedMax:
		c.int(sharedRefs)
	default:
		c.int(1)
	}
}

func objectFreq(c *Call) {
	switch v, ok := c.peek(c.Args[2]); {
	case !ok:
		c.null()
	case !c.X.access.Often:
		c.fail(errNoLFU)
	default:
		c.int(c.DB.Frequency(v, c.Now))
	}
}
