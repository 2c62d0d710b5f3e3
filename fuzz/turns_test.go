package fuzz

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rondo/check/explore"
	"rondo/check/linear"
	"rondo/fuzz/world"
	"rondo/impl/kernel/sim"
)

// FuzzTurns: bytes become the programs of several clients and then a schedule: which client's next bytes
// arrive, when the loop turns, who takes how much, how time passes. The server is judged twice: by the
// world, which knows the order of execution, against the model; and by check/linear from what the
// clients saw alone, as any recording is judged. Neither may find fault with it.
func FuzzTurns(f *testing.F) {
	for seed := range uint64(16) {
		addSeed(f, noise(seed+400, 100+int(seed)*30))
	}
	addSeed(f, together("WATCH K|MULTI|SET K V|GET K|EXEC|GET K", "WATCH K|MULTI|SET K V|GET K|EXEC|GET K"))
	addSeed(f, together("BLPOP K W|BLMOVE K K H H W|LPOP K|BRPOP K K W", "LPUSH K V|RPUSH K V V|BLPOP K W|LPUSH K V"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := scheduled(&reader{data}, false)
		if err != nil {
			t.Fatal(story(data, err))
		}
		h := w.History()
		inCallOrder(h.Ops)
		res := linear.Check(h, linear.Options{Timeout: 5 * time.Second, Memory: 256 << 20})
		if res.Verdict == linear.Illegal || res.Verdict == linear.Error {
			t.Fatalf("judged from outside: %s, %s\n%s", res.Verdict, res.Reason, linesOf(h))
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	})
}

const (
	turnsClients  = 3
	turnsPrograms = 6 // commands of a client
	turnsSteps    = 120
)

// together is a seed of two clients, on the first words of the pools, that are in each other's way.
func together(first, second string) []byte {
	data := []byte{9, 9, 0, 0, 0, 0, 0, 0, 0, 0}
	for _, program := range []string{first, second} {
		lines := strings.Split(program, "|")
		data = append(data, byte(len(lines)))
		for _, line := range lines {
			data = append(data, byte(slices.Index(turnsAlphabet, line)))
			for word := range strings.FieldsSeq(line) {
				if turnsPools[word] != nil {
					data = append(data, 0)
				}
			}
		}
	}
	data = append(data, 0) // the third has no program
	deliver, turn := func(client byte) []byte { return []byte{client, 1, 17} }, []byte{0, 7}
	for range 20 {
		data = slices.Concat(data, deliver(0), turn, deliver(1), turn)
	}
	return data
}

// turnsAlphabet are commands whose effects on each other show, with deadlines that come and go, and with
// clients that wait for each other: who is accepted first is client 1.
var turnsAlphabet = slices.Concat(strings.Split("MULTI|EXEC|EXEC|WATCH K|UNWATCH|DISCARD|DBSIZE|KEYS *|"+
	"SWAPDB 0 1|SELECT D|FLUSHDB|RANDOMKEY|TIME|LPUSH K V|RPUSH K V V|LPOP K|LMOVE K K H H|LRANGE K 0 -1|"+
	"BLPOP K W|BRPOP K K W|BLMOVE K K H H W|BLMPOP W 2 K K H COUNT 2|CLIENT UNBLOCK C", "|"), playTemplates)

// scheduled makes a world, runs what the bytes say, and settles. With shown it keeps the steps.
func scheduled(r *reader, shown bool) (*world.World, error) {
	o := world.Options{Seed: 1, Recorded: true, Shown: shown,
		RecvBytes: 1 << (3 + r.below(10)), SendBytes: 1 << (3 + r.below(10))}
	for _, kind := range []sim.Fault{sim.ShortRead, sim.ShortWrite, sim.FalseRead, sim.FalseWrite, sim.Trickle,
		sim.Shuffle, sim.Interrupt, sim.Spurious} {
		o.Faults[kind] = chance(r)
	}
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	for range turnsClients {
		c := w.Dial()
		for range r.below(turnsPrograms + 1) {
			c.Plan(turnsCommand(r))
		}
	}
	for n := 0; !r.done() && n < turnsSteps; n++ {
		if err := w.Do(turnsAction(r)); err != nil {
			return w, err
		}
	}
	w.Kernel.Break(sim.Faults{})
	return w, w.Settle()
}

// story runs the bytes once more, and shows the steps.
func story(data []byte, err error) string {
	if w, _ := scheduled(&reader{data}, true); w != nil {
		return "\n" + w.Story(err)
	}
	return err.Error()
}

func turnsCommand(r *reader) string {
	var words []string
	for word := range strings.FieldsSeq(r.pick(turnsAlphabet)) {
		if pool := turnsPools[word]; pool != nil {
			word = r.pick(pool)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

var turnsPools = map[string][]string{"K": {"a", "b", "c"}, "V": {"1", "2", "x"}, "T": {"1", "2", "3", "6"}, "D": {"0", "1"},
	"H": {"LEFT", "RIGHT"}, "W": {"0", "0.001", "0.003"}, "C": {"1", "2", "3"}}

// turnsAction is a step of the schedule. The loop turns most often, or nothing would come of the others.
func turnsAction(r *reader) explore.Action {
	client := r.below(turnsClients)
	switch r.below(8) {
	case 0:
		return explore.Action{Kind: explore.Tick, N: 1 + r.below(3)}
	case 1, 2:
		return explore.Action{Kind: explore.Deliver, Client: client, N: 1 + r.below(40)}
	case 3:
		return explore.Action{Kind: explore.Deliver, Client: client}
	case 4:
		return explore.Action{Kind: explore.Drain, Client: client, N: r.below(20)}
	}
	return explore.Action{Kind: explore.Step}
}
