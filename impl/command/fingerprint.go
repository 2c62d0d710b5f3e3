package command

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Fingerprint appends all that the future of the keyspaces depends on, at a time of the wall clock (ms).
func (x *Executor) Fingerprint(b []byte, now int64) []byte {
	b = binary.AppendUvarint(b, uint64(x.turn))
	b = binary.AppendUvarint(b, uint64(x.reached))
	b = append(b, byte(x.gates))
	if x.Limits.Memory.Max != 0 { // then it matters how much memory the same keys occupy
		b = binary.AppendVarint(b, x.UsedBytes())
		b = x.pool.Fingerprint(b)
	}
	for _, byKey := range x.waiters.byKey {
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			b = appendText(b, key)
			for p := byKey[key].first; p != nil; p = p.next {
				b = binary.AppendVarint(b, p.w.s.ID)
			}
			b = append(b, 0)
		}
	}
	for _, db := range x.dbs[:x.reached+1] {
		b = db.Fingerprint(b, now)
	}
	return b
}

// Fingerprint appends all of a session that matters: its identity, its transaction, and what it is owed
// (Out) is the server's to add. A transaction that is spoilt or dirty keeps its queue here, though what
// EXEC will answer is decided: it counts as memory.
func (s *Session) Fingerprint(b []byte) []byte {
	b = binary.AppendVarint(b, s.ID)
	b = appendText(b, s.Name)
	b = binary.AppendUvarint(b, uint64(s.DB))
	b = append(b, byte(s.Proto), byte(s.gates), bit(s.CloseAfter))
	b = appendText(b, s.CloseNow)
	b = appendText(b, s.LastCommand)
	b = append(b, bit(s.waiter != nil))
	if w := s.waiter; w != nil {
		b = w.fingerprint(b)
	}
	t := s.tx
	b = append(b, bit(t != nil))
	if t == nil {
		return b
	}
	b = append(b, bit(t.spoilt), bit(t.dirty))
	b = binary.AppendUvarint(b, uint64(len(t.queue)))
	for _, q := range t.queue {
		b = binary.AppendUvarint(b, uint64(len(q.args)))
		for _, arg := range q.args {
			b = appendText(b, string(arg))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(t.watches)))
	for _, w := range t.watches {
		b = binary.AppendUvarint(b, uint64(w.db))
		b = appendText(b, w.key)
	}
	return b
}

// fingerprint appends what is to be done when there is something to take. For which keys it waits tell
// their queues.
func (w *waiter) fingerprint(b []byte) []byte {
	b = appendText(b, w.cmd.Name)
	b = binary.AppendUvarint(b, uint64(w.db))
	b = binary.AppendVarint(b, w.r.count)
	b = append(b, bit(w.r.from == left), bit(w.r.toSide == left), bit(w.r.moves))
	return appendText(b, string(w.r.to))
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}
