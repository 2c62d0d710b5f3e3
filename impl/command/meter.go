// What commands cost: how often each ran, for how long, and how it failed.
//
// To read a clock costs a quarter of a short command. So one reading ends a batch, some commands that
// arrived together, and they share its time. What may be long by itself gets a reading of
// its own, and the commands of the batch before it are given what such commands usually take: every
// command that is not brief, and a brief one whose last argument or whose reply is large. A batch of
// others can still be slow, if the process was not running. Then the next second is measured command
// by command, and so is everything while the log or the monitor ask for less than a brief command
// can be held up by its neighbours (Reporting). The time of a command includes that of decoding it.
package command

import (
	"math"
	"strings"

	"rondo/impl/histogram"
)

// Reporting is what an operator wants to know.
type Reporting struct {
	SlowMicros int64 // slowlog-log-slower-than; negative: nothing
	SlowMax    int64 // slowlog-max-len
	LatencyMs  int64 // latency-monitor-threshold; 0: nothing
	Tracking   bool  // latency-tracking
}

// A brief command that has more of one of these may be long.
const (
	briefBytes = 4 << 10 // in its last argument, or its reply
	briefArgs  = 64
)

const (
	batchMax    = 64   // commands that share a reading
	exactMicros = 1000 // below this threshold of the slow log each command is measured
	alertNanos  = 1e9  // for how long, after a slow batch
	usualNanos  = 200  // of a brief command, until a batch has been measured
)

// meter measures.
type meter struct {
	last  int64 // the reading up to which all time has been given to a command
	total int64 // ns given
	usual int64 // ns that a brief command took in the last batch of such

	// The batch: how many commands, of what kind the last are, and the kinds before.
	batch, kind int
	limit       int // commands that may share a reading
	before      int // in use of kinds

	always bool  // each command gets a reading
	until  int64 // or it does until then
	note   int64 // ns that are worth a look at the slow log and the monitor
	Reporting

	stats  []stat // by number of the command
	errors map[string]int64
	kinds  [batchMax]kindRun
}

// kindRun are commands of one kind, one after the other, and the place in the batch where they end.
type kindRun struct{ kind, end int }

// stat is what INFO commandstats shows of a command.
type stat struct {
	calls, nanos     int64
	rejected, failed int64
	latency          *histogram.Histogram // nil: none yet
}

// Report says what is to be measured from now on.
func (x *Executor) Report(r Reporting) {
	m := &x.meter
	m.Reporting, m.note = r, math.MaxInt64
	if r.SlowMicros >= 0 && r.SlowMicros < math.MaxInt64/1000 {
		m.note = r.SlowMicros * 1000
	}
	if r.LatencyMs > 0 && r.LatencyMs < math.MaxInt64/1_000_000 {
		m.note = min(m.note, r.LatencyMs*1e6)
	}
	if m.always = m.note < exactMicros*1000 || r.LatencyMs > 0; m.always {
		m.limit = 1
	}
}

// Begin begins a batch at a reading of the monotonic clock: the time before was nobody's.
func (x *Executor) Begin(now int64) {
	m := &x.meter
	m.last, m.limit = now, batchMax
	if m.always || now < m.until {
		m.limit = 1
	}
}

// Settle ends a batch. The arguments of its last command must still be there.
func (x *Executor) Settle() {
	if x.meter.batch > 0 {
		x.settle(false)
		x.call.Args = nil // they end with the input buffer
	}
}

// Measured is the last reading, and the time that has been given to commands so far.
func (x *Executor) Measured() (last, total int64) { return x.meter.last, x.meter.total }

// change begins commands of another kind.
func (m *meter) change(kind int) {
	if m.batch > 1 {
		m.kinds[m.before] = kindRun{m.kind, m.batch - 1}
		m.before++
	}
	m.kind = kind
}

// settle shares out the time since the last reading. With own, the last command gets all that the
// others do not usually take.
func (x *Executor) settle(own bool) {
	m := &x.meter
	passed, n := x.lap(), int64(m.batch)
	each := passed / n
	last := each
	switch {
	case !own:
		m.usual = each
	default:
		each = min(each, m.usual)
		last = passed - each*(n-1)
	}
	done := 0
	for _, k := range m.kinds[:m.before] {
		x.give(k.kind, k.end-done, each)
		done = k.end
	}
	if last != each {
		x.give(m.kind, 1, last)
		done++
	}
	if done < m.batch {
		x.give(m.kind, m.batch-done, each)
	}
	m.batch, m.before = 0, 0
	switch {
	case passed < m.note:
	case own || n == 1:
		x.slow(&x.call, last)
	default:
		m.until, m.limit = m.last+alertNanos, 1
	}
}

// lap reads the clock.
func (x *Executor) lap() int64 {
	now, m := x.host.Mono(), &x.meter
	passed := max(0, now-m.last)
	m.last = now
	m.total += passed
	return passed
}

// give counts n calls of a command of so many ns each.
func (x *Executor) give(kind, n int, each int64) {
	st := &x.meter.stats[kind]
	st.calls += int64(n)
	st.nanos += each * int64(n)
	if !x.meter.Tracking {
		return
	}
	if st.latency == nil {
		st.latency = new(histogram.Histogram)
	}
	st.latency.AddN(each, uint64(n))
}

// runExec measures EXEC, whose time is also that of its commands.
func (x *Executor) runExec(c *Call) {
	x.Settle()
	cmd, args, from := c.Cmd, c.Args, x.meter.last
	cmd.Handler(c)
	x.Settle()
	x.lap()
	c.Cmd, c.Args = cmd, args
	took := x.meter.last - from
	x.give(cmd.number, 1, took)
	if took >= x.meter.note {
		x.slow(c, took)
	}
	c.Args = nil
}

// slow hands a command that took its time to the slow log and the monitor.
func (x *Executor) slow(c *Call, nanos int64) {
	m, micros := &x.meter, nanos/1000
	if m.SlowMicros >= 0 && micros >= m.SlowMicros && c.Cmd.Flags&SkipSlowlog == 0 {
		x.logSlow(c, micros)
	}
	event := "command"
	if c.Cmd.Flags&Fast != 0 {
		event = "fast-command"
	}
	x.Event(event, nanos)
}

// CountError counts an error reply by its code.
func (x *Executor) CountError(text string) {
	x.Stats.Errors++
	code, _, _ := strings.Cut(text, " ")
	if x.meter.errors == nil {
		x.meter.errors = map[string]int64{}
	}
	x.meter.errors[code]++
}

// ResetStats forgets what was counted and measured, but neither the slow log nor the monitor.
func (x *Executor) ResetStats() {
	x.Stats = Stats{}
	clear(x.meter.stats)
	x.meter.errors, x.meter.total = nil, 0
}

// CommandStat is what has been measured of one command.
type CommandStat struct {
	Name             string
	Calls, Nanos     int64
	Rejected, Failed int64
	Latency          *histogram.Histogram // nil for none
}

// CommandStats yields the commands that somebody has called, in the order of the table.
func (x *Executor) CommandStats(yield func(CommandStat) bool) {
	for i, st := range x.meter.stats {
		if st.calls+st.rejected+st.failed > 0 &&
			!yield(CommandStat{every[i].Name, st.calls, st.nanos, st.rejected, st.failed, st.latency}) {
			return
		}
	}
}

// ErrorStats are the error replies by code.
func (x *Executor) ErrorStats() map[string]int64 { return x.meter.errors }
