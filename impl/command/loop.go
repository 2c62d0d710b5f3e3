// LOOP, Rondo's own: how long turns and their phases take (LOOP-21); and what a master without
// replicas says of itself (CONN-35).
package command

import (
	"strings"

	"rondo/impl/histogram"
)

// loopHistogram replies a distribution for each phase named, or for each of them.
func loopHistogram(c *Call) {
	type named struct {
		name string
		h    *histogram.Histogram
	}
	var found []named
	c.X.host.LoopHistograms(func(name string, h *histogram.Histogram) {
		wanted := len(c.Args) == 2
		for _, arg := range c.Args[2:] {
			wanted = wanted || strings.EqualFold(string(arg), name)
		}
		if wanted {
			found = append(found, named{name, h})
		}
	})
	c.mapOf(len(found))
	for _, f := range found {
		c.text(f.name)
		c.distribution("count", int64(f.h.Count), f.h)
	}
}

func loopReset(c *Call) {
	c.X.host.LoopReset()
	c.ok()
}

func loopHelp(c *Call) {
	c.help("LOOP", []string{
		"HISTOGRAM [<phase> ...]",
		"    Return a cumulative distribution of durations for the phases of a turn, in",
		"    microseconds: turn (all but the wait), before-sleep, wait, file-events,",
		"    time-events, completions; and expiry-lag, how late due keys were deleted, and",
		"    maintenance-cpu, the processor time of a turn's time events and completions.",
		"    If no phase is named then all are replied.",
		"RESET",
		"    Begin the histograms anew.",
	})
}

func role(c *Call) {
	c.array(3)
	c.text("master")
	c.int(0)
	c.array(0)
}

// replicaof: this server follows nobody, and says so when asked to stop.
func replicaof(c *Call) {
	if !is(c.Args[1], "NO") || !is(c.Args[2], "ONE") {
		c.fail("ERR this server cannot be a replica")
		return
	}
	c.ok()
}
