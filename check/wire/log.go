package wire

import (
	"bytes"
	"fmt"
	"time"
)

// Entry is one piece of the wire log.
type Entry struct {
	At    time.Duration // since Dial
	Out   bool          // from client to server
	Bytes []byte        // the beginning, see LogEntryBytesMax
	Cut   int           // how many bytes were left off
}

func (e Entry) String() string {
	arrow, cut := "<-", ""
	if e.Out {
		arrow = "->"
	}
	if e.Cut > 0 {
		cut = fmt.Sprintf(" and %d bytes more", e.Cut)
	}
	return fmt.Sprintf("%9.3fms %s %q%s", float64(e.At)/1e6, arrow, e.Bytes, cut)
}

// wireLog keeps the newest entries. Small pieces in the same direction are joined: a command that
// goes out byte by byte is one entry, stamped with its first byte.
type wireLog struct {
	off  bool
	ring []Entry
	next int // where the next entry goes once ring is full
}

func (l *wireLog) add(at time.Duration, out bool, b []byte) {
	if l.off || len(b) == 0 {
		return
	}
	if last := l.last(); last != nil && last.Out == out && last.Cut == 0 &&
		len(last.Bytes)+len(b) <= LogEntryBytesMax {
		last.Bytes = append(last.Bytes, b...)
		return
	}
	kept := min(len(b), LogEntryBytesMax)
	e := Entry{At: at, Out: out, Bytes: bytes.Clone(b[:kept]), Cut: len(b) - kept}
	if len(l.ring) < LogEntriesMax {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[l.next] = e
	l.next = (l.next + 1) % LogEntriesMax
}

func (l *wireLog) last() *Entry {
	if len(l.ring) == 0 {
		return nil
	}
	return &l.ring[(l.next+len(l.ring)-1)%len(l.ring)]
}

func (l *wireLog) entries() []Entry {
	all := make([]Entry, 0, len(l.ring))
	for i := range l.ring {
		e := l.ring[(l.next+i)%len(l.ring)]
		e.Bytes = bytes.Clone(e.Bytes)
		all = append(all, e)
	}
	return all
}
