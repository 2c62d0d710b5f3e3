package command

import (
	"errors"
	"sort"

	"rondo/impl/histogram"
	"rondo/impl/store"
)

// fake is the world around an Executor, made by hand: its clock stands still until told otherwise.
type fake struct {
	x        *Executor
	now      int64 // ms
	mono     int64 // ns
	readings int   // of the clock
	tick     int64 // by which each reading moves it
	rand     uint64

	password  string
	noDebug   bool
	slept     float64
	expireOff bool
	shutdowns int
	killed    []int64
	until     int64 // of the last WaitUntil
	config    map[string]string
	sessions  []*Session
}

const errOption = "ERR Unknown option or number of arguments for CONFIG SET - '"

func newFake() *fake {
	h := &fake{now: 1_700_000_000_000, config: map[string]string{}}
	h.x = New(h, 16, store.StrictMemory(), 42, Limits{BulkLenMax: 512 << 20, HeldMax: 1 << 20})
	return h
}

func (h *fake) connect() *Session {
	s := h.x.NewSession(int64(len(h.sessions) + 1))
	h.sessions = append(h.sessions, &s)
	return &s
}

func (h *fake) NowMs() int64               { h.readings++; h.now += h.tick; return h.now }
func (h *fake) NowMicros() int64           { return h.now*1000 + 7 }
func (h *fake) Mono() int64                { return h.mono }
func (h *fake) PeerAddr(*Session) string   { return "127.0.0.1:1" }
func (h *fake) MakeRoom() Room             { return h.x.Evict(1000) }
func (h *fake) Rand() uint64               { h.rand += 0x9e3779b97f4a7c15; return h.rand }
func (h *fake) Password() string           { return h.password }
func (h *fake) DebugAllowed(*Session) bool { return !h.noDebug }
func (h *fake) Sleep(seconds float64)      { h.slept += seconds; h.mono += int64(seconds * 1e9) }
func (h *fake) Direct(b []byte) bool       { return false }

func (h *fake) Answer(s *Session, reply func())  { reply() }
func (h *fake) WaitUntil(s *Session, mono int64) { h.until = mono }
func (h *fake) SetActiveExpire(on bool)          { h.expireOff = !on }
func (h *fake) Shutdown()                        { h.shutdowns++ }
func (h *fake) Memory() MemoryReport             { return MemoryReport{} }
func (h *fake) Purge()                           {}
func (h *fake) ConfigResetStat()                 { h.x.Stats = Stats{} }
func (h *fake) Info(sections []string) []byte {
	return []byte("# Fake\r\n")
}
func (h *fake) LoopHistograms(yield func(string, *histogram.Histogram)) {
	yield("turn", new(histogram.Histogram))
}
func (h *fake) LoopReset()        {}
func (h *fake) Kill(i ClientInfo) { h.killed = append(h.killed, i.Session.ID) }

func (h *fake) ConfigGet(patterns []string) [][2]string {
	var pairs [][2]string
	for name, value := range h.config {
		for _, p := range patterns {
			if Glob([]byte(p), []byte(name), true) {
				pairs = append(pairs, [2]string{name, value})
				break
			}
		}
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}

func (h *fake) ConfigSet(pairs [][2]string) error {
	for _, p := range pairs {
		if _, ok := h.config[p[0]]; !ok {
			return errors.New(errOption + p[0] + "'")
		}
	}
	for _, p := range pairs {
		h.config[p[0]] = p[1]
	}
	return nil
}

func (h *fake) Clients(yield func(ClientInfo) bool) {
	for i, s := range h.sessions {
		info := ClientInfo{Session: s, Addr: "127.0.0.1:1", Laddr: "127.0.0.1:2", FD: 8 + i}
		if !yield(info) {
			return
		}
	}
}
