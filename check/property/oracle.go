package property

import (
	"fmt"

	"rondo/model"
)

// Oracle follows a server whose clock is known only to lie between two readings: it holds every
// state that explains the replies so far. They differ in deadlines by a few milliseconds.
type Oracle struct{ states []model.State }

// statesMax bounds them. A program of tens of commands, each at most a few milliseconds long, stays
// far below it.
const statesMax = 4096

// NewOracle starts from one state.
func NewOracle(s model.State) *Oracle { return &Oracle{[]model.State{s}} }

// Accept tells whether the model allows reply got at some millisecond from..to, and if so follows
// it. want is what the model allows, or one of the things it allows.
func (o *Oracle) Accept(c model.Client, cmd [][]byte, got model.Reply, from, to int64) (
	want model.Reply, ok bool) {
	var next []model.State
	seen := map[string]bool{}
	for _, s := range o.states {
		for ms := from; ms <= to; ms++ {
			n, w, fits := model.Accept(ms, s, c, cmd, got)
			if !fits {
				want = w
				continue
			}
			id := fmt.Sprintf("%s%v", n.Shape(nil), n.Instants(nil))
			if !seen[id] && len(next) < statesMax {
				seen[id] = true
				next = append(next, n)
			}
		}
	}
	if len(next) > 0 {
		o.states = next
		return got, true
	}
	return want, false
}

// Describe shows one of the states.
func (o *Oracle) Describe() string { return o.states[0].Describe() }
