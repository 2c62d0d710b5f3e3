package linear

import (
	"math/bits"
	"unsafe"
)

// This file remembers nodes that failed. One that failed speaks for every node at the same event
// with the same operations done that is no better off: its configurations are among those that
// failed, it has done no more of the reads, and it has used no fewer of the operations of unknown
// outcome.

// bitset is a set of slots.
type bitset []uint64

func (b bitset) has(slot int32) bool { return b[slot>>6]>>(slot&63)&1 == 1 }
func (b bitset) set(slot int32)      { b[slot>>6] |= 1 << (slot & 63) }
func (b bitset) clear(slot int32)    { b[slot>>6] &^= 1 << (slot & 63) }

func subset(a, b []uint64) bool {
	for i := range a {
		if a[i]&^b[i] != 0 {
			return false
		}
	}
	return true
}

// memo holds failed nodes in chains by hash. What has the same hash is compared in full.
type memo[C any] struct {
	words   int
	heads   []int32 // by the low bits of the hash; a power of two of them, at least one an entry
	entries []failed[C]
	sets    []uint64 // of each entry: what is done but the next two, the reads, the chances
}

type failed[C any] struct {
	cfg  C
	hash uint64
	at   int32
	next int32 // in the chain, or none
}

func (m *memo[C]) bytes() int64 {
	return int64(cap(m.entries))*int64(unsafe.Sizeof(failed[C]{})) + int64(cap(m.sets))*8 +
		int64(len(m.heads))*4
}

func (m *memo[C]) hash(d *dfs[C]) uint64 {
	h := d.th.hash(&d.cfg)
	if !d.slips.memoLoose {
		h = mix(h ^ uint64(d.at)<<32)
	}
	for i := range d.done {
		h = mix(h ^ d.done[i]&^d.reads[i]&^d.chances[i])
	}
	return h
}

// mix spreads the bits of a word.
func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return hi ^ lo
}

func (m *memo[C]) add(d *dfs[C]) {
	if d.off.noMemo {
		return
	}
	if len(m.entries) == len(m.heads) {
		m.grow()
	}
	h := m.hash(d)
	head := m.head(h)
	m.entries = append(m.entries, failed[C]{d.cfg, h, int32(d.at), *head})
	*head = int32(len(m.entries) - 1)
	for i := range d.done {
		m.sets = append(m.sets, d.done[i]&^d.reads[i]&^d.chances[i])
	}
	m.sets = append(append(m.sets, d.reads...), d.chances...)
}

func (m *memo[C]) head(hash uint64) *int32 { return &m.heads[hash&uint64(len(m.heads)-1)] }

// grow doubles the chains.
func (m *memo[C]) grow() {
	const headsMin = 1 << 10
	m.heads = make([]int32, max(headsMin, 2*len(m.heads)))
	for i := range m.heads {
		m.heads[i] = none
	}
	for i := range m.entries {
		e := &m.entries[i]
		head := m.head(e.hash)
		e.next, *head = *head, int32(i)
	}
}

// knows reports that a node which failed speaks for this one.
func (m *memo[C]) knows(d *dfs[C]) bool {
	if len(m.entries) == 0 {
		return false
	}
	h := m.hash(d)
	for n := *m.head(h); n != none; n = m.entries[n].next {
		if m.entries[n].hash == h && m.covers(n, d) {
			return true
		}
	}
	return false
}

func (m *memo[C]) covers(n int32, d *dfs[C]) bool {
	e, w := &m.entries[n], m.words
	sets := m.sets[int(n)*3*w:][:3*w]
	if int(e.at) != d.at && !d.slips.memoLoose {
		return false
	}
	for i := range w {
		if sets[i] != d.done[i]&^d.reads[i]&^d.chances[i] {
			return false
		}
	}
	if !subset(d.reads, sets[w:2*w]) || !subset(sets[2*w:], d.chances) {
		return false
	}
	if d.off.noDominance && !(subset(sets[w:2*w], d.reads) && subset(d.chances, sets[2*w:]) &&
		d.th.includes(&d.cfg, &e.cfg)) {
		return false
	}
	return d.th.includes(&e.cfg, &d.cfg) || d.slips.memoNoZone
}
