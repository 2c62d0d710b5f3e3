package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// LIST-1, KEY-26: what a list leaves behind, and what it is not.
func TestLIST1AndKEY26(t *testing.T) {
	play(t, newFake(), `
		RPUSH k a => :1
		LPOP k => $1 a
		EXISTS k => :0
		RPUSH k a b => :2
		LREM k 0 b => :1
		LTRIM k 1 1 => +OK
		EXISTS k => :0
		RPUSH k a => :1
		SET k 12345678 => +OK
		GET k => $8 12345678
		DEL k => :1
		RPUSH k a => :1
		GETSET k x => -WRONGTYPE Operation against a key holding the wrong kind of value
		LRANGE k 0 -1 => *1 $1 a
		SET k abc => +OK
		STRLEN k => :3
	`)
}

// BLOCK-3, BLOCK-6: who waits sees what a whole EXEC has left, and nothing in it waits.
func TestBLOCK3AndBLOCK6(t *testing.T) {
	h := newFake()
	play(t, h, `
		b>BLPOP q 0
		a>MULTI => +OK
		a>RPUSH q 1 => +QUEUED
		a>LPUSH q 0 => +QUEUED
		a>LLEN q => +QUEUED
		a>BLPOP none 0 => +QUEUED
		a>EXEC => *4 :1 :2 :2 *-1
		a>LRANGE q 0 -1 => *1 $1 1
	`)
	if got := string(h.sessions[0].Out); got != "*2\r\n$1\r\nq\r\n$1\r\n0\r\n" {
		t.Errorf("b is answered %q", got)
	}
	if h.x.Waiting() != 0 {
		t.Error("somebody waits")
	}
}

// twin is a list in the keyspace beside a slice.
type twin struct {
	t    *testing.T
	h    *fake
	s    *Session
	rng  *rand.Rand
	list []string
}

func (w *twin) want(line, reply string) {
	w.t.Helper()
	if got := w.h.run(w.s, line); got != reply {
		w.t.Fatalf("%s: %q, want %q", line, got, reply)
	}
}

func num(n int) string     { return ":" + strconv.Itoa(n) + "\r\n" }
func bulk(e string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(e), e) }

// LIST-2 to LIST-13: random commands beside a slice.
func TestListsAgainstASlice(t *testing.T) {
	h := newFake()
	w := &twin{t: t, h: h, s: h.connect(), rng: rand.New(rand.NewPCG(7, 7))}
	ops := []func(w *twin, e string, i int){
		(*twin).push, (*twin).push, (*twin).push, (*twin).push, (*twin).pop, (*twin).set, (*twin).insert,
		(*twin).remove, (*twin).rotate,
	}
	for step := range 20_000 {
		e := strconv.Itoa(w.rng.IntN(9)) + strings.Repeat("e", w.rng.IntN(3)*w.rng.IntN(200))
		if i := w.rng.IntN(len(w.list) + 1); i < len(w.list) {
			ops[w.rng.IntN(len(ops))](w, e, i)
		} else {
			w.push(e, i)
		}
		if step%200 == 0 {
			w.trim()
		}
		if step%100 == 0 {
			w.compare()
		}
	}
	if err := h.x.Audit(slices.Values(h.sessions)); err != nil {
		t.Error(err)
	}
}

func (w *twin) push(e string, i int) {
	command, at := "LPUSH", 0
	if i%2 == 0 {
		command, at = "RPUSH", len(w.list)
	}
	w.list = slices.Insert(w.list, at, e)
	w.want(command+" k "+e, num(len(w.list)))
}

func (w *twin) pop(string, int) {
	w.want("LPOP k", bulk(w.list[0]))
	w.list = w.list[1:]
}

func (w *twin) set(e string, i int) {
	w.list[i] = e
	w.want(fmt.Sprintf("LSET k %d %s", i, e), "+OK\r\n")
	w.want(fmt.Sprintf("LINDEX k %d", i-len(w.list)), bulk(e))
}

func (w *twin) insert(e string, i int) {
	pivot := w.list[i]
	w.list = slices.Insert(w.list, slices.Index(w.list, pivot)+1, e)
	w.want("LINSERT k AFTER "+pivot+" "+e, num(len(w.list)))
}

func (w *twin) remove(e string, _ int) {
	removed := 0
	w.list = slices.DeleteFunc(w.list, func(x string) bool {
		gone := x == e && removed < 2
		if gone {
			removed++
		}
		return gone
	})
	w.want("LREM k 2 "+e, num(removed))
}

func (w *twin) rotate(string, int) {
	last := len(w.list) - 1
	w.want("RPOPLPUSH k k", bulk(w.list[last]))
	w.list = slices.Insert(w.list[:last], 0, w.list[last])
}

func (w *twin) trim() {
	if n := len(w.list); n > 20 {
		w.want(fmt.Sprintf("LTRIM k %d -3", n/3), "+OK\r\n")
		w.list = slices.Clone(w.list[n/3 : n-2])
	}
}

func (w *twin) compare() {
	all := "*" + strconv.Itoa(len(w.list)) + "\r\n"
	for _, e := range w.list {
		all += bulk(e)
	}
	w.want("LRANGE k 0 -1", all)
}
