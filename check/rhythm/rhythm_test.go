package rhythm

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Threads()
	os.Exit(m.Run())
}

// small are options that take a moment.
func small(t *testing.T, names ...string) Options {
	t.Helper()
	kinds, wrong := Select(names)
	if wrong != "" {
		t.Fatalf("there is no kind %s", wrong)
	}
	return Options{Kinds: kinds, Keys: 2000, Big: 1 << 20, Rate: 1000, Limit: 30 * time.Second, Progress: func(string, string) {}}
}

// of measures a fake.
func of(t *testing.T, f *fake, names ...string) []Result {
	t.Helper()
	r, err := Run(t.Context(), []Server{{"fake", f.start(t)}}, small(t, names...))
	if err != nil {
		t.Fatal(err)
	}
	var out []Result
	for _, row := range r.Rows {
		out = append(out, row.Results...)
	}
	return out
}

// quiet says whether the machine left this process alone, so that upper bounds mean something.
func quiet(r Result) bool { return r.Control.Max < 10 && r.Late.Max < 10 }

// A server that stands still for 30 ms of every 230 is seen to: about one request in eight waits.
func TestStallsShow(t *testing.T) {
	r := of(t, &fake{every: 200 * time.Millisecond, stall: 30 * time.Millisecond}, "idle")[0]
	if r.Probe.P99 < 20 || r.Ping.P99 < 20 || r.Get.P99 < 20 {
		t.Errorf("p99 of all %v, PING %v, GET %v: the stalls are not seen", r.Probe.P99, r.Ping.P99, r.Get.P99)
	}
	if quiet(r) && (r.Probe.P50 > 5 || r.Probe.Max > 60) {
		t.Errorf("p50 %v, max %v", r.Probe.P50, r.Probe.Max)
	}
	if peaks := slices.DeleteFunc(r.Columns, func(c Column) bool { return c.Max < 20 }); len(peaks) < 6 {
		t.Errorf("%d columns of the picture show a stall", len(peaks))
	}
}

// A server that is well is not said to be ill.
func TestNoStalls(t *testing.T) {
	r := of(t, &fake{}, "idle")[0]
	if quiet(r) && r.Probe.P99 > 15 {
		t.Errorf("p99 %v of a server that does nothing", r.Probe.P99)
	}
	if r.Probe.N < 1800 || r.Lost != 0 || r.Errors != 0 || r.Control.N < 1800 {
		t.Errorf("%d requests, %d lost, %d errors, %d readings", r.Probe.N, r.Lost, r.Errors, r.Control.N)
	}
}

// One stall of 100 ms at 1000 requests a second lets a hundred wait, the first for all of it and the
// last not at all. A probe that waits for an answer before it asks again would see one.
func TestCoordinatedOmission(t *testing.T) {
	f := &fake{stall: 100 * time.Millisecond}
	at := f.start(t)
	c, err := at.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := StartProbe(at, 1000)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	if _, err := c.Do("STALL"); err != nil {
		t.Fatal(err)
	}
	trace, err := p.Stop()
	if err != nil {
		t.Fatal(err)
	}
	began, ended := int64(f.began.Sub(p.clock.origin)), int64(f.ended.Sub(p.clock.origin))
	n := 0
	for _, s := range trace.Samples {
		if s.At < began || s.At >= ended {
			continue
		}
		n++
		// Whatever the machine does, no answer comes before the end; 50 µs for the grain of two clocks.
		if felt := s.Late + s.Took; felt < ended-s.At-50e3 {
			t.Fatalf("asked %d ms after the beginning, answered after %d µs: the stall lasted longer", (s.At-began)/1e6, felt/1e3)
		}
	}
	if n < 99 {
		t.Errorf("%d requests were intended within the 100 ms", n)
	}
}

// A probe that was late itself does not blame the server.
func TestLateProbe(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel does not say here when an answer came")
	}
	for range 5 {
		p, err := newProbe((&fake{}).start(t), 1000, clock{time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		p.wake = func(fd int, write bool, ns int64) error {
			if n++; n%100 == 0 {
				time.Sleep(50 * time.Millisecond)
			}
			return wait(fd, write, ns)
		}
		control := startControl(1000, p.clock)
		go p.run()
		time.Sleep(400 * time.Millisecond)
		trace, err := p.Stop()
		if err != nil {
			t.Fatal(err)
		}
		seen, own := trace.Quantiles(0, 1e12), quantiles(trace.times(0, 1e12, late))
		if own.Max < 30 {
			t.Errorf("the probe slept for 50 ms and was late by %v", own.Max)
		}
		if control.Stop().Quantiles(0, 1e12).Max > 5 {
			continue // the machine was late too
		}
		if seen.Max > 20 {
			t.Errorf("the server is blamed for %v ms", seen.Max)
		}
		return
	}
	t.Skip("this machine is too busy to tell who was late")
}

// What the machine does to a thread, the control shows.
func TestControlShowsTheMachine(t *testing.T) {
	k := &control{stop: make(chan struct{}), trace: make(chan Trace, 1)}
	n := 0
	go k.run(1e6, clock{time.Now()}, func(ns int64) {
		if n++; n == 20 {
			ns += 50e6
		}
		time.Sleep(time.Duration(ns))
	})
	time.Sleep(200 * time.Millisecond)
	trace := k.Stop()
	late := slices.DeleteFunc(trace.times(0, 1e12, took), func(ns int64) bool { return ns < 10e6 })
	if len(late) < 35 || slices.Max(late) < 45e6 {
		t.Errorf("%d readings were late, of about 40", len(late))
	}
}

// Deadlines are watched from outside: a server that deletes 80 ms late is seen to, and one that
// stands still only when keys are due is seen to do that then.
func TestDeadlinesFromOutside(t *testing.T) {
	r := of(t, &fake{late: 80 * time.Millisecond, onDue: 30 * time.Millisecond}, "idle", "due-among", "expiry-storm")
	for _, lag := range []*Lag{r[1].Lag, r[2].Lag} {
		if lag == nil || lag.P50 < 79 || lag.Left != 0 || lag.P50 > 500 {
			t.Errorf("lag %+v of keys that are deleted 80 ms late", lag)
		}
	}
	if r[1].Probe.P99 < 20 {
		t.Errorf("p99 %v while it stood still for 30 ms at each deadline", r[1].Probe.P99)
	}
	if quiet(r[0]) && r[0].Probe.P99 > 15 {
		t.Errorf("p99 %v while nothing was due", r[0].Probe.P99)
	}
}

func TestLags(t *testing.T) {
	const ms = 1_000_000
	deadlines := []int64{30 * ms, 10 * ms, 20 * ms, 40 * ms}
	got := lags(deadlines, []seen{{5 * ms, 0}, {21 * ms, 1}, {32 * ms, 3}}, 100*ms)
	// 10 -> 21, 20 -> 32, 30 -> 32, 40 is left: at least 60
	if want := (Lag{Keys: 4, P50: 11, P99: 60, Max: 60, Left: 1}); *got != want {
		t.Errorf("%+v, want %+v", *got, want)
	}
	if lagCells(got) != "11.0\t> 60.0\t> 60.0" {
		t.Errorf("%q", lagCells(got))
	}
}

// What a server lacks is skipped with its words; what it breaks is an error; a report comes anyway.
func TestWhatCannotBeMeasured(t *testing.T) {
	r := of(t, &fake{}, "snapshot", "eviction", "del-large", "keys", "deep-pipeline", "connections")
	for i, want := range []string{"-flush allows it", "-flush allows it", "unknown command"} {
		if !strings.Contains(r[i].Skip, want) || r[i].Measured() {
			t.Errorf("%d: %+v", i, r[i])
		}
	}
	for _, res := range r[3:] {
		if !res.Measured() || res.Error != "" {
			t.Errorf("error %q, %d requests", res.Error, res.Probe.N)
		}
	}
}

// A stopped run gives what it has.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opt := small(t, "keys", "idle", "growth")
	opt.Progress = func(stage, _ string) {
		if strings.Contains(stage, "idle") {
			time.AfterFunc(time.Second, cancel)
		}
	}
	r, err := Run(ctx, []Server{{"fake", (&fake{}).start(t)}}, opt)
	if err != nil || !r.Stopped || len(r.Rows) != 1 || r.Exit() != 2 {
		t.Errorf("%v: %+v", err, r)
	}
}

// What is to be reached is said of a million keys, and not of fewer.
func TestTargets(t *testing.T) {
	storm, _ := Select([]string{"expiry-storm"})
	turn := int64(1500)
	for keys, want := range map[int]string{1000: "", KeysDefault: "maintenance of a turn at most 1 ms of CPU: missed, all gone within 2 s: met",
		10 * KeysDefault: "maintenance of a turn at most 1 ms of CPU: missed"} {
		r := Result{Probe: Quantiles{N: 1}, Lag: &Lag{Max: 1500}, TurnUs: &turn}
		r.judge(storm[0], Options{Keys: keys})
		var got []string
		for _, target := range r.Targets {
			got = append(got, target.String())
		}
		if text := strings.Join(got, ", "); !strings.HasSuffix(text, want) || want == "" && text != "" {
			t.Errorf("%d keys: %s", keys, text)
		}
	}
}

func TestOptions(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"-keys": func(o *Options) { o.Keys = 0 }, "-string": func(o *Options) { o.Big = 1 << 30 },
		"-rate": func(o *Options) { o.Rate = 1 << 20 }, "-limit": func(o *Options) { o.Limit = 0 },
	} {
		o := small(t)
		if err := o.Check(); err != nil {
			t.Error(err)
		}
		if change(&o); o.Check() == nil || !strings.Contains(o.Check().Error(), want) {
			t.Errorf("%s: %v", want, o.Check())
		}
	}
}
