package speed

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"rondo/check/linear"
	"rondo/check/synth"
)

// Row is a kind of history and the bounds within which it is to be decided on two cores.
type Row struct {
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Synth        synth.Options `json:"-"`
	Seconds      float64       `json:"seconds"`
	Bytes        int64         `json:"bytes,omitempty"` // 0: only reported
	Stretch      bool          `json:"stretch,omitempty"`
	PorcupineOps int           `json:"-"` // porcupine gets so many operations at most; 0: 10,000
}

const (
	million = 1_000_000
	gib     = 1 << 30
)

// What an explanation is to keep, the second in all but one in twenty.
const (
	explainMsMax = 1000
	coreMax      = 5 // operations
)

// Rows are the table. The times for histories with a bug hold its explanation, 1 s; where the bug is
// about deadlines there are keys enough that some live until then: one that everybody overwrites all
// the time shows nothing, and is rightly legal.
var Rows = []Row{
	{Name: "register", Title: "GET, SET: 1 key, 64 clients, 1 M",
		Synth:   synth.Options{Mix: "register", Clients: 64, Ops: million},
		Seconds: 6, Bytes: gib},
	{Name: "ttlreg", Title: "GET, SET PX: 1 key, 64 clients, 1 M",
		Synth:   synth.Options{Mix: "ttlreg", Clients: 64, Ops: million},
		Seconds: 7, Bytes: gib},
	{Name: "lock", Title: "SET NX PX, DEL, GET, PTTL: 1 key, 64 clients, 1 M",
		Synth:   synth.Options{Mix: "lock", Clients: 64, Ops: million},
		Seconds: 7, Bytes: gib},
	{Name: "counter", Title: "INCR, PEXPIRE NX, GET, PTTL: 1 key, 64 clients, 1 M",
		Synth:   synth.Options{Mix: "counter", Clients: 64, Ops: million},
		Seconds: 7, Bytes: gib},
	{Name: "fullg-32", Title: "all commands, self-describing: 1 key, 32 clients, 1 M",
		Synth:   synth.Options{Mix: "fullg", Clients: 32, Ops: million},
		Seconds: 8},
	{Name: "fullg-64", Title: "the same with 64 clients",
		Synth:   synth.Options{Mix: "fullg", Clients: 64, Ops: million},
		Seconds: 25, Stretch: true},
	{Name: "full-32", Title: "all commands, plain replies: 1 key, 32 clients, 100 k",
		Synth:   synth.Options{Mix: "full", Clients: 32, Ops: 100_000},
		Seconds: 4},
	{Name: "full-64", Title: "the same with 64 clients",
		Synth:   synth.Options{Mix: "full", Clients: 64, Ops: 100_000},
		Seconds: 30, Stretch: true},
	{Name: "lost-8", Title: "5 % without a reply: 1 key, 8 clients, 200 k",
		Synth:   synth.Options{Mix: "fullg", Clients: 8, Ops: 200_000, Loss: 0.05},
		Seconds: 1},
	{Name: "lost-32", Title: "10,000 without a reply, 32 in flight: 1 key, 200 k",
		Synth:   synth.Options{Mix: "fullg", Clients: 32, Ops: 200_000, Loss: 0.05},
		Seconds: 30, Stretch: true},
	{Name: "keys-1000", Title: "all commands: 1,000 keys, 64 clients, 10 M, streamed",
		Synth:   synth.Options{Mix: "full", Clients: 64, Keys: 1000, Ops: 10 * million},
		Seconds: 30, Bytes: 2 * gib, PorcupineOps: million},
	{Name: "tx", Title: "EXEC, WATCH, RENAME, COPY: 300 keys, 64 clients, 1 M",
		Synth:   synth.Options{Mix: "tx", Clients: 64, Keys: 300, Ops: million},
		Seconds: 30, Bytes: 2 * gib, PorcupineOps: 100_000},
	{Name: "bug-late", Title: "served 5 ms late, 1 op in 50: SET PX, 400 keys, 64 clients, 1 M",
		Synth: synth.Options{Mix: "ttlreg", Clients: 64, Keys: 400, Ops: million,
			Bug: "expired key served 5 ms late, 1 op in 50"},
		Seconds: 8},
	{Name: "bug-stale", Title: "reads stale by 1 ms: GET, SET, 1 key, 64 clients, 1 M",
		Synth: synth.Options{Mix: "register", Clients: 64, Ops: million,
			Bug: "stale read of 1 ms, 2 % of GETs"},
		Seconds: 7},
	{Name: "bug-update", Title: "updates lost: counter mix, 1 key, 64 clients, 1 M",
		Synth: synth.Options{Mix: "counter", Clients: 64, Ops: million,
			Bug: "lost update in INCR, 20 % racy"},
		Seconds: 8},
	{Name: "bug-persist", Title: "PERSIST does nothing: fullg, 200 keys, 32 clients, 1 M",
		Synth: synth.Options{Mix: "fullg", Clients: 32, Keys: 200, Ops: million,
			Bug: "PERSIST does nothing"},
		Seconds: 9},
}

// BugRows are a million operations on one key for each seeded bug, with a mix that lets it be seen there.
func BugRows() []Row {
	mixes := map[string]string{
		"expired key served 5 ms late":             "counter",
		"expired key served 5 ms late, 1 op in 50": "counter",
		"lost update in INCR, 20 % racy":           "counter",
		"stale read of 1 ms, 2 % of GETs":          "register",
		"stale read of 0.2 ms, 2 % of GETs":        "register",
	}
	var out []Row
	for i, bug := range synth.Bugs {
		mix := cmp.Or(mixes[bug.Name], "full")
		out = append(out, Row{Name: "bug-" + strconv.Itoa(i+1), Title: bug.Name + ": " + mix + ", 1 key, 8 clients, 1 M",
			Synth: synth.Options{Mix: mix, Clients: 8, Ops: million, Bug: bug.Name}, Seconds: 8})
	}
	return out
}

func (r Row) want() string {
	if r.Synth.Bug != "" {
		return string(linear.Illegal)
	}
	return string(linear.OK)
}

// Curve is a class of histories that theory calls hard, at one point of its axes.
type Curve struct {
	Name, Title string
	Points      []Row
}

// Curves are time against clients, and against overlap at a fixed number of clients. Their points
// have no bounds; a curve ends at its second undecided point.
func Curves() []Curve {
	clients := []int{4, 8, 16, 24, 32, 48, 64, 96}
	return []Curve{
		byClients("full", "all commands, plain replies", synth.Options{Mix: "full"}, clients),
		byClients("fullg", "all commands, self-describing", synth.Options{Mix: "fullg"}, clients),
		byClients("lost", "all commands, self-describing, 5 % without a reply",
			synth.Options{Mix: "fullg", Loss: 0.05}, clients),
		byClients("lost-counter", "counter mix, 5 % without a reply",
			synth.Options{Mix: "counter", Loss: 0.05}, clients),
		byClients("tx", "transactions over 3 keys", synth.Options{Mix: "tx", Keys: 3}, clients[:5]),
		byThink("full-overlap", "all commands, plain replies, 64 clients that think",
			synth.Options{Mix: "full", Clients: 64}),
		byThink("lost-overlap", "all commands, 5 % without a reply, 64 clients that think",
			synth.Options{Mix: "fullg", Clients: 64, Loss: 0.05}),
	}
}

const curveOps = 10_000

func byClients(name, title string, o synth.Options, clients []int) Curve {
	c := Curve{Name: name, Title: title}
	for _, n := range clients {
		o.Clients, o.Ops = n, curveOps
		c.Points = append(c.Points, Row{Name: name + " " + strconv.Itoa(n), Synth: o})
	}
	return c
}

func byThink(name, title string, o synth.Options) Curve {
	c := Curve{Name: name, Title: title}
	for _, us := range []int{3200, 1600, 800, 400, 200, 100, 10} {
		o.Think, o.Ops = time.Duration(us)*time.Microsecond, curveOps
		c.Points = append(c.Points, Row{Name: name + " think " + strconv.Itoa(us) + " us", Synth: o})
	}
	return c
}

// Select picks rows by name; none: all.
func Select(names []string) ([]Row, string) {
	if len(names) == 0 {
		return Rows, ""
	}
	var out []Row
	for _, name := range names {
		i := slices.IndexFunc(Rows, func(r Row) bool { return r.Name == name })
		if i < 0 {
			return nil, name
		}
		out = append(out, Rows[i])
	}
	return out, ""
}
