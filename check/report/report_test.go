package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/rhythm"
	"rondo/check/suite"
	"rondo/check/wire"
	"rondo/model"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func bytesOf(s ...string) [][]byte {
	out := make([][]byte, len(s))
	for i, w := range s {
		out[i] = []byte(w)
	}
	return out
}

// failed is a run in which everything that can go wrong did.
func failed() *Run {
	ok, v := model.OK(), model.Str("v7")
	r := &Run{
		Version: FormatVersion, Tool: "rondo-check 0.1.0", Seed: 7,
		Command: "rondo-check run -addr 127.0.0.1:6379 -seed 7",
		Target:  Target{Name: "example 1.0", Addr: "127.0.0.1:6379", Profile: "frozen"},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), TookMs: 12345,
	}
	for _, res := range []suite.Result{
		{Name: "time/TIME-3", Clauses: []string{"TIME-3"}, Verdict: suite.Fail, Reason: "line 4: the reply differs",
			Sent: "> GET k", Expected: "nil (line 4 of spec/6-time.md)", Actual: `"<v> & more"`, Took: 61 * time.Millisecond,
			Replay: "rondo-check run time/TIME-3 -addr 127.0.0.1:6379 -seed 7",
			Wire: []wire.Entry{
				{At: 10 * time.Microsecond, Out: true, Bytes: []byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")},
				{At: 95 * time.Microsecond, Bytes: []byte("$10\r\n<v> & more\r\n")},
			}},
		{Name: "wire/WIRE-1", Clauses: []string{"WIRE-1"}, Verdict: suite.Pass, Took: 2 * time.Millisecond},
		{Name: "time/lag", Clauses: []string{"TIME-16"}, Verdict: suite.NonStrict, Reason: "due keys stay for 4.2 s"},
		{Name: "conn/unix-socket", Clauses: []string{"CONN-30"}, Verdict: suite.Skip, Reason: "the target offers no unix socket"},
		{Name: "conn/reset", Clauses: []string{"CONN-28"}, Verdict: suite.Error, Reason: "dial: connection refused"},
	} {
		r.Cases = append(r.Cases, FromCase(res))
	}
	r.Histories = []History{
		{Name: "history/expiry", File: "histories/expiry.jsonl", Verdict: HistoryIllegal, Reason: "1 of 40 components is illegal",
			Ops: 6000, Clients: 16, Components: 40, Recheck: "rondo-check recheck report/histories/expiry.jsonl", TookMs: 900,
			Clauses: []string{"LIN-3"}, Figures: []Figure{{"overlapping pairs", "41 %", false}, {"power", "1 ms", true}},
			Findings: []Finding{{"TIME-5", "a key is served after its deadline", 1}},
			Violations: []Violation{{
				Clause: "TIME-5", Keys: []string{"{r1.3}a"}, Origin: 1_000_000,
				Sentence: `GET {r1.3}a by client 5 at [12.100, 12.400] ms answered "v7" although the deadline lies in ` +
					"[7.000, 8.310] ms: served at least 3 ms late",
				Cause: "a key is served after its deadline",
				Why: []string{
					"t1, t2, ... are the readings of the server's clock, in ms since the first call:",
					"  t1 <= 0       since SET {r1.3}a v7 PX 8 had returned at 0.310 ms",
					`  t2 <= t1 + 8  since GET {r1.3}a answered "v7"`,
					"  t2 >= 12      since GET {r1.3}a was called at 12.100 ms",
					"together these miss each other by 4 ms",
				},
				Steps: []string{
					`client 3  [0.000, 0.310] ms  SET {r1.3}a v7 PX 8 -> +OK`,
					`client 5  [12.100, 12.400] ms  GET {r1.3}a -> "v7"`,
				},
				Core: []history.Op{
					{Client: 3, Call: 1_000_000, Return: 1_310_000, Cmd: bytesOf("SET", "{r1.3}a", "v7", "PX", "8"), Reply: &ok},
					{Client: 5, Call: 13_100_000, Return: 13_400_000, Cmd: bytesOf("GET", "{r1.3}a"), Reply: &v},
				},
			}}},
		{Name: "history/lock", Verdict: HistoryUnknown, Reason: "1 of 9 components is undecided", Ops: 5000, Clients: 64, Components: 9,
			Undecided: []Undecided{{Keys: []string{"{r1.7}a"}, Ops: 900, Clients: 64, Reason: "1 GiB was reached at 212.250 ms"}},
			Faults:    []Fault{{Name: "kill -STOP 4711", From: 2e9, To: 2_050_000_000, Outcome: "exit status 0"}, {Name: "cut", From: 3e9}}, FaultTally: FaultTally{Run: 2, Failed: 1, Failure: "exit status 3"},
			Recheck: "rondo-check recheck report/histories/lock.jsonl"},
		{Name: "history/tx", Verdict: HistoryVacuous, Reason: "no two operations overlapped", Ops: 10, Clients: 1, Components: 1},
	}
	r.Clauses = []ClauseRow{
		{ID: "TIME-3", Level: "MUST", Text: "A key is expired if and only if now > deadline.", Verdict: "fail", Cases: []string{"time/TIME-3"}},
		{ID: "TIME-5", Level: "MUST", Text: "No command sees a key after its deadline.", Verdict: "illegal"},
	}
	r.Power = &Power{Mutants: 2, Killed: 1, Rows: []PowerRow{
		{Name: "NX ignored", Does: "SET NX overwrites.", Clauses: []string{"STR-2"}, By: "spec/STR-2/1", TookMs: 12},
		{Name: "endless line", Does: "A line without an end is waited for.", Clauses: []string{"WIRE-12"}, TookMs: 900}}}
	r.Detection = &Detection{Conditions: "10 histories", Slacks: []string{"0s", "1ms"}, TookMs: 7, Rows: []DetectionRow{
		{"none", []DetectionCell{{"0", "0", false}, {"0", "0", false}}},
		{"late & early", []DetectionCell{{"10 (80)", "10 (70)", false}, {"9 (80)", "10", true}}}}}
	return r
}

func TestDetectionMarkdown(t *testing.T) {
	var b strings.Builder
	d := failed().Detection
	if err := d.Markdown(&b); err != nil || d.Below() != 1 ||
		!strings.Contains(b.String(), "| late & early | 10 (80) / 10 (70) | **9 (80)** / 10 |") {
		t.Errorf("%d below, %v\n%s", d.Below(), err, b.String())
	}
}

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *Run) error{
		"failed.txt":  func(w io.Writer, r *Run) error { return Text(w, r, false) },
		"failed.json": JSON, "failed.xml": JUnit, "failed.html": HTML,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, failed()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, got.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s; look at it with `go test ./check/report -update` and git diff\n%s", path, got)
	}
}

// TestFailuresAreFailures: in JUnit a broken clause is a failure and trouble of the harness an
// error, and the counts say so.
func TestFailuresAreFailures(t *testing.T) {
	var buf bytes.Buffer
	if err := JUnit(&buf, failed()); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(buf.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 8 || got.Failures != 2 || got.Errors != 3 || got.Skipped != 1 {
		t.Errorf("tests %d failures %d errors %d skipped %d; want 8, 2, 3, 1", got.Tests, got.Failures, got.Errors, got.Skipped)
	}
}

func TestJSONReadsBack(t *testing.T) {
	var buf bytes.Buffer
	if err := JSON(&buf, failed()); err != nil {
		t.Fatal(err)
	}
	var got Run
	if err := json.Unmarshal(buf.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Exit() != 1 || got.Cases[0].Name != "time/TIME-3" || got.Histories[0].Violations[0].Clause != "TIME-5" {
		t.Errorf("read back %+v", got)
	}
}

// standsAlone wants a page that asks for nothing else.
func standsAlone(t *testing.T, page string) {
	t.Helper()
	for _, bad := range []string{"src=", "@import", "http://", "https://", "<link"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
}

func TestPageStandsAlone(t *testing.T) {
	var buf bytes.Buffer
	if err := HTML(&buf, failed()); err != nil {
		t.Fatal(err)
	}
	page := buf.String()
	standsAlone(t, page)
	if strings.Contains(page, `"<v> & more"`) {
		t.Error("a value is markup")
	}
	for _, want := range []string{"<svg", "served at least 3 ms late", "rondo-check recheck", "&lt;v&gt; &amp; more"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestExit(t *testing.T) {
	verdicts := func(cases, histories string) *Run {
		r := &Run{}
		for _, v := range strings.Fields(cases) {
			r.Cases = append(r.Cases, Case{Verdict: strings.ReplaceAll(v, "not-run", NotRun)})
		}
		for _, v := range strings.Fields(histories) {
			r.Histories = append(r.Histories, History{Verdict: strings.ReplaceAll(v, "not-run", NotRun)})
		}
		return r
	}
	for _, c := range []struct {
		cases, histories string
		want             int
	}{
		{"pass skip non-strict info", "ok", 0},
		{"pass fail error", "unknown", 1},
		{"pass", "illegal vacuous error", 1},
		{"pass error", "unknown", 3},
		{"pass", "ok unknown", 2},
		{"pass", "vacuous", 2},
		{"pass", "error", 3},
		{"skip skip", "", 2},
		{"skip pass", "", 0},
		{"pass not-run", "ok", 2}, // of a run that was stopped
		{"pass fail", "not-run", 1},
		{"pass error", "ok not-run", 3},
		{"", "", 3}, // nothing ran: that is no success
	} {
		if got := verdicts(c.cases, c.histories).Exit(); got != c.want {
			t.Errorf("cases %q histories %q: exit %d, want %d", c.cases, c.histories, got, c.want)
		}
	}
}

// TestClauseRows: the worst verdict shows, a test outranks a skip, and of an illegal history only
// the clause named by its violation is broken.
func TestClauseRows(t *testing.T) {
	r := &Run{
		Cases: []Case{
			{Name: "a", Clauses: []string{"TIME-3"}, Verdict: "skip"}, {Name: "b", Clauses: []string{"TIME-3"}, Verdict: "pass"},
			{Name: "c", Clauses: []string{"TIME-4"}, Verdict: "pass"}, {Name: "e", Clauses: []string{"TIME-3"}, Verdict: NotRun}, {Name: "d", Clauses: []string{"TIME-4"}, Verdict: "fail"},
		},
		Histories: []History{{Name: "h", Verdict: HistoryIllegal, Clauses: []string{"LIN-1", "TIME-5"},
			Violations: []Violation{{Clause: "TIME-5"}}}},
	}
	r.TabulateClauses()
	got := map[string]string{}
	for _, row := range r.Clauses {
		got[row.ID] = row.Verdict
	}
	want := map[string]string{"TIME-3": "pass", "TIME-4": "fail", "TIME-5": "illegal", "LIN-1": "not run", "WIRE-1": "not run"}
	for id, verdict := range want {
		if got[id] != verdict {
			t.Errorf("%s is %q, want %q", id, got[id], verdict)
		}
	}
}

// TestUnprovenAccusesNobody: of a core that proves nothing the drawing marks no operation.
func TestUnprovenAccusesNobody(t *testing.T) {
	v := failed().Histories[0].Violations[0]
	proven := Timeline(v)
	v.Unproven = true
	if drawn := Timeline(v); !strings.Contains(string(proven), "✗") || strings.Contains(string(drawn), "✗") {
		t.Errorf("with a proof\n%s\nwithout\n%s", proven, drawn)
	}
}

// sick is a rhythm report of a server that stands still for a second, beside one that cannot be
// measured.
func sick() *rhythm.Report {
	steps := []rhythm.Step{{Part: 0.5, Ms: 0.05}, {Part: 0.99, Ms: 900}, {Part: 0.9995, Ms: 1000}}
	return &rhythm.Report{Rate: 1000, Servers: []rhythm.Named{{Name: "sick"}, {Name: "<gone>"}}, Rows: []rhythm.Row{{
		Kind: "keys", Title: "KEYS * of 1,000 keys", Results: []rhythm.Result{{
			WorkMs: 1000, Probe: rhythm.Quantiles{N: 1000, P50: 0.05, P99: 900, P999: 1000, Max: 1000},
			Columns:        []rhythm.Column{{At: -300, Mid: 0.05, Max: 0.1}, {At: 0, Mid: 990, Max: 1000}, {At: 900, Mid: 95, Max: 100}},
			ControlColumns: []rhythm.Column{{At: -300, Mid: 0.05, Max: 0.1}, {At: 900, Mid: 0.05, Max: 0.1}},
			Curve:          steps, ControlCurve: steps[:1], Lag: &rhythm.Lag{Keys: 10, P50: 5, P99: 9, Max: 9, Left: 1},
			Targets: []rhythm.Target{{What: "p99 at most 50 ms late", Met: false}},
		}, {Error: "the <server> has gone"}},
	}}}
}

func TestRhythmPage(t *testing.T) {
	var page, within bytes.Buffer
	r := failed()
	r.Rhythm = sick()
	if err := errors.Join(RhythmHTML(&page, sick()), HTML(&within, r)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "sick let others wait longest at keys: 1000 ms.") {
		t.Error("the page does not begin with the worst")
	}
	for _, text := range []string{page.String(), within.String()} {
		standsAlone(t, text)
		for _, want := range []string{"<svg", "the &lt;server&gt; has gone", "&gt; 9.00", "p99 at most 50 ms late", "max 1000 ms", ">missed<",
			"M46.0 136.0V145.6"} { // the quiet before the work: from 0.05 to 0.1 ms on a scale from 0.01 to 1000
			if !strings.Contains(text, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || strings.Contains(text, "<gone>") {
			t.Error("the page has coordinates that are no numbers, or a name that is markup")
		}
	}
}

// TestLabelWithoutTag: who has waited is answered with the name of a key, of which no label has room for
// all.
func TestLabelWithoutTag(t *testing.T) {
	reply := model.Arr(model.Str("rondo:{dn8ev8vyfc1l.4}a"), model.Str("50"))
	op := history.Op{Cmd: [][]byte{[]byte("BLPOP"), []byte("rondo:{dn8ev8vyfc1l.4}a"), []byte("0")}, Reply: &reply}
	want := `BLPOP a 0 → ["a", "50"]`
	if got := label(op, "rondo:{dn8ev8vyfc1l.4}", labelChars); !strings.EqualFold(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestWaits: who was overtaken has a band for the time in which it waited.
func TestWaits(t *testing.T) {
	null := model.Reply{Kind: model.NullArray}
	reply := model.Arr(model.Str("q"), model.Str("x"))
	v := Violation{Clause: "BLOCK-5", Core: []history.Op{
		{Client: 1, Call: 0, Return: 10_300_000, Cmd: [][]byte{[]byte("BLPOP"), []byte("q"), []byte("0.01")}, Reply: &null},
		{Client: 2, Call: 1_900_000, Return: 4_400_000, Cmd: [][]byte{[]byte("BLPOP"), []byte("q"), []byte("0")}, Reply: &reply},
	}}
	figure := string(Timeline(v))
	if strings.Count(figure, `class="waits"`) != len(frames) || !strings.Contains(figure, ">1 waits<") {
		t.Error(figure)
	}
	if v.Clause = "LIN-3"; strings.Contains(string(Timeline(v)), `class="waits"`) {
		t.Error("a band without a meaning")
	}
}
