// Package small holds small worlds of the real server, to be explored to the end: one or two clients
// with a few commands, every way in which the network may cut them, every moment at which the loop may
// turn, and time up to the last deadline. check/explore does the exploring, fuzz/world the judging.
//
//	small.go  one such world
//	pairs.go  the list of them
package small

import (
	"fmt"

	"rondo/check/explore"
	"rondo/fuzz/world"
	"rondo/impl"
	"rondo/impl/store"
	"rondo/model"
)

// Cut is where the network may cut what a client sends.
type Cut int

const (
	EveryByte Cut = iota
	Tokens        // behind the first byte of a command, before its last, and at its end
	Commands      // at the end of a command
)

// Pair is a small world, named for what it is to show.
type Pair struct {
	Name     string
	Group    string     // of what it is a case
	Programs [][]string // of each client
	Cut      Cut
	// Recv is how many bytes may lie unread in a socket of the server, Send how many unsent: what
	// does not fit waits. 0 is no limit that matters.
	Recv, Send int
	// Ends is what a client may do when it has sent its program; without it, it stays.
	Ends []explore.Kind
	// Quick are explored in every run of the tests, the others by make explore.
	Quick bool
}

// Shared is what worlds that are made one after the other have in common.
type Shared struct {
	memory  *store.Memory
	scratch *impl.Scratch
}

// NewShared is for one exploration.
func NewShared() *Shared { return &Shared{store.StrictMemory(), impl.NewScratch()} }

// World is a Pair at some moment.
type World struct {
	*world.World
	pair  *Pair
	ended []bool
	heard []byte // by whom, and what, in the order in which it was taken
}

// Make begins a pair: all its clients are connected. A world with nil for shared has memory of its own;
// otherwise the worlds before it are at their end.
func (p *Pair) Make(shared *Shared, shown bool) (*World, error) {
	o := world.Options{Seed: 1, SendBytes: p.Send, Shown: shown,
		Config: []string{"databases", "2", "maxclients", "10"}}
	if shared != nil {
		o.Memory, o.Scratch = shared.memory, shared.scratch
	}
	w, err := world.New(o)
	if err != nil {
		return nil, err
	}
	for _, program := range p.Programs {
		w.Dial().Plan(program...)
	}
	if err := w.Pass(0); err != nil { // all are accepted
		return nil, err
	}
	w.Forget()
	return &World{World: w, pair: p, ended: make([]bool, len(p.Programs))}, nil
}

// Actions are what may happen next. A turn is first: mostly it changes nothing, and costs no new world.
func (w *World) Actions(acts []explore.Action) []explore.Action {
	acts = append(acts, explore.Action{Kind: explore.Step})
	if w.timeMatters() {
		acts = append(acts, explore.Action{Kind: explore.Tick, N: 1})
	}
	for i, c := range w.Clients() {
		if n := w.next(c); n > 0 {
			acts = append(acts, explore.Action{Kind: explore.Deliver, Client: i, N: n})
		}
		if c.Peer.Waiting() > 0 {
			acts = append(acts, explore.Action{Kind: explore.Drain, Client: i})
		}
		if i < len(w.pair.Ends) && w.pair.Ends[i] != 0 && c.Unsent() == 0 && !w.ended[i] {
			acts = append(acts, explore.Action{Kind: w.pair.Ends[i], Client: i})
		}
	}
	return acts
}

// next is how many bytes reach the next cut of a program, if they fit into the socket.
func (w *World) next(c *world.Client) int {
	unsent, unread := c.Unsent(), c.Peer.Unread()
	if unsent == 0 || c.Peer.Finished() || c.Peer.Closed() {
		return 0
	}
	n := w.pair.Cut.next(c.Left())
	if w.pair.Recv > 0 && unread > 0 && unread+n > w.pair.Recv {
		return 0
	}
	return n
}

// next is how far it is to the next cut, of a command of which so many bytes are sent and left.
func (cut Cut) next(sent, left int) int {
	switch {
	case cut == EveryByte || cut == Tokens && sent == 0:
		return 1
	case cut == Tokens && left > 1:
		return left - 1
	}
	return left
}

// timeMatters tells whether a key can still expire: until then the clock may go on, and not beyond,
// or there would be no end.
func (w *World) timeMatters() bool {
	now := model.At(w.Kernel.Wall() / 1e6)
	for _, at := range w.State().Instants(nil) {
		if at.Off >= now.Off {
			return true
		}
	}
	return false
}

// Redo does it without an audit.
func (w *World) Redo(a explore.Action) error {
	w.Audited(false)
	defer w.Audited(true)
	return w.Do(a)
}

// Do does it.
func (w *World) Do(a explore.Action) error {
	if a.Kind == explore.Step || a.Kind == explore.Tick {
		return w.World.Do(a)
	}
	w.ended[a.Client] = w.ended[a.Client] || a.Kind >= explore.Finish
	c := w.Clients()[a.Client]
	had := len(c.Replies)
	err := w.World.Do(a)
	if a.Kind == explore.Drain {
		w.heard = fmt.Append(w.heard, c.Name, c.Replies[had:], string(c.Pending()))
	}
	return err
}

// Heard is what clients were told so far.
func (w *World) Heard() []byte { return w.heard }

// Fingerprint is all that the future depends on.
func (w *World) Fingerprint(b []byte) []byte {
	for _, ended := range w.ended {
		b = fmt.Append(b, ended)
	}
	return w.World.Fingerprint(b)
}

// Rest: nobody who is connected is owed anything.
func (w *World) Rest() error { return w.Quiescent() }

// Search explores the pair.
func (p *Pair) Search() explore.Search {
	shared := NewShared()
	return explore.Search{StatesMax: StatesMax, New: func() (explore.World, error) {
		return p.Make(shared, false)
	}}
}

// StatesMax is more than any pair of the list has.
const StatesMax = 2_000_000

// Story is a counterexample as it is to be read: the table, and a test to paste.
func (p *Pair) Story(c *explore.Counterexample) string {
	w, err := p.Make(nil, true)
	if err != nil {
		return err.Error()
	}
	for _, act := range c.Schedule {
		if err := w.Do(act); err != nil {
			break
		}
	}
	return p.Name + "\n" + w.Story(c.Err) + "\n" +
		explore.Paste("Schedule", fmt.Sprintf("small.Find(%q).Make(nil, false)", p.Name), c.Schedule)
}
