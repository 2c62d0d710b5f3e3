package impl

import "math/bits"

// Where bytes are while they are not on a socket and not in the keyspace. Three places:
//
//	the read arena   one for the server: every read that begins a frame lands here
//	the lent arena   one for the server: the replies of one turn, cut into one piece per connection
//	the pool         buffers of connections that need one longer than a turn: an incomplete
//	                 frame, or replies that the socket did not take
//
// So an idle connection owns no buffer, and a busy one makes no garbage. A transaction does: its
// queue is in none of them, but in the session (command/tx.go).

// pool keeps buffers for reuse, in classes of which four make a doubling.
type pool struct {
	free [poolClasses][][]byte
}

const poolClasses = 1 + 4*11 // from poolBytesMin to poolBytesMax

// get returns an empty buffer with room for n bytes.
func (p *pool) get(n int) []byte {
	class := classUp(n)
	if class >= poolClasses {
		return make([]byte, 0, n)
	}
	free := p.free[class]
	if len(free) == 0 {
		return make([]byte, 0, classSize(class))
	}
	b := free[len(free)-1]
	free[len(free)-1] = nil
	p.free[class] = free[:len(free)-1]
	return b
}

// put takes a buffer back, unless it is of an odd size or there are enough.
func (p *pool) put(b []byte) {
	class := classUp(cap(b))
	if class >= poolClasses || cap(b) != classSize(class) {
		return
	}
	if (len(p.free[class])+1)*cap(b) <= poolClassMax {
		p.free[class] = append(p.free[class], b[:0])
	}
}

// more makes room for n more bytes behind b.
func (p *pool) more(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	next := append(p.get(len(b)+n), b...)
	p.put(b)
	return next
}

// classUp is the smallest class that holds n bytes.
func classUp(n int) int {
	if n <= poolBytesMin {
		return 0
	}
	doubling := bits.Len(uint((n-1)/poolBytesMin)) - 1
	quarter := poolBytesMin << doubling / 4
	return 4*doubling + (n-1)/quarter - 3
}

// classSize is the size of the buffers of a class.
func classSize(class int) int {
	if class == 0 {
		return poolBytesMin
	}
	doubling, quarters := (class-1)/4, (class-1)%4+1
	return poolBytesMin<<doubling + poolBytesMin<<doubling/4*quarters
}

// lender gives each connection that executes something the tail of one arena to append to.
type lender struct {
	arena []byte
	used  int
}

// full says that the tail is too short for the replies of another connection.
func (l *lender) full() bool { return len(l.arena)-l.used < lendBytesMin }

// tail is what is free of the arena.
func (l *lender) tail() []byte { return l.arena[l.used:l.used] }

// keep marks out, which was appended to the tail, as taken. It returns false if nothing was
// appended, or if out has outgrown the tail and append has moved it away. What is kept has no
// spare capacity: to append to it later moves it too.
func (l *lender) keep(out []byte) (kept []byte, lent bool) {
	if len(out) == 0 {
		return nil, false
	}
	if &out[0] != &l.arena[l.used] {
		return out, false
	}
	l.used += len(out)
	return out[:len(out):len(out)], true
}
