package linear

import (
	"cmp"
	"fmt"
	"slices"

	"rondo/model"
	"rondo/spec/commands"
)

// This file recognises three contradictions about queues that need no search, and are shorter than
// what one would find: a client that was answered null before its time was up, one that was overtaken
// while it waited, and an element that two clients have taken. Each is a contradiction by itself,
// whatever all other operations did.

// queueFault is one of them.
type queueFault struct {
	clause, cause, sentence string
	ops                     []*unit // that contradict each other, by call
	matters                 Fact    // of each of them
}

var queueFaults = []func(x *explainer) *queueFault{(*explainer).tooEarly, (*explainer).overtaken, (*explainer).takenTwice}

// queueFault explains the component by one of them, if there is one.
func (x *explainer) queueFault(c *Component) bool {
	for _, find := range queueFaults {
		f := find(x)
		if f == nil {
			continue
		}
		for _, u := range f.ops {
			x.end = max(x.end, u.rec.Return) // the search may have seen it sooner
			c.Facts = append(c.Facts, f.matters)
		}
		x.fill(f.ops[0].rec.Call)
		x.view = x.viewFrom(f.ops, f.ops[0].rec.Call)
		c.Clause, c.Cause, c.Sentence = f.clause, f.cause, f.sentence
		return true
	}
	return false
}

// timedOut reports that an operation waited until its time was up: it was answered null, and nobody
// can have unblocked it.
func (p *part) timedOut(u *unit) bool {
	return u.half == starts && !u.lost() && u.reply.IsNull() && !p.unblocks(u)
}

// tooEarly is about an operation whose time was up, and whose whole window is shorter than its timeout.
func (x *explainer) tooEarly() *queueFault {
	for _, u := range x.part.units {
		if u.hi-u.lo < patience(u.rec.Cmd) && x.part.timedOut(u) {
			return &queueFault{"BLOCK-4", "a timeout ends too early",
				fmt.Sprintf("%s after %.3f ms, although it asked for %d ms", x.says(u),
					float64(u.rec.Return-u.rec.Call)/tick, patience(u.rec.Cmd)),
				[]*unit{u}, Fact{Call: true, Return: true, Reply: true}}
		}
	}
	return nil
}

// overtaken is about an operation whose time was up, and another that took from the list for which it
// waited. By its timeout and its window the first has waited from hi-patience until lo+patience at
// least; the second began and ended in between. So it came later, and nothing was for it.
func (x *explainer) overtaken() *queueFault {
	units := x.part.units
	for _, w := range units {
		from, until := w.hi-patience(w.rec.Cmd), w.lo+patience(w.rec.Cmd)
		if w.half != starts || from >= until || !x.part.timedOut(w) {
			continue
		}
		first, _ := slices.BinarySearchFunc(units, from+1, func(u *unit, lo int64) int { return cmp.Compare(u.lo, lo) })
		for _, u := range units[first:] {
			if u.lo >= until {
				break
			}
			key, taken := tookFrom(u)
			if !taken || u.hi >= until || u.rec.DB != w.rec.DB || !waitsFor(w.rec.Cmd, key) {
				continue
			}
			began, ended, _ := Waited(*w.rec)
			return &queueFault{"BLOCK-5", "a client that waits is overtaken",
				fmt.Sprintf("%s, so that it waited at least from %s to %s ms; %s, although it came later", x.says(w),
					x.ms(began), x.ms(ended), x.says(u)),
				[]*unit{w, u}, Fact{Call: true, Return: true, Reply: true}}
		}
	}
	return nil
}

// takenTwice is about an element that one operation can have pushed, once, and that two have taken off
// a list, where nothing copies lists.
func (x *explainer) takenTwice() *queueFault {
	made, from := newTexts(x.part, slips{}), map[string]*unit{}
	for _, u := range x.part.units {
		if !u.everyLine(func(line [][]byte) bool { return lower(line[0]) != "copy" }) {
			return nil
		}
	}
	for _, u := range x.part.units {
		if u.half == collects || u.lost() || u.rec.Body != nil || !takes(u.rec.Cmd) {
			continue
		}
		var f *queueFault
		met(u.rec.Cmd, *u.reply, func(element string) {
			if first := from[element]; first != nil && first != u && made.ids[element] != 0 && f == nil {
				f = &queueFault{"LIN-3", "an element is taken twice",
					fmt.Sprintf("%s, and %s: %s was pushed once and taken twice", x.says(first), x.says(u), model.Str(element)),
					[]*unit{first, u}, Fact{Reply: true}}
			}
			from[element] = u
		})
		if f != nil {
			return f
		}
	}
	return nil
}

// tookFrom is the key from whose list an operation, of one command, has taken something.
func tookFrom(u *unit) (key string, taken bool) {
	if u.half == collects || u.lost() || u.rec.Body != nil || u.reply.IsNull() {
		return "", false
	}
	switch lower(u.rec.Cmd[0]) {
	case "lpop", "rpop", "lmove", "rpoplpush", "blmove", "brpoplpush":
		return string(u.rec.Cmd[1]), u.reply.Kind == model.Bulk || len(u.reply.Elems) > 0
	case "lmpop", "blmpop", "blpop", "brpop":
		if len(u.reply.Elems) == 2 {
			return u.reply.Elems[0].Str, true
		}
	}
	return "", false
}

// waitsFor reports that a command, which may wait, takes from the list of a key.
func waitsFor(line [][]byte, key string) bool {
	keys := commands.Keys(line)
	if name := lower(line[0]); name == "blmove" || name == "brpoplpush" {
		keys = keys[:1] // the other is where it goes
	}
	return slices.ContainsFunc(keys, func(i int) bool { return string(line[i]) == key })
}

// takes reports that what the command answers is on no list afterwards.
func takes(line [][]byte) bool {
	switch lower(line[0]) {
	case "lpop", "rpop", "lmpop", "blpop", "brpop", "blmpop":
		return true
	}
	return false
}

// lists reports that an operation is about lists. What is said of values where a view is coarse, or
// cut, is not true of these.
func (p *part) lists() bool {
	return slices.ContainsFunc(p.units, func(u *unit) bool { return !u.everyLine(noList) })
}
