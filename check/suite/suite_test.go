package suite

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rondo/check/target"
	"rondo/spec"
)

func TestCasesAreWellFormed(t *testing.T) {
	if err := spec.Err(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range Cases() {
		if seen[c.Name] {
			t.Errorf("two cases are named %s", c.Name)
		}
		seen[c.Name] = true
		if chapter, _, ok := strings.Cut(c.Name, "/"); !ok || chapter != "script" &&
			!slices.Contains(spec.Chapters(), chapter) {
			t.Errorf("%s is not named after a chapter", c.Name)
		}
		if c.Run == nil || len(c.Clauses) == 0 {
			t.Errorf("%s has no clauses or does nothing", c.Name)
		}
		for _, id := range c.Clauses {
			if _, ok := spec.Lookup(id); !ok {
				t.Errorf("%s cites %s, which does not exist", c.Name, id)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	cases := []Case{
		{Name: "time/TIME-3", Clauses: []string{"TIME-3"}},
		{Name: "time/edge", Clauses: []string{"TIME-3", "TIME-5"}},
		{Name: "conn/TIME-933", Clauses: []string{"TIME-933"}},
		{Name: "script/ttl", Clauses: []string{"KEY-1"}},
	}
	for pattern, want := range map[string]string{
		"TIME-3": "time/TIME-3 time/edge", "time-933": "conn/TIME-933", "time/*": "time/TIME-3 time/edge",
		"*t*": "time/TIME-3 time/edge conn/TIME-933 script/ttl", "s?ript/*": "script/ttl",
		"edge": "time/edge", "TTL": "script/ttl",
	} {
		got, err := Select(cases, []string{pattern})
		var names []string
		for _, c := range got {
			names = append(names, c.Name)
		}
		if err != nil || strings.Join(names, " ") != want {
			t.Errorf("%s: %s, %v; want %s", pattern, names, err, want)
		}
	}
	for _, pattern := range []string{"nosuch", "TIME-999", "x/*", ""} {
		_, err := Select(cases, []string{"time/edge", pattern})
		if (err == nil) != (pattern == "") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if got, err := Select(cases, nil); err != nil || len(got) != len(cases) {
		t.Errorf("no patterns: %d cases, %v", len(got), err)
	}
}

// runOne runs one case against a tiny server.
func runOne(t *testing.T, fault string, c Case) Result {
	t.Helper()
	return Run(startTiny(t, fault), []Case{c}, RunOptions{Seed: 7})[0]
}

func TestVerdicts(t *testing.T) {
	should := "EXEC-16"
	if c, _ := spec.Lookup(should); c.Level != spec.Should {
		t.Fatalf("%s is no SHOULD any more: choose another", should)
	}
	for _, c := range []struct {
		name string
		c    Case
		want Verdict
		says string
	}{
		{"pass", Case{Run: func(t *T) { t.Want(t.Conn(), "+PONG", "PING") }}, Pass, ""},
		{"note", Case{Run: func(t *T) { t.Note("fast") }}, Pass, "fast"},
		{"a MUST", Case{Clauses: []string{should, "TIME-3"},
			Run: func(t *T) { t.Want(t.Conn(), "+PANG", "PING") }}, Fail, "expected +PANG for PING, got +PONG"},
		{"a SHOULD", Case{Clauses: []string{should},
			Run: func(t *T) { t.Fail(nil, "x", "y") }}, NonStrict, "expected x, got y"},
		{"the SHOULD of several", Case{Clauses: []string{should, "TIME-3"},
			Run: func(t *T) { t.Clause(should); t.Fail(nil, "x", "y") }}, NonStrict, "expected x"},
		{"malformed", Case{Run: func(t *T) { t.Do(t.Conn(), "BAD") }}, Fail, "malformed reply"},
		{"unmet", Case{Needs: []string{"getex"}, Run: func(*T) {}}, Skip, "does not know, or allow, GETEX"},
		{"no DEBUG", Case{Needs: []string{"debug"}, Run: func(*T) {}}, Skip, "DEBUG is not allowed"},
		{"not started", Case{Needs: []string{"started"}, Run: func(*T) {}}, Skip, "-exec"},
		{"skip", Case{Run: func(t *T) { t.Skip("because") }}, Skip, "because"},
		{"harness", Case{Run: func(t *T) { t.Broken(fmt.Errorf("no socket")) }}, Error, "no socket"},
		{"a bug", Case{Run: func(*T) { panic("oops") }}, Error, "the case itself broke: oops"},
		{"in a worker", Case{Run: func(t *T) {
			t.Workers(3, func(i int) {
				if i == 1 {
					t.Fail(nil, "x", "y")
				}
			})
			t.Broken(fmt.Errorf("not reached"))
		}}, Fail, "expected x"},
		{"a bug in a worker", Case{Run: func(t *T) {
			t.Workers(2, func(int) { panic("oops") })
		}}, Error, "oops"},
	} {
		c.c.Name = "conn/some-case"
		res := runOne(t, "", c.c)
		if res.Verdict != c.want || !strings.Contains(res.Reason, c.says) {
			t.Errorf("%s: %s, %q", c.name, res.Verdict, res.Reason)
		}
		if !strings.HasPrefix(res.Replay, "rondo-check run 'conn/some-case' -addr 127.0.0.1:") ||
			!strings.HasSuffix(res.Replay, " -seed 7") {
			t.Errorf("%s: replay %q", c.name, res.Replay)
		}
	}
	res := runOne(t, "", Case{Name: "conn/x", Run: func(t *T) { t.Want(t.Conn(), "+PANG", "PING") }})
	if res.Expected == "" || res.Actual != "+PONG" || len(res.Wire) < 2 {
		t.Errorf("a failure tells too little: %+v", res)
	}
}

func TestExclusiveRunsAlone(t *testing.T) {
	var running, most atomic.Int64
	var cases []Case
	for i := range 20 {
		alone := i%5 == 0
		cases = append(cases, Case{Name: fmt.Sprint("conn/", i), Exclusive: alone, Run: func(t *T) {
			n := running.Add(1)
			defer running.Add(-1)
			if alone && n != 1 {
				t.Fail(nil, "nobody beside an exclusive case", fmt.Sprint(n))
			}
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
		}})
	}
	told := 0
	results := Run(startTiny(t, ""), cases, RunOptions{Parallel: 3, Progress: func(Result) { told++ }})
	for i, res := range results {
		if res.Verdict != Pass || res.Name != cases[i].Name {
			t.Errorf("%d: %s %s %s", i, res.Name, res.Verdict, res.Reason)
		}
	}
	if told != len(cases) || most.Load() > 3 {
		t.Errorf("progress was told %d times; %d ran side by side", told, most.Load())
	}
}

// TestLateIsHeldAgain: what failed beside others because this machine was late is held again alone, and
// what fails for another reason is not.
func TestLateIsHeldAgain(t *testing.T) {
	runs := map[string]int{}
	failing := func(late bool) func(*T) {
		return func(c *T) {
			runs[c.result.Name]++
			if c.result.late = late; runs[c.result.Name] == 1 {
				c.Fail(nil, "in time", "late")
			}
		}
	}
	cases := []Case{{Name: "conn/late", Run: failing(true)}, {Name: "conn/wrong", Run: failing(false)}}
	res := Run(startTiny(t, ""), cases, RunOptions{Parallel: 1})
	if res[0].Verdict != Pass || res[1].Verdict != Fail || runs["conn/late"] != 2 || runs["conn/wrong"] != 1 {
		t.Errorf("%s and %s, after %v", res[0].Verdict, res[1].Verdict, runs)
	}
}

func TestStop(t *testing.T) {
	var cases []Case
	for i := range 5 {
		cases = append(cases, Case{Name: fmt.Sprint("conn/", i), Run: func(*T) {}})
	}
	results := Run(startTiny(t, ""), cases, RunOptions{Parallel: 1,
		Stop: func(r Result) bool { return r.Name == "conn/1" }})
	if results[1].Verdict != Pass || results[4].Verdict != NotRun || results[4].Reason == "" {
		t.Errorf("%v", results)
	}
}

// A case gets the same random numbers whether it runs alone or not, and others with another seed.
func TestSeeds(t *testing.T) {
	draw := func(seed int64, names ...string) string {
		var got atomic.Value
		var cases []Case
		for _, name := range names {
			cases = append(cases, Case{Name: name, Run: func(t *T) {
				if n := t.Rand.Int63(); name == "conn/a" {
					got.Store(fmt.Sprint(n))
				}
			}})
		}
		Run(startTiny(t, ""), cases, RunOptions{Seed: seed})
		return got.Load().(string)
	}
	alone := draw(1, "conn/a")
	if draw(1, "conn/b", "conn/a") != alone || draw(2, "conn/a") == alone {
		t.Error("random numbers do not follow from seed and name alone")
	}
}

func TestKeysAreDeleted(t *testing.T) {
	tg := startTiny(t, "")
	var k string
	Run(tg, []Case{{Name: "conn/x", Run: func(t *T) {
		k = t.Key("k")
		t.Want(t.Conn(), "+OK", "SET", k, "v")
	}}}, RunOptions{})
	c, err := tg.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := c.Do("GET", k); err != nil || !r.IsNull() {
		t.Errorf("%v %v", r, err)
	}
}

// The cases accept a correct server and refuse one with the fault that they are about.
func TestCasesAcceptAndReject(t *testing.T) {
	for _, c := range []struct{ name, fault string }{
		{"time/edge-of-a-deadline", "late"}, {"time/edge-of-a-deadline", "early"},
		{"time/clock", "clock"}, {"order/register", "stale"}, {"order/counter", "lost"},
		{"order/cut-bursts", "twice"}, {"conn/deep-pipeline", "lost"}, {"conn/half-close", "hang-up"},
		{"data/set-once", "nx"}, {"wire/all-bytes", "text"}, {"wire/noise", "garbage"},
		{"wire/half-frames", "eager"},
	} {
		cases, err := Select(Cases(), []string{c.name})
		if err != nil {
			t.Fatal(err)
		}
		if res := runOne(t, "", cases[0]); res.Verdict != Pass {
			t.Errorf("%s, no fault: %s %s", c.name, res.Verdict, res.Reason)
		}
		if res := runOne(t, c.fault, cases[0]); res.Verdict != Fail {
			t.Errorf("%s, fault %q: %s %s", c.name, c.fault, res.Verdict, res.Reason)
		}
	}
}

// All that is not in the table above is held against the real server, where there is one; what it
// must refuse the mutants show.
func TestOwnCasesOnRedis(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: the suite's own cases are not held against it")
	}
	if testing.Short() {
		t.Skip("short")
	}
	tg, err := target.Exec("redis-server --port {port} --save '' --enable-debug-command yes", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.Stop()
	var cases []Case
	for _, c := range slices.Concat(wireCases, connCases, limitCases, loopCases, execCases, dataCases,
		timeCases, orderCases) {
		if c.Name != "time/active-expiry-lag" { // long on Redis, and not to be passed there
			cases = append(cases, c)
		}
	}
	for _, res := range Run(tg, cases, RunOptions{Seed: 1}) {
		if res.Verdict == Fail || res.Verdict == Error {
			t.Errorf("%s: %s: %s", res.Name, res.Verdict, res.Reason)
		}
	}
}

// TestCrash: a case that ends the server fails; those that ran beside it run again on a new one.
func TestCrash(t *testing.T) {
	t.Setenv("RONDO_TINY", "crash")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tg, err := target.ExecArgs([]string{self, "{port}"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { tg.Stop() }()
	ping := func(t *T) {
		time.Sleep(20 * time.Millisecond)
		t.Want(t.Conn(), "+PONG", "PING")
	}
	cases := []Case{
		{Name: "a", Clauses: []string{"CONN-24"}, Run: ping},
		{Name: "boom", Clauses: []string{"CONN-24"}, Run: func(t *T) { t.Want(t.Conn(), "+OK", "BOOM") }},
		{Name: "b", Clauses: []string{"CONN-24"}, Run: ping},
		{Name: "last", Clauses: []string{"CONN-24"}, Exclusive: true, Run: ping},
	}
	told := 0
	for _, res := range Run(tg, cases, RunOptions{Progress: func(Result) { told++ }}) {
		want := Pass
		if res.Name == "boom" {
			want = Fail
			if !strings.Contains(res.Reason, "out of luck") {
				t.Errorf("the reason does not show the server's last words: %s", res.Reason)
			}
		}
		if res.Verdict != want {
			t.Errorf("%s: %s %s", res.Name, res.Verdict, res.Reason)
		}
	}
	if told != len(cases) {
		t.Errorf("%d results were told of, want %d", told, len(cases))
	}
}

// TestServerGoesAway: when nobody listens any more the run ends. Which cases had a connection then is
// said, and the others are not run.
func TestServerGoesAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go serveTiny(l, "")
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fails := func(t *T) { t.Fail(nil, "something", "nothing") }
	var beside sync.WaitGroup // both have a connection, and the case before has its result
	beside.Add(3)
	closed := make(chan struct{})
	cases := []Case{
		{Name: "before", Clauses: []string{"CONN-24"}, Run: fails},
		{Name: "bystander", Clauses: []string{"CONN-24"}, Run: func(t *T) {
			t.Conn()
			beside.Done()
			<-closed
			fails(t)
		}},
		{Name: "culprit", Clauses: []string{"CONN-24"}, Run: func(t *T) {
			if _, err := t.target.Dial(); err != nil { // as conversations do
				t.Broken(err)
			}
			beside.Done()
			beside.Wait()
			l.Close()
			close(closed)
			fails(t)
		}},
	}
	for i := range 40 {
		cases = append(cases, Case{Name: fmt.Sprint("later", i), Clauses: []string{"CONN-24"}, Exclusive: true,
			Run: func(t *T) { t.Conn() }})
	}
	began := time.Now()
	told := func(res Result) {
		if res.Name == "before" {
			beside.Done()
		}
	}
	for _, res := range Run(tg, cases, RunOptions{Parallel: 3, Progress: told}) {
		want, reason := NotRun, "the server has gone: connect to"
		switch res.Name {
		case "before":
			want, reason = Fail, ""
		case "bystander":
			want, reason = Error, "so did culprit, and one of them"
		case "culprit":
			want, reason = Error, "so did bystander, and one of them"
		}
		if res.Verdict != want || !strings.Contains(res.Reason, reason) {
			t.Errorf("%s: %s %s, want %s %s", res.Name, res.Verdict, res.Reason, want, reason)
		}
	}
	if took := time.Since(began); took > 2*goneTries*gonePause {
		t.Errorf("it took %v to give up", took)
	}
}

// Settings are put back however a case ends.
func TestSettingsAreRestored(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: that settings are put back is not tried")
	}
	tg, err := target.Exec("redis-server --port {port} --save ''", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.Stop()
	s, err := spec.ParseScript("x", "> CONFIG SET requirepass secret timeout 7\n< +NO")
	if err != nil {
		t.Fatal(err)
	}
	res := Run(tg, []Case{conversation("conn/x", "x.txt", s, nil)}, RunOptions{})[0]
	if res.Verdict != Fail || res.Expected != "+NO (line 2 of x.txt)" ||
		res.Sent != "> CONFIG SET requirepass secret timeout 7" {
		t.Errorf("%+v", res)
	}
	c, err := tg.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, want := range map[string]string{"requirepass": "", "timeout": "0"} {
		if r, err := c.Do("CONFIG", "GET", name); err != nil || len(r.Elems) != 2 || r.Elems[1].Str != want {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}
