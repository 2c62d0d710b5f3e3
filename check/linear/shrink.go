package linear

import (
	"slices"

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

// shrunkLostMax bounds the weakened operations in a small history.
const shrunkLostMax = 12

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
		return h, was, was // not even the component alone: keep it all
	}
	return small, of, was
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
