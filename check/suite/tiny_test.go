package suite

import (
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// tiny is a plain little server with one fault at a time: what a case must accept and refuse.
//
//	late, early  keys expire 3 ms too late or too early
//	clock        TIME goes backwards now and then
//	stale        GET answers the value before the last now and then
//	lost         INCR answers without counting now and then
//	twice        APPEND appends twice now and then
//	hang-up      the end of the client's sending side ends the connection at once
//	nx           SET NX overwrites now and then
//	text         values end at a NUL byte
//	garbage      a protocol error is answered by something else
//	eager        a command takes effect one byte before its end
type tiny struct {
	fault string
	mu    sync.Mutex
	keys  map[string]*tinyKey
	calls int
}

type tinyKey struct {
	value, before string
	deadline      int64 // Unix ms; 0: none
}

func startTiny(t *testing.T, fault string) *target.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go serveTiny(l, fault)
	tg, err := target.At(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func serveTiny(l net.Listener, fault string) {
	s := &tiny{fault: fault, keys: map[string]*tinyKey{}}
	for {
		sock, err := l.Accept()
		if err != nil {
			return
		}
		go s.serve(sock)
	}
}

// TestMain lets the test binary play the tiny server as a process of its own.
func TestMain(m *testing.M) {
	if fault := os.Getenv("RONDO_TINY"); fault != "" {
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
		if err != nil {
			os.Exit(4)
		}
		serveTiny(l, fault)
	}
	os.Exit(m.Run())
}

func (s *tiny) serve(sock net.Conn) {
	defer sock.Close()
	var buf []byte
	chunk := make([]byte, 64<<10)
	out := make(chan []byte, 1<<16) // a client may send without reading: so write on the side
	written := make(chan struct{})
	go func() {
		defer close(written)
		for b := range out {
			if _, err := sock.Write(b); err != nil {
				return
			}
		}
	}()
	for {
		n, err := sock.Read(chunk)
		buf = append(buf, chunk[:n]...)
		if err != nil && s.fault == "hang-up" {
			return
		}
		open := true
		buf, open = s.take(buf, out)
		if err != nil || !open {
			close(out)
			<-written
			return
		}
	}
}

// take answers the whole commands in buf.
func (s *tiny) take(buf []byte, out chan<- []byte) (rest []byte, open bool) {
	if s.fault == "eager" && len(buf) > 0 && buf[len(buf)-1] == '\r' {
		s.take(append(append([]byte(nil), buf...), '\n'), make(chan []byte, 1<<16))
	}
	for {
		args, n, err := wire.ParseCommand(buf)
		if err != nil && s.fault == "garbage" {
			out <- []byte("oops\r\n")
			return nil, false
		}
		if err != nil {
			out <- wire.AppendReply(nil, model.Err("ERR "+err.Error()), 2)
			return nil, false
		}
		if n == 0 {
			return buf, true
		}
		buf = buf[n:]
		if len(args) > 0 {
			words := make([]string, len(args))
			for i, a := range args {
				words[i] = string(a)
			}
			if s.fault == "crash" && words[0] == "BOOM" {
				os.Stderr.WriteString("out of luck\n")
				os.Exit(7)
			}
			s.mu.Lock()
			s.calls++
			r := s.answer(strings.ToUpper(words[0]), words[1:])
			s.mu.Unlock()
			if r.Kind == model.Verbatim { // raw bytes
				out <- []byte(r.Str)
				continue
			}
			out <- wire.AppendReply(nil, r, 2)
		}
	}
}

// find is the key, if it lives; sometimes is true now and then.
func (s *tiny) find(k string) *tinyKey {
	shift := map[string]int64{"late": 3, "early": -3}[s.fault]
	e := s.keys[k]
	if e != nil && e.deadline != 0 && time.Now().UnixMilli() > e.deadline+shift {
		return nil
	}
	return e
}

func (s *tiny) sometimes(fault string) bool { return s.fault == fault && s.calls%17 == 0 }

func (s *tiny) answer(cmd string, args []string) model.Reply {
	switch {
	case cmd == "PING":
		return model.Reply{Kind: model.Simple, Str: "PONG"}
	case cmd == "BAD":
		return model.Reply{Kind: model.Verbatim, Str: "$-01\r\n"}
	case cmd == "TIME":
		us := time.Now().UnixMicro()
		if s.sometimes("clock") {
			us -= 5_000_000
		}
		return model.Arr(model.Str(strconv.FormatInt(us/1e6, 10)), model.Str(strconv.FormatInt(us%1e6, 10)))
	case cmd == "ECHO" && len(args) == 1:
		return model.Str(args[0])
	case cmd == "SELECT" && len(args) == 1 && args[0] == "0":
		return model.OK()
	case len(args) > 0:
		return s.onKey(cmd, args[0], args[1:])
	}
	return model.Err("ERR unknown command or wrong number of arguments")
}

func (s *tiny) onKey(cmd, k string, args []string) model.Reply {
	switch {
	case cmd == "SET" && len(args) > 0:
		return s.set(k, args)
	case cmd == "GET":
		e := s.find(k)
		switch {
		case e == nil:
			return model.Reply{Kind: model.Null}
		case s.sometimes("stale"):
			return model.Str(e.before)
		}
		return model.Str(e.value)
	case cmd == "DEL":
		delete(s.keys, k)
		return model.Num(1)
	case cmd == "INCR":
		e := s.find(k)
		if e == nil {
			e = &tinyKey{value: "0"}
		}
		n, _ := strconv.ParseInt(e.value, 10, 64)
		if !s.sometimes("lost") {
			s.keys[k] = &tinyKey{value: strconv.FormatInt(n+1, 10)}
		}
		return model.Num(n + 1)
	case cmd == "APPEND" && len(args) == 1:
		e := s.find(k)
		if e == nil {
			e = &tinyKey{}
		}
		if s.sometimes("twice") {
			e = &tinyKey{value: e.value + args[0]}
		}
		s.keys[k] = &tinyKey{value: e.value + args[0]}
		return model.Num(int64(len(s.keys[k].value)))
	}
	return model.Err("ERR unknown command")
}

func (s *tiny) set(k string, args []string) model.Reply {
	next := &tinyKey{value: args[0]}
	if e := s.find(k); e != nil {
		next.before = e.value
	}
	if s.fault == "text" {
		next.value, _, _ = strings.Cut(next.value, "\x00")
	}
	for i := 1; i < len(args); i++ {
		switch strings.ToUpper(args[i]) {
		case "NX":
			if s.find(k) != nil && !s.sometimes("nx") {
				return model.Reply{Kind: model.Null}
			}
		case "PXAT":
			next.deadline, _ = strconv.ParseInt(args[i+1], 10, 64)
			i++
		}
	}
	s.keys[k] = next
	return model.OK()
}
