package explore

import "fmt"

// Kind is what may happen next in a world of clients, a network, a clock and a loop.
type Kind uint8

const (
	Deliver Kind = iota // the next N bytes of a client's program reach the server's socket
	Drain               // a client takes up to N bytes of what the server has written; 0: all
	Tick                // N milliseconds pass
	Step                // the loop makes one turn
	Finish              // a client ends its sending side
	Leave               // a client closes, and takes nothing more
	Break               // a connection is reset
)

var kindNames = [...]string{"Deliver", "Drain", "Tick", "Step", "Finish", "Leave", "Break"}

func (k Kind) String() string { return kindNames[k] }

// Action is one of them.
type Action struct {
	Kind   Kind
	Client int // 0 is a; of no meaning for Tick and Step
	N      int
}

// Name is what a client is called: a, b, c ...
func Name(client int) string { return string(rune('a' + client)) }

// String is the action as Go.
func (a Action) String() string {
	return fmt.Sprintf("{Kind: explore.%v, Client: %d, N: %d}", a.Kind, a.Client, a.N)
}
