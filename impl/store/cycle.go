package store

// This file is the other way to find keys past their deadline, that of Redis: to look at some keys
// that have one, and to go by what was found. It needs no order. Here it walks over the memory of the
// calendar's chunks, which hold every key with a deadline at least once, in no order that means
// anything; what they know of time is not asked.

// walk is where the next look begins.
type walk struct {
	page  int
	chunk int // in its page
	entry int
}

// ExpireSome looks at so many keys with a deadline, and at no more than places entries, and removes
// those whose deadline has passed. It tells expired the name of each after its removal, and returns
// how many keys it has seen, and how many of these it has removed.
func (db *DB) ExpireSome(now int64, keys, places int, expired func(key []byte)) (seen, removed int) {
	w, s := &db.walk, &db.slabs
	for pages := 0; seen < keys && places > 0 && pages <= len(s.info); {
		if w.page >= len(s.info) {
			w.page = 0
		}
		if p := s.info[w.page]; p.class != classChunk || w.chunk*chunkUnits >= int(p.used) {
			*w = walk{page: w.page + 1}
			pages++
			continue
		}
		places--
		if w.entry >= db.entriesOf(w.page, w.chunk) {
			w.chunk, w.entry = w.chunk+1, 0
			continue
		}
		if r := db.entryAt(w.page, w.chunk, w.entry); r != 0 {
			seen++
			if db.deadline(r) < now {
				removed++
				db.expire(r, expired)
			}
		}
		w.entry++
	}
	return seen, removed
}
