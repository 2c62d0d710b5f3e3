package store

import (
	"fmt"
	"strings"
	"testing"
)

// The check of the check: whatever is put wrong is found, and called by its name.
func TestAuditFinds(t *testing.T) {
	for want, damage := range map[string]func(db *DB){
		"where nobody looks": func(db *DB) {
			a, b := db.bucketAt(0), db.bucketAt(1)
			*a, *b = *b, *a
		},
		"refers to what is no record": func(db *DB) { store64(db.slabs.at(db.nth(0, 0)), 0) },
		"keys,":                       func(db *DB) { db.table.count++ },
		"volatile,":                   func(db *DB) { db.volatile++ },
		"bytes and":                   func(db *DB) { db.slabs.bytes++ },
		"apart;":                      func(db *DB) { db.extents.held++ },
		"entries, accounts say":       func(db *DB) { db.calendar.entries++ },
		"the map of busy slots":       func(db *DB) { db.calendar.levels[0].busy[1] ^= 1 },
		"reaches from":                func(db *DB) { db.calendar.levels[2].end = 0 },
		"spare pages":                 func(db *DB) { db.slabs.count[3].live++ },
		"pages of piece":              func(db *DB) { db.slabs.pieces[0].used++ },
	} {
		db := New(StrictMemory(), 1)
		for i := range 100 {
			db.Put(fmt.Appendf(nil, "key:%d", i), make([]byte, 100*i), 0, int64(50+i), 10)
		}
		if err := db.Audit(); err != nil {
			t.Fatal(err)
		}
		damage(db)
		if err := db.Audit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: found %v", want, err)
		}
	}
}
