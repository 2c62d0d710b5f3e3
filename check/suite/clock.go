package suite

import (
	"strconv"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// now reads the target's clock with TIME, in microseconds of Unix time.
func (t *T) now(c *wire.Conn) int64 {
	r := t.Do(c, "TIME")
	if r.Kind == model.Array && len(r.Elems) == 2 {
		sec, err1 := strconv.ParseInt(r.Elems[0].Str, 10, 64)
		usec, err2 := strconv.ParseInt(r.Elems[1].Str, 10, 64)
		if err1 == nil && err2 == nil && usec >= 0 && usec < 1e6 {
			return sec*1e6 + usec
		}
	}
	t.Fail(c, `["seconds", "microseconds"] for TIME`, r.String())
	return 0
}

// bracket watches the target's clock around commands, on a connection of its own. What a command
// read of the clock lies between the reading before and the reading after it: each is answered
// before the next is sent, and readings that follow each other in real time do not decrease
// (LIN-4). Milliseconds are what deadlines are made of.
type bracket struct {
	t      *T
	c      *wire.Conn // of the commands
	clock  *wire.Conn
	lo, hi int64 // ms: the window of the last command
}

func (t *T) newBracket(c *wire.Conn) *bracket {
	b := &bracket{t: t, c: c, clock: t.Conn()}
	b.fresh()
	return b
}

// do sends one command and sets its window.
func (b *bracket) do(args ...string) model.Reply {
	b.lo = b.hi
	r := b.t.Do(b.c, args...)
	b.hi = b.t.now(b.clock) / 1000
	return r
}

// fresh reads the clock again, so that the next window does not begin before a pause.
func (b *bracket) fresh() int64 {
	b.hi = b.t.now(b.clock) / 1000
	return b.hi
}

// until waits for a time of the target's clock.
func (b *bracket) until(ms int64) {
	for b.fresh() < ms {
		if far := ms - b.hi; far > 2 {
			time.Sleep(time.Duration(far-2) * time.Millisecond)
		}
	}
}

// sureAlive and sureDead say what the window decides about a key with a deadline; on the edge
// neither holds. A key is expired if and only if now > deadline (TIME-3).
func (b *bracket) sureAlive(deadline int64) bool { return b.hi <= deadline }
func (b *bracket) sureDead(deadline int64) bool  { return b.lo > deadline }
