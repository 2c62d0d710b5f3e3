package linear

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"rondo/model"
)

// This file says what still holds of a history that is not linearizable. Each claim is weaker than
// timed linearizability, so that it holds for every component that is legal, and only the illegal
// ones are asked. First their cores: a core that contradicts the weaker claim too breaks it for
// good. Then, for claims that no core breaks, the components, each by a search of its history with
// the rule lifted that the claim lacks.
//
// The claims about sessions speak of what one client alone can notice, time left out: all others may
// have done what they did at any time after they were called, or not at all.

// Grade is a weaker claim about an illegal history: whether it holds is OK, Illegal or Unknown.
type Grade struct {
	Claim   string
	Verdict Verdict
	Reason  string // of illegal and unknown: one line
}

// The bounds of grading.
const (
	gradedMax     = 32     // illegal components; with more, a claim that none of these breaks is unknown
	sessionOpsMax = 5_000  // of a component, the last ones, whose sessions are looked at
	questionsMax  = 400    // searches about sessions of one component
	chunkMax      = 6      // operations of one session looked at together
	gradeRunsMax  = 80_000 // executions of the model for one claim, searches of whole components aside
	staleMsMax    = 60_000 // beyond which a clock is not stale but wrong

	gradeTimeMax = 3 * time.Second // for all of it: whole components are searched, often in vain
)

// claim is one weaker promise. core says whether a core breaks it, whole whether its component does.
type claim struct {
	text        func(n int64) string
	core, whole func(x *explainer, g *grader) Verdict
}

var claims = []claim{
	{func(ms int64) string {
		return fmt.Sprintf("linearizable if the server's clock may be %d ms stale", ms)
	}, (*explainer).staleCore, (*explainer).staleWhole},
	{func(int64) string { return "linearizable but for expiry: keys may live shorter or longer" },
		(*explainer).timelessCore, (*explainer).timelessWhole},
	{func(int64) string { return "each client's own operations keep their order" },
		(*explainer).undecided, func(x *explainer, _ *grader) Verdict { return x.sessions(x.chunks) }},
	{func(int64) string { return "every client reads its own writes" },
		(*explainer).undecided, func(x *explainer, _ *grader) Verdict { return x.sessions(x.ownWrites) }},
	{func(int64) string { return "no client sees a value again after a newer one" },
		(*explainer).undecided, func(x *explainer, _ *grader) Verdict { return x.sessions(x.goingBack) }},
}

// grader grades one history.
type grader struct {
	opt   Options
	asked []*explainer // of illegal components, the smallest first
	all   bool         // these are all of them
	stale atomic.Int64 // ms that explain the cores, and then the components
	until time.Time
}

// grades says what holds of a history with illegal components.
func grades(parts []*part, cs []Component, opt Options) []Grade {
	g := &grader{opt: opt, until: time.Now().Add(min(opt.Timeout, gradeTimeMax))}
	n := 0
	for i := range cs {
		if cs[i].Verdict == Illegal {
			n++
			if len(cs[i].Core) > 0 {
				g.asked = append(g.asked, &explainer{part: parts[i], view: parts[i].core})
			}
		}
	}
	if n == 0 {
		return nil
	}
	slices.SortStableFunc(g.asked, func(a, b *explainer) int {
		return cmp.Compare(len(a.part.units), len(b.part.units))
	})
	g.asked = g.asked[:min(len(g.asked), gradedMax)]
	g.all = len(g.asked) == n
	var out []Grade
	for _, c := range claims {
		out = append(out, g.grade(c))
	}
	return out
}

// grade decides one claim: broken by a core, then by a component, else it holds.
func (g *grader) grade(c claim) Grade {
	worst, left := OK, int64(gradeRunsMax)
	for _, ask := range []func(*explainer, *grader) Verdict{c.core, c.whole} {
		for _, x := range g.asked {
			x.left, x.deadline = left, g.until
			v := ask(x, g)
			left = x.left
			switch {
			case v == Illegal:
				return Grade{c.text(staleMsMax), Illegal, fmt.Sprintf("broken on %v", names(x.part))}
			case v == Unknown:
				worst = Unknown
			}
		}
	}
	if worst == OK && g.all {
		return Grade{Claim: c.text(g.stale.Load()), Verdict: OK}
	}
	return Grade{c.text(g.stale.Load()), Unknown, "not broken as far as was looked"}
}

// undecided: a core alone says nothing about sessions that its component does not say better.
func (x *explainer) undecided(*grader) Verdict { return OK }

// staleCore raises the staleness to what the core needs.
func (x *explainer) staleCore(g *grader) Verdict {
	ms, _ := x.needsStale()
	if ms > staleMsMax {
		return Illegal
	}
	g.stale.Store(max(ms, g.stale.Load()))
	return OK // or not known; the component decides
}

// staleWhole asks whether that is enough for the component, and doubles it where it is not.
func (x *explainer) staleWhole(g *grader) Verdict {
	for ms := g.stale.Load(); ; ms = min(2*ms, staleMsMax) {
		m := &slackMeter{most: ms, opt: g.opt}
		m.opt.Timeout = min(m.opt.Timeout, time.Until(g.until))
		legal := m.legal(x.part, ms)
		switch {
		case m.failed.Load() != nil || time.Until(g.until) <= 0:
			return Unknown
		case legal:
			g.stale.Store(ms)
			return OK
		case ms == staleMsMax:
			return Illegal
		}
	}
}

func (x *explainer) timelessCore(*grader) Verdict {
	v := x.view
	v.allFree = true
	verdict, _ := x.ask(v)
	if verdict == Illegal {
		return Illegal
	}
	return OK // or not known; the component decides
}

// timelessWhole searches the component with time left out.
func (x *explainer) timelessWhole(g *grader) Verdict {
	p := *x.part
	p.units = make([]*unit, len(x.part.units))
	for i, u := range x.part.units {
		c := *u
		c.free, c.lo, c.hi = true, -inf, inf
		p.units[i] = &c
	}
	left := time.Until(g.until)
	if len(p.units) > g.opt.OpsMax || p.clients > g.opt.ClientsMax || p.conns > 64 || left <= 0 {
		return Unknown
	}
	if verdict := p.search().run(left / 2); verdict != Unknown {
		return verdict
	}
	verdict, _ := p.search().frontierRun(left / 2)
	return verdict
}

// sessions asks all questions that find makes of the sessions: sets of operations that must be
// possible together.
func (x *explainer) sessions(find func(own []*unit, ask func(...*unit) bool)) Verdict {
	units := x.part.units
	looked := units[max(0, len(units)-sessionOpsMax):]
	byClient := map[model.Client][]*unit{}
	var clients []model.Client
	for _, u := range looked {
		if byClient[u.client] == nil {
			clients = append(clients, u.client)
		}
		byClient[u.client] = append(byClient[u.client], u)
	}
	verdict, asked := OK, 0
	if len(looked) < len(units) {
		verdict = Unknown
	}
	for _, c := range clients {
		find(byClient[c], func(kept ...*unit) bool {
			if asked++; asked > questionsMax || x.left <= 0 {
				verdict = Unknown
				return false
			}
			switch x.together(kept) {
			case Illegal:
				verdict = Illegal
			case Unknown:
				verdict = Unknown
			}
			return verdict != Illegal
		})
		if verdict == Illegal || asked > questionsMax || x.left <= 0 {
			break
		}
	}
	return verdict
}

// together asks whether these operations contradict each other, time left out, whatever all others
// did.
func (x *explainer) together(kept []*unit) Verdict {
	x.pool, x.end = nil, -inf
	for _, u := range kept {
		if u.lost() {
			return OK
		}
		x.end = max(x.end, u.rec.Return)
	}
	v := x.keep(kept)
	v.allFree = true
	verdict, _ := x.ask(v)
	return verdict
}

// chunks asks about consecutive operations of a client.
func (x *explainer) chunks(own []*unit, ask func(...*unit) bool) {
	for at := 0; at < len(own); at += chunkMax / 2 {
		if !ask(own[at:min(at+chunkMax, len(own))]...) {
			return
		}
	}
}

// ownWrites asks about each read and the client's own last write of the key, unless somebody wrote
// the value later.
func (x *explainer) ownWrites(own []*unit, ask func(...*unit) bool) {
	last := map[string]*unit{}
	for _, u := range own {
		if u.rec.Body != nil || len(u.rec.Cmd) < 2 {
			continue
		}
		name := string(u.rec.Cmd[1])
		if lower(u.rec.Cmd[0]) != "get" || u.lost() {
			if at := valueAt(u.rec.Cmd); at >= 0 && u.plainlyStores(string(u.rec.Cmd[at])) {
				last[name] = u
			}
			continue
		}
		w := last[name]
		if w == nil || w.rec.Return >= u.rec.Call || x.writtenAfter(u.reply, w.rec.Call) {
			continue
		}
		if !ask(w, u) {
			return
		}
	}
}

// goingBack asks about two reads of a client where the second shows what had been written before the
// value of the first was, and was not written again.
func (x *explainer) goingBack(own []*unit, ask func(...*unit) bool) {
	last := map[string]*unit{}
	for _, u := range own {
		if u.rec.Body != nil || lower(u.rec.Cmd[0]) != "get" || u.lost() || u.reply.Kind != model.Bulk {
			continue
		}
		name := string(u.rec.Cmd[1])
		first := last[name]
		last[name] = u
		if first == nil || first.reply.Str == u.reply.Str || first.rec.Return >= u.rec.Call {
			continue
		}
		writers := x.writersOf(first.reply.Str)
		if len(writers) != 1 || x.writtenAfter(u.reply, writers[0].rec.Call) {
			continue
		}
		if !ask(writers[0], first, u) {
			return
		}
	}
}

// writtenAfter: an operation that can have stored the value had not returned by then.
func (x *explainer) writtenAfter(shown *model.Reply, at int64) bool {
	if shown.Kind != model.Bulk {
		return false
	}
	return slices.ContainsFunc(x.writersOf(shown.Str), func(w *unit) bool { return w.rec.Return >= at })
}

// writersOf lists the operations that can have stored a value.
func (x *explainer) writersOf(value string) []*unit {
	if x.writersBy == nil {
		x.writersBy = map[string][]*unit{}
	}
	if w, ok := x.writersBy[value]; ok {
		return w
	}
	var out []*unit
	for _, u := range x.part.units {
		if u.stores(value) {
			out = append(out, u)
		}
	}
	x.writersBy[value] = out
	return out
}
