package history

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rondo/model"
)

// The example of the design, line by line.
const example = `{"meta":{"target":"redis 7.0.15","maxDisorder":2000000}}
{"client":3,"call":1203411,"return":1288012,"cmd":["SET","k","v1","PX","50"],"reply":{"simple":"OK"}}
{"client":4,"call":1210000,"return":1290000,"cmd":["GET","k"],"reply":"v1"}
{"client":4,"call":1300000,"return":null,"cmd":["INCR","n"]}
{"client":5,"call":1310000,"return":1390000,"cmd":["EXEC"],"body":[["INCR","n"],["GET","n"]],"reply":[1,"1"]}
{"client":6,"call":1,"return":2,"cmd":["EXEC"],"body":[],"reply":[],"n":1,"db":3}
{"client":6,"call":3,"return":9,"cmd":["GET",{"b64":"/w=="}],"reply":{"b64":"//4="},"n":2}
{"client":6,"call":4,"return":9,"cmd":["X","<&>\u0000"],"reply":[null,{"error":"ERR no"},{"double":"1.5"},{"bool":true},{"map":[["k",1]]},{"set":["a"]}],"n":3}
`

func TestReadWrite(t *testing.T) {
	h, err := Read(strings.NewReader(example))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, h); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, again); diff != "" {
		t.Fatal(diff)
	}
	exec := h.Ops[4]
	if exec.Body == nil || len(exec.Body) != 0 {
		t.Errorf("an empty transaction lost its body: %v", exec.Body)
	}
	if h.Ops[2].Return != Never || h.Ops[2].Reply != nil {
		t.Errorf("a lost reply was read as %+v", h.Ops[2])
	}
	if got := string(h.Ops[5].Cmd[1]) + h.Ops[5].Reply.Str; got != "\xff\xff\xfe" {
		t.Errorf("base64 was read as %q", got)
	}
}

func TestWriteIsTheFormat(t *testing.T) {
	h, err := Read(strings.NewReader(example))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, h); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	for i, want := range strings.Split(example, "\n")[:5] {
		if got[i] != want {
			t.Errorf("line %d\n got %s\nwant %s", i+1, got[i], want)
		}
	}
}

// TestWriterAgreesWithJSON: the written line is what encoding/json makes of the same fields.
func TestWriterAgreesWithJSON(t *testing.T) {
	odd := []string{"", "k", "\"", "\\", "a\nb", "<&>", "\x00", "\x7f", "é", "\u2028", "\xff", "😀"}
	rng := rand.New(rand.NewPCG(1, 1))
	word := func() []byte { return []byte(odd[rng.IntN(len(odd))] + odd[rng.IntN(len(odd))]) }
	for range 2000 {
		cmd := [][]byte{word(), word(), word()}[:1+rng.IntN(3)]
		o := Op{Client: rng.IntN(9), Call: rng.Int64N(99) - 9, Return: Never, Cmd: cmd, DB: rng.IntN(2)}
		o.N = rng.IntN(3)
		if rng.IntN(3) > 0 {
			o.Return, o.Reply = o.Call+1, &model.Reply{Kind: model.Bulk, Str: string(word())}
		}
		if rng.IntN(3) == 0 {
			o.Body = [][][]byte{cmd, cmd}[:rng.IntN(3)]
		}
		got, err := o.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(lineOf(o)); err != nil {
			t.Fatal(err)
		}
		if string(got)+"\n" != want.String() {
			t.Fatalf("got %s\nwant %s", got, &want)
		}
	}
}

// lineOf is an operation as the fields of its line.
func lineOf(op Op) opLine {
	texts := func(words [][]byte) (to []text) {
		for _, w := range words {
			to = append(to, w)
		}
		return to
	}
	l := opLine{Client: &op.Client, Call: &op.Call, Return: json.RawMessage("null"), Cmd: texts(op.Cmd), DB: op.DB}
	if op.N > 0 {
		l.N = &op.N
	}
	if op.Body != nil {
		l.Body = [][]text{}
		for _, cmd := range op.Body {
			l.Body = append(l.Body, texts(cmd))
		}
	}
	if op.Reply != nil {
		l.Return, _ = json.Marshal(op.Return)
		l.Reply, _ = appendReply(nil, *op.Reply)
	}
	return l
}

func BenchmarkWrite(b *testing.B) {
	o := op(1234, 123456789012, 123456799999, 12)
	o.Cmd = [][]byte{[]byte("set"), []byte("{rondo:abcdefgh.12}a"), []byte("1234567890"), []byte("px"), []byte("12")}
	w, err := NewWriter(io.Discard, Meta{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := w.Op(&o); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(w.Bytes() / int64(b.N))
}

func TestMetaRoundTrip(t *testing.T) {
	deadline := int64(7)
	want := &History{Meta: Meta{Target: "x", Seed: 3, Slack: 5, Profile: Live,
		Offset: &Offset{-1, 4}, MaxDisorder: 9, Start: []StartKey{
			{1, []byte("k"), []byte("\xff"), &deadline}, {0, []byte(""), []byte(""), nil}}}}
	var out bytes.Buffer
	if err := Write(&out, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&out)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
}

// TestMarks: marks stand anywhere after the meta line, and an end that was not seen stays open.
func TestMarks(t *testing.T) {
	const text = `{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1}
{"mark":"kill -STOP 7","from":3,"to":9,"outcome":"exit status 1"}
{"client":1,"call":4,"return":5,"cmd":["A"],"reply":1}
{"mark":"cut","from":6,"to":null}
`
	h, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Mark{{"kill -STOP 7", 3, 9, "exit status 1"}, {"cut", 6, Never, ""}}
	if diff := cmp.Diff(want, h.Marks); diff != "" || len(h.Ops) != 2 {
		t.Errorf("%d operations, %s", len(h.Ops), diff)
	}
	var out bytes.Buffer
	if err := Write(&out, h); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&out)
	if diff := cmp.Diff(h, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestReadRejects(t *testing.T) {
	const ok = `{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1}` + "\n"
	for _, c := range []struct{ line, want string }{
		{`{"client":1,`, "not a JSON object"},
		{`[1]`, "not a JSON object"},
		{`{"meta":{}}`, "only on the first line"},
		{`{"call":1,"return":2,"cmd":["A"],"reply":1}`, `"client" is missing`},
		{`{"mark":"x"}`, `"from"`},
		{`{"mark":"x","from":1,"cmd":["A"]}`, "unknown field"},
		{`{"mark":"x","from":5,"to":4}`, "before it begins"},
		{`{"client":1,"return":2,"cmd":["A"],"reply":1}`, `"call" is missing`},
		{`{"client":1,"call":1,"cmd":["A"],"reply":1}`, `"return" is missing`},
		{`{"client":1,"call":1,"return":2,"cmd":[],"reply":1}`, `"cmd" is missing or empty`},
		{`{"client":1,"call":1,"return":2,"cmd":["A"]}`, `a "return" without a "reply"`},
		{`{"client":1,"call":1,"return":null,"cmd":["A"],"reply":1}`, `a "reply" without a "return"`},
		{`{"client":1,"call":1,"return":1.5,"cmd":["A"],"reply":1}`, "neither an integer nor null"},
		{`{"client":1,"call":1.5,"return":2,"cmd":["A"],"reply":1}`, "call"},
		{`{"client":1,"call":5,"return":2,"cmd":["A"],"reply":1}`, "before its call"},
		{`{"client":1,"call":-4611686018427387904,"return":2,"cmd":["A"],"reply":1}`, "from 0"},
		{`{"client":1,"call":1,"return":4611686018427387904,"cmd":["A"],"reply":1}`, "from 0"},
		{`{"client":1,"call":1,"retrun":2,"cmd":["A"],"reply":1}`, "unknown field"},
		{`{"client":1,"call":1,"return":2,"cmd":[3],"reply":1}`, "neither a string nor"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1.5}`, "no 64-bit integer"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":9223372036854775808}`, "no 64-bit integer"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":true}`, "no 64-bit integer"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":{"smple":"OK"}}`, "unknown kind of reply"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":{"simple":"OK","error":"x"}}`, "one field"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":{"map":[[1]]}}`, "[key, value]"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":{"b64":"?"}}`, "illegal base64"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":"\ud800"}`, "surrogate"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":"` + "\xff" + `"}`, "not UTF-8"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1,"n":0}`, "counts from 1"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1,"db":-1}`, "database is negative"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1,"body":[["B"]]}`, "only EXEC has a body"},
		{`{"client":1,"call":1,"return":2,"cmd":["multi"],"reply":1}`, "no line of its own"},
		{`{"client":1,"call":1,"return":2,"cmd":["EXEC"],"body":[[]],"reply":[1]}`, "empty command"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":` + strings.Repeat("[", 50) +
			strings.Repeat("]", 50) + `}`, "nested deeper"},
		{`{"client":1,"call":1,"return":2,"cmd":["A"],"reply":1} x`, "something follows"},
	} {
		_, err := Read(strings.NewReader(ok + "\n" + c.line + "\n" + ok))
		if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant line 3: %s", c.line, err, c.want)
		}
	}
}

func TestReadSurrogates(t *testing.T) {
	for text, ok := range map[string]bool{
		`\ud83d\ude00`: true, `a\ud83d\ude00b`: true, `\\ud800`: true, `\u00e9`: true,
		`\ud83d`: false, `\ud83da`: false, `\ude00`: false, `\ud83d\ud83d`: false, `\ud83d\n`: false,
	} {
		_, err := readString([]byte(`"` + text + `"`))
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMetaRejects(t *testing.T) {
	for line, want := range map[string]string{
		`{"meta":null}`:                          "null",
		`{"meta":{"slack":-1}}`:                  "slack",
		`{"meta":{"profile":"odd"}}`:             "unknown profile",
		`{"meta":{"offset":{"low":2,"high":1}}}`: "above its high end",
		`{"meta":{"maxDisorder":-1}}`:            "maxDisorder",
		`{"meta":{"start":[{"key":"k"}]}}`:       `"key" and "value"`,
		`{"meta":{"slck":1}}`:                    "unknown field",
	} {
		_, err := Read(strings.NewReader(line))
		if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

func op(client int, call, ret int64, n int) Op {
	o := Op{Client: client, Call: call, Return: ret, Cmd: [][]byte{[]byte("GET"), []byte("k")}, N: n}
	if ret != Never {
		r := model.Num(1)
		o.Reply = &r
	}
	return o
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		ops  []Op
		want string // "": valid
	}{
		{"empty", nil, ""},
		{"in turn, lines in any order", []Op{op(1, 30, 40, 0), op(1, 10, 20, 0)}, ""},
		{"return and next call at once", []Op{op(1, 10, 20, 0), op(1, 20, 30, 0)}, ""},
		{"pipelined", []Op{op(1, 10, 50, 1), op(1, 10, 50, 2), op(1, 11, 60, 3)}, ""},
		{"lost at the end", []Op{op(1, 10, 20, 0), op(1, 30, Never, 0)}, ""},
		{"a lost pipeline", []Op{op(1, 10, Never, 1), op(1, 11, Never, 2)}, ""},
		{"others overlap", []Op{op(1, 10, 50, 0), op(2, 20, 40, 0)}, ""},
		{"overlap without n", []Op{op(1, 10, 50, 0), op(1, 20, 60, 0)}, "do not both have n"},
		{"lost, then another without n", []Op{op(1, 10, Never, 0), op(1, 20, Never, 0)}, "do not both have n"},
		{"same n", []Op{op(1, 10, 20, 4), op(1, 30, 40, 4)}, "two operations have n = 4"},
		{"n against the calls", []Op{op(1, 10, 50, 2), op(1, 20, 60, 1)}, "was called later than n = 2"},
		{"replies out of order", []Op{op(1, 10, 50, 1), op(1, 20, 40, 2)}, "which was sent first"},
		{"answered after a lost one", []Op{op(1, 10, Never, 1), op(1, 20, 40, 2)}, "is answered, but"},
		{"return before call", []Op{op(1, 10, 5, 0)}, "before its call"},
	} {
		err := (&History{Ops: c.ops}).Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRecorder(t *testing.T) {
	r := NewRecorder()
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			l := r.Open()
			for range 100 {
				o := op(0, r.Now(), 0, 0)
				o.Return = r.Now()
				l.Append(o)
			}
		}()
	}
	wg.Wait()
	h := r.History(Meta{})
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	clients := map[int]int{}
	for _, o := range h.Ops {
		clients[o.Client]++
	}
	if len(h.Ops) != 800 || len(clients) != 8 {
		t.Fatalf("%d operations of %d clients", len(h.Ops), len(clients))
	}
}

func TestOpString(t *testing.T) {
	o := Op{Cmd: [][]byte{[]byte("SET"), []byte("a b"), []byte(""), []byte("\x00"),
		bytes.Repeat([]byte("x"), 100)}}
	want := `SET "a b" "" "\x00" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"...`
	if got := o.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUntil: what was not known at a moment is not there.
func TestUntil(t *testing.T) {
	h := &History{Ops: []Op{op(1, 0, 5, 0), op(2, 3, 9, 0), op(1, 6, 7, 0), op(3, 8, 10, 0)}}
	for i := range h.Ops {
		ok := model.OK()
		h.Ops[i].Reply = &ok
	}
	cut := h.Until(7)
	if len(cut.Ops) != 3 || cut.Ops[0].Reply == nil || cut.Ops[1].Return != Never || cut.Ops[1].Reply != nil ||
		cut.Ops[2].Return != 7 || h.Ops[1].Return != 9 || cut.Validate() != nil {
		t.Errorf("%v, %v", cut.Ops, cut.Validate())
	}
}
