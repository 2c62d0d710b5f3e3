package suite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
)

var loopCases = []Case{
	{Name: "loop/long-command", Clauses: []string{"LOOP-16"}, Needs: []string{"debug"},
		Exclusive: true, Run: longCommand},
	{Name: "loop/pipeline-in-parts", Clauses: []string{"LOOP-18"}, Run: countInOne},
	{Name: "loop/large-replies", Clauses: []string{"LOOP-6"}, Run: largeReplies},
	{Name: "loop/stop", Clauses: []string{"LOOP-15"}, Needs: []string{"started"}, Run: stop},
	{Name: "loop/no-descriptors", Clauses: []string{"LOOP-9"}, Needs: []string{"started"},
		Run: noDescriptors},
	{Name: "loop/backends", Clauses: []string{"LOOP-14"}, Needs: []string{"started"},
		Exclusive: true, Run: backends},
	{Name: "loop/histograms", Clauses: []string{"LOOP-21"}, Needs: []string{"debug"},
		Exclusive: true, Run: histograms},
	{Name: "loop/idle", Clauses: []string{"LOOP-4"}, Exclusive: true, Run: idleLoop},
}

// longCommand has one client sleep inside the server for 200 ms. Another, which asks all the time,
// must see a gap: whoever is served in every 100 ms of it was served during the command. A gap may
// go unseen where this machine holds up the asking client, so there are three tries.
func longCommand(t *T) {
	sleeper, asker := t.Conn(), t.Conn()
	var worst time.Duration
	for range 3 {
		t.Send(sleeper, command(nil, "DEBUG", "SLEEP", "0.2"))
		worst = 0
		for start := time.Now(); time.Since(start) < 250*time.Millisecond; {
			asked := time.Now()
			t.Want(asker, "+PONG", "PING")
			worst = max(worst, time.Since(asked))
		}
		if r := t.Receive(sleeper); r.Str != "OK" {
			t.Fail(sleeper, "+OK for DEBUG SLEEP", r.String())
		}
		if worst > 100*time.Millisecond {
			return
		}
	}
	t.Failf(asker, "nobody served while a command of 200 ms runs", "the longest wait was %v", worst)
}

// countInOne has one client count to 20,000 in one pipeline, while another looks on. That one may be
// held up by this machine for as long as a pipeline takes, so there are several tries.
func countInOne(t *T) {
	const tries = 10
	counter, other := t.Conn(), t.Conn()
	for i := range tries {
		if between := t.lookOn(counter, other, t.Key(fmt.Sprint("n", i))); between > 0 {
			t.Note("the other client was served %d times before the pipeline ended", between)
			return
		}
	}
	t.Failf(other, "another client served in the middle of a pipeline", "not once in %d of them", tries)
}

// lookOn has counter count in one pipeline, and says how often other saw a number in the middle.
func (t *T) lookOn(counter, other *wire.Conn, n string) (between int) {
	const count = 20_000
	var ended atomic.Bool
	t.Workers(2, func(i int) {
		if i == 0 {
			defer ended.Store(true)
			t.Send(counter, bytes.Repeat(command(nil, "INCR", n), count))
			for i := range count {
				if r := t.Receive(counter); r.Int != int64(i+1) {
					t.Fail(counter, strconv.Itoa(i+1), r.String())
				}
			}
			return
		}
		for !ended.Load() {
			v, _ := strconv.Atoi(t.Do(other, "GET", n).Str)
			if v >= count {
				return
			}
			if v > 0 {
				between++
			}
		}
	})
	return between
}

// histograms has a turn last, and looks where it shows.
func histograms(t *T) {
	c := t.Conn()
	if r := t.Do(c, "LOOP", "RESET"); r.Str != "OK" {
		t.Skip("the server has no LOOP HISTOGRAM")
	}
	t.Want(c, "+OK", "DEBUG", "SLEEP", "0.3")
	for phase, slow := range map[string]bool{"turn": true, "file-events": true, "before-sleep": false,
		"time-events": false, "completions": false} {
		steps := t.Do(c, "LOOP", "HISTOGRAM", phase).Elems[1].Elems[3].Elems
		longest := int64(0)
		if len(steps) > 0 {
			longest = steps[len(steps)-2].Int
		}
		if slow != (longest >= 300_000) {
			t.Failf(c, fmt.Sprintf("300 ms in phase %s: %v", phase, slow), "at most %d µs", longest)
		}
	}
	t.Want(c, "+OK", "LOOP", "RESET")
	if steps := t.Do(c, "LOOP", "HISTOGRAM", "turn").Elems[1].Elems[3].Elems; len(steps) > 0 &&
		steps[len(steps)-2].Int >= 300_000 {
		t.Fail(c, "no long turn after LOOP RESET", "one")
	}
}

// largeReplies measures a client while another reads 64 MB as fast as it can.
func largeReplies(t *T) {
	const replies = 64
	big := t.Key("big")
	reader, other := t.Conn(), t.Conn()
	t.Want(other, "+OK", "SET", big, strings.Repeat("x", 1<<20))
	n := t.Key("n")
	var worst time.Duration
	t.Workers(2, func(i int) {
		if i == 0 {
			t.Send(reader, bytes.Repeat(command(nil, "GET", big), replies))
			for range replies {
				if got := len(t.Receive(reader).Str); got != 1<<20 {
					t.Failf(reader, "1 MiB", "%d bytes", got)
				}
			}
			return
		}
		worst = t.worstLatency(other, n, 100)
	})
	if worst > 5*time.Second {
		t.Failf(other, "others served between the pieces of large replies", "a reply after %v", worst)
	}
	t.Note("the other client's slowest reply took %v", worst.Round(time.Microsecond))
}

// stop ends servers in the middle of work in each way there is: what they owe they have written
// whole, they listen no more, and they exit with 0.
func stop(t *T) {
	for _, how := range []string{"SIGTERM", "SIGINT", "SHUTDOWN"} {
		tg := t.Again()
		c, idle := t.ConnTo(tg), t.ConnTo(tg)
		t.Want(idle, "+PONG", "PING")
		t.Send(c, bytes.Repeat(command(nil, "INCR", "n"), 1000))
		if r := t.Receive(c); r.Int != 1 {
			t.Fail(c, ":1", r.String())
		}
		t.tellToStop(tg, how)
		t.risingToClose(c)
		t.WantClosed(idle)
		status, err := tg.AwaitEnd()
		if err != nil || status != 0 {
			t.Failf(nil, "exit status 0 after "+how, "%d %v; %s", status, err, tg.Ended())
		}
		if _, err := tg.Dial(); err == nil {
			t.Fail(nil, "nobody listening after "+how, "a connection")
		}
	}
}

func (t *T) tellToStop(tg *target.Target, how string) {
	var err error
	switch how {
	case "SIGTERM":
		err = tg.Signal(syscall.SIGTERM)
	case "SIGINT":
		err = tg.Signal(syscall.SIGINT)
	default:
		t.Send(t.ConnTo(tg), command(nil, "SHUTDOWN", "NOSAVE"))
	}
	if err != nil {
		t.Broken(err)
	}
}

// risingToClose reads the replies that rise from 2, each whole, until the end.
func (t *T) risingToClose(c *wire.Conn) {
	for want := int64(2); ; want++ {
		r, err := c.Receive(time.Now().Add(closeTimeout))
		switch {
		case errors.Is(err, wire.ErrClosed):
			return
		case err != nil:
			t.Fail(c, "whole replies, then the end of the connection", err.Error())
		case r.Int != want:
			t.Fail(c, fmt.Sprintf(":%d", want), r.String())
		}
	}
}

// noDescriptors leaves a server few descriptors and opens more connections than that: those inside
// are served, and those outside as soon as there is room.
func noDescriptors(t *T) {
	const spare, tries = 6, 20
	tg := t.Again()
	inside := t.ConnTo(tg)
	t.Want(inside, "+PONG", "PING")
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", tg.Pid()))
	if err != nil {
		t.Skip("needs /proc to count the server's descriptors")
	}
	if _, err := target.LimitDescriptors(tg.Pid(), len(open)+spare); err != nil {
		t.Skip("the descriptors of the server cannot be limited here: " + err.Error())
	}
	var served, waiting []*wire.Conn
	for range tries {
		c := t.ConnTo(tg)
		t.Send(c, command(nil, "PING"))
		if _, err := c.Receive(time.Now().Add(30 * time.Millisecond)); err == nil {
			served = append(served, c)
		} else if errors.Is(err, wire.ErrTimeout) {
			waiting = append(waiting, c)
		}
		t.Want(inside, "+PONG", "PING")
	}
	if len(waiting) == 0 && len(served) > spare {
		t.Failf(nil, "the limit of descriptors felt", "%d of %d connections served", len(served), tries)
	}
	for _, c := range served {
		c.Close()
	}
	for i, c := range waiting {
		if i < len(served) {
			if r := t.Receive(c); r.Str != "PONG" {
				t.Fail(c, "+PONG when there is room again", r.String())
			}
		}
	}
	t.Want(inside, "+PONG", "PING")
	t.Note("%d served, %d had to wait", len(served), len(waiting))
}

// backends holds examples with an instance on each poller.
func backends(t *T) {
	for _, backend := range []string{"poll", "select"} {
		tg := t.tryAgain("another poller", "--event-backend", backend)
		t.asOn(tg, "wire", "conn", "exec")
	}
}

// idleLoop watches the CPU time of an idle server while a deadline and nothing else is ahead: the
// loop sleeps until then.
func idleLoop(t *T) {
	if !t.target.Caps().Local || cpuTicks(t.target.Pid()) < 0 {
		t.Skip("the CPU time of the server cannot be read here (/proc, INFO process_id)")
	}
	c := t.Conn()
	t.Want(c, "+OK", "SET", t.Key("k"), "v", "PX", "1000")
	var used, span time.Duration
	for range 3 {
		before, start := cpuTicks(t.target.Pid()), time.Now()
		time.Sleep(300 * time.Millisecond)
		span = time.Since(start)
		used = time.Duration(cpuTicks(t.target.Pid())-before) * 10 * time.Millisecond
		if used <= span/2 {
			t.Note("%v of CPU time in %v", used, span.Round(time.Millisecond))
			return
		}
	}
	t.Failf(c, "next to no CPU time while nothing is to do", "%v in %v", used, span)
}

// cpuTicks is the CPU time of a process in units of 10 ms, -1 where that cannot be read.
func cpuTicks(pid int) int64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return -1
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return -1
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return -1
	}
	return user + system
}
