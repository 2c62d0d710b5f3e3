package linear

import (
	"testing"
)

// TestMonitorAgrees: judging while operations arrive gives the verdict of judging at the end.
func TestMonitorAgrees(t *testing.T) {
	for seed := range uint64(300) {
		h := makeHistory(seed)
		m := NewMonitor(h.Meta, Options{})
		for _, op := range h.Ops {
			if err := m.Add(op); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if got, want := m.Close().Verdict, Check(h, Options{}).Verdict; got != want {
			t.Errorf("seed %d: the monitor says %s, Check %s\n%s", seed, got, want, show(h))
		}
	}
}
