// Package resp turns bytes into requests and replies into bytes.
//
// A request is looked at up to three times, in this order. Next first tries fast: a complete
// frame of short numbers, which is nearly every one. What fast does not recognise goes to step, the
// incremental decoder: it takes the frame apart line by line and remembers how far it got, so that a
// frame arriving byte by byte costs time linear in its length (WIRE-1, WIRE-2). A line that does not
// begin with '*' is an inline command (inline.go).
//
// The decoder is as lenient as Redis 7.0 where clients can tell: a header line ends at the first
// CR and the byte after it is skipped unseen, as are the two bytes after a bulk; a NUL in a line
// hides the end of that line.
package resp

import "bytes"

// Limits bounds what a request may hold. The connection owns it and may change it between calls.
type Limits struct {
	BulkLenMax   int64 // proto-max-bulk-len (WIRE-11)
	AuthRequired bool  // this connection has not authenticated yet (WIRE-23)
}

// The bounds that Redis compiles in.
const (
	lineBytesMax       = 64 << 10     // a header or an inline line without its end (WIRE-12)
	argsMax            = 1<<31 - 1    // WIRE-9
	argsUnauthMax      = 10           // WIRE-23
	bulkUnauthBytesMax = 16384        // WIRE-23
	argsKept           = 1024         // a longer argument list is given back after its frame
	scratchBytesKept   = lineBytesMax // likewise the text of inline words
)

// LargeBytes is the length from which on an argument is large: Need tells how much of it is missing,
// and its capacity reaches to that of the buffer, so that who owns the buffer knows where in it the
// argument stands (WIRE-24).
const LargeBytes = 32 << 10

// ProtocolError is a request that breaks the protocol. The connection replies
// "ERR " + Error() after what it owes, and closes (WIRE-13).
type ProtocolError string

func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

const (
	errInlineTooBig   = ProtocolError("too big inline request")
	errQuotes         = ProtocolError("unbalanced quotes in request")
	errCountTooBig    = ProtocolError("too big mbulk count string")
	errCount          = ProtocolError("invalid multibulk length")
	errCountUnauth    = ProtocolError("unauthenticated multibulk length")
	errBulkLineTooBig = ProtocolError("too big bulk count string")
	errBulkLen        = ProtocolError("invalid bulk length")
	errBulkUnauth     = ProtocolError("unauthenticated bulk length")
)

// span is an argument found so far, as offsets from the start of the frame: the connection may
// move its buffer between two calls.
type span struct{ from, to int }

// Decoder is the incremental state of one connection; its zero value is ready.
type Decoder struct {
	args    [][]byte // the last result, reused
	spans   []span   // the arguments that an unfinished frame already has
	scratch []byte   // the words of an inline command, quotes removed

	pos     int  // where in the frame the next line or bulk begins
	scanned int  // how far after pos the end of the line has been searched for
	missing int  // arguments still to come; 0 before the header of the frame
	bulk    int  // bytes of the bulk at pos; -1 while its header is to come
	need    int  // see Need
	hidden  bool // a NUL stands before the end of the line at pos
}

// Next decodes the frame that buf begins with; buf grows from call to call until the frame is
// complete. n is the number of bytes it took; n == 0 means that more must arrive first. args is
// empty with n > 0 for a frame that asks nothing (WIRE-8). They are views of buf (or of the
// decoder, for inline words), valid until the next call.
func (d *Decoder) Next(buf []byte, lim *Limits) (args [][]byte, n int, err error) {
	if d.pos == 0 && d.scanned == 0 {
		d.args = d.args[:0]
		if n = d.fast(buf, lim); n > 0 {
			return d.args, n, nil
		}
	}
	return d.step(buf, lim)
}

// Frame is a decoded request: its arguments, and the bytes that it took.
type Frame struct {
	Args  [][]byte
	Bytes int
}

// Ahead appends the frames that buf begins with to frames, up to its capacity, as long as they are
// complete and short: what Next would give, one after the other, whatever their execution changes
// meanwhile. The arguments are valid until the next call of Ahead or Next. It gives none where a frame
// is under way.
func (d *Decoder) Ahead(buf []byte, lim *Limits, frames []Frame) []Frame {
	d.args = d.args[:0]
	for d.pos == 0 && d.scanned == 0 && len(frames) < cap(frames) {
		from := len(d.args)
		n := d.fast(buf, lim)
		if n == 0 {
			d.args = d.args[:from]
			break
		}
		frames = append(frames, Frame{d.args[from:len(d.args):len(d.args)], n})
		buf = buf[n:]
	}
	return frames
}

// Need is how many bytes of a large bulk argument are still missing, so that the connection can
// size its buffer once and read straight into place; 0 if none is under way (WIRE-24).
func (d *Decoder) Need() int { return d.need }

// fast decodes a complete frame of short numbers, without a large argument: it appends the arguments
// to args, and returns the bytes of the frame. It changes nothing that step relies on, and
// leaves everything else, errors included, to it.
func (d *Decoder) fast(buf []byte, lim *Limits) int {
	if len(buf) == 0 || buf[0] != '*' {
		return 0
	}
	count, at := shortNumber(buf, 1)
	if count <= 0 || count > argsKept || lim.AuthRequired || lim.BulkLenMax < LargeBytes {
		return 0
	}
	args := d.args
	for ; count > 0; count-- {
		if at >= len(buf) || buf[at] != '$' {
			return 0
		}
		size, from := shortNumber(buf, at+1)
		if size < 0 || from+size+2 > len(buf) || size >= LargeBytes {
			return 0
		}
		args = append(args, buf[from:from+size:from+size])
		at = from + size + 2
	}
	d.args = args
	return at
}

// FirstKey is the second argument of the frame that buf begins with, if that is easily seen: in most
// commands it is a key. Nothing may depend on it but the time that something takes.
func FirstKey(buf []byte) []byte {
	if len(buf) == 0 || buf[0] != '*' {
		return nil
	}
	count, at := shortNumber(buf, 1)
	size, from := 0, 0
	for range min(count, 2) {
		if at >= len(buf) || buf[at] != '$' {
			return nil
		}
		if size, from = shortNumber(buf, at+1); size < 0 || from+size > len(buf) {
			return nil
		}
		at = from + size + 2
	}
	if count < 2 {
		return nil
	}
	return buf[from : from+size]
}

// shortNumber reads up to five digits and CR LF at buf[at:]; next is what follows. n is -1 if
// something else stands there, or not all of it yet.
func shortNumber(buf []byte, at int) (n, next int) {
	if at+3 > len(buf) {
		return -1, 0
	}
	n = int(buf[at] - '0')
	if uint(n) > 9 {
		return -1, 0
	}
	if buf[at+1] == '\r' {
		return n, at + 3
	}
	low := int(buf[at+1] - '0')
	if uint(low) > 9 || n == 0 || at+4 > len(buf) {
		return -1, 0
	}
	n = n*10 + low
	if buf[at+2] == '\r' {
		return n, at + 4
	}
	return longerNumber(buf, at+2, n)
}

// longerNumber is the rest of shortNumber after two digits, with the number so far.
func longerNumber(buf []byte, at, n int) (_, next int) {
	for end := at + 3; at < end && at+2 <= len(buf); at++ {
		digit := int(buf[at] - '0')
		if uint(digit) > 9 {
			return -1, 0
		}
		if n = n*10 + digit; at+3 <= len(buf) && buf[at+1] == '\r' {
			return n, at + 3
		}
	}
	return -1, 0
}

// step goes on with the frame where the last call had to stop.
func (d *Decoder) step(buf []byte, lim *Limits) ([][]byte, int, error) {
	d.need = 0
	if len(buf) == 0 {
		return nil, 0, nil
	}
	if d.pos == 0 {
		if buf[0] != '*' {
			return d.inline(buf)
		}
		if done, err := d.header(buf, lim); !done || err != nil {
			return nil, 0, err
		}
		if d.missing <= 0 { // WIRE-8
			return d.finish(d.args[:0])
		}
	}
	for d.missing > 0 {
		if done, err := d.argument(buf, lim); !done || err != nil {
			return nil, 0, err
		}
	}
	args := d.args[:0]
	for _, s := range d.spans {
		if s.to-s.from >= LargeBytes {
			args = append(args, buf[s.from:s.to])
		} else {
			args = append(args, buf[s.from:s.to:s.to])
		}
	}
	return d.finish(args)
}

// finish forgets the frame that ends at pos.
func (d *Decoder) finish(args [][]byte) ([][]byte, int, error) {
	n := d.pos
	d.args, d.spans = args[:0], d.spans[:0]
	if cap(args) > argsKept {
		d.args, d.spans = nil, nil
	}
	if cap(d.scratch) > scratchBytesKept {
		d.scratch = nil
	}
	d.pos, d.missing, d.bulk = 0, 0, -1
	d.scanned, d.hidden = 0, false
	return args, n, nil
}

// header reads "*count" and leaves the count in missing.
func (d *Decoder) header(buf []byte, lim *Limits) (done bool, err error) {
	end, ok := d.lineEnd(buf, '\r')
	if !ok {
		return false, d.tooLong(buf, errCountTooBig)
	}
	if end+1 >= len(buf) { // the LF
		return false, nil
	}
	count, ok := ParseInt(buf[1:end])
	if !ok || count > argsMax {
		return false, errCount
	}
	if count > argsUnauthMax && lim.AuthRequired {
		return false, errCountUnauth
	}
	d.missing, d.bulk = int(count), -1
	d.advance(end + 2)
	return true, nil
}

// argument reads the next argument: its header if that is still to come, then its bytes.
func (d *Decoder) argument(buf []byte, lim *Limits) (done bool, err error) {
	if d.bulk < 0 {
		if done, err = d.bulkHeader(buf, lim); !done || err != nil {
			return false, err
		}
	}
	if lack := d.pos + d.bulk + 2 - len(buf); lack > 0 {
		if d.bulk >= LargeBytes {
			d.need = lack
		}
		return false, nil
	}
	d.spans = append(d.spans, span{d.pos, d.pos + d.bulk})
	d.advance(d.pos + d.bulk + 2)
	d.missing--
	d.bulk = -1
	return true, nil
}

// bulkHeader reads "$length" at pos and leaves the length in bulk.
func (d *Decoder) bulkHeader(buf []byte, lim *Limits) (done bool, err error) {
	end, ok := d.lineEnd(buf, '\r')
	if !ok {
		return false, d.tooLong(buf, errBulkLineTooBig)
	}
	if end+1 >= len(buf) {
		return false, nil
	}
	if first := buf[d.pos]; first != '$' { // WIRE-10
		return false, ProtocolError("expected '$', got '" + string([]byte{first}) + "'")
	}
	size, ok := ParseInt(buf[d.pos+1 : end])
	if !ok || size < 0 || size > lim.BulkLenMax {
		return false, errBulkLen
	}
	if size > bulkUnauthBytesMax && lim.AuthRequired {
		return false, errBulkUnauth
	}
	d.bulk = int(size)
	d.advance(end + 2)
	return true, nil
}

// lineEnd finds the terminator of the line at pos. Where it has looked it does not look again.
func (d *Decoder) lineEnd(buf []byte, terminator byte) (int, bool) {
	from := d.pos + d.scanned
	if d.hidden || from >= len(buf) {
		return 0, false
	}
	rest := buf[from:]
	i := bytes.IndexByte(rest, terminator)
	if i >= 0 {
		rest = rest[:i]
	}
	if bytes.IndexByte(rest, 0) >= 0 { // nothing behind a NUL is found any more
		d.hidden = true
		i = -1
	}
	if i < 0 {
		d.scanned = len(buf) - d.pos
		return 0, false
	}
	d.scanned = from + i - d.pos
	return from + i, true
}

// tooLong is the error of a line whose end should have come by now (WIRE-12).
func (d *Decoder) tooLong(buf []byte, err ProtocolError) error {
	if len(buf)-d.pos > lineBytesMax {
		return err
	}
	return nil
}

func (d *Decoder) advance(pos int) {
	d.pos, d.scanned, d.hidden = pos, 0, false
}

// ParseInt reads a strict decimal 64-bit integer: an optional '-', no '+', no blanks, no leading
// zeros. It is the only notation of integers in requests and in values (STR-15).
func ParseInt(b []byte) (int64, bool) {
	if len(b) == 1 && b[0]-'0' <= 9 {
		return int64(b[0] - '0'), true
	}
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || b[0]-'1' > 8 { // no digits, a leading zero, or something else
		return 0, false
	}
	// 19 digits cannot overflow 64 bits, and 20 are refused: no int64 is that long.
	if len(b) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		digit := uint64(c - '0')
		if digit > 9 {
			return 0, false
		}
		n = n*10 + digit
	}
	return signed(n, negative)
}

func signed(n uint64, negative bool) (int64, bool) {
	if negative {
		return int64(-n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}
