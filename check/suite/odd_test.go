package suite

import (
	"bufio"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// odd is a server that somebody wrote for a purpose of their own: RESP2, one database, a dozen
// commands, at most 100 clients, no TIME, no FLUSHALL, no expiry, errors in its own words, and an
// INFO that says what its author found worth saying. What it has it does right.
type odd struct {
	mu      sync.Mutex
	keys    map[string]string
	clients atomic.Int64
}

func startOdd(t *testing.T) *target.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	o := &odd{keys: map[string]string{}}
	go func() {
		for {
			sock, err := l.Accept()
			if err != nil {
				return
			}
			if o.clients.Add(1) > 100 {
				sock.Write([]byte("-FULL come back later\r\n"))
				sock.Close()
				o.clients.Add(-1)
				continue
			}
			go o.serve(sock)
		}
	}()
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func (o *odd) serve(sock net.Conn) {
	defer o.clients.Add(-1)
	defer sock.Close()
	out := bufio.NewWriter(sock)
	chunk := make([]byte, 32<<10)
	var buf []byte
	for {
		n, err := sock.Read(chunk)
		buf = append(buf, chunk[:n]...)
		for len(buf) > 0 {
			args, n, bad := wire.ParseCommand(buf)
			if bad != nil {
				out.WriteString("-NONSENSE\r\n")
				out.Flush()
				return
			}
			if n == 0 {
				break
			}
			buf = buf[n:]
			if len(args) > 0 {
				out.Write(wire.AppendReply(nil, o.answer(args), 2))
			}
		}
		if out.Flush(); err != nil {
			return
		}
	}
}

func (o *odd) answer(args [][]byte) model.Reply {
	o.mu.Lock()
	defer o.mu.Unlock()
	word := func(i int) string { return string(args[i]) }
	switch name := strings.ToUpper(word(0)); {
	case name == "PING" && len(args) == 1:
		return model.Reply{Kind: model.Simple, Str: "PONG"}
	case (name == "ECHO" || name == "PING") && len(args) == 2:
		return model.Str(word(1))
	case name == "INFO":
		return model.Str("My server, version seven\nI have been up for a while\n\n")
	case name == "GET" && len(args) == 2:
		if v, ok := o.keys[word(1)]; ok {
			return model.Str(v)
		}
		return model.Reply{Kind: model.Null}
	case name == "SET" && len(args) == 3:
		o.keys[word(1)] = word(2)
		return model.OK()
	case name == "DEL" && len(args) > 1:
		n := int64(0)
		for i := range args[1:] {
			if _, ok := o.keys[word(i+1)]; ok {
				n++
			}
			delete(o.keys, word(i+1))
		}
		return model.Num(n)
	case name == "INCR" && len(args) == 2:
		n, err := strconv.ParseInt(o.keys[word(1)], 10, 64)
		if err != nil && o.keys[word(1)] != "" {
			return model.Err("BAD that is no number")
		}
		o.keys[word(1)] = strconv.FormatInt(n+1, 10)
		return model.Num(n + 1)
	case name == "APPEND" && len(args) == 3:
		o.keys[word(1)] += word(2)
		return model.Num(int64(len(o.keys[word(1)])))
	case name == "STRLEN" && len(args) == 2:
		return model.Num(int64(len(o.keys[word(1)])))
	}
	return model.Err("BAD I do not do that")
}

// TestOddServer: what it lacks is skipped, only what it does otherwise fails, and nothing is an
// error of the harness.
func TestOddServer(t *testing.T) {
	wrong := []string{"WIRE-7", "WIRE-9", "WIRE-10", "WIRE-11", "WIRE-12", "WIRE-13", // protocol errors
		"WIRE-15", "WIRE-22", "CONN-1", // unknown commands
		"CONN-26"} // INFO
	counts := map[Verdict]int{}
	Run(startOdd(t), Cases(), RunOptions{Seed: 1, Progress: func(r Result) {
		counts[r.Verdict]++
		accused := slices.ContainsFunc(r.Clauses, func(id string) bool { return slices.Contains(wrong, id) })
		if r.Verdict == Error || r.Verdict == Fail && !accused {
			t.Errorf("%s is %s: %s", r.Name, r.Verdict, short(r.Reason))
		}
	}})
	if counts[Fail] < 8 || counts[Pass] < 20 || counts[Skip] < 100 {
		t.Errorf("%v", counts)
	}
}
