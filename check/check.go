// Package check is the facade of the judge: one call runs the suite and the concurrent histories
// against a target and returns the report. Another project's tests call it like the example of Run
// does; the names in this package's documentation are what such a test may rely on, together with
// target.At, Open and Exec, and the fields of report.Run.
//
//	Run       the suite, then a recorded and judged history for each mix, as one report.Run
//	Recheck   recorded histories, judged again
//	Mutants   the check of the checkers: every seeded fault must be convicted by the normal run
//	Write     a report folder: index.html, report.json, junit.xml, the histories
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/check/history/foreign"
	"rondo/check/linear"
	"rondo/check/report"
	"rondo/check/rhythm"
	"rondo/check/suite"
	"rondo/check/target"
	"rondo/check/workload"
	"rondo/spec"
)

// Version is the version of rondo-check.
const Version = "0.1.0"

// Options say what a run does. Zero values take the defaults below.
type Options struct {
	Patterns []string      // names, wildcards, clauses; none: everything
	Clients  int           // concurrent connections of the histories
	Ops      int           // operations of all histories together; see Duration
	Duration time.Duration // bound of all recordings together; without Ops the run is judged online
	Dir      string        // the report's folder, for the disk log of a run that is judged online
	Power    bool          // first make the same run against every mutant
	Seed     int64
	Quick    bool          // brief conversations and short histories: some seconds
	As       string        // the baseline the target is held to, one of spec.Baselines; "": the first
	Engine   string        // who decides histories, see linear.Options
	Timeout  time.Duration // of the search of one component
	// Unmeasured leaves out how stale the target's clock is and what error the run would have seen.
	Unmeasured bool
	// Detect adds to the report what the judge sees of seeded bugs in simulated histories.
	Detect bool
	// Rhythm, which takes the target's data, adds how long others wait while it does long work.
	Rhythm *rhythm.Options
	// Unbounded lifts porcupine's limits, see linear.Options.
	Unbounded bool
	Command   string                   // the command line, for the report
	Progress  func(stage, text string) // text "" only names the stage; called on one goroutine

	// Fault is a shell command that does something to the target while it is recorded, FaultEvery the
	// pause between two faults.
	Fault      string
	FaultEvery time.Duration

	// What is known of the target's clock: by how much its readings may be old, and its profile where
	// the one that goes with its version is not right (history.Frozen, history.Live).
	Slack   time.Duration
	Profile string
}

// The defaults make a run that fits a minute on two cores.
const (
	ClientsDefault = 16
	OpsDefault     = 24_000
	quickOps       = 5000             // enough that no mix is vacuous
	searchTimeout  = 20 * time.Second // of one component
)

// HistoryCases are the histories as cases without a body, so that they can be listed and selected
// by the same patterns as the suite's.
func HistoryCases() []suite.Case {
	clauses := []string{"LIN-1", "LIN-2", "LIN-3", "LIN-4", "LIN-5", "LIN-6", "LIN-7", "LIN-8", "TIME-5"}
	var cases []suite.Case
	for _, mix := range workload.Mixes {
		shown := clauses
		if mix.Name == "queue" {
			shown = append(slices.Clip(clauses), "BLOCK-3", "BLOCK-4", "BLOCK-5", "BLOCK-7")
		}
		cases = append(cases, suite.Case{Name: historyPrefix + mix.Name, Clauses: shown})
	}
	return cases
}

const (
	historyPrefix = "history/"
	historyFolder = "histories" // in the report's folder
)

// Select resolves patterns over the suite and the histories. A pattern that selects nothing is an
// error.
func Select(patterns []string) (cases []suite.Case, mixes []string, err error) {
	selected, err := suite.Select(append(suite.Cases(), HistoryCases()...), patterns)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range selected {
		if mix, ok := strings.CutPrefix(c.Name, historyPrefix); ok {
			mixes = append(mixes, mix)
		} else {
			cases = append(cases, c)
		}
	}
	return cases, mixes, nil
}

// Report is what a run found, together with what it recorded.
type Report struct {
	*report.Run
	Recordings *Recordings
}

// Write fills dir with the report.
func (r *Report) Write(dir string) error { return Write(r.Run, r.Recordings, dir) }

// Run judges t. The error is about the options; what went wrong on the way is in the report.
func Run(ctx context.Context, t *target.Target, opt Options) (*Report, error) {
	if t == nil {
		return nil, errors.New("there is no target to judge: take one from target.At, Open or Exec")
	}
	r, recordings, err := opt.withDefaults().run(ctx, t)
	if err != nil {
		return nil, err
	}
	return &Report{r, recordings}, nil
}

func (opt Options) run(ctx context.Context, t *target.Target) (*report.Run, *Recordings, error) {
	cases, mixes, err := Select(opt.Patterns)
	if err != nil {
		return nil, nil, err
	}
	mixes = opt.without(t, mixes)
	if spec.FrozenAs(opt.As) {
		t.Caps().Profile = history.Frozen
	}
	if opt.Profile != "" {
		t.Caps().Profile = opt.Profile
	}
	if opt.Quick {
		cases = slices.DeleteFunc(slices.Clone(cases), func(c suite.Case) bool { return !c.Quick() })
	}
	started := time.Now()
	r := &report.Run{
		Version: report.FormatVersion, Tool: "rondo-check " + Version, Command: opt.Command,
		Seed: opt.Seed, As: opt.As, Started: started, Fault: opt.Fault,
		Target: report.Target{Name: t.Name(), Addr: t.Addr(), Profile: t.Caps().Profile},
	}
	if opt.Power {
		if r.Power, err = opt.power(ctx); err != nil && ctx.Err() == nil {
			return nil, nil, err
		}
	}
	if len(cases) > 0 {
		opt.Progress(fmt.Sprintf("suite: %d cases", len(cases)), "")
	}
	done := 0
	brief := &brevity{on: opt.Quick, since: started}
	results := suite.Run(t, cases, suite.RunOptions{Context: ctx, Seed: opt.Seed, As: opt.As, Progress: func(res suite.Result) {
		done++
		opt.Progress("suite", progressLine(done, len(cases), res))
	}, Stop: func(res suite.Result) bool { return brief.over(res.Verdict == suite.Fail) }})
	for _, res := range results {
		if res.Verdict == suite.NotRun && brief.ended {
			res.Reason = brevityOver
		}
		r.Cases = append(r.Cases, report.FromCase(res))
	}
	recordings := &Recordings{}
	if r.Histories, err = opt.histories(ctx, t, mixes, brief, recordings); err != nil {
		return nil, nil, err
	}
	if ctx.Err() != nil {
		r.Stopped = fmt.Sprintf("stopped after %v", time.Since(started).Round(time.Second))
	} else if brief.ended {
		r.Stopped = fmt.Sprintf("ended by -quick after %v", time.Since(started).Round(time.Second))
	}
	if opt.Detect && ctx.Err() == nil {
		opt.Progress("detection of seeded bugs", "")
		if r.Detection, err = Detect(ctx, opt.detection()); err != nil && ctx.Err() == nil {
			return nil, nil, err
		}
	}
	if opt.Rhythm != nil && ctx.Err() == nil {
		opt.Progress("rhythm", "")
		_ = t.Revive() // if a case ended the server
		opt.Rhythm.Progress = opt.Progress
		if r.Rhythm, err = rhythm.Run(ctx, []rhythm.Server{{Name: t.Name(), Target: t}}, *opt.Rhythm); err != nil {
			return nil, nil, err
		}
	}
	r.TookMs = time.Since(started).Milliseconds()
	r.TabulateClauses()
	return r, recordings, nil
}

// without leaves out the history of what the target has not, unless it is asked for; that there are no
// lists, the skipped cases say.
func (opt Options) without(t *target.Target, mixes []string) []string {
	if len(opt.Patterns) > 0 || t.Caps().Has("blpop") {
		return mixes
	}
	return slices.DeleteFunc(slices.Clone(mixes), func(mix string) bool { return mix == "queue" })
}

// histories records and judges the mixes, as far as ctx lets them; the others are listed as not run.
func (opt Options) histories(ctx context.Context, t *target.Target, mixes []string, brief *brevity,
	rec *Recordings) (out []report.History, err error) {

	rest := "the run was stopped before it"
	switch gone := opt.gone(t); {
	case gone != "":
		rest = gone
	case opt.isOnline() && len(mixes) > 0:
		out, err = opt.runOnline(ctx, t, mixes)
	default:
		for _, mix := range mixes {
			if gone = opt.gone(t); ctx.Err() != nil || gone != "" {
				rest = cmp.Or(gone, rest)
				break
			}
			broken := slices.ContainsFunc(out, func(h report.History) bool { return h.Verdict == report.HistoryIllegal })
			if brief.over(broken) {
				rest = brevityOver
				break
			}
			opt.Progress("history "+mix, "")
			_ = t.Revive() // if a case ended the server, and it does not come back, the history says so
			out = append(out, opt.history(ctx, t, mix, len(mixes), rec))
		}
	}
	for _, mix := range mixes {
		name := historyPrefix + mix
		if err == nil && !slices.ContainsFunc(out, func(h report.History) bool { return h.Name == name }) {
			out = append(out, report.History{Name: name, Verdict: report.NotRun, Reason: rest})
		}
	}
	return out, err
}

// brevity ends a -quick run of a server that is broken already: to wait for replies that do not come
// and to explain one history after the other would take a minute, and no verdict changes.
type brevity struct {
	on, broken, ended bool
	since             time.Time
}

const brevityOver = "something is broken, and the time of -quick is over: a run without it goes on"

// over is told of something broken and says whether nothing more is to be begun.
func (b *brevity) over(broken bool) bool {
	b.broken = b.broken || broken
	b.ended = b.ended || b.on && b.broken && time.Since(b.since) > QuickMax
	return b.ended
}

// gone says that nobody listens at an address any more; "" otherwise, and under faults, which may be
// the reason and pass.
func (opt Options) gone(t *target.Target) string {
	if t.Started() || opt.Fault != "" {
		return ""
	}
	c, err := t.Dial()
	if err != nil {
		return "the server has gone: " + err.Error()
	}
	c.Close()
	return ""
}

func (opt Options) withDefaults() Options {
	if opt.Clients == 0 {
		opt.Clients = ClientsDefault
	}
	if opt.Ops == 0 && opt.Duration == 0 {
		if opt.Ops = OpsDefault; opt.Quick {
			opt.Ops = quickOps
		}
	}
	if opt.Progress == nil {
		opt.Progress = func(string, string) {}
	}
	return opt
}

// linear is how histories are judged.
func (opt Options) linear() linear.Options {
	return linear.Options{Timeout: cmp.Or(opt.Timeout, searchTimeout), Engine: opt.Engine,
		Unbounded: opt.Unbounded}
}

func progressLine(done, total int, res suite.Result) string {
	line := fmt.Sprintf("%d/%d %s", done, total, res.Name)
	if res.Verdict == suite.Fail || res.Verdict == suite.Error {
		line = fmt.Sprintf("%s: %s", res.Verdict, res.Name)
	}
	return line
}

// Recordings are the files that go beside a report.
type Recordings struct{ files []recording }

type recording struct {
	name  string // relative to the report's folder
	write func(io.Writer) error
}

func (rec *Recordings) add(name string, write func(io.Writer) error) string {
	rec.files = append(rec.files, recording{name, write})
	return name
}

// history records one mix, the nth part of the operations, and judges it. Its random choices follow
// from the run's seed and the mix alone, so that they are the same when it is run by itself.
func (opt Options) history(ctx context.Context, t *target.Target, mix string, n int, rec *Recordings) report.History {
	started := time.Now()
	h, stats, err := workload.Run(ctx, t, workload.Options{
		Clients: opt.Clients, Ops: opt.Ops / n, Duration: opt.Duration / time.Duration(n),
		Seed: opt.Seed + int64(mixIndex(mix)), Mix: mix, Fault: opt.Fault, FaultEvery: opt.FaultEvery,
		Slack: opt.Slack,
		Progress: func(done, total int) {
			opt.Progress("history "+mix, fmt.Sprintf("%d/%d operations", done, total))
		},
	})
	name := historyPrefix + mix
	if err != nil {
		return report.History{Name: name, Verdict: report.HistoryError, Reason: err.Error(),
			TookMs: time.Since(started).Milliseconds()}
	}
	opt.Progress("history "+mix, "judging")
	out := judge(name, historyFolder+"/"+mix, h, opt.linear(), rec)
	out.Figures = append(opt.measured(h, out), out.Figures...)
	out.Clauses = stats.Clauses()
	for _, f := range stats.Figures() {
		out.Figures = append(out.Figures, report.Figure{Name: f.Name, Value: f.Value})
	}
	addBroken(&out, stats.Broken)
	if why := stats.Vacuous(); why != "" && out.Verdict == report.HistoryOK {
		out.Verdict, out.Reason = report.HistoryVacuous, why
	}
	return out
}

func mixIndex(name string) int {
	return slices.IndexFunc(workload.Mixes, func(m workload.Mix) bool { return m.Name == name })
}

// addBroken adds what clients saw that no line of a history can hold, "CLAUSE: what happened": a
// reply that is no reply, MULTI not answered OK.
func addBroken(h *report.History, broken []string) {
	for _, b := range broken {
		clause, sentence, _ := strings.Cut(b, ": ")
		h.Add([]report.Finding{{Clause: clause, Cause: sentence, Count: 1}},
			report.Violation{Clause: clause, Cause: sentence, Sentence: sentence})
		h.Verdict = report.HistoryIllegal
	}
	if len(broken) > 0 && h.Reason == "" {
		h.Reason = fmt.Sprintf("clients met %d replies that no history can hold", len(broken))
	}
}

// judge checks a history; base is the path of its files in the report's folder, without ending.
func judge(name, base string, h *history.History, opt linear.Options, rec *Recordings) report.History {
	started := time.Now()
	res := linear.Check(h, opt)
	out := summary(name, h.Marks, res)
	out.Clients = clients(h)
	out.Figures = append(out.Figures, graded(res)...)
	out.File = rec.add(base+".jsonl", func(w io.Writer) error { return history.Write(w, h) })
	views := 0
	for i := range out.Violations {
		out.Violations[i].Marks = h.Marks
		if v := &out.Violations[i]; v.Visualization != nil && views < viewsMax {
			views++
			v.View = rec.add(fmt.Sprintf("%s-%d.html", base, views), v.Visualization)
		}
	}
	out.TookMs = time.Since(started).Milliseconds()
	return out
}

// summary is what a result says without its history.
func summary(name string, marks []history.Mark, res linear.Result) report.History {
	out := report.History{
		Name: name, Verdict: string(res.Verdict), Reason: res.Reason, Ops: res.Ops,
		Undecided: report.UndecidedOf(res.Components), Faults: report.FaultsOf(marks),
	}
	out.Add(report.FromFindings(res.Findings), report.FromComponents(res.Components)...)
	for _, n := range res.Counts {
		out.Components += n
	}
	out.FaultTally.Count(marks)
	switch {
	case res.Verdict == linear.OK && res.Judged == 0:
		out.Verdict = report.HistoryVacuous
		out.Reason = fmt.Sprintf("none of its %d operations can be judged: they have no keys, or commands "+
			"that the model does not have", res.Ops)
	case res.Verdict == linear.OK && res.SomePhase:
		out.Reason = "legal for some offset of the server's clock: the file does not say which it was"
	}
	if n := res.Counts[linear.Illegal]; n > 0 {
		out.Reason = fmt.Sprintf("%d of %d components are illegal", n, out.Components)
	}
	return out
}

const viewsMax = 3 // interactive pages a history gets; each repeats a search

func clients(h *history.History) int {
	seen := map[int]bool{}
	for i := range h.Ops {
		seen[h.Ops[i].Client] = true
	}
	return len(seen)
}

// Recheck judges recorded histories again, by opt's engine. An unreadable file is an error that names its line.
func Recheck(files []string, opt Options) (*report.Run, *Recordings, error) {
	r := &report.Run{Version: report.FormatVersion, Tool: "rondo-check " + Version,
		Started: time.Now(), Command: "rondo-check recheck " + strings.Join(files, " ")}
	rec := &Recordings{}
	for i, file := range files {
		base := fmt.Sprintf("%s/%d", historyFolder, i+1)
		out, meta, ok, err := streamed(file, base, opt, rec)
		if err == nil && !ok {
			var h *history.History
			if h, err = readHistory(file); err == nil {
				out, meta = judge(file, base, h, opt.linear(), rec), h.Meta
				out.Figures = append(opt.measured(h, out), out.Figures...)
			}
		}
		if err != nil {
			return nil, nil, err
		}
		out.Recheck = "rondo-check recheck " + file
		describeTarget(r, meta)
		r.Histories = append(r.Histories, out)
	}
	r.TookMs = time.Since(r.Started).Milliseconds()
	r.TabulateClauses()
	return r, rec, nil
}

func readHistory(file string) (*history.History, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, _, err := foreign.Read(file, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return h, nil
}

// Prepare makes dir and finds out whether a report can be written there, before the work is done.
func Prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the report's folder: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe")
	if err != nil {
		return fmt.Errorf("the report's folder cannot be written: %w", err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// Write fills dir with the report: index.html, report.json, junit.xml and the recordings.
func Write(r *report.Run, rec *Recordings, dir string) error {
	for i := range r.Histories {
		if h := &r.Histories[i]; strings.HasPrefix(h.Name, historyPrefix) && h.File != "" {
			h.Recheck = "rondo-check recheck " + filepath.Join(dir, h.File)
		}
	}
	files := append([]recording{
		{"index.html", func(w io.Writer) error { return report.HTML(w, r) }},
		{"report.json", func(w io.Writer) error { return report.JSON(w, r) }},
		{"junit.xml", func(w io.Writer) error { return report.JUnit(w, r) }},
	}, rec.files...)
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), f.write); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	return nil
}

// WriteRhythm fills dir with the page and the figures of a rhythm report.
func WriteRhythm(r *rhythm.Report, dir string) error {
	return errors.Join(
		writeFile(filepath.Join(dir, "index.html"), func(w io.Writer) error { return report.RhythmHTML(w, r) }),
		writeFile(filepath.Join(dir, "rhythm.json"), func(w io.Writer) error { return report.RhythmJSON(w, r) }))
}

func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
