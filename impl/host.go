package impl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rondo/impl/command"
	"rondo/impl/kernel"
)

// host is the server as the commands see it: a type of its own, so that Server's own methods are
// those of a loop and nothing else.
type host struct{ s *Server }

var _ command.Host = host{}

func (h host) NowMs() int64     { return h.s.nowMs }
func (h host) NowMicros() int64 { return h.s.wall / 1e3 }
func (h host) Mono() int64      { return h.s.k.Mono() }
func (h host) Rand() uint64     { return h.s.k.Rand() }

func (h host) PeerAddr(*command.Session) string { return h.s.current.addr }

func (h host) Password() string { return h.s.cfg.RequirePass }

// DebugAllowed: DEBUG is for nobody, everybody, or those on this machine (CONN-31).
func (h host) DebugAllowed(*command.Session) bool {
	switch h.s.cfg.DebugCommand {
	case "yes":
		return true
	case "local":
		return h.s.current.local
	}
	return false
}

// Sleep holds the loop as a long command would. Clocks that are virtual are moved instead. Both
// readings are then too old: that of the wall clock for the commands behind it, that of the
// monotonic one to tell that the client which asked for it was not idle.
func (h host) Sleep(seconds float64) {
	d := time.Duration(seconds * float64(time.Second))
	if k, ok := h.s.k.(interface{ Advance(time.Duration) }); ok {
		k.Advance(d)
	} else {
		time.Sleep(d)
	}
	h.s.mono = h.s.readClock()
	h.s.current.active = h.s.mono
}

func (h host) SetActiveExpire(on bool) { h.s.expiryOn = on }

// Shutdown is Stop from the inside: what follows on any connection is not executed any more.
func (h host) Shutdown() {
	h.s.ending = true
	h.s.stopAsked.Store(true)
}

func (h host) ConfigGet(patterns []string) [][2]string {
	var found [][2]string
	for i := range options {
		o := &options[i]
		if slices.ContainsFunc(patterns, func(p string) bool {
			return command.Glob([]byte(p), []byte(o.name), true)
		}) {
			found = append(found, [2]string{o.name, o.get(&h.s.cfg)})
		}
	}
	slices.SortFunc(found, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return found
}

// ConfigSet changes a copy, so that all of it happens or nothing (CONN-25). The order of the
// tests is Redis': names first, then what may not change, then values.
func (h host) ConfigSet(pairs [][2]string) error {
	next := h.s.cfg
	for i, p := range pairs {
		o := findOption(p[0])
		if o == nil {
			return fmt.Errorf("ERR Unknown option or number of arguments for CONFIG SET - '%s'", p[0])
		}
		switch {
		case o.fixed:
			return notSet(o.name, refusal("can't set immutable config"))
		case slices.ContainsFunc(pairs[:i], func(q [2]string) bool { return findOption(q[0]) == o }):
			return notSet(o.name, refusal("duplicate parameter"))
		}
	}
	for _, p := range pairs {
		if err := findOption(p[0]).set(&next, p[1]); err != nil {
			return notSet(strings.ToLower(p[0]), err)
		}
	}
	if next.MaxClients > h.s.clientsCap {
		return notSet("maxclients", refusal(fmt.Sprintf("The operating system is not able to"+
			" handle the specified number of clients, try with %d", h.s.clientsCap)))
	}
	if err := next.checkMemory(); err != nil {
		return notSet("maxmemory", err)
	}
	h.s.cfg = next
	h.s.apply()
	return nil
}

func notSet(name string, why error) error {
	return fmt.Errorf("ERR CONFIG SET failed (possibly related to argument '%s') - %w", name, why)
}

func (h host) ConfigResetStat() {
	h.s.stats.reset()
	h.s.x.ResetStats()
	h.LoopReset()
	h.s.account.freed = 0
}

// Clients yields in the order in which they came, as Redis lists them.
func (h host) Clients(yield func(command.ClientInfo) bool) {
	var all []*conn
	for c := range h.s.table.each {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *conn) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range all {
		if !yield(h.s.clientInfo(c)) {
			return
		}
	}
}

func (s *Server) clientInfo(c *conn) command.ClientInfo {
	laddr := s.k.Addr(c.fd)
	if laddr == "" {
		laddr = c.listener.addr
	}
	events := ""
	if c.interest&kernel.Readable != 0 {
		events += "r"
	}
	if c.interest&kernel.Writable != 0 {
		events += "w"
	}
	return command.ClientInfo{
		Session:      &c.Session,
		Addr:         c.addr,
		Laddr:        redisAddr(laddr),
		Unix:         c.listener.unix,
		FD:           int(c.fd),
		AgeSecs:      (s.mono - c.created) / int64(time.Second),
		IdleSecs:     (s.mono - c.active) / int64(time.Second),
		QueryBuf:     len(c.in),
		QueryBufFree: cap(c.in) - len(c.in),
		OutBytes:     c.owed(),
		Events:       events,
	}
}

// Kill closes a connection (CONN-21).
func (h host) Kill(who command.ClientInfo) {
	if c := h.s.table.slots[who.FD]; c != nil && c.ID == who.Session.ID {
		h.s.fail(c, "was killed", nil)
	}
}
