package history

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The quick reading against the strict one, the order of a stream, and what both cost.

// strict reads one line by encoding/json alone.
func strict(line []byte) (Op, error) {
	var b batch
	if err := b.readLine(bytes.TrimSpace(line), false); err != nil {
		return Op{}, err
	}
	return b.ops[0], nil
}

var lines = strings.Split(strings.TrimSpace(`
{"client":3,"call":1203411,"return":1288012,"cmd":["SET","k","v1"],"reply":{"simple":"OK"}}
{"client":4,"call":1300000,"return":null,"cmd":["INCR","n"]}
{"client":4,"call":1300000,"return":1300000,"cmd":["INCR","n"],"reply":-17,"n":3,"db":2}
{"client":5,"call":1,"return":2,"cmd":["EXEC"],"body":[["GET","n"],["SET","k",""]],"reply":["1",null,[7,{"error":"ERR x"}]]}
{"client":5,"call":1,"return":2,"cmd":["EXEC"],"body":[],"reply":[]}
{ "client": 5, "call": 1, "return": 2, "cmd": ["GET", "k"], "reply": null }
{"client":5,"call":1,"return":2,"cmd":["GET","k"],"reply":{"error":"ERR no"}}
{"client":5,"call":1,"return":2,"cmd":["GET","k"],"reply":"\u00e9"}
{"client":5,"call":1,"return":2,"cmd":["GET",{"b64":"/w=="}],"reply":"é"}
{"client":-5,"call":-1,"return":2,"cmd":["get","k"],"reply":{"set":[1,{"bool":true}]}}
{"client":5,"call":1,"return":9007199254740993,"cmd":["GET","k"],"reply":9223372036854775807}
`), "\n")

// TestQuickIsStrict: whatever the quick reading accepts, the strict one accepts, with the same
// result; on lines as recorders write them and on lines with a few bytes changed.
func TestQuickIsStrict(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := newParser()
	n, quick := 200_000, 0
	if testing.Short() {
		n = 8_000
	}
	for i := range n {
		line := []byte(lines[r.IntN(len(lines))])
		for range r.IntN(4) * (i % 2) {
			mutateLine(r, &line)
		}
		var op Op
		if bytes.ContainsAny(line, "\n") || !p.operation(line, &op) {
			continue
		}
		quick++
		want, err := strict(line)
		if err != nil || !reflect.DeepEqual(want, op) {
			t.Fatalf("%s\nstrict reading: %v\n%s", line, err, cmp.Diff(want, op))
		}
	}
	t.Logf("%d of %d lines read quickly", quick, n)
	if quick*4 < n {
		t.Errorf("only %d of %d lines are read quickly", quick, n)
	}
	for i, line := range lines[:7] {
		if op := new(Op); !p.operation([]byte(line), op) {
			t.Errorf("line %d is not read quickly", i+1)
		}
	}
}

// mutateLine changes, drops or doubles a piece of the line.
func mutateLine(r *rand.Rand, line *[]byte) {
	const bits = `{}[]",:\ 0123456789-.eEnulltruefalse` + "\t\x00\x7f\xc3"
	b := *line
	if len(b) == 0 {
		return
	}
	at := r.IntN(len(b))
	to := min(len(b), at+1+r.IntN(12))
	switch r.IntN(4) {
	case 0:
		b = slices.Concat(b[:at], b[to:])
	case 1:
		b = slices.Concat(b[:to], b[at:])
	case 2:
		b = slices.Concat(b[:at], []byte{bits[r.IntN(len(bits))]}, b[at:])
	case 3:
		other := lines[r.IntN(len(lines))]
		from := r.IntN(len(other))
		b = slices.Concat(b[:at], []byte(other[from:min(len(other), from+20)]), b[to:])
	}
	*line = b
}

// FuzzQuickIsStrict is the same property on any bytes.
func FuzzQuickIsStrict(f *testing.F) {
	for _, line := range lines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var op Op
		if bytes.ContainsAny(line, "\n") || !newParser().operation(line, &op) {
			return
		}
		want, err := strict(line)
		if diff := cmp.Diff(want, op); err != nil || diff != "" {
			t.Fatalf("%s\nstrict reading: %v\n%s", line, err, diff)
		}
	})
}

// TestWordsAreTheirOwn: memory is shared between equal words only, and nothing reaches beyond its
// own end.
func TestWordsAreTheirOwn(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, `{"client":1,"call":%d,"return":%d,"cmd":["SET","k%d","%s"],"reply":"r%d"}`+"\n",
			2*i, 2*i+1, i%7, strings.Repeat("v", i%90), i)
	}
	h, err := Read(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range h.Ops {
		op := &h.Ops[i]
		for _, w := range op.Cmd {
			_ = append(w, "overwritten"...)
		}
		_ = append(op.Cmd, []byte("x"))
	}
	for i := range h.Ops {
		want := fmt.Sprintf("SET k%d %s r%d", i%7, strings.Repeat("v", i%90), i)
		got := string(bytes.Join(h.Ops[i].Cmd, []byte(" "))) + " " + h.Ops[i].Reply.Str
		if got != want {
			t.Fatalf("operation %d is %s, want %s", i, got, want)
		}
	}
}

// TestErrorsNameTheirLine: also far into a file of several blocks, blank lines and marks included.
func TestErrorsNameTheirLine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 6 {
		var text strings.Builder
		bad := 1 + r.IntN(9000)
		for n := 1; n < bad; n++ {
			switch r.IntN(20) {
			case 0:
				text.WriteString("  \n")
			case 1:
				text.WriteString(`{"mark":"m","from":1}` + "\n")
			default:
				text.WriteString(lines[r.IntN(len(lines))] + "\n")
			}
		}
		text.WriteString("{\"client\":1}\nnot read any more")
		want := fmt.Sprintf(`line %d: "call" is missing`, bad)
		if _, err := Read(strings.NewReader(text.String())); err == nil || err.Error() != want {
			t.Errorf("Read says %v, want %s", err, want)
		}
		in, err := NewReader(strings.NewReader(text.String()))
		for err == nil {
			_, err = in.Next()
		}
		if err.Error() != want {
			t.Errorf("Reader says %v, want %s", err, want)
		}
	}
}

// disordered is a file whose lines are up to disorder ns late.
func disordered(r *rand.Rand, n int, claimed, disorder int64) string {
	type line struct{ at, call int64 }
	all := make([]line, n)
	for i := range all {
		call := int64(i) * 100
		all[i] = line{call + r.Int64N(disorder+1), call}
	}
	slices.SortStableFunc(all, func(a, b line) int { return int(a.at - b.at) })
	var text strings.Builder
	fmt.Fprintf(&text, `{"meta":{"maxDisorder":%d}}`+"\n", claimed)
	for i, l := range all {
		fmt.Fprintf(&text, `{"client":%d,"call":%d,"return":%d,"cmd":["A"],"reply":1}`+"\n",
			i, l.call, l.call+5000)
	}
	return text.String()
}

// TestReaderOrders: by call, whatever the disorder is, and not silently beyond it.
func TestReaderOrders(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, claimed := range []int64{0, 2000, 5000} {
		in, err := NewReader(strings.NewReader(disordered(r, 3000, claimed, 2000)))
		if err != nil {
			t.Fatal(err)
		}
		n, last := 0, int64(-1)
		for ; ; n++ {
			op, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil || op.Call <= last {
				t.Fatalf("operation %d at %d after %d: %v", n, op.Call, last, err)
			}
			last = op.Call
		}
		if n != 3000 {
			t.Errorf("%d operations of 3000", n)
		}
		in.Close()
	}
	in, err := NewReader(strings.NewReader(disordered(r, 3000, 300, 2000)))
	for err == nil {
		_, err = in.Next()
	}
	if !strings.Contains(err.Error(), "maxDisorder allows 300") || !strings.HasPrefix(err.Error(), "line ") {
		t.Errorf("lines 2000 ns late where 300 are allowed: %v", err)
	}
}

// getSet is a recording of n operations, half of them writes with unique values.
func getSet(n int) []byte {
	var text bytes.Buffer
	r := rand.New(rand.NewPCG(7, 8))
	for i := range n {
		call := 1_000_000 + int64(i)*3000
		if key := r.IntN(1000); i%2 == 0 {
			fmt.Fprintf(&text, `{"client":%d,"call":%d,"return":%d,"cmd":["SET","{r1}:key:%d","%d"],"reply":{"simple":"OK"},"n":%d}`+"\n",
				r.IntN(64), call, call+90_000, key, i, i/64+1)
		} else {
			fmt.Fprintf(&text, `{"client":%d,"call":%d,"return":%d,"cmd":["GET","{r1}:key:%d"],"reply":"%d","n":%d}`+"\n",
				r.IntN(64), call, call+90_000, key, max(0, i-1-2*r.IntN(500)), i/64+1)
		}
	}
	return text.Bytes()
}

// TestSmallInMemory: an operation of a GET/SET recording takes at most 250 bytes.
func TestSmallInMemory(t *testing.T) {
	const n = 200_000
	text := getSet(n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	h, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := int64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%d bytes for each operation", each)
	if each > 250 || len(h.Ops) != n {
		t.Errorf("%d operations of %d bytes each, more than 250", len(h.Ops), each)
	}
	runtime.KeepAlive(h)
	runtime.KeepAlive(text)
}

func BenchmarkParse(b *testing.B) {
	text := getSet(20_000)
	p := newParser()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var batch batch
		batch.parse(p, text, true)
	}
}

// TestReadSpeed prints how fast a file is read: RONDO_FILE names one.
func TestReadSpeed(t *testing.T) {
	name := os.Getenv("RONDO_FILE")
	if name == "" {
		t.Skip("RONDO_FILE names no file")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := time.Now()
	in, err := NewReader(f)
	n := 0
	for ; err == nil; n++ {
		_, err = in.Next()
	}
	took := time.Since(began)
	t.Logf("%d operations, %d MB in %v: %v", n-1, in.Bytes()>>20, took, err)
}
