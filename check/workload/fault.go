package workload

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rondo/check/history"
	"rondo/model"
)

// This file does something to the target from outside while it is recorded: pauses it, kills it,
// cuts it off. What it does is a command of the user's; that it happened, and when, becomes a mark
// of the recording.
//
// Under faults a connection that ends, or a reply that does not come, is no breach: what was sent
// happened or did not (LIN-5), and the history is judged across the fault. So is a reply that says
// why the command was not executed.

// faults runs the command again and again until quit, and ends with it.
func (r *run) faults(quit <-chan struct{}) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(r.opt.FaultEvery):
		}
		m := r.fault()
		r.sinking.Lock()
		r.sink.to.Mark(m)
		r.sinking.Unlock()
	}
}

// fault runs the command once.
func (r *run) fault() history.Mark {
	ctx, cancel := context.WithTimeout(context.Background(), FaultMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", r.opt.Fault)
	cmd.Env = append(os.Environ(), r.faultEnv()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	m := history.Mark{Name: r.opt.Fault, From: r.rec.Now()}
	out, err := cmd.CombinedOutput()
	m.To, m.Outcome = r.rec.Now(), "exit status 0"
	switch {
	case ctx.Err() != nil:
		m.Outcome = fmt.Sprintf("killed after %v", FaultMax)
	case err != nil:
		m.Outcome = err.Error()
	}
	if line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n")); len(line) > 0 {
		m.Outcome += ": " + strings.ToValidUTF8(string(line[:min(len(line), FaultTextMax)]), "?")
	}
	return m
}

// faultEnv tells the command whom it is about.
func (r *run) faultEnv() []string {
	env := []string{"RONDO_ADDR=" + r.target.Addr()}
	if host, port, err := net.SplitHostPort(r.target.Addr()); err == nil {
		env = append(env, "RONDO_HOST="+host, "RONDO_PORT="+port)
	}
	if pid := r.target.Pid(); pid > 0 {
		env = append(env, "RONDO_PID="+strconv.Itoa(pid))
	}
	return env
}

// patience is how long a server may not be reached.
func (r *run) patience() time.Duration {
	if r.opt.Fault != "" {
		return FaultMax
	}
	return DialPatience
}

// refusals are how a server says that it did not execute a command, and would at another time.
var refusals = map[string]bool{
	"LOADING": true, "BUSY": true, "MASTERDOWN": true, "READONLY": true, "CLUSTERDOWN": true,
	"TRYAGAIN": true, "NOREPLICAS": true, "MISCONF": true, "OOM": true,
}

// refused reports a reply that a target under faults may give instead of executing the command.
func (r *run) refused(reply model.Reply) bool {
	word, _, _ := strings.Cut(reply.Str, " ")
	return r.opt.Fault != "" && reply.Kind == model.Error && refusals[word]
}
