package suite

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

var orderCases = []Case{
	{Name: "order/register", Clauses: []string{"LIN-1", "LIN-2"}, Run: register},
	{Name: "order/counter", Clauses: []string{"LIN-3", "CONN-1"}, Needs: []string{"incr"},
		Run: counter},
	{Name: "order/cut-bursts", Clauses: []string{"LIN-5", "LIN-6"}, Needs: []string{"append"}, Run: cutBursts},
}

// register has one client write rising numbers while others read: a read answers a number whose
// write had begun when the read ended, and none older than the last write that had ended when the
// read began.
func register(t *T) {
	k := t.Key("r")
	t.Want(t.Conn(), "+OK", "SET", k, "0")
	var begun, ended atomic.Int64
	until := time.Now().Add(workersTime)
	t.Workers(4, func(i int) {
		c := t.Conn()
		last := int64(0)
		for n := int64(1); time.Now().Before(until); n++ {
			if i == 0 {
				begun.Store(n)
				t.Want(c, "+OK", "SET", k, strconv.FormatInt(n, 10))
				ended.Store(n)
				continue
			}
			lo := max(ended.Load(), last)
			r := t.Do(c, "GET", k)
			hi := begun.Load()
			last, _ = strconv.ParseInt(r.Str, 10, 64)
			if r.Kind != model.Bulk || last < lo || last > hi {
				t.Failf(c, fmt.Sprintf("a number of %d to %d: older ones were overwritten before the "+
					"read began, newer ones not yet sent", lo, hi), "%s", r.String())
			}
		}
	})
}

// counter has clients increment in bursts: every number comes once, and rising on each connection.
func counter(t *T) {
	const clients, bursts, burst = 6, 12, 25
	k := t.Key("n")
	seen := make([]atomic.Bool, clients*bursts*burst+1)
	t.Workers(clients, func(int) {
		c := t.Conn()
		var buf []byte
		for range burst {
			buf = command(buf, "INCR", k)
		}
		last := int64(0)
		for range bursts {
			t.Send(c, buf)
			for range burst {
				r := t.Receive(c)
				if r.Kind != model.Int || r.Int <= last || r.Int >= int64(len(seen)) {
					t.Failf(c, fmt.Sprintf("a number above %d and below %d", last, len(seen)), "%s", r.String())
				}
				last = r.Int
				if seen[last].Swap(true) {
					t.Failf(c, "each number once", "%d for a second time", last)
				}
			}
		}
	})
	c := t.Conn()
	t.Want(c, fmt.Sprintf("\"%d\"", len(seen)-1), "GET", k)
}

// cutBursts breaks connections in the middle of their bursts. Of a burst some beginning took
// effect, whole and in order, and each command once (LIN-5, LIN-6).
func cutBursts(t *T) {
	const length = 200
	for round := range 15 {
		k := t.Key(fmt.Sprint(round))
		var buf []byte
		for i := range length {
			buf = command(buf, "APPEND", k, string(rune('a'+i%26)))
		}
		c := t.Conn()
		t.Want(c, "+PONG", "PING")
		t.Send(c, buf[:len(buf)-t.Rand.Intn(len(buf)/2)])
		answered := t.someReplies(c, t.Rand.Intn(4))
		_ = c.Reset()
		t.wantBeginning(k, length, answered)
	}
}

// someReplies reads up to n replies and returns the last one's number.
func (t *T) someReplies(c *wire.Conn, n int) int {
	last := 0
	for range n {
		r, err := c.Receive(time.Time{})
		if errors.Is(err, wire.ErrClosed) {
			break
		}
		if err != nil {
			t.Fail(c, "a reply", err.Error())
		}
		if int(r.Int) != last+1 {
			t.Failf(c, fmt.Sprintf(":%d", last+1), "%s", r.String())
		}
		last++
	}
	return last
}

func (t *T) wantBeginning(k string, length, answered int) {
	c := t.Conn()
	value := t.Do(c, "GET", k).Str
	for i := range value {
		if i >= length || value[i] != byte('a'+i%26) {
			t.Failf(c, "a beginning of the burst, in order and each command once", "%q", value)
		}
	}
	if len(value) < answered {
		t.Failf(c, fmt.Sprintf("at least the %d commands that were answered", answered), "%d", len(value))
	}
}
