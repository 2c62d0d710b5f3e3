// The client's side of the simulated world.
//
//	Send -> inbound -> (Wait, or Deliver) -> the arrived part of it -> the server's Read
//	the server's Write -> waiting -> Recv

package sim

import (
	"fmt"
	"strings"

	"rondo/impl/kernel"
)

// Peer is a client of the simulated server, in the hands of the test.
type Peer struct {
	k      *Kernel
	remote string // its address as the server sees it

	// Held says that nothing arrives by itself, but only what Deliver is told to.
	Held bool

	fd      kernel.FD // of the server's end; -1 if it has none
	inbound stream    // what was sent and not yet read
	arrived int       // how much of it is in the server's receive buffer, RecvBytesMax at most
	waiting stream    // in the server's send buffer, SendBytesMax at most, for Recv to take

	finished bool // the peer sends no more
	cut      bool // and what it tries to send is lost
	gone     bool // the peer has closed: it reads no more either
	dead     bool // it sends and takes nothing, and nobody can tell
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
	p := &Peer{k: k, remote: remote, fd: -1}
	if l := k.listener(addr); l != nil {
		l.backlog = append(l.backlog, p)
		k.hot.add(int(l.fd))
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
	switch {
	case p.cut:
	case p.finished:
		panic("sim: Send after CloseWrite or Close")
	case p.closed: // nobody is there: the answer tears away what has not arrived
		p.reset, p.waiting = true, stream{}
	default:
		p.inbound.put(data)
		p.wake()
	}
}

// Deliver lets up to n bytes arrive now, as far as the server has room for them; it returns how many
// did.
func (p *Peer) Deliver(n int) int {
	n = min(n, p.unarrived(), p.k.RecvBytesMax-p.arrived)
	p.arrived += n
	p.wake()
	return n
}

// Recv takes everything the server has written so far, and so makes room for more.
func (p *Peer) Recv() string {
	data := string(p.available())
	p.took(len(data))
	return data
}

// Read is Recv of as much as fits into buf.
func (p *Peer) Read(buf []byte) int {
	n := copy(buf, p.available())
	p.took(n)
	return n
}

// available is what a peer that lives can take.
func (p *Peer) available() []byte {
	if p.dead {
		return nil
	}
	return p.waiting.bytes()
}

func (p *Peer) took(n int) {
	p.waiting.drop(n)
	p.wake()
}

// CloseWrite ends the peer's sending side; it can still Recv.
func (p *Peer) CloseWrite() {
	p.finished = true
	p.wake()
}

// Close ends both: what the server writes from now on is answered with a reset.
func (p *Peer) Close() {
	p.finished, p.gone = true, true
	p.wake()
}

// Reset breaks the connection: the server's next read or write finds it.
func (p *Peer) Reset() {
	p.finished, p.gone, p.reset = true, true, true
	p.inbound, p.arrived, p.waiting = stream{}, 0, stream{}
	p.wake()
}

// Finished says whether the peer may send no more.
func (p *Peer) Finished() bool { return p.finished && !p.cut }

// Closed says whether the server has closed its end, or at least its sending side. What it wrote
// before may still be there for Recv.
func (p *Peer) Closed() bool { return p.closed || p.done }

// Broken says whether the connection was refused or reset.
func (p *Peer) Broken() bool { return p.reset }

// Mute says whether what the peer sends from now on is lost: a HalfClose has struck it.
func (p *Peer) Mute() bool { return p.cut }

// Dead says whether a Stall has struck it.
func (p *Peer) Dead() bool { return p.dead }

// Gone says whether the peer has closed.
func (p *Peer) Gone() bool { return p.gone }

// Waiting is how many bytes Recv would take.
func (p *Peer) Waiting() int { return len(p.available()) }

// Unread is how many bytes the server has not read of what was sent.
func (p *Peer) Unread() int { return p.inbound.len() }

// ---- as the kernel sees it ----

// wake has the kernel look at this connection again.
func (p *Peer) wake() {
	if p.fd >= 0 {
		p.k.hot.add(int(p.fd))
	}
}

// receive puts into the send buffer what the server writes.
func (p *Peer) receive(data []byte) {
	if !p.reset {
		p.waiting.putBytes(data)
	}
}

// unarrived is how many bytes are on their way.
func (p *Peer) unarrived() int { return p.inbound.len() - p.arrived }

// movable is how many of them arrive by themselves.
func (p *Peer) movable() int {
	if p.Held || p.dead {
		return 0
	}
	return min(p.unarrived(), p.k.RecvBytesMax-p.arrived)
}

// ended says that the server has read all there will ever be.
func (p *Peer) ended() bool { return p.finished && p.read() && !p.dead }

// read says that the server has read all that was sent so far.
func (p *Peer) read() bool { return p.inbound.len() == 0 }

func (p *Peer) ready() kernel.Interest {
	if p.reset {
		return kernel.Readable | kernel.Writable
	}
	var in kernel.Interest
	if p.arrived > 0 || p.ended() {
		in |= kernel.Readable
	}
	if p.gone || p.waiting.len() < p.k.SendBytesMax {
		in |= kernel.Writable
	}
	return in
}
