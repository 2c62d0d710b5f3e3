//go:build debug

package store

import (
	"fmt"
	"strings"
	"testing"
)

// Each kind of bad ref is caught where it is used, and what is wrong with it is said.
func TestBadRefsAreCaught(t *testing.T) {
	db := New(StrictMemory(), 1)
	churn(db, 0, 100)
	p, _ := db.find(db.hash([]byte("other1")), []byte("other1"))
	good := p.ref()
	gone, _ := db.find(db.hash([]byte("other2")), []byte("other2"))
	freed := gone.ref()
	db.Del([]byte("other2"))
	for what, r := range map[string]ref{
		"no page":          99 << refBits,
		"no cells":         ref(db.table.pages[0]) << refBits,
		"not at the start": good + 1,
		"beyond":           good&^(1<<refBits-1) | (1<<refBits - 8),
		"freed":            freed,
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, what) {
					t.Errorf("ref %#x: %s; want %q", uint32(r), said, what)
				}
			}()
			p.b.setRef(p.i, r)
			db.Get([]byte("other1"))
		}()
	}
	p.b.setRef(p.i, good)
	if _, ok := db.Get([]byte("other1")); !ok {
		t.Error("a good ref is not taken")
	}
}
