package wire

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"rondo/model"
)

// fake answers each connection with what play does with it.
func fake(t *testing.T, play func(net.Conn)) *Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if sock, err := l.Accept(); err == nil {
			play(sock)
			sock.Close()
		}
	}()
	c, err := Dial(l.Addr().String(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); l.Close(); <-done })
	return c
}

func TestConnDo(t *testing.T) {
	c := fake(t, func(sock net.Conn) {
		buf := make([]byte, 100)
		n, _ := sock.Read(buf)
		if string(buf[:n]) != "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n" {
			t.Errorf("sent %q", buf[:n])
		}
		sock.Write([]byte("$2\r"))
		time.Sleep(time.Millisecond)
		sock.Write([]byte("\nhi\r\n+extra\r\n"))
	})
	for _, want := range []model.Reply{model.Str("hi"), {Kind: model.Simple, Str: "extra"}} {
		var got model.Reply
		var err error
		if want.Kind == model.Bulk {
			got, err = c.Do("ECHO", "hi")
		} else {
			got, err = c.Receive(time.Time{})
		}
		if err != nil || got.Str != want.Str {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := c.Receive(time.Time{}); !errors.Is(err, ErrClosed) {
		t.Fatalf("at the end: %v", err)
	}
	log := c.Log()
	if len(log) < 2 || !log[0].Out || log[1].Out || !strings.Contains(log[0].String(), "ECHO") {
		t.Errorf("log %v", log)
	}
}

func TestConnTimeoutIsNotTheEnd(t *testing.T) {
	more := make(chan struct{})
	c := fake(t, func(sock net.Conn) {
		sock.Write([]byte("+O"))
		<-more
		sock.Write([]byte("K\r\n"))
	})
	_, err := c.Receive(time.Now().Add(20 * time.Millisecond))
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), `"+O"`) {
		t.Fatalf("got %v, want a timeout that shows the half reply", err)
	}
	close(more)
	if r, err := c.Receive(time.Time{}); err != nil || r.Str != "OK" {
		t.Fatalf("after the timeout: %+v, %v", r, err)
	}
}

func TestConnHalfReply(t *testing.T) {
	c := fake(t, func(sock net.Conn) { sock.Write([]byte("$5\r\nab")) })
	var bad *MalformedError
	if _, err := c.Receive(time.Time{}); !errors.As(err, &bad) {
		t.Fatalf("a reply cut by the end of the connection: %v", err)
	}
}

func TestDialNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if _, err := Dial(addr, time.Second); err == nil || !strings.Contains(err.Error(), addr) {
		t.Fatalf("got %v, want an error that names %s", err, addr)
	}
}

func TestLogIsBounded(t *testing.T) {
	var l wireLog
	for i := range 3 * LogEntriesMax {
		l.add(time.Duration(i), i%2 == 0, make([]byte, LogEntryBytesMax+i))
	}
	all := l.entries()
	if len(all) != LogEntriesMax || all[0].At != 2*LogEntriesMax || all[1].Cut != 2*LogEntriesMax+1 {
		t.Fatalf("%d entries, the first at %d with %d cut", len(all), all[0].At, all[0].Cut)
	}
	l = wireLog{}
	for range 10 {
		l.add(1, true, []byte("x"))
	}
	if all := l.entries(); len(all) != 1 || string(all[0].Bytes) != "xxxxxxxxxx" {
		t.Fatalf("small pieces are not joined: %v", all)
	}
}
