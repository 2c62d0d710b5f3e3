package report

import (
	"bytes"
	"strings"
	"testing"

	"rondo/check/history"
)

// TestFaultless: a run that asked for faults and had none, or only ones that failed, is no good
// verdict about them; what is broken stays broken.
func TestFaultless(t *testing.T) {
	done, failed := history.Mark{Outcome: "exit status 0: ok"}, history.Mark{Outcome: "exit status 127: sh: nosuch"}
	for name, c := range map[string]struct {
		marks   []history.Mark
		verdict string
		exit    int
		want    string
	}{
		"one was run":    {[]history.Mark{failed, done}, HistoryOK, 0, "faults     2 run, 1 failed (exit status 127: sh: nosuch); none during history/tx"},
		"none was run":   {nil, HistoryOK, 2, "-duration 1m"},
		"all failed":     {[]history.Mark{failed, failed}, HistoryOK, 2, "all 2 failed (exit status 127: sh: nosuch)"},
		"and is illegal": {nil, HistoryIllegal, 1, "breaks the specification"},
		"and is unknown": {nil, HistoryUnknown, 2, "No verdict on some histories"},
	} {
		r := &Run{Fault: "nosuch", Histories: []History{{Name: "history/full", Verdict: c.verdict},
			{Name: "history/tx", Verdict: HistoryOK}}}
		r.Histories[0].FaultTally.Count(c.marks)
		var text bytes.Buffer
		if err := Text(&text, r, false); err != nil || r.Exit() != c.exit || !strings.Contains(text.String(), c.want) {
			t.Errorf("%s: exit %d, want %d and %q in\n%s", name, r.Exit(), c.exit, c.want, text.String())
		}
	}
}
