package impl

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"rondo/impl/kernel"
)

// From a listening socket to a connection in the table:
//
//	listen (bind all, then watch all) -> acceptable (a batch) -> welcome (one: refuse or serve it)

type listener struct {
	fd   kernel.FD
	addr string // actual, as kernel.Addr gives it
	unix bool
}

// Tags of listeners and of connections come from the same counter (table.tag).
const listenerTag = 0

// Said to those who are not served; not logged, so that a flood of them does not fill the log.
const (
	textFull   = "-ERR max number of clients reached\r\n"
	textDenied = "-DENIED Redis is running in protected mode because protected mode is enabled and" +
		" no password is set for the default user. In this mode connections are only accepted from" +
		" the loopback interface. If you want to connect from external computers to Redis you may" +
		" adopt one of the following solutions: 1) Just disable protected mode sending the command" +
		" 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from" +
		" the same host the server is running, however MAKE SURE Redis is not publicly accessible" +
		" from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2)" +
		" Alternatively you can just disable the protected mode by editing the Redis configuration" +
		" file, and setting the protected mode option to 'no', and then restarting the server. 3)" +
		" If you started the server manually just for testing, restart it with the" +
		" '--protected-mode no' option. 4) Setup a an authentication password for the default" +
		" user. NOTE: You only need to do one of the above things in order for the server to start" +
		" accepting connections from the outside.\r\n"
)

// listen opens every address of the configuration, or none. Only when all are open does it say
// that the server is ready: who waits for that line in the log may connect to any of them.
func (s *Server) listen() error {
	err := s.bindAll()
	if err == nil {
		err = s.watchListeners(kernel.Readable)
	}
	if err != nil {
		s.unlisten()
		return err
	}
	for _, l := range s.listeners {
		s.log.notice("ready to accept connections", "addr", l.addr)
	}
	return nil
}

func (s *Server) bindAll() error {
	addrs, optional := s.cfg.listenAddrs()
	for i, addr := range addrs {
		switch err := s.bind(addr); {
		case err == nil:
		case optional[i]:
			s.log.notice("not listening", "addr", addr, "error", err)
		default:
			return fmt.Errorf("cannot %w", err)
		}
	}
	if len(s.listeners) == 0 {
		return errors.New("nowhere to listen: give a port or a unixsocket")
	}
	return nil
}

func (s *Server) bind(addr string) error {
	fd, err := s.k.Listen(addr)
	if err != nil {
		return err
	}
	l := &listener{fd: fd, addr: s.k.Addr(fd), unix: strings.HasPrefix(addr, "unix:")}
	s.listeners = append(s.listeners, l)
	if !l.unix {
		if at, err := netip.ParseAddrPort(l.addr); err == nil {
			s.cfg.Port = int64(at.Port()) // any free one is found now
		}
	}
	return nil
}

func (s *Server) unlisten() {
	for _, l := range s.listeners {
		if err := s.k.Close(l.fd); err != nil {
			s.log.warning("close failed", "addr", l.addr, "error", err)
		}
		l.fd = -1
	}
	s.timers.disarm(&s.resume)
}

// acceptable handles readiness of a listener: up to acceptsMax connections, so that a flood of
// them does not keep those inside waiting.
func (s *Server) acceptable(fd kernel.FD, tag uint64) {
	for _, l := range s.listeners {
		if l.fd != fd || tag != listenerTag {
			continue
		}
		for range acceptsMax {
			conn, addr, err := s.k.Accept(fd)
			if errors.Is(err, kernel.ErrAborted) {
				continue // this peer has gone again
			}
			if err != nil {
				if !errors.Is(err, kernel.ErrAgain) {
					s.pauseAccepting(err)
				}
				return
			}
			if s.acceptPaused {
				s.acceptPaused = false
				s.log.notice("accepting again", "clients", s.table.live)
			}
			s.welcome(l, conn, addr)
		}
		return
	}
}

// pauseAccepting stops listening for a while. The waiting connection stays readable, so without
// the pause the loop would spin until a descriptor is free (LOOP-9). That is logged once, however
// many pauses it takes.
func (s *Server) pauseAccepting(why error) {
	if !s.acceptPaused {
		s.log.warning("accepting pauses", "error", why, "clients", s.table.live)
	}
	s.acceptPaused = true
	s.stats.pauses++
	_ = s.watchListeners(0) // to forget one cannot fail
	s.timers.arm(&s.resume, s.mono+int64(acceptPause))
}

func (s *Server) resumeAccepting() {
	if err := s.watchListeners(kernel.Readable); err != nil {
		s.pauseAccepting(err)
	}
}

func (s *Server) watchListeners(in kernel.Interest) (err error) {
	for _, l := range s.listeners {
		err = cmp.Or(err, s.k.Watch(l.fd, listenerTag, in))
	}
	return err
}

// welcome serves one connection, or tells it why not: the gates of a stranger, in Redis' order.
func (s *Server) welcome(l *listener, fd kernel.FD, addr string) {
	local := l.unix || isLoopback(addr)
	switch {
	case int64(s.table.live) >= s.cfg.MaxClients: // CONN-12
		s.refuse(fd, textFull)
		return
	case s.cfg.ProtectedMode && s.cfg.RequirePass == "" && !local: // CONN-23
		s.refuse(fd, textDenied)
		return
	}
	c := &conn{fd: fd, tag: s.table.nextTag(), interest: kernel.Readable,
		addr: redisAddr(addr), local: local, listener: l, created: s.mono, active: s.mono}
	if err := s.k.Watch(fd, c.tag, c.interest); err != nil {
		s.refuse(fd, textFull) // beyond what this poller can watch
		return
	}
	s.nextID++ // CONN-18
	c.Session = s.x.NewSession(s.nextID)
	c.Owner = c
	s.table.add(c)
	s.count(c)
	s.stats.connections++
	if s.observer != nil {
		s.observer.Joined(c.ID, addr)
	}
	if secs := s.cfg.KeepaliveSecs; secs > 0 && !l.unix {
		if err := s.k.Keepalive(fd, int(secs)); err != nil {
			s.log.verbose("no keepalive", "addr", addr, "error", err)
		}
	}
	s.log.verbose("accepted", "id", c.ID, "addr", addr)
}

// refuse tells a stranger why, as far as its empty socket buffer takes it, and closes.
func (s *Server) refuse(fd kernel.FD, text string) {
	s.stats.rejected++
	if _, err := s.k.Write(fd, []byte(text)); err != nil {
		s.log.verbose("refusal not delivered", "error", err)
	}
	if err := s.k.Close(fd); err != nil {
		s.log.warning("close failed", "error", err)
	}
}

// redisAddr is an address as Redis shows it: a path has a port too.
func redisAddr(addr string) string {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return path + ":0"
	}
	return addr
}

// isLoopback says whether a peer's "ip:port" is on this machine.
func isLoopback(addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}
