package history

import (
	"fmt"
	"io"
	"iter"
)

// Reader reads a history file as a stream, in call order. With Meta.MaxDisorder it holds no more
// than the operations of that time and a few blocks of the file; without it, or without a meta
// line, everything must be read before the first operation can be given.
type Reader struct {
	in    *blocks
	next  func() (*batch, bool)
	close func()
	meta  Meta
	marks []Mark
	order *Order
	batch *batch // being handed to order
	at    int    // in batch
	bytes int64
	err   error // io.EOF: the file has ended
}

// NewReader begins to read; Close ends it.
func NewReader(r io.Reader) (*Reader, error) {
	in := startBlocks(r)
	next, stop := iter.Pull(in.batches())
	s := &Reader{in: in, next: next, close: stop}
	s.load()
	if s.batch != nil && s.batch.meta != nil {
		s.meta = *s.batch.meta
	}
	s.order = NewOrder(s.meta.MaxDisorder)
	if s.err != nil && s.err != io.EOF {
		s.Close()
		return nil, s.err
	}
	return s, nil
}

// Meta is what the file says about the recording.
func (r *Reader) Meta() Meta { return r.meta }

// Marks lists the marks read so far.
func (r *Reader) Marks() []Mark { return r.marks }

// Bytes is how much of the file has been parsed.
func (r *Reader) Bytes() int64 { return r.bytes }

// Close lets go of the file.
func (r *Reader) Close() {
	r.close()
	r.in.stop()
}

// load takes the next batch.
func (r *Reader) load() {
	b, ok := r.next()
	r.batch, r.at = nil, 0
	switch {
	case !ok:
		r.err = io.EOF
	case b.err != nil && len(b.ops) == 0:
		r.err = b.err
	case len(r.marks)+len(b.marks) > MarksMax:
		r.err = fmt.Errorf("line %d: more than %d marks", b.first, MarksMax)
	default:
		r.batch = b
		r.bytes += int64(b.bytes)
		r.marks = append(r.marks, b.marks...)
	}
}

// Next gives the operation with the next call; io.EOF after the last one. Other errors name a line.
// What it gives shares memory with other operations and must not be changed in place.
func (r *Reader) Next() (Op, error) {
	for {
		if op := r.order.Next(r.err == io.EOF); op != nil {
			return *op, nil
		}
		if r.err != nil {
			return Op{}, r.err
		}
		if r.at < len(r.batch.ops) {
			if err := r.order.Add(&r.batch.ops[r.at]); err != nil {
				r.err = fmt.Errorf("line %d: %w", r.batch.lineOf(r.at), err)
			}
			r.at++
			continue
		}
		if r.err = r.batch.err; r.err == nil {
			r.load()
		}
	}
}
