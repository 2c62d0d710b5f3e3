package impl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
	"rondo/impl/store"
)

// The world of these tests: a server on the simulated kernel, seen through a spy that notes what
// the server asks of it and may lie about readiness.

type spy struct {
	*sim.Kernel
	until int64          // of the last wait
	trace []string       // "wait", "read 5", "write 5 10", "close 5", "watch 5 rw", "done"
	lies  []kernel.Event // reported by the next Wait, before what is true

	unwatchable bool          // nothing can be watched
	slow        time.Duration // how long a read takes
	tick        time.Duration // what passes with each reading of the monotonic clock
}

func (k *spy) note(format string, args ...any) {
	k.trace = append(k.trace, fmt.Sprintf(format, args...))
}

func (k *spy) Wait(ev []kernel.Event, until int64) (int, error) {
	k.note("wait")
	k.until = until
	n := copy(ev, k.lies)
	k.lies = nil
	m, err := k.Kernel.Wait(ev[n:], until)
	return n + m, err
}

func (k *spy) Mono() int64 {
	if k.tick > 0 {
		k.Advance(k.tick)
	}
	return k.Kernel.Mono()
}

func (k *spy) Read(fd kernel.FD, buf []byte) (int, error) {
	k.note("read %d", fd)
	if k.slow > 0 {
		k.Advance(k.slow)
	}
	return k.Kernel.Read(fd, buf)
}

func (k *spy) Write(fd kernel.FD, buf []byte) (int, error) {
	n, err := k.Kernel.Write(fd, buf)
	k.note("write %d %d", fd, n)
	return n, err
}

func (k *spy) Writev(fd kernel.FD, bufs [][]byte) (int, error) {
	n, err := k.Kernel.Writev(fd, bufs)
	k.note("write %d %d", fd, n)
	return n, err
}

func (k *spy) Close(fd kernel.FD) error {
	k.note("close %d", fd)
	return k.Kernel.Close(fd)
}

func (k *spy) CloseWrite(fd kernel.FD) bool {
	arrived := k.Kernel.CloseWrite(fd)
	k.note("end %d %v", fd, arrived)
	return arrived
}

func (k *spy) Watch(fd kernel.FD, tag uint64, in kernel.Interest) error {
	if k.unwatchable && in != 0 {
		return errors.New("spy: no watches left")
	}
	k.note("watch %d %s", fd, []string{"-", "r", "w", "rw"}[in])
	return k.Kernel.Watch(fd, tag, in)
}

// of returns the noted calls of one kind.
func (k *spy) of(kind string) (found []string) {
	for _, line := range k.trace {
		if strings.HasPrefix(line, kind) {
			found = append(found, line)
		}
	}
	return found
}

type world struct {
	*spy
	t   *testing.T
	s   *Server
	log bytes.Buffer
}

const home = "127.0.0.1:6379"

// newWorld makes a server with these options: name, value, name, value ...
func newWorld(t *testing.T, options ...string) *world {
	t.Helper()
	w := &world{t: t, spy: &spy{Kernel: sim.New(1)}}
	cfg := DefaultConfig()
	cfg.Log, cfg.LogLevel, cfg.Memory = &w.log, "verbose", store.StrictMemory()
	for i := 0; i < len(options); i += 2 {
		if err := cfg.Set(options[i], options[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(cfg, w.spy)
	if err != nil {
		t.Fatal(err)
	}
	w.s = s
	w.pass(0)
	return w
}

// pass lets time go by until the server rests.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if err := w.Pass(d, w.audited); err != nil {
		w.t.Fatal(err)
	}
}

// audited is a turn after which all must add up.
func (w *world) audited() error {
	if err := w.s.Turn(); err != nil {
		return err
	}
	if w.s.table.live > auditedMax || w.s.x.DB(0).Len() > auditedMax {
		return nil // it would take long
	}
	return w.s.Audit()
}

// auditedMax is the most clients, or keys, of a world that is audited after every turn.
const auditedMax = 200

func (w *world) turn() {
	w.t.Helper()
	if err := w.audited(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) dial() *sim.Peer {
	p := w.Connect(home)
	w.pass(0)
	return p
}

// ask sends and returns what comes back at once.
func (w *world) ask(p *sim.Peer, text string) string {
	w.t.Helper()
	p.Send(text)
	return w.drain(p)
}

// drain receives until nothing more comes.
func (w *world) drain(p *sim.Peer) string {
	w.t.Helper()
	var all strings.Builder
	for {
		w.pass(0)
		got := p.Recv()
		if got == "" {
			return all.String()
		}
		all.WriteString(got)
	}
}

func (w *world) want(p *sim.Peer, ask, reply string) {
	w.t.Helper()
	if got := w.ask(p, ask); got != reply {
		w.t.Fatalf("%.80q: got %.200q, want %.200q", ask, got, reply)
	}
}

// conn is the server's side of the only, or the last, connection.
func (w *world) conn() *conn {
	w.t.Helper()
	var last *conn
	for c := range w.s.table.each {
		if last == nil || c.ID > last.ID {
			last = c
		}
	}
	if last == nil {
		w.t.Fatal("no connection")
	}
	return last
}

// frame is a request as an array of bulk strings.
func frame(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }
