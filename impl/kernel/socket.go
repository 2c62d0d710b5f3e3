//go:build linux || darwin || freebsd || netbsd || dragonfly

// Sockets: listen, accept, close, and the errors that a caller tells apart.

package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// backlog is how many connections wait to be accepted. The system may have a lower bound.
const backlog = 511

const unixPrefix = "unix:"

// listener is what is known of a listening socket.
type listener struct {
	addr string
	path string      // of a unix socket: the file to remove
	file fs.FileInfo // and which file that was
}

// ---- listen ----

// Listen takes "host:port" or "unix:PATH". Without a host it listens on all addresses, of IPv4
// and IPv6 where there is such.
func (o *OS) Listen(addr string) (FD, error) {
	listen, at := o.listenTCP, addr
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		listen, at = o.listenUnix, path
	}
	fd, err := listen(at)
	if err != nil {
		return 0, fmt.Errorf("listen at %s: %w", addr, err)
	}
	return fd, nil
}

func (o *OS) listenTCP(addr string) (FD, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return 0, err
	}
	tcp, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(addr, "*"))
	if err != nil {
		return 0, err
	}
	if tcp.IP != nil {
		return o.listenIP(tcp.AddrPort(), true)
	}
	any6 := netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(tcp.Port))
	fd, err := o.listenIP(any6, false)
	if err == nil || errors.Is(err, unix.EADDRINUSE) {
		return fd, err
	}
	return o.listenIP(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(tcp.Port)), true)
}

// listenIP listens on one address; only6 keeps "::" from taking the IPv4 port as well.
func (o *OS) listenIP(at netip.AddrPort, only6 bool) (FD, error) {
	family, sa, err := sockaddr(at)
	if err != nil {
		return 0, err
	}
	fd, err := newSocket(family)
	if err != nil {
		return 0, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, number(only6))
	}
	if err == nil {
		err = bindAndListen(fd, sa)
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	o.listeners[FD(fd)] = listener{addr: addrOf(bound)}
	return FD(fd), nil
}

// errNotSocket: to remove what may be somebody's data is not ours to decide.
var errNotSocket = errors.New("a file that is no socket is there")

func (o *OS) listenUnix(path string) (FD, error) {
	if path == "" {
		return 0, unix.EINVAL // Linux would make up a name
	}
	fd, err := newSocket(unix.AF_UNIX)
	if err != nil {
		return 0, err
	}
	sa := &unix.SockaddrUnix{Name: path}
	err = bindAndListen(fd, sa)
	if err == unix.EADDRINUSE {
		if file, _ := os.Lstat(path); file != nil && file.Mode().Type() != fs.ModeSocket {
			err = errNotSocket
		} else if removeStale(path) {
			err = bindAndListen(fd, sa)
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	file, _ := os.Lstat(path)
	o.listeners[FD(fd)] = listener{addr: unixPrefix + path, path: path, file: file}
	return FD(fd), nil
}

// removeStale removes the file of a socket that nobody listens on: its server was killed. A file
// of another kind refuses a connection too, so path must be that of a socket.
func removeStale(path string) bool {
	probe, err := newSocket(unix.AF_UNIX)
	if err != nil {
		return false
	}
	defer unix.Close(probe)
	if unix.Connect(probe, &unix.SockaddrUnix{Name: path}) != unix.ECONNREFUSED {
		return false
	}
	return os.Remove(path) == nil
}

func bindAndListen(fd int, sa unix.Sockaddr) error {
	if err := unix.Bind(fd, sa); err != nil {
		return err
	}
	return unix.Listen(fd, backlog)
}

func (o *OS) Addr(fd FD) string {
	if l, ok := o.listeners[fd]; ok {
		return l.addr
	}
	local, err := unix.Getsockname(int(fd))
	if err != nil {
		return ""
	}
	return addrOf(local)
}

// ---- accept, close ----

func (o *OS) Accept(fd FD) (FD, string, error) {
	for {
		conn, peer, err := acceptSocket(int(fd))
		switch err {
		case nil:
			return FD(conn), o.introduce(fd, conn, peer), nil
		case unix.EINTR:
		default:
			return 0, "", acceptFailure(err)
		}
	}
}

// introduce gives the peer's address. A client of a unix socket has none but the server's.
func (o *OS) introduce(listening FD, conn int, peer unix.Sockaddr) string {
	if o.listeners[listening].path != "" {
		return o.listeners[listening].addr
	}
	// This fails if the peer is gone already, which the first read finds.
	_ = unix.SetsockoptInt(conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	return addrOf(peer)
}

// Keepalive asks for three probes within the time once more, as Redis does: a dead peer is
// found after twice the seconds at most.
func (o *OS) Keepalive(fd FD, seconds int) error {
	if sa, err := unix.Getsockname(int(fd)); err != nil || isUnix(sa) {
		return err // a unix socket has no peer that could vanish unnoticed
	}
	set := func(level, option, value int) error {
		return unix.SetsockoptInt(int(fd), level, option, value)
	}
	if seconds <= 0 {
		return set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
	}
	return errors.Join(
		set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1),
		set(unix.IPPROTO_TCP, keepIdle, seconds),
		set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(1, seconds/3)),
		set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3),
	)
}

// Close ends a connection or stops listening. The file of a unix socket is removed, if it is
// still ours: another server may have replaced it.
func (o *OS) Close(fd FD) error {
	if l, ok := o.listeners[fd]; ok {
		delete(o.listeners, fd)
		if file, err := os.Lstat(l.path); err == nil && l.file != nil && os.SameFile(file, l.file) {
			_ = os.Remove(l.path)
		}
	}
	o.poller.drop(fd)
	return unix.Close(int(fd)) // not repeated after EINTR: the number may be in use again
}

// ---- addresses ----

func sockaddr(at netip.AddrPort) (family int, sa unix.Sockaddr, err error) {
	ip := at.Addr().Unmap()
	if ip.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: ip.As4()}, nil
	}
	sa6 := &unix.SockaddrInet6{Port: int(at.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		link, err := net.InterfaceByName(zone)
		if err != nil {
			return 0, nil, err
		}
		sa6.ZoneId = uint32(link.Index)
	}
	return unix.AF_INET6, sa6, nil
}

// addrOf writes an address as "ip:port"; an IPv4 peer of an IPv6 socket is an IPv4 peer.
func addrOf(sa unix.Sockaddr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)).String()
	}
	return ""
}

func isUnix(sa unix.Sockaddr) bool {
	_, ok := sa.(*unix.SockaddrUnix)
	return ok
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ---- errors ----

// failure of a read or write. To box an Errno this small costs no allocation.
func failure(errno unix.Errno) error {
	if errno == unix.EAGAIN {
		return ErrAgain
	}
	return errno
}

// acceptFailure tells what concerns the listener from what concerns the one peer: some systems
// hand out errors of the new connection here, and so does a firewall.
func acceptFailure(err error) error {
	switch err {
	case unix.EAGAIN:
		return ErrAgain
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		return ErrNoDescriptors
	case unix.ECONNABORTED, unix.EPROTO, unix.EPERM, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
		unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH:
		return ErrAborted
	}
	return err
}
