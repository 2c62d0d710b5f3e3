package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/suite"
	"rondo/check/wire"
	"rondo/model"
)

// pageBytesMax is what a browser opens at once, on a phone too.
const pageBytesMax = 5 << 20

// hostile is a run in which everything is as long as a server and a harness can make it: thousands
// of broken components, each with a large core of long words, every case failed with megabytes of
// reply, a long wire log, many faults from outside.
func hostile() *Run {
	r := failed()
	long := strings.Repeat("<b>&\x00\xff ", 20_000)
	var log []wire.Entry
	for i := range 400 {
		log = append(log, wire.Entry{At: time.Duration(i), Out: i%2 == 0, Bytes: []byte(long)})
	}
	r.Cases = nil
	for i := range 300 {
		r.Cases = append(r.Cases, FromCase(suite.Result{Name: fmt.Sprintf("wire/case-%d", i), Clauses: []string{"WIRE-1"},
			Verdict: suite.Fail, Reason: long, Expected: long, Actual: long, Wire: log, Replay: "rondo-check run"}))
	}
	h := History{Name: "history/full", Verdict: HistoryIllegal, Ops: 100_000, Clients: 64, Components: 5000}
	for i := range 300 {
		ops := 2
		if i%100 == 0 {
			ops = 200
		}
		v := hostileViolation(i, ops, long[:2000])
		h.Add([]Finding{{v.Clause, v.Cause, 1}}, v)
	}
	h.Faults = FaultsOf(make([]history.Mark, 100_000))
	r.Histories = []History{h}
	r.TabulateClauses()
	return r
}

func hostileViolation(i, ops int, long string) Violation {
	v := Violation{Clause: fmt.Sprintf("LIN-%d", i%9+1), Keys: make([]string, 100),
		Sentence: fmt.Sprintf("%s answered %d", long, i), Cause: "cause " + strings.Repeat("x", i%40)}
	value := model.Str(long)
	for k := range v.Keys {
		v.Keys[k] = fmt.Sprint("key", k)
	}
	for n := range 40 {
		v.Why = append(v.Why, fmt.Sprintf("  t%d <= 3 since k answered %s", n, long))
	}
	v.Why[0] = []string{"t1, t2, ... are", "after nothing:"}[i%2]
	for n := range ops {
		at := int64(i*1_000_000 + n*1000)
		op := history.Op{Client: n % 64, Call: at, Return: at + 5000, Cmd: bytesOf("SET", "k", long, "PX", "60000"), Reply: &value}
		if n%7 == 0 {
			op.Return, op.Reply = history.Never, nil
		}
		v.Core = append(v.Core, op)
		v.Steps = append(v.Steps, fmt.Sprintf("client %d  [%d, %d] ms  %s", op.Client, at, at+5000, long))
		v.Marks = append(v.Marks, history.Mark{Name: long, From: at, To: history.Never})
	}
	return v
}

// TestBounds: no run is too large for its page, and what is left out is said.
func TestBounds(t *testing.T) {
	r := hostile()
	for name, write := range formats {
		var buf bytes.Buffer
		if err := write(&buf, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%s: %d bytes", name, buf.Len())
		if name == "html" && buf.Len() > pageBytesMax {
			t.Errorf("the page has %d bytes, at most %d are wanted", buf.Len(), pageBytesMax)
		}
		if name == "html" && !strings.Contains(buf.String(), "more findings, in report.json") {
			t.Error("the page does not say that findings are left out")
		}
		if name != "json" && name != "html" && buf.Len() > 8<<20 {
			t.Errorf("%s has %d bytes", name, buf.Len())
		}
	}
}

var formats = map[string]func(io.Writer, *Run) error{
	"text": func(w io.Writer, r *Run) error { return Text(w, r, true) },
	"json": JSON, "junit": JUnit, "html": HTML,
}

// TestOddRuns: a run that came to nothing still makes a page that says so.
func TestOddRuns(t *testing.T) {
	for _, c := range []struct {
		name string
		run  Run
		want string
	}{
		{"nothing", Run{}, "No verdict"},
		{"stopped", Run{Stopped: "stopped after 1s", Cases: []Case{{Name: "a/b", Verdict: "pass"}, {Name: "a/c", Verdict: NotRun}}},
			"Stopped after 1s: Nothing broken was found, and not all was run: 1 of 2 cases pass."},
		{"an error", Run{Histories: []History{{Name: "h", Verdict: HistoryError, Reason: "dial: refused"}}}, "dial: refused"},
		{"skips", Run{Cases: []Case{{Name: "a/b", Verdict: "skip", Reason: "no FLUSHALL"}}}, "no FLUSHALL"},
		{"a bare violation", Run{Histories: []History{{Name: "h", Verdict: HistoryIllegal,
			Findings:   []Finding{{"CONN-1", "", 1}},
			Violations: []Violation{{Clause: "CONN-1", Sentence: "a reply too many"}}}}}, "a reply too many"},
	} {
		c.run.TabulateClauses()
		for name, write := range formats {
			var buf bytes.Buffer
			if err := write(&buf, &c.run); err != nil {
				t.Errorf("%s, %s: %v", c.name, name, err)
			}
			if name == "html" && !strings.Contains(buf.String(), c.want) {
				t.Errorf("%s: the page lacks %q", c.name, c.want)
			}
		}
	}
}

// TestFindings: each finding of the judge counts as often as it says, whatever is kept of it, and shows
// its smallest example; what is proven comes first, then what is frequent; one without an example is
// not shown.
func TestFindings(t *testing.T) {
	components := []linear.Component{}
	for _, c := range []struct {
		clause, cause string
		ops           int
		unproven      bool
	}{{"TIME-5", "late", 4, false}, {"LIN-3", "no order", 3, false}, {"TIME-5", "late", 2, false},
		{"TIME-5", "early", 5, false}, {"LIN-3", "not proven", 2, true}, {"LIN-3", "not looked into", 0, false}} {
		components = append(components, linear.Component{Verdict: linear.Illegal, Clause: c.clause, Cause: c.cause,
			Core: make([]history.Op, c.ops), Unproven: c.unproven})
	}
	judged := []linear.Finding{{Clause: "LIN-3", Cause: "not looked into", Count: 900},
		{Clause: "LIN-3", Cause: "not proven", Count: 40}, {Clause: "LIN-3", Cause: "no order", Count: 3},
		{Clause: "TIME-5", Cause: "early", Count: 2}, {Clause: "TIME-5", Cause: "late", Count: 2}}
	h := History{}
	h.Add(FromFindings(judged), FromComponents(components[:3])...)
	h.Add([]Finding{{"TIME-5", "late", 10}}, FromComponents(components[2:])...)
	var got []string
	for _, f := range h.Shown() {
		got = append(got, fmt.Sprintf("%s %s %d of %d", f.Clause, f.Cause, f.Count, len(f.Smallest.Core)))
	}
	want := "TIME-5 late 12 of 2, LIN-3 no order 3 of 3, TIME-5 early 2 of 5, LIN-3 not proven 40 of 2"
	if s := strings.Join(got, ", "); s != want || h.Hidden() != 0 {
		t.Errorf("findings: %s, %d hidden", s, h.Hidden())
	}
}

// TestScale: moments keep their order and stay on the drawing, and a long gap leaves room for the
// short operations beside it.
func TestScale(t *testing.T) {
	moments := []int64{0, 100_000, 150_000, 60_000_000_000, 60_000_200_000}
	s := newScale(moments, 100, 1000)
	last := 99.0
	for _, m := range moments {
		x := s.x(m)
		if x <= last || x > 1000 {
			t.Errorf("%d ns stands at %.1f, after %.1f", m, x, last)
		}
		last = x
	}
	if s.x(100_000)-s.x(0) < 50 {
		t.Errorf("an operation of 0.1 ms is %.1f wide beside a gap of a minute", s.x(100_000)-s.x(0))
	}
	for _, tick := range s.ticks(0) {
		if x := s.x(tick.ns); x < 100 || x > 1000 {
			t.Errorf("a tick %s at %.1f", tick.label, x)
		}
	}
	if one := newScale([]int64{5}, 0, 100); one.x(5) < 0 || one.x(5) > 100 || len(one.ticks(0)) == 0 {
		t.Error("a single moment has no place")
	}
}

// TestFacts: each fact of a chain finds its place on the drawing.
func TestFacts(t *testing.T) {
	v := failed().Histories[0].Violations[0]
	want := []fact{{op: 0, edge: atReturn}, {op: 1, edge: atReply}, {op: 1, edge: atCall}}
	got := v.facts()
	if len(got) != len(want) {
		t.Fatalf("%d facts of %d", len(got), len(want))
	}
	for i, f := range got {
		if f.op != want[i].op || f.edge != want[i].edge {
			t.Errorf("%q stands at operation %d, edge %d; want %d, %d", f.text, f.op, f.edge, want[i].op, want[i].edge)
		}
	}
	if drawn := strings.Count(string(Timeline(v)), `class="fact"`); drawn != len(frames)*len(want) {
		t.Errorf("%d facts are drawn of %d, %d times", drawn, len(want), len(frames))
	}
	v.Why = []string{"after GET: absent", "  SET would answer nil"}
	if v.facts() != nil || len(v.Table()) != 2 {
		t.Error("a table of orders is taken for a chain of facts")
	}
}

// TestFrames: in every frame bars, breaks and labels, however long, stay inside, in the order of time.
func TestFrames(t *testing.T) {
	ok := model.OK()
	v := failed().Histories[0].Violations[0]
	for i := range int64(11) { // ever longer gaps: the axis breaks at most of them
		at := int64(20_000_000) << (3 * i)
		v.Core = append(v.Core, history.Op{Client: int(i), Call: at, Return: at + 1000, Reply: &ok,
			Cmd: bytesOf("SET", "k", strings.Repeat("W", 1000))})
	}
	for _, f := range frames {
		d := &drawing{v: v, culprit: len(v.Core) - 1, frame: f}
		d.svg()
		last := 0.0
		for i := range d.bars {
			b := &d.bars[i]
			if from, to := d.extent(b); from < drawLeft || to > f.width || b.left < last {
				t.Errorf("%s: operation %d covers %.0f to %.0f, after %.0f", f.class, b.number, from, to, last)
			}
			last = b.left
		}
		for _, p := range d.pieces {
			if p.x1 < p.x0 {
				t.Errorf("%s: a piece from %.0f to %.0f", f.class, p.x0, p.x1)
			}
		}
	}
}
