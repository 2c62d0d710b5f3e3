package linear

import (
	"math/rand/v2"
	"testing"
)

// The points of a small zone can be listed, so every operation can be compared with what it means.

const (
	side = 5 // coordinates run from 0 to side
	dims = 3 // the constant and two variables
)

type points map[[2]int]bool

// randomZone adds the same random bounds to a zone and to a list of points.
func randomZone(r *rand.Rand) (zone, points, bool) {
	z, p := newZone(dims), points{}
	for x := range side + 1 {
		for y := range side + 1 {
			p[[2]int{x, y}] = true
		}
	}
	for i := 1; i < dims; i++ {
		z.limit(i, rowZero, side)
		z.limit(rowZero, i, 0)
	}
	alive := true
	for range r.IntN(5) {
		a, b, c := r.IntN(dims), r.IntN(dims), int64(r.IntN(2*side+1)-side)
		if a == b {
			continue
		}
		alive = alive && z.limit(a, b, c)
		for q := range p {
			v := [dims]int{0, q[0], q[1]}
			if int64(v[a]-v[b]) > c {
				delete(p, q)
			}
		}
	}
	return z, p, alive
}

func (z *zone) has(q [2]int) bool {
	v := [dims]int{0, q[0], q[1]}
	for i := range dims {
		for j := range dims {
			if int64(v[i]-v[j]) > z.at(i, j) {
				return false
			}
		}
	}
	return true
}

func TestZoneAgainstPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		z, p, alive := randomZone(r)
		if alive != (len(p) > 0) {
			t.Fatalf("alive %v with %d points", alive, len(p))
		}
		if !alive {
			continue
		}
		checkPoints(t, &z, p)
		y, q, alive := randomZone(r)
		if !alive {
			continue
		}
		inside := true
		for v := range q {
			inside = inside && p[v]
		}
		if z.includes(&y) != inside {
			t.Fatalf("includes %v, want %v", z.includes(&y), inside)
		}
		if h := z.hull(&y); !h.includes(&z) || !h.includes(&y) {
			t.Fatal("a hull leaves something out")
		}
	}
}

// checkPoints compares membership, tightness of every bound, projection and elapse.
func checkPoints(t *testing.T, z *zone, p points) {
	t.Helper()
	var most [dims][dims]int64
	for i := range most {
		for j := range most {
			most[i][j] = -inf
		}
	}
	shifted := z.project([]row{{of: 0}, {of: 2, off: 3}, {of: 2, off: 3}})
	late := zone{n: z.n, stride: z.stride, d: append([]int64(nil), z.d...)}
	late.elapse(1)
	for q := range p {
		v := [dims]int{0, q[0], q[1]}
		for i := range dims {
			for j := range dims {
				most[i][j] = max(most[i][j], int64(v[i]-v[j]))
			}
		}
		if !z.has(q) || !shifted.has([2]int{q[1] + 3, q[1] + 3}) || !late.has([2]int{q[0] + 9, q[1]}) {
			t.Fatalf("point %v is lost", q)
		}
	}
	for i := range dims {
		for j := range dims {
			if z.at(i, j) != most[i][j] {
				t.Fatalf("bound %d-%d is %d, tight would be %d", i, j, z.at(i, j), most[i][j])
			}
		}
	}
}

func TestZoneGrows(t *testing.T) {
	z := newZone(2)
	z.limit(1, 0, 10)
	z.limit(0, 1, -4)
	last := 1
	for range 20 {
		r := z.grow()
		z.limit(last, r, -1)
		last = r
	}
	if low := -z.at(0, last); low != 24 {
		t.Errorf("twenty readings after 4, each later than the one before: %d", low)
	}
}

func TestPlusSaturates(t *testing.T) {
	for _, tt := range [][3]int64{
		{1, 2, 3}, {inf, -5, inf}, {inf - 1, 10, inf}, {-inf, -1, -inf}, {-inf, 1, -inf + 1},
		{-inf, inf, inf},
	} {
		if got := plus(tt[0], tt[1]); got != tt[2] {
			t.Errorf("plus(%d, %d) = %d, want %d", tt[0], tt[1], got, tt[2])
		}
	}
}
