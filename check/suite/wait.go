package suite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rondo/check/wire"
)

var waitCases = []Case{
	{Name: "wait/timeouts", Clauses: []string{"BLOCK-4", "BLOCK-13"}, Needs: []string{"blpop"},
		Exclusive: true, Run: timeouts},
	{Name: "wait/unblock", Clauses: []string{"BLOCK-7", "BLOCK-14", "CONN-33"},
		Needs: []string{"blpop", "client|unblock", "client|list", "info"}, Exclusive: true, Run: unblock},
	{Name: "wait/not-slow", Clauses: []string{"BLOCK-15"}, Exclusive: true, Run: waitingIsNotSlow,
		Needs: []string{"blpop", "rpush", "slowlog|get", "config", "client|list", "info"}},
	{Name: "wait/each-once", Clauses: []string{"BLOCK-8", "BLOCK-1", "LIN-3"},
		Needs: []string{"blpop", "rpush"}, Run: eachOnce},
}

// timeouts has clients wait for nothing, and looks how long that took: never less than they asked for,
// and how much longer. A busy machine makes it longer; the quickest quarter tells of the server.
func timeouts(t *T) {
	const waiting, most = 24, 5 * time.Millisecond
	late := make([]time.Duration, waiting)
	key := t.Key("none")
	t.Workers(waiting, func(i int) {
		c := t.Conn()
		asked := time.Duration(20+7*i) * time.Millisecond
		begun := time.Now()
		r := t.Do(c, "BLPOP", key, strconv.FormatFloat(asked.Seconds(), 'f', 3, 64))
		late[i] = time.Since(begun) - asked
		t.Clause("BLOCK-4")
		if !r.IsNull() {
			t.Fail(c, "null for BLPOP of a key that nobody pushes to", r.String())
		}
		if late[i] < 0 {
			t.Failf(c, fmt.Sprintf("an answer after %v and no sooner", asked), "%v too early", -late[i])
		}
	})
	slices.Sort(late)
	t.Clause("BLOCK-13")
	if quick := late[waiting/4]; quick > most {
		t.Failf(nil, fmt.Sprintf("a quarter of %d timeouts not later than %v", waiting, most),
			"late by %v, half of them by %v", quick.Round(100*time.Microsecond),
			late[waiting/2].Round(100*time.Microsecond))
	}
	t.Note("%d timeouts were late by %v (median), %v at most", waiting,
		late[waiting/2].Round(10*time.Microsecond), late[waiting-1].Round(10*time.Microsecond))
}

// unblock ends the waiting of a client from outside.
func unblock(t *T) {
	waiter, other := t.Conn(), t.Conn()
	key := t.Key("none")
	id := strconv.FormatInt(t.Want(waiter, ":*", "CLIENT", "ID").Int, 10)
	for _, way := range [][2]string{{"", "nil-array"}, {"TIMEOUT", "nil-array"}, {"error", "-~UNBLOCKED *"}} {
		t.Send(waiter, command(nil, "BLPOP", key, "0"))
		t.Clause("BLOCK-14")
		t.waits(other, id)
		t.Clause("BLOCK-7")
		cmd := []string{"CLIENT", "UNBLOCK", id, way[0]}
		if way[0] == "" {
			cmd = cmd[:3]
		}
		counted := t.unblocked(other)
		t.Want(other, ":1", cmd...)
		if r := t.Receive(waiter); !matches(way[1], r) {
			t.Fail(waiter, way[1]+" for a client that was unblocked", r.String())
		}
		t.Clause("CONN-33")
		if now := t.unblocked(other); way[0] == "error" && now == counted {
			t.Fail(other, "one more errorstat_UNBLOCKED in INFO errorstats", now)
		}
		t.Clause("BLOCK-7")
		t.Want(other, ":0", cmd...)
		t.Want(waiter, "+PONG", "PING")
	}
	t.Want(other, ":1", "RPUSH", key, "v")
	t.Want(waiter, `"v"`, "LPOP", key)
}

// unblocked is what INFO errorstats says of the errors by which CLIENT UNBLOCK ends waiting.
func (t *T) unblocked(c *wire.Conn) string {
	_, after, _ := strings.Cut(t.Do(c, "INFO", "errorstats").Str, "errorstat_UNBLOCKED:")
	count, _, _ := strings.Cut(after, "\r\n")
	return count
}

// waitingIsNotSlow has a client wait while the log takes everything.
func waitingIsNotSlow(t *T) {
	waiter, other := t.Conn(), t.Conn()
	t.keepSetting(other, "slowlog-log-slower-than")
	key := t.Key("q")
	id := strconv.FormatInt(t.Want(waiter, ":*", "CLIENT", "ID").Int, 10)
	t.Want(other, "+OK", "CONFIG", "SET", "slowlog-log-slower-than", "0")
	t.Want(other, "+OK", "SLOWLOG", "RESET")
	logged := func(want int) {
		n := 0
		for _, e := range t.Do(other, "SLOWLOG", "GET", "-1").Elems {
			if strings.Contains(e.Elems[3].String(), "BLPOP") {
				n++
			}
		}
		if n != want {
			t.Failf(other, fmt.Sprintf("%d BLPOP in the slow log", want), "%d", n)
		}
	}
	t.Send(waiter, command(nil, "BLPOP", key, "0"))
	t.waits(other, id)
	logged(0)
	t.Want(other, ":1", "RPUSH", key, "v")
	t.Receive(waiter)
	logged(1)
}

// waits returns when the server says that the client of an ID waits.
func (t *T) waits(c *wire.Conn, id string) {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		info := t.Do(c, "INFO", "clients").Str
		flagged := strings.Contains(t.Do(c, "CLIENT", "LIST", "ID", id).Str, " flags=b ")
		if flagged && strings.Contains(info, "blocked_clients:1\r\n") {
			return
		}
		if time.Since(start) > patience {
			t.Fail(c, "blocked_clients:1, and flags=b in CLIENT LIST", "flags=b: "+
				strconv.FormatBool(flagged)+", "+strings.TrimSpace(info))
		}
	}
}

const patience = 3 * time.Second

// eachOnce has takers wait for what pushers push, while others begin to wait and go away: every element
// is taken, by one of those who stay.
func eachOnce(t *T) {
	const pushers, takers, leavers, each = 3, 6, 4, 120
	key := t.Key("q")
	var mu sync.Mutex
	taken := map[string]int{}
	t.Workers(pushers+takers+leavers, func(i int) {
		rnd := t.NewRand()
		switch {
		case i < pushers:
			c := t.Conn()
			for n := range each {
				t.Want(c, ":*", "RPUSH", key, fmt.Sprintf("%d-%d", i, n))
			}
		case i < pushers+takers:
			c := t.Conn()
			for {
				r := t.Do(c, "BLPOP", key, "0.5")
				if r.IsNull() {
					return
				}
				mu.Lock()
				taken[r.Elems[1].Str]++
				mu.Unlock()
			}
		default:
			for range 10 {
				c := t.Conn()
				t.Send(c, command(nil, "BLPOP", t.Key("none"), "0"))
				time.Sleep(time.Duration(rnd.Intn(5)) * time.Millisecond)
				c.Close()
			}
		}
	})
	for e, n := range taken {
		if n != 1 {
			t.Failf(nil, "each element taken once", "%s was taken %d times", e, n)
		}
	}
	left := t.Want(t.Conn(), ":*", "LLEN", key).Int
	if len(taken)+int(left) != pushers*each {
		t.Failf(nil, fmt.Sprintf("%d elements, taken or still there", pushers*each), "%d taken, %d left",
			len(taken), left)
	}
	t.Note("%d elements by %d pushers, each taken once by one of %d", pushers*each, pushers, takers)
}
