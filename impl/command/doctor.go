// LATENCY DOCTOR and LATENCY GRAPH: the monitor's samples as people like to read them. Texts and
// shapes are those of Redis.
package command

import (
	"bytes"
	"fmt"
	"strconv"
)

const (
	doctorOff = "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis" +
		" instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to" +
		" enable it. If we weren't in a deep space mission I'd suggest to take a look at" +
		" https://redis.io/topics/latency-monitor.\n"
	doctorHealthy = "Dave, no latency spike was observed during the lifetime of this Redis instance," +
		" not in the slightest bit. I honestly think you ought to sit down calmly, take a stress" +
		" pill, and think things over.\n"
	doctorSpikes = "Dave, I have observed latency spikes in this Redis instance. You don't mind" +
		" talking about it, do you Dave?\n\n"
	doctorPuzzled = "\nWhile there are latency events logged, I'm not able to suggest any easy fix." +
		" Please use the Redis community to get some help, providing this report in your help" +
		" request.\n"
	doctorAdvices = "\nI have a few advices for you:\n\n"
)

// The advices in the order in which they are given, and the events that call for them.
var advices = []struct {
	text   string
	wanted func(*meter) bool // nil: always
	events []string
}{
	{"- There are latency issues with potentially slow commands you are using. Try to enable the" +
		" Slow Log Redis feature using the command 'CONFIG SET slowlog-log-slower-than %d'. If the" +
		" Slow log is disabled Redis is not able to log slow commands execution for you.\n",
		func(m *meter) bool { return m.SlowMicros < 0 }, []string{"command"}},
	{"- Your current Slow Log configuration only logs events that are slower than your configured" +
		" latency monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than %d'.\n",
		func(m *meter) bool { return m.SlowMicros >= 0 && m.SlowMicros/1000 > m.LatencyMs },
		[]string{"command"}},
	{"- Check your Slow Log to understand what are the commands you are running which are too slow" +
		" to execute. Please check https://redis.io/commands/slowlog for more information.\n",
		nil, []string{"command"}},
	{"- The system is slow to execute Redis code paths not containing system calls. This usually" +
		" means the system does not provide Redis CPU time to run for long periods. You should try" +
		" to:\n  1) Lower the system load.\n  2) Use a computer / VM just for Redis if you are" +
		" running other software in the same system.\n  3) Check if you have a \"noisy neighbour\"" +
		" problem.\n  4) Check with 'redis-cli --intrinsic-latency 100' what is the intrinsic" +
		" latency in your system.\n  5) Check if the problem is allocator-related by recompiling" +
		" Redis with MALLOC=libc, if you are using Jemalloc. However this may create fragmentation" +
		" problems.\n",
		nil, []string{"fast-command"}},
	{"- Deleting, expiring or evicting (because of maxmemory policy) large objects is a blocking" +
		" operation. If you have very large objects that are often deleted, expired, or evicted," +
		" try to fragment those objects into multiple smaller objects.\n",
		nil, []string{"command", "expire-cycle", "eviction-del"}},
	{"- Sudden changes to the 'maxmemory' setting via 'CONFIG SET', or allocation of large objects" +
		" via sets or sorted sets intersections, STORE option of SORT, Redis Cluster large keys" +
		" migrations (RESTORE command), may create sudden memory pressure forcing the server to" +
		" block trying to evict keys. \n",
		nil, []string{"eviction-cycle"}},
}

// diagnosis is what LATENCY DOCTOR replies. The hz that Redis advises against long expiry cycles is
// left out: here their length does not depend on it.
func (x *Executor) diagnosis() []byte {
	var b bytes.Buffer
	m, l := &x.meter, &x.latency
	if m.LatencyMs == 0 {
		return []byte(doctorOff)
	}
	if len(l.events) == 0 {
		return []byte(doctorHealthy)
	}
	b.WriteString(doctorSpikes)
	for i, name := range l.names() {
		s := l.events[name]
		mean, deviation := s.spread()
		n := int64(len(s.samples))
		period := max(1, x.host.NowMs()/1000-s.samples[0].unix)
		fmt.Fprintf(&b, "%d. %s: %d latency spikes (average %dms, mean deviation %dms, period %.2f"+
			" sec). Worst all time event %dms.\n", i+1, name, n, mean, deviation,
			float64(period)/float64(n), s.max)
	}
	given := 0
	for _, a := range advices {
		if !l.any(a.events) || a.wanted != nil && !a.wanted(m) {
			continue
		}
		if given++; given == 1 {
			b.WriteString(doctorAdvices)
		}
		b.Write(bytes.ReplaceAll([]byte(a.text), []byte("%d"),
			strconv.AppendInt(nil, m.LatencyMs*1000, 10)))
	}
	if given == 0 {
		b.WriteString(doctorPuzzled)
	}
	return b.Bytes()
}

func (l *latency) any(events []string) bool {
	for _, name := range events {
		if l.events[name] != nil {
			return true
		}
	}
	return false
}

// spread is the mean of the samples and their mean distance from it, in whole milliseconds.
func (s *series) spread() (mean, deviation int64) {
	n := int64(len(s.samples))
	for _, p := range s.samples {
		mean += p.ms
	}
	mean /= n
	for _, p := range s.samples {
		deviation += max(p.ms-mean, mean-p.ms)
	}
	return mean, deviation / n
}

// The graph: columns of characters, four rows of three steps, and below each column how long ago it
// was, downwards.
const (
	graphColumns = 80
	graphRows    = 4
	graphFill    = "_o#"
)

func (s *series) graph(event string, now int64) []byte {
	var b bytes.Buffer
	low, high := s.samples[0].ms, s.samples[0].ms
	for _, p := range s.samples {
		low, high = min(low, p.ms), max(high, p.ms)
	}
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n%s\n", event, high, low,
		s.max, bytes.Repeat([]byte("-"), graphColumns))
	for from := 0; from < len(s.samples); from += graphColumns {
		if from > 0 {
			b.WriteByte('\n')
		}
		part := s.samples[from:min(from+graphColumns, len(s.samples))]
		drawBars(&b, part, low, high)
		drawAges(&b, part, now)
	}
	return b.Bytes()
}

func drawBars(b *bytes.Buffer, part []sample, low, high int64) {
	const steps = len(graphFill) * graphRows
	for row := range graphRows {
		floor := (graphRows - row - 1) * len(graphFill)
		for _, p := range part {
			step := 0
			if high > low {
				step = min(steps-1, int((p.ms-low)*int64(steps)/(high-low)))
			}
			switch at := step - floor; {
			case at < 0:
				b.WriteByte(' ')
			case at < len(graphFill):
				b.WriteByte(graphFill[at])
			default:
				b.WriteByte('|')
			}
		}
		b.WriteByte('\n')
	}
}

// drawAges writes one character of each label a line, below an empty line.
func drawAges(b *bytes.Buffer, part []sample, now int64) {
	labels, longest := make([]string, len(part)), 0
	for i, p := range part {
		labels[i] = age(now - p.unix)
		longest = max(longest, len(labels[i]))
	}
	b.WriteString(string(bytes.Repeat([]byte(" "), len(part))) + "\n")
	for row := range longest {
		for _, label := range labels {
			if row < len(label) {
				b.WriteByte(label[row])
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
}

// age is a number of seconds in the unit that suits it.
func age(secs int64) string {
	switch {
	case secs < 60:
		return fmt.Sprintf("%ds", secs)
	case secs < 3600:
		return fmt.Sprintf("%dm", secs/60)
	case secs < 24*3600:
		return fmt.Sprintf("%dh", secs/3600)
	}
	return fmt.Sprintf("%dd", secs/(24*3600))
}
