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

// LIST-2 to LIST-13: random commands beside a slice.
func TestListsAgainstASlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	h := newFake()
	s := h.connect()
	var list []string
	want := func(line, reply string) {
		t.Helper()
		if got := h.run(s, line); got != reply {
			t.Fatalf("%s: %q, want %q", line, got, reply)
		}
	}
	num := func(n int) string { return ":" + strconv.Itoa(n) + "\r\n" }
	bulk := func(e string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(e), e) }
	for step := range 20_000 {
		e := strconv.Itoa(rng.IntN(9)) + strings.Repeat("e", rng.IntN(3)*rng.IntN(200))
		n := len(list)
		switch i := rng.IntN(n + 1); rng.IntN(9) {
		case 0, 1:
			list = append([]string{e}, list...)
			want("LPUSH k "+e, num(n+1))
		case 2, 3:
			list = append(list, e)
			want("RPUSH k "+e, num(n+1))
		case 4:
			if n > 0 {
				want("LPOP k", bulk(list[0]))
				list = list[1:]
			}
		case 5:
			if i < n {
				list[i] = e
				want(fmt.Sprintf("LSET k %d %s", i, e), "+OK\r\n")
				want(fmt.Sprintf("LINDEX k %d", i-n), bulk(e))
			}
		case 6:
			if i < n {
				at := slices.Index(list, list[i])
				list = slices.Insert(list, at+1, e)
				want("LINSERT k AFTER "+list[at]+" "+e, num(n+1))
			}
		case 7:
			removed := 0
			list = slices.DeleteFunc(list, func(x string) bool {
				gone := x == e && removed < 2
				if gone {
					removed++
				}
				return gone
			})
			want("LREM k 2 "+e, num(removed))
		case 8:
			if step%50 == 0 && n > 20 {
				want(fmt.Sprintf("LTRIM k %d -3", n/3), "+OK\r\n")
				list = list[n/3 : n-2]
			} else if n > 1 {
				want("RPOPLPUSH k k", bulk(list[n-1]))
				list = append([]string{list[n-1]}, list[:n-1]...)
			}
		}
		list = slices.Clip(list)
		if step%100 == 0 {
			var all strings.Builder
			fmt.Fprintf(&all, "*%d\r\n", len(list))
			for _, x := range list {
				all.WriteString(bulk(x))
			}
			want("LRANGE k 0 -1", all.String())
		}
	}
	if err := h.x.Audit(slices.Values(h.sessions)); err != nil {
		t.Error(err)
	}
}
