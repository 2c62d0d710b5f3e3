package history

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Recorder collects the operations of concurrent clients on one monotonic clock. Each connection
// writes to a Log of its own, so recording costs no lock while clients run.
type Recorder struct {
	start time.Time // holds a wall and a monotonic reading of one instant
	next  atomic.Int64
	mu    sync.Mutex
	logs  []*Log
}

// NewRecorder starts the clock.
func NewRecorder() *Recorder { return &Recorder{start: time.Now()} }

// Now is the time since NewRecorder in nanoseconds, monotonic.
func (r *Recorder) Now() int64 { return int64(time.Since(r.start)) }

// Start is the moment at which Now was 0, with its wall clock reading.
func (r *Recorder) Start() time.Time { return r.start }

// Open begins the log of a new connection under a number of its own.
func (r *Recorder) Open() *Log {
	l := &Log{Client: int(r.next.Add(1))}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, l)
	return l
}

// History gathers what was recorded, by call time. Call it when the clients have stopped.
func (r *Recorder) History(meta Meta) *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &History{Meta: meta}
	for _, l := range r.logs {
		h.Ops = append(h.Ops, l.ops...)
	}
	sort.SliceStable(h.Ops, func(i, j int) bool { return h.Ops[i].Call < h.Ops[j].Call })
	return h
}

// Log is the record of one connection, used by one goroutine.
type Log struct {
	Client int
	ops    []Op
}

// Append records an operation as this connection's next one: Client and N are filled in.
func (l *Log) Append(op Op) {
	op.Client, op.N = l.Client, len(l.ops)+1
	l.ops = append(l.ops, op)
}

// Len is how many operations this connection has recorded.
func (l *Log) Len() int { return len(l.ops) }
