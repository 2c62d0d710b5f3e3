package impl

import "fmt"

// stats counts what INFO shows and CONFIG RESETSTAT forgets.
type stats struct {
	since     int64 // monotonic ns of the start
	startWall int64
	runID     string

	overSince int64   // since when maxmemory is exceeded (monotonic ns), 0 if it is not
	stale     float64 // share of expired keys among those that the sampled strategy met

	counters
	rate rate
}

type counters struct {
	connections, rejected  int64
	pauses                 int64 // of accepting (LOOP-9)
	netIn, netOut          int64
	reads, writes          int64
	fileEvents, timeEvents int64
	expireNanos, expireCut int64
	cycles, turnNanos      int64 // of turns (rhythm.go)
	evictedClients         int64
	overNanos              int64 // for how long maxmemory was exceeded, until overSince
}

func (st *stats) begin(mono, wall int64, id uint64) {
	st.since, st.startWall = mono, wall
	st.runID = fmt.Sprintf("%016x%024x", id, uint64(wall))
	st.rate.at = mono
}

func (st *stats) received(n int, err error) {
	st.reads++
	if err == nil {
		st.netIn += int64(n)
	}
}

func (st *stats) sent(n int) {
	st.writes++
	st.netOut += int64(n)
}

// reset forgets the counters.
func (st *stats) reset() {
	st.counters = counters{}
	st.rate = rate{at: st.rate.at}
}

// rate holds the last samples of what INFO calls instantaneous: a mean over 16 tenths of a second.
type rate struct {
	at      int64 // of the last sample
	last    [rateFigures]int64
	samples [rateSamples][rateFigures]int64 // per second
	next    int
}

// The figures sampled.
const (
	rateCommands = iota
	rateIn
	rateOut
	rateCycles
	rateTurnNanos
	rateFigures
)

// sample is called at every tick; it takes the time that has passed into account.
func (st *stats) sample(mono, commands int64) {
	r := &st.rate
	passed := mono - r.at
	if passed < int64(ratePeriod) {
		return
	}
	now := [rateFigures]int64{commands, st.netIn, st.netOut, st.cycles, st.turnNanos}
	for i := range now {
		r.samples[r.next][i] = max(0, now[i]-r.last[i]) * 1e9 / passed
	}
	r.next = (r.next + 1) % rateSamples
	r.last, r.at = now, mono
}

// mean is the mean of the samples of one figure.
func (r *rate) mean(figure int) int64 {
	sum := int64(0)
	for i := range r.samples {
		sum += r.samples[i][figure]
	}
	return sum / rateSamples
}
