package world

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"

	"rondo/check/explore"
	"rondo/impl/kernel"
	"rondo/impl/kernel/sim"
)

// port is the simulated kernel as the server of a world has it: every call goes through, and is noted.
type port struct {
	*sim.Kernel
	w     *World
	trace hash.Hash
	line  []byte

	names map[string]*Client // by address
	fds   map[kernel.FD]*Client

	working bool  // between the two readings of the processor clock that bound maintenance
	since   int64 // the first of them
}

func newPort(w *World) *port {
	return &port{Kernel: w.Kernel, w: w, trace: sha256.New(), names: map[string]*Client{},
		fds: map[kernel.FD]*Client{}}
}

// note adds a call to the trace.
func (p *port) note(what string, number int, data []byte) {
	b := append(p.line[:0], what...)
	b = binary.AppendVarint(b, int64(number))
	b = binary.AppendVarint(b, p.Kernel.Wall())
	b = binary.AppendUvarint(b, uint64(len(data)))
	b = append(b, data...)
	p.line = b
	p.trace.Write(b)
}

func (p *port) sum() string { return hex.EncodeToString(p.trace.Sum(nil)) }

// name is whose descriptor it is.
func (p *port) name(fd kernel.FD) string {
	if c := p.fds[fd]; c != nil {
		return c.Name
	}
	return fmt.Sprintf("descriptor %d", fd)
}

func (p *port) Accept(fd kernel.FD) (kernel.FD, string, error) {
	conn, addr, err := p.Kernel.Accept(fd)
	p.note("accept", int(conn), []byte(addr))
	if err == nil {
		p.fds[conn] = p.names[addr]
		p.w.show(explore.Row{Kernel: p.name(conn) + " is accepted"})
	}
	return conn, addr, err
}

func (p *port) Close(fd kernel.FD) error {
	p.note("close", int(fd), nil)
	p.w.show(explore.Row{Kernel: "the server closes " + p.name(fd)})
	delete(p.fds, fd)
	return p.Kernel.Close(fd)
}

func (p *port) CloseWrite(fd kernel.FD) bool {
	p.note("end", int(fd), nil)
	return p.Kernel.CloseWrite(fd)
}

func (p *port) Read(fd kernel.FD, buf []byte) (int, error) {
	n, err := p.Kernel.Read(fd, buf)
	p.note("read", int(fd), buf[:n])
	p.happened(fd, "read of", n, len(buf), err)
	return n, err
}

func (p *port) Write(fd kernel.FD, buf []byte) (int, error) {
	n, err := p.Kernel.Write(fd, buf)
	p.note("write", int(fd), buf[:n])
	p.happened(fd, "written for", n, len(buf), err)
	return n, err
}

func (p *port) Writev(fd kernel.FD, bufs [][]byte) (int, error) {
	n, err := p.Kernel.Writev(fd, bufs)
	size, left := 0, n
	for _, b := range bufs {
		size += len(b)
		p.note("write", int(fd), b[:min(left, len(b))])
		left -= min(left, len(b))
	}
	p.happened(fd, "written for", n, size, err)
	return n, err
}

// happened shows a read or a write, of n bytes where there was room for more.
func (p *port) happened(fd kernel.FD, what string, n, room int, err error) {
	switch {
	case !p.w.options.Shown:
	case err != nil:
		p.w.show(explore.Row{Kernel: fmt.Sprintf("%s %s: %v", what, p.name(fd), err)})
	case what == "read of" || n == room:
		p.w.show(explore.Row{Kernel: fmt.Sprintf("%d bytes %s %s", n, what, p.name(fd))})
	default:
		p.w.show(explore.Row{Kernel: fmt.Sprintf("%d of %d bytes %s %s", n, room, what, p.name(fd))})
	}
}

func (p *port) Watch(fd kernel.FD, tag uint64, in kernel.Interest) error {
	p.note("watch", int(fd), []byte{byte(in)})
	return p.Kernel.Watch(fd, tag, in)
}

func (p *port) Wait(ev []kernel.Event, untilMono int64) (int, error) {
	n, err := p.Kernel.Wait(ev, untilMono)
	p.note("wait", n, binary.AppendVarint(nil, untilMono))
	for _, e := range ev[:n] {
		p.note("event", int(e.FD), []byte{byte(e.Ready)})
	}
	return n, err
}

// CPU bounds maintenance, before and after: its parts have budgets of time, and may exceed them by one
// unit of work (LOOP-17), which takes a reading of the clock at most.
func (p *port) CPU() int64 {
	now := p.Kernel.CPU()
	if p.working = !p.working; p.working {
		p.since = now
		return now
	}
	most := int64(maintenanceMax + maintenanceParts*2*p.w.options.ReadingCost)
	if took := now - p.since; took > most && p.w.options.ReadingCost > 0 {
		_ = p.w.fail(explore.Broken("LOOP-17", "maintenance took %v of a turn, and may %v",
			time.Duration(took), time.Duration(most)))
	}
	return now
}

// The budgets of what a turn does beside serving clients: two slices of 250 us, expiry and
// housekeeping, and half a millisecond of eviction, each of which ends with the unit that exceeds it.
const (
	maintenanceMax   = time.Millisecond
	maintenanceParts = 4
)
