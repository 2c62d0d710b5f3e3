// The faults' own promises: each happens when it has a chance and never without one, and the same
// seed has the same trouble.

package sim_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

const roundsMax = 400

// storm is a server that echoes, with peers that come and go, under these faults; what it sees is
// the trace.
func storm(t *testing.T, seed uint64, f sim.Faults) (k *sim.Kernel, trace string) {
	t.Helper()
	k = sim.New(seed)
	k.Horizon = kernel.Forever
	k.Break(f)
	l := newLoop(t, k, 0)
	var peers []*sim.Peer
	for round := range roundsMax {
		if len(peers) < 4 {
			peers = append(peers, k.Connect(addr))
		}
		p := peers[round%len(peers)]
		if p.Closed() || p.Broken() || p.Finished() {
			peers = append(peers[:round%len(peers)], peers[round%len(peers)+1:]...)
			continue
		}
		p.Send("hello")
		if round%7 == 6 {
			p.CloseWrite()
		}
		trace += l.shaken() + p.Recv()
	}
	return k, trace
}

// shaken is a turn whose calls are noted.
func (l *loop) shaken() string {
	var ev [8]kernel.Event
	buf := make([]byte, 64)
	_, _ = l.k.Wait(nil, l.k.Mono()+int64(time.Millisecond)) // nothing is taken: it sleeps
	n, _ := l.k.Wait(ev[:], l.k.Mono()+int64(time.Millisecond))
	trace := fmt.Sprintf("%d %d:", l.k.Mono(), l.k.Wall())
	open := map[kernel.FD]bool{}
	for _, e := range ev[:n] {
		trace += fmt.Sprint(e)
		if e.FD == l.listener {
			fd, _, err := l.k.Accept(e.FD)
			if err == nil {
				_ = l.k.Watch(fd, uint64(fd)+100, kernel.Readable)
			}
			trace += fmt.Sprint(fd, err)
			continue
		}
		if open[e.FD] || !l.k.IsOpen(e.FD) {
			continue // stale
		}
		open[e.FD] = true
		n, err := l.k.Read(e.FD, buf)
		if err == nil {
			n, err = l.k.Write(e.FD, buf[:n])
		}
		trace += fmt.Sprint(n, err)
		if err != nil && !errors.Is(err, kernel.ErrAgain) {
			_ = l.k.Close(e.FD)
		}
	}
	return trace
}

func TestEachFaultHappensAndNoOther(t *testing.T) {
	for kind := range sim.FaultKinds {
		var alone sim.Faults
		alone[kind] = 3
		k, _ := storm(t, 1, alone)
		for other, n := range k.Struck() {
			if (n > 0) != (sim.Fault(other) == kind) {
				t.Errorf("with %v alone, %v happened %d times", kind, sim.Fault(other), n)
			}
		}
	}
	if k, _ := storm(t, 1, sim.Faults{}); k.Struck() != (sim.Faults{}) {
		t.Errorf("in a perfect world: %v", k.Struck())
	}
}

func TestSameSeedSameTrouble(t *testing.T) {
	var all sim.Faults
	for kind := range all {
		all[kind] = 5
	}
	_, a := storm(t, 7, all)
	_, b := storm(t, 7, all)
	_, c := storm(t, 8, all)
	if a != b {
		t.Error("two runs of one seed differ")
	}
	if a == c {
		t.Error("two seeds have the same trouble")
	}
}

// A world whose faults have stopped is one that was never broken, as far as the server's chance goes.
func TestFaultsTakeNoChanceFromTheServer(t *testing.T) {
	calm, broken := sim.New(3), sim.New(3)
	broken.Break(sim.Faults{sim.Interrupt: 1})
	for range 10 {
		if _, err := broken.Wait(nil, broken.Mono()+1000); err != nil {
			t.Fatal(err)
		}
	}
	if calm.Rand() != broken.Rand() {
		t.Error("a fault drew from the server's numbers")
	}
}

func TestHeldBytesArriveWhenDelivered(t *testing.T) {
	k := sim.New(1)
	l := newLoop(t, k, 0)
	p := k.Connect(addr)
	p.Held = true
	p.Send("hello")
	pass(t, k, 0, l.turn)
	if got := p.Recv(); got != "" {
		t.Errorf("%q came of what was held", got)
	}
	if n := p.Deliver(2) + p.Deliver(9); n != 5 {
		t.Errorf("delivered %d of 5", n)
	}
	pass(t, k, 0, l.turn)
	buf := make([]byte, 3)
	if n := p.Read(buf); string(buf[:n]) != "hel" || p.Recv() != "lo" {
		t.Errorf("read %q", buf[:n])
	}
}

// What comes in at a reading of the clock is what a budget is measured by.
func TestReadingTheClockTakesTime(t *testing.T) {
	k := sim.New(1)
	k.ReadingCost = time.Microsecond
	at, cpu := k.Mono(), k.CPU()
	if now, _ := k.Now(); now-at != 1000 || k.CPU()-cpu != 1000 {
		t.Errorf("a reading took %d, of the processor %d", now-at, k.CPU()-cpu)
	}
}
