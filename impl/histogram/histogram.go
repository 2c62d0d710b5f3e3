// Package histogram counts durations, without an allocation and in a few nanoseconds each.
//
// A histogram is an array of counters: sixteen for each power of two, so that a bucket is at most a
// sixteenth as wide as what it counts. What a quantile answers is the upper end of a bucket, and
// never less than what was counted there.
package histogram

import (
	"math"
	"math/bits"
)

const (
	subBits = 4 // a power of two is cut into 1 << subBits buckets
	sub     = 1 << subBits

	// maxBits bounds what is told apart: a duration of 2^40 ns, 18 minutes, or more is one of them.
	maxBits = 40
	buckets = sub + (maxBits-subBits)*sub
)

// Histogram counts durations in nanoseconds. The zero value is empty.
type Histogram struct {
	Count uint64
	Sum   int64
	Max   int64

	counts [buckets]uint64
}

// Add counts one duration; a negative one is 0, since a clock may be read on two processors.
func (h *Histogram) Add(ns int64) { h.AddN(ns, 1) }

// AddN counts n durations of the same length.
func (h *Histogram) AddN(ns int64, n uint64) {
	ns = max(ns, 0)
	h.Count += n
	h.Sum += ns * int64(n)
	h.Max = max(h.Max, ns)
	h.counts[bucketOf(uint64(ns))] += n
}

// Reset empties it.
func (h *Histogram) Reset() { *h = Histogram{} }

// bucketOf is where a duration is counted: below sub the durations themselves, from there on the
// exponent and the subBits bits behind the leading one.
func bucketOf(ns uint64) int {
	if ns >= 1<<maxBits {
		return buckets - 1
	}
	if ns < sub {
		return int(ns)
	}
	shift := bits.Len64(ns) - subBits - 1
	return shift<<subBits + int(ns>>shift)
}

// upper is the longest duration that bucket i counts.
func upper(i int) int64 {
	if i < sub {
		return int64(i)
	}
	shift := i>>subBits - 1
	return int64(i-shift<<subBits+1)<<shift - 1
}

// Quantile is a duration that at least the part q of all, from 0 to 1, does not exceed; 0 for none.
// It exceeds the true one by a sixteenth at most, and Max never.
func (h *Histogram) Quantile(q float64) int64 {
	want := max(1, uint64(math.Ceil(q*float64(h.Count))))
	seen := uint64(0)
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= want {
			return min(upper(i), h.Max)
		}
	}
	return 0
}

// Step is one step of the cumulative distribution: Count durations were at most Upto.
type Step struct {
	Upto  int64
	Count uint64
}

// Doubling yields the distribution at first, one duration, twice that, and so on: those steps at
// which there is something new.
func (h *Histogram) Doubling(first int64, yield func(Step)) {
	seen, told := uint64(0), uint64(0)
	for i, bound := 0, first; told < h.Count; bound *= 2 {
		for ; i < buckets && upper(i) < bound; i++ {
			seen += h.counts[i]
		}
		if seen > told {
			told = seen
			yield(Step{bound, seen})
		}
	}
}
