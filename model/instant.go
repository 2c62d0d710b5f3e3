package model

// Instant is a moment of the server's clock, in milliseconds, as a variable plus an offset.
// Variable 0 is the constant, so under a concrete clock every instant is {0, Unix ms}. The model
// never looks inside: it adds constants, stores instants, and compares two of them through
// Env.Before. That is what lets one model run under three clocks.
type Instant struct {
	Var uint16
	Off int64
}

// Add returns the instant n milliseconds later.
func (t Instant) Add(n int64) Instant { return Instant{t.Var, t.Off + n} }

// At is a constant instant, for PEXPIREAT and the like.
func At(ms int64) Instant { return Instant{Off: ms} }

// Env is how the model sees time and chance: one value per execution unit (a command, or MULTI to
// EXEC). Package model has the concrete one (Concrete); check/linear has the symbolic one, and its
// tests the enumerated one that defines correctness.
type Env interface {
	// Now is the unit's expiry reading, the same all through the unit.
	Now() Instant
	// Read is a further reading, not earlier than any before it; in profile frozen it equals Now.
	Read() Instant
	// Before reports a < b. It is the only branch on time.
	Before(a, b Instant) bool
	// Choose picks one of n alternatives where the reply is a choice of the server (RANDOMKEY).
	// label(i), where not nil and not "", is a bulk string that the reply must contain if i is
	// taken.
	Choose(n int, label func(i int) string) int
	// Reject says that this branch does not happen; the caller of Step throws the result away.
	Reject()
}

// Concrete is the Env of conversations, property tests and the plain server: fixed readings.
// The zero value reads time 0 and always takes the first alternative.
type Concrete struct {
	Ms       int64           // the unit's reading, Unix ms; Read returns the same (profile frozen)
	Pick     func(n int) int // nil: always 0
	Rejected bool            // set by Reject: run the unit again with another Pick
}

func (e *Concrete) Now() Instant             { return At(e.Ms) }
func (e *Concrete) Read() Instant            { return At(e.Ms) }
func (e *Concrete) Before(a, b Instant) bool { return a.Off < b.Off }
func (e *Concrete) Reject()                  { e.Rejected = true }

func (e *Concrete) Choose(n int, _ func(int) string) int {
	if e.Pick == nil || n <= 1 {
		return 0
	}
	return e.Pick(n)
}
