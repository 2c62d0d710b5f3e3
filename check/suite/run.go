package suite

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/spec"
)

// RunOptions of Run.
type RunOptions struct {
	Context  context.Context // ends the run when done; nil: never
	Parallel int             // how many cases run side by side; 0: a default
	Seed     int64           // every random choice derives from it
	As       string          // one of spec.Baselines; "": the first
	Progress func(Result)
	// Stop, if set, is asked after each result; true ends the run: cases not begun are not run.
	Stop func(Result) bool
}

// Run runs the cases and returns their results in the order of the cases. Progress is called as
// results come, one at a time, and so is Stop.
func Run(t *target.Target, cases []Case, opt RunOptions) []Result {
	r := &runner{target: t, opt: opt, results: make([]Result, len(cases)),
		id: strconv.FormatInt(time.Now().UnixNano(), 36)}
	if r.opt.Context == nil {
		r.opt.Context = context.Background()
	}
	if r.opt.Parallel <= 0 {
		r.opt.Parallel = parallelDefault
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.opt.Parallel)
	for i, c := range cases {
		if c.Exclusive {
			r.alone = append(r.alone, i)
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			r.run(i, c, true)
			<-slots
		})
	}
	wg.Wait()
	slices.Sort(r.alone)
	for _, i := range r.alone {
		_ = t.Revive() // if it does not come back, the case says so
		r.run(i, cases[i], false)
	}
	r.nameCandidates()
	return r.results
}

type runner struct {
	target  *target.Target
	opt     RunOptions
	id      string // makes key names fresh; nothing else depends on it
	results []Result
	alone   []int // cases to run one at a time
	left    departed
	mu      sync.Mutex // of Progress, Stop, alone and left
	stopped atomic.Bool
}

// run runs one case. A server that ends takes down all cases that run beside each other; those, and
// the ones that find it gone, run again alone, each on a server that lives, so that the blame falls
// on the case that has it. So do those that got no reply in time, since a server that one client holds
// up leaves all others waiting, and those that were late themselves.
func (r *runner) run(i int, c Case, beside bool) {
	start := time.Now()
	res := Result{Name: c.Name, Clauses: c.Clauses, Verdict: Pass, Replay: r.replay(c.Name)}
	if r.stopped.Load() || r.opt.Context.Err() != nil {
		res.Verdict, res.Reason = NotRun, "the run was stopped before it"
		r.results[i] = res
		return
	}
	if how := r.gone(); how != "" {
		res = lostServer(res, how)
	} else if why := unmet(r.target, c); why != "" {
		res.Verdict, res.Reason = Skip, why
	} else {
		res = r.hold(i, c, res)
	}
	if beside && (res.Verdict == Fail || res.Verdict == Error) && (r.target.Ended() != "" || heldUp(res)) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.alone = append(r.alone, i)
		return
	}
	res.Took = time.Since(start)
	r.results[i] = res
	r.tell(res)
}

// heldUp says whether a failure is that something did not come, or was asked for too late.
func heldUp(res Result) bool {
	return res.late || strings.Contains(res.Actual, wire.ErrTimeout.Error()) ||
		strings.Contains(res.Reason, wire.ErrTimeout.Error())
}

// cutShort says whether a failure is one that the end of the server leads to.
func cutShort(res Result) bool {
	for _, text := range []string{wire.ErrClosed.Error(), wire.ErrTimeout.Error(), "connect"} {
		if strings.Contains(res.Actual, text) || strings.Contains(res.Reason, text) {
			return true
		}
	}
	return false
}

func (r *runner) tell(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opt.Progress != nil {
		r.opt.Progress(res)
	}
	if r.opt.Stop != nil && r.opt.Stop(res) {
		r.stopped.Store(true)
	}
}

func (r *runner) replay(name string) string {
	words := []string{"rondo-check run", "'" + name + "'"}
	if flags := r.target.Flags(); flags != "" {
		words = append(words, flags)
	}
	if r.opt.As != "" {
		words = append(words, "-as", r.opt.As)
	}
	return strings.Join(append(words, "-seed", strconv.FormatInt(r.opt.Seed, 10)), " ")
}

// hold runs the case with a bound on its time. A case that does not end is cut off from the
// server, which ends it; what it then says is not believed.
func (r *runner) hold(i int, c Case, res Result) Result {
	if how := r.target.Ended(); how != "" {
		res.Verdict, res.Reason = Error, "not run: the server has ended: "+how
		return res
	}
	t := newT(r.target, c, target.KeyPrefix+r.target.Tag(fmt.Sprintf("%s:%d", r.id, i)), r.seed(c.Name), res)
	t.as = r.opt.As
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.end()
		defer t.recover()
		c.Run(t)
	}()
	select {
	case <-done:
	case <-time.After(caseTimeout):
		t.cutOff()
		<-done
		t.result.Verdict = Error
		t.result.Reason = fmt.Sprintf("the case did not end within %v", caseTimeout)
	case <-r.opt.Context.Done():
		t.cutOff()
		select { // give it time to put settings back
		case <-done:
		case <-time.After(stopGrace):
		}
		res.Verdict, res.Reason = NotRun, "the run was stopped before its end"
		return res
	}
	return r.blameEnd(i, t.result, len(t.conns) > 0 || !t.unreached)
}

// seed makes each case's random numbers a function of the run's seed and its own name, so that a
// case run alone sees the same ones.
func (r *runner) seed(name string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", r.opt.Seed, name)
	return rand.New(rand.NewSource(int64(h.Sum64())))
}

// blameEnd explains a failure during which the server itself ended.
func (r *runner) blameEnd(i int, res Result, connected bool) Result {
	if res.Verdict != Error && res.Verdict != Fail {
		return res
	}
	if !r.target.Started() {
		return r.blameDeparture(i, res, connected)
	}
	if how := r.target.Ended(); how == "" && !cutShort(res) {
		return res
	}
	select { // its connections end a little before the process does
	case <-r.target.Done():
		res.Verdict = Fail
		res.Reason = "the server ended while this case ran: " + r.target.Ended()
	case <-time.After(endGrace):
	}
	return res
}

// unmet says what the target lacks for a case; "" if nothing.
func unmet(t *target.Target, c Case) string {
	caps := t.Caps()
	if c.disturbs() && !caps.Owned {
		return "it changes settings of the whole server or holds it up: -flush allows that"
	}
	for _, need := range c.Needs {
		switch need {
		case "exclusive", "empty-db": // the runner's and the case's own business
		case "resp3":
			if !caps.RESP3 {
				return "the target does not speak RESP3"
			}
		case "debug":
			if !caps.Debug {
				return "DEBUG is not allowed here (enable-debug-command)"
			}
		case "config":
			if !caps.ConfigSet {
				return "the target has no CONFIG SET"
			}
		case "databases":
			if caps.Databases < 2 || t.Access().DB != 0 {
				return "it uses several databases, and the target has one, or -db names it"
			}
		case "signing-in":
			if t.Access().SignsIn() {
				return "it is about signing in, which -user and -pass do on every connection"
			}
		case "started":
			if !t.Started() {
				return "needs a server that the judge starts itself (-exec)"
			}
		default:
			if !caps.Has(need) {
				return fmt.Sprintf("the target does not know, or allow, %s",
					strings.ToUpper(strings.ReplaceAll(need, "|", " ")))
			}
		}
	}
	return ""
}

// disturbs tells the cases that clients of others would notice.
func (c Case) disturbs() bool {
	return c.Exclusive && (slices.Contains(c.Needs, "config") || slices.Contains(c.Needs, "debug"))
}

// level is the strongest level among clauses, for a target held to a baseline.
func level(clauses []string, as string) spec.Level {
	levels := make([]spec.Level, 0, len(clauses))
	for _, id := range clauses {
		c, ok := spec.Lookup(id)
		if !ok {
			return spec.Must // the tidy test finds unknown clauses; be strict meanwhile
		}
		levels = append(levels, c.LevelAs(as))
	}
	switch {
	case len(levels) == 0 || slices.Contains(levels, spec.Must):
		return spec.Must
	case slices.Contains(levels, spec.Should):
		return spec.Should
	}
	return spec.May
}

// recover turns the end of a case into its result: abort was a decision, all else is a bug.
func (t *T) recover() {
	switch p := recover().(type) {
	case nil, abort:
	default:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.ended = true
		t.result.Verdict = Error
		t.result.Reason = fmt.Sprintf("the case itself broke: %v\n%s", p, debug.Stack())
	}
}
