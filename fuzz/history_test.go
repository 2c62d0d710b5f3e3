package fuzz

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rondo/check"
	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/report"
	"rondo/testdata"
)

// FuzzHistory: the bytes are a file of recorded operations, and what `recheck` does with one is done to
// it: it is read, at once and as a stream, validated, judged, explained and reported. None of this
// panics or takes more memory or time than a bound; an error names a line; and a history that is
// written down again is judged the same.
func FuzzHistory(f *testing.F) {
	for _, pattern := range []string{"history/*/*.jsonl", "practice/*.jsonl"} {
		files, err := testdata.Match(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			if len(file.Text) <= historyBytesMax {
				addSeed(f, []byte(file.Text))
			}
		}
	}
	for _, text := range historyForms {
		addSeed(f, []byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > historyBytesMax {
			return
		}
		defer withinBounds(t)()
		h, err := history.Read(bytes.NewReader(text))
		if streamed := streamOf(text); (err == nil) != (streamed == nil) {
			t.Fatalf("read at once: %v; as a stream: %v", err, streamed)
		}
		if err != nil {
			namesLine(t, err, bytes.Count(text, []byte("\n"))+1)
			return
		}
		rewritten(t, h)
		rechecked(t, dir, text)
	})
}

// historyForms are what a file may hold and the recorded ones do not, and some that it may not.
var historyForms = []string{
	`{"meta":{"target":"t","seed":7,"slack":1000000,"profile":"live","offset":{"low":1700000000000000000,` +
		`"high":1700000000000002000},"start":[{"key":"k","value":{"b64":"/w=="},"deadline":1700000000005},` +
		`{"db":3,"key":"k","value":""}],"maxDisorder":2000000}}
{"mark":"kill","from":1,"to":null,"outcome":"exit status 0"}
{"client":1,"call":1,"return":2,"cmd":["HGETALL","k"],"reply":{"map":[["a",{"double":"1.5"}],["b",{"bool":true}]]}}
{"client":1,"call":3,"return":4,"cmd":["SMEMBERS","k"],"reply":{"set":["a",null,{"b64":"/w=="}]},"db":3}
{"client":2,"call":3,"return":9,"cmd":["EXEC"],"body":[["SET","k","\u00e9\n"],["NOSUCH"]],"reply":[{"simple":"OK"},{"error":"ERR x"}]}
{"client":3,"call":5,"return":null,"cmd":["INCR","n"],"n":1}
{"client":3,"call":6,"return":null,"cmd":["GET",{"b64":"/w=="}],"n":2}
`,
	`{"client":1,"call":1000000,"return":1310000,"cmd":["SET","k","v","PX","8"],"reply":{"simple":"OK"}}
{"client":2,"call":2000000,"return":2310000,"cmd":["PTTL","k"],"reply":12}
{"client":2,"call":3000000,"return":3310000,"cmd":["WATCH","k"],"reply":{"simple":"OK"}}
{"client":1,"call":4000000,"return":4310000,"cmd":["PERSIST","k"],"reply":1}
{"client":2,"call":5000000,"return":5310000,"cmd":["EXEC"],"body":[["TTL","k"],["RENAME","k","j"]],"reply":[-1,{"simple":"OK"}]}
{"client":1,"call":6000000,"return":6310000,"cmd":["MGET","k","j"],"reply":[null,"w"]}
`,
	`{"client":1,"call":9223372036854775806,"return":9223372036854775807,"cmd":["TIME"],"reply":["1","2"]}`,
	`{"client":-1,"call":-9223372036854775808,"return":0,"cmd":["PEXPIRE","k","9223372036854775807"],"reply":1}
{"client":-1,"call":1,"return":2,"cmd":["PTTL","k"],"reply":9223372036854775807}`,
	"{}\n{\"meta\":{}}\n", "[1]\n", "{\"client\":1,\"call\":2,\"return\":3,\"cmd\":[\"GET\",\"\\ud800\"],\"reply\":1e3}\n",
}

const (
	historyBytesMax = 6 << 10
	historyHeapMax  = 2 << 30          // of a process that has judged many histories
	historyCPUMax   = 20 * time.Second // of all threads; a search may take all of its time in parallel
	judgeTimeout    = 500 * time.Millisecond
)

// withinBounds measures what is done until the function it returns is called.
func withinBounds(t *testing.T) func() {
	before := cpuTime()
	return func() {
		if took := cpuTime() - before; took > historyCPUMax {
			t.Errorf("took %v of processor time", took)
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapSys > historyHeapMax {
			t.Errorf("the heap has grown to %d MiB", m.HeapSys>>20)
		}
	}
}

// streamOf reads a file to its end as a stream.
func streamOf(text []byte) error {
	in, err := history.NewReader(bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer in.Close()
	for {
		if _, err := in.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func namesLine(t *testing.T, err error, lines int) {
	number, _, ok := strings.Cut(strings.TrimPrefix(err.Error(), "line "), ": ")
	if n, bad := strconv.Atoi(number); !ok || bad != nil || n < 1 || n > lines {
		t.Fatalf("no line of %d is named: %v", lines, err)
	}
}

// rewritten: what was read is written, read again, and is the same; and so is the verdict.
func rewritten(t *testing.T, h *history.History) {
	var text bytes.Buffer
	if err := history.Write(&text, h); err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	again, err := history.Read(&text)
	if err != nil || !reflect.DeepEqual(again, h) {
		t.Fatalf("written and read again it is\n%+v\n%v, and was\n%+v", again, err, h)
	}
	first, second := judged(t, h), judged(t, again)
	if first != second && first != linear.Unknown && second != linear.Unknown {
		t.Fatalf("judged %s, and %s when it was written and read again", first, second)
	}
}

// judged checks a history, and what the judge has to say about it.
func judged(t *testing.T, h *history.History) linear.Verdict {
	res := linear.Check(h, linear.Options{Timeout: judgeTimeout, Memory: 64 << 20})
	impossible := h.Validate() != nil
	if impossible != (res.Verdict == linear.Error) {
		t.Fatalf("%s (%s), and validation says %v", res.Verdict, res.Reason, h.Validate())
	}
	if res.Verdict != linear.OK && res.Reason == "" {
		t.Fatalf("%s for no reason", res.Verdict)
	}
	for _, c := range res.Components {
		if c.Verdict == linear.Illegal && len(c.Core) > 0 && c.Sentence == "" {
			t.Fatalf("illegal, with a core of %d operations and no sentence", len(c.Core))
		}
	}
	return res.Verdict
}

// rechecked runs the verb itself, to the report in each of its forms.
func rechecked(t *testing.T, dir string, text []byte) {
	file := filepath.Join(dir, strconv.Itoa(os.Getpid())+".jsonl")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	run, _, err := check.Recheck([]string{file}, check.Options{Timeout: judgeTimeout, Unmeasured: true})
	if err != nil {
		t.Fatalf("what can be read cannot be judged: %v", err)
	}
	for name, write := range map[string]func(io.Writer, *report.Run) error{
		"HTML": report.HTML, "JSON": report.JSON, "JUnit": report.JUnit,
	} {
		if err := write(io.Discard, run); err != nil {
			t.Fatalf("the %s report: %v", name, err)
		}
	}
}

// FuzzJudge: bytes become clients whose operations overlap, and the model plays the server: each
// operation takes effect at an instant between call and return. Such a history is never illegal.
// One whose server expires keys late or early, or with a reply that was changed, may be either; but
// the two engines and the one that judges while operations arrive say the same.
func FuzzJudge(f *testing.F) {
	for seed := range uint64(60) {
		addSeed(f, noise(seed+200, 40+int(seed)*2))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPlay(&reader{data})
		h, honest := p.history()
		if err := h.Validate(); err != nil {
			t.Fatalf("what was made cannot be: %v", err)
		}
		res := linear.Check(h, linear.Options{Timeout: 10 * time.Second, Engine: linear.Both, Memory: 256 << 20})
		if honest && res.Verdict != linear.OK || res.Verdict == linear.Error {
			t.Fatalf("%s: %s; honest: %v\n%s", res.Verdict, res.Reason, honest, linesOf(h))
		}
		arriving := monitored(t, h)
		if arriving != res.Verdict && arriving != linear.Unknown && res.Verdict != linear.Unknown {
			t.Fatalf("%s at once, %s while operations arrive\n%s", res.Verdict, arriving, linesOf(h))
		}
	})
}

// monitored judges a history as if it were still going on.
func monitored(t *testing.T, h *history.History) linear.Verdict {
	meta := h.Meta
	meta.MaxDisorder = 1
	m := linear.NewMonitor(meta, linear.Options{Timeout: 10 * time.Second, Memory: 256 << 20})
	for _, op := range h.Ops {
		if err := m.Add(op); err != nil {
			t.Fatalf("the recording cannot be: %v\n%s", err, linesOf(h))
		}
	}
	return m.Close().Verdict
}

func linesOf(h *history.History) string {
	var b strings.Builder
	if err := history.Write(&b, h); err != nil {
		return err.Error()
	}
	return b.String()
}

// inCallOrder sorts operations as a recorder hands them on.
func inCallOrder(ops []history.Op) {
	slices.SortStableFunc(ops, func(a, b history.Op) int {
		return int(min(1, max(-1, a.Call-b.Call)))
	})
}
