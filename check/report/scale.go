package report

import (
	"fmt"
	"math"
	"slices"
)

// scale maps moments to the width of a drawing. Where nothing happens for much longer than all
// else takes, the axis is broken: an operation of 0.1 ms beside a deadline of a minute would
// otherwise be invisible.
type scale struct {
	pieces []piece
	x1     float64
}

// piece is a stretch of time and of the drawing.
type piece struct {
	from, to int64
	x0, x1   float64
	broken   bool
}

const (
	breakRatio = 4 // a gap this many times longer than the rest is broken
	breakWidth = 44.0
	tickGap    = 64.0 // between labels
)

// newScale lays out the span of the moments, from x0 to x1.
func newScale(moments []int64, x0, x1 float64) *scale {
	m := slices.Clone(moments)
	slices.Sort(m)
	m = slices.Compact(m)
	gaps := brokenGaps(m)
	var rest int64
	for i := 1; i < len(m); i++ {
		if !gaps[i] {
			rest += m[i] - m[i-1]
		}
	}
	pad := max(rest/16, 1000)
	first, last := m[0]-pad, m[len(m)-1]+pad
	pads := pad * int64(2+2*len(gaps))                              // on both sides of every gap
	broken := min(breakWidth, (x1-x0)/2/max(float64(len(gaps)), 1)) // half of it is for what happened
	perNs := (x1 - x0 - broken*float64(len(gaps))) / float64(rest+pads)
	s := &scale{x1: x1}
	from, x := first, x0
	add := func(to int64, width float64, broken bool) {
		s.pieces = append(s.pieces, piece{from, to, x, x + width, broken})
		from, x = to, x+width
	}
	for i := 1; i < len(m); i++ {
		if gaps[i] {
			add(m[i-1]+pad, perNs*float64(m[i-1]+pad-from), false)
			add(m[i]-pad, broken, true)
		}
	}
	add(last, perNs*float64(last-from), false)
	return s
}

// brokenGaps are the indices of moments in front of which the axis is broken.
func brokenGaps(m []int64) map[int]bool {
	order := make([]int, 0, len(m))
	for i := 1; i < len(m); i++ {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return -int(min(max((m[i]-m[i-1])-(m[j]-m[j-1]), -1), 1))
	})
	broken := map[int]bool{}
	left := m[len(m)-1] - m[0]
	for _, i := range order {
		gap := m[i] - m[i-1]
		if gap <= breakRatio*max(left-gap, 1e6) { // a few ms are no gap: clocks tick in ms
			break
		}
		broken[i] = true
		left -= gap
	}
	return broken
}

// x is the place of a moment; those outside stand at the edge.
func (s *scale) x(ns int64) float64 {
	for _, p := range s.pieces {
		if ns <= p.to {
			ns = max(ns, p.from)
			return p.x0 + (p.x1-p.x0)*float64(ns-p.from)/float64(max(p.to-p.from, 1))
		}
	}
	return s.x1
}

// tick is a moment that the axis names.
type tick struct {
	ns    int64
	label string
}

// ticks are round moments counted from origin, at least one in each unbroken piece.
func (s *scale) ticks(origin int64) []tick {
	var perNs float64
	for _, p := range s.pieces {
		if !p.broken && p.to > p.from {
			perNs = (p.x1 - p.x0) / float64(p.to-p.from)
		}
	}
	step, decimals := roundStep(tickGap / perNs)
	var out []tick
	for _, p := range s.pieces {
		if p.broken {
			continue
		}
		n := len(out)
		at := origin + ceilDiv(p.from-origin, step)*step
		for ; at <= p.to; at += step {
			out = append(out, tick{at, fmt.Sprintf("%.*f ms", decimals, float64(at-origin)/1e6)})
		}
		if len(out) == n {
			mid := p.from + (p.to-p.from)/2
			out = append(out, tick{mid, fmt.Sprintf("%.3f ms", float64(mid-origin)/1e6)})
		}
	}
	return out
}

// roundStep is 1, 2 or 5 times a power of ten, at least least ns, and the decimals that a label in
// ms then needs.
func roundStep(least float64) (step int64, decimals int) {
	power := math.Pow(10, math.Floor(math.Log10(max(least, 1))))
	for _, f := range []float64{1, 2, 5, 10} {
		if f*power >= least {
			step = int64(f * power)
			break
		}
	}
	for unit := int64(1e6); unit > 1 && step%unit != 0; unit /= 10 {
		decimals++
	}
	return max(step, 1), decimals
}

func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && a > 0 {
		q++
	}
	return q
}
