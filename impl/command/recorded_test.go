package command

// Conversations recorded from redis-server 7.0.15 (testdata/*.txt): our replies must be the same
// bytes. A line "> words" is sent on connection a, "b> words" on b, "! words" is sent without
// comparing; "< "..."" is the reply that Redis gave. A file starts on an empty keyspace.
//
//	go test ./impl/command -run TestRecorded -record 127.0.0.1:PORT
//
// writes the replies anew; it empties that server.

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rondo/impl/resp"
)

var record = flag.String("record", "", "address of a redis-server whose replies to record")

func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if *record != "" {
				recordFile(t, file, text)
				return
			}
			compareFile(t, file, string(text))
		})
	}
}

func compareFile(t *testing.T, file, text string) {
	h := newFake()
	sessions := map[string]*Session{}
	var reply []byte
	for i, line := range strings.Split(text, "\n") {
		if want, ok := strings.CutPrefix(line, "< "); ok {
			if got := strconv.QuoteToASCII(string(reply)); got != want {
				t.Errorf("%s:%d: reply\n  %s, Redis gave\n  %s", file, i+1, got, want)
			}
			continue
		}
		conn, args := recorded(line)
		if args == nil {
			continue
		}
		s := sessions[conn]
		if s == nil {
			s = h.connect()
			sessions[conn] = s
		}
		s.Out = s.Out[:0]
		h.x.Run(s, args)
		reply = s.Out
	}
}

// recorded splits a line; conn is "a", "b", or "!" for one whose reply does not matter.
func recorded(line string) (conn string, args [][]byte) {
	if line == "" || line[0] == '#' || line[0] == '<' {
		return "", nil
	}
	conn, words, ok := strings.Cut(line, "> ")
	if !ok {
		words, conn = strings.TrimPrefix(line, "! "), "!"
	}
	if conn == "" || conn == "!" {
		conn = "a"
	}
	var d resp.Decoder
	args, _, err := d.Next([]byte(words+"\n"), &resp.Limits{})
	if err != nil {
		panic(fmt.Sprint("bad line ", line, ": ", err))
	}
	return conn, args
}

func recordFile(t *testing.T, file string, text []byte) {
	conns := map[string]*bufio.ReadWriter{}
	dial := func(name string) *bufio.ReadWriter {
		if conns[name] == nil {
			c, err := net.Dial("tcp", *record)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			conns[name] = bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
		}
		return conns[name]
	}
	ask(t, dial("setup"), [][]byte{[]byte("FLUSHALL")})
	var out bytes.Buffer
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "< ") {
			continue
		}
		fmt.Fprintln(&out, line)
		if conn, args := recorded(line); args != nil {
			reply := ask(t, dial(conn), args)
			if line[0] != '!' {
				fmt.Fprintf(&out, "< %s\n", strconv.QuoteToASCII(string(reply)))
			}
		}
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, c *bufio.ReadWriter, args [][]byte) []byte {
	buf := resp.AppendArray(nil, len(args))
	for _, a := range args {
		buf = resp.AppendBulk(buf, a)
	}
	c.Write(buf)
	c.Flush()
	reply, err := readReply(c.Reader)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return reply
}

// readReply returns the bytes of one reply.
func readReply(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	switch line[0] {
	case '$', '=':
		if n >= 0 {
			body := make([]byte, n+2)
			_, err = io.ReadFull(r, body)
			line = append(line, body...)
		}
		return line, err
	case '%':
		n *= 2
	case '*', '~', '>':
	default:
		return line, nil
	}
	for ; n > 0; n-- {
		item, err := readReply(r)
		if err != nil {
			return nil, err
		}
		line = append(line, item...)
	}
	return line, nil
}
