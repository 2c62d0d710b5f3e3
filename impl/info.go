package impl

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/impl/command"
)

// section is a part of INFO: its name, and its fields in order (CONN-26).
type section struct {
	name  string
	write func(*Server, *fields)
	asked bool // shown by name, and with "all" or "everything" only
}

var sections = []section{
	{name: "Server", write: (*Server).infoServer},
	{name: "Clients", write: (*Server).infoClients},
	{name: "Memory", write: (*Server).infoMemory},
	{name: "Persistence", write: (*Server).infoPersistence},
	{name: "Stats", write: (*Server).infoStats},
	{name: "Replication", write: (*Server).infoReplication},
	{name: "CPU", write: (*Server).infoCPU},
	{name: "Loop", write: (*Server).infoLoop},
	{name: "Tasks", write: (*Server).infoTasks},
	{name: "Commandstats", write: (*Server).infoCommandstats, asked: true},
	{name: "Errorstats", write: (*Server).infoErrorstats},
	{name: "Latencystats", write: (*Server).infoLatencystats, asked: true},
	{name: "Cluster", write: (*Server).infoCluster},
	{name: "Keyspace", write: (*Server).infoKeyspace},
}

// fields is the text of INFO as it grows.
type fields struct{ strings.Builder }

func (f *fields) add(name string, value any) { fmt.Fprintf(f, "%s:%v\r\n", name, value) }

// Info is the text for the sections asked for, those of the default if none is named.
func (h host) Info(names []string) []byte {
	var f fields
	for _, sec := range sections {
		wanted := len(names) == 0 && !sec.asked || slices.ContainsFunc(names, func(n string) bool {
			n = strings.ToLower(n)
			return n == "all" || n == "everything" || n == "default" && !sec.asked ||
				strings.EqualFold(n, sec.name)
		})
		if !wanted {
			continue
		}
		if f.Len() > 0 {
			f.WriteString("\r\n")
		}
		f.WriteString("# " + sec.name + "\r\n")
		sec.write(h.s, &f)
	}
	return []byte(f.String())
}

func (s *Server) infoServer(f *fields) {
	up := (s.k.Mono() - s.stats.since) / int64(time.Second)
	f.add("redis_version", command.RedisVersion)
	f.add("rondo_version", command.Version)
	f.add("redis_mode", "standalone")
	f.add("os", runtime.GOOS+" "+runtime.GOARCH)
	f.add("arch_bits", strconv.IntSize)
	f.add("multiplexing_api", s.k.Name())
	f.add("go_version", runtime.Version())
	f.add("process_id", s.account.measured.ID)
	f.add("run_id", s.stats.runID)
	f.add("tcp_port", s.cfg.Port)
	f.add("server_time_usec", s.wall/1e3)
	f.add("uptime_in_seconds", up)
	f.add("uptime_in_days", up/(24*3600))
	f.add("hz", s.ticksPerSecond())
	f.add("configured_hz", s.cfg.Hz)
	f.add("executable", s.account.measured.Executable)
	f.add("config_file", s.cfg.source)
}

func (s *Server) infoClients(f *fields) {
	in, out := 0, 0
	for c := range s.table.each {
		in, out = max(in, len(c.in)), max(out, c.owed())
	}
	f.add("connected_clients", s.table.live)
	f.add("cluster_connections", 0)
	f.add("maxclients", s.cfg.MaxClients)
	f.add("client_recent_max_input_buffer", in)
	f.add("client_recent_max_output_buffer", out)
	f.add("blocked_clients", s.x.Waiting())
	f.add("tracking_clients", 0)
	f.add("clients_in_timeout_table", 0)
}

func (s *Server) infoMemory(f *fields) {
	r := host{s}.Memory()
	f.add("used_memory", r.Used)
	f.add("used_memory_human", human(r.Used))
	f.add("used_memory_rss", r.RSS)
	f.add("used_memory_rss_human", human(r.RSS))
	f.add("used_memory_peak", r.Peak)
	f.add("used_memory_peak_human", human(r.Peak))
	f.add("used_memory_peak_perc", percent(r.PeakPart()))
	f.add("used_memory_overhead", r.Overhead)
	f.add("used_memory_startup", r.Startup)
	f.add("used_memory_dataset", r.Dataset)
	f.add("used_memory_dataset_perc", percent(r.DatasetPart()))
	f.add("allocator_allocated", r.Used)
	f.add("allocator_active", r.Active)
	f.add("allocator_resident", r.Resident)
	f.add("maxmemory", s.cfg.MemoryMax)
	f.add("maxmemory_human", human(s.cfg.MemoryMax))
	f.add("maxmemory_policy", s.cfg.MemoryPolicy)
	f.add("allocator_frag_ratio", ratio(r.Active, r.Used))
	f.add("allocator_frag_bytes", r.Active-r.Used)
	f.add("allocator_rss_ratio", ratio(r.Resident, r.Active))
	f.add("allocator_rss_bytes", r.Resident-r.Active)
	f.add("rss_overhead_ratio", ratio(r.RSS, r.Resident))
	f.add("rss_overhead_bytes", r.RSS-r.Resident)
	f.add("mem_fragmentation_ratio", ratio(r.RSS, r.Used))
	f.add("mem_fragmentation_bytes", r.RSS-r.Used)
	f.add("mem_not_counted_for_evict", s.account.other)
	f.add("mem_clients_slaves", 0)
	f.add("mem_clients_normal", r.Clients)
	f.add("mem_allocator", "go")
	f.add("active_defrag_running", bit(s.upkeepTimer.armed()))
	f.add("lazyfree_pending_objects", r.Freeing)
	f.add("lazyfreed_objects", r.Freed)
	f.add("gc_cycles", r.Cycles)
}

func percent(part float64) string { return strconv.FormatFloat(part*100, 'f', 2, 64) + "%" }

func ratio(a, b int64) string { return strconv.FormatFloat(float64(a)/float64(max(b, 1)), 'f', 2, 64) }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// human writes bytes as Redis does: 1.05M.
func human(n int64) string {
	units := []string{"K", "M", "G", "T"}
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + "B"
	}
	v := float64(n)
	unit := ""
	for _, u := range units {
		if v < 1<<10 {
			break
		}
		v, unit = v/(1<<10), u
	}
	return fmt.Sprintf("%.2f%s", v, unit)
}

func (s *Server) infoPersistence(f *fields) {
	f.add("loading", 0)
	f.add("async_loading", 0)
	f.add("rdb_changes_since_last_save", s.x.Stats.Changes)
	f.add("rdb_bgsave_in_progress", 0)
	f.add("rdb_last_save_time", s.stats.startWall/1e9)
	f.add("rdb_last_bgsave_status", "ok")
	f.add("aof_enabled", 0)
	f.add("aof_rewrite_in_progress", 0)
	f.add("aof_last_bgrewrite_status", "ok")
	f.add("aof_last_write_status", "ok")
}

func (s *Server) infoStats(f *fields) {
	st, x := &s.stats, &s.x.Stats
	f.add("total_connections_received", st.connections)
	f.add("total_commands_processed", x.Commands)
	f.add("instantaneous_ops_per_sec", st.rate.mean(rateCommands))
	f.add("total_net_input_bytes", st.netIn)
	f.add("total_net_output_bytes", st.netOut)
	f.add("instantaneous_input_kbps", kilo(st.rate.mean(rateIn)))
	f.add("instantaneous_output_kbps", kilo(st.rate.mean(rateOut)))
	f.add("rejected_connections", st.rejected)
	f.add("sync_full", 0)
	f.add("sync_partial_ok", 0)
	f.add("sync_partial_err", 0)
	f.add("expired_keys", x.Expired)
	f.add("expired_stale_perc", strconv.FormatFloat(st.stale*100, 'f', 2, 64))
	f.add("expired_time_cap_reached_count", st.expireCut)
	f.add("expire_cycle_cpu_milliseconds", st.expireNanos/1e6)
	f.add("evicted_keys", x.Evicted)
	f.add("evicted_clients", st.evictedClients)
	overNow, overAll := st.overFor(s.mono)
	f.add("total_eviction_exceeded_time", overAll)
	f.add("current_eviction_exceeded_time", overNow)
	f.add("keyspace_hits", x.Hits)
	f.add("keyspace_misses", x.Misses)
	f.add("active_defrag_hits", s.stored().Moves)
	f.add("pubsub_channels", 0)
	f.add("pubsub_patterns", 0)
	f.add("latest_fork_usec", 0)
	f.add("total_forks", 0)
	f.add("total_error_replies", x.Errors)
	f.add("total_reads_processed", st.reads)
	f.add("total_writes_processed", st.writes)
	_, commands := s.x.Measured()
	cycles := st.rate.mean(rateCycles)
	f.add("eventloop_cycles", st.cycles)
	f.add("eventloop_duration_sum", st.turnNanos/1e3)
	f.add("eventloop_duration_cmd_sum", commands/1e3)
	f.add("instantaneous_eventloop_cycles_per_sec", cycles)
	f.add("instantaneous_eventloop_duration_usec", st.rate.mean(rateTurnNanos)/max(1, cycles)/1e3)
}

// infoCommandstats: what each command has cost so far.
func (s *Server) infoCommandstats(f *fields) {
	for st := range s.x.CommandStats {
		usec, each := st.Nanos/1e3, 0.0
		if st.Calls > 0 {
			each = float64(usec) / float64(st.Calls)
		}
		f.add("cmdstat_"+st.Name, fmt.Sprintf(
			"calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
			st.Calls, usec, each, st.Rejected, st.Failed))
	}
}

func (s *Server) infoErrorstats(f *fields) {
	errors := s.x.ErrorStats()
	for _, code := range slices.Sorted(maps.Keys(errors)) {
		f.add("errorstat_"+code, fmt.Sprintf("count=%d", errors[code]))
	}
}

func (s *Server) infoLatencystats(f *fields) {
	if !s.cfg.Reporting.Tracking {
		return
	}
	for st := range s.x.CommandStats {
		if st.Latency == nil {
			continue
		}
		list := make([]string, len(s.cfg.Percentiles))
		for i, p := range s.cfg.Percentiles {
			list[i] = fmt.Sprintf("p%s=%s", percentile(p), micros(st.Latency.Quantile(p/100)))
		}
		f.add("latency_percentiles_usec_"+st.Name, strings.Join(list, ","))
	}
}

// micros writes ns as a number of microseconds with three digits behind the point.
func micros(ns int64) string { return strconv.FormatFloat(float64(ns)/1e3, 'f', 3, 64) }

func kilo(n int64) string { return strconv.FormatFloat(float64(n)/1024, 'f', 2, 64) }

func (s *Server) infoReplication(f *fields) {
	f.add("role", "master")
	f.add("connected_slaves", 0)
	f.add("master_failover_state", "no-failover")
	f.add("master_replid", s.stats.runID)
	f.add("master_replid2", strings.Repeat("0", len(s.stats.runID)))
	f.add("master_repl_offset", 0)
	f.add("second_repl_offset", -1)
	f.add("repl_backlog_active", 0)
	f.add("repl_backlog_size", 0)
	f.add("repl_backlog_first_byte_offset", 0)
	f.add("repl_backlog_histlen", 0)
}

func (s *Server) infoCPU(f *fields) {
	now := s.k.Process()
	f.add("used_cpu_sys", seconds(now.System))
	f.add("used_cpu_user", seconds(now.User))
}

func seconds(nanos int64) string { return strconv.FormatFloat(float64(nanos)/1e9, 'f', 6, 64) }

// infoLoop is Rondo's own: how often the theme came back, with what, and how long it took (LOOP-21).
func (s *Server) infoLoop(f *fields) {
	f.add("loop_turns", s.turns)
	f.add("loop_file_events", s.stats.fileEvents)
	f.add("loop_time_events", s.stats.timeEvents)
	f.add("loop_accepting_pauses", s.stats.pauses)
	f.add("loop_budget_overruns", s.rhythm.overruns)
	f.add("loop_maintenance_cpu_max_usec", s.rhythm.hist[phaseMaintenance].Max/1e3)
	for p := range phases {
		h := s.histogram(p)
		f.add("loop_"+strings.ReplaceAll(phaseNames[p], "-", "_")+"_usec", fmt.Sprintf(
			"count=%d,sum=%d,p50=%s,p99=%s,p99.9=%s,max=%s", h.Count, h.Sum/1e3,
			micros(h.Quantile(0.5)), micros(h.Quantile(0.99)), micros(h.Quantile(0.999)),
			micros(h.Max)))
	}
}

func (s *Server) infoCluster(f *fields) { f.add("cluster_enabled", 0) }

func (s *Server) infoKeyspace(f *fields) {
	for i := range s.x.Databases() {
		if db := s.x.DB(i); db.Len() > 0 {
			f.add("db"+strconv.Itoa(i), fmt.Sprintf("keys=%d,expires=%d,avg_ttl=0", db.Len(), db.Volatile()))
		}
	}
}
