package suite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

var wireCases = []Case{
	{Name: "wire/split-anywhere", Clauses: []string{"WIRE-2", "WIRE-1", "CONN-4"}, Run: splitAnywhere},
	{Name: "wire/half-frames", Clauses: []string{"WIRE-3", "WIRE-1"}, Run: halfFrames},
	{Name: "wire/large-arguments", Clauses: []string{"WIRE-24", "WIRE-4"}, Run: largeArguments},
	{Name: "wire/all-bytes", Clauses: []string{"WIRE-4"}, Run: allBytes},
	{Name: "wire/noise", Clauses: []string{"WIRE-13", "CONN-28"}, Run: noise},
}

// pipeline is requests in one buffer; ends are the offsets at which those with a reply end.
type pipeline struct {
	buf  []byte
	ends []int
}

func (p *pipeline) add(args ...string) { p.inline(string(command(nil, args...))) }

func (p *pipeline) inline(line string) {
	p.buf = append(p.buf, line...)
	p.ends = append(p.ends, len(p.buf))
}

// richPipeline holds a bit of everything that a request can be, and leaves the keys as it found
// them.
func richPipeline(k string) *pipeline {
	p := &pipeline{}
	p.add("SET", k, "\r\n$3\r\n\x00\xff")
	p.add("APPEND", k, "*1\r\n")
	p.add("GET", k)
	p.buf = append(p.buf, "\r\n*0\r\n*-1\r\n"...) // WIRE-8: no replies
	p.inline("EXISTS " + k + " \"no\\x41such\" 'it\\'s'\n")
	p.add("NOSUCH", "a\r\nb")
	p.add("get")
	p.add("MULTI")
	p.add("STRLEN", k)
	p.add("INCR", k)
	p.add("EXEC")
	p.inline("ECHO \"\"\r\n")
	p.add("SET", k, "v", "PX", "100000", "NX")
	p.add("MGET", k, k+"x")
	p.add("DEL", k)
	return p
}

// splitAnywhere sends one pipeline whole, then in two pieces cut at every byte, then in random
// pieces, then byte by byte: the replies are the same, and each comes when its command is whole.
func splitAnywhere(t *T) {
	c := t.Conn()
	p := richPipeline(t.Key("k"))
	want := t.pieces(c, p, nil, p.buf)
	for cut := 1; cut < len(p.buf); cut++ {
		t.pieces(c, p, want, p.buf[:cut], p.buf[cut:])
	}
	for range 40 {
		t.pieces(c, p, want, chop(t.Rand, p.buf, 1+t.Rand.Intn(12))...)
	}
	t.pieces(c, p, want, chop(nil, p.buf, 1)...)
}

// chop cuts into pieces of 1 to 2*mean bytes; without a generator, of mean bytes.
func chop(rnd *rand.Rand, buf []byte, mean int) [][]byte {
	var pieces [][]byte
	for len(buf) > 0 {
		n := mean
		if rnd != nil {
			n = 1 + rnd.Intn(2*mean)
		}
		n = min(n, len(buf))
		pieces = append(pieces, buf[:n])
		buf = buf[n:]
	}
	return pieces
}

// pieces writes each piece by itself and waits for the replies of the commands that are whole by
// then, so the server has read this piece before the next is sent. The replies, in notation, must
// be those wanted.
func (t *T) pieces(c *wire.Conn, p *pipeline, want []string, pieces ...[]byte) []string {
	var got []string
	sent := 0
	for _, piece := range pieces {
		t.Send(c, piece)
		sent += len(piece)
		for len(got) < len(p.ends) && p.ends[len(got)] <= sent {
			r, err := c.Receive(time.Now().Add(replyTimeout))
			if err != nil {
				t.Failf(c, fmt.Sprintf("reply %d after %d bytes in %d pieces", len(got)+1, sent, len(pieces)),
					"%v", err)
			}
			got = append(got, r.String())
			if i := len(got) - 1; want != nil && got[i] != want[i] {
				t.Failf(c, fmt.Sprintf("reply %d as in one piece: %s", i+1, want[i]),
					"%s after %d bytes in %d pieces", got[i], sent, len(pieces))
			}
		}
	}
	return got
}

// halfFrames sends a command without its end, then ends the connection in each way there is.
func halfFrames(t *T) {
	other := t.Conn()
	k := t.Key("k")
	t.Want(other, "+OK", "SET", k, "before")
	for _, size := range []int{5, 20_000, 70_000} {
		whole := command(nil, "SET", k, strings.Repeat("x", size))
		for round := range 12 {
			cut := 1 + t.Rand.Intn(len(whole)-1)
			if round < 3 {
				cut = len(whole) - 1 - round
			}
			c := t.Conn()
			t.Send(c, append(command(nil, "PING"), whole[:cut]...))
			if r := t.Receive(c); r.Str != "PONG" {
				t.Fail(c, "+PONG for the whole command before", r.String())
			}
			t.leave(c, round%3)
			t.Want(other, `"before"`, "GET", k)
		}
	}
}

// leave ends a connection: by a close, by a reset, or by ending the sending side only and reading
// to the end.
func (t *T) leave(c *wire.Conn, how int) {
	switch how {
	case 0:
		c.Close()
	case 1:
		_ = c.Reset()
	default:
		if err := c.CloseWrite(); err != nil {
			t.Broken(err)
		}
		t.WantClosed(c)
	}
}

// largeArguments brings values around the sizes at which servers change their ways through the
// server and back, with small commands around them in the same write.
func largeArguments(t *T) {
	c := t.Conn()
	sizes := []int{32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 100_000, 1 << 20, 4 << 20}
	for i, size := range sizes {
		k := t.Key(fmt.Sprint(size))
		value := make([]byte, size)
		t.Rand.Read(value)
		buf := command(nil, "PING")
		buf = wire.AppendCommand(buf, []byte("SET"), []byte(k), value)
		buf = command(buf, "STRLEN", k)
		buf = command(buf, "GET", k)
		buf = wire.AppendCommand(buf, []byte("ECHO"), value)
		buf = command(buf, "GETRANGE", k, "-3", "-1")
		pieces := [][]byte{buf}
		if i%2 == 0 {
			pieces = chop(t.Rand, buf, 20_000)
		}
		t.Workers(2, func(w int) { // the echo does not fit the sockets: write and read at once
			if w == 0 {
				for _, p := range pieces {
					t.Send(c, p)
				}
				return
			}
			t.wantLarge(c, value)
		})
	}
}

func (t *T) wantLarge(c *wire.Conn, value []byte) {
	for _, want := range []model.Reply{{Kind: model.Simple, Str: "PONG"}, model.OK(),
		model.Num(int64(len(value))), model.Str(string(value)), model.Str(string(value)),
		model.Str(string(value[len(value)-3:]))} {
		got := t.Receive(c)
		if got.Kind != want.Kind || got.Str != want.Str || got.Int != want.Int {
			t.Failf(c, fmt.Sprintf("%d bytes back as they were sent", len(value)), "%s",
				firstDifference(want, got))
		}
	}
}

func firstDifference(want, got model.Reply) string {
	if got.Kind != want.Kind || len(got.Str) != len(want.Str) {
		return fmt.Sprintf("%s, %d bytes long", short(got.String()), len(got.Str))
	}
	for i := range want.Str {
		if want.Str[i] != got.Str[i] {
			return fmt.Sprintf("byte %d is %#x instead of %#x", i, got.Str[i], want.Str[i])
		}
	}
	return got.String()
}

// allBytes uses keys and values of every byte value.
func allBytes(t *T) {
	c := t.Conn()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i := 0; i < 256; i += 3 {
		k := t.Key(string(every[i:min(256, i+3)]))
		value := string(bytes.Repeat(every[i:i+1], 5)) + string(every)
		t.Want(c, "+OK", "SET", k, value)
		if got := t.Do(c, "GET", k); got.Str != value {
			t.Fail(c, model.Str(value).String(), got.String())
		}
	}
}

// noise sends what is no protocol, without letters, so that no command can come of it. Whatever
// the server says must be replies, and others are served all the while.
func noise(t *T) {
	const alphabet = "**$$--++::0123456789 \t\"'\\\r\n\r\n\r\n\x00\xff"
	other := t.Conn()
	for range 60 {
		c := t.Conn()
		buf := make([]byte, 1+t.Rand.Intn(80))
		for i := range buf {
			buf[i] = alphabet[t.Rand.Intn(len(alphabet))]
		}
		if err := c.SendRaw(buf); err != nil {
			t.Broken(err)
		}
		if err := c.CloseWrite(); err != nil && !errors.Is(err, wire.ErrClosed) {
			continue // the server was faster and has closed
		}
		t.onlyReplies(c, buf)
		t.Want(other, "+PONG", "PING")
	}
}

func (t *T) onlyReplies(c *wire.Conn, sent []byte) {
	for {
		_, err := c.Receive(time.Now().Add(closeTimeout))
		switch {
		case err == nil:
		case errors.Is(err, wire.ErrClosed):
			return
		default:
			t.Failf(c, "replies, then the end of the connection", "%v after sending %q", err, sent)
		}
	}
}
