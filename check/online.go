package check

// This file judges a run while it is recorded, for as long as the run may go on.
//
// The run goes in rounds through the mixes, a stretch of each. A stretch is a recording of its own:
// it measures the target's clock, fills one file of the disk log, and gives its operations to a
// linear.Monitor as they are complete. When its clients have stopped, the next stretch begins, and
// this one is settled in the background: the last verdicts come in, they are added to the tally of
// the mix, and the file is kept or rotated away. What is held at any time is two stretches, the
// tallies with the beginning of a stretch each, and a bounded number of counterexamples. When the run
// is over each mix is measured, once: on that beginning, and on the file of an illegal stretch.

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/report"
	"rondo/check/target"
	"rondo/check/workload"
)

// online is a run that is judged while it goes on.
type online struct {
	opt     Options
	t       *target.Target
	began   time.Time
	until   time.Time
	log     *diskLog
	settled sync.WaitGroup
	slot    chan struct{} // held by the stretch that is being settled

	mu      sync.Mutex // of all below
	tallies []*tally   // by mix
	now     *stretch   // the one that is recorded; nil between two
	ops     int        // of all stretches that have ended
	ended   error      // why the run ended before its time
}

// stretch is one recording. It is the sink of its operations.
type stretch struct {
	number  int
	tally   *tally
	monitor *linear.Monitor
	file    *logFile
	fileErr error // the log was given up: the disk is full, say
	end     context.CancelFunc
	ops     int
	marks   []history.Mark
	first   *history.History // the first operations, up to OnlineSampleOps; nil if the tally has some
}

// tally is what is known of one mix.
type tally struct {
	mix       string
	out       report.History
	stats     workload.Stats
	stretches int
	voided    int // in a row
	voids     int
	faults    int
	counts    map[linear.Verdict]int // of components
	took      time.Duration
	keptFile  bool // out.File is one that was not legal
	fileErr   error
	first     *sample // the beginning of one stretch
	accused   accused
}

// accused are illegal components, up to AccusedMax, of the first stretch that has such ones and is on
// the disk.
type accused struct {
	of   string // what they are
	file string
	keys []string
}

// isOnline says whether the run is judged while it is recorded: it is bounded by time alone.
func (opt Options) isOnline() bool { return opt.Duration > 0 && opt.Ops == 0 }

// runOnline records and judges until the time is up, ctx ends or the harness fails.
func (opt Options) runOnline(ctx context.Context, t *target.Target, mixes []string) ([]report.History, error) {
	log, err := openLog(opt.Dir)
	if err != nil {
		return nil, err
	}
	o := &online{opt: opt, t: t, log: log, began: time.Now(), slot: make(chan struct{}, 1)}
	o.until = o.began.Add(opt.Duration)
	for _, mix := range mixes {
		o.tallies = append(o.tallies, newTally(mix))
	}
	stop := o.showProgress()
	o.rounds(ctx)
	o.settled.Wait()
	stop()
	var out []report.History
	for _, y := range o.tallies {
		if y.stretches+y.voids > 0 || ctx.Err() == nil {
			opt.Progress(historyPrefix+y.mix, "measuring")
			out = append(out, y.report(y.measured(opt)))
		}
	}
	return out, nil
}

// measured measures a mix on parts of its recordings, when the run is over: while it goes on the
// processors are the target's and the judge's.
func (y *tally) measured(opt Options) []report.Figure {
	if opt.Unmeasured || y.first == nil {
		return nil
	}
	var out []report.Figure
	switch {
	case y.counts[linear.Illegal] == 0:
		out = y.first.figures(opt.slackOf(y.first.history, y.out.Verdict))
	case y.accused.file == "":
		out = []report.Figure{holdsAllTheSame("not looked at, since no recording of an illegal stretch is kept")}
	default:
		out = y.accused.measured(opt)
	}
	return append(out, y.first.figures(opt.powerOf(y.first.history))...)
}

// measured reads the file again and judges what was found illegal in it.
func (a *accused) measured(opt Options) []report.Figure {
	h, err := readHistory(filepath.Join(opt.Dir, a.file))
	if err != nil {
		return []report.Figure{holdsAllTheSame("not looked at: " + err.Error())}
	}
	s := &sample{linear.Of(h, a.keys), a.of}
	res := linear.Check(s.history, opt.measuring())
	out := graded(res)
	if res.Verdict != linear.Illegal {
		out = append(out, holdsAllTheSame("unknown: "+res.Reason))
	}
	return s.figures(append(out, opt.slackOf(s.history, report.HistoryIllegal))...)
}

func holdsAllTheSame(text string) report.Figure {
	return report.Figure{Name: "what holds all the same", Value: text, Main: true}
}

// rounds records stretch after stretch. The first ones are short, so that a run that is stopped soon
// has a verdict on every mix.
func (o *online) rounds(ctx context.Context) {
	for n := 1; ; n++ {
		longest := min(StretchMax, o.opt.Duration/time.Duration(len(o.tallies)),
			StretchFirst*time.Duration(n))
		for _, y := range o.tallies {
			left := time.Until(o.until)
			if ctx.Err() != nil || left <= 0 || o.failed() {
				return
			}
			_ = o.t.Revive() // if it does not come back, the stretch says so
			o.record(ctx, n, y, min(left, longest))
		}
	}
}

func (o *online) failed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended != nil
}

// record makes one stretch and leaves it to be settled.
func (o *online) record(ctx context.Context, n int, y *tally, d time.Duration) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	s := &stretch{number: n, tally: y, end: end}
	began := time.Now()
	_, stats, err := workload.Stream(ctx, o.t, workload.Options{
		Clients: o.opt.Clients, Ops: StretchOpsMax, Duration: d, Mix: y.mix, Once: true,
		Fault: o.opt.Fault, FaultEvery: o.opt.FaultEvery, Slack: o.opt.Slack,
		Seed: o.opt.Seed + int64(mixIndex(y.mix)) + int64((n-1)*len(workload.Mixes)),
	}, func(meta history.Meta) (workload.Sink, error) { return s, o.begin(s, meta) })
	took := time.Since(began)
	o.mu.Lock()
	o.now = nil
	o.ops += s.ops
	o.mu.Unlock()
	o.slot <- struct{}{}
	o.settled.Go(func() {
		o.settle(s, stats, took, err)
		<-o.slot
	})
}

// begin opens the file and the judge of a stretch, when its clock is known.
func (o *online) begin(s *stretch, meta history.Meta) error {
	s.file, s.fileErr = o.log.create(s.tally.mix, s.number, meta)
	opt := o.opt.linear()
	opt.Timeout = min(opt.Timeout, OnlineTimeout)
	s.monitor = linear.NewMonitor(meta, opt)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = s
	if s.tally.first == nil {
		s.first = &history.History{Meta: meta}
	}
	return nil
}

// Add judges an operation and writes it down. A log that cannot be written is given up, and the run
// goes on: it is the verdict that counts.
func (s *stretch) Add(op history.Op) error {
	if s.fileErr == nil {
		s.fileErr = s.file.op(&op)
	}
	if s.file.full() {
		s.end()
	}
	s.ops++
	if s.first != nil && len(s.first.Ops) < OnlineSampleOps {
		s.first.Ops = append(s.first.Ops, op)
	}
	return s.monitor.Add(op)
}

// Done closes the components of these keys.
func (s *stretch) Done(keys ...string) { s.monitor.Done(keys...) }

// Mark writes down what was done to the target.
func (s *stretch) Mark(m history.Mark) {
	s.marks = append(s.marks, m)
	if s.fileErr == nil {
		s.fileErr = s.file.mark(m)
	}
}

// settle waits for the last verdicts of a stretch and adds them to its tally.
func (o *online) settle(s *stretch, stats workload.Stats, took time.Duration, err error) {
	y := s.tally
	var res linear.Result
	if s.monitor != nil {
		res = s.monitor.Close()
	}
	if err == nil && res.Verdict == linear.Error {
		err = errors.New(res.Reason)
	}
	void := errors.Is(err, workload.ErrClockStepped)
	keep := res.Verdict != linear.OK || len(stats.Broken) > 0 || err != nil && !void
	name, fileErr := o.log.settle(s.file, keep)
	o.mu.Lock()
	defer o.mu.Unlock()
	y.fileErr = errors.Join(y.fileErr, s.fileErr, fileErr)
	y.took += took
	switch {
	case void && y.voided < StretchVoidsMax:
		y.voided, y.voids = y.voided+1, y.voids+1
		return
	case err != nil:
		o.ended = err
		y.worsen(report.HistoryError, err.Error())
	default:
		y.add(res, stats, s.marks)
		y.sample(s, res, name)
	}
	if name != "" && (keep || !y.keptFile) {
		y.out.File, y.keptFile = name, keep
	}
}

func newTally(mix string) *tally {
	return &tally{mix: mix, counts: map[linear.Verdict]int{}, out: report.History{
		Name: historyPrefix + mix, Verdict: report.HistoryOK}}
}

// add adds the verdict of one stretch. Explanations are kept for as many components as the bound
// says, without what holds on to their operations.
func (y *tally) add(res linear.Result, stats workload.Stats, marks []history.Mark) {
	y.stretches++
	y.voided = 0
	y.stats.Add(stats)
	y.out.Ops += res.Ops
	for verdict, n := range res.Counts {
		y.counts[verdict] += n
		y.out.Components += n
	}
	y.out.Add(report.FromFindings(res.Findings))
	for _, v := range report.FromComponents(res.Components) {
		of := func(o report.Violation) bool { return o.Clause == v.Clause && o.Cause == v.Cause }
		if len(y.out.Violations) < ViolationsMax || !slices.ContainsFunc(y.out.Violations, of) {
			v.Visualization, v.Marks = nil, marks
			y.out.Violations = append(y.out.Violations, v)
		}
	}
	y.faults += len(marks)
	y.out.FaultTally.Count(marks)
	y.out.Faults = append(y.out.Faults, report.FaultsOf(marks)...)
	y.out.Faults = y.out.Faults[:min(len(y.out.Faults), FaultsMax)]
	if res.Verdict != linear.OK {
		y.worsen(string(res.Verdict), res.Reason)
	}
	addBroken(&y.out, stats.Broken)
}

// sample keeps what the mix is measured on later. The operations of a beginning are known as they were
// when the last of them was called.
func (y *tally) sample(s *stretch, res linear.Result, file string) {
	if y.first == nil && s.first != nil && s.ops > 0 {
		last := s.first.Ops[len(s.first.Ops)-1].Call
		y.first = &sample{s.first.Until(last), fmt.Sprintf("the beginning of stretch %d", s.number)}
	}
	if y.accused.file != "" || file == "" || res.Counts[linear.Illegal] == 0 {
		return
	}
	y.accused.file = file
	n := 0
	for _, c := range res.Components {
		if c.Verdict == linear.Illegal && n < AccusedMax {
			n++
			y.accused.keys = append(y.accused.keys, c.Keys...)
		}
	}
	y.accused.of = fmt.Sprintf("%d of %d illegal components of stretch %d", n, res.Counts[linear.Illegal], s.number)
}

// worsen lets a graver verdict replace the one so far: what is broken stays broken, and after it
// counts the harness' own trouble.
func (y *tally) worsen(verdict, reason string) {
	rank := map[string]int{report.HistoryOK: 0, report.HistoryUnknown: 1, report.HistoryError: 2,
		report.HistoryIllegal: 3}
	if rank[verdict] > rank[y.out.Verdict] {
		y.out.Verdict, y.out.Reason = verdict, reason
	}
}

// report is the tally as one history of the report, which begins with what was measured.
func (y *tally) report(measured []report.Figure) report.History {
	out := y.out
	out.Figures = append(out.Figures, measured...)
	out.TookMs = y.took.Milliseconds()
	out.Clients, out.Clauses = y.stats.Clients, y.stats.Clauses()
	if n := y.counts[linear.Illegal]; n > 0 {
		out.Reason = fmt.Sprintf("%d of %d components are illegal", n, out.Components)
	}
	if why := y.stats.Vacuous(); why != "" && out.Verdict == report.HistoryOK {
		out.Verdict, out.Reason = report.HistoryVacuous, why
	}
	for _, f := range y.stats.Figures() {
		out.Figures = append(out.Figures, report.Figure{Name: f.Name, Value: f.Value})
	}
	online := fmt.Sprintf("in %d stretches, %.0f operations a second", y.stretches,
		float64(out.Ops)/max(y.took.Seconds(), 1e-3))
	if y.voids > 0 {
		online += fmt.Sprintf("; %d more are void: the target's clock stepped", y.voids)
	}
	out.Figures = append(out.Figures, report.Figure{Name: "judged while recorded", Value: online})
	if y.faults > 0 {
		out.Figures = append(out.Figures, report.Figure{Name: "faults", Value: strconv.Itoa(y.faults)})
	}
	if y.fileErr != nil {
		out.Figures = append(out.Figures, report.Figure{Name: "log not written", Value: y.fileErr.Error()})
	}
	return out
}

// showProgress says where the run is until the returned function is called.
func (o *online) showProgress() (stop func()) {
	quit, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(ProgressEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				o.opt.Progress(o.where())
			}
		}
	}()
	return func() { close(quit); <-stopped }
}

// where is the state of the run on one line.
func (o *online) where() (stage, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	stage, ops, lag, illegal, unknown := "histories", o.ops, time.Duration(0), 0, 0
	if s := o.now; s != nil {
		stage = historyPrefix + s.tally.mix
		st := s.monitor.Stats()
		ops, lag, illegal, unknown = ops+st.Ops, s.monitor.Lag(), st.Illegal, st.Unknown
	}
	for _, y := range o.tallies {
		illegal, unknown = illegal+y.counts[linear.Illegal], unknown+y.counts[linear.Unknown]
	}
	text = fmt.Sprintf("%d operations, %.0f/s, %v left, judged to %.1f s ago, %d MB", ops,
		float64(ops)/time.Since(o.began).Seconds(), max(0, time.Until(o.until)).Round(time.Second),
		lag.Seconds(), heapMB())
	if illegal > 0 {
		text += fmt.Sprintf(", %d illegal", illegal)
	}
	if unknown > 0 {
		text += fmt.Sprintf(", %d unknown", unknown)
	}
	return stage, text
}

// heapMB is what the heap holds, in MiB.
func heapMB() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc >> 20
}
