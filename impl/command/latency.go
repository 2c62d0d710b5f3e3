// LATENCY: what held the command thread for latency-monitor-threshold or longer, by event (CONN-34),
// and how long each command takes (CONN-33).
package command

import (
	"slices"
	"sort"

	"rondo/impl/histogram"
)

// samplesMax is how many samples an event keeps: one for each second in which something happened.
const samplesMax = 160

// latency is what the monitor has seen. It is empty until somebody turns it on.
type latency struct {
	events map[string]*series
}

// series is one event. Its samples stand in the order of time.
type series struct {
	samples []sample
	max     int64
}

type sample struct{ unix, ms int64 }

// Event is for the monitor: something by that name has held the thread for so long.
func (x *Executor) Event(name string, nanos int64) {
	least, ms := x.meter.LatencyMs, nanos/1e6
	if least == 0 || ms < least {
		return
	}
	if x.latency.events == nil {
		x.latency.events = map[string]*series{}
	}
	s := x.latency.events[name]
	if s == nil {
		s = &series{samples: make([]sample, 0, samplesMax)}
		x.latency.events[name] = s
	}
	s.add(x.host.NowMs()/1000, ms)
}

// add keeps the worst of a second.
func (s *series) add(unix, ms int64) {
	s.max = max(s.max, ms)
	if last := len(s.samples) - 1; last >= 0 && s.samples[last].unix == unix {
		s.samples[last].ms = max(s.samples[last].ms, ms)
		return
	}
	if len(s.samples) == samplesMax {
		s.samples = slices.Delete(s.samples, 0, 1)
	}
	s.samples = append(s.samples, sample{unix, ms})
}

// names are the events in alphabetical order.
func (l *latency) names() []string {
	names := make([]string, 0, len(l.events))
	for name := range l.events {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func latencyLatest(c *Call) {
	l := &c.X.latency
	c.array(len(l.events))
	for _, name := range l.names() {
		s := l.events[name]
		last := s.samples[len(s.samples)-1]
		c.array(4)
		c.text(name)
		c.int(last.unix)
		c.int(last.ms)
		c.int(s.max)
	}
}

func latencyHistory(c *Call) {
	s := c.X.latency.events[string(c.Args[2])]
	if s == nil {
		c.array(0)
		return
	}
	c.array(len(s.samples))
	for _, p := range s.samples {
		c.array(2)
		c.int(p.unix)
		c.int(p.ms)
	}
}

func latencyReset(c *Call) {
	l := &c.X.latency
	n := 0
	if len(c.Args) == 2 {
		n, l.events = len(l.events), nil
	}
	for _, name := range c.Args[2:] {
		if l.events[string(name)] != nil {
			delete(l.events, string(name))
			n++
		}
	}
	c.int(int64(n))
}

func latencyGraph(c *Call) {
	s := c.X.latency.events[string(c.Args[2])]
	if s == nil {
		c.fail("ERR No samples available for event '" + string(c.Args[2]) + "'")
		return
	}
	c.verbatim(s.graph(string(c.Args[2]), c.X.host.NowMs()/1000))
}

func latencyDoctor(c *Call) { c.verbatim(c.X.diagnosis()) }

// latencyHistogram replies a distribution for each command named, or for each that has been called.
// The name of a container stands for its subcommands.
func latencyHistogram(c *Call) {
	var found []*Command
	add := func(cmd *Command) {
		if st := c.X.meter.stats[cmd.number]; st.calls > 0 && st.latency != nil {
			found = append(found, cmd)
		}
	}
	if len(c.Args) == 2 {
		for _, cmd := range every {
			add(cmd)
		}
	}
	for _, name := range c.Args[2:] {
		cmd := byFullName(name)
		if cmd == nil {
			continue
		}
		add(cmd)
		for i := range cmd.Subs {
			add(&cmd.Subs[i])
		}
	}
	c.mapOf(len(found))
	for _, cmd := range found {
		st := &c.X.meter.stats[cmd.number]
		c.text(cmd.Name)
		c.distribution("calls", st.calls, st.latency)
	}
}

// distribution replies how many there were, and the steps of a histogram at powers of two of
// microseconds, which are written as Redis' own buckets round them.
func (c *Call) distribution(count string, n int64, h *histogram.Histogram) {
	var steps []histogram.Step
	h.Doubling(1024, func(s histogram.Step) { steps = append(steps, s) })
	c.mapOf(2)
	c.text(count)
	c.int(n)
	c.text("histogram_usec")
	c.mapOf(len(steps))
	for _, s := range steps {
		c.int((s.Upto + s.Upto/128 - 1) / 1000)
		c.int(int64(s.Count))
	}
}

func latencyHelp(c *Call) {
	c.help("LATENCY", []string{
		"DOCTOR",
		"    Return a human readable latency analysis report.",
		"GRAPH <event>",
		"    Return an ASCII latency graph for the <event> class.",
		"HISTORY <event>",
		"    Return time-latency samples for the <event> class.",
		"LATEST",
		"    Return the latest latency samples for all events.",
		"RESET [<event> ...]",
		"    Reset latency data of one or more <event> classes.",
		"    (default: reset all data for all event classes)",
		"HISTOGRAM [COMMAND ...]",
		"    Return a cumulative distribution of latencies in the format of a histogram for the" +
			" specified command names.",
		"    If no commands are specified then all histograms are replied.",
	})
}
