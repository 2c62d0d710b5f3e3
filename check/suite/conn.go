package suite

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
	"rondo/spec/commands"
)

var connCases = []Case{
	{Name: "conn/deep-pipeline", Clauses: []string{"CONN-2", "CONN-1", "CONN-3"}, Run: deepPipeline},
	{Name: "conn/half-close", Clauses: []string{"CONN-5"}, Run: halfClose},
	{Name: "conn/slow-reader", Clauses: []string{"CONN-17", "CONN-4"}, Run: slowReader},
	{Name: "conn/client-ids", Clauses: []string{"CONN-18"}, Needs: []string{"client|id"},
		Run: clientIDs},
	{Name: "conn/client-list", Clauses: []string{"CONN-20"},
		Needs: []string{"client|list", "client|info", "client|id"}, Run: clientList},
	{Name: "conn/client-kill", Clauses: []string{"CONN-21"},
		Needs: []string{"client|kill", "client|id"}, Run: clientKill},
	{Name: "conn/endings", Clauses: []string{"CONN-22"}, Run: endings},
	{Name: "conn/resets", Clauses: []string{"CONN-28"}, Run: resets},
	{Name: "conn/info", Clauses: []string{"CONN-26"}, Needs: []string{"info"}, Run: infoSections},
	{Name: "conn/command-table", Clauses: []string{"CONN-27"},
		Needs: []string{"command|info", "command|list", "command|count"}, Run: commandTable},
	{Name: "conn/unix-socket", Clauses: []string{"CONN-30"}, Exclusive: true, Run: unixSocket},
	{Name: "conn/slow-in-pipeline", Clauses: []string{"CONN-32"},
		Needs: []string{"slowlog|get", "config", "debug"}, Exclusive: true, Run: slowInPipeline},
	{Name: "conn/latency-seconds", Clauses: []string{"CONN-34"},
		Needs: []string{"latency|history", "config", "debug"}, Exclusive: true, Run: latencySeconds},
	{Name: "conn/debug-refused", Clauses: []string{"CONN-31"}, Needs: []string{"started", "debug"},
		Run: debugRefused},
}

// deepPipeline sends 10,000 commands before it reads one reply, and then their replies in order.
func deepPipeline(t *T) {
	const depth = 10_000
	c := t.Conn()
	k := t.Key("n")
	var buf []byte
	for i := range depth {
		switch {
		case i%2 == 0:
			buf = command(buf, "INCR", k)
		default:
			buf = command(buf, "GET", k)
		}
	}
	t.Send(c, buf)
	for i := range depth {
		want := model.Num(int64(i/2 + 1))
		if i%2 == 1 {
			want = model.Str(strconv.Itoa(i/2 + 1))
		}
		if got := t.Receive(c); got.Int != want.Int || got.Str != want.Str || got.Kind != want.Kind {
			t.Fail(c, fmt.Sprintf("%s as reply %d", want.String(), i+1), got.String())
		}
	}
}

// halfClose sends a long pipeline and ends its sending side at once: all of it is answered.
func halfClose(t *T) {
	for _, n := range []int{1, 100, 3000} {
		c := t.Conn()
		var buf []byte
		for i := range n {
			buf = command(buf, "ECHO", strconv.Itoa(i))
		}
		t.Send(c, buf)
		if err := c.CloseWrite(); err != nil {
			t.Broken(err)
		}
		for i := range n {
			if got := t.Receive(c); got.Str != strconv.Itoa(i) {
				t.Fail(c, model.Str(strconv.Itoa(i)).String(), got.String())
			}
		}
		t.WantClosed(c)
	}
}

// slowReader has one client ask for 16 MB that it does not read while another works; then it reads
// through a small window, and all is there.
func slowReader(t *T) {
	const size, replies = 64 << 10, 256
	slow, busy := t.Conn(), t.Conn()
	k, n := t.Key("big"), t.Key("n")
	value := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	t.Want(busy, "+OK", "SET", k, string(value))
	if err := slow.SetReadBuffer(64 << 10); err != nil {
		t.Broken(err)
	}
	t.Send(slow, bytes.Repeat(command(nil, "GET", k), replies))
	worst := t.worstLatency(busy, n, 200)
	if worst > 5*time.Second {
		t.Failf(busy, "others served while one client does not read", "a reply after %v", worst)
	}
	for i := range replies {
		got := t.Receive(slow)
		if got.Kind != model.Bulk || got.Str != string(value) {
			t.Failf(slow, fmt.Sprintf("the %d bytes of reply %d", size, i+1), "%s",
				firstDifference(model.Str(string(value)), got))
		}
	}
	t.Note("the other client's slowest reply took %v", worst.Round(time.Microsecond))
}

// worstLatency is the longest that one of n commands took.
func (t *T) worstLatency(c *wire.Conn, k string, n int) time.Duration {
	worst := time.Duration(0)
	for i := range n {
		start := time.Now()
		if r := t.Do(c, "INCR", k); r.Int != int64(i+1) {
			t.Fail(c, fmt.Sprintf(":%d", i+1), r.String())
		}
		worst = max(worst, time.Since(start))
	}
	return worst
}

// clientIDs opens connections one after the other and side by side.
func clientIDs(t *T) {
	last := int64(0)
	for range 10 {
		id := t.Want(t.Conn(), ":*", "CLIENT", "ID").Int
		if id <= last {
			t.Failf(nil, fmt.Sprintf("an id above %d", last), "%d", id)
		}
		last = id
	}
	var mu sync.Mutex
	seen := map[int64]bool{}
	t.Workers(8, func(int) {
		c := t.Conn()
		id := t.Want(c, ":*", "CLIENT", "ID").Int
		mu.Lock()
		known := seen[id] || id <= last
		seen[id] = true
		mu.Unlock()
		if known {
			t.Failf(c, "an id that nobody had before", "%d", id)
		}
		t.Want(c, fmt.Sprintf(":%d", id), "CLIENT", "ID")
	})
}

// clientFields reads a line of CLIENT LIST.
func clientFields(line string) map[string]string {
	fields := map[string]string{}
	for _, word := range strings.Fields(line) {
		if name, value, ok := strings.Cut(word, "="); ok {
			fields[name] = value
		}
	}
	return fields
}

// inClientList finds the lines of a client.
func (t *T) inClientList(c *wire.Conn, id int64) []map[string]string {
	var found []map[string]string
	for line := range strings.Lines(t.Do(c, "CLIENT", "LIST").Str) {
		if f := clientFields(line); f["id"] == strconv.FormatInt(id, 10) {
			found = append(found, f)
		}
	}
	return found
}

// sameAddress says whether the server sees this side's address as we do: not where addresses may be
// translated between, and not at a unix socket, whose clients have none.
func (t *T) sameAddress(c *wire.Conn) bool {
	_, _, err := net.SplitHostPort(c.LocalAddr())
	return t.target.Caps().Local && err == nil
}

// clientList compares what CLIENT LIST says about a connection with what is known of it.
func clientList(t *T) {
	watcher, c := t.Conn(), t.Conn()
	id := t.Want(c, ":*", "CLIENT", "ID").Int
	t.Want(c, "+OK", "CLIENT", "SETNAME", "somebody")
	db := t.target.Databases()[min(1, len(t.target.Databases())-1)]
	t.inDatabase(c, db)
	want := map[string]string{"name": "somebody", "db": strconv.Itoa(db), "addr": c.LocalAddr()}
	t.Do(c, "EXISTS", t.KeyIn(db, "k"))
	want["cmd"] = "exists"
	if !t.sameAddress(c) {
		delete(want, "addr")
	}
	found := t.inClientList(watcher, id)
	if len(found) != 1 {
		t.Failf(watcher, "one line for the client in CLIENT LIST", "%d", len(found))
	}
	own := clientFields(t.Do(c, "CLIENT", "INFO").Str)
	for name, value := range want {
		if found[0][name] != value {
			t.Failf(watcher, name+"="+value, "%s=%s", name, found[0][name])
		}
		if name != "cmd" && own[name] != value {
			t.Failf(c, name+"="+value+" in CLIENT INFO", "%s=%s", name, own[name])
		}
	}
	c.Close()
	t.eventually("the line of a closed connection to go", func() bool {
		return len(t.inClientList(watcher, id)) == 0
	})
}

// eventually polls until something that takes the server a moment is so.
func (t *T) eventually(what string, so func() bool) {
	for deadline := time.Now().Add(closeTimeout); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Failf(nil, what, "it did not within %v", closeTimeout)
		}
	}
}

// clientKill kills by address, by ID, and itself.
func clientKill(t *T) {
	killer := t.Conn()
	byID := t.Conn()
	id := t.Want(byID, ":*", "CLIENT", "ID").Int
	t.Want(killer, ":1", "CLIENT", "KILL", "ID", strconv.FormatInt(id, 10))
	t.WantClosed(byID)
	// The client may see its end a moment before the server has forgotten it.
	t.eventually("the killed client to be unknown", func() bool {
		return t.Want(killer, ":0 | :1", "CLIENT", "KILL", "ID", strconv.FormatInt(id, 10)).Int == 0
	})
	if t.sameAddress(killer) {
		old, filter := t.Conn(), t.Conn()
		for _, c := range []*wire.Conn{old, filter} {
			t.Want(c, "+PONG", "PING")
		}
		t.Want(killer, "+OK", "CLIENT", "KILL", old.LocalAddr())
		t.WantClosed(old)
		t.eventually("the killed client to be unknown", func() bool {
			return t.Want(killer, "-ERR No such client | +OK", "CLIENT", "KILL", old.LocalAddr()).Str != "OK"
		})
		t.Want(killer, ":1", "CLIENT", "KILL", "ADDR", filter.LocalAddr())
		t.WantClosed(filter)
	}
	own := strconv.FormatInt(t.Want(killer, ":*", "CLIENT", "ID").Int, 10)
	t.Want(killer, ":0", "CLIENT", "KILL", "ID", own) // SKIPME is yes
	t.Want(killer, ":1", "CLIENT", "KILL", "ID", own, "SKIPME", "no")
	t.WantClosed(killer)
}

// endings leaves connections in the middle of things; what they had done stays, and nothing else.
func endings(t *T) {
	other := t.Conn()
	for how := range 2 {
		k := t.Key(fmt.Sprint(how))
		t.Want(other, "+OK", "SET", k, "1")
		inTx := t.Conn()
		t.Want(inTx, "+OK", "WATCH", k)
		t.Want(inTx, "+OK", "MULTI")
		t.Want(inTx, "+QUEUED", "SET", k, "2")
		t.leave(inTx, how)
		unread := t.Conn()
		t.Send(unread, bytes.Repeat(command(nil, "INCR", k), 10))
		if r := t.Receive(unread); r.Int != 2 {
			t.Fail(unread, ":2, the queued SET having no effect", r.String())
		}
		t.leave(unread, how)
		t.eventually("the commands sent before the end to be executed, at most all of them", func() bool {
			n, _ := strconv.Atoi(t.Do(other, "GET", k).Str)
			return n >= 2 && n <= 11
		})
	}
}

// resets breaks many connections in the middle of frames and of large replies, while others
// increment without a gap.
func resets(t *T) {
	big, n := t.Key("big"), t.Key("n")
	setup := t.Conn()
	t.Want(setup, "+OK", "SET", big, strings.Repeat("x", 300_000))
	rnds := []interface{ Intn(int) int }{t.NewRand(), t.NewRand()}
	t.Workers(4, func(i int) {
		if i < 2 {
			t.worstLatency(t.Conn(), fmt.Sprint(n, i), 300)
			return
		}
		for range 30 {
			c := t.Conn()
			buf := command(nil, "GET", big)
			buf = append(buf, buf[:rnds[i-2].Intn(len(buf))]...)
			t.Send(c, buf)
			if rnds[i-2].Intn(2) == 0 {
				t.Receive(c)
			}
			_ = c.Reset()
		}
	})
	t.Key(fmt.Sprint("n", 0))
	t.Key(fmt.Sprint("n", 1))
	t.Want(setup, "+PONG", "PING")
}

// infoSections asks for sections by name: each reply holds that one, as field:value lines.
func infoSections(t *T) {
	c := t.Conn()
	whole := t.Do(c, "INFO").Str
	for _, section := range []string{"server", "clients", "memory", "stats", "keyspace"} {
		text := t.Do(c, "INFO", section).Str
		head := "# " + strings.ToUpper(section[:1]) + section[1:]
		if !strings.HasPrefix(text, head+"\r\n") || strings.Count(text, "# ") != 1 {
			t.Fail(c, "only the section "+head, short(text))
		}
		if !strings.Contains(whole, head+"\r\n") {
			t.Fail(c, head+" among all sections", short(whole))
		}
		for _, line := range strings.Split(strings.TrimSpace(text), "\r\n")[1:] {
			if name, _, ok := strings.Cut(line, ":"); !ok || name == "" || strings.Contains(name, " ") {
				t.Failf(c, "field:value", "%q", line)
			}
		}
	}
	if target.Fields(whole)["process_id"] == "" {
		t.Fail(c, "process_id in the section server", "none")
	}
}

// commandTable compares COMMAND COUNT, LIST and INFO with each other and with the project's table:
// arity and key positions.
func commandTable(t *T) {
	c := t.Conn()
	count := t.Want(c, ":*", "COMMAND", "COUNT").Int
	listed := map[string]bool{}
	for _, e := range t.Do(c, "COMMAND", "LIST").Elems {
		if !strings.Contains(e.Str, "|") { // Redis lists subcommands too, and does not count them
			listed[e.Str] = true
		}
	}
	if int64(len(listed)) != count {
		t.Failf(c, fmt.Sprintf("as many names as COMMAND COUNT says, %d", count), "%d", len(listed))
	}
	for _, want := range commands.Table {
		if strings.Contains(want.Name, "|") || !t.target.Caps().Has(want.Name) {
			continue
		}
		if !listed[want.Name] {
			t.Fail(c, want.Name+" in COMMAND LIST", "it is not")
		}
		t.Want(c, fmt.Sprintf(`[[%q, :%d, [*], :%d, :%d, :%d, ...]]`, want.Name, want.Arity,
			want.First, want.Last, want.Step), "COMMAND", "INFO", want.Name)
	}
	t.Want(c, "[nil]", "COMMAND", "INFO", "nosuchcommand")
}

// plain are the examples of the spec that neither need anything nor let time pass.
func plain(chapters ...string) []Case {
	var cases []Case
	for _, chapter := range chapters {
		for _, c := range specCases(chapter) {
			if c.plain {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// asOn holds the plain examples with another server than the target.
func (t *T) asOn(tg *target.Target, chapters ...string) {
	for i, c := range plain(chapters...) {
		if unmet(tg, c) != "" {
			continue
		}
		other := newT(tg, c, fmt.Sprintf("%s%d:", t.prefix, i), t.Rand, Result{Verdict: Pass})
		other.as = t.as
		func() {
			defer other.end()
			defer other.recover()
			c.Run(other)
		}()
		if res := other.result; res.Verdict == Fail || res.Verdict == Error {
			t.decide(res.Verdict, fmt.Sprintf("%s at %s: %s", c.Name, tg.Addr(), res.Reason),
				res.Expected, res.Actual, nil)
		}
	}
}

// unixSocket holds examples over the unix socket of the target, or of an instance that has one.
func unixSocket(t *T) {
	tg := t.target
	if tg.Started() {
		tg = t.tryAgain("a unix socket", "--unixsocket", "{dir}/s")
	}
	c := t.ConnTo(tg)
	path := ""
	if r := t.Do(c, "CONFIG", "GET", "unixsocket"); len(r.Elems) == 2 {
		path = r.Elems[1].Str
	}
	if path == "" {
		t.Skip("the target has no unix socket (unixsocket)")
	}
	at, err := tg.Beside("unix:" + path)
	if err != nil {
		t.Skip("the target's unix socket cannot be reached from here: " + err.Error())
	}
	t.asOn(at, "wire", "conn", "exec")
	half := t.ConnTo(at)
	t.Send(half, command(nil, "PING"))
	if err := half.CloseWrite(); err != nil {
		t.Broken(err)
	}
	t.Receive(half)
	t.WantClosed(half)
}

// tryAgain starts an instance with further options, and skips the case where they are not known.
func (t *T) tryAgain(what string, extra ...string) *target.Target {
	tg, err := t.target.Again(extra...)
	if err != nil {
		t.Skip(fmt.Sprintf("the target cannot be started with %s (%s)", what, strings.Join(extra, " ")))
	}
	t.Undo(tg.Kill)
	return tg
}

// debugRefused starts a server with DEBUG forbidden.
func debugRefused(t *T) {
	tg := t.tryAgain("DEBUG forbidden", "--enable-debug-command", "no")
	c := t.ConnTo(tg)
	t.Want(c, "-~ERR DEBUG command not allowed*", "DEBUG", "SLEEP", "0")
	t.Want(c, "+PONG", "PING")
}

// slowInPipeline has one slow command among a thousand others sent at once: the log names it, and
// none of its neighbours. A machine that stops for so long makes others slow too, so there are three
// tries.
func slowInPipeline(t *T) {
	c := t.Conn()
	t.keepSetting(c, "slowlog-log-slower-than")
	k := t.Key("n")
	var all []byte
	for i := range 1000 {
		if i == 500 {
			all = command(all, "DEBUG", "SLEEP", "0.11")
		}
		all = command(all, "INCR", k)
	}
	var slow []string
	for range 3 {
		t.Want(c, "+OK", "CONFIG", "SET", "slowlog-log-slower-than", "100000")
		t.Want(c, "+OK", "SLOWLOG", "RESET")
		t.Send(c, all)
		for range 1001 {
			t.Receive(c)
		}
		slow = nil
		for _, e := range t.Do(c, "SLOWLOG", "GET", "-1").Elems {
			slow = append(slow, e.Elems[3].String())
		}
		if len(slow) == 1 && strings.Contains(slow[0], "DEBUG") {
			return
		}
	}
	t.Failf(c, "DEBUG SLEEP as the one slow command of a pipeline", "%q", slow)
}

// latencySeconds samples two sleeps, of which the first is the longer one, until both have been in the
// same second: then one sample is left, with the longer.
func latencySeconds(t *T) {
	c := t.Conn()
	t.keepSetting(c, "latency-monitor-threshold")
	t.Want(c, "+OK", "CONFIG", "SET", "latency-monitor-threshold", "20")
	for range 10 {
		t.Do(c, "LATENCY", "RESET")
		t.Want(c, "+OK", "DEBUG", "SLEEP", "0.1")
		t.Want(c, "+OK", "DEBUG", "SLEEP", "0.03")
		got := t.Do(c, "LATENCY", "HISTORY", "command").Elems
		if len(got) == 0 {
			t.Fail(c, "a sample of DEBUG SLEEP", "none")
		}
		if len(got) > 1 {
			continue
		}
		if ms := got[0].Elems[1].Int; ms < 100 {
			t.Failf(c, "the worst of the second, 100 ms or more", "%d ms", ms)
		}
		t.Want(c, fmt.Sprintf(`[["command", :%d, :%d, :%d], ...] in any order`, got[0].Elems[0].Int,
			got[0].Elems[1].Int, got[0].Elems[1].Int), "LATENCY", "LATEST")
		return
	}
	t.Skip("no two sleeps were in the same second")
}

// refusal waits a moment for the error text of a connection that is not let in; closed is true if
// the connection ended without one.
func refusal(c *wire.Conn, wait time.Duration) (text string, closed bool) {
	r, err := c.Receive(time.Now().Add(wait))
	if err == nil && r.Kind == model.Error {
		return r.Str, true
	}
	return "", err != nil && errors.Is(err, wire.ErrClosed)
}
