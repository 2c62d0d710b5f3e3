package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rondo/check/bench"
	"rondo/check/faults"
	"rondo/check/mutant"
	"rondo/check/rhythm"
)

// rondoCheck runs the program in this process.
func rondoCheck(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{ctx: t.Context(), stdout: &out, stderr: &errs}
	status = a.main(args)
	return status, out.String(), errs.String()
}

// mistake is wrong use of the program, and what is said about it.
type mistake struct {
	args []string
	want string
}

// wrong wants each mistake to get a sentence that says what to do, and exit status 3.
func wrong(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, c := range mistakes {
		status, _, stderr := rondoCheck(t, c.args...)
		if status != exitError || !strings.Contains(stderr, c.want) {
			t.Errorf("rondo-check %s: status %d, %q; want %d and %q",
				strings.Join(c.args, " "), status, stderr, exitError, c.want)
		}
	}
}

func TestWrongRun(t *testing.T) {
	wrong(t, []mistake{
		{[]string{"run", "-adr", "x"}, "flag provided but not defined: -adr"},
		{[]string{"run", "-adr", "x"}, "rondo-check help run"},
		{[]string{"run", "-addr", closedPort(t)}, "nothing listens at"},
		{[]string{"run", "-addr", closedPort(t)}, "-exec COMMAND starts one"},
		{[]string{"run", "-duration", "5"}, "-duration 5 cannot be read: write 5s for seconds"},
		{[]string{"run", "-duration", "soon"}, "write a time with its unit, such as 200ms, 5s or 8h"},
		{[]string{"run", "-ops", "abc"}, "-ops abc cannot be read: write a whole number"},
		{[]string{"run", "-addr", "a", "-exec", "b"}, "exclude each other"},
		{[]string{"run", "-exec", "server --port 1"}, "{port}"},
		{[]string{"run", "-exec", "no-such-program-here {port}"}, "no-such-program-here"},
		{[]string{"run", "no-such-pattern"}, "no-such-pattern"},
		{[]string{"run", "-clients", "1"}, "at least 2"},
		{[]string{"run", "-clock-slack", "-1s"}, "not negative"},
		{[]string{"run", "-profile", "warm"}, "frozen or live"},
		{[]string{"run", "-fault", "true", "-fault-every", "0s"}, "above zero"},
		{[]string{"run", "-fault-every", "1s"}, "-fault gives none"},
		{[]string{"run", "TIME-3", "-fault", "true"}, "select none"},
		{[]string{"run", "-exec", ""}, "is empty"},
		{[]string{"run", "-addr", ""}, "running server"},
		{[]string{"run", "-tls", "-db", "1"}, "running server"},
		{[]string{"run", "-as", "redis-6"}, "redis-7.0, redis-7.2"},
		{[]string{"run", "-expect", "no-such-file"}, "no-such-file"},
		{[]string{"run", "-target", "x"}, "NAME=HOST:PORT"},
		{[]string{"run", "-target", "../x=h:1"}, "becomes a folder"},
		{[]string{"run", "-target", "x=h:1", "-target", "x=h:2"}, "two targets"},
		{[]string{"run", "-target", "x=h:1", "-addr", "h:2"}, "takes the place"},
		{[]string{"run", "-addr", "h:1", "-unix", "p"}, "exclude each other"},
		{[]string{"run", "-addr", "h:1", "-cert", "c"}, "only with -tls"},
		{[]string{"run", "-addr", "h:1", "-tls", "-cert", "c"}, "belong together"},
		{[]string{"run", "-addr", "h:1", "-db", "-1"}, "counted from 0"},
	})
}

func TestWrongUse(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.jsonl")
	report := filepath.Join(t.TempDir(), "report.json")
	if err := errors.Join(os.WriteFile(bad, []byte("{}\nnot json\n"), 0o644),
		os.WriteFile(report, []byte(`{"version": 1, "tool": "rondo-check 0.1.0", "cases": []}`), 0o644)); err != nil {
		t.Fatal(err)
	}
	wrong(t, []mistake{
		{[]string{"rnu"}, `there is no verb "rnu". Did you mean "run"?`},
		{[]string{"speed", "-memory", "big"}, "write a number, such as 1.5"},
		{[]string{"shrink", "x", "-slack", "-1s"}, "not negative, such as 5ms"},
		{[]string{"recheck", report}, "this is a report, not a history"},
		{[]string{"run", "-expect", bad}, "there is no clause"},
		{[]string{"run", "-track", bad}, "no report.json"},
		{[]string{"run", "-track", bad, "-target", "x=h:1"}, "about one server"},
		{[]string{"run", "-addr", "h:1", "-tls", "-cacert", bad}, "no certificate"},
		{[]string{"run", "TIME-3", "-report", bad}, "report's folder"},
		{[]string{"list", "no-such-pattern"}, "no-such-pattern"},
		{[]string{"explain"}, "name a clause"},
		{[]string{"explain", "TIME-9999"}, "there is no clause"},
		{[]string{"recheck"}, "name at least one"},
		{[]string{"convert", "x.edn"}, "file to write"},
		{[]string{"convert", "no-such.edn", "x.jsonl"}, "no-such.edn"},
		{[]string{"shrink"}, "name one history file"},
		{[]string{"shrink", "no-such-file.jsonl"}, "no-such-file.jsonl"},
		{[]string{"recheck", "no-such-file.jsonl"}, "no-such-file.jsonl"},
		{[]string{"recheck", bad}, "line 1"},
		{[]string{"recheck", "-engine", "oracle", bad}, "porcupine or both"},
		{[]string{"mutants", "no-such-fault"}, "no-such-fault"},
		{[]string{"faults", "no-such-fault"}, "no-such-fault"},
		{[]string{"faults", "-window", "1ns"}, "-window"},
		{[]string{"faults", "-addr", "x:1", "-exec", "y"}, "one of them"},
		{[]string{"mutants", "-reactor", ".", "no-such-fault"}, "no fault of the reactor"},
		{[]string{"mutants", "-serve", "no-such-fault"}, "-list"},
		{[]string{"mutants", "-serve", "stale", "read"}, "in quotes"},
		{[]string{"practice", "99"}, "-list names them"},
		{[]string{"help", "no-such-verb"}, "there is no verb"},
	})
}

func TestHelp(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "Where to start"}, {"help", "Exit status"}, {"--help", "Exit status"}, {"-version", "rondo-check"},
		{"help run", "-exec"}, {"run -h", "-exec"}, {"help recheck", `"return":null`},
		{"list TIME-3", "time/TIME-3"}, {"explain TIME3", "Evidence"},
		{"explain time/edge-of-a-deadline", "shows TIME-3"}, {"help help", "Where to start"},
		{"help recheck", `{"error":S}`}, {"explain time-3", "Evidence"}, {"explain order", "LIN-9"},
		{"mutants -list", "EXEC"}, {"mutants -list", "(reactor)"}, {"explain LOOP-8", "reactor any tag"}, {"practice -list", "Yesterday"}, {"practice -answers tie", "Allowed"}, {"help recheck", "-engine"}, {"help speed", "fullg-64"},
		{"help bench", "mset-10"}, {"help rhythm", "expiry-storm"}, {"help detect", "hidden"},
		{"help faults", "slow-loris"},
	} {
		status, stdout, stderr := rondoCheck(t, strings.Fields(c.args)...)
		if status != 0 || !strings.Contains(stdout, c.want) {
			t.Errorf("rondo-check %s: status %d, no %q in %q %q", c.args, status, c.want, stdout, stderr)
		}
	}
}

// TestBench compares redis-server with itself, in every workload.
func TestBench(t *testing.T) {
	t.Parallel() // it mostly waits
	if runtime.GOOS != "linux" {
		t.Skip("the processor time of another process is read from /proc")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: bench is not tried")
	}
	const redis = "=exec:redis-server --port {port} --save ''"
	status, stdout, stderr := rondoCheck(t, "bench", "-target", "a"+redis, "-target", "b"+redis, "-json",
		"-generator", "awake", "-keys", "1234", "-memory-keys", "2000", "-idle-clients", "20", "-idle-wait", "1ms", "-n", "2", "-sample", "20ms", "-clients", "5")
	var r bench.Report
	if err := json.Unmarshal([]byte(stdout), &r); status != 0 || err != nil {
		t.Fatalf("status %d, %v: %s", status, err, stderr)
	}
	if len(r.Rows) < len(bench.Workloads()) || len(r.Sizes) != 6 || r.Sizes[0].Each[0] <= 0 || r.Sizes[2].Each[1] == 0 {
		t.Errorf("%d rows, sizes %v", len(r.Rows), r.Sizes)
	}
	if len(r.Readers) != 2 || r.Readers[0].Closed == 0 || r.Readers[0].Grown < 16<<20 || r.Readers[1].With.N < 4000 {
		t.Errorf("readers %+v", r.Readers)
	}
	for _, row := range r.Rows {
		for _, rep := range row.Samples {
			for _, s := range rep {
				if s.Requests < row.Pipeline {
					t.Errorf("%s: %d requests", row.Workload, s.Requests)
				}
			}
		}
	}
	for args, want := range map[string]string{
		"bench no-such": "help bench", "bench -addr 127.0.0.1:1": "another -addr", "bench -pipeline 1,x": "positive",
	} {
		if status, _, stderr := rondoCheck(t, strings.Fields(args)...); status != exitError || !strings.Contains(stderr, want) {
			t.Errorf("rondo-check %s: status %d, %q", args, status, stderr)
		}
	}
}

// TestRhythm measures redis-server, if it is there, and writes the page.
func TestRhythm(t *testing.T) {
	t.Parallel() // it mostly waits
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: rhythm is not tried")
	}
	dir := t.TempDir()
	status, stdout, stderr := rondoCheck(t, "rhythm", "growth", "keys", "snapshot", "eviction", "del-large", "-keys", "2000", "-string", "1",
		"-target", "redis=exec:redis-server --port {port} --dir {dir} --save ''", "-report", dir)
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, want := range []string{"growth", "snapshot", "keys evicted", "made by SADD", filepath.Join(dir, "index.html")} {
		if !strings.Contains(stdout, want) || strings.Contains(stdout, "skipped") {
			t.Errorf("no %q, or something skipped, in\n%s", want, stdout)
		}
	}
	page, err1 := os.ReadFile(filepath.Join(dir, "index.html"))
	text, err2 := os.ReadFile(filepath.Join(dir, "rhythm.json"))
	var r rhythm.Report
	if err := errors.Join(err1, err2, json.Unmarshal(text, &r)); err != nil || len(r.Rows) != 5 || r.Rows[0].Results[0].Probe.N < 900 {
		t.Errorf("%v: %d rows", err, len(r.Rows))
	}
	if n := strings.Count(string(page), "<svg"); n != 10 {
		t.Errorf("%d pictures on the page of five kinds", n)
	}
}

func TestWrongRhythm(t *testing.T) {
	wrong(t, []mistake{
		{[]string{"rhythm", "no-such"}, "help rhythm"},
		{[]string{"rhythm", "-keys", "0"}, "-keys wants"},
		{[]string{"rhythm", "-addr", "h:1", "-target", "x=h:2"}, "takes the place"},
		{[]string{"rhythm", "-addr", "h:1", "-tls"}, "not defined: -tls"},
		{[]string{"rhythm", "-addr", closedPort(t)}, "nothing listens at"},
		{[]string{"run", "-rhythm", "-target", "x=h:1"}, "side by side"},
	})
}

// TestEvict measures redis-server, if it is there, and writes the page.
func TestEvict(t *testing.T) {
	t.Parallel() // it mostly waits
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: evict is not tried")
	}
	dir := t.TempDir()
	status, stdout, stderr := rondoCheck(t, "evict", "volatile-ttl", "-keys", "1000", "-time", "1s",
		"-target", "redis=exec:redis-server --port {port} --dir {dir} --save ''", "-report", dir)
	if status != 0 || !strings.Contains(stdout, "| volatile-ttl | ") || !strings.Contains(stderr, "index.html") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	if page, err := os.ReadFile(filepath.Join(dir, "index.html")); err != nil || strings.Count(string(page), "<svg") != 2 {
		t.Errorf("%d bytes of a page, %v", len(page), err)
	}
}

func TestWrongEvict(t *testing.T) {
	wrong(t, []mistake{
		{[]string{"evict", "noeviction"}, "help evict"},
		{[]string{"evict", "-keys", "0"}, "want something positive"},
		{[]string{"evict", "-addr", "h:1", "-target", "x=h:2"}, "one of them"},
		{[]string{"evict", "-addr", closedPort(t)}, "nothing listens at"},
	})
}

// TestUsageNamesTheOptions: the first line of recheck's help has all of them, and no help shows a
// default that is none.
func TestUsageNamesTheOptions(t *testing.T) {
	_, help, _ := rondoCheck(t, "help", "recheck")
	usage, options, _ := strings.Cut(help, "\n\n")
	for _, line := range strings.Split(options[strings.Index(options, "Options:"):], "\n")[1:] {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(word, "-") && !strings.Contains(usage, word) {
			t.Errorf("%s is not in %q", word, usage)
		}
	}
	for _, v := range verbs() {
		if _, help, _ := rondoCheck(t, "help", v.name); strings.Contains(help, "(default -") {
			t.Errorf("%s: a default below zero\n%s", v.name, help)
		}
	}
}

func TestWordsAndFlagsInAnyOrder(t *testing.T) {
	_, first, _ := rondoCheck(t, "recheck", "-json", "../../../testdata/history/ok/unknown-increment.jsonl")
	_, last, _ := rondoCheck(t, "recheck", "../../../testdata/history/ok/unknown-increment.jsonl", "-json")
	if !strings.Contains(first, `"verdict": "ok"`) || !strings.Contains(last, `"verdict": "ok"`) {
		t.Errorf("first %q\nlast %q", first, last)
	}
}

func TestExitOfABadHistory(t *testing.T) {
	status, stdout, _ := rondoCheck(t, "recheck", "../../../testdata/history/bad/served-after-deadline.jsonl")
	if status != exitBroken || !strings.Contains(stdout, "TIME-5") || !strings.Contains(stdout, "late") {
		t.Errorf("status %d\n%s", status, stdout)
	}
}

func TestQuoteWord(t *testing.T) {
	for word, want := range map[string]string{
		"": "''", "a-b_c/d.e:1,2": "a-b_c/d.e:1,2", "time/*": "'time/*'", "it's": `'it'\''s'`, "{port}": "'{port}'",
	} {
		if got := quoteWord(word); got != want {
			t.Errorf("quoteWord(%q) = %s, want %s", word, got, want)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestConvert: a history of Jepsen is illegal as it is, and as what it is converted to, there and
// back again.
func TestConvert(t *testing.T) {
	const theirs = "../../history/foreign/testdata/cas.edn"
	ours := filepath.Join(t.TempDir(), "h.jsonl")
	if status, _, stderr := rondoCheck(t, "convert", theirs, ours); status != 0 ||
		!strings.Contains(stderr, "cas failed") {
		t.Fatalf("status %d, %s", status, stderr)
	}
	again := filepath.Join(t.TempDir(), "h.edn")
	if status, _, stderr := rondoCheck(t, "convert", ours, again); status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for _, file := range []string{theirs, ours, again} {
		status, stdout, _ := rondoCheck(t, "recheck", file)
		if status != exitBroken || !strings.Contains(stdout, "LIN-") {
			t.Errorf("%s: status %d\n%s", file, status, stdout)
		}
	}
	status, stdout, _ := rondoCheck(t, "recheck", "../../history/foreign/testdata/operations.json",
		"../../history/foreign/testdata/registers.edn")
	if status != 0 {
		t.Errorf("status %d\n%s", status, stdout)
	}
}

// TestConvertExamples: each example of the help works, in its order, where its files are.
func TestConvertExamples(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"client-1/operations.json": "operations.json",
		"client-2/operations.json": "operations.json", "store/latest/history.edn": "cas.edn"} {
		text, err := os.ReadFile("../../history/foreign/testdata/" + from)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	_, examples, _ := strings.Cut(convertVerb.help, "Examples:\n")
	for line := range strings.Lines(examples) {
		words := strings.Fields(line)[1:]
		if status, _, stderr := rondoCheck(t, words...); status != 0 {
			t.Errorf("%s: status %d, %s", strings.TrimSpace(line), status, stderr)
		}
	}
}

// TestFaults makes faults on a server, which holds what can be held, and not what cannot.
func TestFaults(t *testing.T) {
	t.Parallel() // it mostly waits
	s, addr, err := mutant.Start("")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for wait, want := range map[string]string{"10s": faults.Pass, "1ns": faults.Fail} {
		status, stdout, stderr := rondoCheck(t, "faults", "slow-loris", "descriptors", "-addr", addr, "-window", "500ms",
			"-clients", "100", "-json", "-wait", wait)
		var r faults.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || len(r.Results) != 2 || status != r.Exit() {
			t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
		}
		if r.Results[0].Verdict != want || r.Results[1].Verdict != faults.Skip {
			t.Errorf("%s: %+v", wait, r.Results)
		}
	}
}

// TestMutantTable: whoever survives decides the exit status, and after that whoever could not be run.
func TestMutantTable(t *testing.T) {
	for _, c := range []struct {
		by     string
		err    error
		status int
	}{{"some test", nil, 0}, {"", errors.New("no tree"), exitError}, {"", nil, exitBroken}} {
		var out strings.Builder
		table := (&app{stdout: &out}).mutantTable()
		table.row("LOOP-1", "killed", "a test", "", time.Second, nil)
		table.row("LOOP-2", "another", c.by, "It lives.", 0, c.err)
		if status := table.end(); status != c.status {
			t.Errorf("status %d and not %d:\n%s", status, c.status, &out)
		}
	}
}

// TestServeMutant: the server of the README is caught, by the line of the README, and stops with the
// context.
func TestServeMutant(t *testing.T) {
	addr := closedPort(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		a := &app{ctx: ctx, stdout: io.Discard, stderr: io.Discard}
		ended <- a.main([]string{"mutants", "-serve", "stale read", "-addr", addr})
	}()
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	status, out, _ := rondoCheck(t, "run", "-quick", "history/register", "-addr", addr, "-report", "")
	if status != exitBroken || !strings.Contains(out, "illegal  history/register") {
		t.Errorf("status %d\n%s", status, out)
	}
	stop()
	if status := <-ended; status != 0 {
		t.Errorf("the server ends with status %d", status)
	}
	readme, err := os.ReadFile("../../../README.md")
	const line = "rondo-check mutants -serve 'stale read' -addr 127.0.0.1:{port}"
	if err != nil || !strings.Contains(string(readme), line) || !strings.Contains(mutantsVerb.help, line) {
		t.Errorf("%v: README and help show no %q", err, line)
	}
}
