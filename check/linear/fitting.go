package linear

import "slices"

// This file finds the operation that an order contradicts. The order (trail.go) explains the kept
// operations, with weakened ones in between that came in where they were wanted. It is an order of
// the history only if each of those was pending where it stands, and if all the others can be put
// in somewhere. The first operation for which this is not so is a reason why the order is none; it
// is kept next, so that it must have its place.

// fitting looks at one order.
type fitting struct {
	x     *explainer
	view  view
	trail *trail
	path  []*step
	from  []int64 // by place: the last call among the kept operations before it
	until []int64 // by place: the first return among those at or after it
	used  map[*unit]bool
}

func newFitting(x *explainer, v view, t *trail) *fitting {
	f := &fitting{x: x, view: v, trail: t, path: t.ends[0].path(), used: map[*unit]bool{}}
	n := len(f.path)
	f.from, f.until = make([]int64, n+1), make([]int64, n+1)
	f.from[0], f.until[n] = -inf, inf
	for i, s := range f.path {
		f.from[i+1] = f.from[i]
		if s.unit != nil && s.weak == nil {
			f.from[i+1] = max(f.from[i], s.unit.rec.Call)
		}
	}
	for i := n - 1; i >= 0; i-- {
		f.until[i] = f.until[i+1]
		if s := f.path[i]; s.unit != nil && s.weak == nil {
			f.until[i] = min(f.until[i], s.unit.rec.Return)
		}
	}
	return f
}

// misfit is the operation that the order contradicts, or nil.
func (f *fitting) misfit() *unit {
	for i, s := range f.path {
		if s.weak != nil {
			if u := f.misplaced(i); u != nil {
				return u
			}
		}
	}
	others := slices.Clone(f.view.weak)
	slices.SortStableFunc(others, laterFirst)
	for _, u := range others {
		if u.lost() || f.used[u] || u.rec.Return > f.x.end || f.trail.engine.gaveUp.Load() {
			continue
		}
		if !f.fits(u) {
			return u
		}
	}
	return f.companion()
}

// misplaced looks for an operation of the class that took effect at place i which could be there;
// if there is none, the latest of them is the misfit.
func (f *fitting) misplaced(i int) *unit {
	var latest *unit
	for _, u := range f.path[i].weak.all {
		u = f.x.part.units[u.index]
		if f.used[u] {
			continue
		}
		if !u.lost() && u.rec.Return <= f.x.end && (latest == nil || u.rec.Return > latest.rec.Return) {
			latest = u
		}
		if u.rec.Call <= f.until[i] && u.rec.Return >= f.from[i] &&
			len(f.trail.apply(f.path[i-1].config, u)) > 0 {
			f.used[u] = true
			return nil
		}
	}
	return latest
}

// fits: there is a place for u.
func (f *fitting) fits(u *unit) bool {
	if f.view.cut && u.rec.Call < f.view.edge {
		return true // before the edge
	}
	for i := 1; i <= len(f.path); i++ {
		if u.rec.Call > f.until[i] || u.rec.Return < f.from[i] {
			continue
		}
		before := &f.path[i-1].config
		after := f.trail.apply(*before, u)
		for j := range after {
			if after[j].key == before.key && after[j].zone.includes(&before.zone) {
				return true
			}
		}
		if f.goesOn(after, i) {
			return true
		}
	}
	return false
}

// goesOn: the rest of the order, from place i, is possible from one of the configurations.
func (f *fitting) goesOn(set []config, i int) bool {
	for _, s := range f.path[i:] {
		var next []config
		for _, c := range set {
			next = append(next, f.trail.apply(c, s.unit)...)
		}
		if len(next) == 0 {
			return false
		}
		set = next[:min(len(next), 8)]
	}
	return len(set) > 0
}

// companion: an order among a few operations may be possible only because others of the same
// connection are not asked about theirs (LIN-6), or a transaction because its WATCH is not (LIN-8).
func (f *fitting) companion() *unit {
	for _, k := range f.view.kept {
		for _, u := range f.view.weak {
			if !u.lost() && u.rec.Return > f.x.end {
				continue
			}
			session := k.client == u.client && isSession(u) && u.index < k.index
			if k.conn >= 0 && k.conn == u.conn || session && lower(k.rec.Cmd[0]) == "exec" {
				return u
			}
		}
	}
	return nil
}
