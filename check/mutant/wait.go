package mutant

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// Clients that wait for a list: who is answered by the command of another, and when time is up. And
// the faults in it.

// waiting are the hooks of its faults.
type waiting struct {
	served       func(u *unit, outs []model.Out) []model.Out // those that are about to be answered
	early        bool                                        // time is up after two thirds of it
	pressesOn    bool                                        // what is behind a command that waits is executed
	forgetsInput bool                                        // and never
	keepsGone    bool                                        // who has gone waits on
	unseen       bool                                        // INFO does not count them
	impatient    bool                                        // they are closed for being idle
	isSlow       bool                                        // the slow log has them at once
	uncounted    bool                                        // errors that end it are not counted
}

// waits tells whether a connection executes nothing now.
func (c *conn) waits() bool { return c.s.state.Waiting(c.id) && !c.s.at.wait.pressesOn }

// answerOthers delivers what a command has caused for those that waited, and lets them go on.
func (u *unit) answerOthers() {
	outs := u.others
	u.others = nil
	if u.s.at.wait.served != nil {
		outs = u.s.at.wait.served(u, outs)
	}
	u.s.deliver(outs)
}

func (s *Server) deliver(outs []model.Out) {
	for _, out := range outs {
		if c := s.conns[out.To]; c != nil {
			s.noteAnswer(c, out.Msg)
			c.send(wire.AppendReply(nil, model.Fix(out.Msg), c.proto))
			s.answered = append(s.answered, c)
		}
	}
}

// noteAnswer counts what a client is answered that has waited.
func (s *Server) noteAnswer(c *conn, r model.Reply) {
	switch served := c.onServed; {
	case r.Kind == model.Error && !s.at.wait.uncounted:
		s.countError(r.Str)
	case r.Kind != model.Error && r.Kind != model.Null && r.Kind != model.NullArray && served != nil:
		served()
	}
	c.onServed = nil
}

// goOn executes what those have sent meanwhile that have been answered.
func (s *Server) goOn() {
	for len(s.answered) > 0 {
		c := s.answered[0]
		s.answered = s.answered[1:]
		if !s.at.wait.forgetsInput {
			c.executeAll()
		}
	}
}

// first is the first of some replies.
func first(outs []model.Out) (r model.Reply) {
	if len(outs) > 0 {
		r = outs[0].Msg
	}
	return r
}

// startWaiting has a connection answered when its time is up.
func (c *conn) startWaiting(now int64) {
	c.waitings++
	nth := c.waitings
	for _, e := range model.Due(c.s.state) {
		if e.Client != c.id {
			continue
		}
		d := time.Duration(e.At.Off-now) * time.Millisecond
		if c.s.at.wait.early {
			d -= d / 3
		}
		time.AfterFunc(d, func() {
			c.s.mu.Lock()
			defer c.s.mu.Unlock()
			if c.waitings != nth || !c.s.state.Waiting(c.id) || c.s.conns[c.id] != c {
				return
			}
			next, outs := model.Fire(&model.Concrete{Ms: e.At.Off}, c.s.state, e)
			c.s.state = next
			c.s.deliver(outs)
			c.s.goOn()
		})
	}
}

// waitFaults are those in waiting.
var waitFaults = []Fault{
	{"BLPOP asks once", "A command that would wait answers null at once.",
		[]string{"BLOCK-1", "BLOCK-4"}, points{after: func(u *unit) {
			if u.s.state.Waiting(u.c.id) {
				u.s.state = model.Close(u.s.state, u.c.id)
				u.reply = model.Reply{Kind: model.NullArray}
			}
		}}},
	{"BLPOP waits for a string", "BLPOP waits where its first key holds no list.",
		[]string{"BLOCK-2", "KEY-26"}, points{before: on(func(u *unit) {
			if r := u.would(); strings.HasPrefix(r.Str, "WRONGTYPE") {
				u.cmd = line("blpop", u.key()+":none", "0")
			}
		}, "blpop")}},
	{"a negative timeout", "A negative timeout is none.",
		[]string{"BLOCK-2"}, points{before: on(func(u *unit) {
			if last := len(u.cmd) - 1; u.cmd[last][0] == '-' {
				u.cmd = append(slices.Clone(u.cmd[:last]), []byte("0"))
			}
		}, "blpop")}},
	{"served before the reply", "What waiting clients take from a push is not in its reply.",
		[]string{"BLOCK-3"}, points{after: onDone(func(u *unit) {
			if u.reply.Kind == model.Int {
				u.reply.Int -= int64(len(u.others))
			}
		}, "rpush", "lpush")}},
	{"timeouts in milliseconds", "A timeout is taken for milliseconds.",
		[]string{"BLOCK-4"}, points{before: on(func(u *unit) {
			last := len(u.cmd) - 1
			if n, err := strconv.ParseFloat(string(u.cmd[last]), 64); err == nil {
				u.cmd = append(slices.Clone(u.cmd[:last]), strconv.AppendFloat(nil, n/1000, 'f', 6, 64))
			}
		}, "blpop", "brpop", "blmove", "brpoplpush")}},
	{"timeouts early", "A client that waits is answered null after two thirds of its time.",
		[]string{"BLOCK-4"}, points{wait: waiting{early: true}}},
	{"who came last", "Of two clients that are served at once each is answered what is the other's.",
		[]string{"BLOCK-5"}, points{wait: waiting{served: func(_ *unit, outs []model.Out) []model.Out {
			if len(outs) > 1 {
				outs[0].Msg, outs[1].Msg = outs[1].Msg, outs[0].Msg
			}
			return outs
		}}}},
	{"BLPOP in MULTI refused", "A command that could wait is refused in a transaction.",
		[]string{"BLOCK-6"}, points{before: on(func(u *unit) {
			if u.c.multi {
				u.cmd = line("no-such-command")
			}
		}, "blpop", "brpop", "blmove", "blmpop")}},
	{"UNBLOCK without effect", "CLIENT UNBLOCK answers 1, and the client waits on.",
		[]string{"BLOCK-7"}, points{before: on(func(u *unit) {
			if len(u.cmd) > 2 && isWord(u.cmd[1], "unblock") && u.would().Int == 1 {
				u.answer(model.Num(1))
			}
		}, "client")}},
	{"UNBLOCK without an error", "CLIENT UNBLOCK with ERROR is one with TIMEOUT.",
		[]string{"BLOCK-7"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 4 && isWord(u.cmd[1], "unblock") && isWord(u.cmd[3], "error") {
				u.cmd = u.cmd[:3]
			}
		}, "client")}},
	{"serves the gone", "A client whose connection has ended waits on.",
		[]string{"BLOCK-8", "CONN-22"}, points{wait: waiting{keepsGone: true}}},
	{"does not wait its turn", "What is behind a command that waits is executed at once.",
		[]string{"BLOCK-9"}, points{wait: waiting{pressesOn: true}}},
	{"forgets what came meanwhile", "What is behind a command that waits is executed when more comes.",
		[]string{"BLOCK-9"}, points{wait: waiting{forgetsInput: true}}},
	{"a chain breaks", "Of those served by one command only the first is answered.",
		[]string{"BLOCK-10", "BLOCK-5"}, points{wait: waiting{served: func(_ *unit, outs []model.Out) []model.Out {
			return outs[:min(1, len(outs))]
		}}}},
	{"only pushes serve", "A list that appears by RENAME, COPY, MOVE or SWAPDB is given to nobody who waits.",
		[]string{"BLOCK-11"}, points{wait: waiting{served: func(u *unit, outs []model.Out) []model.Out {
			if slices.Contains([]string{"rename", "copy", "move", "swapdb"}, u.name) {
				return nil
			}
			return outs
		}}}},
	{"an element for two", "One element in four that a client has waited for stays on its list.",
		[]string{"LIN-3", "BLOCK-3"}, points{wait: waiting{served: func(u *unit, outs []model.Out) []model.Out {
			if r := first(outs); len(r.Elems) == 2 && r.Elems[1].Kind == model.Bulk && u.s.rng.IntN(4) == 0 {
				u.asNobody(u.c.db, line("lpush", r.Elems[0].Str, r.Elems[1].Str))
			}
			return outs
		}}}},
	{"an element for nobody", "One client in four is answered null where it is served.",
		[]string{"LIN-3", "BLOCK-4"}, points{wait: waiting{served: func(u *unit, outs []model.Out) []model.Out {
			if r := first(outs); len(r.Elems) == 2 && u.s.rng.IntN(4) == 0 {
				outs[0].Msg = model.Reply{Kind: model.NullArray}
			}
			return outs
		}}}},
	{"SET wakes up", "A client that waits is answered null when some key is set.",
		[]string{"BLOCK-12"}, points{after: onDone(func(u *unit) {
			for id := range u.s.conns {
				u.run("client", "unblock", strconv.FormatInt(int64(id), 10))
			}
		}, "set")}},
	{"waiting is not seen", "INFO counts no client that waits.",
		[]string{"BLOCK-14"}, points{wait: waiting{unseen: true}}},
	{"waiting is idling", "A client that waits is closed when it is idle for too long.",
		[]string{"BLOCK-14"}, points{wait: waiting{impatient: true}}},
	{"waiting is slow", "SLOWLOG has a command as soon as it waits.",
		[]string{"BLOCK-15"}, points{wait: waiting{isSlow: true}}},
	{"UNBLOCKED uncounted", "INFO errorstats does not count the errors by which waiting ends.",
		[]string{"CONN-33"}, points{wait: waiting{uncounted: true}}},
}
