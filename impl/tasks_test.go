package impl

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rondo/impl/kernel"
)

// fieldOf is a field of INFO.
func (w *world) fieldOf(name string) string {
	w.t.Helper()
	p := w.dial()
	defer p.Close()
	for line := range strings.Lines(w.ask(p, "INFO everything\r\n")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	w.t.Fatalf("INFO has no %s", name)
	return ""
}

// LOOP-19: of a kind one job is under way at most, and what it leaves to do runs on the loop, later.
func TestLOOP19OneOfAKind(t *testing.T) {
	w := newWorld(t)
	var trace []string
	run := func(what string) func(*atomic.Bool) {
		return func(*atomic.Bool) { trace = append(trace, "run "+what) }
	}
	then := func(what string) func() {
		return func() { trace = append(trace, fmt.Sprint("then ", what, " ", w.s.tasks[taskPurge].running)) }
	}
	if !w.s.begin(taskPurge, run("a"), then("a")) || w.s.begin(taskPurge, run("b"), then("b")) {
		t.Fatal("the first is begun, and a second of its kind is not")
	}
	if len(trace) > 0 {
		t.Fatalf("%v while it was begun", trace)
	}
	w.pass(0)
	if !w.s.begin(taskPurge, run("c"), then("c")) {
		t.Fatal("the first is done, and another of its kind is not begun")
	}
	w.pass(0)
	if want := []string{"run a", "then a false", "run c", "then c false"}; !slices.Equal(trace, want) {
		t.Fatalf("%v, want %v", trace, want)
	}
	if got := w.fieldOf("task_purge"); got != "running=0,begun=2,done=2,cancelled=0" {
		t.Fatal(got)
	}
}

// eager is a kernel whose jobs are done as soon as they are submitted.
type eager struct {
	*spy
	done []func()
}

func (k *eager) Submit(run, done func()) {
	run()
	k.done = append(k.done, done)
}

func (k *eager) Done() func() {
	if len(k.done) == 0 {
		return nil
	}
	f := k.done[0]
	k.done = k.done[1:]
	return f
}

// LOOP-13: a job that is done at once is still completed in a later turn than the one that began it,
// whichever phase that was.
func TestLOOP13TasksCompleteLater(t *testing.T) {
	w := newWorld(t)
	w.s.k = &eager{spy: w.spy}
	began, completed := uint64(0), uint64(0)
	var phase timer
	phase.run = func() {
		began = w.s.turns
		w.s.begin(taskPurge, func(*atomic.Bool) {}, func() { completed = w.s.turns })
	}
	w.s.timers.arm(&phase, w.s.mono)
	w.turn()
	w.turn()
	if began == 0 || completed != began+1 {
		t.Fatalf("begun in turn %d and completed in %d", began, completed)
	}
}

// LOOP-19: a job that is cancelled leaves nothing to do, and at the end the others are waited for.
func TestLOOP19Cancelled(t *testing.T) {
	w := newWorld(t)
	var trace []string
	w.s.begin(taskPurge, func(stop *atomic.Bool) { trace = append(trace, fmt.Sprint("stop ", stop.Load())) },
		func() { trace = append(trace, "purged") })
	w.s.cancel(taskPurge)
	w.pass(0)
	if got := w.s.tasks[taskPurge]; got.running || got.cancelled != 1 || got.done != 0 {
		t.Fatalf("%+v", got)
	}
	w.s.begin(taskFree, func(*atomic.Bool) { trace = append(trace, "free") }, func() { trace = append(trace, "freed") })
	w.s.Stop()
	for range 5 {
		if w.s.Turn() != nil {
			break
		}
	}
	if want := []string{"stop true", "free", "freed"}; !slices.Equal(trace, want) {
		t.Fatalf("%v, want %v", trace, want)
	}
}

// LOOP-20: what a flush leaves behind is given back elsewhere, also what is flushed meanwhile.
func TestLOOP20Flush(t *testing.T) {
	w := newWorld(t)
	p := w.dial()
	fill := func(n int) {
		for i := range n {
			p.Send(frame("SET", fmt.Sprint("k", i), "v"))
		}
		w.drain(p)
	}
	fill(300)
	p.Send("FLUSHALL\r\n")
	w.turn()
	if got := w.s.tasks[taskFree]; w.s.freeing() != 300 || !got.running {
		t.Fatalf("%d values are being freed, the task is %+v", w.s.freeing(), got)
	}
	w.pass(0)
	fill(20)
	w.want(p, "FLUSHDB ASYNC\r\n", "+OK\r\n")
	if got := w.fieldOf("lazyfreed_objects") + " " + w.fieldOf("lazyfree_pending_objects"); got != "320 0" {
		t.Fatalf("%s values were freed, and are pending", got)
	}
	w.want(p, "CONFIG RESETSTAT\r\n", "+OK\r\n")
	if got := w.fieldOf("lazyfreed_objects"); got != "0" {
		t.Fatal(got)
	}
}

// The process is looked at once a second, however fast the tick.
func TestMeasuredOnceASecond(t *testing.T) {
	w := newWorld(t, "hz", "100")
	w.Self = kernel.OSProcess()
	w.pass(5 * time.Second)
	if got := w.s.tasks[taskMeasure].done; got < 4 || got > 5 {
		t.Fatalf("looked at %d times in 5 seconds", got)
	}
	if m := w.s.account.measured; m.Heap == 0 || m.HeapHeld < m.Heap {
		t.Fatalf("%+v", m)
	}
}
