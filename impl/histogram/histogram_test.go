package histogram

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The buckets tile the numbers: each begins where the one before ends, and is narrow.
func TestBucketsTile(t *testing.T) {
	next := int64(0)
	for i := range buckets {
		if first, last := bucketOf(uint64(next)), bucketOf(uint64(upper(i))); first != i || last != i {
			t.Fatalf("bucket %d: its ends %d and %d are counted in %d and %d", i, next, upper(i), first, last)
		}
		if width := upper(i) - next + 1; width > 1 && width > next/sub {
			t.Fatalf("bucket %d from %d is %d wide", i, next, width)
		}
		next = upper(i) + 1
	}
	if next != 1<<maxBits || bucketOf(1<<62) != buckets-1 {
		t.Errorf("the last bucket ends at %d, and 1<<62 is counted in %d", next, bucketOf(1<<62))
	}
}

// A quantile is that of the sorted list, up to a sixteenth more, and the maximum is exact.
func TestQuantiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h Histogram
		list := make([]int64, 1+rnd.IntN(500))
		for i := range list {
			list[i] = rnd.Int64N(1 << rnd.IntN(38))
			h.Add(list[i])
		}
		slices.Sort(list)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
			rank := max(1, int(q*float64(len(list))+0.9999999))
			want, got := list[rank-1], h.Quantile(q)
			if got < want || got > want+want/sub {
				t.Fatalf("of %d durations quantile %v is %d, want %d", len(list), q, got, want)
			}
		}
		if h.Max != list[len(list)-1] || h.Count != uint64(len(list)) {
			t.Fatalf("max %d, count %d", h.Max, h.Count)
		}
	}
}

func TestDoubling(t *testing.T) {
	var h Histogram
	h.AddN(500, 2)
	h.Add(-7)
	h.Add(3000)
	h.Add(1 << 50)
	var got []Step
	h.Doubling(1024, func(s Step) { got = append(got, s) })
	want := []Step{{1024, 3}, {4096, 4}, {1 << maxBits, 5}}
	if !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	h.Reset()
	h.Doubling(1, func(s Step) { t.Errorf("step %v of an empty histogram", s) })
	if h.Quantile(0.5) != 0 || h.Max != 0 {
		t.Errorf("an empty one has median %d and maximum %d", h.Quantile(0.5), h.Max)
	}
}

func TestNoAllocation(t *testing.T) {
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { h.AddN(12345, 3) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	var h Histogram
	for i := range b.N {
		h.Add(int64(i & 0xffff))
	}
}
