package linear

import "slices"

// This file is what the depth-first search makes of facts in a theory where a configuration holds
// several values at once (texts.go).

// want counts that operation i has taken effect (-1), or that this was taken back (1).
func (d *dfs[C]) want(i, by int32) {
	if d.facts.wants == nil {
		return
	}
	for _, v := range d.facts.wants[i] {
		d.left[v] += by
	}
}

// spoils: R1. Of the values that were there before, one is gone that is needed by more than the
// operation that took effect.
func (d *dfs[C]) spoils(before []int32, after *C, by int32) bool {
	if d.facts.wants == nil || d.off.noNeeded {
		return false
	}
	now := d.th.holds(after)
	for _, v := range before {
		left := d.left[v]
		if by != none && !d.slips.killIgnoresNeed && slices.Contains(d.facts.wants[by], v) {
			left--
		}
		if left > 0 && !slices.Contains(now, v) {
			return true
		}
	}
	return false
}

// misses is a value that operation i needs and that is not there, or 0.
func (d *dfs[C]) misses(i int32) int32 {
	if d.facts.wants == nil || d.off.noNeeded {
		return 0
	}
	for _, v := range d.facts.wants[i] {
		if !slices.Contains(d.th.holds(&d.cfg), v) {
			return v
		}
	}
	return 0
}

// lacks: R2. The operation that is owed needs a value that nobody in flight can make.
func (d *dfs[C]) lacks(i int32) bool {
	for _, v := range d.facts.wants[i] {
		w := d.facts.creator[v]
		if !slices.Contains(d.th.holds(&d.cfg), v) && !d.waits(w) {
			return true
		}
	}
	return false
}
