package linear

import "math"

// zone is a difference-bound matrix: a set of integer vectors x given by upper bounds on
// differences, at(i,j) >= x[i]-x[j]. Row 0 is the constant 0, so at(i,0) bounds x[i] from above and
// -at(0,i) from below.
//
// All of a server's time rules are such differences ("now > deadline", "deadline = now + n", "PTTL
// answered 37"), so a zone holds exactly the instants that still explain the replies seen so far:
// intersection, renaming, forgetting a variable and letting time pass lose nothing and add nothing,
// also over the integers, because every bound is an integer. Strict comparisons are not needed for
// the same reason: now > d is now-d >= 1.
//
// A zone is kept closed (at(i,k) <= at(i,j)+at(j,k)): each bound is the tightest one that the
// others imply. Closed, it is canonical: equal sets have equal matrices, and inclusion is an
// elementwise comparison.
type zone struct {
	n, stride int
	d         []int64
}

// inf is "no bound". It absorbs every addition.
const inf = math.MaxInt64

// plus adds bounds, saturating. Instants lie between 0 and 2^63-1 (a deadline may be that far
// away), so a bound above inf says nothing, and one below -inf is kept as an impossible -inf.
func plus(a, b int64) int64 {
	if a == inf || b == inf {
		return inf
	}
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return inf
	case a < 0 && b < 0 && (s >= 0 || s < -inf):
		return -inf
	}
	return s
}

// newZone has n variables, of which only the constant is bounded.
func newZone(n int) zone {
	z := zone{n: n, stride: n, d: make([]int64, n*n)}
	for i := range z.d {
		z.d[i] = inf
	}
	for i := range n {
		z.d[i*n+i] = 0
	}
	return z
}

func (z *zone) at(i, j int) int64 { return z.d[i*z.stride+j] }

// limit adds x[a]-x[b] <= c to a closed zone and keeps it closed; false means that nothing is left.
// One new bound can only shorten paths that use it, so one pass over all pairs closes again.
func (z *zone) limit(a, b int, c int64) bool {
	if c >= z.at(a, b) {
		return true
	}
	if plus(z.at(b, a), c) < 0 {
		return false
	}
	fromB := z.d[b*z.stride : b*z.stride+z.n]
	for i := range z.n {
		via := plus(z.at(i, a), c)
		if via == inf {
			continue
		}
		row := z.d[i*z.stride : i*z.stride+z.n]
		for j := range row {
			row[j] = min(row[j], plus(via, fromB[j]))
		}
	}
	return true
}

// grow adds a variable that is not bounded and returns its row. The matrix doubles its stride when
// it is full: a unit of a live clock may take any number of readings.
func (z *zone) grow() int {
	if z.n == z.stride {
		wider := zone{n: z.n, stride: 2 * (z.n + 1)}
		wider.d = make([]int64, wider.stride*wider.stride)
		for i := range z.n {
			copy(wider.d[i*wider.stride:], z.d[i*z.stride:i*z.stride+z.n])
		}
		*z = wider
	}
	r := z.n
	z.n++
	for i := range z.n {
		z.d[i*z.stride+r], z.d[r*z.stride+i] = inf, inf
	}
	z.d[r*z.stride+r] = 0
	return r
}

// assign makes z a copy of from, reusing z's memory.
func (z *zone) assign(from *zone) {
	if cap(z.d) < len(from.d) {
		z.d = make([]int64, len(from.d))
	}
	z.n, z.stride, z.d = from.n, from.stride, z.d[:len(from.d)]
	copy(z.d, from.d)
}

// row names a variable of a derived zone: an old variable plus a constant.
type row struct {
	of  int
	off int64
}

// project derives the zone over the given rows. Picking rows of a closed matrix is the projection:
// variables that are not picked are forgotten, one picked twice stays tied to itself.
func (z *zone) project(rows []row) zone {
	p := zone{n: len(rows), stride: len(rows), d: make([]int64, len(rows)*len(rows))}
	for i, a := range rows {
		for j, b := range rows {
			if i != j {
				p.d[i*p.stride+j] = plus(plus(z.at(a.of, b.of), a.off), -b.off)
			}
		}
	}
	return p
}

// elapse drops every upper bound of variable i: it may now be any later value. Nothing that was
// closed opens, since paths out of i become infinite.
func (z *zone) elapse(i int) {
	for j := range z.n {
		if j != i {
			z.d[i*z.stride+j] = inf
		}
	}
}

// includes reports that every point of b is one of z; both closed and of the same variables.
func (z *zone) includes(b *zone) bool {
	for i := range z.d {
		if b.d[i] > z.d[i] {
			return false
		}
	}
	return true
}

// hull is the smallest zone that includes both; closed because maxima of closed bounds are.
func (z *zone) hull(b *zone) zone {
	h := zone{n: z.n, stride: z.stride, d: make([]int64, len(z.d))}
	for i := range h.d {
		h.d[i] = max(z.d[i], b.d[i])
	}
	return h
}

// widen drops every bound in which z is wider than before.
func (z *zone) widen(before *zone) {
	for i := range z.d {
		if z.d[i] > before.d[i] {
			z.d[i] = inf
		}
	}
}
