package property

import (
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"rondo/model"
)

// effect is what a command does to the deadline of a string that exists.
type effect int

const (
	keeps  effect = iota
	clears        // no deadline
	sets          // its last word is a time from now in ms
	fixes         // its last word is the deadline itself
)

// strokes are commands on key a, an integer, by what they do to its deadline. T and A stand for a
// time from now and an absolute one.
var strokes = []struct {
	does effect
	line string
}{
	{keeps, "INCR a"}, {keeps, "DECRBY a 3"}, {keeps, "APPEND a 1"}, {keeps, "SETRANGE a 0 1"},
	{keeps, "SET a 7 KEEPTTL"}, {keeps, "GETEX a"}, {keeps, "GET a"}, {keeps, "SETNX a 1"},
	{keeps, "SET a 1 NX"}, {keeps, "INCRBYFLOAT a 1"}, {keeps, "TOUCH a"}, {keeps, "EXPIRE a x"},
	{keeps, "COPY a b REPLACE"}, {keeps, "PEXPIRE a 1000 JUNK"}, {keeps, "MSETNX a 1 b 2"},
	{clears, "SET a 1"}, {clears, "GETSET a 2"}, {clears, "MSET a 1"}, {clears, "PERSIST a"},
	{clears, "GETEX a PERSIST"}, {clears, "SET a 1 XX"}, {clears, "SET a 5 GET"},
	{sets, "PEXPIRE a T"}, {sets, "SET a 1 PX T"}, {sets, "GETEX a PX T"},
	{fixes, "PEXPIREAT a A"}, {fixes, "SET a 1 PXAT A"}, {fixes, "GETEX a PXAT A"},
}

// deadlinesFollow: after each command PEXPIRETIME, PTTL, TTL and EXPIRETIME say the same, and what
// the command does to a deadline. All deadlines are far away, so that nothing expires.
func deadlinesFollow(t *rapid.T, s *Server) {
	for _, needed := range []string{"pexpiretime", "pttl", "ttl", "expiretime", "pexpireat"} {
		if !s.Has(needed) {
			t.Skip("the server has no " + strings.ToUpper(needed))
		}
	}
	k := s.talk(t, "deadline")
	defer k.end()
	k.command("SET a 1")
	deadline := int64(-1)
	type move struct{ stroke, far int }
	moves := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		return move{rapid.IntRange(0, len(strokes)-1).Draw(t, "command"),
			rapid.IntRange(1_000_000, 9_000_000).Draw(t, "ms")}
	}), 1, programMax).Draw(t, "commands")
	for _, m := range moves {
		st, far := strokes[m.stroke], int64(m.far)
		name, _, _ := strings.Cut(strings.ToLower(st.line), " ")
		if !s.Has(name) {
			continue
		}
		from := k.clock()
		text := strings.Replace(st.line, " T", " "+strconv.FormatInt(far, 10), 1)
		text = strings.Replace(text, " A", " "+strconv.FormatInt(from+far, 10), 1)
		k.command(text)
		to := k.clock()
		got := k.number("PEXPIRETIME a")
		switch st.does {
		case keeps:
			k.must(text+" keeps the deadline", got, deadline, deadline)
		case clears:
			k.must(text+" leaves no deadline", got, -1, -1)
		case fixes:
			k.must(text+" sets this deadline", got, from+far, from+far)
		case sets:
			k.must(text+" sets a deadline so far from its own time", got, from+far, to+far)
		}
		deadline = got
	}
	k.agree(deadline)
}

// agree: the four ways to ask for a deadline give one answer.
func (k *talk) agree(deadline int64) {
	if deadline < 0 {
		for _, name := range []string{"EXPIRETIME", "TTL", "PTTL"} {
			k.must(name+" says that there is none", k.number(name+" a"), -1, -1)
		}
		return
	}
	k.must("EXPIRETIME is PEXPIRETIME in seconds, rounded", k.number("EXPIRETIME a"),
		(deadline+500)/1000, (deadline+500)/1000)
	from := k.clock()
	ttl, pttl := k.number("TTL a"), k.number("PTTL a")
	to := k.clock()
	k.must("PTTL is what is left", pttl, deadline-to, deadline-from)
	k.must("TTL is what is left in seconds, rounded", ttl, (deadline-to+500)/1000, (deadline-from+500)/1000)
}

func (k *talk) command(text string) model.Reply {
	var args [][]byte
	for word := range strings.FieldsSeq(text) {
		args = append(args, []byte(word))
	}
	return k.ask("a", args...)
}

func (k *talk) number(text string) int64 {
	r := k.command(text)
	if r.Kind != model.Int {
		k.fail(text+" answers an integer", r.String())
	}
	return r.Int
}

func (k *talk) must(what string, got, lo, hi int64) {
	if got < lo || got > hi {
		k.fail(what+": "+model.Reply{Kind: model.IntRange, Int: lo, Max: hi}.String(), strconv.FormatInt(got, 10))
	}
}
