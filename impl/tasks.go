package impl

import (
	"fmt"
	"sync/atomic"
)

// Work that would hold the loop is done elsewhere, and this is its one owner: each kind of it has a
// row here, is under way at most once, and is counted (LOOP-19). What a job leaves to do runs on the
// loop, in a later turn (LOOP-13). At the end no job is left alone: what can be cut short is, and the
// rest is waited for, as long as clients are.

// taskKind is a kind of work.
type taskKind int

const (
	taskFree    taskKind = iota // gives memory back to the system
	taskMeasure                 // asks the system and the collector about this process
	taskPurge                   // has the collector give back what it can (MEMORY PURGE)
	taskKinds
)

var taskNames = [taskKinds]string{"free", "measure", "purge"}

// task is one kind of work and what came of it.
type task struct {
	running   bool
	stop      *atomic.Bool // of the job under way
	submit    func()       // begun, and not yet given to the kernel
	begun     int64
	done      int64
	cancelled int64
}

// tasks are all kinds.
type tasks [taskKinds]task

// begin has run called elsewhere, unless one of its kind is under way, and then, if it was not
// cancelled, then on the loop. It tells whether it did. A job that can be cut short looks at stop.
func (s *Server) begin(kind taskKind, run func(stop *atomic.Bool), then func()) bool {
	t := &s.tasks[kind]
	if t.running {
		return false
	}
	stop := new(atomic.Bool)
	t.running, t.stop = true, stop
	t.begun++
	t.submit = func() {
		s.k.Submit(func() { run(stop) }, func() {
			t.running = false
			if stop.Load() {
				t.cancelled++
				return
			}
			t.done++
			then()
		})
	}
	return true
}

// submitTasks ends the turn: a job given to the kernel earlier could be done before its last phase, and
// be completed in the turn that began it (LOOP-13).
func (s *Server) submitTasks() {
	s.giveBack()
	for i := range s.tasks {
		if t := &s.tasks[i]; t.submit != nil {
			t.submit()
			t.submit = nil
		}
	}
}

// cancel asks a job to end early. What it would have left to do is not done.
func (s *Server) cancel(kind taskKind) {
	if t := &s.tasks[kind]; t.running {
		t.stop.Store(true)
	}
}

// busy tells whether any job is under way.
func (s *Server) busy() bool {
	for i := range s.tasks {
		if s.tasks[i].running {
			return true
		}
	}
	return false
}

// infoTasks is Rondo's own: the work off the loop, by kind.
func (s *Server) infoTasks(f *fields) {
	for kind := range s.tasks {
		t := &s.tasks[kind]
		f.add("task_"+taskNames[kind], fmt.Sprintf("running=%d,begun=%d,done=%d,cancelled=%d",
			bit(t.running), t.begun, t.done, t.cancelled))
	}
}
