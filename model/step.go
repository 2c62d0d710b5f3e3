package model

import (
	"slices"
	"strings"

	"rondo/spec/commands"
)

// Out is one reply on its way to a connection.
type Out struct {
	To  Client
	Msg Reply
}

// Event is something that happens by itself when its time has come.
type Event struct {
	At     Instant
	Client Client
}

// Step is one command line of one connection: the state after it and the replies it causes. A
// connection needs no opening: its first Step finds it in the initial state. The first Out goes to
// `from` (CONN-1), but there is none for an empty line (WIRE-8), none after QUIT (CONN-6), and none
// if the connection waits from here on (BLOCK-1): then a later Step or Fire has an Out for it, and
// until then it must not Step. The other Outs are for those that have been waiting, in the order
// served. A line that Models denies is answered Any and changes nothing; inside MULTI it is queued.
func Step(env Env, s State, from Client, cmd [][]byte) (State, []Out) {
	u := unit{env: env, s: s, from: from}
	if len(cmd) == 0 || u.self().closed || s.Waiting(from) {
		return s, nil
	}
	u.outs = make([]Out, 1)
	u.outs[0] = Out{To: from, Msg: u.call(cmd)}
	if u.s.Waiting(from) {
		u.outs = u.outs[1:]
	}
	u.serve()
	return u.done(), u.outs
}

// Due lists the events that wait for their time: the timeouts of connections that wait. One that is
// due may fire at any later moment, or not at all if something else comes first.
func Due(s State) (events []Event) {
	for _, c := range s.waiting {
		if w := s.of(c).wait; w.timed {
			events = append(events, Event{At: w.timeout, Client: c})
		}
	}
	return events
}

// Fire lets an event happen that Due listed and whose time has come: a connection has waited long
// enough, and is answered nil (BLOCK-4).
func Fire(env Env, s State, e Event) (State, []Out) {
	u := unit{env: env, s: s, from: e.Client}
	u.unwait(e.Client, Reply{Kind: NullArray})
	return u.done(), u.outs
}

// Close is the end of a connection: its transaction, watches, waiting and name are gone, and nothing
// else changes (CONN-22, BLOCK-8).
func Close(s State, c Client) State {
	s.forget(c)
	if i, ok := s.place(c); ok {
		s.session = slices.Delete(slices.Clone(s.session), i, i+1)
	}
	return s
}

// Sweep drops the entries whose deadline is surely past. No reply depends on it: find would drop
// them just the same.
func Sweep(s State, dead func(Instant) bool) State {
	u := unit{s: s}
	for i := len(s.entries) - 1; i >= 0; i-- {
		if e := s.entries[i]; e.mortal && dead(e.deadline) {
			u.remove(i)
		}
	}
	return u.s
}

// Models reports whether the model decides a command line: it knows the reply, or all that the
// reply may be, and the state after it. What it does not decide are commands whose reply depends on
// more than the commands before it, and names that Redis knows and this project does not.
func Models(cmd [][]byte) bool {
	if len(cmd) == 0 {
		return false
	}
	r, refusal := admit(cmd)
	return refusal != "" || r.run != nil
}

// call passes a command line through the gates, in the order of Redis, and runs or queues it.
func (u *unit) call(cmd [][]byte) Reply {
	r, refusal := admit(cmd)
	me := u.self()
	switch {
	case refusal != "": // WIRE-15 to WIRE-17; before NOAUTH (CONN-10)
		return u.refuse(r, refusal)
	case u.s.options.Password != "" && !me.auth && !r.Has("no_auth"): // CONN-9
		return u.refuse(r, "-NOAUTH Authentication required.")
	case me.multi && r.Has("no_multi"):
		return u.refuse(r, "Command not allowed inside a transaction")
	case me.multi && !r.immediate:
		return u.enqueue(cmd)
	}
	return r.do(u, cmd)
}

// admit looks a command line up and checks its length. The refusal is an error text without "ERR ".
func admit(cmd [][]byte) (*rule, string) {
	r, ok := lookup(cmd)
	switch {
	case ok && !r.Fits(len(cmd)):
		return r, "wrong number of arguments for '" + r.Name + "' command"
	case ok:
		return r, ""
	case commands.Elsewhere(fullName(cmd)):
		return &other, ""
	case len(cmd) > 1 && commands.Container(string(cmd[0])):
		help := strings.ToUpper(string(cmd[0])) + " HELP."
		return &other, oneLine("unknown subcommand '" + text(cmd[1], 128) + "'. Try " + help)
	}
	return &other, unknown(cmd)
}

func fullName(cmd [][]byte) string {
	if len(cmd) > 1 && commands.Container(string(cmd[0])) {
		return string(cmd[0]) + "|" + string(cmd[1])
	}
	return string(cmd[0])
}

// unknown is the text for an unknown command: the name and the arguments, each part cut at 128
// bytes (WIRE-15). The blank after the last argument is Redis' own.
func unknown(cmd [][]byte) string {
	var args strings.Builder
	for _, arg := range cmd[1:] {
		if args.Len() >= 128 {
			break
		}
		args.WriteString("'" + text(arg, 128-args.Len()) + "' ")
	}
	return oneLine("unknown command '" + text(cmd[0], 128) + "', with args beginning with: " +
		args.String())
}

// refuse answers a command line that does not get as far as running or queueing. It breaks a
// transaction (EXEC-6); if it was the EXEC itself, it ends it.
func (u *unit) refuse(r *rule, refusal string) Reply {
	if r.Name == "exec" {
		u.endTransaction()
		cause := strings.TrimPrefix(refusal, "-")
		return Err("EXECABORT Transaction discarded because of: " + cause)
	}
	if u.self().multi {
		me := u.mine()
		me.broken, me.marks, me.queue = true, nil, nil
	}
	if strings.HasPrefix(refusal, "-") {
		return Err(refusal[1:])
	}
	return Err("ERR " + refusal)
}

// text is an argument as it appears in an error: up to a NUL byte, at most n bytes (WIRE-22).
func text(arg []byte, n int) string {
	s, _, _ := strings.Cut(string(arg), "\x00")
	return s[:min(len(s), n)]
}

// oneLine keeps an error text on one line (WIRE-22).
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

// errorLine is oneLine where Redis also trims the ends.
func errorLine(s string) string { return oneLine(strings.Trim(s, "\r\n")) }
