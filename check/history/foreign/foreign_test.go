package foreign

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rondo/check/history"
)

func readFile(t *testing.T, name string) (*history.History, Notes) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, notes, err := Read(name, f)
	if err != nil {
		t.Fatal(err)
	}
	return h, notes
}

func list(h *history.History) string {
	var b strings.Builder
	for _, op := range h.Ops {
		b.WriteString(op.String() + "\n")
	}
	return b.String()
}

func TestJepsen(t *testing.T) {
	h, notes := readFile(t, "cas.edn")
	if want := []string{"1 cas failed and is left out"}; !cmp.Equal(notes.Lines(), want) {
		t.Errorf("notes %q", notes.Lines())
	}
	if len(h.Ops) != 5 || len(h.Marks) != 1 || h.Marks[0].Name != "start" || h.Meta.Offset != nil {
		t.Errorf("%d operations, marks %+v, %+v\n%s", len(h.Ops), h.Marks, h.Meta, list(h))
	}
	if h.Ops[3].Return != history.Never || string(h.Ops[1].Body[1][2]) != "4" || h.Ops[1].Reply.Elems[0].Str != "3" {
		t.Error(list(h))
	}
}

// TestJepsenAgain: what is written and read again is the same, byte for byte the second time.
func TestJepsenAgain(t *testing.T) {
	for _, name := range []string{"cas.edn", "registers.edn"} {
		h, _ := readFile(t, name)
		var once, twice bytes.Buffer
		if name == "cas.edn" { // what a cas without an answer read is not known
			h.Marks = nil
		}
		if err := WriteJepsen(&once, h); err != nil {
			t.Fatal(err)
		}
		again, _, err := ReadJepsen(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, &once)
		}
		if !cmp.Equal(h, again) {
			t.Errorf("%s: %s", name, cmp.Diff(h, again))
		}
		if err := WriteJepsen(&twice, again); err != nil || once.String() != twice.String() {
			t.Errorf("%s is written otherwise the second time: %v\n%s\n%s", name, err, &once, &twice)
		}
	}
}

func TestEtcd(t *testing.T) {
	h, notes := readFile(t, "operations.json")
	want := []string{
		"1 conditions of a txn are not judged, only what it did",
		"1 defragment without a counterpart, left out",
		"1 range over many keys or at a revision, left out",
	}
	if !cmp.Equal(notes.Lines(), want) {
		t.Errorf("notes %q", notes.Lines())
	}
	var commands []string
	for _, op := range h.Ops {
		commands = append(commands, string(bytes.Join(op.Cmd, []byte(" "))))
	}
	if want := []string{"SET key1 10", "GET key1", "GET key1", "DEL key1", "GET key1"}; !cmp.Equal(commands, want) {
		t.Errorf("%q", commands)
	}
	if h.Ops[3].Return != history.Never || !h.Ops[4].Reply.IsNull() {
		t.Error(list(h))
	}
}

func TestRejects(t *testing.T) {
	for text, want := range map[string]string{
		"{:type :ok, :f :read, :value 1, :process 0}":                                                      "did not invoke",
		"{:type :invoke, :f :read, :process 0}\n{:type :invoke, :f :read, :process 0}":                     "line 2: process 0 invokes twice",
		"{:type :invoke, :f :append, :value 1, :process 0}\n{:type :ok, :f :append, :value 1, :process 0}": ":append",
		"{:type :invoke, :f :cas, :value 1, :process 0}\n{:type :ok, :f :cas, :value 1, :process 0}":       "[old new]",
		"{:type :invoke":        "unexpected EOF",
		"{:type :invoke ]":      "is due",
		"{:a}":                  "no value",
		"7":                     "no operation",
		strings.Repeat("[", 99): "too deep",
		`{:a "\q"}`:             `\q`,
	} {
		if _, _, err := ReadJepsen(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{"Input":{"Type":"watch"}}`:        `"watch"`,
		`{"Input":{"Type":"range"}}`:        "without its range",
		`{"Input":{"Type":"txn","Txn":{}}}`: "results",
		`{"Input":{"Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"x"}]}},"Output":{"Error":"e"}}`:                                 `"x"`,
		`{"Input":{"Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"put-operation","Put":{"LeaseID":7}}]}},"Output":{"Error":"e"}}`: "lease",
		`[`: "operation 1",
	} {
		if _, _, err := ReadEtcd(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, cmd := range []string{`["INCR","n"],"reply":1`, `["SET","k","v","PX","5"],"reply":{"simple":"OK"}`,
		`["GET","k"],"db":2,"reply":"v"`, `["GET","k"],"reply":{"error":"ERR x"}`} {
		h, err := history.Read(strings.NewReader(`{"client":1,"call":0,"return":1,"cmd":` + cmd + "}"))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteJepsen(&bytes.Buffer{}, h); err == nil {
			t.Errorf("%s is written as a register's", cmd)
		}
	}
}
