package workload

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"rondo/check/history"
	"rondo/check/target"
)

// nowhere is a sink that forgets.
type nowhere struct{}

func (nowhere) Add(history.Op) error { return nil }
func (nowhere) Done(...string)       {}
func (nowhere) Mark(history.Mark)    {}

// BenchmarkStream says what an operation costs the recorder, in CPU time, and how many a second it
// drives. RONDO_TARGET names the server; without it it is one in this process, whose CPU time counts
// too.
func BenchmarkStream(b *testing.B) {
	tg := serve(b, "")
	if addr := os.Getenv("RONDO_TARGET"); addr != "" {
		var err error
		if tg, err = target.At(addr); err != nil {
			b.Fatal(err)
		}
	}
	for _, mix := range []string{"full", "expiry", "register"} {
		b.Run(mix, func(b *testing.B) {
			before, began := cpu(b), time.Now()
			_, st, err := Stream(context.Background(), tg, Options{Ops: b.N, Clients: 64, Seed: 1, Mix: mix},
				func(history.Meta) (Sink, error) { return nowhere{}, nil })
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(st.Ops), "cpu-ns/op")
			b.ReportMetric(float64(st.Ops)/time.Since(began).Seconds(), "ops/s")
			b.ReportMetric(st.Overlap(), "overlap%")
			b.ReportMetric(float64(st.Near)/float64(st.Ops)*100, "near%")
			b.ReportMetric(float64(st.Expired)/float64(st.Ops)*100, "expired%")
		})
	}
}

// cpu is the CPU time of this process so far, in ns.
func cpu(b *testing.B) int64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return use.Utime.Nano() + use.Stime.Nano()
}
