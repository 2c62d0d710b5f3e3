package model

// Accept tells whether the model allows an observed reply when the clock reads ms: it runs the
// command once for every choice of the server that the reply does not rule out. next is the state
// after it; want is what the model allows, or one of several things it allows, for messages.
func Accept(ms int64, s State, from Client, cmd [][]byte, observed Reply) (
	next State, want Reply, ok bool,
) {
	seen := map[string]bool{}
	collect(observed, seen)
	env := &trial{Concrete: Concrete{Ms: ms}, seen: seen}
	next = s
	for range trialsMax {
		env.Rejected, env.at = false, 0
		state, outs := Step(env, s, from, cmd)
		if len(outs) == 0 {
			return state, Reply{}, false
		}
		if !env.Rejected {
			next, want = state, outs[0].Msg
			if Match(want, observed, Between) {
				return next, want, true
			}
		}
		if !env.advance() {
			return next, want, false
		}
	}
	return next, want, true // too many to try: the benefit of the doubt
}

// trialsMax bounds the runs; only an EXEC with many RANDOMKEYs comes near it.
const trialsMax = 100_000

// trial is a concrete Env that takes the choices of a script, and prolongs it with 0. The next
// script is the next in the order of an odometer, so all are tried.
type trial struct {
	Concrete
	seen   map[string]bool // the bulk strings of the observed reply
	at     int
	script []choice
}

type choice struct{ taken, of int }

func (t *trial) Choose(n int, label func(int) string) int {
	var options []int
	for i := range n {
		name := ""
		if label != nil {
			name = label(i)
		}
		if name == "" || t.seen[name] {
			options = append(options, i)
		}
	}
	if len(options) == 0 {
		t.Reject()
		return 0
	}
	if t.at == len(t.script) {
		t.script = append(t.script, choice{of: len(options)})
	}
	t.at++
	return options[t.script[t.at-1].taken]
}

// advance moves to the next script; false if there is none.
func (t *trial) advance() bool {
	t.script = t.script[:t.at]
	for len(t.script) > 0 {
		last := &t.script[len(t.script)-1]
		if last.taken++; last.taken < last.of {
			return true
		}
		t.script = t.script[:len(t.script)-1]
	}
	return false
}

func collect(r Reply, into map[string]bool) {
	if r.Kind == Bulk {
		into[r.Str] = true
	}
	for _, e := range r.Elems {
		collect(e, into)
	}
}
