package fuzz

import "math/rand/v2"

// Structured targets take their choices from bytes. Any bytes are a run of operations, and a small
// change of the bytes is a small change of the run, which is what a coverage-guided fuzzer needs.

// reader hands out bytes; past the end it hands out zeros.
type reader struct{ data []byte }

func (r *reader) next() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) done() bool { return len(r.data) == 0 }

func (r *reader) pick(words []string) string { return words[int(r.next())%len(words)] }

// below is a number below n, of one byte; wide is one of two bytes.
func (r *reader) below(n int) int { return int(r.next()) % n }

func (r *reader) wide(n int) int { return (int(r.next())<<8 | int(r.next())) % n }

// word is 64 bits.
func (r *reader) word() (w uint64) {
	for range 8 {
		w = w<<8 | uint64(r.next())
	}
	return w
}

// noise is a seed for a target whose bytes are choices: so many bytes of chance, always the same.
func noise(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}
