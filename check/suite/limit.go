package suite

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// The cases about limits change settings of the whole server, so they run alone, and every setting
// is put back.
var limitCases = []Case{
	{Name: "conn/maxclients", Clauses: []string{"CONN-12"}, Needs: []string{"config", "info"},
		Exclusive: true, Run: maxClients},
	{Name: "conn/query-buffer-limit", Clauses: []string{"CONN-14"}, Needs: []string{"config"},
		Exclusive: true, Run: queryBufferLimit},
	{Name: "conn/output-hard-limit", Clauses: []string{"CONN-15"}, Needs: []string{"config"},
		Exclusive: true, Run: outputHardLimit},
	{Name: "conn/output-soft-limit", Clauses: []string{"CONN-16"}, Needs: []string{"config"},
		Exclusive: true, Run: outputSoftLimit},
	{Name: "conn/memory-of-all-clients", Clauses: []string{"CONN-36"}, Needs: []string{"config"},
		Exclusive: true, Run: memoryOfAllClients},
	{Name: "conn/idle-thousand", Clauses: []string{"CONN-29"}, Exclusive: true, Run: idleThousand},
}

// set changes a setting until the case ends.
func (t *T) set(c *wire.Conn, name, value string) {
	t.keepSetting(c, name)
	if r := t.Do(c, "CONFIG", "SET", name, value); r.Kind == model.Error {
		t.Skip(fmt.Sprintf("the target does not let %s be set: %s", name, r.Str))
	}
}

// maxClients lets few more clients in than there are, and opens more. A refused client reads before
// it sends: else the reset of the connection may overtake the text.
func maxClients(t *T) {
	const room, tries = 4, 12
	c := t.Conn()
	n, err := strconv.Atoi(target.Fields(t.Do(c, "INFO", "clients").Str)["connected_clients"])
	if err != nil {
		t.Fail(c, "connected_clients in INFO clients", "none")
	}
	t.set(c, "maxclients", strconv.Itoa(n+room))
	var in []*wire.Conn
	refused := 0
	for range tries {
		next := t.Conn()
		switch text, is := refusal(next, 100*time.Millisecond); {
		case text != "":
			refused++
			if text != "ERR max number of clients reached" {
				t.Fail(next, "-ERR max number of clients reached", "-"+text)
			}
			t.WantClosed(next)
		case !is:
			t.Want(next, "+PONG", "PING")
			in = append(in, next)
		}
	}
	if refused == 0 {
		t.Failf(c, fmt.Sprintf("clients beyond maxclients %d refused", n+room), "%d more let in", len(in))
	}
	for _, old := range append(in, c) {
		t.Want(old, "+PONG", "PING")
	}
	for _, old := range in {
		old.Close()
	}
	t.eventually("room again for a client when others have left", func() bool {
		next := t.Conn()
		defer next.Close()
		_, err := next.Do("PING")
		return err == nil
	})
}

// queryBufferLimit sends half of a command that is larger than the limit.
func queryBufferLimit(t *T) {
	c, other := t.Conn(), t.Conn()
	k := t.Key("k")
	t.set(other, "client-query-buffer-limit", "1048576")
	buf := []byte("*3\r\n$3\r\nSET\r\n" + fmt.Sprintf("$%d\r\n%s\r\n", len(k), k) + "$4000000\r\n")
	err := c.SendRaw(append(buf, make([]byte, 2_000_000)...))
	if err != nil && !errors.Is(err, wire.ErrClosed) {
		t.Broken(err)
	}
	t.WantClosed(c)
	t.Want(other, ":0", "EXISTS", k)
	within := t.Conn()
	t.Want(within, "+OK", "SET", k, strings.Repeat("x", 900_000))
}

// outputHardLimit has a client ask for 64 MB with a limit of 1 MB and read nothing.
func outputHardLimit(t *T) {
	const replies = 256
	c, other := t.Conn(), t.Conn()
	k := t.Key("k")
	t.Want(other, "+OK", "SET", k, strings.Repeat("x", 256<<10))
	t.set(other, "client-output-buffer-limit", "normal 1048576 0 0")
	_ = c.SetReadBuffer(16 << 10)
	if err := c.SendRaw(bytes.Repeat(command(nil, "GET", k), replies)); err != nil &&
		!errors.Is(err, wire.ErrClosed) {
		t.Broken(err)
	}
	t.Want(other, "+PONG", "PING")
	if n, closed := t.readToClose(c); !closed {
		t.Failf(c, "the connection is closed at its output limit", "%d whole replies, still open", n)
	} else if n == replies {
		t.Failf(c, "the connection is closed at its output limit", "all %d replies", n)
	}
	t.Want(other, "+PONG", "PING")
}

// readToClose counts whole replies up to the end of the connection. The reply that it ends in may
// be cut: what was pending is dropped.
func (t *T) readToClose(c *wire.Conn) (replies int, closed bool) {
	for {
		_, err := c.Receive(time.Now().Add(closeTimeout))
		var cut *wire.MalformedError
		switch {
		case err == nil:
			replies++
			continue
		case errors.Is(err, wire.ErrClosed), errors.As(err, &cut):
			return replies, true
		}
		return replies, false
	}
}

// outputSoftLimit stays over the soft limit: not closed before its second has passed, and closed
// soon after.
func outputSoftLimit(t *T) {
	c, other := t.Conn(), t.Conn()
	k := t.Key("k")
	id := t.Want(c, ":*", "CLIENT", "ID").Int
	t.Want(other, "+OK", "SET", k, strings.Repeat("x", 256<<10))
	t.set(other, "client-output-buffer-limit", "normal 0 1048576 1")
	_ = c.SetReadBuffer(16 << 10)
	start := time.Now()
	t.Send(c, bytes.Repeat(command(nil, "GET", k), 80))
	for {
		gone := len(t.inClientList(other, id)) == 0
		passed := time.Since(start)
		switch {
		case gone && passed < time.Second:
			t.Failf(c, "a client over the soft limit may stay for its second", "closed after %v", passed)
		case gone:
			t.Note("closed after %v", passed.Round(time.Millisecond))
			return
		case passed > 5*time.Second:
			t.Failf(c, "a client over the soft limit for longer than 1 s is closed", "open after %v", passed)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// idleThousand compares a busy client's replies beside a thousand idle connections with those
// before they came and after they left: a machine that has changed its pace meanwhile changes the
// last as well.
func idleThousand(t *T) {
	const slower, tries = 4, 3
	busy := t.Conn()
	before := t.medianLatency(busy)
	for try := 1; ; try++ {
		leave := t.holdIdle(1000)
		beside := t.medianLatency(busy)
		leave()
		after := t.medianLatency(busy)
		if beside <= slower*max(before, after) {
			t.Note("1000 idle connections: median %v, before %v, after %v", beside, before, after)
			return
		}
		if try == tries {
			t.Failf(busy, fmt.Sprintf("a reply as fast as without idle connections, %v", max(before, after)),
				"%v", beside)
		}
	}
}

// holdIdle opens n connections, each of which has been answered once.
func (t *T) holdIdle(n int) (leave func()) {
	conns := make([]*wire.Conn, 0, n)
	leave = func() {
		for _, c := range conns {
			c.Close()
		}
	}
	for i := range n {
		c, err := t.target.Dial()
		if err != nil {
			leave()
			t.Skip(fmt.Sprintf("only %d connections can be opened here: %v", i, err))
		}
		conns = append(conns, c)
		c.SetReadTimeout(replyTimeout)
		if r, err := c.Do("PING"); err != nil || r.Str != "PONG" {
			leave()
			t.Skip(fmt.Sprintf("the target lets %d connections in: %v %s", i, err, r.Str))
		}
	}
	return leave
}

func (t *T) medianLatency(c *wire.Conn) time.Duration {
	took := make([]time.Duration, 400)
	for i := range took {
		start := time.Now()
		t.Want(c, "+PONG", "PING")
		took[i] = time.Since(start)
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took[len(took)/2]
}
