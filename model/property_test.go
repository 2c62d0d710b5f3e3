package model_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"rondo/model"
)

// move is one event of a random program: some time passes, then a connection sends a line.
type move struct {
	after  int64 // ms
	client model.Client
	line   [][]byte
}

func (m move) String() string { return fmt.Sprintf("+%d %d> %q", m.after, m.client, m.line) }

// drawMove draws from few keys, values and times, so that programs meet the same states again.
func drawMove(t *rapid.T) move {
	key, value := rapid.SampledFrom([]string{"a", "b"}), rapid.SampledFrom([]string{"1", "x"})
	time := rapid.SampledFrom([]string{"1", "2", "5", "1700000000003"})
	flag := rapid.SampledFrom([]string{"nx", "xx", "gt", "lt"})
	words := map[string]func() string{
		"k": func() string { return key.Draw(t, "key") },
		"v": func() string { return value.Draw(t, "value") },
		"t": func() string { return time.Draw(t, "time") },
		"f": func() string { return flag.Draw(t, "flag") },
	}
	form := rapid.SampledFrom([][]string{
		{"set", "k", "v"}, {"set", "k", "v", "px", "t"}, {"set", "k", "v", "f"},
		{"set", "k", "v", "keepttl", "get"}, {"set", "k", "v", "pxat", "t"}, {"get", "k"},
		{"getex", "k", "px", "t"}, {"getex", "k", "persist"}, {"getdel", "k"},
		{"append", "k", "v"}, {"incr", "k"}, {"mget", "k", "k"}, {"msetnx", "k", "v", "k", "v"},
		{"del", "k"}, {"exists", "k", "k"}, {"rename", "k", "k"}, {"copy", "k", "k", "replace"},
		{"copy", "k", "k", "db", "1"}, {"move", "k", "1"}, {"object", "encoding", "k"},
		{"pexpire", "k", "t"}, {"pexpire", "k", "t", "f"}, {"pexpireat", "k", "t"},
		{"persist", "k"}, {"ttl", "k"}, {"pttl", "k"}, {"pexpiretime", "k"}, {"time"},
		{"keys", "*"}, {"scan", "0"},
		{"randomkey"}, {"dbsize"}, {"flushdb"}, {"select", "0"}, {"select", "1"},
		{"multi"}, {"exec"}, {"exec"}, {"discard"}, {"watch", "k"}, {"watch", "k"}, {"unwatch"},
		{"reset"}, {"client", "setname", "v"}, {"hello", "3"}, {"nosuch"},
	}).Draw(t, "form")
	m := move{
		after:  rapid.SampledFrom([]int64{0, 0, 0, 1, 2}).Draw(t, "after"),
		client: model.Client(rapid.IntRange(1, 2).Draw(t, "client")),
	}
	for _, word := range form {
		if draw := words[word]; draw != nil {
			word = draw()
		}
		m.line = append(m.line, []byte(word))
	}
	return m
}

func drawProgram(t *rapid.T) []move {
	return rapid.SliceOfN(rapid.Custom(drawMove), 0, 30).Draw(t, "program")
}

const start = 1_700_000_000_000

func fingerprint(s model.State) string {
	return fmt.Sprintf("%q %v", s.Shape(nil), s.Instants(nil))
}

// TestStepKeepsItsInput: states are immutable, whatever is done with them or with what came after.
func TestStepKeepsItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			state model.State
			was   string
		}
		var versions []version
		ms, s := int64(start), model.Initial(model.Options{})
		for _, m := range drawProgram(t) {
			ms += m.after
			versions = append(versions, version{s, fingerprint(s) + s.Describe()})
			model.Sweep(s, func(at model.Instant) bool { return at.Off < ms })
			model.Close(s, m.client)
			s, _ = answer(ms, s, m.client, m.line)
			for _, arg := range m.line { // a server reuses its buffers
				clear(arg)
			}
		}
		for i, v := range versions {
			if now := fingerprint(v.state) + v.state.Describe(); now != v.was {
				t.Fatalf("state %d was\n%s\nand is\n%s", i, v.was, now)
			}
		}
	})
}

// TestShapeDecides: equal Shape and equal Instants mean equal replies from there on.
func TestShapeDecides(t *testing.T) {
	met := 0
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]model.State{}
		ms := int64(start)
		for range 2 {
			s := model.Initial(model.Options{})
			for _, m := range drawProgram(t) {
				s, _ = answer(ms, s, m.client, m.line)
				twin, ok := seen[fingerprint(s)]
				seen[fingerprint(s)] = s
				if ok {
					met++
					sameReplies(t, ms, s, twin, drawProgram(t))
				}
			}
		}
	})
	if met < 20 {
		t.Errorf("only %d states were met twice", met)
	}
}

func sameReplies(t *rapid.T, ms int64, a, b model.State, program []move) {
	for _, m := range program {
		var outsA, outsB []model.Out
		ms += m.after
		a, outsA = answer(ms, a, m.client, m.line)
		b, outsB = answer(ms, b, m.client, m.line)
		if fmt.Sprint(outsA) != fmt.Sprint(outsB) || fingerprint(a) != fingerprint(b) {
			t.Fatalf("%v: %v %s\nor %v %s", m, outsA, fingerprint(a), outsB, fingerprint(b))
		}
	}
}

// TestSweepIsInvisible: dropping what is surely expired changes no reply, those of watching
// connections included.
func TestSweepIsInvisible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := int64(start)
		plain := model.Initial(model.Options{})
		swept := plain
		for _, m := range drawProgram(t) {
			ms += m.after
			swept = model.Sweep(swept, func(at model.Instant) bool { return at.Off < ms })
			var outs, outsSwept []model.Out
			plain, outs = answer(ms, plain, m.client, m.line)
			swept, outsSwept = answer(ms, swept, m.client, m.line)
			if fmt.Sprint(outs) != fmt.Sprint(outsSwept) {
				t.Fatalf("%v: %v, after a sweep %v", m, outs, outsSwept)
			}
		}
	})
}

// renamed is a clock whose instants are variables: the meaning of variable 1+i is at[i].
type renamed struct {
	model.Concrete
	at []int64
}

func (r *renamed) value(t model.Instant) int64 {
	if t.Var == 0 {
		return t.Off
	}
	return r.at[t.Var-1] + t.Off
}

func (r *renamed) Before(a, b model.Instant) bool { return r.value(a) < r.value(b) }

func (r *renamed) Now() model.Instant  { return model.Instant{Var: 1} }
func (r *renamed) Read() model.Instant { return model.Instant{Var: 1} }

func (r *renamed) between(a, b model.Instant, lo, hi int64) bool {
	d := r.value(a) - r.value(b)
	return lo <= d && d <= hi
}

// TestInstantsAreOpaque: a state whose instants are variables of another clock behaves like the
// concrete one, and renaming back gives the same state.
func TestInstantsAreOpaque(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms, s := int64(start), model.Initial(model.Options{})
		for _, m := range drawProgram(t) {
			ms += m.after
			env := &renamed{at: []int64{ms}}
			for _, at := range s.Instants(nil) {
				env.at = append(env.at, at.Off-7)
			}
			other := s.WithInstants(func(slot int) model.Instant {
				return model.Instant{Var: uint16(2 + slot), Off: 7}
			})
			back := other.WithInstants(func(i int) model.Instant { return s.Instants(nil)[i] })
			if fingerprint(back) != fingerprint(s) {
				t.Fatalf("%s became %s", fingerprint(s), fingerprint(back))
			}
			next, outs := model.Step(&model.Concrete{Ms: ms}, s, m.client, m.line)
			otherNext, otherOuts := model.Step(env, other, m.client, m.line)
			for i, out := range outs {
				if want := model.Fix(out.Msg); !model.Match(otherOuts[i].Msg, want, env.between) {
					t.Fatalf("%v: %v, renamed %v", m, want, otherOuts[i].Msg)
				}
			}
			otherNext = otherNext.WithInstants(func(i int) model.Instant {
				return model.At(env.value(otherNext.Instants(nil)[i]))
			})
			if fingerprint(next) != fingerprint(otherNext) {
				t.Fatalf("%v: %s, renamed %s", m, fingerprint(next), fingerprint(otherNext))
			}
			s = next
		}
	})
}

// TestAcceptAllowsEveryChoice: whatever alternative a server takes, Accept finds it, and refuses a
// reply that no alternative gives.
func TestAcceptAllowsEveryChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms, s := int64(start), model.Initial(model.Options{})
		for _, m := range drawProgram(t) {
			ms += m.after
			pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
			env := &model.Concrete{Ms: ms, Pick: pick}
			next, outs := model.Step(env, s, m.client, m.line)
			if env.Rejected || len(outs) == 0 {
				continue
			}
			reply := model.Fix(outs[0].Msg)
			got, want, ok := model.Accept(ms, s, m.client, m.line, reply)
			if !ok || fingerprint(got) != fingerprint(next) {
				t.Fatalf("%v: %v is refused, %v wanted", m, reply, want)
			}
			if _, want, ok = model.Accept(ms, s, m.client, m.line, model.Str("no such reply")); ok {
				t.Fatalf("%v: anything is accepted, by %v", m, want)
			}
			s = next
		}
	})
}
