package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check/rhythm"
)

// This file puts keys into a server, and reads what that costs it.

// load fills an empty server with the small keys, and with the counters, and returns the bytes of
// resident size that a small key takes.
func (s Server) load(ctx context.Context, opt Options) (float64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	before, err := residentOf(s.Target.Pid())
	if err != nil {
		return 0, err
	}
	if err := rhythm.Fill(ctx, s.Target, opt.Keys); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	after, err := residentOf(s.Target.Pid())
	if err != nil {
		return 0, err
	}
	counters := Workload{Words: []string{"SET", "cnt:#", "@"}, ValueBytes: 1}
	return float64(after-before) / float64(opt.Keys), s.fill(ctx, counters, opt.Keys)
}

// usable empties a server, or says why it cannot be measured.
func (s Server) usable(ctx context.Context) error {
	caps := s.Target.Caps()
	switch {
	case !caps.Local || s.Target.Pid() == 0:
		return errors.New("its processor time cannot be read: it must run on this machine," +
			" and INFO must name its process_id")
	case !caps.Empty && !caps.Owned:
		return errors.New("it is not empty; -flush allows emptying it")
	}
	return s.empty(ctx)
}

func (s Server) empty(ctx context.Context) error {
	return s.send(ctx, 1, func(b []byte, _ int) []byte { return appendRequest(b, "FLUSHALL") })
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
	const batch, batchBytes = 1000, 1 << 20
	size := max(len(request(nil, 0)), 1)
	return rhythm.Flood(ctx, s.Target, n, max(1, min(batch, batchBytes/size)), request)
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
