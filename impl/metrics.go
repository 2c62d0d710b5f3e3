package impl

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/impl/command"
	"rondo/impl/histogram"
	"rondo/impl/kernel"
)

// Metrics for Prometheus. The loop publishes a snapshot now and then, and forgets it; whoever scrapes
// reads the last one, on a goroutine of its own, and asks the runtime and the system for the rest. So
// the command thread waits for nobody, and without -metrics-addr it does nothing at all.

// snapshot is what the loop tells. Nobody changes it once it is published.
type snapshot struct {
	uptime     int64 // ns
	clients    int
	counters   counters
	stats      command.Stats
	commandsNs int64
	overruns   int64
	loop       [phases]histogram.Histogram
	commands   []command.CommandStat
	errors     []errorCount
	dbs        []dbSize
	used, held int64 // bytes in use, and taken by the keyspaces
	memoryMax  int64
}

type errorCount struct {
	code string
	n    int64
}

type dbSize struct{ db, keys, volatile int }

// publish makes a snapshot, if one is wanted and the last is old enough.
func (s *Server) publish() {
	if !s.scraped || s.mono < s.publishAt {
		return
	}
	s.publishAt = s.mono + int64(publishPeriod)
	shot := &snapshot{uptime: s.mono - s.stats.since, clients: s.table.live, counters: s.stats.counters,
		stats: s.x.Stats, overruns: s.rhythm.overruns, used: s.usedBytes(s.account.clients),
		held: int64(s.stored().Held), memoryMax: s.cfg.MemoryMax}
	_, shot.commandsNs = s.x.Measured()
	for p := range phases {
		shot.loop[p] = *s.histogram(p)
	}
	for st := range s.x.CommandStats {
		st.Latency = nil // it goes on counting
		shot.commands = append(shot.commands, st)
	}
	for code, n := range s.x.ErrorStats() {
		shot.errors = append(shot.errors, errorCount{code, n})
	}
	slices.SortFunc(shot.errors, func(a, b errorCount) int { return strings.Compare(a.code, b.code) })
	for i := range s.x.Databases() {
		db := s.x.DB(i)
		if db.Len() > 0 {
			shot.dbs = append(shot.dbs, dbSize{i, db.Len(), db.Volatile()})
		}
	}
	s.snapshot.Store(shot)
}

// Metrics answers scrapes in Prometheus' text format, from any goroutine. It must be called before
// the first Turn, as the server publishes nothing for nobody.
func (s *Server) Metrics() http.Handler {
	s.scraped = true
	s.publish()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(exposition(s.snapshot.Load())) // a scraper that has gone is no loss
	})
}

// serveMetrics answers at addr until it is closed.
func (s *Server) serveMetrics(addr string) (closeIt func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: scrapeMax, WriteTimeout: scrapeMax,
		MaxHeaderBytes: scrapeHeadMax}
	go func() { _ = server.Serve(l) }()   // ends with closeIt
	s.cfg.MetricsAddr = l.Addr().String() // any free port is found now
	s.log.notice("ready to be scraped", "url", "http://"+s.cfg.MetricsAddr+"/metrics")
	return func() { _ = server.Close() }, nil
}

// exposition is the text of a scrape.
func exposition(s *snapshot) []byte {
	var e exporter
	e.metric("rondo_info", "gauge", "What runs here.", sample{`version="` + command.Version +
		`",redis_version="` + command.RedisVersion + `",go_version="` + runtime.Version() + `"`, 1})
	e.one("rondo_uptime_seconds", "gauge", "Time since the start.", seconds64(s.uptime))
	e.one("rondo_connected_clients", "gauge", "Clients that are connected.", float64(s.clients))
	e.count("rondo_connections_total", "Connections accepted.", s.counters.connections)
	e.count("rondo_rejected_connections_total", "Connections refused.", s.counters.rejected)
	e.count("rondo_accepting_pauses_total", "Times without a descriptor for a client.", s.counters.pauses)
	e.count("rondo_net_input_bytes_total", "Bytes read from clients.", s.counters.netIn)
	e.count("rondo_net_output_bytes_total", "Bytes written to clients.", s.counters.netOut)
	e.commands(s)
	e.keyspace(s)
	e.loop(s)
	e.runtime(s)
	return e.Bytes()
}

func (e *exporter) commands(s *snapshot) {
	var calls, secs, rejected, failed, errors []sample
	for _, c := range s.commands {
		label := `command="` + c.Name + `"`
		calls = append(calls, sample{label, float64(c.Calls)})
		secs = append(secs, sample{label, seconds64(c.Nanos)})
		rejected = append(rejected, sample{label, float64(c.Rejected)})
		failed = append(failed, sample{label, float64(c.Failed)})
	}
	for _, c := range s.errors {
		errors = append(errors, sample{`code="` + c.code + `"`, float64(c.n)})
	}
	e.metric("rondo_commands_total", "counter", "Commands executed.", calls...)
	e.metric("rondo_command_seconds_total", "counter", "Time of the command thread by command.", secs...)
	e.metric("rondo_commands_rejected_total", "counter", "Commands refused before execution.", rejected...)
	e.metric("rondo_commands_failed_total", "counter", "Commands that answered an error.", failed...)
	e.metric("rondo_error_replies_total", "counter", "Error replies by their first word.", errors...)
}

func (e *exporter) keyspace(s *snapshot) {
	var keys, volatile []sample
	for _, d := range s.dbs {
		label := `db="` + strconv.Itoa(d.db) + `"`
		keys = append(keys, sample{label, float64(d.keys)})
		volatile = append(volatile, sample{label, float64(d.volatile)})
	}
	e.metric("rondo_keys", "gauge", "Keys by database.", keys...)
	e.metric("rondo_volatile_keys", "gauge", "Keys with a deadline.", volatile...)
	e.count("rondo_keyspace_hits_total", "Reads of keys that were there.", s.stats.Hits)
	e.count("rondo_keyspace_misses_total", "Reads of keys that were not.", s.stats.Misses)
	e.count("rondo_changes_total", "Changes of keys.", s.stats.Changes)
	e.count("rondo_expired_keys_total", "Keys deleted because their deadline had passed.", s.stats.Expired)
	e.count("rondo_evicted_keys_total", "Keys deleted to make room.", s.stats.Evicted)
	e.histogram("rondo_expiry_lag_seconds", "How late expired keys were deleted.",
		labelled{"", &s.loop[phaseLag]})
}

func (e *exporter) loop(s *snapshot) {
	var list []labelled
	for p := range phaseMaintenance {
		list = append(list, labelled{`phase="` + phaseNames[p] + `"`, &s.loop[p]})
	}
	e.histogram("rondo_loop_seconds", "Turns of the loop without the wait, and the phases they consist of.",
		list...)
	e.histogram("rondo_loop_maintenance_cpu_seconds",
		"Processor time of a turn's time events and completions.", labelled{"", &s.loop[phaseMaintenance]})
	e.count("rondo_loop_budget_overruns_total", "Turns whose maintenance exceeded its budget.", s.overruns)
	e.count("rondo_loop_turns_total", "Turns of the loop.", s.counters.cycles)
	e.one("rondo_loop_busy_seconds_total", "counter", "Time of the turns.", seconds64(s.counters.turnNanos))
	e.one("rondo_loop_command_seconds_total", "counter", "Time of the commands in them.", seconds64(s.commandsNs))
}

// runtime asks whoever else knows something of this process.
func (e *exporter) runtime(s *snapshot) {
	m := kernel.OSProcess()
	e.one("rondo_memory_used_bytes", "gauge", "Memory in use: used_memory.", float64(s.used))
	e.one("rondo_memory_max_bytes", "gauge", "maxmemory, 0 for no limit.", float64(s.memoryMax))
	e.one("rondo_memory_keyspace_bytes", "gauge", "Memory that the keyspaces hold.", float64(s.held))
	e.one("rondo_memory_go_heap_bytes", "gauge", "Objects on the Go heap.", float64(m.Heap))
	e.one("rondo_memory_resident_bytes", "gauge", "Resident memory of the process.", float64(m.Resident))
	e.one("rondo_gc_cycles_total", "counter", "Cycles of the garbage collector.", float64(m.Cycles))
	asked := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(asked)
	var pauses histogram.Histogram
	h := asked[0].Value.Float64Histogram()
	for i, n := range h.Counts { // each as long as the end of its bucket
		if end := h.Buckets[i+1]; n > 0 && !math.IsInf(end, 1) {
			pauses.AddN(int64(end*1e9), n)
		} else if n > 0 {
			pauses.AddN(int64(h.Buckets[i]*1e9), n)
		}
	}
	e.histogram("rondo_gc_pause_seconds", "Times for which the garbage collector stopped the loop.",
		labelled{"", &pauses})
}

// exporter writes the text format.
type exporter struct{ bytes.Buffer }

type sample struct {
	labels string
	value  float64
}

type labelled struct {
	labels string
	h      *histogram.Histogram
}

func (e *exporter) head(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// metric writes one with its samples, unless there are none.
func (e *exporter) metric(name, kind, help string, samples ...sample) {
	if len(samples) == 0 {
		return
	}
	e.head(name, kind, help)
	for _, s := range samples {
		e.line(name, s.labels, s.value)
	}
}

func (e *exporter) one(name, kind, help string, value float64) {
	e.metric(name, kind, help, sample{"", value})
}

func (e *exporter) count(name, help string, n int64) { e.one(name, "counter", help, float64(n)) }

func (e *exporter) line(name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(e, "%s%s %s\n", name, labels, strconv.FormatFloat(value, 'g', -1, 64))
}

// histogram writes the distribution at powers of two of nanoseconds, from a microsecond on.
func (e *exporter) histogram(name, help string, list ...labelled) {
	e.head(name, "histogram", help)
	for _, l := range list {
		var steps []histogram.Step
		l.h.Doubling(bucketFirst, func(s histogram.Step) { steps = append(steps, s) })
		comma := strings.TrimPrefix(l.labels+",", ",")
		below := uint64(0)
		for bound := int64(bucketFirst); bound <= bucketLast; bound *= 2 {
			if len(steps) > 0 && steps[0].Upto == bound {
				below, steps = steps[0].Count, steps[1:]
			}
			le := strconv.FormatFloat(seconds64(bound), 'g', -1, 64)
			e.line(name+"_bucket", comma+`le="`+le+`"`, float64(below))
		}
		e.line(name+"_bucket", comma+`le="+Inf"`, float64(l.h.Count))
		e.line(name+"_sum", l.labels, seconds64(l.h.Sum))
		e.line(name+"_count", l.labels, float64(l.h.Count))
	}
}

// The buckets of an exported histogram end at powers of two.
const (
	bucketFirst = 1 << 10 // ns
	bucketLast  = 1 << 33
)

func seconds64(ns int64) float64 { return float64(ns) / float64(time.Second) }
