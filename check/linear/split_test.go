package linear

import (
	"fmt"
	"testing"

	"rondo/check/history"
	"rondo/model"
)

// BenchmarkSplit: cutting a history takes about half a microsecond of CPU for each operation, and
// laying out the components as much again.
func BenchmarkSplit(b *testing.B) {
	h := &history.History{}
	ok := model.OK()
	for i := range int64(200_000) {
		cmd := words("SET", fmt.Sprintf("{r1}:key:%d", i*7919%1000), fmt.Sprint(i))
		h.Ops = append(h.Ops, history.Op{Client: int(i % 64), Call: i * 3000, Return: i*3000 + 90_000,
			Cmd: cmd, Reply: &ok, N: int(i/64) + 1})
	}
	for b.Loop() {
		split(h)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(h.Ops)), "ns/operation")
}
