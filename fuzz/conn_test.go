package fuzz

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rondo/check/property"
	"rondo/fuzz/world"
	"rondo/impl/kernel/sim"
)

// FuzzConn: bytes become what happens on one connection, one after the other: pieces of requests are
// sent and replies taken, the loop turns, time passes, the network fails, and the connection ends in
// one of its ways, after which another takes its place. The world judges every reply and audits the
// server after every turn (package world); in the end nothing is owed and nothing is left open.
//
// The first bytes choose the sizes of the socket's buffers and what is set in the server; then each
// event takes a byte for what it is, and one or two for each choice in it.
func FuzzConn(f *testing.F) {
	for seed := range uint64(12) {
		addSeed(f, noise(seed+300, 150+int(seed)*60))
	}
	addSeed(f, slowTaker())
	addSeed(f, []byte{9, 9, 1, 0, 4, evTurn, evEnd, 3, evSettle, evEnd, 1, evSettle}) // one client is allowed
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{data}
		c := newConnection(t, r)
		for n := 0; !r.done() && n < connEventsMax; n++ {
			c.event()
		}
		c.end()
	})
}

const (
	connEventsMax = 300
	connLivesMax  = 6 // connections, one after the other
)

// slowTaker is a seed in which long replies pile up, and are taken a few bytes at a time.
func slowTaker() []byte {
	const setBig, getBoth = 10, 12 // of oddBytes
	data := []byte{9, 6, 0, 0, evBytes, setBig, evSettle}
	for range 10 {
		data = append(data, evBytes, getBoth, evTurn)
	}
	for range 80 {
		data = append(data, evTake, 63, evTurn)
	}
	return data
}

// connection is the one connection of a world, and those before it.
type connection struct {
	*world.World
	t      *testing.T
	r      *reader
	now    *world.Client
	lives  int
	lossy  bool // and the network fails too
	faults sim.Faults
	passed time.Duration
}

func newConnection(t *testing.T, r *reader) *connection {
	// A buffer of a byte would make ten thousand turns of a long line: short reads and writes are for that.
	o := world.Options{Seed: 1, RecvBytes: 8 << r.below(10), SendBytes: 8 << r.below(10), Lossy: r.below(2) == 1}
	if o.Config = safeSettings[r.below(len(safeSettings))]; o.Lossy {
		o.Config = lossySettings[r.below(len(lossySettings))]
	}
	o.Config = append(slices.Clip(o.Config), "enable-debug-command", "yes") // the model has a server that allows it
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &connection{World: w, t: t, r: r, lossy: o.Lossy}
	c.dial()
	return c
}

// What a connection lives under: options that let it live, and such that may end it.
var (
	safeSettings = [][]string{
		{"active-expiry", "ordered"},
		{"active-expiry", "sampled"},
	}
	lossySettings = [][]string{
		{"active-expiry", "ordered"},
		{"timeout", "1"},
		{"client-output-buffer-limit", "normal 2kb 1kb 1"},
		{"client-query-buffer-limit", "1mb"},
		{"maxclients", "1"},
	}
)

// The events, by their byte; what is above is one of the first.
const (
	evCommand = iota
	evCommands
	evBytes
	evTake
	evTakeAll
	evTurn
	evSettle
	evPass
	evLate
	evFaults
	evEnd
	evCount
)

func (c *connection) event() {
	switch c.r.next() % evCount {
	case evCommand:
		c.plan(1)
	case evCommands:
		c.plan(1 + c.r.below(8))
	case evBytes:
		c.now.Write(oddBytes[c.r.below(len(oddBytes))])
	case evTake:
		_, err := c.now.Drain(1 + c.r.below(64))
		c.must(err)
	case evTakeAll:
		_, err := c.now.Drain(0)
		c.must(err)
	case evTurn:
		c.must(c.Turn())
	case evSettle:
		c.must(c.Pass(0))
	case evPass:
		c.must(c.Pass(c.time(time.Duration(c.r.below(250)) * time.Millisecond)))
	case evLate:
		c.Kernel.Advance(c.time(time.Duration(c.r.wide(4000)) * 997 * time.Microsecond))
	case evFaults:
		c.fault()
	case evEnd:
		c.finish()
	}
}

// time is what may pass. Whoever has ended and takes nothing is given up after two seconds: that long
// all must not last where nothing may be lost.
func (c *connection) time(d time.Duration) time.Duration {
	if c.passed+d > connTimeMax && !c.lossy {
		return 0
	}
	c.passed += d
	return d
}

const connTimeMax = 1500 * time.Millisecond

// plan sends the beginning of some commands. What is left of them goes with the next.
func (c *connection) plan(n int) {
	g := &reader{c.r.data}
	for range n {
		words := make([]string, 0, 4)
		for _, w := range g.expand(connTemplates[g.below(len(connTemplates))]) {
			words = append(words, string(w))
		}
		c.now.Plan(strings.Join(words, " "))
	}
	c.r.data = g.data
	if piece := int(c.r.next()); piece == 0xff {
		c.now.Next(0)
	} else if piece > 0 {
		c.now.Next(piece)
	}
}

// connTemplates are all: with those that wait, for what the client itself has sent behind, or in vain.
var connTemplates = slices.Concat(templates, property.Waits)

// oddBytes are what is no command of the alphabet, and what is no request.
var oddBytes = []string{"\r\n", "*0\r\n", "*1\r\n", "$", "PING\r\n", "GET a\r\nGET b\n", "NOSUCH a b\r\n", "INFO stats\r\n",
	"CLIENT LIST\r\n", "DEBUG SLEEP 0\r\n", "SET big " + strings.Repeat("x", 3000) + "\r\n", "GET big\r\n", "MGET big big\r\n",
	"AUTH a\r\n", "HELLO 3\r\n", "QUIT\r\nSET after quit\r\n", "*1\r\n$x\r\n", "SET \"a\r\n",
	"*2\r\n$3\r\nGET\r\n$1048577\r\n", "*-1\r\n", "*2\r\n$4\r\nECHO\r\n$40000\r\n", strings.Repeat("y", 20000)}

// fault sets how often one fault strikes. What always strikes lets nothing ever happen.
func (c *connection) fault() {
	kind := sim.Fault(c.r.below(int(sim.FaultKinds)))
	if kind == sim.WallJump || !c.lossy { // if the clock went back keys would be gone that the model has
		return
	}
	c.faults[kind] = chance(c.r)
	c.Kernel.Break(c.faults)
}

// finish ends the connection in one of its ways, and dials again.
func (c *connection) finish() {
	switch c.r.below(4) {
	case 0:
		c.now.Peer.CloseWrite()
		c.must(c.Pass(0))
	case 1:
		c.now.Peer.Close()
	case 2:
		c.now.Peer.Reset()
	}
	c.must(c.Turn())
	c.dial()
}

func (c *connection) dial() {
	if c.lives++; c.lives <= connLivesMax {
		c.now = c.Dial()
	}
}

func (c *connection) end() {
	c.Kernel.Break(sim.Faults{})
	c.must(c.Pass(200 * time.Millisecond)) // a pause of accepting ends (LOOP-9)
	c.must(c.Settle())
	c.must(c.End())
}

func (c *connection) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// chance is how often a fault strikes: never, or one time in two or more.
func chance(r *reader) int {
	if n := r.below(8); n > 2 {
		return n - 1
	}
	return 0
}
