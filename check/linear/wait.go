package linear

import (
	"math"
	"slices"
	"strconv"

	"rondo/check/history"
	"rondo/model"
	"rondo/spec/commands"
)

// This file is about operations that may wait (BLOCK-1). Such a one has two moments instead of one,
// and is two units, its halves, with one interval:
//
//   - it starts: the command is executed. Either it is answered there and then, or its connection
//     waits, as the model's state tells;
//   - it completes: as a part of the unit that serves it, or that unblocks it. There its reply is
//     tested, and that the clock has not passed its window. Or its time is up.
//
// The second half, which collects, stands for "the operation is over". If its connection waits no
// more, it is over already and nothing happens; else its time is up. Whatever the connection sent
// behind it comes behind this half, as with anything that is pipelined (LIN-6). So it is said of the
// operation that it waits, and not of its client, whose earlier operations were over long before.
//
// A waiting operation whose reply was lost needs no end. Its connection has ended at some moment,
// and waits no more (BLOCK-8); but one that leaves unserved is like one that never started.

// half says which part of an operation a unit is.
type half uint8

const (
	whole    half = iota // all of it
	starts               // the first half of one that may wait
	collects             // and the second
)

// mayWait reports that a command may wait for its answer. In a transaction none does (BLOCK-6).
func mayWait(line [][]byte) bool {
	switch len(line[0]) {
	case len("blpop"), len("blmove"), len("brpoplpush"): // the lengths of all of them
		c, ok := commands.Find(line)
		return ok && c.Has("blocking")
	}
	return false
}

// halves calls f for each unit that an operation is.
func halves(line [][]byte, f func(half)) {
	if !mayWait(line) {
		f(whole)
		return
	}
	f(starts)
	f(collects)
}

// noList reports that a command is not about lists.
func noList(line [][]byte) bool {
	c, ok := commands.Find(line)
	return !ok || c.Family != "list"
}

// waits reports that some operation may wait.
func (p *part) waits() bool {
	return slices.ContainsFunc(p.units, func(u *unit) bool { return u.half == starts })
}

// waiting reports that the unit's connection waits from here on, for its reply to come.
func (v *env) waiting(s model.State) bool {
	if v.unit.half != starts || !s.Waiting(v.unit.client) {
		return false
	}
	if !v.unit.lost() {
		v.waits = append(slices.Clip(v.waits), v.unit)
	}
	return true
}

// served tests a reply to somebody who has been waiting: it is what was observed, and no reading of
// the clock is after the return.
func (v *env) served(o *model.Out) bool {
	faults := &v.engine.faults
	i := slices.IndexFunc(v.waits, func(w *unit) bool { return w.client == o.To })
	if i < 0 {
		return true // that reply was lost
	}
	w := v.waits[i]
	v.waits = slices.Delete(slices.Clone(v.waits), i, i+1)
	if !w.mute && !faults.servedUnseen && !model.Match(o.Msg, *w.reply, v.between) {
		return false
	}
	return w.free || v.free || w.hi == inf || faults.servedLate ||
		v.zone.limit(v.last, v.engine.origin, w.hi)
}

// fire lets the time of a connection that waits be up (BLOCK-4).
func (v *env) fire(s model.State) (model.State, bool) {
	due := model.Due(s)
	i := slices.IndexFunc(due, func(e model.Event) bool { return e.Client == v.unit.client })
	if i < 0 || !v.isDue(due[i].At) {
		return s, false
	}
	s, outs := model.Fire(v, s, due[i])
	for i := range outs {
		if !v.served(&outs[i]) {
			return s, false
		}
	}
	return s, true
}

// isDue: the reading is not before that instant.
func (v *env) isDue(at model.Instant) bool {
	if v.free || v.engine.faults.fireAnyTime {
		return true
	}
	late := -at.Off // x[at] + off <= now
	if v.engine.faults.fireEarly {
		late++
	}
	return v.zone.limit(int(at.Var), rowNow, late)
}

// patience is for how many milliseconds at least a command waits before it is answered null; 0 for
// one that waits for ever.
func patience(line [][]byte) int64 {
	at := len(line) - 1
	if lower(line[0]) == "blmpop" {
		at = min(at, 1)
	}
	seconds, err := strconv.ParseFloat(string(line[at]), 64)
	if err != nil || !(seconds > 0) || seconds > 1e9 {
		return 0
	}
	const slip = 1e-6 // of the multiplication
	return int64(math.Floor(seconds*1000 + slip))
}

// Waited is the interval, on the recording's clock, in which an operation has waited at least that was
// answered null, unless it was unblocked: its time was up before it returned, and began after its call.
func Waited(op history.Op) (from, to int64, ok bool) {
	if op.Return == history.Never || op.Reply == nil || !op.Reply.IsNull() || op.Body != nil || !mayWait(op.Cmd) {
		return 0, 0, false
	}
	long := patience(op.Cmd) * tick
	from, to = op.Return-long, op.Call+long
	return from, to, from < to
}

// hurry moves the ends of first halves: who was answered null began to wait so early that its time
// was up before it returned. A search would begin it as late as it can, and fail. It holds where
// nobody can have been unblocked (BLOCK-7).
//
// The reading T of an instant r is at least F(r + Low - Slack), so that T <= hi means that r is
// before (hi+1) ticks - Low + Slack.
func (l *layout) hurry(tooMuch bool) {
	low := int64(0)
	if l.part.meta.Offset != nil {
		low = l.part.meta.Offset.Low
	}
	for i := range l.ops {
		o := &l.ops[i]
		u := l.part.units[o.unit]
		if u.half != starts || u.lost() || !u.reply.IsNull() || u.hi == inf || l.part.unblocks(u) {
			continue
		}
		o.hi = min(o.hi, u.hi-patience(u.rec.Cmd))
		if tooMuch {
			o.hi--
		}
		until := plus((o.hi+1)*tick-1, plus(l.part.meta.Slack, -low))
		for o.ret != never && o.ret > o.call && l.times[o.ret] > until {
			o.ret--
		}
	}
}

// unblocks reports that some operation may have ended the waiting of u.
func (p *part) unblocks(u *unit) bool {
	for _, w := range p.unblockers() {
		if w.rec.Call <= u.rec.Return && u.rec.Call <= w.rec.Return && !w.everyLine(func(line [][]byte) bool {
			client, ok := unblocked(line)
			return !ok || client != u.rec.Client
		}) {
			return true
		}
	}
	return false
}

// unblockers are the operations that may have ended somebody's waiting.
func (p *part) unblockers() []*unit {
	if p.unblocking == nil {
		p.unblocking = []*unit{}
		for _, u := range p.units {
			found := !u.everyLine(func(line [][]byte) bool {
				_, ok := unblocked(line)
				return !ok
			})
			if found && (u.lost() || u.rec.Body != nil || u.reply.Kind != model.Int || u.reply.Int != 0) {
				p.unblocking = append(p.unblocking, u)
			}
		}
	}
	return p.unblocking
}

// unblocked is the client whose waiting a command ends.
func unblocked(line [][]byte) (client int, ok bool) {
	if len(line) < 3 || !is(line[0], "client") || !is(line[1], "unblock") {
		return 0, false
	}
	return number(line, 2)
}
