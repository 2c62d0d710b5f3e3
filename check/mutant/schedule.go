package mutant

import (
	"time"

	"rondo/model"
)

// Faults in the order of effects, which only concurrent clients can see, and in who waits for whom.
var scheduleFaults = []Fault{
	{"lost INCR", "INCR reads and writes in two steps, between which others are served.",
		[]string{"LIN-1", "LIN-3"}, points{before: on(racyIncr, "incr", "incrby")}},
	{"stale read", "One GET in eight answers what was true three milliseconds ago.",
		[]string{"LIN-1", "LIN-2"}, points{before: on(readPast, "get"), after: remember}},
	{"late write", "SET is answered two milliseconds before it takes effect.",
		[]string{"LIN-1", "LIN-2", "CONN-3"}, points{before: on(writeLater, "set")}},
	{"lost command twice",
		"The last INCRBY or APPEND of a connection that has just ended is executed again.",
		[]string{"LIN-5", "CONN-22"}, points{after: keepLast, ended: executeAgain}},
	{"MGET not atomic", "Others are served between the keys of one MGET.",
		[]string{"STR-11", "LIN-1"}, points{before: on(tornMGET, "mget")}},
	{"write hits another key", "One SET in fifty deletes some other key.",
		[]string{"LIN-9", "LIN-3"}, points{after: onDone(func(u *unit) {
			if u.s.rng.IntN(50) > 0 {
				return
			}
			if r := u.asNobody(u.c.db, line("randomkey")); r.Str != u.key() {
				u.asNobody(u.c.db, line("del", r.Str))
			}
		}, "set")}},
	{"DEBUG SLEEP alone", "DEBUG SLEEP holds up its own connection only.",
		[]string{"LOOP-16"}, points{before: on(func(u *unit) {
			if len(u.cmd) == 3 && isWord(u.cmd[1], "sleep") {
				d, _ := time.ParseDuration(string(u.cmd[2]) + "s")
				u.pause(d)
				u.answer(model.OK())
			}
		}, "debug")}},
	{"time stands still", "The clock of expiry is read only every 40 milliseconds.",
		[]string{"TIME-5", "LIN-4"}, points{stale: func(u *unit) int64 { return u.micros / 1000 % 40 }}},
}

// snapshot is the state at some moment.
type snapshot struct {
	at    time.Time
	state model.State
}

// pause gives others a turn in the middle of a command.
func (u *unit) pause(d time.Duration) {
	u.s.mu.Unlock()
	time.Sleep(d)
	u.s.mu.Lock()
}

func racyIncr(u *unit) {
	if u.c.multi || len(u.cmd) < 2 {
		return
	}
	before := u.s.state
	r := u.model(u.c.id, u.cmd)
	u.s.state = before
	if r.Kind != model.Int {
		return
	}
	u.pause(100 * time.Microsecond)
	u.run("set", u.key(), itoa(r.Int), "keepttl")
	u.answer(r)
}

// remember keeps the states of the last few milliseconds.
func remember(u *unit) {
	now := time.Now()
	u.s.past = append(u.s.past, snapshot{now, u.s.state})
	for len(u.s.past) > 1 && now.Sub(u.s.past[1].at) > 3*time.Millisecond {
		u.s.past = u.s.past[1:]
	}
}

func readPast(u *unit) {
	if u.c.multi || len(u.s.past) == 0 || u.s.rng.IntN(8) > 0 {
		return
	}
	now := u.s.state
	u.s.state = u.s.past[0].state
	r := u.model(u.c.id, u.cmd)
	u.s.state = now
	u.answer(r)
}

func writeLater(u *unit) {
	if u.c.multi || u.c.db != 0 || len(u.cmd) != 3 {
		return
	}
	u.answer(model.OK())
	s, cmd := u.s, u.cmd
	s.all.Add(1)
	go func() {
		defer s.all.Done()
		time.Sleep(2 * time.Millisecond)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unit(nil, cmd).model(nobody, cmd)
	}()
}

// keepLast remembers a command that would show if it were executed twice.
func keepLast(u *unit) {
	u.c.held = nil
	if (u.name == "incrby" || u.name == "append") && u.reply.Kind == model.Int {
		u.c.held = u.cmd
	}
}

func executeAgain(c *conn) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.held != nil {
		c.execute(c.held)
	}
}

func tornMGET(u *unit) {
	if u.c.multi || len(u.cmd) < 3 {
		return
	}
	var values []model.Reply
	for _, key := range u.cmd[1:] {
		values = append(values, u.run("get", string(key)))
		u.pause(200 * time.Microsecond)
	}
	u.answer(model.Arr(values...))
}
