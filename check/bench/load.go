package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// This file puts keys into a server, and reads what that costs it.

// load fills an empty server with the small keys, and with the counters.
func (s Server) load(ctx context.Context, opt Options) (Memory, error) {
	caps := s.Target.Caps()
	switch {
	case !caps.Local || s.Target.Pid() == 0:
		return Memory{}, errors.New("its processor time cannot be read: it must run on this machine," +
			" and INFO must name its process_id")
	case !caps.Empty && !caps.Owned:
		return Memory{}, errors.New("it is not empty; -flush allows emptying it")
	case !caps.Empty:
		if err := s.send(ctx, 1, func(b []byte, _ int) []byte { return appendRequest(b, "FLUSHALL") }); err != nil {
			return Memory{}, err
		}
	}
	before, err := residentOf(s.Target.Pid())
	if err != nil {
		return Memory{}, err
	}
	small := Workload{Words: []string{"SET", "key:#", "@"}, ValueBytes: 16}
	if err := s.fill(ctx, small, opt.Keys); err != nil {
		return Memory{}, err
	}
	time.Sleep(settle)
	after, err := residentOf(s.Target.Pid())
	if err != nil {
		return Memory{}, err
	}
	m := Memory{Keys: opt.Keys, Resident: after, PerKey: float64(after-before) / float64(opt.Keys)}
	counters := Workload{Words: []string{"SET", "cnt:#", "@"}, ValueBytes: 1}
	return m, s.fill(ctx, counters, opt.Keys)
}

// settle lets a server end what it put off.
const settle = 500 * time.Millisecond

// fill writes the keys of a workload, in order.
func (s Server) fill(ctx context.Context, w Workload, keys int) error {
	key := w.Words[1]
	words := []string{"SET", key, "@"}
	return s.send(ctx, keys, func(b []byte, i int) []byte {
		return appendRequest(b, expand(words, w.ValueBytes, i)...)
	})
}

// send sends n requests that each get one line, in deep pipelines.
func (s Server) send(ctx context.Context, n int, request func(b []byte, i int) []byte) error {
	c, err := net.Dial("tcp", s.Target.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })()
	in := bufio.NewReader(c)
	var out []byte
	const batchBytes = 1 << 20
	for i := 0; i < n; {
		out = out[:0]
		sent := 0
		for ; i < n && len(out) < batchBytes; i++ {
			out = request(out, i)
			sent++
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
		for range sent {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if line[0] == '-' {
				return fmt.Errorf("it answered %s", bytes.TrimSpace(line))
			}
		}
	}
	return nil
}

// expand writes out the words of a request for key number i.
func expand(words []string, valueBytes, i int) []string {
	out := make([]string, len(words))
	for j, w := range words {
		switch {
		case w == "@" && valueBytes == 1:
			out[j] = "1"
		case w == "@":
			out[j] = strings.Repeat("v", valueBytes)
		default:
			out[j] = strings.Replace(w, "#", fmt.Sprintf("%012d", i), 1)
		}
	}
	return out
}

func appendRequest(b []byte, words ...string) []byte {
	b = append(strconv.AppendInt(append(b, '*'), int64(len(words)), 10), "\r\n"...)
	for _, w := range words {
		b = append(strconv.AppendInt(append(b, '$'), int64(len(w)), 10), "\r\n"...)
		b = append(append(b, w...), "\r\n"...)
	}
	return b
}

var errNoLines = errors.New("redis-benchmark printed no result")

// requestsOf reads the requests a second of redis-benchmark --csv.
func requestsOf(csv io.Reader) (float64, error) {
	sum := 0.0
	lines := bufio.NewScanner(csv)
	for lines.Scan() {
		f := strings.Split(lines.Text(), ",")
		if len(f) < 2 {
			continue
		}
		if n, err := strconv.ParseFloat(strings.Trim(f[1], `"`), 64); err == nil {
			sum += n
		}
	}
	if sum == 0 {
		return 0, errNoLines
	}
	return sum, lines.Err()
}
