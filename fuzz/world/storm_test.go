package world

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rondo/check/property"
	"rondo/impl/kernel/sim"
)

// A storm is a random run: some clients with commands of the whole alphabet, in pieces and in pipelines,
// whose connections come and go; time that passes, the wall clock that jumps; and every fault of the
// world. Its seed decides all of it.

// weather are the faults of a storm: trouble is frequent, and death rare, or nothing would happen.
var weather = sim.Faults{
	sim.ShortRead: 4, sim.ShortWrite: 3, sim.FalseRead: 9, sim.FalseWrite: 9, sim.NoBuffers: 300,
	sim.NoDescriptors: 15, sim.Aborted: 15, sim.Spurious: 5, sim.Stale: 5, sim.Shuffle: 2,
	sim.Interrupt: 3, sim.Trickle: 2, sim.Reset: 400, sim.HalfClose: 400, sim.Stall: 800,
}

const (
	stormSteps   = 150
	stormClients = 5
)

type storm struct {
	*World
	rng *rand.Rand
}

// newStorm makes a world for a seed. In one of four the server evicts, and the clock is set: then keys
// go of which the model does not know, as those that were expired before the clock went back.
func newStorm(seed uint64) (*storm, error) {
	rng := rand.New(rand.NewPCG(seed, 2))
	o := Options{Seed: seed, Faults: weather, RecvBytes: 1 << rng.IntN(12), SendBytes: 1 << rng.IntN(12),
		Config: []string{"maxclients", "4", "enable-debug-command", "yes"}}
	switch rng.IntN(4) {
	case 0:
		policies := []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-ttl"}
		o.Config = append(o.Config, "maxmemory", "9000", "maxmemory-policy", policies[rng.IntN(len(policies))])
		o.Unjudged = true
		o.Faults[sim.WallJump] = 60
	case 1:
		o.Config = append(o.Config, "active-expiry", "sampled")
	case 2:
		o.ReadingCost = time.Duration(rng.IntN(20_000))
	}
	w, err := New(o)
	return &storm{w, rng}, err
}

// run goes on for stormSteps, and ends the server.
func (s *storm) run() error {
	var err error
	for range stormSteps {
		if err = s.step(); err != nil {
			return err
		}
	}
	s.Kernel.Break(sim.Faults{})
	if err = s.Pass(200 * time.Millisecond); err != nil { // a pause of accepting ends (LOOP-9)
		return err
	}
	if err = s.Settle(); err != nil {
		return err
	}
	return s.End()
}

func (s *storm) step() error {
	living := s.living()
	if len(living) == 0 || len(living) < stormClients && s.rng.IntN(10) == 0 {
		s.Dial()
		return s.Turn()
	}
	c := living[s.rng.IntN(len(living))]
	switch s.rng.IntN(12) {
	case 0:
		return s.Pass(time.Duration(s.rng.IntN(200)) * time.Millisecond)
	case 1:
		s.Kernel.Advance(time.Duration(s.rng.IntN(3_000_000)))
	case 2, 3:
		_, err := c.Drain(1 + s.rng.IntN(30))
		return err
	case 4:
		_, err := c.Drain(0)
		return err
	case 5:
		c.write([]byte(s.odd()))
	case 6:
		s.leave(c)
	case 7, 8:
		return s.Turn()
	default:
		for range 1 + s.rng.IntN(4) {
			c.Plan(s.command())
		}
		c.Next(s.rng.IntN(60))
	}
	return s.Turn()
}

// living are the clients that can still send.
func (s *storm) living() (living []*Client) {
	for _, c := range s.clients {
		if c.connected() && !c.Peer.Finished() {
			living = append(living, c)
		}
	}
	return living
}

func (s *storm) leave(c *Client) {
	switch s.rng.IntN(20) {
	case 0:
		c.Peer.CloseWrite()
	case 1:
		c.Peer.Close()
	case 2:
		c.Peer.Reset()
	case 3:
		c.Next(0)
		c.write([]byte("QUIT\r\nSET after quit\r\n"))
	}
}

// odd is what is no command of the model's alphabet: some ask the server about itself, a few are
// no requests.
func (s *storm) odd() string {
	lines := []string{"INFO server\r\n", "INFO stats\r\n", "CLIENT LIST\r\n", "\r\n", "*0\r\n", "NOSUCH a b\r\n",
		"CONFIG GET max*\r\n", "DEBUG SLEEP 0.003\r\n", "RANDOMKEY\r\n", "SCAN 0\r\n", "KEYS *\r\n", "INFO everything\r\n",
		"SWAPDB 0 1\r\n", "FLUSHALL\r\n", "MEMORY USAGE a\r\n", "COMMAND COUNT\r\n", "SLOWLOG GET\r\n", "OBJECT FREQ a\r\n"}
	switch s.rng.IntN(40) {
	case 0:
		return "*1\r\n$x\r\n"
	case 1:
		return "SET \"a\r\n"
	}
	return lines[s.rng.IntN(len(lines))]
}

// command is a template of the alphabet with words from its pools.
func (s *storm) command() string {
	var cmd []string
	lines := property.Templates
	if s.rng.IntN(6) == 0 && !s.options.Unjudged { // without the model nobody knows who waits
		lines = property.Waits
	}
	for word := range strings.FieldsSeq(lines[s.rng.IntN(len(lines))]) {
		if pool := property.Pools[word[0]]; pool != nil && len(word) == 1 {
			word = pool[s.rng.IntN(len(pool))]
		}
		cmd = append(cmd, word)
	}
	return strings.Join(cmd, " ")
}

// weatherStorm runs one, and gives what is left of it.
func weatherStorm(seed uint64) (*storm, error) {
	s, err := newStorm(seed)
	if err != nil {
		return s, err
	}
	if err = s.run(); err != nil {
		return s, fmt.Errorf("storm %d: %w", seed, err)
	}
	return s, nil
}

func TestStorms(t *testing.T) {
	var struck sim.Faults
	for seed := range uint64(300) {
		s, err := weatherStorm(seed)
		if err != nil {
			t.Fatal(err)
		}
		for kind, n := range s.Kernel.Struck() {
			struck[kind] += n
		}
	}
	for kind, n := range struck {
		if n == 0 {
			t.Errorf("%v never happened", sim.Fault(kind))
		}
	}
}
