package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
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

// latencies reads what redis-benchmark --csv says of its one test: the median and the 99th percentile,
// in ms.
func latencies(text io.Reader) (p50, p99 float64, err error) {
	lines, err := csv.NewReader(text).ReadAll()
	if err != nil || len(lines) != 2 {
		return 0, 0, fmt.Errorf("redis-benchmark printed no result (%v)", err)
	}
	read := func(name string) float64 {
		n := 0.0
		if i := slices.Index(lines[0], name); i >= 0 && err == nil {
			n, err = strconv.ParseFloat(lines[1][i], 64)
		}
		return n
	}
	p50, p99 = read("p50_latency_ms"), read("p99_latency_ms")
	return p50, p99, err
}
