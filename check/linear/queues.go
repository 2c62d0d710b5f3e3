package linear

import (
	"fmt"
	"slices"

	"rondo/model"
)

// This file recognises two contradictions about queues that need no search, and are shorter than what
// one would find: a client that was answered null before its time was up, and an element that two
// clients have taken. Each is a contradiction by itself, whatever all other operations did.

// queueFault explains the component by one of them, if there is one.
func (x *explainer) queueFault(c *Component) bool {
	if u := x.part.tooEarly(); u != nil {
		x.view = x.viewFrom([]*unit{u}, u.rec.Call)
		c.Clause, c.Cause = "BLOCK-4", "a timeout ends too early"
		c.Sentence = fmt.Sprintf("%s after %.3f ms, although it asked for %d ms", x.says(u),
			float64(u.rec.Return-u.rec.Call)/tick, patience(u.rec.Cmd))
		c.Facts = []Fact{{Call: true, Return: true, Reply: true}}
		return true
	}
	if text, takers := x.part.takenTwice(); takers != nil {
		x.view = x.viewFrom(takers, takers[0].rec.Call)
		c.Clause, c.Cause = "LIN-3", "an element is taken twice"
		c.Sentence = fmt.Sprintf("%s, and %s: %s was pushed once and taken twice", x.says(takers[0]),
			x.says(takers[1]), model.Str(text))
		c.Facts = []Fact{{Reply: true}, {Reply: true}}
		return true
	}
	return false
}

// tooEarly is an operation that waited and was answered null, whose whole window is shorter than its
// timeout, and that nobody can have unblocked.
func (p *part) tooEarly() *unit {
	for _, u := range p.units {
		if u.half == starts && !u.lost() && u.reply.IsNull() && u.hi-u.lo < patience(u.rec.Cmd) &&
			!p.unblocks(u) {
			return u
		}
	}
	return nil
}

// takenTwice is an element that one operation can have pushed, once, and that two have taken off a
// list, where nothing copies lists.
func (p *part) takenTwice() (text string, takers []*unit) {
	made, from := newTexts(p, slips{}), map[string]*unit{}
	for _, u := range p.units {
		if !u.everyLine(func(line [][]byte) bool { return lower(line[0]) != "copy" }) {
			return "", nil
		}
	}
	for _, u := range p.units {
		if u.half == collects || u.lost() || u.rec.Body != nil || !takes(u.rec.Cmd) {
			continue
		}
		met(u.rec.Cmd, *u.reply, func(element string) {
			if first := from[element]; first != nil && first != u && made.ids[element] != 0 && takers == nil {
				text, takers = element, []*unit{first, u}
			}
			from[element] = u
		})
	}
	return text, takers
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
