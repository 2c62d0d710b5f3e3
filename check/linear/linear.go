// Package linear decides timed linearizability: whether one order of effects, and one reading of
// the server's clock for each, explain every reply of a recorded history (spec/7-order.md, LIN-1 to
// LIN-9), expiry included.
//
// A history passes through the files in this order:
//
//	linear.go     Check: the verdict over all components, in parallel
//	split.go      the history is cut where keys are independent (LIN-9),
//	component.go  and each operation gets its window of clock ticks (LIN-4)
//	portfolio.go  who searches a component, and for how long
//	search.go     it is laid out for the own search,
//	dfs.go        which goes depth first and remembers what failed (memo.go, several.go),
//	onekey.go     over four integers for one key (compile.go, facts.go, lives.go, instances.go),
//	general.go    and over the model with zones for all else (texts.go):
//	symbolic.go   one operation applied to one configuration, the model run once per feasible branch
//	zone.go       and the arithmetic of "all instants that are still possible"
//	wait.go       an operation that waits is two halves there
//	porcupine.go  the second engine: its state is a set of such configurations
//	frontier.go   a plain breadth-first search, which needs no facts
//	monitor.go    the same while operations arrive: components are cut at quiescent moments,
//	judge.go      the segments judged in the background (segment.go), by a search that carries all
//	walk.go       that is possible from one to the next, also where components meet (unite.go)
//	explain.go    an illegal component is reduced to the few operations that contradict each other,
//	weaken.go     by asking what is still illegal when others may have happened or not,
//	coarse.go     in a simplified form where that is too much to decide,
//	edge.go       and with nothing known of what was before;
//	guess.go      first of operations that are likely;
//	queues.go     and of what is seen without any search;
//	trail.go      the search that answers,
//	fitting.go    and what an order that it finds leaves out
//	sentence.go   the contradiction is put into words, with its numbers and its clause,
//	met.go        with what an operation met of each of its keys,
//	why.go        with what the model answers where an order ends,
//	cycle.go      or the facts about the clock that contradict each other
//	finding.go    and findings of the same kind are put together
//	grade.go      what holds of an illegal history all the same
//	shrink.go     a small history that is illegal for the same reason
//	slack.go      how stale the server's clock must be for a history to be legal
//	power.go      which error of expiry a recording could have shown
//	conviction.go after how many operations it shows what it does
//
// The tests hold a second decision procedure, the definition itself (brute_test.go), which shares
// nothing with these files but the model.
package linear

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"rondo/check/history"
)

// Options bounds the search. The zero value means the defaults below; the clock's profile, slack
// and offset come from the history's Meta.
type Options struct {
	Timeout time.Duration // for the search of one component, and again for its explanation
	Memory  int64         // bytes that all searches together may hold
	// Engine says who decides: Rondo ("" too), Porcupine, or Both, which is an Error where the two
	// disagree. Porcupine has limits of its own, beyond which it says Unknown.
	Engine string
	// OpsMax and ClientsMax are porcupine's: a component with more operations, or with more clients
	// at once (Component.Clients), it does not search.
	OpsMax     int
	ClientsMax int
	// Unbounded lifts all limits of porcupine but the time: for measuring it. It may take all memory.
	Unbounded bool
	faults    faults // the tests' deliberate mistakes of the engine; all off
	off       reductions
	slips     slips
	patience  int64 // failures of a search before it jumps
}

// The engines of Options.
const (
	Rondo     = "rondo"
	Porcupine = "porcupine"
	Both      = "both"
)

// The bounds that apply where Options has zero. Porcupine's search is exponential in the operations
// in flight at once, and the memory of its cache is quadratic in the operations.
const (
	timeoutDefault    = 10 * time.Second
	memoryDefault     = 2 << 30
	opsMaxDefault     = 500
	clientsMaxDefault = 8
)

// Verdict is what can be said of a history or of one component of it.
type Verdict string

const (
	OK      Verdict = "ok"      // some order and some clock readings explain every reply
	Illegal Verdict = "illegal" // none do, whatever the operations of unknown outcome did
	Unknown Verdict = "unknown" // a bound was reached before the question was decided
	Error   Verdict = "error"   // the recording cannot be: it is no evidence about the server
)

// Component is the judgement on one connected component of keys.
type Component struct {
	Keys []string // the keys, sorted; those outside database 0 as "3:key"
	Ops  int
	// Clients is the largest number of connections alive at once. A connection whose reply was lost
	// counts up to its last call: a client that reconnects is still one client.
	Clients int
	Verdict Verdict
	Reason  string // one line: why the verdict is what it is, unless it is ok
	// Of an illegal component: the operations that contradict each other whatever the others did,
	// by call, and what of each matters; the clause they break; the cause, a phrase that many
	// components share; one sentence that says how; one line for each operation; and why they
	// contradict each other: a chain of facts about the clock that ends below where it began, or
	// what the model answers where an order ends. Only the smallest illegal components of a history
	// have them all. If a bound was reached before a contradiction was found, the core is only where
	// the search ended, Unproven, and nothing says why. Texts leave out a hash tag that all keys share; times are ms after Origin.
	Core                    []history.Op
	Unproven                bool // of Core: that its operations contradict each other is not known
	Facts                   []Fact
	Tag                     string
	Origin                  int64
	Clause, Cause, Sentence string
	Steps, Why              []string
	Explained               time.Duration // how long finding all this took
	// Visualization writes porcupine's interactive page of the component. It repeats the search,
	// with its partial results, within the same time limit. Nil if there was no search.
	Visualization func(io.Writer) error
}

// Result is the judgement on a history.
type Result struct {
	Verdict Verdict
	Reason  string // one line, unless the verdict is ok
	// Components is in the order of their first calls. A Monitor's result lists all of them only if
	// they are few; else those that are not ok, up to a bound.
	Components []Component
	Counts     map[Verdict]int // how many components got each verdict
	Findings   []Finding       // of the illegal ones: one for each clause and cause
	Grades     []Grade         // of an illegal history: what holds all the same
	Ops        int             // operations in the history
	Judged     int             // operations that belong to a component
	Unanswered int             // of those: the ones whose reply was lost
	// SomePhase says that the offset of the server's clock was not known, so that ok means: legal
	// for some offset, chosen for each component by itself.
	SomePhase bool
}

// Check judges h. It never returns a wrong Illegal: what it cannot decide within opt is Unknown.
func Check(h *history.History, opt Options) Result {
	res, _ := check(h, opt.withDefaults())
	return res
}

// check also gives the parts that the components were judged from.
func check(h *history.History, opt Options) (Result, []*part) {
	res := Result{Ops: len(h.Ops), SomePhase: h.Meta.Offset == nil}
	if !IsEngine(opt.Engine) {
		res.Verdict, res.Reason = Error, "no engine is called "+opt.Engine
		return res, nil
	}
	if err := h.Validate(); err != nil {
		res.Verdict, res.Reason = Error, err.Error()
		return res, nil
	}
	parts := split(h)
	res.Components = make([]Component, len(parts))
	inParallel(len(parts), func(i int) {
		res.Components[i] = judge(parts[i], opt)
	})
	explainSome(parts, res.Components, opt)
	for _, p := range parts {
		res.Judged += p.ops()
		res.Unanswered += p.unanswered()
	}
	res.Verdict, res.Reason = overall(res.Components)
	res.Findings = findings(res.Components)
	res.Grades = grades(parts, res.Components, opt)
	res.Counts = map[Verdict]int{}
	for _, c := range res.Components {
		res.Counts[c.Verdict]++
	}
	return res, parts
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = timeoutDefault
	}
	if o.Memory <= 0 {
		o.Memory = memoryDefault
	}
	if o.Engine == "" {
		o.Engine = Rondo
	}
	if o.OpsMax <= 0 {
		o.OpsMax = opsMaxDefault
	}
	if o.ClientsMax <= 0 {
		o.ClientsMax = clientsMaxDefault
	}
	if o.patience <= 0 {
		o.patience = failsMin
	}
	if o.Unbounded {
		o.OpsMax, o.ClientsMax = inf, inf
	}
	return o
}

// IsEngine reports whether an engine has that name.
func IsEngine(name string) bool {
	return name == Rondo || name == Porcupine || name == Both
}

// opinion is what one engine says of a component.
type opinion struct {
	verdict Verdict
	reason  string // of unknown and error
}

// judge decides one component.
func judge(p *part, opt Options) Component {
	c := Component{Ops: p.ops(), Clients: p.clients}
	for _, k := range p.keys {
		c.Keys = append(c.Keys, k.String())
	}
	if p.foreign != "" {
		c.Verdict, c.Reason = Unknown, p.foreign+" is not a command that the model decides"
		return c
	}
	if len(p.units) <= opt.OpsMax && p.clients <= opt.ClientsMax {
		c.Visualization = func(w io.Writer) error { return p.visualize(w, opt.Timeout) }
	}
	o := p.opinions(opt)
	c.Verdict, c.Reason = o.verdict, o.reason
	if c.Verdict == Illegal {
		c.Clause, c.Cause = "LIN-3", causeUnknown
		c.Sentence = "no order of effects explains the replies"
	}
	return c
}

// opinions asks the engines that the options name.
func (p *part) opinions(opt Options) opinion {
	switch opt.Engine {
	case Porcupine:
		return p.porcupine(opt)
	case Both:
		return agreed(p.rondo(opt), p.porcupine(opt))
	}
	return p.rondo(opt)
}

// rondo decides the component by the own engine.
func (p *part) rondo(opt Options) opinion {
	started := time.Now()
	out := p.decide(opt)
	if out.verdict == Unknown {
		out.reason = p.undecided(out.moment, opt, time.Since(started))
	}
	p.found = out
	return opinion{out.verdict, out.reason}
}

// undecided says which bound ended a search, and which moment was too hard.
func (p *part) undecided(moment int64, opt Options, took time.Duration) string {
	bound := fmt.Sprintf("within %v", opt.Timeout)
	if took < opt.Timeout*3/4 {
		bound = fmt.Sprintf("in %d MiB of memory", opt.Memory>>20)
	}
	inFlight := 0
	for _, u := range p.units {
		if u.half != collects && u.rec.Call <= moment && moment <= u.rec.Return {
			inFlight++
		}
	}
	return fmt.Sprintf("not decided %s: the search came to %.3f ms after the first of %d operations, "+
		"where %d are in flight", bound, float64(moment-p.units[0].rec.Call)/1e6, p.ops(), inFlight)
}

// agreed is what two engines say together: what either has decided, and an error where both have
// and differ, since one of them is wrong then.
func agreed(rondo, porcupine opinion) opinion {
	switch {
	case rondo.verdict == Unknown && porcupine.verdict == Unknown:
		return opinion{Unknown, rondo.reason + "; " + porcupine.reason}
	case rondo.verdict == Unknown:
		return porcupine
	case porcupine.verdict != Unknown && porcupine.verdict != rondo.verdict:
		return opinion{Error, fmt.Sprintf("the engines disagree: rondo says %s, porcupine %s",
			rondo.verdict, porcupine.verdict)}
	}
	return rondo
}

// overall is the worst verdict of any component: one illegal component convicts the history
// (LIN-9), one undecided one leaves it undecided.
func overall(cs []Component) (Verdict, string) {
	verdict, reason := OK, ""
	rank := map[Verdict]int{OK: 0, Unknown: 1, Illegal: 2, Error: 3}
	for _, c := range cs {
		if rank[c.Verdict] > rank[verdict] {
			verdict, reason = c.Verdict, fmt.Sprintf("keys %v: %s", c.Keys, c.Reason)
		}
	}
	return verdict, reason
}

// inParallel runs f for 0 to n-1 on GOMAXPROCS goroutines. Results are placed by index, so the
// outcome does not depend on the schedule.
func inParallel(n int, f func(i int)) {
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range work {
				f(i)
			}
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
}
