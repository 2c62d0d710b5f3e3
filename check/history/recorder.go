package history

import (
	"container/heap"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Recorder collects the operations of concurrent clients on one monotonic clock and hands them on,
// by call time, while the clients work: what it holds is bounded by what is in flight.
//
// Each connection writes to a Log of its own. Collect takes what is complete from all of them and
// merges it. An operation may be handed on when no client can still record an earlier call; each
// log says so: it is idle, and will call later than now, or it is in a stretch that began then.
type Recorder struct {
	start time.Time // holds a wall and a monotonic reading of one instant
	next  atomic.Int64

	mu   sync.Mutex
	logs []*Log // open, or closed and not yet collected

	// Of Collect alone.
	taken []*Log
	queue logHeap
}

// NewRecorder starts the clock.
func NewRecorder() *Recorder { return &Recorder{start: time.Now()} }

// Now is the time since NewRecorder in nanoseconds, monotonic.
func (r *Recorder) Now() int64 { return int64(time.Since(r.start)) }

// Start is the moment at which Now was 0, with its wall clock reading.
func (r *Recorder) Start() time.Time { return r.start }

// Open begins the log of a new connection under a number of its own.
func (r *Recorder) Open() *Log {
	l := &Log{Client: int(r.next.Add(1)), rec: r, since: idle}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, l)
	return l
}

// Collect calls take with every operation that was called before the moment it returns, those of
// earlier calls of Collect left out, by call time; operations of one connection stay in their order.
// It is for one goroutine.
func (r *Recorder) Collect(take func(*Op)) (before int64) {
	r.mu.Lock()
	before = r.Now() // first: whoever is found idle below calls later than this
	r.taken = append(r.taken[:0], r.logs...)
	r.mu.Unlock()
	closed := false
	for _, l := range r.taken {
		before = min(before, r.gather(l))
		closed = closed || l.gone
	}
	if closed {
		r.mu.Lock()
		r.logs = slices.DeleteFunc(r.logs, func(l *Log) bool { return l.gone })
		r.mu.Unlock()
	}
	for len(r.queue) > 0 && r.queue[0].head().Call < before {
		l := r.queue[0]
		take(l.head())
		l.at++
		if l.at < len(l.ready) {
			heap.Fix(&r.queue, 0)
			continue
		}
		l.ready, l.at = l.ready[:0], 0
		heap.Pop(&r.queue)
	}
	return before
}

// gather moves the complete operations of a log to where Collect merges them, and returns the
// moment before which the log has nothing more to say.
func (r *Recorder) gather(l *Log) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ops) > 0 {
		empty := l.at == len(l.ready)
		l.ready = append(l.ready, l.ops...)
		clear(l.ops) // or the words of the operations live on
		l.ops = l.ops[:0]
		if empty {
			heap.Push(&r.queue, l)
		}
	}
	l.gone = l.closed
	return l.since
}

// History gathers what was recorded, by call time. Call it when the clients have stopped.
func (r *Recorder) History(meta Meta) *History {
	h := &History{Meta: meta}
	r.Collect(func(op *Op) { h.Ops = append(h.Ops, *op) })
	return h
}

// Log is the record of one connection, used by one goroutine.
type Log struct {
	Client int
	rec    *Recorder
	n      int // operations recorded

	mu     sync.Mutex
	ops    []Op
	since  int64 // the call of the stretch in flight; idle if there is none
	closed bool

	// Of Collect alone.
	ready []Op
	at    int // the first of ready that was not handed on
	gone  bool
}

const idle = math.MaxInt64

func (l *Log) head() *Op { return &l.ready[l.at] }

// Begin is the time, and the beginning of a stretch: until End, operations may be appended that
// were called from now on.
func (l *Log) Begin() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = l.rec.Now()
	return l.since
}

// End ends the stretch: whatever comes is called later.
func (l *Log) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = idle
}

// Append records an operation of the stretch, the connection's next one: Client and N are filled in.
func (l *Log) Append(op Op) {
	l.n++
	op.Client, op.N = l.Client, l.n
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops = append(l.ops, op)
}

// Close says that nothing more will be appended.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.since = true, idle
}

// logHeap orders logs by the call of their next operation.
type logHeap []*Log

func (h logHeap) Len() int           { return len(h) }
func (h logHeap) Less(i, j int) bool { return h[i].head().Call < h[j].head().Call }
func (h logHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *logHeap) Push(l any)        { *h = append(*h, l.(*Log)) }
func (h *logHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	*h = old[:len(old)-1]
	return l
}
