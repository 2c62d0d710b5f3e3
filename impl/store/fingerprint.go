package store

import "encoding/binary"

// Fingerprint appends all that the future of the keyspace depends on: what it holds, in the order in
// which a walk meets it, how its table is laid out, and what is noted of the use of keys. Times are
// relative to now (ms), so that the same situation at another time is the same. Where cells lie and how
// full their pages are is left out: no reply tells. It is for simulation.
func (db *DB) Fingerprint(b []byte, now int64) []byte {
	b = binary.AppendUvarint(b, uint64(db.table.n))
	b = binary.AppendUvarint(b, uint64(db.table.count))
	db.Each(func(key []byte, v View) bool {
		b = appendBytes(b, key)
		b = db.appendValue(b, v)
		b = append(b, v.Tag)
		deadline := v.Deadline
		if deadline != NoDeadline {
			deadline = 1 + 2*max(deadline-now, -1) // how long ago it passed is of no account
		}
		b = binary.AppendVarint(b, deadline)
		if db.access.Often {
			b = binary.AppendVarint(b, db.Frequency(v, now))
		} else {
			b = binary.AppendVarint(b, v.Idle(now))
		}
		return true
	})
	if db.access.Often {
		b = binary.AppendUvarint(b, db.access.rand)
	}
	return b
}

// appendValue appends what a key holds: of a list the elements, however its tree has grown.
func (db *DB) appendValue(b []byte, v View) []byte {
	b = append(b, byte(v.Kind))
	if v.Kind == String {
		return appendBytes(b, v.Value)
	}
	l := db.List(v)
	b = binary.AppendUvarint(b, uint64(l.Len()))
	l.Each(0, false, func(element []byte) bool {
		b = appendBytes(b, element)
		return true
	})
	return b
}

// Fingerprint appends the keys that are about to be evicted.
func (p *Pool) Fingerprint(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(p.n))
	for i := range p.n {
		b = binary.AppendUvarint(b, uint64(p.seats[i].db))
		b = binary.AppendUvarint(b, p.seats[i].rank)
		b = appendBytes(b, p.seats[i].key)
	}
	return binary.AppendUvarint(b, p.rand)
}

func appendBytes(b, s []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
