package linear

import (
	"slices"

	"rondo/model"
)

// This file guesses cores before any is looked for. Two shapes are so frequent that asking for them
// directly is cheaper than growing towards them, above all where many operations are in flight:
//
//   - the last operation and one other, which says more about the deadline than it may;
//   - where windows contradict: of two values that each must have been there from one moment to
//     another, the operations at these moments. Their times cannot be taken in turns (Gibbons and
//     Korach): each value is written once.
//
// A guess is asked like any other view, and the shrinking that follows does not know that it was one.

const (
	guessRunsMax  = 2_000  // for one guess
	guessesMax    = 60_000 // for all of one kind
	guessPool     = 192    // operations that are tried with the last one
	clusterPool   = 20_000 // operations on either side that may write or show a value
	clusterValues = 12
)

// guess tries both shapes.
func (x *explainer) guess(f outcome) bool {
	if len(f.suspects) > 0 && x.guessClusters(f.suspects) {
		return true
	}
	return f.last != nil && x.guessPairs(f.last)
}

// try asks about a set of operations, whose last return is the end.
func (x *explainer) try(kept []*unit) bool {
	x.end, x.pool = -inf, nil
	for _, u := range kept {
		if u.lost() {
			return false
		}
		x.end = max(x.end, u.rec.Return)
	}
	v := x.keep(kept)
	v.coarse = len(v.weak) > exactMax
	t := x.part.trail(v, min(x.left, guessRunsMax))
	verdict := t.run()
	x.left -= t.engine.runs
	if verdict == Illegal {
		x.view = v
	}
	return verdict == Illegal
}

// guessPairs tries the last operation with each of those before it, first with those that are about
// deadlines.
func (x *explainer) guessPairs(last *unit) bool {
	end, left := x.end, x.left-guessesMax
	x.end = last.rec.Return
	x.pool = nil
	x.from = inf
	x.reach(guessPool)
	pool := slices.Clone(x.pool)
	slices.SortStableFunc(pool, laterFirst)
	for _, about := range []bool{true, false} {
		for _, u := range pool {
			if u != last && u.rec.Return <= last.rec.Return && u.aboutTime() == about && x.left > left &&
				x.try([]*unit{u, last}) {
				return true
			}
		}
	}
	x.end, x.pool, x.from = end, nil, inf
	return false
}

// aboutTime: the operation sets or shows a deadline.
func (u *unit) aboutTime() bool {
	return u.rec.Body != nil || reportsTime(u) || !u.everyLine(func(line [][]byte) bool {
		switch lower(line[0]) {
		case "set", "getex":
			return len(line) <= 3 || valueAt(line) == 2 && len(line) == 4
		case "pexpire", "expire", "pexpireat", "expireat", "setex", "psetex", "persist":
			return false
		}
		return true
	})
}

// guessClusters tries, for each two values that the suspects write or show, the operations by whose
// return and from whose call on each must have been there, with those that wrote them.
func (x *explainer) guessClusters(suspects []*unit) bool {
	end, left := x.end, x.left-guessesMax
	all := x.clusters(suspects)
	for i := range all {
		for _, other := range append([][]*unit{nil}, all[:i]...) {
			kept := slices.Clone(all[i])
			for _, u := range other {
				if !slices.Contains(kept, u) {
					kept = append(kept, u)
				}
			}
			if x.left > left && x.try(kept) {
				return true
			}
		}
		for _, u := range suspects {
			if kept := append(slices.Clone(all[i]), u); !slices.Contains(all[i], u) && x.left > left &&
				x.try(kept) {
				return true
			}
		}
	}
	x.end, x.pool, x.from = end, nil, inf
	return false
}

// clusters are the outermost operations about each value of the suspects, and its writer.
func (x *explainer) clusters(suspects []*unit) [][]*unit {
	var values []string
	for _, u := range suspects {
		for _, v := range u.values() {
			if !slices.Contains(values, v) && len(values) < clusterValues {
				values = append(values, v)
			}
		}
	}
	at := suspects[0].index
	near := x.part.units[max(0, at-clusterPool):min(len(x.part.units), at+clusterPool)]
	type cluster struct{ first, last, writer *unit }
	found := make([]cluster, len(values))
	for _, u := range near {
		if u.lost() {
			continue
		}
		for _, v := range u.values() {
			i := slices.Index(values, v)
			if i < 0 {
				continue
			}
			c := &found[i]
			if c.first == nil || u.rec.Return < c.first.rec.Return {
				c.first = u
			}
			if c.last == nil || u.rec.Call > c.last.rec.Call {
				c.last = u
			}
			if u.stores(v) {
				c.writer = u
			}
		}
	}
	var out [][]*unit
	for _, c := range found {
		var kept []*unit
		for _, u := range []*unit{c.writer, c.first, c.last} {
			if u != nil && !slices.Contains(kept, u) {
				kept = append(kept, u)
			}
		}
		if len(kept) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

// values are those that a command writes or shows.
func (u *unit) values() []string {
	var out []string
	if at := valueAt(u.rec.Cmd); at >= 0 && at < len(u.rec.Cmd) {
		out = append(out, string(u.rec.Cmd[at]))
	}
	if u.reply == nil {
		return out
	}
	by, counts := delta(u.rec.Cmd)
	switch {
	case u.reply.Kind == model.Bulk:
		out = append(out, u.reply.Str)
	case counts && u.reply.Kind == model.Int:
		out = append(out, model.Num(u.reply.Int).String()[1:], model.Num(u.reply.Int - by).String()[1:])
	}
	return out
}
