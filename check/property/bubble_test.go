package property_test

import (
	"flag"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"rondo/check/mutant"
	"rondo/check/property"
)

// Laws in a synctest bubble: server and client are in it, joined by pipes, so that time passes only
// when both wait, and at once.

// pipes is a listener in memory.
type pipes struct {
	arrived chan net.Conn
	closed  chan struct{}
	slow    time.Duration // by which replies are late
}

func newPipes() *pipes { return &pipes{arrived: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.arrived:
		return late{c, p.slow}, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.arrived <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// late is a connection whose line takes a while.
type late struct {
	net.Conn
	by time.Duration
}

func (c late) Write(b []byte) (int, error) {
	time.Sleep(c.by)
	return c.Conn.Write(b)
}

// inBubble holds a mutant to a law, in a bubble, and gives what was said if it does not keep it.
func inBubble(t *testing.T, law property.Law, fault string, slow time.Duration) (said string) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		l.slow = slow
		m, err := mutant.Serve(l, fault)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s, err := property.Through(l.dial)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.PauseMax = 2 * time.Second // the mutant's cron turns 20 times a second, in a bubble too
		said = broken(t, s, law)
	})
	return said
}

// broken looks for a program that breaks a law, and gives what was said about it.
func broken(t *testing.T, s *property.Server, law property.Law) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // a failed check ends its goroutine
		defer close(done)
		property.Check(r, s, law)
	}()
	<-done
	if !r.failed {
		return ""
	}
	return r.said
}

func lawOf(t *testing.T, name string) property.Law {
	for _, law := range property.Laws {
		if law.Name == name {
			return law
		}
	}
	t.Fatalf("there is no law of %s", name)
	return property.Law{}
}

// TestLawsInABubble: the server without a fault keeps what is about time, to the millisecond.
func TestLawsInABubble(t *testing.T) {
	setRapid(t, map[string]string{"nofailfile": "true"})
	for _, law := range []string{"refinement", "deadline", "expiry", "timeouts"} {
		t.Run(law, func(t *testing.T) {
			if said := inBubble(t, lawOf(t, law), "", 0); said != "" {
				t.Error(said)
			}
		})
	}
}

func setRapid(t *testing.T, flags map[string]string) {
	for name, value := range flags {
		was := flag.Lookup("rapid." + name).Value.String()
		if err := flag.Set("rapid."+name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set("rapid."+name, was) })
	}
}
