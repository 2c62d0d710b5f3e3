package property

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// Laws of what happens when time passes. Against a real server their pauses are short. In a synctest
// bubble they are as long as keys live, and cost nothing; the clock stands still while a command
// runs, so that the model allows one reply and no other.

// lives are how long keys live and clients wait, in ms.
var lives = []int64{1, 2, 3, 15, 999, 1000, 1001, 59_999, 3_600_000}

// lives leaves those that fit into a pause.
func (s *Server) lives() []int64 {
	return slices.DeleteFunc(slices.Clone(lives), func(ms int64) bool { return ms > s.PauseMax.Milliseconds() })
}

// mortal are commands that give keys their deadlines, and that show whether they are there.
var mortal = strings.Split("SET K V PX T|SET K V PX T NX|SET K V PX T XX|SET K V KEEPTTL|SET K V NX|PSETEX K T V|"+
	"GETEX K PX T|PEXPIRE K T|PEXPIRE K T|PEXPIRE K T E|PERSIST K|EXPIRE K S|GET K|GET K|EXISTS K K|STRLEN K|"+
	"TYPE K|PTTL K|TTL K|PEXPIRETIME K|EXPIRETIME K|INCR K|APPEND K V|SETNX K V|GETSET K V|DEL K|RENAME K K|"+
	"COPY K K REPLACE|RPUSH K V|LLEN K", "|")

// expires: with pauses between the commands that end at deadlines, or just before or behind them.
func expires(t *rapid.T, s *Server) {
	var times []string
	for _, ms := range s.lives() {
		times = append(times, strconv.FormatInt(ms, 10))
	}
	a := alphabet{pick(mortal, s, func(string) bool { return true }), []map[byte][]string{
		{'K': {"a", "a", "b"}, 'V': {"1", "x"}, 'T': times, 'S': {"1", "2", "60"}}, Pools}}
	step := rapid.Custom(func(t *rapid.T) action {
		if rapid.IntRange(0, 2).Draw(t, "kind") > 0 {
			return a.action(t)
		}
		life := time.Duration(rapid.SampledFrom(s.lives()).Draw(t, "ms")) * time.Millisecond
		off := time.Duration(rapid.IntRange(-2, 2).Draw(t, "halves")) * time.Millisecond / 2
		return action{pause: life + off}
	})
	s.mustFollow(t, "expiry", rapid.SliceOfN(step, 1, programMax).Draw(t, "program"))
}

// waitsMax is the longest that a client waits for: a connection waits no longer for a reply.
const waitsMax = 2 * time.Second

// waitsEnd: commands that wait for what nobody pushes, one after the other.
func waitsEnd(t *rapid.T, s *Server) {
	if !s.Has("blpop") {
		t.Skip("the server has no BLPOP")
	}
	k := s.talk(t, "timeouts")
	defer k.end()
	waits := pick(Waits, s, func(string) bool { return true })
	times := slices.DeleteFunc(s.lives(), func(ms int64) bool { return ms > waitsMax.Milliseconds() })
	type wait struct {
		line string
		ms   int64
	}
	for _, w := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wait {
		return wait{rapid.SampledFrom(waits).Draw(t, "command"), rapid.SampledFrom(times).Draw(t, "ms")}
	}), 1, programMax/4).Draw(t, "waits") {
		text := strings.NewReplacer(" K", " a", " H", " LEFT", " I", " 1",
			" W", " "+strconv.FormatFloat(float64(w.ms)/1000, 'f', 3, 64)).Replace(w.line)
		asked, begun := time.Duration(w.ms)*time.Millisecond, time.Now()
		r := k.command(text)
		took := time.Since(begun)
		if !r.IsNull() {
			k.fail("null for what nobody pushes", r.String())
		}
		if took < asked || s.exact() && took >= asked+time.Millisecond {
			k.fail(asked.String()+" of waiting", took.String())
		}
	}
}

// exact says that no time passes but in pauses.
func (s *Server) exact() bool { return s.PauseMax > pauseMax }
