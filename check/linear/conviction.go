package linear

import (
	"slices"
	"sync/atomic"

	"rondo/check/history"
)

// Conviction tells after how many of its operations, by return, h is illegal whatever comes later:
// how long a judge that looks on has to wait. 0 if h is not illegal; the verdict says what it is.
//
// Cutting a recording at a moment turns what has not returned by then into operations of unknown
// outcome, so illegality is monotone in the moment: the first power of two at which it holds is
// found, and then the place below it.
func Conviction(h *history.History, opt Options) (int, Verdict) {
	opt = opt.withDefaults()
	if err := h.Validate(); err != nil {
		return 0, Error
	}
	c := &cutter{h: h, opt: opt}
	for i := range h.Ops {
		if r := h.Ops[i].Return; r != history.Never {
			c.returns = append(c.returns, r)
		}
	}
	slices.Sort(c.returns)
	const first = 32
	low, high := 0, min(first, len(c.returns))
	for {
		v := c.verdict(high)
		if v == Illegal {
			break
		}
		if high == len(c.returns) {
			return 0, v
		}
		low, high = high, min(2*high, len(c.returns))
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; c.verdict(mid) == Illegal {
			high = mid
		} else {
			low = mid
		}
	}
	return high, Illegal
}

// cutter judges a history up to a moment.
type cutter struct {
	h       *history.History
	opt     Options
	returns []int64 // sorted
}

// verdict judges what is known when n operations have returned.
func (c *cutter) verdict(n int) Verdict {
	end := int64(0)
	if n > 0 {
		end = c.returns[n-1]
	}
	parts := split(c.h.Until(end))
	var illegal, undecided atomic.Bool
	inParallel(len(parts), func(i int) {
		if illegal.Load() {
			return
		}
		switch parts[i].opinions(c.opt).verdict {
		case Illegal:
			illegal.Store(true)
		case Unknown, Error:
			undecided.Store(true)
		}
	})
	switch {
	case illegal.Load():
		return Illegal
	case undecided.Load():
		return Unknown
	}
	return OK
}
