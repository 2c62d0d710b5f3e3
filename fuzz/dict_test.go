package fuzz

import (
	"bytes"
	"fmt"
	"testing"

	"rondo/impl/store"
)

// FuzzDict: bytes become operations on a keyspace, and the same are done to a plain Go map. Growing
// and shrinking of the table, expiry, housekeeping, compaction and walks go on in between, each a
// step at a time. Memory is strict: a view that is used too long is garbage.
//
// The first bytes choose the seed of the keyspace; then each operation takes a byte for what it is,
// and one or two for each choice in it.
func FuzzDict(f *testing.F) {
	for seed := range uint64(6) {
		addSeed(f, noise(seed, 200*int(seed+1)))
	}
	addSeed(f, churning(10, 0))
	addSeed(f, churning(150, 1))
	addSeed(f, emptied())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data}
		d := newDict(t, r)
		for n := 0; !r.done() && n < dictOpsMax; n++ {
			d.step()
			if n%dictCheckEach == 0 {
				d.check()
			}
		}
		d.check()
		d.rest()
		d.check()
	})
}

const (
	dictOpsMax    = 250
	dictCheckEach = 64
	dictBulksMax  = 4   // bulk operations of a run, and
	dictBulkKeys  = 400 // the keys of each: what pages and pieces are filled and emptied with
	dictValueUnit = 16  // of the length of their values
	dictRestMax   = 1 << 20
)

// churning is a seed that fills pages, leaves few keys of them, and has the rest made dense: with
// values of so many units.
func churning(size, seed byte) []byte {
	data := []byte{seed}
	for i := range byte(3) {
		data = append(data, opFill, i, 0x01, 0x8f, size)
		data = append(data, opThin, i, 7)
		for range 50 {
			data = append(data, opAdvance, 15)
		}
	}
	return data
}

// emptied is a seed that fills pieces of memory and leaves little of them: what is at the end of a run
// gives them back.
func emptied() []byte {
	data := []byte{2}
	for i := range byte(4) {
		data = append(data, opFill, i, 0x01, 0x8f, 0xff)
	}
	for i := range byte(4) {
		data = append(data, opThin, i, 50)
	}
	return data
}

// held is what the plain map has for a key.
type held struct {
	value    []byte
	deadline int64
	tag      uint8
}

// dict is a keyspace and the plain map beside it.
type dict struct {
	t      *testing.T
	r      *reader
	memory *store.Memory
	db     *store.DB
	plain  map[string]held
	now    int64
	bulks  int
	walk   walk
	pool   store.Pool
}

// walk is a SCAN that goes on between the operations.
type walk struct {
	cursor  uint64
	missing map[string]bool // keys that have been there since it began and have not been visited
}

func newDict(t *testing.T, r *reader) *dict {
	memory := store.StrictMemory()
	return &dict{t: t, r: r, memory: memory, db: store.New(memory, uint64(r.next())),
		plain: map[string]held{}, now: 1_700_000_000_000}
}

// The operations, by their byte.
const (
	opPut = iota
	opPutBlock
	opCopy
	opGrow
	opOverwrite
	opDel
	opDeadline
	opExpireDue
	opExpireSome
	opAdvance
	opTime
	opScan
	opSample
	opUse
	opMark
	opEvict
	opFill
	opThin
	opClear
	opCount
)

func (d *dict) step() {
	switch d.r.next() % opCount {
	case opPut:
		d.put(d.key(), held{d.value(), d.deadline(), d.r.next()})
	case opPutBlock:
		d.putBlock()
	case opCopy:
		d.copy(d.key(), d.key())
	case opGrow:
		d.grow(d.key(), d.size())
	case opOverwrite:
		d.overwrite(d.key())
	case opDel:
		d.del(d.key())
	case opDeadline:
		d.setDeadline(d.key(), d.deadline())
	case opExpireDue:
		d.expireDue(d.r.below(40))
	case opExpireSome:
		d.expireSome(d.r.below(40), d.r.below(100))
	case opAdvance:
		d.db.Advance(d.r.below(16) + 1)
	case opTime:
		d.pass()
	case opScan:
		d.scan()
	case opSample:
		d.sample()
	case opUse:
		d.use(d.key())
	case opMark:
		d.mark(d.key(), d.key())
	case opEvict:
		d.evict()
	case opFill:
		d.fill()
	case opThin:
		d.thin()
	case opClear:
		d.clear()
	}
}

// key is one of 64, of which some are too long for a cell's header, or for a cell.
func (d *dict) key() string {
	i := d.r.below(64)
	key := fmt.Sprintf("k%d", i)
	switch i % 16 {
	case 1:
		key += string(make([]byte, 300))
	case 2:
		key += string(make([]byte, 40_000))
	}
	return key
}

// size is the length of a value: mostly short, now and then about as long as the largest cell.
func (d *dict) size() int {
	if n := d.r.below(256); n < 240 {
		return n
	}
	return 32<<10 - 300 + d.r.wide(40_000)
}

func (d *dict) value() []byte { return pattern(d.r.next(), d.size()) }

// pattern is a value that shows where it was cut and whose it is. It is not to be changed.
func pattern(of byte, n int) []byte { return patterns[of:][:n:n] }

var patterns = noise(1, 80_000)

// span is a time of any magnitude that a calendar tells apart.
func (d *dict) span() int64 {
	scale := [...]uint{0, 0, 3, 8, 14, 20, 26, 34}[d.r.below(8)]
	return int64(d.r.below(8)) << scale
}

// deadline is none, one to come, or one that has passed.
func (d *dict) deadline() int64 {
	switch how := d.r.below(8); how {
	case 0, 1:
		return store.NoDeadline
	case 2:
		return max(0, d.now-d.span())
	}
	return d.now + d.span()
}

func (d *dict) put(key string, h held) {
	d.db.Put([]byte(key), h.value, h.tag, h.deadline, d.now)
	d.plain[key] = h
	d.look(key)
}

// putBlock puts a value that has arrived in a block, which the keyspace may keep.
func (d *dict) putBlock() {
	key, value, deadline, tag := d.key(), d.value(), d.deadline(), d.r.next()
	from := d.r.below(50)
	b := d.memory.Block(from + len(value) + d.r.below(3))
	in := b.Bytes[from : from+len(value)]
	copy(in, value)
	if !d.db.PutBlock([]byte(key), in, b, tag, deadline, d.now) {
		d.db.Put([]byte(key), in, tag, deadline, d.now)
		d.memory.Free(b)
	}
	d.plain[key] = held{value, deadline, tag}
	d.look(key)
}

// copy puts a view of the keyspace back into it, as RENAME and COPY do.
func (d *dict) copy(from, to string) {
	v, ok := d.db.Get([]byte(from))
	if !ok {
		return
	}
	d.db.Put([]byte(to), v.Value, v.Tag, v.Deadline, d.now)
	d.plain[to] = d.plain[from]
	d.look(to)
}

func (d *dict) grow(key string, n int) {
	got := d.db.Grow([]byte(key), n, d.now)
	h, there := d.plain[key]
	if !there {
		if got != nil {
			d.t.Fatalf("%.20q grew and is not there", key)
		}
		return
	}
	value := make([]byte, n)
	copy(value, h.value)
	if !bytes.Equal(got, value) {
		d.t.Fatalf("%.20q grew to %d bytes that are not what it had and zeros", key, n)
	}
	if n > 0 {
		got[n-1], value[n-1] = 'x', 'x'
	}
	h.value = value
	d.plain[key] = h
	d.look(key)
}

func (d *dict) overwrite(key string) {
	v, ok := d.db.Get([]byte(key))
	if !ok {
		return
	}
	h := d.plain[key]
	h.value = pattern(d.r.next(), len(v.Value))
	d.db.Overwrite(v, h.value)
	d.plain[key] = h
	d.look(key)
}

func (d *dict) del(key string) {
	if _, there := d.plain[key]; d.db.Del([]byte(key)) != there {
		d.t.Fatalf("Del of %.20q tells otherwise: it was there %v", key, there)
	}
	d.forget(key)
	d.look(key)
}

func (d *dict) forget(key string) {
	delete(d.plain, key)
	delete(d.walk.missing, key)
}

func (d *dict) setDeadline(key string, at int64) {
	h, there := d.plain[key]
	if d.db.SetDeadline([]byte(key), at, d.now) != there {
		d.t.Fatalf("SetDeadline of %.20q tells otherwise: it was there %v", key, there)
	}
	if there {
		h.deadline = at
		d.plain[key] = h
	}
	d.look(key)
}

// pass moves the clock, now and then back.
func (d *dict) pass() {
	if n := d.span(); d.r.below(8) == 0 {
		d.now = max(0, d.now-n)
	} else {
		d.now += n
	}
}

func (d *dict) expireDue(most int) {
	n, more := d.db.ExpireDue(d.now, most, d.expired)
	if n > most {
		d.t.Fatalf("ExpireDue removed %d keys of %d", n, most)
	}
	if more {
		return
	}
	for key, h := range d.plain {
		if h.due(d.now) {
			d.t.Fatalf("%.20q is due since %d and was left at %d: nothing more was said to be", key, h.deadline, d.now)
		}
	}
}

func (h held) due(now int64) bool { return h.deadline != store.NoDeadline && h.deadline < now }

// expired is told of a key that is gone.
func (d *dict) expired(name []byte) {
	h, there := d.plain[string(name)]
	if !there || !h.due(d.now) {
		d.t.Fatalf("%.20q with deadline %d expired at %d; it was there %v", name, h.deadline, d.now, there)
	}
	if at := d.db.Expiring(); at != h.deadline {
		d.t.Fatalf("%.20q with deadline %d expires as one of %d", name, h.deadline, at)
	}
	d.forget(string(name))
}

func (d *dict) expireSome(keys, places int) {
	before := len(d.plain)
	seen, removed := d.db.ExpireSome(d.now, keys, places, d.expired)
	if seen > keys || removed > seen || before-len(d.plain) != removed {
		d.t.Fatalf("ExpireSome saw %d keys of %d and removed %d; %d were told", seen, keys, removed, before-len(d.plain))
	}
}

// scan is a step of a walk: at its end every key must have been visited that was there all the time
// (KEY-5).
func (d *dict) scan() {
	w := &d.walk
	if w.cursor == 0 {
		w.missing = map[string]bool{}
		for key := range d.plain {
			w.missing[key] = true
		}
	}
	for range d.r.below(32) + 1 {
		w.cursor = d.db.Scan(w.cursor, func(key []byte, v store.View) {
			d.compare(string(key), v, true)
			delete(w.missing, string(key))
		})
		if w.cursor == 0 {
			break
		}
	}
	for key := range w.missing {
		if w.cursor == 0 {
			d.t.Fatalf("%.20q was there during the whole walk and was not visited", key)
		}
	}
}

func (d *dict) sample() {
	key, v, ok := d.db.Sample(d.r.word())
	if ok != (len(d.plain) > 0) {
		d.t.Fatalf("Sample found %.20q %v among %d keys", key, ok, len(d.plain))
	}
	if ok {
		d.compare(string(key), v, true)
	}
}

// use reads a key in one of the two ways to note it.
func (d *dict) use(key string) {
	how := d.r.next()
	d.db.SetAccess(store.Access{Often: how&1 == 1, LogFactor: int64(how >> 5), DecayMinutes: int64(how >> 1 & 3)})
	d.db.Warm([][]byte{[]byte(key), []byte("k0"), nil})
	v, ok := d.db.Use([]byte(key), d.now)
	d.compare(key, v, ok)
	if ok && (v.Idle(d.now) < 0 || d.db.Frequency(v, d.now) < 0) {
		d.t.Fatalf("%.20q has been idle for %d s, and used %d times", key, v.Idle(d.now), d.db.Frequency(v, d.now))
	}
}

// mark gives a key another tag, and the use of another key.
func (d *dict) mark(key, like string) {
	d.db.Mark([]byte(key), 7)
	if h, there := d.plain[key]; there {
		h.tag = 7
		d.plain[key] = h
	}
	if v, ok := d.db.Get([]byte(like)); ok {
		d.db.SetUse([]byte(key), v)
	}
	_, there := d.plain[key]
	if n, ok := d.db.Footprint([]byte(key), 0); ok != there || there && n < len(d.plain[key].value) {
		d.t.Fatalf("%.20q takes %d bytes (%v) for a value of %d", key, n, ok, len(d.plain[key].value))
	}
	d.look(key)
}

// evict removes the best key to lose, if there is one that the rule allows.
func (d *dict) evict() {
	rule := store.Rule{By: store.Order(d.r.below(4)), Timed: d.r.below(2) == 1}
	d.db.Nominate(&d.pool, 0, rule, d.r.below(20)+1, d.now)
	_, _, key, ok := d.pool.Best()
	if rule.By == store.ByChance {
		key, ok = d.db.Any(&d.pool, rule.Timed)
	}
	d.pool.Empty()
	if !ok {
		return
	}
	h, there := d.plain[string(key)]
	if !there || rule.Timed && h.deadline == store.NoDeadline {
		d.t.Fatalf("%.20q is chosen by %+v; there %v, deadline %d", key, rule, there, h.deadline)
	}
	d.del(string(key))
}

// fill puts very many keys of a group: so many that the table splits and pages are filled.
func (d *dict) fill() {
	group, keys, size := d.r.below(4), d.r.wide(dictBulkKeys)+1, dictValueUnit*int(d.r.next())
	if d.bulks++; d.bulks > dictBulksMax {
		return
	}
	for i := range keys {
		deadline := store.NoDeadline
		if i%5 == 0 {
			deadline = d.now + int64(i)
		}
		d.put(bulkKey(group, i), held{pattern(byte(i), size), deadline, byte(i)})
	}
}

func bulkKey(group, i int) string { return fmt.Sprintf("bulk:%d:%05d", group, i) }

// thin leaves every n-th key of a group.
func (d *dict) thin() {
	group, stride := d.r.below(4), d.r.below(64)+1
	for i := range dictBulkKeys {
		key := bulkKey(group, i)
		if _, there := d.plain[key]; there && i%stride != 0 {
			d.del(key)
		}
	}
}

// clear empties the keyspace: not often, or little would be in it.
func (d *dict) clear() {
	if d.r.below(16) != 0 {
		return
	}
	d.db.Clear()
	if d.db.Bytes() != 0 || d.db.Held() != 0 {
		d.t.Fatalf("%d bytes are left of nothing, %d held", d.db.Bytes(), d.db.Held())
	}
	d.plain, d.walk = map[string]held{}, walk{}
}

// look asks for one key.
func (d *dict) look(key string) {
	v, ok := d.db.Get([]byte(key))
	d.compare(key, v, ok)
}

func (d *dict) compare(key string, v store.View, ok bool) {
	d.t.Helper()
	h, there := d.plain[key]
	if ok != there {
		d.t.Fatalf("%.20q is there: %v, and should be: %v", key, ok, there)
	}
	if ok && (!bytes.Equal(v.Value, h.value) || v.Deadline != h.deadline || v.Tag != h.tag) {
		d.t.Fatalf("%.20q has %d bytes %.20q, deadline %d, tag %d; want %d bytes %.20q, %d, %d", key,
			len(v.Value), v.Value, v.Deadline, v.Tag, len(h.value), h.value, h.deadline, h.tag)
	}
}

// check asks for everything, and has the keyspace count its cells.
func (d *dict) check() {
	d.t.Helper()
	if err := d.db.Audit(); err != nil {
		d.t.Fatal(err)
	}
	volatile, next := 0, int64(1)<<62
	for key, h := range d.plain {
		d.look(key)
		if h.deadline != store.NoDeadline {
			volatile++
			next = min(next, h.deadline)
		}
	}
	if d.db.Len() != len(d.plain) || d.db.Volatile() != volatile {
		d.t.Fatalf("%d keys, %d volatile; want %d, %d", d.db.Len(), d.db.Volatile(), len(d.plain), volatile)
	}
	if at, ok := d.db.NextDue(); ok != (volatile > 0) || ok && at > next {
		d.t.Fatalf("the next is due at %d (%v), one already at %d", at, ok, next)
	}
	if u := d.db.Usage(); u.Bytes() != d.db.Bytes() || u.Bytes() > d.db.Held() {
		d.t.Fatalf("%d bytes are used, or %d, of %d held", u.Bytes(), d.db.Bytes(), d.db.Held())
	}
	if key, at, ok := d.db.Soonest(); ok != (volatile > 0) || ok && d.plain[string(key)].deadline != at {
		d.t.Fatalf("%.20q is said to be due next, at %d (%v)", key, at, ok)
	}
	seen := 0
	d.db.Each(func(key []byte, v store.View) bool {
		seen++
		d.compare(string(key), v, true)
		return true
	})
	if seen != len(d.plain) {
		d.t.Fatalf("Each visits %d keys of %d", seen, len(d.plain))
	}
}

// rest does all housekeeping that is left. It must come to an end.
func (d *dict) rest() {
	for range dictRestMax {
		if d.db.Advance(64) > 0 {
			return
		}
	}
	d.t.Fatalf("there is still housekeeping after %d steps", dictRestMax)
}
