package rhythm

import (
	"math"
	"slices"
)

// Quantiles of times, in ms.
type Quantiles struct {
	N    int     `json:"n"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// quantiles sorts times, which are in ns.
func quantiles(times []int64) Quantiles {
	slices.Sort(times)
	q := Quantiles{N: len(times)}
	if q.N == 0 {
		return q
	}
	q.P50, q.P99, q.P999, q.Max = at(times, 0.5), at(times, 0.99), at(times, 0.999), ms(times[q.N-1])
	return q
}

// at is the smallest of sorted times that so much of them do not exceed, in ms.
func at(sorted []int64, part float64) float64 {
	i := int(math.Ceil(part*float64(len(sorted)))) - 1
	return ms(sorted[min(max(i, 0), len(sorted)-1)])
}

// ms is exact to the µs: more is noise, and long to write.
func ms(ns int64) float64 { return float64((ns+500)/1000) / 1000 }

// Quantiles of the samples that were intended from from to to.
func (t Trace) Quantiles(from, to int64) Quantiles { return quantiles(t.times(from, to, took)) }

func took(s Sample) int64 { return s.Took }
func late(s Sample) int64 { return s.Late }

func (t Trace) times(from, to int64, of func(Sample) int64) (out []int64) {
	for _, s := range t.Samples {
		if s.At >= from && s.At <= to {
			out = append(out, of(s))
		}
	}
	return out
}

// Step is a point of a curve: so much of the times (0.99) are at most so long.
type Step struct {
	Part float64 `json:"part"`
	Ms   float64 `json:"ms"`
}

// parts are those of a curve: half of the rest is between two of them, down to one in a million.
var parts = func() (out []float64) {
	for rest := 1.0; rest > 1e-6; rest /= 2 {
		out = append(out, 1-rest/2)
	}
	return out
}()

// curve is the distribution of times, as far as there are enough of them to say; its last point is
// the longest.
func curve(times []int64) (out []Step) {
	slices.Sort(times)
	n := float64(len(times))
	for _, part := range parts {
		if n*(1-part) < 1 {
			break
		}
		out = append(out, Step{part, at(times, part)})
	}
	if len(times) > 0 {
		out = append(out, Step{1 - 0.5/n, ms(times[len(times)-1])})
	}
	return out
}

// Column is a stretch of time in a picture: the longest time within it, and the median.
type Column struct {
	At  float64 `json:"at"` // ms, its beginning, counted from the beginning of the work
	Mid float64 `json:"mid"`
	Max float64 `json:"max"`
}

// columns cut what was intended from from to to into stretches of equal length. begin is the moment
// to count from.
func (t Trace) columns(from, to, begin int64, most int) []Column {
	width := max((to-from)/int64(most), 1)
	groups := make([][]int64, most+1)
	for _, s := range t.Samples {
		if s.At >= from && s.At <= to {
			i := min((s.At-from)/width, int64(most))
			groups[i] = append(groups[i], s.Took)
		}
	}
	var out []Column
	for i, g := range groups {
		if len(g) > 0 {
			slices.Sort(g)
			out = append(out, Column{ms(from + int64(i)*width - begin), at(g, 0.5), ms(g[len(g)-1])})
		}
	}
	return out
}

// Lag is how long after their deadlines keys were gone, seen from outside: how many there are was
// asked again and again, and no key was asked for.
type Lag struct {
	Keys int     `json:"keys"`
	P50  float64 `json:"p50"` // ms; where keys are left, at least
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
	Left int     `json:"left"` // keys that were there to the end
}

// seen is an answer to the question how many keys are gone.
type seen struct {
	at   int64 // ns, when it came
	gone int
}

// lags match the keys that went with the deadlines that came, both in order. The mean is then right,
// whatever the order in which a server takes them, and the rest is for a server that takes them in
// order. What is left at the end is as late as the end.
func lags(deadlines []int64, looks []seen, end int64) *Lag {
	slices.Sort(deadlines)
	times := make([]int64, len(deadlines))
	look := 0
	out := &Lag{Keys: len(deadlines)}
	for i, d := range deadlines {
		for look < len(looks) && looks[look].gone <= i {
			look++
		}
		if look < len(looks) {
			times[i] = max(0, looks[look].at-d)
		} else {
			times[i] = max(0, end-d)
			out.Left++
		}
	}
	q := quantiles(times)
	out.P50, out.P99, out.Max = q.P50, q.P99, q.Max
	return out
}
