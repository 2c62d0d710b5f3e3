// The hash of keys: folded 64x64-bit multiplications over 16 bytes at a time, in the manner of
// wyhash. The standard library's seeded hash is seeded by the process; ours is by an argument, so
// that a simulation repeats exactly.
package store

import "math/bits"

const (
	mult0 = 0x9e3779b97f4a7c15
	mult1 = 0xc2b2ae3d27d4eb4f
	mult2 = 0x165667b19e3779f9
)

func (db *DB) hash(key []byte) uint64 {
	h, n := db.seed, len(key)
	for len(key) > 16 {
		h = mix(load64(key)^mult0, load64(key[8:])^h)
		key = key[16:]
	}
	var a, b uint64
	switch {
	case len(key) >= 8:
		a, b = load64(key), load64(key[len(key)-8:])
	case len(key) >= 4:
		a, b = uint64(load32(key)), uint64(load32(key[len(key)-4:]))
	case len(key) > 0:
		a = uint64(key[0])<<16 | uint64(key[len(key)/2])<<8 | uint64(key[len(key)-1])
	}
	return mix(mix(a^mult1, b^h), uint64(n)^mult2) // neither factor is 0 by a choice of the client
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
