package bench

import (
	"bytes"
	"slices"
	"strings"
	"testing"
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
	r := Report{Servers: []string{"a", "b"}, Memory: []Memory{{Keys: 10, PerKey: 100}, {Keys: 10, PerKey: 50}}, Rows: []Row{row}}
	if err := r.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"b / a", "get, pipeline 1, awake", "0.50 [0.50-0.75]; 1.00", "| 100.0 | 50.0 |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
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
	if all, _ := Select(nil); len(all) != len(Names()) {
		t.Errorf("%d workloads of %d", len(all), len(Names()))
	}
	if _, wrong := Select([]string{"get", "nothing"}); wrong != "nothing" {
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
