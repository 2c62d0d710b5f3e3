package fuzz

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"rondo/check/property"
	"rondo/impl"
	"rondo/impl/kernel/sim"
	"rondo/impl/store"
)

// bubble is the server in simulation for clients in a synctest bubble, whose time it follows. One
// goroutine has the server; each line has one that reads.
type bubble struct {
	k      *sim.Kernel
	server *impl.Server
	lines  []*line
	events chan event
	quit   chan struct{}
	now    time.Time // up to which the server has lived
}

// line joins a client's pipe to its peer at the server.
type line struct {
	pipe net.Conn
	peer *sim.Peer
	owed bool // it has sent something and got nothing since
}

// event is what a client has done: opened a line, sent something, or ended it.
type event struct {
	line *line
	data string
	end  bool
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	b := &bubble{k: sim.New(1), events: make(chan event), quit: make(chan struct{}), now: time.Now()}
	cfg := impl.DefaultConfig()
	cfg.Memory = store.StrictMemory()
	server, err := impl.New(cfg, b.k)
	if err != nil {
		t.Fatal(err)
	}
	b.server = server
	b.k.SetWall(b.now.UnixNano())
	go b.run(t)
	return b
}

func (b *bubble) dial() (net.Conn, error) {
	client, pipe := net.Pipe()
	l := &line{pipe: pipe}
	b.tell(event{line: l})
	go func() {
		chunk := make([]byte, 64<<10)
		for {
			n, err := pipe.Read(chunk)
			b.tell(event{l, string(chunk[:n]), err != nil})
			if err != nil {
				return
			}
		}
	}()
	return client, nil
}

func (b *bubble) tell(e event) {
	select {
	case b.events <- e:
	case <-b.quit:
	}
}

// run lets the server live whenever a client does something, and, while one waits, each millisecond.
func (b *bubble) run(t *testing.T) {
	for {
		var tick <-chan time.Time
		for _, l := range b.lines {
			if l.owed {
				tick = time.After(time.Millisecond)
			}
		}
		var e event
		select {
		case e = <-b.events:
		case <-tick:
		case <-b.quit:
			return
		}
		if err := b.live(e); err != nil {
			t.Error(err)
			return
		}
	}
}

// live brings the server to the time of the bubble, and then what a client has done.
func (b *bubble) live(e event) error {
	now := time.Now()
	err := b.k.Pass(now.Sub(b.now), b.server.Turn)
	if b.now = now; err != nil {
		return err
	}
	switch l := e.line; {
	case l == nil:
	case l.peer == nil:
		l.peer = b.k.Connect(b.server.Addr())
		b.lines = append(b.lines, l)
	case e.end:
		l.owed = false
		l.peer.Close()
	default:
		l.owed = true
		l.peer.Send(e.data)
	}
	err = b.k.Pass(0, b.server.Turn)
	for _, l := range b.lines {
		for out := l.peer.Recv(); out != ""; out = l.peer.Recv() {
			l.owed = false
			_, _ = l.pipe.Write([]byte(out)) // who has gone takes nothing
			if err == nil {
				err = b.k.Pass(0, b.server.Turn)
			}
		}
		if l.peer.Closed() {
			l.owed = false
			l.pipe.Close()
		}
	}
	return err
}

// TestLawsInABubble holds the server to the laws of time with pauses of up to an hour: what has to
// come is known to the millisecond.
func TestLawsInABubble(t *testing.T) {
	for _, law := range property.Laws {
		switch law.Name {
		case "refinement", "deadline", "expiry", "timeouts": // time passes in their programs
			t.Run(law.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { holdInBubble(t, law) })
			})
		}
	}
}

func holdInBubble(t *testing.T, law property.Law) {
	b := newBubble(t)
	defer close(b.quit)
	s, err := property.Through(b.dial)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// All programs together may take rapid no longer than a day: few of them have pauses of an hour.
	for _, s.PauseMax = range []time.Duration{time.Minute, time.Hour} {
		property.Check(struct{ testing.TB }{t}, s, law) // in a bubble nobody may ask t for its deadline
	}
}
