package impl

import (
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/resp"
)

// busy is a server with something of everything: a client with half a frame, one that is owed more than
// its socket takes, one in a transaction that watches, one that parts, and keys with deadlines.
func busy(t *testing.T) *world {
	w := newWorld(t, "maxmemory", "100mb")
	w.SendBytesMax = 100
	half, slow, tx, gone := w.dial(), w.dial(), w.dial(), w.dial()
	w.want(half, frame("SET", "k", "v", "PX", "5000")+"*2\r\n$3\r\nGET\r\n$9\r\nabc", "+OK\r\n")
	w.want(slow, frame("RPUSH", "list", "x"), ":1\r\n")
	slow.Send(strings.Repeat("ECHO "+strings.Repeat("x", 300)+"\r\n", 200))
	tx.Send("WATCH a b\r\nMULTI\r\nSET a 1\r\n")
	gone.Send("QUIT\r\n")
	w.pass(0)
	if err := w.s.Audit(); err != nil {
		t.Fatal(err)
	}
	return w
}

// client is the server's side of the nth connection.
func (w *world) client(id int64) *conn {
	for _, c := range w.s.table.slots {
		if c != nil && c.ID == id {
			return c
		}
	}
	w.t.Fatalf("client %d is not there", id)
	return nil
}

// The check of the check: whatever is put wrong is found, and called by its name.
func TestAuditFinds(t *testing.T) {
	for want, damage := range map[string]func(w *world, s *Server){
		"stands in slot":                 func(w *world, s *Server) { w.client(1).fd++ },
		"is not its own (LOOP-8)":        func(w *world, s *Server) { w.client(1).tag = w.client(2).tag },
		"is not its own (CONN-18)":       func(w *world, s *Server) { w.client(1).ID = 99 },
		"clients, accounts say":          func(w *world, s *Server) { s.table.live++ },
		"times in the flush queue":       func(w *world, s *Server) { s.pending = append(s.pending, w.client(1)) },
		"times among those behind":       func(w *world, s *Server) { w.client(1).behind = true },
		"times among those that part":    func(w *world, s *Server) { s.parting = nil },
		"times among the dead":           func(w *world, s *Server) { s.dying = append(s.dying, w.client(1)) },
		"is gone, and stands in a queue": func(w *world, s *Server) { s.pending = append(s.pending, &conn{queued: true}) },
		"reads are not served":           func(w *world, s *Server) { s.taken = 1 },
		"of at most":                     func(w *world, s *Server) { s.hardLimit = 10 },
		"nobody is going to write them":  func(w *world, s *Server) { w.client(2).interest = kernel.Readable },
		"is owed nothing, and waits":     func(w *world, s *Server) { w.client(1).interest |= kernel.Writable },
		"nobody waits for what it sends": func(w *world, s *Server) { w.client(1).interest = 0 },
		"and is not closed":              func(w *world, s *Server) { w.client(1).state = closing },
		"is closing, and waits":          func(w *world, s *Server) { w.client(2).state = closing },
		"parts, is owed":                 func(w *world, s *Server) { w.client(4).interest = 0 },
		"in its backlog, accounts say":   func(w *world, s *Server) { w.client(2).backlog.bytes += 5 },
		"was sent":                       func(w *world, s *Server) { w.client(2).sent = len(w.client(2).backlog.bufs[0]) + 1 },
		"outside of the lent arena": func(w *world, s *Server) {
			c := w.client(2)
			c.lent, c.queued = true, true
			s.pending = append(s.pending, c)
		},
		"keeps its replies in the lent arena": func(w *world, s *Server) { w.client(2).Out = s.lender.arena[:5:5] },
		"of a frame, and a decoder":           func(w *world, s *Server) { w.client(1).dec = nil },
		"with nothing in it":                  func(w *world, s *Server) { w.client(3).in = make([]byte, 0, 5) },
		"in its query buffer":                 func(w *world, s *Server) { s.cfg.QueryBytesMax = 1 },
		"have one buffer":                     func(w *world, s *Server) { s.pool.put(w.client(1).in[:0]) },
		"is pooled as one of":                 func(w *world, s *Server) { s.pool.free[3] = append(s.pool.free[3], make([]byte, 0, 7)) },
		"decoders are at rest": func(w *world, s *Server) {
			for range decodersMax + 1 {
				s.decoders = append(s.decoders, new(resp.Decoder))
			}
		},
		"says it is at":           func(w *world, s *Server) { s.timers.heap[0].pos++ },
		"earlier than its parent": func(w *world, s *Server) { s.timers.heap[len(s.timers.heap)-1].at = 0 },
		"has not run (LOOP-12)": func(w *world, s *Server) {
			s.timers.heap[0].at = s.mono
			s.timers.promised = s.timers.seq
		},
		"in a pass that is over": func(w *world, s *Server) { s.timers.due = []*timer{{due: true}} },
		"holds":                  func(w *world, s *Server) { w.client(1).counted++ },
		"waits, and is in state": func(w *world, s *Server) {
			s.x.Run(&w.client(1).Session, words("BLPOP", "l", "0"))
			c := w.client(1)
			c.state, c.interest, c.Out = closing, kernel.Writable, []byte("x")
		},
		"has a timeout, and does not wait": func(w *world, s *Server) {
			c := w.client(1)
			s.x.Run(&c.Session, words("BLPOP", "l", "9"))
			at := c.timeout.at
			s.x.Unwait(&c.Session)
			s.timers.arm(c.timeout, at)
		},
		"clients hold":                  func(w *world, s *Server) { s.x.ClientBytes++ },
		"watches in the index":          func(w *world, s *Server) { s.x.Run(&(&conn{}).Session, words("WATCH", "z")) },
		"is said to be the last in use": func(w *world, s *Server) { s.x.DB(7).Put([]byte("k"), nil, 0, -1, 0) },
	} {
		w := busy(t)
		damage(w, w.s)
		if err := w.s.Audit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: found %v", want, err)
		}
	}
}

func TestAuditSleepFinds(t *testing.T) {
	for want, damage := range map[string]func(w *world, s *Server){
		"LOOP-5":               func(w *world, s *Server) { s.pending = append(s.pending, w.client(1)) },
		"connections to close": func(w *world, s *Server) { s.dying = append(s.dying, w.client(1)) },
		"lent arena":           func(w *world, s *Server) { s.lender.used = 1 },
		"LOOP-18":              func(w *world, s *Server) { s.behind = append(s.behind, w.client(1)) },
		"LOOP-4":               func(w *world, s *Server) { s.timers.heap[0].at-- },
		"TIME-15":              func(w *world, s *Server) { s.x.DB(0).SetDeadline([]byte("k"), w.Wall()/1e6+20, w.Wall()/1e6) },
	} {
		w := busy(t)
		until := w.s.timers.next()
		if err := w.s.AuditSleep(until); err != nil {
			t.Fatal(err)
		}
		damage(w, w.s)
		if err := w.s.AuditSleep(until); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: found %v", want, err)
		}
	}
}

func words(list ...string) (args [][]byte) {
	for _, word := range list {
		args = append(args, []byte(word))
	}
	return args
}

// The same server in the same situation has the same fingerprint, whatever time it is; and another in
// any other.
func TestFingerprint(t *testing.T) {
	print := func(more func(w *world)) string {
		w := busy(t)
		more(w)
		return string(w.s.Fingerprint(nil))
	}
	same := print(func(w *world) {})
	if again := print(func(w *world) {}); again != same {
		t.Error("two servers with the same history differ")
	}
	for name, more := range map[string]func(w *world){
		"a byte of a frame":    func(w *world) { w.client(1).in[0]++ },
		"what is owed":         func(w *world) { w.client(2).sent++ },
		"a watch":              func(w *world) { w.s.x.Run(&w.client(1).Session, words("WATCH", "q")) },
		"a queued command":     func(w *world) { w.s.x.Run(&w.client(3).Session, words("GET", "q")) },
		"a key":                func(w *world) { w.s.x.DB(0).Put([]byte("q"), nil, 0, -1, 0) },
		"a value":              func(w *world) { w.s.x.DB(0).Put([]byte("k"), []byte("w"), 0, w.Wall()/1e6+5000, w.Wall()/1e6) },
		"a deadline":           func(w *world) { w.s.x.DB(0).SetDeadline([]byte("k"), w.Wall()/1e6+4999, w.Wall()/1e6) },
		"an element":           func(w *world) { w.s.x.Run(&w.client(1).Session, words("LSET", "list", "0", "y")) },
		"who waits":            func(w *world) { w.s.x.Run(&w.client(1).Session, words("BLPOP", "nothing", "0")) },
		"a timeout":            func(w *world) { w.s.x.Run(&w.client(1).Session, words("BLPOP", "nothing", "3")) },
		"an armed timer":       func(w *world) { w.s.timers.arm(&w.s.resume, w.s.mono+5) },
		"time that has passed": func(w *world) { w.Advance(time.Millisecond) },
		"an interest":          func(w *world) { w.client(1).interest = 0 },
		"a state":              func(w *world) { w.client(1).state = closing },
		"a name":               func(w *world) { w.client(1).Name = "n" },
		"the end":              func(w *world) { w.s.Stop() },
	} {
		if print(more) == same {
			t.Errorf("%s makes no difference", name)
		}
	}
}
