package mutant

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/model"
	"rondo/spec/commands"
)

// unit is one command being executed, under the lock of the server.
type unit struct {
	s      *Server
	c      *conn
	cmd    [][]byte
	name   string // of the command, in lower case
	micros int64  // the clock reading
	late   int64  // by how many ms expiry is judged late
	reply  model.Reply
	others []model.Out // for clients that waited

	answered bool
}

func (s *Server) unit(c *conn, cmd [][]byte) *unit {
	return &unit{s: s, c: c, cmd: cmd, name: strings.ToLower(string(cmd[0])),
		micros: time.Now().UnixMicro(), late: s.at.lateMs}
}

// do executes the command, with the fault around it.
func (u *unit) do() {
	start, cmd, queue := time.Now(), u.cmd, u.c.queue
	u.c.active = start
	u.s.handled++
	u.c.last = fullName(u.cmd)
	u.s.touch(u.c.db, u.cmd)
	u.countUses()
	if u.s.at.stale != nil {
		u.late = u.s.at.stale(u)
	}
	if u.s.at.before != nil {
		u.s.at.before(u)
	}
	if !u.answered {
		u.reply = u.step(u.cmd)
	}
	if u.s.at.after != nil {
		u.s.at.after(u)
	}
	u.count(cmd, u.reply, time.Since(start))
	if len(u.reply.Elems) == len(queue) && isWord(cmd[0], "exec") {
		for i, r := range u.reply.Elems {
			u.count(queue[i], r, 0)
		}
	}
	u.answerOthers()
}

// answer takes the place of the command.
func (u *unit) answer(r model.Reply) { u.reply, u.answered = r, true }

// step runs one command line as this connection.
func (u *unit) step(cmd [][]byte) model.Reply {
	if u.s.config.password != "" {
		r, answered := model.Reply{}, false
		if cmd, r, answered = u.authenticate(cmd); answered {
			return r
		}
	}
	if r, refused := u.refusal(cmd); refused {
		return r
	}
	r, queue := u.model(u.c.id, cmd), u.c.queue
	r = u.fill(r, cmd, queue)
	u.c.note(cmd, r)
	u.reckonKeys(append(queue, cmd)...)
	u.s.closeLargest()
	return r
}

// run is step for words.
func (u *unit) run(words ...string) model.Reply { return u.step(line(words...)) }

func line(words ...string) [][]byte {
	cmd := make([][]byte, len(words))
	for i, w := range words {
		cmd[i] = []byte(w)
	}
	return cmd
}

// clock is the Env of the model: one reading, and a later or earlier one for expiry if a fault says
// so.
type clock struct {
	model.Concrete
	late int64
}

func (k *clock) Now() model.Instant { return model.At(k.Ms - k.late) }

// picksMax bounds how often a rejected choice is made anew.
const picksMax = 10_000

// model runs a command line through the model, as any connection.
func (u *unit) model(as model.Client, cmd [][]byte) model.Reply {
	late := u.late
	if isWord(cmd[0], "dbsize") {
		late = distantPast // it counts what is stored, expired or not (TIME-15)
	}
	for range picksMax {
		env := &clock{model.Concrete{Ms: u.micros / 1000, Pick: u.s.rng.IntN}, late}
		next, outs := model.Step(env, u.s.state, as, cmd)
		if env.Rejected {
			continue
		}
		u.s.state = next
		if len(outs) > 0 && outs[0].To == as {
			u.others = append(u.others, outs[1:]...)
			return outs[0].Msg
		}
		break // it waits, or it has gone
	}
	return model.Reply{Kind: model.Null}
}

// authenticate is the gate of the password. The model has one, but its password is fixed when it is
// made, and CONFIG SET requirepass is not. It returns the command line to go on with.
func (u *unit) authenticate(cmd [][]byte) (rest [][]byte, r model.Reply, answered bool) {
	c, known := commands.Find(cmd)
	switch {
	case !known || !c.Fits(len(cmd)): // CONN-10
		return cmd, r, false
	case c.Name != "auth" && c.Name != "hello":
		text := "NOAUTH Authentication required."
		if c.Name == "exec" {
			text = "EXECABORT Transaction discarded because of: " + text
		}
		return cmd, model.Err(text), !u.c.authed && !c.Has("no_auth")
	}
	// What AUTH and HELLO say, a model with this password knows.
	s, env := model.Initial(model.Options{Password: u.s.config.password}), &model.Concrete{}
	if u.c.authed {
		s, _ = model.Step(env, s, u.c.id, line("auth", u.s.config.password))
	}
	_, outs := model.Step(env, s, u.c.id, cmd)
	if r = outs[0].Msg; r.Kind == model.Error {
		return cmd, r, true
	}
	if c.Name == "auth" {
		u.c.authed = true
		return cmd, r, true
	}
	for i := range cmd {
		if isWord(cmd[i], "auth") && i >= 2 {
			u.c.authed = true
			return slices.Concat(cmd[:i], cmd[i+3:]), r, false
		}
	}
	return cmd, r, false
}

// fill makes a reply of the model concrete: the model leaves open what it does not decide.
func (u *unit) fill(r model.Reply, cmd [][]byte, queue [][][]byte) model.Reply {
	switch r.Kind {
	case model.Any:
		return u.admin(cmd)
	case model.IntRange:
		if u.s.config.frequency() && isWord(cmd[0], "object") {
			return model.Err(errFrequency)
		}
		return model.Num(max(r.Int, u.s.idle(u.c.db, cmd)))
	case model.AnyOrder:
		return model.Arr(r.Elems...)
	case model.ScanTerm: // all at once
		return model.Arr(model.Str("0"), model.Arr(r.Elems...))
	case model.TimeTerm:
		return model.Arr(model.Str(strconv.FormatInt(u.micros/1e6, 10)),
			model.Str(strconv.FormatInt(u.micros%1e6, 10)))
	case model.DiffTerm:
		return model.Fix(r)
	}
	if len(r.Elems) == 0 {
		return r
	}
	r.Elems = slices.Clone(r.Elems)
	name := strings.ToLower(string(cmd[0]))
	for i := range r.Elems {
		switch {
		case name == "exec":
			r.Elems[i] = u.fill(r.Elems[i], queue[i], nil)
		case name == "hello" && i%2 == 1 && r.Elems[i].Kind == model.Any:
			r.Elems[i] = u.introduction(r.Elems[i-1].Str)
		}
	}
	return r
}

// introduction is what HELLO says of a field.
func (u *unit) introduction(field string) model.Reply {
	switch field {
	case "server":
		return model.Str("mutant")
	case "version":
		return model.Str(version)
	case "id":
		return model.Num(int64(u.c.id))
	case "mode":
		return model.Str("standalone")
	}
	return model.Arr()
}

// note keeps what CLIENT LIST, and some faults, want to know of a connection.
func (c *conn) note(cmd [][]byte, r model.Reply) {
	if r.Kind == model.Simple && r.Str == "QUEUED" {
		c.queue = append(c.queue, cmd)
		return
	}
	if r.Kind == model.Error {
		if r.Str != "ERR EXEC without MULTI" && isWord(cmd[0], "exec") {
			c.endTransaction()
		}
		return
	}
	switch fullName(cmd) {
	case "multi":
		c.multi = true
	case "exec":
		queue := c.queue
		c.endTransaction()
		for i := range r.Elems {
			c.note(queue[i], r.Elems[i])
		}
	case "discard", "unwatch":
		c.endTransaction()
	case "watch":
		if len(c.watched) == 0 {
			c.watchedMs = time.Now().UnixMilli()
		}
		c.watched = append(c.watched, cmd[1:]...)
	case "select":
		c.db, _ = strconv.Atoi(string(cmd[1]))
	case "client|setname":
		c.name = string(cmd[2])
	case "hello":
		c.greeted(cmd)
	case "reset":
		c.endTransaction()
		c.db, c.proto, c.name, c.authed = 0, 2, "", c.s.config.password == ""
	}
}

func (c *conn) endTransaction() { c.multi, c.queue, c.watched = false, nil, nil }

func (c *conn) greeted(cmd [][]byte) {
	if len(cmd) > 1 {
		c.proto, _ = strconv.Atoi(string(cmd[1]))
	}
	for i := 2; i+1 < len(cmd); i++ {
		if isWord(cmd[i], "setname") {
			c.name = string(cmd[i+1])
		}
	}
}

// fullName is the name of a command line with its subcommand, "client|id".
func fullName(cmd [][]byte) string {
	if c, ok := commands.Find(cmd); ok {
		return c.Name
	}
	return strings.ToLower(string(cmd[0]))
}

func isWord(arg []byte, word string) bool { return strings.EqualFold(string(arg), word) }
