package synth

import (
	"fmt"
	"io"

	"rondo/check/history"
)

// Write simulates and writes the recording as it grows, in the order of effects: lines are out of
// call order by no more than the meta line says. Whoever wants to see each operation may.
func Write(to io.Writer, o Options, see ...func(*history.Op)) error {
	s, err := newSimulation(o)
	if err != nil {
		return err
	}
	w, err := history.NewWriter(to, s.meta())
	if err != nil {
		return err
	}
	err = s.run(func(op *history.Op) error {
		for _, f := range see {
			f(op)
		}
		return w.Op(op)
	})
	if err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return w.Flush()
}
