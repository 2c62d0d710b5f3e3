package sim

import "encoding/binary"

// Fingerprint appends all that the world's future depends on, but for what its peers are going to do,
// how far the clocks may go (Horizon), and the faults, which an explorer has no use for. The clocks
// themselves are left out, too: a server that asks what time it is must be told apart by who asks.
func (k *Kernel) Fingerprint(b []byte) []byte {
	random, _ := k.random.MarshalBinary() // documented never to fail
	b = append(b, random...)
	b = binary.AppendUvarint(b, uint64(k.next))
	b = binary.AppendUvarint(b, uint64(len(k.jobs)))
	b = binary.AppendUvarint(b, uint64(len(k.done)))
	b = append(b, bit(k.woken.Load()))
	for _, s := range k.sockets {
		if s == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1, byte(s.in))
		b = binary.AppendUvarint(b, s.tag)
		b = binary.AppendUvarint(b, uint64(len(s.backlog)))
		if s.peer != nil {
			b = s.peer.Fingerprint(b)
		}
	}
	return b
}

// Fingerprint appends the state of a connection as the network has it.
func (p *Peer) Fingerprint(b []byte) []byte {
	b = append(b, bit(p.Held), bit(p.finished), bit(p.cut), bit(p.gone), bit(p.dead), bit(p.reset),
		bit(p.done), bit(p.closed))
	b = binary.AppendVarint(b, int64(p.fd))
	b = binary.AppendUvarint(b, uint64(p.arrived))
	for _, s := range []*stream{&p.inbound, &p.waiting} {
		b = binary.AppendUvarint(b, uint64(s.len()))
		b = append(b, s.bytes()...)
	}
	return b
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}
