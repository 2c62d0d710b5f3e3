package command

import (
	"slices"
	"strings"
	"testing"

	"rondo/impl/store"
)

// The check of the check: whatever is put wrong is found, and called by its name.
func TestAuditFinds(t *testing.T) {
	for want, damage := range map[string]func(x *Executor, s, idle *Session){
		"a transaction that is not there": func(x *Executor, s, idle *Session) { idle.gates |= gateTx },
		"queued outside a transaction":    func(x *Executor, s, idle *Session) { s.gates &^= gateTx },
		"would not be told of a change":   func(x *Executor, s, idle *Session) { delete(x.watched.byKey[0], "a") },
		"accounts say":                    func(x *Executor, s, idle *Session) { s.tx.held++ },
		"with flags":                      func(x *Executor, s, idle *Session) { s.tx.flags |= NoMulti },
		"and nobody watches it":           func(x *Executor, s, idle *Session) { x.watched.byKey[0]["z"] = nil },
		"watches in the index":            func(x *Executor, s, idle *Session) { x.watched.n++ },
		"of sessions":                     func(x *Executor, s, idle *Session) { x.watched.add(0, "a", &Session{}) },
		"sessions wait, accounts say":     func(x *Executor, s, idle *Session) { delete(x.waiters.byID, 3) },
		"keys are ready":                  func(x *Executor, s, idle *Session) { x.waiters.ready = []*queue{{}} },
		"waits under the number":          func(x *Executor, s, idle *Session) { x.waiters.byID[3].s = idle },
		"(BLOCK-8)": func(x *Executor, s, idle *Session) {
			q := x.waiters.queue(0, []byte("z"))
			q.append(&place{w: &waiter{s: idle}, q: q})
		},
		"(BLOCK-3)":                     func(x *Executor, s, idle *Session) { x.dbs[0].NewList([]byte("l"), store.NoDeadline, 0) },
		"places in queues":              func(x *Executor, s, idle *Session) { delete(x.waiters.byKey[0], "m") },
		"is said to be the last in use": func(x *Executor, s, idle *Session) { x.DB(1).Put([]byte("k"), nil, 0, store.NoDeadline, 0) },
	} {
		h := newFake()
		s, idle, waits := h.connect(), h.connect(), h.connect()
		h.x.Run(waits, [][]byte{[]byte("BLPOP"), []byte("l"), []byte("m"), []byte("0")})
		for _, line := range []string{"SET k v PX 9", "WATCH a b", "MULTI", "SET a 1"} {
			var args [][]byte
			for word := range strings.FieldsSeq(line) {
				args = append(args, []byte(word))
			}
			h.x.Run(s, args)
		}
		all := slices.Values([]*Session{s, idle, waits})
		if err := h.x.Audit(all); err != nil {
			t.Fatal(err)
		}
		damage(h.x, s, idle)
		if err := h.x.Audit(all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: found %v", want, err)
		}
	}
}
