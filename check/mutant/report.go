package mutant

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"rondo/model"
	"rondo/spec/commands"
)

// What the server says of itself: SLOWLOG, INFO commandstats and errorstats, LATENCY.

type reports struct {
	slow    []model.Reply // the last one first
	slowID  int64
	calls   map[string]*counts
	errors  map[string]int
	samples []model.Reply // of the event "command", as LATENCY HISTORY has them
	worst   int64         // ms
}

// counts is a line of INFO commandstats.
type counts struct {
	calls, micros, rejected, failed int64
	histogram                       map[int64]int64 // calls by the power of two that they took at most
}

// count notes one command that took so long; one that an EXEC ran took nothing of its own.
func (u *unit) count(cmd [][]byte, r model.Reply, took time.Duration) {
	c, known := commands.Find(cmd)
	if r.Kind == model.Error {
		u.s.countError(r.Str)
	}
	if !known || isQueued(r) {
		return
	}
	if u.s.reports.calls == nil {
		u.s.reports.calls = map[string]*counts{}
	}
	n := u.s.reports.calls[c.Name]
	if n == nil {
		n = &counts{histogram: map[int64]int64{}}
		u.s.reports.calls[c.Name] = n
	}
	switch {
	case r.Kind == model.Error && !c.Fits(len(cmd)):
		n.rejected++
		return
	case r.Kind == model.Error:
		n.failed++
	}
	micros := took.Microseconds()
	n.calls++
	n.micros += micros
	n.histogram[1<<bits.Len64(uint64(micros))]++
	if u.s.state.Waiting(u.c.id) && !u.s.at.wait.isSlow {
		u.c.onServed = func() { u.s.logSlow(u.c, cmd, micros) }
	} else {
		u.s.logSlow(u.c, cmd, micros)
	}
	u.s.sample(micros)
}

func (s *Server) countError(text string) {
	code, _, _ := strings.Cut(text, " ")
	if s.reports.errors == nil {
		s.reports.errors = map[string]int{}
	}
	s.reports.errors[code]++
}

func (s *Server) logSlow(c *conn, cmd [][]byte, micros int64) {
	if s.config.slowMicros < 0 || micros < s.config.slowMicros || isWord(cmd[0], "exec") {
		return
	}
	r := &s.reports
	r.slow = slices.Insert(r.slow, 0, model.Arr(model.Num(r.slowID), model.Num(time.Now().Unix()), model.Num(micros),
		model.Arr(bulks(s.cut(cmd))...), model.Str(c.sock.RemoteAddr().String()), model.Str(c.name)))
	r.slowID++
	r.slow = r.slow[:min(len(r.slow), s.config.slowMax)]
}

// sample is what the latency monitor does with a command that took so long.
func (s *Server) sample(micros int64) {
	r, unix := &s.reports, time.Now().Unix()
	if ms := micros / 1000; s.config.latencyMs > 0 && ms >= s.config.latencyMs {
		r.worst = max(r.worst, ms)
		if n := len(r.samples); n > 0 && r.samples[n-1].Elems[0].Int == unix {
			if !s.at.lastSample {
				ms = max(ms, r.samples[n-1].Elems[1].Int)
			}
			r.samples = r.samples[:n-1]
		}
		r.samples = append(r.samples, model.Arr(model.Num(unix), model.Num(ms)))
	}
}

// cut is a command line as the slow log keeps it.
func (s *Server) cut(cmd [][]byte) []string {
	var list []string
	for i, arg := range cmd {
		switch {
		case i == 31 && len(cmd) > 32:
			return append(list, fmt.Sprintf("... (%d more arguments)", len(cmd)-31))
		case len(arg) > 128 && !s.at.slowUncut:
			list = append(list, fmt.Sprintf("%s... (%d more bytes)", arg[:128], len(arg)-128))
		default:
			list = append(list, string(arg))
		}
	}
	return list
}

func (u *unit) slowlogGet(args [][]byte) model.Reply {
	n := int64(10)
	if len(args) > 0 {
		var err error
		if n, err = between(string(args[0]), -1, 1<<62); err != nil {
			return model.Err("ERR count should be greater than or equal to -1")
		}
	}
	slow := u.s.reports.slow
	if n >= 0 {
		slow = slow[:min(int64(len(slow)), n)]
	}
	return model.Arr(slow...)
}

func (u *unit) latency(name string, args [][]byte) model.Reply {
	r := &u.s.reports
	ours := len(args) == 0 || string(args[0]) == "command"
	some := len(r.samples) > 0 && ours
	switch name {
	case "latency|latest":
		if !some {
			return model.Arr()
		}
		last := r.samples[len(r.samples)-1].Elems
		return model.Arr(model.Arr(model.Str("command"), last[0], last[1], model.Num(r.worst)))
	case "latency|history":
		if !some {
			return model.Arr()
		}
		return model.Arr(r.samples...)
	case "latency|reset":
		if !some {
			return model.Num(0)
		}
		r.samples, r.worst = nil, 0
		return model.Num(1)
	case "latency|histogram":
		return u.latencyHistogram(args)
	}
	return model.Err("ERR No samples available for event '" + string(args[0]) + "'")
}

func (u *unit) latencyHistogram(args [][]byte) model.Reply {
	r := model.Reply{Kind: model.Map}
	for _, arg := range args {
		n := u.s.reports.calls[strings.ToLower(string(arg))]
		if n == nil || n.calls == 0 {
			continue
		}
		steps, seen := model.Reply{Kind: model.Map}, int64(0)
		for bound := int64(1); seen < n.calls; bound *= 2 {
			if some := n.histogram[bound]; some > 0 {
				seen += some
				steps.Elems = append(steps.Elems, model.Num(bound), model.Num(seen))
			}
		}
		r.Elems = append(r.Elems, model.Str(string(arg)), model.Reply{Kind: model.Map, Elems: []model.Reply{
			model.Str("calls"), model.Num(n.calls), model.Str("histogram_usec"), steps}})
	}
	return r
}

func (u *unit) commandstats() string {
	var text strings.Builder
	for _, c := range commands.Table {
		if n := u.s.reports.calls[c.Name]; n != nil {
			fmt.Fprintf(&text, "cmdstat_%s:calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d\r\n",
				c.Name, n.calls, n.micros, float64(n.micros)/float64(max(1, n.calls)), n.rejected, n.failed)
		}
	}
	return text.String()
}

func (u *unit) errorstats() string {
	var text strings.Builder
	for code, n := range u.s.reports.errors {
		fmt.Fprintf(&text, "errorstat_%s:count=%d\r\n", code, n)
	}
	return text.String()
}

// Faults in what the server says of itself.
var reportFaults = []Fault{
	{"slow log deaf", "SLOWLOG logs nothing that took less than ten times its threshold.",
		[]string{"CONN-32"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 3 && isWord(u.cmd[2], "slowlog-log-slower-than") && len(u.cmd[3]) > 3 {
				u.cmd[3] = append(u.cmd[3], '0')
			}
		}, "config")}},
	{"slow log uncut", "SLOWLOG keeps arguments of any length.",
		[]string{"CONN-32"}, points{slowUncut: true}},
	{"slow log backwards", "SLOWLOG GET answers the first one first.",
		[]string{"CONN-32"}, points{after: onDone(func(u *unit) {
			u.reply.Elems = slices.Clone(u.reply.Elems)
			slices.Reverse(u.reply.Elems)
		}, "slowlog")}},
	{"failures uncounted", "INFO commandstats shows no failed calls.",
		[]string{"CONN-33"}, points{after: onDone(func(u *unit) {
			u.reply.Str = failedCalls.ReplaceAllString(u.reply.Str, "failed_calls=0")
		}, "info")}},
	{"statistics kept", "CONFIG RESETSTAT begins nothing anew.",
		[]string{"CONN-33"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 2 && isWord(u.cmd[1], "resetstat") {
				u.answer(model.OK())
			}
		}, "config")}},
	{"last of the second", "LATENCY keeps the last sample of a second and not the worst.",
		[]string{"CONN-34"}, points{lastSample: true}},
	{"monitor always on", "LATENCY samples without a threshold.",
		[]string{"CONN-34"}, points{before: func(u *unit) { u.s.config.latencyMs = max(1, u.s.config.latencyMs) }}},
	{"role unknown", "ROLE answers that this is a replica.",
		[]string{"CONN-35"}, points{admin: func(_ *unit, name string) (model.Reply, bool) {
			return model.Arr(model.Str("slave"), model.Num(0), model.Arr()), name == "role"
		}}},
}
