package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
)

// TestMain is also the fake server, a peer, and a run in a network of its own.
func TestMain(m *testing.M) {
	verb, args := "", os.Args[1:]
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var err error
	switch verb {
	case "serve":
		err = serveFake(args[0], args[1])
	case "peer":
		err = Peer(args[0], args[1], os.Stdin, os.Stdout)
	case "run":
		err = runHere(args[0], args[1])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runHere prints the report of one fault on a fake.
func runHere(weak, kind string) error {
	r, err := runFake(context.Background(), weak, kind)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

const testWindow = 1500 * time.Millisecond

// runFake starts a server with a weakness, "" for none, and makes some faults.
func runFake(ctx context.Context, weak string, kinds ...string) (*Report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t, err := target.ExecArgs([]string{self, "serve", "127.0.0.1:{port}", weak}, nil)
	if err != nil {
		return nil, err
	}
	defer t.Kill()
	wait := time.Second // shorter than a weakness lasts
	if weak == "" {
		wait = windowMax // a busy machine is no weakness
	}
	opt := Options{Clients: 300, Window: testWindow, WaitMax: wait, Peer: []string{self, "peer"},
		Alone: Alone(), Elsewhere: Elsewhere([]string{self, "run", weak}), Progress: func(string) {}}
	opt.Kinds, _ = Select(kinds)
	return Run(ctx, t, opt)
}

// TestSound: a server without a weakness passes, as far as the faults can be made here.
func TestSound(t *testing.T) {
	t.Parallel() // it mostly waits
	r, err := runFake(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range r.Results {
		if res.Verdict == Skip {
			t.Logf("%s is skipped: %s", res.Fault, res.Reason)
		} else if res.Verdict != Pass || res.Right == 0 || res.During.N == 0 || res.Before.N == 0 {
			t.Errorf("%+v", res)
		}
	}
	if r.Exit() != 0 || len(r.Results) != len(Kinds) {
		t.Errorf("status %d, %d faults", r.Exit(), len(r.Results))
	}
}

// TestEachWeaknessIsSeen: what a fault asserts can fail, each for a server that deserves it.
func TestEachWeaknessIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, weak, says string }{
		{"slow-loris", waitsForTheRest, "99 took up to"},
		{"slow-loris", cutsTheSlow, "a client that was slow got no right answer"},
		{"never-reads", blocksOnWrites, "99 took up to"},
		{"storm", refusesSome, "of the storm was not answered"},
		{"storm", stray, "another client: ECHO"},
		{"storm", halts, "99 took up to"},
		{"resets", diesAtReset, "asked for much was not served"},
		{"stopped-peers", givesUp, "did not get their replies"},
		{"stopped-peers", blocksOnWrites, "99 took up to"},
		{"descriptors", deafForever, "nobody comes in"},
		{"pipelines", countsTwice, "a pipeline was answered"},
		{"pipelines", refusesSome, "a pipeline was"},
		{"lossy-line", givesUp, "got no right answer"},
	} {
		t.Run(c.kind+", "+c.weak, func(t *testing.T) {
			t.Parallel()
			r, err := runFake(context.Background(), c.weak, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			res := r.Results[0]
			if res.Verdict == Skip && (c.kind == "lossy-line" || c.kind == "descriptors") {
				t.Skip(res.Reason)
			}
			if res.Verdict != Fail || !strings.Contains(res.Reason, c.says) || r.Exit() != 1 {
				t.Errorf("%s, and not a failure with %q: %s", res.Verdict, c.says, res.Reason)
			}
		})
	}
}

// TestStopped: a run that the user ends is no evidence.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := runFake(ctx, "", "never-reads", "resets")
	if err != nil || !r.Stopped || r.Exit() != 2 || len(r.Results) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestText: every verdict has a line, and a failure its reason.
func TestText(t *testing.T) {
	q := func(p99 float64) rhythm.Quantiles { return rhythm.Quantiles{N: 1, P50: 0.1, P99: p99, Max: 2 * p99} }
	r := &Report{Server: "fake 1.0", Results: []Result{
		{Fault: "storm", What: "many", Verdict: Pass, Right: 7, Before: q(2), During: q(5), Note: "9 a second"},
		{Fault: "resets", What: "some", Verdict: Fail, Reason: "it has gone", Right: 1, Before: q(1), During: q(700)},
		{Fault: "lossy-line", What: "a line", Verdict: Skip, Reason: "no tc"},
		{Fault: "peers", What: "stopped", Verdict: Error, Reason: "no program"},
	}}
	var out bytes.Buffer
	if err := r.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"fake 1.0", "2.5", "700.0", "(9 a second)", "fail: it has gone", "skip: no tc", "error: no program"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// TestExit: a failure counts more than an error, and only what passed is evidence.
func TestExit(t *testing.T) {
	for _, c := range []struct {
		verdicts string
		status   int
	}{{"pass", 0}, {"pass skip", 0}, {"skip", 2}, {"", 2}, {"pass error", 3}, {"error fail pass", 1}} {
		r := &Report{}
		for _, v := range strings.Fields(c.verdicts) {
			r.Results = append(r.Results, Result{Verdict: v})
		}
		if got := r.Exit(); got != c.status {
			t.Errorf("%q: status %d and not %d", c.verdicts, got, c.status)
		}
	}
}

func TestSelect(t *testing.T) {
	if k, wrong := Select(nil); len(k) != len(Kinds) || wrong != "" {
		t.Errorf("%d, %q", len(k), wrong)
	}
	if _, wrong := Select([]string{"storm", "calm"}); wrong != "calm" {
		t.Errorf("%q", wrong)
	}
	good := Options{Clients: 1, Window: time.Second, WaitMax: time.Second}
	for name, bad := range map[string]Options{
		"-clients": {Window: time.Second, WaitMax: time.Second},
		"-window":  {Clients: 1, Window: time.Hour, WaitMax: time.Second},
		"-wait":    {Clients: 1, Window: time.Second},
	} {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}
