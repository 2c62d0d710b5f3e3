package history

import "fmt"

// This file puts operations that arrive almost in call order into call order: a recorder learns of
// an operation when it has returned, so that lines follow the returns. Meta.MaxDisorder bounds how
// far a line may be behind the latest call before it; whatever is older than that is in its place.

// Order is a buffer of operations on their way into call order: a heap. Where calls tie, operations
// of one client are in the order sent.
type Order struct {
	max     int64
	latest  latest
	arrived int
	heap    []waiting
}

type waiting struct {
	call int64
	seq  int
	op   *Op
}

// NewOrder sorts operations that come at most maxDisorder ns late; 0 means any time, so that
// nothing is in its place before the end.
func NewOrder(maxDisorder int64) *Order { return &Order{max: maxDisorder} }

// Add takes the next operation to arrive. It keeps op.
func (o *Order) Add(op *Op) error {
	if err := o.latest.see(op, o.max); err != nil {
		return err
	}
	o.heap = append(o.heap, waiting{op.Call, o.arrived, op})
	o.arrived++
	for j := len(o.heap) - 1; j > 0 && o.heap[j].before(&o.heap[(j-1)/2]); j = (j - 1) / 2 {
		o.heap[j], o.heap[(j-1)/2] = o.heap[(j-1)/2], o.heap[j]
	}
	return nil
}

// latest is the latest call of the operations so far.
type latest struct {
	call int64
	some bool
}

// see takes the next operation to arrive, unless it comes later than most allows, if it is not 0.
func (l *latest) see(op *Op, most int64) error {
	if most > 0 && l.some && op.Call < l.call-most {
		return fmt.Errorf("%s was called %d ns before an operation on an earlier line; "+
			"maxDisorder allows %d", op, l.call-op.Call, most)
	}
	if !l.some || op.Call > l.call {
		l.call, l.some = op.Call, true
	}
	return nil
}

// Next takes out the operation with the earliest call, if none with an earlier one can arrive any
// more; at the end (last) in any case. Nil if there is none.
func (o *Order) Next(last bool) *Op {
	if len(o.heap) == 0 || !last && (o.max == 0 || o.heap[0].call >= o.latest.call-o.max) {
		return nil
	}
	op, n := o.heap[0].op, len(o.heap)-1
	o.heap[0], o.heap[n] = o.heap[n], waiting{}
	o.heap = o.heap[:n]
	for i := 0; ; {
		least := i
		for j := 2*i + 1; j <= 2*i+2 && j < n; j++ {
			if o.heap[j].before(&o.heap[least]) {
				least = j
			}
		}
		if least == i {
			return op
		}
		o.heap[i], o.heap[least] = o.heap[least], o.heap[i]
		i = least
	}
}

// Len is how many operations wait.
func (o *Order) Len() int { return len(o.heap) }

func (w *waiting) before(v *waiting) bool {
	switch {
	case w.call != v.call:
		return w.call < v.call
	case w.op.Client != v.op.Client:
		return w.op.Client < v.op.Client
	case w.op.N != v.op.N:
		return w.op.N < v.op.N
	}
	return w.seq < v.seq
}
