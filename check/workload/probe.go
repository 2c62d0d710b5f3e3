package workload

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"rondo/check/target"
	"rondo/model"
)

// A server may know SET and not its options. Before a recording each word of a mix is said once, on
// keys that hold a number, or nothing if it is about lists; a word that is answered by an error is left out, like those whose command
// is not known: it would only fill the history with refusals. That valid words are not refused is
// for the suite to check.

// ErrEvicts says that the target may lose keys: no history of it means anything.
var ErrEvicts = errors.New("the target may evict keys, and a history is judged as if none is lost: " +
	"set maxmemory to 0, or maxmemory-policy to noeviction")

// evicts is ErrEvicts, if the target's settings say so. One that does not tell them is taken at its
// word.
func evicts(t *target.Target) error {
	conn, err := t.Dial()
	if err != nil {
		return nil // the run will say so
	}
	defer conn.Close()
	setting := func(name string) string {
		if r, err := conn.Do("CONFIG", "GET", name); err == nil && len(r.Elems) == 2 {
			return r.Elems[1].Str
		}
		return ""
	}
	limit, policy := setting("maxmemory"), setting("maxmemory-policy")
	if limit == "" || limit == "0" || policy == "" || policy == "noeviction" {
		return nil
	}
	return ErrEvicts
}

// refused are the words that the target answers with an error.
func refused(t *target.Target, m Mix) []string {
	conn, err := t.Dial()
	if err != nil {
		return nil // the run will say so
	}
	defer conn.Close()
	tag := t.Tag("probe")
	keys := []string{target.KeyPrefix + tag + "a", target.KeyPrefix + tag + "b"}
	defer func() { _, _ = conn.Do("DEL", keys[0], keys[1]) }()
	var out []string
	for name, n := range m.Words {
		w := words[name]
		if n == 0 || !t.Caps().Has(w.command) {
			continue
		}
		s := &source{rng: rand.New(rand.NewPCG(1, 2)), keys: keys, wallMs: func() int64 {
			return time.Now().UnixMilli()
		}}
		for _, k := range keys {
			said := []string{"SET", k, s.value()}
			if w.list {
				said = []string{"DEL", k}
			}
			if _, err := conn.Do(said...); err != nil {
				return out
			}
		}
		reply, err := conn.DoArgs(w.make(s).args...)
		if err != nil {
			return out
		}
		if reply.Kind == model.Error {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// without is the mix without some words.
func (m Mix) without(names []string) Mix {
	kept := weights{}
	for name, n := range m.Words {
		if !slices.Contains(names, name) {
			kept[name] = n
		}
	}
	m.Words = kept
	return m
}
