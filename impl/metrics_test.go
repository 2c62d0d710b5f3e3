package impl

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scraped is a text of metrics, by series.
type scraped map[string]float64

// The form of a sample, and of the end of a histogram's series.
var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\S+)$`)
	suffix     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// parseMetrics reads a text by the rules of the format, and tells which it breaks: a HELP and a TYPE for
// each family before its samples, each series once, counters by their name, and histograms that add up.
func parseMetrics(text string) (series scraped, faults []string) {
	series, kind := scraped{}, map[string]string{}
	family, below := "", 0.0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(head, " ")
			below = 0
			continue
		}
		if head, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, k, _ := strings.Cut(head, " ")
			if name != family || kind[name] != "" || (k == "counter") != strings.HasSuffix(name, "_total") {
				faults = append(faults, line)
			}
			kind[name] = k
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			faults = append(faults, line)
			continue
		}
		name, labels := m[1], m[2]
		v, err := strconv.ParseFloat(m[3], 64)
		_, twice := series[name+labels]
		series[name+labels] = v
		bad := err != nil || twice
		if kind[family] == "histogram" {
			bucket := strings.HasSuffix(name, "_bucket")
			bad = bad || bucket && v < below || strings.HasSuffix(name, "_count") && v != below
			if bucket {
				below = v
			} else if strings.HasSuffix(name, "_count") {
				below = 0
			}
			name = suffix.ReplaceAllString(name, "")
		}
		if bad || name != family || kind[family] == "" {
			faults = append(faults, line)
		}
	}
	return series, faults
}

func readMetrics(t *testing.T, text string) scraped {
	t.Helper()
	series, faults := parseMetrics(text)
	for _, f := range faults {
		t.Errorf("not in the format: %q", f)
	}
	return series
}

// The check of the check.
func TestParseMetricsRejects(t *testing.T) {
	const head = "# HELP a_total x\n# TYPE a_total counter\n"
	const hist = "# HELP h x\n# TYPE h histogram\n"
	for _, good := range []string{head + "a_total 1\na_total{b=\"c\"} 2\n",
		hist + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"} {
		if _, faults := parseMetrics(good); faults != nil {
			t.Errorf("%q: %q", good, faults)
		}
	}
	for _, bad := range []string{"a 1\n", head + "a_total 1\na_total 1\n", head + "a_total x\n", head + "b 1\n",
		head + "a_total{b=c} 1\n", "# HELP a x\n# TYPE a counter\na 1\n", "# TYPE a gauge\na 1\n", head + head,
		hist + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n", hist + "h_bucket{le=\"+Inf\"} 1\nh_count 2\n"} {
		if _, faults := parseMetrics(bad); faults == nil {
			t.Errorf("taken for good: %q", bad)
		}
	}
}

func scrape(t *testing.T, h http.Handler) scraped {
	t.Helper()
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	if got := r.Header().Get("Content-Type"); r.Code != 200 || !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Fatalf("%d, %s", r.Code, got)
	}
	return readMetrics(t, r.Body.String())
}

// What is scraped is what has happened, as of the last second.
func TestMetrics(t *testing.T) {
	w := newWorld(t, "enable-debug-command", "yes")
	h := w.s.Metrics()
	scrape(t, h)
	p := w.dial()
	w.ask(p, "SET k v PX 100000\r\nGET k\r\nGET none\r\nGET\r\nINCR k\r\n")
	w.ask(p, "DEBUG SLEEP 0.003\r\n")
	if got := scrape(t, h)[`rondo_commands_total{command="get"}`]; got != 0 {
		t.Errorf("%v GETs between two snapshots", got)
	}
	w.pass(publishPeriod)
	got := scrape(t, h)
	for series, want := range map[string]float64{
		`rondo_commands_total{command="get"}`:                             2,
		`rondo_commands_rejected_total{command="get"}`:                    1,
		`rondo_commands_failed_total{command="incr"}`:                     1,
		`rondo_command_seconds_total{command="debug"}`:                    0.003,
		`rondo_error_replies_total{code="ERR"}`:                           2,
		`rondo_keys{db="0"}`:                                              1,
		`rondo_volatile_keys{db="0"}`:                                     1,
		`rondo_keyspace_hits_total`:                                       1,
		`rondo_keyspace_misses_total`:                                     1,
		`rondo_connected_clients`:                                         1,
		`rondo_loop_seconds_bucket{phase="turn",le="0.004194304"}`:        got[`rondo_loop_seconds_count{phase="turn"}`],
		`rondo_loop_seconds_bucket{phase="file-events",le="0.002097152"}`: got[`rondo_loop_seconds_count{phase="file-events"}`] - 1,
		`rondo_loop_seconds_sum{phase="file-events"}`:                     0.003,
		`rondo_loop_command_seconds_total`:                                0.003,
		`rondo_expiry_lag_seconds_count`:                                  0,
		`rondo_loop_maintenance_cpu_seconds_sum`:                          0,
	} {
		if got[series] != want {
			t.Errorf("%s %v, want %v", series, got[series], want)
		}
	}
	for _, series := range []string{"rondo_memory_used_bytes", "rondo_memory_resident_bytes",
		"rondo_memory_go_heap_bytes", "rondo_uptime_seconds", "rondo_loop_turns_total"} {
		if got[series] <= 0 {
			t.Errorf("%s %v", series, got[series])
		}
	}
}

// A server that nobody scrapes publishes nothing.
func TestNoMetricsUnasked(t *testing.T) {
	w := newWorld(t)
	w.pass(3 * publishPeriod)
	if w.s.snapshot.Load() != nil {
		t.Error("a snapshot that nobody asked for")
	}
}

// The program answers at -metrics-addr, nothing else there, and refuses an address that is none.
func TestMetricsAddr(t *testing.T) {
	p := start(t, "-addr", "127.0.0.1:0", "-metrics-addr", "127.0.0.1:0")
	c := p.dial(t)
	if _, err := io.WriteString(c, "CONFIG GET metrics-addr\r\n"); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 100)
	n, err := c.Read(reply)
	lines := strings.Split(string(reply[:n]), "\r\n")
	if err != nil || len(lines) < 5 {
		t.Fatalf("CONFIG GET metrics-addr: %q, %v", reply[:n], err)
	}
	url := "http://" + lines[4] + "/metrics"
	client := http.Client{Timeout: 10 * time.Second}
	get := func(url string) (int, string) {
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	code, body := get(url)
	if got := readMetrics(t, body); code != 200 || got["rondo_uptime_seconds"] < 0 || len(got) < 100 {
		t.Errorf("%d, %d series", code, len(got))
	}
	if code, _ := get(strings.TrimSuffix(url, "metrics")); code != 404 {
		t.Errorf("%d beside the metrics", code)
	}
	for _, bad := range []string{"nonsense", "127.0.0.1:x", "127.0.0.1:70000"} {
		var out strings.Builder
		if code := Main([]string{"-metrics-addr", bad}, io.Discard, &out); code != exitUsage ||
			!strings.Contains(out.String(), "HOST:PORT is needed") {
			t.Errorf("%s: %d, %s", bad, code, &out)
		}
	}
}
