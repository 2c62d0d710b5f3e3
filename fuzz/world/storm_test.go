package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rondo/check/property"
	"rondo/impl/kernel/sim"
)

// A storm is a random run: some clients with commands of the whole alphabet, in pieces and in pipelines,
// whose connections come and go, who wait for each other, and end each other's waiting and connections;
// time that passes, the wall clock that jumps; memory that is short; and every fault of the world. Its
// seed decides all of it, and every reply is judged.

// weather are the faults of a storm: trouble is frequent, and death rare, or nothing would happen.
var weather = sim.Faults{
	sim.ShortRead: 4, sim.ShortWrite: 3, sim.FalseRead: 9, sim.FalseWrite: 9, sim.NoBuffers: 300,
	sim.NoDescriptors: 15, sim.Aborted: 15, sim.Spurious: 5, sim.Stale: 5, sim.Shuffle: 2,
	sim.Interrupt: 3, sim.Trickle: 2, sim.Reset: 400, sim.HalfClose: 400, sim.Stall: 800,
}

const (
	stormSteps   = 200
	stormClients = 5
)

type storm struct {
	*World
	rng   *rand.Rand
	lines []string          // templates of commands
	pools map[byte][]string // and words for them, before those of everybody
}

// queues are lines after which somebody waits, is served, or is not, and what may come in between.
var queues = slices.Concat(property.Waits, strings.Split("LPUSH K V|RPUSH K V|LPUSH K V|RPUSH K V V|"+
	"RPUSH K V V V|LPOP K|LMOVE K K H H|LMPOP 2 K K H|LTRIM K 1 0|LRANGE K 0 -1|DEL K|SET K V|RENAME K K|COPY K K REPLACE|MOVE K D|"+
	"PEXPIRE K T|SELECT D|SWAPDB 0 1|FLUSHDB|WATCH K|MULTI|MULTI|EXEC|EXEC|EXEC|DISCARD|CLIENT UNBLOCK C|"+
	"CLIENT UNBLOCK C ERROR|CLIENT KILL ID C", "|"))

// queuePools are few words, so that somebody waits where somebody gives.
var queuePools = map[byte][]string{'K': {"a", "b", "c"}, 'V': {"1", "x"}, 'D': {"0", "0", "1"},
	'H': {"LEFT", "RIGHT"}, 'T': {"1", "5"}, 'W': {"0", "0", "0.004", "0.05", "0.5"}}

// newStorm makes a world for a seed. In one of four there is little memory, and in one of four the wall
// clock jumps. What clients say is in some anything at all, in some about lists and waiting, and in
// some of few kinds.
func newStorm(seed uint64) (*storm, error) {
	rng := rand.New(rand.NewPCG(seed, 2))
	o := Options{Seed: seed, Faults: weather, RecvBytes: 1 << rng.IntN(12), SendBytes: 1 << rng.IntN(12),
		Config: []string{"maxclients", "4", "enable-debug-command", "yes"}}
	switch rng.IntN(4) {
	case 0:
		policies := strings.Fields("allkeys-lru allkeys-lfu allkeys-random volatile-ttl volatile-lru noeviction")
		o.Config = append(o.Config, "maxmemory", strconv.Itoa(3000+rng.IntN(6000)),
			"maxmemory-policy", policies[rng.IntN(len(policies))])
	case 1:
		o.Config = append(o.Config, "active-expiry", "sampled")
	case 2:
		o.ReadingCost = time.Duration(rng.IntN(20_000))
	}
	if rng.IntN(4) == 0 {
		o.Faults[sim.WallJump] = 60
	}
	if rng.IntN(2) == 0 { // nobody dies but by what is said
		o.Faults[sim.NoBuffers], o.Faults[sim.Reset], o.Faults[sim.HalfClose], o.Faults[sim.Stall] = 0, 0, 0, 0
	}
	s := &storm{rng: rng, lines: slices.Concat(property.Templates, property.Waits, property.Waits)}
	switch rng.IntN(3) {
	case 0:
		s.lines, s.pools = queues, queuePools
	case 1:
		some := []string{"GET K", "SET K V PX T"}
		for range 6 {
			some = append(some, s.lines[rng.IntN(len(s.lines))])
		}
		s.lines = some
	}
	var err error
	s.World, err = New(o)
	return s, err
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
	if len(living) == 0 || len(living) < stormClients && s.rng.IntN(8*len(living)) == 0 {
		s.Dial()
		return s.Turn()
	}
	c := living[s.rng.IntN(len(living))]
	if s.State().Waiting(c.session()) { // who can do something else does so more often
		c = living[s.rng.IntN(len(living))]
	}
	switch s.rng.IntN(12) {
	case 0:
		return s.Pass(time.Duration(s.rng.IntN(1+s.rng.IntN(200))) * time.Millisecond)
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
		c.Next(s.rng.IntN(3) * s.rng.IntN(60)) // or all of it
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
	for word := range strings.FieldsSeq(s.lines[s.rng.IntN(len(s.lines))]) {
		if len(word) == 1 {
			word = s.word(word[0])
		}
		cmd = append(cmd, word)
	}
	return strings.Join(cmd, " ")
}

// word is one for a letter of a template: C is a client, living or not.
func (s *storm) word(letter byte) string {
	pool := s.pools[letter]
	if pool == nil {
		pool = property.Pools[letter]
	}
	switch {
	case letter == 'C':
		return strconv.Itoa(s.rng.IntN(len(s.clients) + 2))
	case pool == nil:
		return string(letter)
	}
	return pool[s.rng.IntN(len(pool))]
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
	told := map[string]int{}
	for seed := range uint64(300) {
		s, err := weatherStorm(seed)
		if err != nil {
			t.Fatal(err)
		}
		for kind, n := range s.Kernel.Struck() {
			struck[kind] += n
		}
		for _, c := range s.clients {
			for _, r := range c.Replies {
				word, _, _ := strings.Cut(r.Str, " ")
				told[word]++
			}
		}
	}
	for kind, n := range struck {
		if n == 0 {
			t.Errorf("%v never happened", sim.Fault(kind))
		}
	}
	if told["OOM"] == 0 || told["UNBLOCKED"] == 0 {
		t.Errorf("nobody was refused, or nobody unblocked: %d and %d", told["OOM"], told["UNBLOCKED"])
	}
}
