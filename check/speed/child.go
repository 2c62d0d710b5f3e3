package speed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"rondo/check/linear"
)

// judgement is how a file is to be judged.
type judgement struct {
	engine string
	limit  time.Duration
	memory int64
}

// verdicts is what is read of the report that recheck prints.
type verdicts struct {
	Histories []struct {
		Verdict    string `json:"verdict"`
		Reason     string `json:"reason"`
		Violations []struct {
			Steps       []string `json:"steps"`
			Unproven    bool     `json:"unproven"`
			ExplainedMs int64    `json:"explainedMs"`
		} `json:"violations"`
	} `json:"histories"`
}

// grace is how long after its limit a judgement is stopped from outside: it should have said
// unknown by itself, and has the file to read besides.
const grace = 10 * time.Second

// judge runs recheck on a file. A child that is stopped for its time or memory says unknown.
func (o Options) judge(ctx context.Context, file string, j judgement, m *Measure) error {
	ctx, cancel := context.WithTimeout(ctx, j.limit+grace)
	defer cancel()
	args := []string{"recheck", file, "-json", "-timeout", j.limit.String()}
	if j.engine != "" {
		args = append(args, "-engine", j.engine, "-unbounded")
	}
	cmd := exec.CommandContext(ctx, o.Self, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	tooMuch := guard(cmd.Process, j.memory)
	err := cmd.Wait()
	fat := tooMuch()
	m.Wall = time.Since(started).Seconds()
	m.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	m.PeakBytes = peak(cmd.ProcessState)
	switch {
	case fat:
		m.Verdict = string(linear.Unknown)
		m.Reason = fmt.Sprintf("more than %s of memory", bytesText(j.memory))
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		m.Verdict, m.Reason = string(linear.Unknown), fmt.Sprintf("more than %v", j.limit+grace)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return m.read(stdout.Bytes(), stderr.String(), err)
}

// read takes the verdict out of what the child printed.
func (m *Measure) read(stdout []byte, stderr string, exit error) error {
	var v verdicts
	if err := json.Unmarshal(stdout, &v); err != nil || len(v.Histories) != 1 {
		return fmt.Errorf("the judgement printed no report (%v): %s", exit, strings.TrimSpace(stderr))
	}
	h := v.Histories[0]
	m.Verdict, m.Reason = h.Verdict, h.Reason
	for _, x := range h.Violations {
		n := len(x.Steps)
		if n > 0 && !x.Unproven && (m.CoreOps == 0 || n < m.CoreOps) {
			m.CoreOps = n
		}
		if n > 0 {
			m.Explained++
		}
		if n > coreMax || x.Unproven {
			m.Large++
		}
		m.ExplainMs = max(m.ExplainMs, x.ExplainedMs)
	}
	return nil
}

// guard ends a process that holds too much memory, where the system tells how much it holds. The
// result says whether it did, and ends the watch.
func guard(p *os.Process, most int64) func() bool {
	stop, done := make(chan struct{}), make(chan bool)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		fat := false
		for {
			select {
			case <-stop:
				done <- fat
				return
			case <-tick.C:
				if !fat && most > 0 && resident(p.Pid) > most {
					fat = true
					_ = p.Kill()
				}
			}
		}
	}()
	return func() bool { close(stop); return <-done }
}

// resident is the memory a process holds now, 0 where that cannot be told.
func resident(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
