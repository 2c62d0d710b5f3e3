package model

import (
	"math"
	"slices"
	"strconv"
)

// Match reports whether an observed reply is one that the model's reply m allows. Shapes are
// compared strictly; nulls are equal to each other, and the pairs of a map may come in any order.
// between(a, b, lo, hi) tells whether lo <= a-b <= hi may hold; where it is asked several times it
// may narrow what is possible, and the answer is right if all were.
func Match(m, observed Reply, between func(a, b Instant, lo, hi int64) bool) bool {
	switch m.Kind {
	case Null, NullArray, Null3:
		return observed.IsNull()
	case Array, Set, Push:
		return m.Kind == observed.Kind && matchAll(m.Elems, observed.Elems, between)
	case Map:
		return observed.Kind == Map && matchPairs(m.Elems, observed.Elems, between)
	case DiffTerm:
		lo, hi, ok := span(observed.Int, m.Unit)
		return observed.Kind == Int && ok && between(m.A, m.B, lo, hi)
	case TimeTerm:
		ms, ok := millis(observed)
		return ok && between(m.A, At(0), ms, ms)
	case Any:
		return len(m.Elems) == 0 || m.Elems[0].Kind == observed.Kind
	case IntRange:
		return observed.Kind == Int && m.Int <= observed.Int && observed.Int <= m.Max
	case AnyOrder:
		return observed.Kind == Array && sameTexts(m.Elems, observed.Elems)
	case ScanTerm:
		return matchScan(m, observed)
	}
	return m.Kind == observed.Kind && m.Str == observed.Str && m.Int == observed.Int
}

// Between is the comparison of a concrete clock, for Match.
func Between(a, b Instant, lo, hi int64) bool {
	d := a.Off - b.Off
	return lo <= d && d <= hi
}

func matchAll(m, observed []Reply, between func(a, b Instant, lo, hi int64) bool) bool {
	if len(m) != len(observed) {
		return false
	}
	for i := range m {
		if !Match(m[i], observed[i], between) {
			return false
		}
	}
	return true
}

// matchPairs takes the keys of m to be plain replies, all different.
func matchPairs(m, observed []Reply, between func(a, b Instant, lo, hi int64) bool) bool {
	if len(m) != len(observed) {
		return false
	}
	for i := 0; i < len(m); i += 2 {
		j := 0
		for j < len(observed) && !Match(m[i], observed[j], between) {
			j += 2
		}
		if j == len(observed) || !Match(m[i+1], observed[j+1], between) {
			return false
		}
	}
	return true
}

// span gives the distances in ms that are reported as v in this unit: v itself for milliseconds,
// 1000v-500 .. 1000v+499 for seconds.
func span(v, unit int64) (lo, hi int64, ok bool) {
	half := unit / 2
	if v < math.MinInt64/unit+1 || v-1 > math.MaxInt64/unit {
		return 0, 0, false
	}
	lo = (v-1)*unit + (unit - half)
	if lo > math.MaxInt64-(unit-1) {
		return lo, math.MaxInt64, true
	}
	return lo, lo + unit - 1, true
}

// millis reads a reply of TIME.
func millis(r Reply) (int64, bool) {
	if r.Kind != Array || len(r.Elems) != 2 || r.Elems[0].Kind != Bulk || r.Elems[1].Kind != Bulk {
		return 0, false
	}
	sec, ok := integer([]byte(r.Elems[0].Str))
	micros, ok2 := integer([]byte(r.Elems[1].Str))
	return sec*1000 + micros/1000, ok && ok2 && sec >= 0 && sec < math.MaxInt64/1000 &&
		micros >= 0 && micros < 1_000_000
}

// sameTexts compares bulk strings as a multiset.
func sameTexts(m, observed []Reply) bool {
	want, ok := texts(m)
	got, ok2 := texts(observed)
	slices.Sort(want)
	slices.Sort(got)
	return ok && ok2 && slices.Equal(want, got)
}

func texts(replies []Reply) (list []string, ok bool) {
	for _, r := range replies {
		if r.Kind != Bulk {
			return nil, false
		}
		list = append(list, r.Str)
	}
	return list, true
}

// matchScan: KEY-5. See scan.
func matchScan(m, observed Reply) bool {
	if observed.Kind != Array || len(observed.Elems) != 2 || observed.Elems[0].Kind != Bulk ||
		observed.Elems[1].Kind != Array {
		return false
	}
	cursor, err := strconv.ParseUint(observed.Elems[0].Str, 10, 64)
	got, ok := texts(observed.Elems[1].Elems)
	if err != nil || !ok {
		return false
	}
	missing := map[string]bool{}
	for _, e := range m.Elems {
		missing[e.Str] = true
	}
	for _, key := range got {
		if _, alive := missing[key]; !alive {
			return false
		}
		missing[key] = false
	}
	if m.Int == 0 || cursor != 0 {
		return true
	}
	for _, left := range missing {
		if left {
			return false
		}
	}
	return true
}

// Fix turns a reply of the model under a concrete clock into one reply that it allows.
func Fix(m Reply) Reply {
	switch m.Kind {
	case DiffTerm:
		d, half := m.A.Off-m.B.Off, m.Unit/2
		return Num(d/m.Unit + (d%m.Unit+half)/m.Unit)
	case TimeTerm:
		return Arr(Str(formatInteger(m.A.Off/1000)), Str(formatInteger(m.A.Off%1000*1000)))
	case Any:
		if len(m.Elems) == 0 {
			return OK()
		}
		return m.Elems[0]
	case IntRange:
		return Num(m.Int)
	case AnyOrder:
		return Arr(m.Elems...)
	case ScanTerm:
		return Arr(Str("0"), Arr(m.Elems...))
	}
	if len(m.Elems) > 0 {
		elems := make([]Reply, len(m.Elems))
		for i, e := range m.Elems {
			elems[i] = Fix(e)
		}
		m.Elems = elems
	}
	return m
}
