package check

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rondo/check/linear"
)

// TestRecheckStreams: a large file is judged as a stream, says so while it goes on, and is convicted
// of the one reply in it that cannot be.
func TestRecheckStreams(t *testing.T) {
	defer func(n int64) { streamFrom = n }(streamFrom)
	streamFrom = 4 << 20
	file := filepath.Join(t.TempDir(), "large.jsonl")
	for _, bad := range []bool{false, true} {
		var text strings.Builder
		text.WriteString(`{"meta":{"profile":"frozen","offset":{"low":0,"high":0},"maxDisorder":1000}}` + "\n")
		n := 0
		for ; text.Len() < int(streamFrom); n++ {
			value, at := fmt.Sprint(n), int64(n)*1000+1e9
			reply := value
			if bad && n == 10_000 {
				reply = "1"
			}
			fmt.Fprintf(&text, `{"client":1,"call":%d,"return":%d,"cmd":["SET","k%d","%s"],"reply":{"simple":"OK"}}`+"\n",
				at, at+100, n%100, value)
			fmt.Fprintf(&text, `{"client":1,"call":%d,"return":%d,"cmd":["GET","k%d"],"reply":"%s"}`+"\n",
				at+200, at+300, n%100, reply)
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		said := ""
		r, rec, err := Recheck([]string{file}, Options{Progress: func(_, text string) { said = cmp.Or(text, said) }})
		if err != nil {
			t.Fatal(err)
		}
		h := r.Histories[0]
		want := linear.OK
		if bad {
			want = linear.Illegal
		}
		if h.Verdict != string(want) || h.Ops != 2*n || h.Components != 100 || h.Clients != 1 {
			t.Errorf("%s, %d operations of %d, %d components: %s", h.Verdict, h.Ops, 2*n, h.Components, h.Reason)
		}
		if bad && (len(h.Violations) != 1 || len(h.Violations[0].Core) > 3) {
			t.Errorf("violations: %+v", h.Violations)
		}
		if !strings.Contains(said, " left") || len(rec.files) != 1 {
			t.Errorf("said %q, %d files", said, len(rec.files))
		}
	}
}
