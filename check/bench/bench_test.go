package bench

import (
	"bytes"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rondo/check/target"
)

// The last column compares figures of the same repetition: a machine that is twice as slow for a while
// changes no ratio.
func TestRatiosArePaired(t *testing.T) {
	row := Row{Workload: "get", Pipeline: 1, Generator: Awake, Samples: [][]Sample{
		{{User: 1, System: 3}, {User: 1, System: 1}},
		{{User: 2, System: 6}, {User: 2, System: 2}},
		{{User: 1, System: 3}, {User: 2, System: 1}},
	}}
	if got := row.ratios(1, Sample.CPU); !slices.Equal(got, []float64{0.5, 0.5, 0.75}) {
		t.Errorf("ratios %v", got)
	}
	if got := median([]float64{1, 2, 4, 9}); got != 3 {
		t.Errorf("median %v", got)
	}
	var out bytes.Buffer
	r := Report{Servers: []string{"a", "b"}, Redis: true, Sizes: []Size{{What: "keys", N: 10, Each: []float64{100, 50}, Why: []string{"", ""}, Target: 0.4}}, Rows: []Row{row}}
	if err := r.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"b / a", "get, pipeline 1, awake", "0.50 [0.50-0.75] (at most 0.85: met); 1.00 (at most 0.40: **missed**)", "| 100.0 | 50.0 | 0.50 (at most 0.40: **missed**) |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// A client that is not closed is said to be open: here its replies are too short for any limit.
func TestNotClosed(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil || runtime.GOOS != "linux" {
		t.Skip("wants redis-server, and its resident size from /proc")
	}
	redis, err := target.Exec("redis-server --port {port} --save ''", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = redis.Stop() }()
	var out Reader
	if err := (Server{"redis", redis}).ask(&out, time.Now().Add(200*time.Millisecond)); err != nil || !out.open || out.Closed != 0 {
		t.Errorf("%v: %+v", err, out)
	}
}

// A request is written out with the number of its key and its value.
func TestExpand(t *testing.T) {
	got := appendRequest(nil, expand([]string{"SET", "key:#", "@"}, 3, 42)...)
	if want := "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$3\r\nvvv\r\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSelect(t *testing.T) {
	if all, parts, _ := Select(nil); len(all)+len(parts) != len(Names()) {
		t.Errorf("%d workloads of %d", len(all), len(Names()))
	}
	if _, _, wrong := Select([]string{"get", "nothing"}); wrong != "nothing" {
		t.Errorf("%q is said to be wrong", wrong)
	}
}

func TestLatenciesOfRedisBenchmark(t *testing.T) {
	csv := `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"GET","200000.00","0.148","0.040","0.143","0.207","0.239","0.311"
`
	if p50, p99, err := latencies(strings.NewReader(csv)); err != nil || p50 != 0.143 || p99 != 0.239 {
		t.Errorf("%v %v %v", p50, p99, err)
	}
	if _, _, err := latencies(strings.NewReader("nothing\n")); err == nil {
		t.Error("no result is no error")
	}
}
