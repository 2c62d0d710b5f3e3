package history

// The quick reading of an operation's line: one pass over the bytes, without encoding/json, for the
// shapes that recorders write: known fields, each once, integers, strings without escapes.
//
// It answers "read" or "not understood", never "wrong": what it does not understand, the strict
// reading (format.go) reads or refuses. So it may only accept what the strict reading accepts, with
// the same result; a test compares the two on mutated lines.
//
// Operations of one recording repeat words, and most replies. Equal short words, whole commands of
// two words and equal replies of recent lines share their memory, which makes an operation about
// 200 bytes instead of 400. Nothing that is read may be changed in place.

import (
	"hash/maphash"
	"strings"

	"rondo/model"
)

// cursor walks over one line.
type cursor struct {
	b []byte
	i int
}

// next skips spaces, and the byte c behind them if it is there.
func (c *cursor) next(want byte) bool {
	for c.i < len(c.b) && c.b[c.i] == ' ' {
		c.i++
	}
	if c.i < len(c.b) && c.b[c.i] == want {
		c.i++
		return true
	}
	return false
}

// peek skips spaces and shows the byte behind them.
func (c *cursor) peek() byte {
	for c.i < len(c.b) && c.b[c.i] == ' ' {
		c.i++
	}
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// integer reads a JSON integer of at most 18 digits.
func (c *cursor) integer() (int64, bool) {
	minus := c.next('-')
	from := c.i
	var n int64
	for c.i < len(c.b) && c.b[c.i]-'0' <= 9 {
		n = n*10 + int64(c.b[c.i]-'0')
		c.i++
	}
	digits := c.i - from
	if digits == 0 || digits > 18 || digits > 1 && c.b[from] == '0' {
		return 0, false
	}
	if c.i < len(c.b) && (c.b[c.i] == '.' || c.b[c.i]|0x20 == 'e') {
		return 0, false
	}
	if minus {
		n = -n
	}
	return n, true
}

// plainByte marks the bytes that stand for themselves in a JSON string.
var plainByte = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return
}()

// text reads a string of plain bytes, which the result shares with the line.
func (c *cursor) text() ([]byte, bool) {
	if !c.next('"') {
		return nil, false
	}
	from := c.i
	for c.i < len(c.b) && plainByte[c.b[c.i]] {
		c.i++
	}
	if c.i == len(c.b) || c.b[c.i] != '"' {
		return nil, false
	}
	c.i++
	return c.b[from : c.i-1], true
}

// null skips the word null.
func (c *cursor) null() bool {
	if c.peek() == 'n' && len(c.b)-c.i >= 4 && string(c.b[c.i:c.i+4]) == "null" {
		c.i += 4
		return true
	}
	return false
}

// more says whether another element follows in a list that ends with the byte end.
func (c *cursor) more(end byte) (more, ok bool) {
	if c.next(',') {
		return true, true
	}
	return false, c.next(end)
}

// parser reads lines; it belongs to one goroutine. Its tables are what lines share.
type parser struct {
	cursor
	seed    maphash.Seed
	words   [internMax][]byte       // by hash
	pairs   [internMax][][]byte     // commands of two words, by hash of both
	replies [internMax]*model.Reply // bulk strings and errors, by hash
	ints    [256]*model.Reply
	ok      *model.Reply
	null_   *model.Reply

	bytes   []byte        // what is left of the chunk that words are cut from
	slices  [][]byte      // and that commands are cut from
	made    []model.Reply // and that replies are cut from
	strings strings.Builder
	elems   []model.Reply // scratch
	cmd     [][]byte      // scratch: words, shared with the line
}

const (
	internMax  = 1 << 12 // entries of each table
	internLong = 40      // longer words have a copy each
	chunkBytes = 16 << 10
	chunkWords = 512
	chunkMade  = 64
)

func newParser() *parser {
	p := &parser{seed: maphash.MakeSeed()}
	ok := model.OK()
	p.ok, p.null_ = &ok, &model.Reply{Kind: model.Null}
	ints := make([]model.Reply, len(p.ints))
	for i := range ints {
		ints[i] = model.Num(int64(i))
		p.ints[i] = &ints[i]
	}
	return p
}

// The fields that an operation may have, as bits.
const (
	hasClient = 1 << iota
	hasCall
	hasReturn
	hasCmd
	hasBody
	hasReply
	hasN
	hasDB
	hasAll = hasClient | hasCall | hasReturn | hasCmd
)

// operation reads a line into op; false: not understood.
func (p *parser) operation(line []byte, op *Op) bool {
	p.cursor = cursor{b: line}
	*op = Op{Return: Never}
	if !p.next('{') {
		return false
	}
	seen, more, ok := 0, true, true
	for more {
		bit := p.field(op)
		if bit == 0 || seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = p.more('}'); !ok {
			return false
		}
	}
	if p.peek() != 0 || p.i != len(line) || seen&hasAll != hasAll {
		return false
	}
	return (seen&hasN == 0 || op.N > 0) && op.validate() == nil
}

// field reads one field, and says which; 0: not understood.
func (p *parser) field(op *Op) int {
	name, ok := p.text()
	if !ok || !p.next(':') {
		return 0
	}
	var n int64
	bit := 0
	switch string(name) {
	case "client":
		n, ok = p.integer()
		op.Client, bit = int(n), hasClient
	case "call":
		op.Call, ok = p.integer()
		bit = hasCall
	case "return":
		if bit = hasReturn; !p.null() {
			op.Return, ok = p.integer()
		}
	case "cmd":
		op.Cmd, ok = p.command()
		bit = hasCmd
	case "body":
		op.Body, ok = p.body()
		bit = hasBody
	case "reply":
		op.Reply, ok = p.reply()
		bit = hasReply
	case "n":
		n, ok = p.integer()
		op.N, bit = int(n), hasN
	case "db":
		n, ok = p.integer()
		op.DB, bit = int(n), hasDB
	}
	if !ok {
		return 0
	}
	return bit
}

// command reads an array of at least one word.
func (p *parser) command() ([][]byte, bool) {
	p.cmd = p.cmd[:0]
	if !p.next('[') {
		return nil, false
	}
	for more, ok := true, true; more; {
		word, good := p.text()
		if !good {
			return nil, false
		}
		p.cmd = append(p.cmd, word)
		if more, ok = p.more(']'); !ok {
			return nil, false
		}
	}
	if len(p.cmd) == 2 {
		return p.pair(p.cmd[0], p.cmd[1]), true
	}
	cmd := p.room(len(p.cmd))
	for i, w := range p.cmd {
		cmd[i] = p.word(w)
	}
	return cmd, true
}

// pair is a command of two words, shared with earlier ones.
func (p *parser) pair(a, b []byte) [][]byte {
	at := (maphash.Bytes(p.seed, b) + uint64(len(a))*31 + uint64(a0(a))) % internMax
	if c := p.pairs[at]; c != nil && string(c[0]) == string(a) && string(c[1]) == string(b) {
		return c
	}
	c := p.room(2)
	c[0], c[1] = p.word(a), p.word(b)
	p.pairs[at] = c
	return c
}

func a0(a []byte) byte {
	if len(a) == 0 {
		return 0
	}
	return a[0]
}

// word is a copy of w, or an earlier word that equals it.
func (p *parser) word(w []byte) []byte {
	if len(w) > internLong {
		return p.keep(w)
	}
	at := maphash.Bytes(p.seed, w) % internMax
	if known := p.words[at]; known != nil && string(known) == string(w) {
		return known
	}
	p.words[at] = p.keep(w)
	return p.words[at]
}

// keep copies w into the current chunk. Nothing can grow into what lies behind it.
func (p *parser) keep(w []byte) []byte {
	if len(w) > chunkBytes/8 {
		return append(make([]byte, 0, len(w)), w...)
	}
	if len(p.bytes) < len(w)+1 {
		p.bytes = make([]byte, chunkBytes)
	}
	to := p.bytes[:len(w):len(w)]
	copy(to, w)
	p.bytes = p.bytes[len(w):]
	return to
}

// room is a slice for n words.
func (p *parser) room(n int) [][]byte {
	if n > chunkWords/8 {
		return make([][]byte, n)
	}
	if len(p.slices) < n {
		p.slices = make([][]byte, chunkWords)
	}
	to := p.slices[:n:n]
	p.slices = p.slices[n:]
	return to
}

// keepString copies w as a string.
func (p *parser) keepString(w []byte) string {
	if len(w) > chunkBytes/8 {
		return string(w)
	}
	if p.strings.Cap()-p.strings.Len() < len(w) {
		p.strings = strings.Builder{}
		p.strings.Grow(chunkBytes)
	}
	from := p.strings.Len()
	p.strings.Write(w)
	return p.strings.String()[from:]
}

// body reads the commands of a transaction.
func (p *parser) body() ([][][]byte, bool) {
	if !p.next('[') {
		return nil, false
	}
	body := [][][]byte{}
	if p.next(']') {
		return body, true
	}
	for more, ok := true, true; more; {
		cmd, good := p.command()
		if !good {
			return nil, false
		}
		body = append(body, cmd)
		if more, ok = p.more(']'); !ok {
			return nil, false
		}
	}
	return body, true
}

// reply reads a reply; the commonest ones are shared.
func (p *parser) reply() (*model.Reply, bool) {
	switch p.peek() {
	case '"':
		s, ok := p.text()
		if !ok {
			return nil, false
		}
		return p.shared(model.Bulk, s), true
	case 'n':
		return p.null_, p.null()
	case '{':
		kind, s, ok := p.named()
		switch {
		case !ok:
			return nil, false
		case kind == model.Simple && string(s) == "OK":
			return p.ok, true
		}
		return p.shared(kind, s), true
	}
	r, ok := p.value(0)
	if ok && r.Kind == model.Int && r.Int >= 0 && r.Int < int64(len(p.ints)) {
		return p.ints[r.Int], true
	}
	return p.make(r), ok
}

// named reads {"simple":S} or {"error":S}.
func (p *parser) named() (model.Kind, []byte, bool) {
	kind := model.Simple
	p.next('{')
	name, ok := p.text()
	switch {
	case !ok:
		return 0, nil, false
	case string(name) == "error":
		kind = model.Error
	case string(name) != "simple":
		return 0, nil, false
	}
	if !p.next(':') {
		return 0, nil, false
	}
	s, ok := p.text()
	return kind, s, ok && p.next('}')
}

// shared is a reply of one string, or an earlier one that equals it.
func (p *parser) shared(kind model.Kind, s []byte) *model.Reply {
	if len(s) > internLong {
		return p.make(model.Reply{Kind: kind, Str: p.keepString(s)})
	}
	at := maphash.Bytes(p.seed, s) % internMax
	if r := p.replies[at]; r != nil && r.Kind == kind && r.Str == string(s) {
		return r
	}
	p.replies[at] = p.make(model.Reply{Kind: kind, Str: p.keepString(s)})
	return p.replies[at]
}

func (p *parser) make(r model.Reply) *model.Reply {
	if len(p.made) == 0 {
		p.made = make([]model.Reply, chunkMade)
	}
	to := &p.made[0]
	*to, p.made = r, p.made[1:]
	return to
}

// deepest is how deep the quick reading follows arrays.
const deepest = 8

// value reads any reply that the quick reading knows.
func (p *parser) value(depth int) (model.Reply, bool) {
	switch p.peek() {
	case '"':
		s, ok := p.text()
		return model.Str(p.keepString(s)), ok
	case 'n':
		return model.Reply{Kind: model.Null}, p.null()
	case '{':
		kind, s, ok := p.named()
		return model.Reply{Kind: kind, Str: p.keepString(s)}, ok
	case '[':
		return p.array(depth)
	}
	n, ok := p.integer()
	return model.Num(n), ok
}

func (p *parser) array(depth int) (model.Reply, bool) {
	r := model.Reply{Kind: model.Array, Elems: []model.Reply{}}
	p.next('[')
	if p.next(']') {
		return r, true
	}
	from := len(p.elems)
	defer func() { p.elems = p.elems[:from] }()
	for more, ok := true, true; more; {
		if depth == deepest {
			return r, false
		}
		e, good := p.value(depth + 1)
		if !good {
			return r, false
		}
		p.elems = append(p.elems, e)
		if more, ok = p.more(']'); !ok {
			return r, false
		}
	}
	r.Elems = append(make([]model.Reply, 0, len(p.elems)-from), p.elems[from:]...)
	return r, true
}
