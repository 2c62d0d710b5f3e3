package world

import (
	"fmt"
	"strings"
	"testing"

	"rondo/impl"
	"rondo/impl/kernel/sim"
)

// BenchmarkSim is how many commands a second the server executes in simulation, on one core: GET and
// SET of some clients that pipeline, without faults and without a judge.
func BenchmarkSim(b *testing.B) {
	for _, shape := range []struct{ clients, pipeline int }{{1, 16}, {16, 16}, {200, 1}} {
		b.Run(fmt.Sprintf("clients=%d/pipeline=%d", shape.clients, shape.pipeline), func(b *testing.B) {
			simulate(b, shape.clients, shape.pipeline)
		})
	}
}

func simulate(b *testing.B, clients, pipeline int) {
	k := sim.New(1)
	server, err := impl.New(impl.DefaultConfig(), k)
	if err != nil {
		b.Fatal(err)
	}
	var request strings.Builder
	for i := range pipeline {
		if key := fmt.Sprintf("key:%04d", i); i%2 == 0 {
			request.Write(Encode("SET", key, "value"))
		} else {
			request.Write(Encode("GET", key))
		}
	}
	peers := make([]*sim.Peer, clients)
	for i := range peers {
		peers[i] = k.Connect(server.Addr())
	}
	if err := k.Pass(0, server.Turn); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	b.ResetTimer()
	for done := 0; done < b.N; done += clients * pipeline {
		for _, p := range peers {
			p.Send(request.String())
		}
		for range 2 { // the replies are written before the second wait
			if err := server.Turn(); err != nil {
				b.Fatal(err)
			}
		}
		for _, p := range peers {
			if p.Read(buf) == 0 {
				b.Fatal("no reply")
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}
