package linear

import (
	"slices"
	"time"

	"rondo/check/history"
)

// This file makes a small history of an illegal one, which is illegal by itself and for the same
// reason. It holds
//
//   - the core, as it was recorded;
//   - for each value in it that the core does not write, the last command before it that did, if
//     that is a plain write: otherwise the value would seem to come from nowhere;
//   - of the operations that were weakened, those nearest the end, each on a connection of its own
//     and of unknown outcome: the file is illegal whether they happened or not. Pure reads, and
//     others that changed nothing by their replies, say nothing then, and vanish.
//
// All others are left out, which is what an operation of unknown outcome amounts to that did not
// happen; the core is illegal whatever they did. A weakened operation keeps its reply in the proof
// and loses it in the file. Where that makes the difference it stays as it was.
//
// If the value came from elsewhere (EXEC, RENAME, an increment), or its deadline did, such a file is
// illegal for another reason. Then the whole component is taken, and operations are left out of it
// by trial, as many at a time as will go, as long as the reason stays.

const (
	shrunkLostMax  = 12  // weakened operations in a small history
	shrunkTrialMax = 400 // histories that are tried, where operations are left out by trial
)

// Shrink reduces an illegal history to a small one that is illegal by itself, for the same reason if
// that can be had, and judges both. Of several findings the most frequent is taken. The small one is
// nil if h is not illegal.
func Shrink(h *history.History, opt Options) (small *history.History, of, was Result) {
	opt = opt.withDefaults()
	was, parts := check(h, opt)
	if was.Verdict != Illegal {
		return nil, Result{}, was
	}
	at := was.Findings[0].Example
	x := newExplainer(parts[at], 1, opt.Timeout)
	proven := x.reduce()
	if proven {
		x.shrink()
	}
	clause := was.Components[at].Clause
	for _, ops := range x.candidates(proven) {
		next := &history.History{Meta: h.Meta, Ops: ops}
		next.Meta.Start = slices.DeleteFunc(slices.Clone(h.Meta.Start), func(k history.StartKey) bool {
			return !slices.Contains(parts[at].keys, key{k.DB, string(k.Key)})
		})
		res := Check(next, opt)
		if res.Verdict != Illegal {
			continue
		}
		if small == nil || res.Findings[0].Clause == clause {
			small, of = next, res
		}
		if of.Findings[0].Clause == clause {
			break
		}
	}
	if small == nil {
		small, of = h, was // not even the component alone
	}
	c := of.Components[of.Findings[0].Example]
	if c.Facts != nil && len(small.Ops) > len(c.Core)+shrunkLostMax {
		small = byTrial(small, c, opt)
		of = Check(small, opt)
	}
	return small, of, was
}

// byTrial leaves out what was called after the core of c, and then groups of operations, large ones
// first, as long as the reason stays. Reads come first and late operations before early ones: what is
// left has then rarely seen what is gone.
func byTrial(h *history.History, c Component, opt Options) *history.History {
	until, left := time.Now().Add(opt.Timeout), shrunkTrialMax
	without := func(gone []int) bool {
		next := &history.History{Meta: h.Meta}
		for i, op := range h.Ops {
			if !slices.Contains(gone, i) {
				next.Ops = append(next.Ops, op)
			}
		}
		if left--; left < 0 || time.Now().After(until) || !sameReason(next, c, opt) {
			return false
		}
		h = next
		return true
	}
	end := slices.MaxFunc(c.Core, func(a, b history.Op) int { return compare(a.Return, b.Return) }).Return
	without(places(h, func(op *history.Op) bool { return op.Call > end }))
	for _, which := range []func(*history.Op) bool{
		func(op *history.Op) bool { return (&unit{rec: op}).readsOnly() && !among(c.Core, op) },
		func(op *history.Op) bool { return !among(c.Core, op) },
	} {
		for size := len(places(h, which)); size > 0; size /= 2 {
			for at := len(places(h, which)); at > 0; at -= size {
				without(places(h, which)[max(0, at-size):at])
			}
		}
	}
	return h
}

// places are the operations that f picks.
func places(h *history.History, f func(*history.Op) bool) (out []int) {
	for i := range h.Ops {
		if f(&h.Ops[i]) {
			out = append(out, i)
		}
	}
	return out
}

// among: the core has the operation.
func among(core []history.Op, op *history.Op) bool {
	return slices.ContainsFunc(core, func(o history.Op) bool {
		return o.Client == op.Client && o.Call == op.Call && o.N == op.N
	})
}

// sameReason: the history breaks the clause that c breaks, with no operations but those of its core.
// Without this, leaving out a write would do, after which a read sees what nobody wrote.
func sameReason(h *history.History, c Component, opt Options) bool {
	parts := split(h)
	cs := make([]Component, len(parts))
	for i, p := range parts {
		cs[i] = judge(p, opt)
	}
	if verdict, _ := overall(cs); verdict != Illegal {
		return false
	}
	explainSome(parts, cs, opt)
	now := cs[findings(cs)[0].Example]
	return now.Facts != nil && now.Clause == c.Clause && now.Cause == c.Cause &&
		!slices.ContainsFunc(now.Core, func(op history.Op) bool { return !among(c.Core, &op) })
}

// candidates are the operations that a small history may consist of, the best first.
func (x *explainer) candidates(proven bool) [][]history.Op {
	var out [][]history.Op
	if proven {
		core, writers, weak := x.view.kept, x.writers(), x.nearest()
		out = append(out, assemble(core, writers, weak, true), assemble(core, writers, weak, false),
			assemble(core, writers, nil, true), assemble(core, nil, weak, false),
			assemble(core, nil, nil, true))
	}
	return append(out, assemble(x.part.units, nil, nil, true))
}

// assemble writes operations by call.
func assemble(core, writers, weak []*unit, lost bool) []history.Op {
	var out []history.Op
	client := 0
	for _, u := range slices.Concat(core, writers, weak) {
		client = max(client, u.rec.Client)
	}
	for _, u := range slices.Concat(core, writers, weak) {
		op := *u.rec
		if !slices.Contains(core, u) {
			client++
			op.Client, op.N = client, 0
		}
		if lost && slices.Contains(weak, u) {
			op.Return, op.Reply = history.Never, nil
		}
		out = append(out, op)
	}
	slices.SortStableFunc(out, func(a, b history.Op) int { return compare(a.Call, b.Call) })
	return out
}

// nearest are the weakened operations that may have changed something, those nearest the end.
func (x *explainer) nearest() []*unit {
	var out []*unit
	for _, u := range x.view.weak {
		if !u.inert() && !isSession(u) {
			out = append(out, u)
		}
	}
	return out[max(0, len(out)-shrunkLostMax):]
}

// writers are the plain writes of values that the core shows and does not write.
func (x *explainer) writers() []*unit {
	first := x.view.kept[0]
	shown := observed(x.view.kept, nil).values
	for _, u := range x.view.kept {
		for value := range shown {
			if u.stores(value) && u.reply != nil {
				delete(shown, value)
			}
		}
	}
	var out []*unit
	for i := first.index - 1; i >= 0 && len(shown) > 0 && first.index-i < poolMax; i-- {
		u := x.part.units[i]
		for value := range shown {
			if u.rec.Return < first.rec.Call && u.plainlyStores(value) {
				out = append(out, u)
				delete(shown, value)
			}
		}
	}
	slices.SortFunc(out, func(a, b *unit) int { return a.index - b.index })
	return slices.Compact(out)
}

// plainlyStores: whatever was there before, it is this value now.
func (u *unit) plainlyStores(value string) bool {
	if u.rec.Body != nil || u.reply == nil || u.reply.String() != "+OK" {
		return false
	}
	at := valueAt(u.rec.Cmd)
	return at >= 0 && string(u.rec.Cmd[at]) == value
}
