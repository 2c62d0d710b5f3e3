package linear_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"testing"
	"time"

	"rondo/check/linear"
	"rondo/check/synth"
)

// TestEngineSpeed prints what one component costs: RONDO_SPEED="mix ops clients seeds loss".
func TestEngineSpeed(t *testing.T) {
	var mix string
	var ops, clients, seeds int
	var loss float64
	if _, err := fmt.Sscan(os.Getenv("RONDO_SPEED"), &mix, &ops, &clients, &seeds, &loss); err != nil {
		t.Skip("RONDO_SPEED does not say what to measure")
	}
	bug := os.Getenv("RONDO_BUG")
	limit, _ := strconv.Atoi(os.Getenv("RONDO_LIMIT"))
	if limit == 0 {
		limit = 60
	}
	for seed := range uint64(seeds) {
		h := synth.Make(synth.Options{
			Mix: mix, Ops: ops, Clients: clients, Seed: seed + 1, Loss: loss, Bug: bug,
		})
		decide := linear.SplitFirst(h)
		runtime.GC()
		if f := os.Getenv("RONDO_PROFILE"); f != "" {
			w, _ := os.Create(f)
			_ = pprof.StartCPUProfile(w)
		}
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		from := cpu()
		verdict, n, nodes, moment, why := decide(time.Duration(limit) * time.Second)
		used := cpu() - from
		pprof.StopCPUProfile()
		runtime.ReadMemStats(&m1)
		t.Logf("%s/%d ops %d seed %d: %s %.2f s CPU, %.1f nodes/op, %d MiB allocated; %s at %d of %d",
			mix, clients, n, seed+1, verdict, used, float64(nodes)/float64(n),
			(m1.TotalAlloc-m0.TotalAlloc)>>20, why, moment/1e6, h.Ops[len(h.Ops)-1].Call/1e6)
	}
}

func cpu() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
