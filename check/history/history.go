// Package history holds what clients saw: operations with the times of their call and return, and
// the file format in which any recorder can hand them over.
//
// A file is JSON lines, one operation a line (format.go). Read and Write convert; Validate tells a
// recording that cannot be (times that run backwards along a connection) from one that is merely
// illegal. Recorder (recorder.go) collects operations of concurrent clients on one clock.
package history

import (
	"math"

	"rondo/model"
)

// Never is the Return of an operation whose reply the client never got (LIN-5).
const Never int64 = math.MaxInt64

// Op is one operation of one client.
type Op struct {
	Client int   // one connection's life: a new connection is a new number
	Call   int64 // ns on the one monotonic clock of the recording, just before the bytes are written
	Return int64 // ns just after the reply was read; Never if there was none
	Cmd    [][]byte
	Body   [][][]byte   // of EXEC: the queued commands; nil for every other command
	Reply  *model.Reply // nil if and only if Return is Never
	N      int          // position on the connection, counted from 1; 0: not given
	DB     int
}

// Meta says what is known about a recording as a whole; the zero value knows nothing.
type Meta struct {
	Target  string // "redis 7.0.15"
	Seed    int64
	Slack   int64   // ns by which the target's clock readings may be old
	Profile string  // "frozen" or "live"; "" if unknown
	Offset  *Offset // nil if not measured
	Start   []StartKey
	// MaxDisorder is by how many ns a line may be out of call order, so that a reader may stream.
	MaxDisorder int64
}

// The clock profiles of a target: how many readings of its clock one unit of execution takes.
const (
	Frozen = "frozen"
	Live   = "live"
)

// Offset brackets the target's wall clock minus the clock of Call and Return, in ns.
type Offset struct{ Low, High int64 }

// StartKey is a key that existed before the first operation.
type StartKey struct {
	DB       int
	Key      []byte
	Value    []byte
	Deadline *int64 // Unix ms; nil: none
}

// Mark is something that happened to the target from outside while it was recorded: a fault that
// was injected, say. It explains a recording to people; no verdict follows from it.
type Mark struct {
	Name     string // "kill -STOP 4711"
	From, To int64  // ns on the clock of the recording; To is Never if its end was not seen
	Outcome  string // "exit status 0"; "" if there is nothing to say
}

// History is a recording.
type History struct {
	Meta  Meta
	Ops   []Op
	Marks []Mark
}

// Until is what was known of h at a moment: what had not been called by then is not there, and what
// had not returned is of unknown outcome. So whatever explains h explains it too.
func (h *History) Until(moment int64) *History {
	out := &History{Meta: h.Meta, Marks: h.Marks}
	for _, op := range h.Ops {
		if op.Call > moment {
			continue
		}
		if op.Return > moment {
			op.Return, op.Reply = Never, nil
		}
		out.Ops = append(out.Ops, op)
	}
	return out
}
