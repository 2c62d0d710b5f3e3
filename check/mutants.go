package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"rondo/check/mutant"
	"rondo/check/report"
	"rondo/check/suite"
	"rondo/check/target"
)

// Kill says how one seeded fault was convicted.
type Kill struct {
	Fault  mutant.Fault
	By     string // the case or history that convicted it; "" if it survived
	Clause string // the clause cited
	Reason string
	Took   time.Duration
	Err    error // the mutant could not be run
}

// Mutants makes the run that opt describes against every fault whose name is in names (none: all)
// and stops at its first conviction. It runs the same cases and the same histories as Run: a kill by
// anything else would prove nothing. Only their order differs: what names the fault's clauses comes
// first.
func Mutants(ctx context.Context, names []string, opt Options, progress func(Kill)) ([]Kill, error) {
	faults, err := selectFaults(names)
	if err != nil {
		return nil, err
	}
	opt = opt.withDefaults()
	opt.Progress = func(string, string) {} // the mutants are several at once
	cases, mixes, err := Select(opt.Patterns)
	if err != nil {
		return nil, err
	}
	kills := make([]Kill, len(faults))
	slots := make(chan struct{}, mutantsAtOnce)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, fault := range faults {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			kills[i] = killOne(ctx, fault, cases, mixes, opt)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				progress(kills[i])
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, errors.New("interrupted: what was not run proves nothing")
	}
	return kills, nil
}

// mutantsAtOnce: mutants mostly wait for time to pass, so more than there are cores.
const mutantsAtOnce = 4

func selectFaults(names []string) ([]mutant.Fault, error) {
	if len(names) == 0 {
		return mutant.Faults, nil
	}
	var out []mutant.Fault
	for _, name := range names {
		i := slices.IndexFunc(mutant.Faults, func(f mutant.Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no mutant is named %q; `rondo-check mutants -list` names them", name)
		}
		out = append(out, mutant.Faults[i])
	}
	return out, nil
}

func killOne(ctx context.Context, fault mutant.Fault, cases []suite.Case, mixes []string,
	opt Options) Kill {
	started := time.Now()
	k := Kill{Fault: fault}
	t, stop, err := serveMutant(fault.Name)
	if err != nil {
		k.Err = err
		return k
	}
	defer stop()
	k.bySuite(ctx, t, cases, opt.Seed)
	if k.By == "" {
		k.byHistories(ctx, t, mixes, opt)
	}
	k.Took = time.Since(started)
	return k
}

func serveMutant(fault string) (*target.Target, func(), error) {
	s, addr, err := mutant.Start(fault)
	if err != nil {
		return nil, nil, err
	}
	t, err := target.At(addr)
	if err != nil {
		s.Close()
		return nil, nil, fmt.Errorf("the mutant does not answer: %w", err)
	}
	t.AllowFlush()
	return t, s.Close, nil
}

// bySuite runs the cases that name the fault's clauses, then the others, until one fails.
func (k *Kill) bySuite(ctx context.Context, t *target.Target, cases []suite.Case, seed int64) {
	cases = slices.Clone(cases)
	sort.SliceStable(cases, func(i, j int) bool { return k.concerns(cases[i]) && !k.concerns(cases[j]) })
	suite.Run(t, cases, suite.RunOptions{Context: ctx, Seed: seed, Stop: func(r suite.Result) bool {
		if r.Verdict != suite.Fail {
			return false
		}
		k.By, k.Reason, k.Clause = r.Name, r.Reason, k.cited(r.Clauses)
		return true
	}})
}

func (k *Kill) concerns(c suite.Case) bool {
	return slices.ContainsFunc(c.Clauses, func(id string) bool { return slices.Contains(k.Fault.Clauses, id) })
}

// cited is the fault's clause among ids, or else the first of them.
func (k *Kill) cited(ids []string) string {
	for _, id := range ids {
		if slices.Contains(k.Fault.Clauses, id) {
			return id
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// byHistories records and judges the mixes of the run until one is illegal.
func (k *Kill) byHistories(ctx context.Context, t *target.Target, mixes []string, opt Options) {
	opt.Unmeasured = true
	for _, mix := range mixes {
		h := opt.history(ctx, t, mix, len(mixes), &Recordings{})
		switch h.Verdict {
		case report.HistoryIllegal:
			k.By, k.Clause, k.Reason = h.Name, h.Violations[0].Clause, h.Violations[0].Sentence
			return
		case report.HistoryError:
			k.Err = errors.New(h.Reason)
			return
		}
	}
}

// power makes the run against every mutant, for the report's account of what it can see.
func (opt Options) power(ctx context.Context) (*report.Power, error) {
	opt.Progress("power", "")
	done := 0
	kills, err := Mutants(ctx, nil, opt, func(k Kill) {
		done++
		opt.Progress("power", fmt.Sprintf("%d/%d mutants", done, len(mutant.Faults)))
	})
	if err != nil {
		return nil, err
	}
	p := &report.Power{Mutants: len(kills)}
	for _, k := range kills {
		row := report.PowerRow{Name: k.Fault.Name, Does: k.Fault.Does, Clauses: k.Fault.Clauses,
			By: k.By, TookMs: k.Took.Milliseconds()}
		switch {
		case k.Err != nil:
			row.Error = k.Err.Error()
		case k.By != "":
			p.Killed++
		}
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}
