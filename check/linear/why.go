package linear

import (
	"fmt"
	"slices"
	"strings"

	"rondo/model"
)

// This file shows why no order of a core is possible: the longest orders that are, what the state
// is behind them, and for each operation that is left why it cannot be next. Time is left out here;
// where the clock is what contradicts, cycle.go says how.

// table lists the longest possible orders of the core and why each ends.
func (x *explainer) table(v view) []string {
	v.allFree = true
	runs := min(x.left, askRunsMax)
	if runs <= 0 {
		return nil
	}
	t := x.part.trail(v, runs)
	verdict := t.run()
	x.left -= t.engine.runs
	if verdict != Illegal {
		return nil
	}
	var out []string
	for _, s := range t.far {
		if lines := x.dead(t, s); len(lines) > len(out) || !slices.Equal(lines, out[:len(lines)]) {
			out = append(out, lines...)
		}
	}
	return out
}

// dead describes one order that ends too early.
func (x *explainer) dead(t *trail, s *step) []string {
	out := []string{"after " + x.orderSoFar(s) + ": " + x.stateOf(t, s)}
	until := t.until(s.done)
	for i, u := range t.kept {
		if s.done>>i&1 == 1 {
			continue
		}
		why := ""
		switch {
		case u.rec.Call > until:
			why = "was called only after " + x.first(t, s.done) + " had returned"
		case t.after[i] >= 0 && s.done>>t.after[i]&1 == 0:
			why = "was sent behind " + x.plain(command(t.kept[t.after[i]].rec))
		default:
			why = x.plain("would " + x.wouldAnswer(t, s, u) + "; observed " + observedReply(u))
		}
		out = append(out, "  "+x.plain(command(u.rec))+" "+why)
	}
	return out
}

func observedReply(u *unit) string {
	if u.lost() {
		return "nothing"
	}
	return u.rec.Reply.String()
}

// orderSoFar names the operations on the way to s.
func (x *explainer) orderSoFar(s *step) string {
	var names []string
	for _, p := range s.path()[1:] {
		name := x.plain(describe(p.unit.rec))
		switch {
		case p.unit.half == collects && p.key == p.from.key:
			continue // it was over
		case p.unit.half == collects:
			name = "the end of the time of " + x.plain(command(p.unit.rec))
		case p.state.Waiting(p.unit.client):
			name = x.plain(command(p.unit.rec)) + ", which waits"
		}
		if p.weak != nil {
			name = "perhaps " + name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", then ")
}

// first is the operation whose return comes first among those left.
func (x *explainer) first(t *trail, done uint64) string {
	until := t.until(done)
	for i, u := range t.kept {
		if done>>i&1 == 0 && u.rec.Return == until {
			return x.plain(command(u.rec))
		}
	}
	return "the others"
}

// stateOf puts the state in one line; the instants of deadlines, which are left out here, as "?".
func (x *explainer) stateOf(t *trail, s *step) string {
	var parts []string
	text := s.state.WithInstants(func(int) model.Instant { return model.Instant{Var: 1} }).Describe()
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		line = encodings.Replace(strings.ReplaceAll(line, "deadline t1", "with a deadline"))
		line = nameAny(line)
		parts = append(parts, line)
	}
	if t.edge != nil {
		for i, k := range x.part.keys {
			if s.used[t.counted+i] == 1 {
				parts = append(parts, k.String()+" may hold anything")
			}
		}
		if len(parts) > 1 && parts[0] == "no keys" {
			parts = parts[1:]
		}
	}
	return x.plain(strings.Join(parts, "; "))
}

// encodings hides how values are stored.
var encodings = strings.NewReplacer(" (int)", "", " (embstr)", "", " (raw)", "")

// nameAny puts the value that stands for all others into words, as it is written in replies and states.
func nameAny(text string) string {
	return strings.ReplaceAll(text, model.Str(anyValue).String(), "any value")
}

// wouldAnswer says what the model does about u in the state of s.
func (x *explainer) wouldAnswer(t *trail, s *step, u *unit) string {
	asked := *u
	var answers []string
	asked.told = func(r model.Reply, _ *zone) {
		text := nameAny(r.String())
		if r.Kind == model.DiffTerm || r.Kind == model.TimeTerm {
			text = "a time"
		}
		if !slices.Contains(answers, text) {
			answers = append(answers, text)
		}
	}
	t.engine.gaveUp.Store(false)
	t.engine.runsMax = t.engine.runs + 1_000
	t.apply(s.config, &asked)
	switch {
	case len(answers) == 0 && u.half != whole:
		return "wait"
	case len(answers) == 0:
		return "answer nothing"
	case len(answers) > 3:
		return fmt.Sprintf("answer %s or one of %d others", strings.Join(answers[:2], ", "), len(answers)-2)
	}
	return "answer " + strings.Join(answers, " or ")
}
