package command

import "testing"

// words makes the arguments of a command line.
func words(list ...string) [][]byte {
	args := make([][]byte, len(list))
	for i, w := range list {
		args[i] = []byte(w)
	}
	return args
}

// The commands that a loop runs all day allocate nothing.
func TestNoAllocations(t *testing.T) {
	h := newFake()
	s := h.connect()
	s.Out = make([]byte, 0, 1<<16)
	h.x.Run(s, words("SET", "key:000001", "value"))
	h.x.Run(s, words("SET", "volatile", "value", "PX", "100000"))
	h.x.Run(s, words("SET", "counter", "100"))
	for _, args := range [][][]byte{
		words("GET", "key:000001"),
		words("GET", "missing"),
		words("get", "volatile"),
		words("SET", "key:000001", "other"),
		words("SET", "volatile", "valve", "PX", "100000"),
		words("SET", "key:000001", "other", "XX", "KEEPTTL"),
		words("INCR", "counter"),
		words("INCRBY", "counter", "7"),
		words("EXPIRE", "volatile", "100"),
		words("PTTL", "volatile"),
		words("EXISTS", "key:000001"),
		words("MGET", "key:000001", "missing"),
		words("MSET", "key:000001", "12345", "counter", "100"),
		words("STRLEN", "key:000001"),
		words("PING"),
		words("DEL", "missing"),
	} {
		n := testing.AllocsPerRun(100, func() {
			s.Out = s.Out[:0]
			h.x.Run(s, args)
		})
		if n != 0 {
			t.Errorf("%q: %v allocations a run", args, n)
		}
	}
}

func benchmark(b *testing.B, list ...string) {
	h := newFake()
	s := h.connect()
	s.Out = make([]byte, 0, 1<<16)
	h.x.Run(s, words("SET", "key:000000000001", "1"))
	args := words(list...)
	b.ReportAllocs()
	for b.Loop() {
		s.Out = s.Out[:0]
		h.x.Run(s, args)
	}
}

func BenchmarkGet(b *testing.B)  { benchmark(b, "GET", "key:000000000001") }
func BenchmarkSet(b *testing.B)  { benchmark(b, "SET", "key:000000000001", "2") }
func BenchmarkIncr(b *testing.B) { benchmark(b, "INCR", "key:000000000001") }
func BenchmarkPing(b *testing.B) { benchmark(b, "PING") }

func BenchmarkLookup(b *testing.B) {
	name := []byte("INCRBYFLOAT")
	for b.Loop() {
		if Lookup(name) == nil {
			b.Fatal("unknown")
		}
	}
}
