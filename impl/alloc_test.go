package impl

import (
	"strings"
	"testing"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// replay is a kernel on which the same request arrives over and over and every reply is taken at
// once: a turn on it is the server's own work and nothing else.
type replay struct {
	*sim.Kernel
	fd      kernel.FD
	tag     uint64
	request []byte
	on      bool
	replies int // bytes of the last turn
}

func (k *replay) Wait(ev []kernel.Event, until int64) (int, error) {
	if !k.on {
		return k.Kernel.Wait(ev, until)
	}
	ev[0] = kernel.Event{FD: k.fd, Tag: k.tag, Ready: kernel.Readable}
	return 1, nil
}

func (k *replay) Read(fd kernel.FD, buf []byte) (int, error) {
	if !k.on {
		return k.Kernel.Read(fd, buf)
	}
	return copy(buf, k.request), nil
}

func (k *replay) Write(fd kernel.FD, buf []byte) (int, error) {
	if !k.on {
		return k.Kernel.Write(fd, buf)
	}
	k.replies = len(buf)
	return len(buf), nil
}

func (k *replay) Writev(fd kernel.FD, bufs [][]byte) (int, error) {
	if !k.on {
		return k.Kernel.Writev(fd, bufs)
	}
	k.replies = 0
	for _, b := range bufs {
		k.replies += len(b)
	}
	return k.replies, nil
}

// newReplay returns a server to which request comes in every turn.
func newReplay(tb testing.TB, setup, request string) (*Server, *replay) {
	tb.Helper()
	k := &replay{Kernel: sim.New(1), request: []byte(request)}
	s, err := New(DefaultConfig(), k)
	if err != nil {
		tb.Fatal(err)
	}
	p := k.Connect(home)
	p.Send(setup)
	if err := k.Pass(0, s.Turn); err != nil {
		tb.Fatal(err)
	}
	for c := range s.table.each {
		k.fd, k.tag = c.fd, c.tag
	}
	k.on = true
	return s, k
}

var hotRequests = []struct{ name, request string }{
	{"GET", frame("GET", "key:000000000001")},
	{"SET", frame("SET", "key:000000000001", "0123456789abcdef")},
	{"SETPX", frame("SET", "key:000000000001", "0123456789abcdef", "PX", "100000")},
	{"INCR", frame("INCR", "counter")},
	{"PING", "PING\r\n"},
	{"TTL", frame("TTL", "key:000000000001")},
	{"MGET", frame("MGET", "key:000000000001", "counter", "none")},
	{"EXEC", frame("MULTI") + frame("INCR", "counter") + frame("EXEC")},
	{"SET60k", frame("SET", "key:000000000001", strings.Repeat("x", 60_000))},
	{"GET60k", frame("GET", "long")},
	{"SET3k", frame("SET", "key:000000000001", strings.Repeat("x", 3000))},
}

const hotSetup = "SET key:000000000001 0123456789abcdef\r\nSET counter 1000000\r\n"

var longSetup = hotSetup + frame("SET", "long", strings.Repeat("y", 60_000))

// A command on the hot path allocates nothing, pipelined or not.
func TestNoAllocationPerCommand(t *testing.T) {
	for _, hot := range hotRequests {
		for _, depth := range []int{1, 16} {
			s, k := newReplay(t, longSetup, strings.Repeat(hot.request, depth))
			turn := func() {
				if err := s.Turn(); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 {
				turn()
			}
			allocs := testing.AllocsPerRun(200, turn)
			if k.replies == 0 {
				t.Fatalf("%s: no reply", hot.name)
			}
			if want := hotAllocs[hot.name] * float64(depth); allocs > want {
				t.Errorf("%s, %d deep: %.2f allocations a turn, want %.2f at most",
					hot.name, depth, allocs, want)
			}
		}
	}
}

// hotAllocs are the commands that do allocate: a queued command is copied, since the arena it
// arrived in is used again before EXEC.
var hotAllocs = map[string]float64{"EXEC": 4}

// BenchmarkTurn is a command without a system call.
func BenchmarkTurn(b *testing.B) {
	const depth = 16
	for _, hot := range hotRequests {
		b.Run(hot.name, func(b *testing.B) {
			s, _ := newReplay(b, longSetup, strings.Repeat(hot.request, depth))
			b.ReportAllocs()
			for range b.N/depth + 1 {
				if err := s.Turn(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
