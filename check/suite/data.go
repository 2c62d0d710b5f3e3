package suite

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

var dataCases = []Case{
	{Name: "data/scan-while-changing", Clauses: []string{"KEY-5"}, Needs: []string{"scan"},
		Run: scanWhileChanging},
	{Name: "data/whole-keyspace", Clauses: []string{"KEY-7", "KEY-13", "KEY-4"},
		Needs: []string{"randomkey", "dbsize", "keys", "scan"}, Exclusive: true, Run: wholeKeyspace},
	{Name: "data/ranges", Clauses: []string{"STR-12", "STR-13", "STR-14"}, Run: ranges},
	{Name: "data/numbers", Clauses: []string{"STR-15"}, Run: numbers},
	{Name: "data/one-step", Clauses: []string{"STR-11"}, Run: oneStep},
	{Name: "data/set-once", Clauses: []string{"STR-2", "LIN-3"}, Run: setOnce},
}

// scanWhileChanging scans again and again while others fill and empty the keyspace, so that tables
// grow and shrink below the cursor. Keys that are there all the time come in every scan (KEY-5).
func scanWhileChanging(t *T) {
	const stay = 150
	c := t.Conn()
	want := map[string]bool{}
	for i := range stay {
		k := t.Key(fmt.Sprintf("stay%d", i))
		want[k] = true
		t.Want(c, "+OK", "SET", k, "v")
	}
	rnds := []interface{ Intn(int) int }{t.NewRand(), t.NewRand()}
	var done sync.Once
	over := make(chan struct{})
	t.Workers(3, func(i int) {
		if i > 0 {
			t.fillAndEmpty(t.Conn(), i, over)
			return
		}
		defer done.Do(func() { close(over) })
		for _, count := range []string{"10", "1", "50", "1000"} {
			t.scanAll(c, want, count, time.Now().Add(2*workersTime), rnds[0].Intn(2) == 0)
		}
	})
}

// fillAndEmpty adds 2,000 keys and deletes them, until over is closed.
func (t *T) fillAndEmpty(c *wire.Conn, worker int, over <-chan struct{}) {
	const keys, burst = 2000, 100
	for {
		for _, cmd := range []string{"SET", "DEL"} {
			for i := 0; i < keys; i += burst {
				var buf []byte
				for j := range burst {
					k := t.Key(fmt.Sprintf("go%d-%d", worker, i+j))
					if cmd == "SET" {
						buf = command(buf, "SET", k, "v")
					} else {
						buf = command(buf, "DEL", k)
					}
				}
				t.Send(c, buf)
				for range burst {
					t.Receive(c)
				}
			}
		}
		select {
		case <-over:
			return
		default:
		}
	}
}

// scanAll makes one full scan. One that takes too long on a large keyspace decides nothing.
func (t *T) scanAll(c *wire.Conn, want map[string]bool, count string, until time.Time, match bool) {
	seen := map[string]bool{}
	cursor := "0"
	for {
		line := []string{"SCAN", cursor, "COUNT", count}
		if match {
			line = append(line, "MATCH", t.prefix+"stay*")
		}
		r := t.Want(c, `["*", [*]] | [~"*", [*]]`, line...)
		for _, e := range r.Elems[1].Elems {
			seen[e.Str] = true
		}
		if cursor = r.Elems[0].Str; cursor == "0" {
			break
		}
		if time.Now().After(until) {
			return
		}
	}
	missing := 0
	for k := range want {
		if !seen[k] {
			missing++
		}
	}
	if missing > 0 {
		t.Failf(c, "every key that is there throughout, in a scan with COUNT "+count,
			"%d of %d missing", missing, len(want))
	}
}

// wholeKeyspace uses an empty database: RANDOMKEY, DBSIZE, KEYS and SCAN see exactly what is there.
func wholeKeyspace(t *T) {
	const keys = 40
	c := t.Conn()
	db := t.Database(c)
	t.Want(c, "nil", "RANDOMKEY")
	t.Want(c, "[]", "KEYS", "*")
	live := map[string]bool{}
	for i := range keys {
		k := t.KeyIn(db, fmt.Sprint(i))
		live[k] = true
		t.Want(c, "+OK", "SET", k, "v")
		t.Want(c, fmt.Sprintf(":%d", i+1), "DBSIZE")
	}
	for len(live) > 0 {
		for range 20 {
			if r := t.Do(c, "RANDOMKEY"); !live[r.Str] {
				t.Fail(c, "a live key for RANDOMKEY", r.String())
			}
		}
		if n := len(t.Do(c, "KEYS", "*").Elems); n != len(live) {
			t.Failf(c, fmt.Sprintf("%d keys for KEYS", len(live)), "%d", n)
		}
		for range max(1, len(live)/3) {
			k := t.Do(c, "RANDOMKEY").Str
			t.Want(c, ":1", "DEL", k)
			delete(live, k)
		}
		t.Want(c, fmt.Sprintf(":%d", len(live)), "DBSIZE")
	}
	t.Want(c, "nil", "RANDOMKEY")
}

// ranges makes random changes to a string with APPEND and SETRANGE and compares with a copy.
func ranges(t *T) {
	c := t.Conn()
	k := t.Key("k")
	var want []byte
	for range 400 {
		piece := make([]byte, t.Rand.Intn(60))
		t.Rand.Read(piece)
		if t.Rand.Intn(2) == 0 {
			want = append(want, piece...)
			t.Want(c, fmt.Sprintf(":%d", len(want)), "APPEND", k, string(piece))
		} else {
			at := t.Rand.Intn(len(want) + 20)
			want = overwrite(want, at, piece)
			t.Want(c, fmt.Sprintf(":%d", len(want)), "SETRANGE", k, strconv.Itoa(at), string(piece))
		}
		from, to := t.Rand.Intn(2*len(want)+9)-len(want)-4, t.Rand.Intn(2*len(want)+9)-len(want)-4
		got := t.Do(c, "GETRANGE", k, strconv.Itoa(from), strconv.Itoa(to))
		if got.Kind != model.Bulk || got.Str != string(substring(want, from, to)) {
			t.Fail(c, model.Str(string(substring(want, from, to))).String(), got.String())
		}
	}
	t.Want(c, fmt.Sprintf(":%d", len(want)), "STRLEN", k)
}

func overwrite(s []byte, at int, piece []byte) []byte {
	if len(piece) == 0 {
		return s
	}
	if over := at + len(piece) - len(s); over > 0 {
		s = append(s, make([]byte, over)...)
	}
	copy(s[at:], piece)
	return s
}

// substring is GETRANGE: both ends inclusive, negative ones from the end (STR-13).
func substring(s []byte, from, to int) []byte {
	if from < 0 && to < 0 && from > to {
		return nil
	}
	if from < 0 {
		from = max(0, from+len(s))
	}
	if to < 0 {
		to = max(0, to+len(s))
	}
	to = min(to, len(s)-1)
	if from > to || len(s) == 0 {
		return nil
	}
	return s[from : to+1]
}

// numbers counts with random steps, up to both ends of 64 bits.
func numbers(t *T) {
	c := t.Conn()
	k := t.Key("n")
	value := int64(0)
	for range 300 {
		step := t.Rand.Int63() >> t.Rand.Intn(63)
		name, delta := "INCRBY", step
		if t.Rand.Intn(2) == 0 {
			name, delta = "DECRBY", -step
		}
		sum := value + delta
		if overflow := (delta > 0) == (sum < value) && delta != 0; overflow {
			t.Want(c, "-ERR increment or decrement would overflow", name, k, strconv.FormatInt(step, 10))
		} else {
			value = sum
			t.Want(c, fmt.Sprintf(":%d", value), name, k, strconv.FormatInt(step, 10))
		}
	}
	t.Want(c, fmt.Sprintf("\"%d\"", value), "GET", k)
}

// oneStep has writers set several keys at once while readers read them at once: all are equal.
func oneStep(t *T) {
	ks := []string{t.Key("a"), t.Key("b"), t.Key("c"), t.Key("d")}
	until := time.Now().Add(workersTime)
	t.Workers(4, func(i int) {
		c := t.Conn()
		for n := 0; time.Now().Before(until); n++ {
			if i < 2 {
				line := []string{"MSET"}
				for _, k := range ks {
					line = append(line, k, fmt.Sprintf("%d-%d", i, n))
				}
				t.Want(c, "+OK", line...)
				continue
			}
			r := t.Do(c, append([]string{"MGET"}, ks...)...)
			for _, e := range r.Elems {
				if e.Str != r.Elems[0].Str {
					t.Fail(c, "four equal values, written by one MSET", r.String())
				}
			}
		}
	})
}

// setOnce has clients race for the same keys with SET NX: each key has one winner, and its value.
func setOnce(t *T) {
	const keys, clients = 60, 5
	winners := make([]int, keys)
	var mu sync.Mutex
	ks := make([]string, keys)
	for i := range ks {
		ks[i] = t.Key(fmt.Sprint(i))
	}
	t.Workers(clients, func(me int) {
		c := t.Conn()
		var buf []byte
		for _, k := range ks {
			buf = command(buf, "SET", k, strconv.Itoa(me+1), "NX")
		}
		t.Send(c, buf)
		for i := range keys {
			if r := t.Receive(c); matches("+OK", r) {
				mu.Lock()
				other := winners[i]
				winners[i] = me + 1
				mu.Unlock()
				if other != 0 {
					t.Failf(c, "one SET NX succeeds", "two did, of clients %d and %d", other, me+1)
				}
			} else if !r.IsNull() {
				t.Fail(c, "+OK | nil for SET NX", r.String())
			}
		}
	})
	c := t.Conn()
	for i, k := range ks {
		t.Want(c, fmt.Sprintf("\"%d\"", winners[i]), "GET", k)
	}
}
