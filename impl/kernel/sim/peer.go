// The client's side of the simulated world.
//
//	Send -> sent -> (Wait) -> arrived -> the server's Read
//	the server's Write -> waiting -> Recv

package sim

import (
	"fmt"
	"slices"
	"strings"

	"rondo/impl/kernel"
)

// Peer is a client of the simulated server, in the hands of the test.
type Peer struct {
	k      *Kernel
	remote string // its address as the server sees it

	sent    []byte // on its way to the server
	arrived []byte // in the server's receive buffer, RecvBytesMax at most
	waiting []byte // in the server's send buffer, SendBytesMax at most, for Recv to take

	finished bool // the peer sends no more
	gone     bool // the peer has closed: it reads no more either
	reset    bool // the connection is broken in both directions
	done     bool // the server sends no more
	closed   bool // the server has closed its end
}

// Connect opens a connection to a listening address, from the loopback. If nobody listens there
// the peer is closed from the beginning: the connection was refused.
func (k *Kernel) Connect(addr string) *Peer {
	if strings.HasPrefix(addr, "unix:") {
		return k.ConnectFrom(addr, addr)
	}
	k.port++
	return k.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", k.port), addr)
}

// ConnectFrom is Connect with the address that the server is to see.
func (k *Kernel) ConnectFrom(remote, addr string) *Peer {
	p := &Peer{k: k, remote: remote}
	if l := k.listener(addr); l != nil {
		l.backlog = append(l.backlog, p)
	} else {
		p.closed, p.reset = true, true
	}
	return p
}

// Remote is the peer's address as the server sees it.
func (p *Peer) Remote() string { return p.remote }

// Send puts data on its way, or breaks the connection if the server has closed it. It never
// blocks: the network holds what the server has no room for.
func (p *Peer) Send(data string) {
	if p.finished {
		panic("sim: Send after CloseWrite or Close")
	}
	if p.closed { // nobody is there: the answer tears away what has not arrived
		p.reset, p.waiting = true, nil
		return
	}
	p.sent = append(p.sent, data...)
}

// Recv takes everything the server has written so far, and so makes room for more.
func (p *Peer) Recv() string {
	data := string(p.waiting)
	p.waiting = p.waiting[:0]
	return data
}

// CloseWrite ends the peer's sending side; it can still Recv.
func (p *Peer) CloseWrite() { p.finished = true }

// Close ends both: what the server writes from now on is answered with a reset.
func (p *Peer) Close() { p.finished, p.gone = true, true }

// Reset breaks the connection: the server's next read or write finds it.
func (p *Peer) Reset() {
	p.finished, p.gone, p.reset = true, true, true
	p.sent, p.arrived, p.waiting = nil, nil, nil
}

// Closed says whether the server has closed its end, or at least its sending side. What it wrote
// before may still be there for Recv.
func (p *Peer) Closed() bool { return p.closed || p.done }

// Broken says whether the connection was refused or reset.
func (p *Peer) Broken() bool { return p.reset }

func (p *Peer) deliver(room int) {
	n := min(room-len(p.arrived), len(p.sent))
	if n > 0 {
		p.arrived = append(p.arrived, p.sent[:n]...)
		p.sent = slices.Delete(p.sent, 0, n)
	}
}

// ended says that the server has read all there will ever be.
func (p *Peer) ended() bool { return p.finished && p.read() }

// read says that the server has read all that was sent so far.
func (p *Peer) read() bool { return len(p.sent) == 0 && len(p.arrived) == 0 }

func (p *Peer) ready() kernel.Interest {
	if p.reset {
		return kernel.Readable | kernel.Writable
	}
	var in kernel.Interest
	if len(p.arrived) > 0 || p.ended() {
		in |= kernel.Readable
	}
	if p.gone || len(p.waiting) < p.k.SendBytesMax {
		in |= kernel.Writable
	}
	return in
}
