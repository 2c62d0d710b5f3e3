package practice

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/mutant"
	"rondo/check/target"
	"rondo/check/wire"
)

var record = flag.Bool("record", false, "record the scenarios again: go test ./check/practice -run Record -record")

// recipe is how a scenario is recorded. Recordings are real: what a mutant does only sometimes is
// asked for until it happens and the engine sees it.
type recipe struct {
	name   string
	fault  string // of the mutant; "": redis-server, where there is one
	acts   []act
	slow   map[int]time.Duration // by client: how long bytes take to the server, and back
	tick   int64                 // ns: the recorder's clock is cut to these; 0: it is not
	slack  int64                 // ns, declared
	accept func(h *history.History) bool
}

// act is what a client sends at a time: a command, several in one write (";"), or a transaction
// ("EXEC of a; b"). lost: it goes away before the reply can come.
type act struct {
	at     time.Duration
	client int
	text   string
	lost   bool
}

const ms = time.Millisecond

func reply(h *history.History, i int, want string) bool {
	return h.Ops[i].Reply != nil && h.Ops[i].Reply.String() == want
}

var recipes = []recipe{
	{name: "yesterdays-news", fault: "stale read", acts: []act{{0, 1, "SET k red", false}, {5 * ms, 1, "SET k blue", false}, {6 * ms, 2, "GET k", false}},
		accept: func(h *history.History) bool { return reply(h, 2, `"red"`) }},
	{name: "two-at-once", acts: []act{{0, 1, "SET k red", false}, {2 * ms, 2, "SET k blue", false}, {4 * ms, 1, "GET k", false}},
		slow: map[int]time.Duration{2: 3 * ms}, accept: func(h *history.History) bool { return reply(h, 2, `"red"`) }},
	{name: "back-again", fault: "stale read", acts: []act{{0, 1, "SET k red", false}, {4 * ms, 2, "SET k blue", false}, {7500 * time.Microsecond, 1, "GET k", false},
		{8500 * time.Microsecond, 3, "GET k", false}}, slow: map[int]time.Duration{2: 3 * ms},
		accept: func(h *history.History) bool { return reply(h, 2, `"blue"`) && reply(h, 3, `"red"`) }},
	{name: "late-is-last", acts: []act{{0, 1, "SET k red", false}, {1 * ms, 2, "SET k blue", false}, {12 * ms, 3, "GET k", false}},
		slow: map[int]time.Duration{1: 5 * ms, 2: 1 * ms}, accept: func(h *history.History) bool { return reply(h, 2, `"red"`) }},
	{name: "tie", acts: []act{{0, 3, "SET k red", false}, {4700 * time.Microsecond, 1, "SET k blue", false}, {4950 * time.Microsecond, 2, "GET k", false}},
		slow: map[int]time.Duration{1: 350 * time.Microsecond}, tick: 1e6, accept: tied},
	{name: "outlived", fault: "expires 20 ms late", acts: []act{{0, 1, "SET k v PX 15", false}, {8 * ms, 2, "GET k", false}, {25 * ms, 2, "GET k", false}},
		accept: func(h *history.History) bool { return reply(h, 2, `"v"`) }},
	{name: "kept", acts: []act{{0, 1, "SET k v PX 15", false}, {5 * ms, 2, "SET k w", false}, {30 * ms, 1, "GET k", false}}},
	{name: "last-millisecond", acts: []act{{0, 1, "SET k v PX 15", false}, {15400 * time.Microsecond, 2, "GET k", false}},
		accept: func(h *history.History) bool {
			return reply(h, 1, `"v"`) && h.Ops[1].Call > h.Ops[0].Return+15e6+2e5
		}},
	{name: "one-millisecond", fault: "expires at the deadline", acts: []act{{0, 1, "SET k v PX 15", false}, {15200 * time.Microsecond, 2, "GET k", false}}},
	{name: "rounding", fault: "PTTL one less", acts: []act{{0, 1, "SET k v PX 50", false}, {10 * ms, 2, "PEXPIRETIME k", false}, {20 * ms, 2, "PTTL k", false}}},
	{name: "old-clock", fault: "time stands still", acts: []act{{0, 1, "SET k v PX 10", false}, {18 * ms, 2, "GET k", false}}, slack: 40e6,
		accept: func(h *history.History) bool { return reply(h, 1, `"v"`) }},
	{name: "gone-silent", acts: []act{{0, 1, "SET n 0", false}, {4 * ms, 2, "INCR n", true}, {5 * ms, 3, "GET n", false}, {12 * ms, 3, "GET n", false}},
		slow: map[int]time.Duration{2: 4 * ms}, accept: func(h *history.History) bool { return reply(h, 2, `"0"`) && reply(h, 3, `"1"`) }},
	{name: "once-too-often", fault: "lost command twice", acts: []act{{0, 1, "SET n 0", false}, {4 * ms, 2, "INCRBY n 5", true}, {20 * ms, 3, "GET n", false}},
		slow: map[int]time.Duration{2: 1 * ms}, accept: func(h *history.History) bool { return reply(h, 2, `"10"`) }},
	{name: "in-line", fault: "commands reordered", acts: []act{{0, 1, "SET k red; SET k blue", false}, {3 * ms, 2, "GET k", false}},
		slow: map[int]time.Duration{1: 1 * ms}},
	{name: "half-done", fault: "EXEC not atomic", acts: []act{{0, 1, "EXEC of SET a 1; SET b 1", false}, {350 * time.Microsecond, 2, "MGET a b", false},
		{3 * ms, 3, "MGET a b", false}}},
	{name: "watched", fault: "WATCH ignored", acts: []act{{0, 1, "SET n 1", false}, {2 * ms, 1, "WATCH n", false}, {4 * ms, 2, "SET n 5", false}, {6 * ms, 1, "EXEC of INCR n", false}}},
	{name: "nobody-wrote", acts: []act{{0, 1, "SET k v PX 15", false}, {4 * ms, 1, "WATCH k", false}, {25 * ms, 1, "EXEC of SET k w", false}},
		accept: func(h *history.History) bool { return h.Ops[2].Reply.IsNull() }},
}

// tied: the read gives what was overwritten, and is called in the tick in which the write returned.
func tied(h *history.History) bool {
	write, read := h.Ops[1], h.Ops[2]
	return reply(h, 2, `"red"`) && write.Return == read.Call && write.Call < read.Call
}

// wireRecipe is a scenario about bytes: transmissions on one connection.
type wireRecipe struct {
	name, fault string
	sends       []string // one write each, with a pause after it
	first       string   // a command on another connection, to set the stage
}

var wireRecipes = []wireRecipe{
	{name: "half-a-frame", sends: []string{"*2\r\n$4\r\nECHO\r\n$5\r\nhel", "lo\r\n*1\r\n$4\r\nPI", "NG\r\n"}},
	{name: "too-eager", fault: "half frame executed", sends: []string{"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv", "\r\n"}},
	{name: "crossed", fault: "replies swapped", first: "MSET a apple b banana",
		sends: []string{"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nfig\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"}},
}

func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("recordings are made with -record")
	}
	for _, r := range recipes {
		t.Run(r.name, func(t *testing.T) { r.record(t) })
	}
	for _, r := range wireRecipes {
		t.Run(r.name, func(t *testing.T) { r.record(t) })
	}
}

func save(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join("../../testdata/practice", name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// server starts a mutant, or redis-server.
func server(t *testing.T, fault string) (addr, name string) {
	t.Helper()
	if fault == "" {
		path, err := exec.LookPath("redis-server")
		if err != nil {
			t.Skip("redis-server is not installed")
		}
		s, err := target.Exec(path+" --port {port} --save ''", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Stop() })
		return s.Addr(), s.Name()
	}
	s, addr, err := mutant.Start(fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return addr, "a mutant: " + fault
}

const triesMax = 3000

func (r recipe) record(t *testing.T) {
	addr, name := server(t, r.fault)
	profile := history.Live // redis 7.0; mutants read their clock once
	if r.fault != "" {
		profile = history.Frozen
	}
	for range triesMax {
		h := r.once(t, addr)
		h.Meta.Target, h.Meta.Profile, h.Meta.Slack = name, profile, r.slack
		illegal := !legal(h)
		if (r.accept == nil || r.accept(h)) && illegal == strings.HasPrefix(lessonOf(r.name), "Not allowed") {
			var b bytes.Buffer
			if err := history.Write(&b, h); err != nil {
				t.Fatal(err)
			}
			save(t, r.name+".jsonl", b.Bytes())
			return
		}
	}
	t.Errorf("it did not happen in %d tries", triesMax)
}

// once records the acts, each client on a connection of its own.
func (r recipe) once(t *testing.T, addr string) *history.History {
	t.Helper()
	admin, err := wire.Dial(addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	rec := history.NewRecorder()
	begin := rec.Now() + int64(3*ms)
	var wg sync.WaitGroup
	for client := 1; client <= 3; client++ {
		acts := slices.DeleteFunc(slices.Clone(r.acts), func(a act) bool { return a.client != client })
		log := rec.Open()
		c := dialSlow(t, addr, r.slow[client])
		wg.Go(func() {
			defer c.Close()
			for _, a := range acts {
				for rec.Now() < begin+int64(a.at) {
					time.Sleep(20 * time.Microsecond)
				}
				perform(t, c, rec, log, a)
			}
		})
	}
	wg.Wait()
	low := rec.Start().UnixNano()
	h := rec.History(history.Meta{Offset: &history.Offset{Low: low - 2000, High: low + 2000}})
	first := h.Ops[0].Call - 100_000
	for i := range h.Ops {
		h.Ops[i].Call -= first
		if h.Ops[i].Return != history.Never {
			h.Ops[i].Return -= first
		}
		if r.tick > 0 {
			h.Ops[i].Call -= h.Ops[i].Call % r.tick
			h.Ops[i].Return -= h.Ops[i].Return % r.tick
		}
	}
	h.Meta.Offset.Low, h.Meta.Offset.High = h.Meta.Offset.Low+first, h.Meta.Offset.High+first
	return h
}

// perform sends one act and records what comes of it.
func perform(t *testing.T, c *wire.Conn, rec *history.Recorder, log *history.Log, a act) {
	text, tx := strings.CutPrefix(a.text, "EXEC of ")
	var cmds [][][]byte
	for _, part := range strings.Split(text, "; ") {
		cmds = append(cmds, words(part))
	}
	if tx {
		prepare := func(cmd [][]byte) {
			if _, err := c.DoArgs(cmd...); err != nil {
				t.Error(err)
			}
		}
		prepare(words("MULTI"))
		for _, cmd := range cmds {
			prepare(cmd)
		}
		op := history.Op{Cmd: words("EXEC"), Body: cmds, Call: rec.Now()}
		finish(t, c, rec, log, op, words("EXEC"))
		return
	}
	if a.lost {
		log.Append(history.Op{Cmd: cmds[0], Call: rec.Now(), Return: history.Never})
		c.Send(cmds[0]...)
		time.Sleep(500 * time.Microsecond)
		c.Close()
		return
	}
	if len(cmds) == 1 {
		finish(t, c, rec, log, history.Op{Cmd: cmds[0], Call: rec.Now()}, cmds[0])
		return
	}
	var all []byte
	for _, cmd := range cmds {
		all = wire.AppendCommand(all, cmd...)
	}
	call := rec.Now()
	c.SendRaw(all)
	for _, cmd := range cmds {
		reply, err := c.Receive(time.Time{})
		if err != nil {
			t.Error(err)
		}
		log.Append(history.Op{Cmd: cmd, Call: call, Return: rec.Now(), Reply: &reply})
	}
}

func finish(t *testing.T, c *wire.Conn, rec *history.Recorder, log *history.Log, op history.Op, cmd [][]byte) {
	reply, err := c.DoArgs(cmd...)
	if err != nil {
		t.Error(err)
	}
	op.Return, op.Reply = rec.Now(), &reply
	log.Append(op)
}

func words(text string) [][]byte {
	var out [][]byte
	for _, w := range strings.Fields(text) {
		out = append(out, []byte(w))
	}
	return out
}

// dialSlow connects through a line that takes its time, both ways.
func dialSlow(t *testing.T, addr string, delay time.Duration) *wire.Conn {
	t.Helper()
	if delay > 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go forward(l, addr, delay)
		addr = l.Addr().String()
	}
	c, err := wire.Dial(addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func forward(l net.Listener, addr string, delay time.Duration) {
	defer l.Close()
	near, err := l.Accept()
	if err != nil {
		return
	}
	far, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			defer func() { ended <- struct{}{} }()
			b := make([]byte, 4096)
			for {
				n, err := way[0].Read(b)
				if err != nil {
					return
				}
				time.Sleep(delay)
				way[1].Write(b[:n])
			}
		}()
	}
	<-ended
	time.Sleep(2 * delay) // what is on its way arrives
	near.Close()
	far.Close()
}

func (r wireRecipe) record(t *testing.T) {
	addr, _ := server(t, r.fault)
	admin, err := wire.Dial(addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if r.first != "" {
		admin.DoArgs(words(r.first)...)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var text strings.Builder
	start, b := time.Now(), make([]byte, 4096)
	for _, bytes := range r.sends {
		fmt.Fprintln(&text, Line{int64(time.Since(start)), true, bytes})
		c.Write([]byte(bytes))
		c.SetReadDeadline(time.Now().Add(10 * ms))
		if n, _ := c.Read(b); n > 0 { // all that comes of it comes at once
			fmt.Fprintln(&text, Line{int64(time.Since(start)), false, string(b[:n])})
			time.Sleep(5 * ms)
		}
	}
	save(t, r.name+".wire", []byte(text.String()))
}

func lessonOf(name string) string {
	for _, s := range scenarios {
		if s.Name == name {
			return s.Lesson
		}
	}
	return ""
}
