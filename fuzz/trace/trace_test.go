package trace

import (
	"flag"
	"testing"
)

var traces = flag.Int("traces", 100, "how many traces of the model are acted out, and of the server followed")

// bounds are those of a server as it is: its budgets are larger than anything here.
var bounds = []Bounds{
	{Clients: 2, Requests: 2, RX: 4, TX: 2, Budget: 2, Batch: 2},
	{Clients: 2, Requests: 3, RX: 4, TX: 3, Budget: 3, Batch: 2},
	{Clients: 3, Requests: 2, RX: 3, TX: 1, Budget: 2, Batch: 3},
	{Clients: 1, Requests: 4, RX: 2, TX: 2, Budget: 4, Batch: 1},
}

// TestActed: the server does what the model does.
func TestActed(t *testing.T) {
	sp, err := NewSpin(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	events := 0
	for seed := range uint64(*traces) {
		b := bounds[seed%uint64(len(bounds))]
		script, err := sp.Random(t.Context(), b, seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := Act(b, script, seed); err != nil {
			t.Fatalf("%+v, seed %d: %v", b, seed, err)
		}
		events += len(script)
	}
	t.Logf("%d traces, %d events", *traces, events)
}
