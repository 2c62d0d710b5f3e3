package rhythm

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
)

// fake is a server with one thread, a mutex, that misbehaves as it is told.
type fake struct {
	thread sync.Mutex
	keys   map[string]time.Time // and their deadlines
	every  time.Duration        // between two stalls
	stall  time.Duration        // of all clients
	late   time.Duration        // by which due keys are deleted
	onDue  time.Duration        // it stands still when keys are due

	began, ended time.Time // of STALL
}

// start serves until the end of the test.
func (f *fake) start(t *testing.T) *target.Target {
	t.Helper()
	f.keys = map[string]time.Time{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	go f.upkeep(done)
	at, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (f *fake) upkeep(done chan struct{}) {
	stalled := time.Now()
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
		f.thread.Lock()
		gone := false
		for k, d := range f.keys {
			if !d.IsZero() && time.Since(d) > f.late {
				delete(f.keys, k)
				gone = true
			}
		}
		if gone {
			time.Sleep(f.onDue)
		}
		if f.every > 0 && time.Since(stalled) > f.every {
			time.Sleep(f.stall)
			stalled = time.Now()
		}
		f.thread.Unlock()
	}
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	var in, out []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := c.Read(chunk)
		if err != nil {
			return
		}
		in, out = append(in, chunk[:n]...), out[:0]
		f.thread.Lock()
		for {
			args, n, err := wire.ParseCommand(in)
			if n == 0 || err != nil {
				break
			}
			in = in[n:]
			out = append(out, f.execute(args)...)
		}
		f.thread.Unlock()
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func (f *fake) execute(args [][]byte) string {
	switch strings.ToUpper(string(args[0])) {
	case "PING":
		return "+PONG\r\n"
	case "STALL":
		f.began = time.Now()
		time.Sleep(f.stall)
		f.ended = time.Now()
		return "+OK\r\n"
	case "SET":
		f.keys[string(args[1])] = time.Time{}
		if len(args) == 5 {
			n, _ := strconv.ParseInt(string(args[4]), 10, 64)
			if f.keys[string(args[1])] = time.UnixMilli(n); string(args[3]) == "PX" {
				f.keys[string(args[1])] = time.Now().Add(time.Duration(n) * time.Millisecond)
			}
		}
		return "+OK\r\n"
	case "GET":
		if _, ok := f.keys[string(args[1])]; ok {
			return "$1\r\nv\r\n"
		}
		return "$-1\r\n"
	case "DBSIZE":
		return ":" + strconv.Itoa(len(f.keys)) + "\r\n"
	case "FLUSHALL":
		clear(f.keys)
		return "+OK\r\n"
	case "KEYS":
		out := "*" + strconv.Itoa(len(f.keys)) + "\r\n"
		for k := range f.keys {
			out += "$" + strconv.Itoa(len(k)) + "\r\n" + k + "\r\n"
		}
		return out
	}
	return "-ERR unknown command\r\n"
}
