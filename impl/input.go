package impl

import (
	"errors"
	"io"

	"rondo/impl/kernel"
	"rondo/impl/resp"
	"rondo/impl/store"
)

// From the socket to the executor:
//
//	readable -> receive (one read) -> serveArrived (some at a time) -> serve
//	serve    -> execute (complete frames, as many as a turn may) -> keep (the rest)
//	goOn     -> serve, in the next turn, for a rest that need not wait for more

// readable handles one readiness of a connection: one read, however much more there is (LOOP-7).
// Level-triggered polling brings the rest in the next turn, after everybody else's. What has arrived is
// served together with what others send, by serveArrived.
func (s *Server) readable(c *conn) {
	if c.behind || c.served == s.turns { // what has been read comes first (goOn)
		return
	}
	buf, err := s.receive(c)
	switch {
	case err == nil:
	case errors.Is(err, kernel.ErrAgain): // LOOP-2: readiness was only a hint
		return
	case errors.Is(err, io.EOF):
		s.finish(c) // CONN-5: what it is owed is still written; a half frame is dropped (WIRE-3)
		return
	default:
		s.fail(c, "broke off", err)
		return
	}
	if int64(len(buf)) > s.cfg.QueryBytesMax {
		s.fail(c, "exceeded client-query-buffer-limit", nil) // CONN-14
		return
	}
	c.active = s.mono
	s.arrived = append(s.arrived, arrival{c, buf})
	if len(s.arrived) == arrivedMax || len(s.arena)-s.taken < carryBytesMax+readBytesMax {
		s.serveArrived()
	}
}

// arrival is what one read brought, behind what there was of its frame.
type arrival struct {
	c   *conn
	buf []byte
}

// serveArrived serves those that have been read from, in that order, unless one before them has ended
// them. The memory of their first keys is brought near before, for all at once.
func (s *Server) serveArrived() {
	if len(s.arrived) == 0 {
		return
	}
	if len(s.arrived) > 1 {
		db, keys := s.arrived[0].c.DB, s.keys[:0]
		for _, a := range s.arrived {
			if key := resp.FirstKey(a.buf); key != nil && a.c.DB == db {
				keys = append(keys, key)
			}
		}
		s.x.DB(db).Warm(keys)
	}
	s.x.Begin(s.readClock())
	for i, a := range s.arrived {
		s.arrived[i] = arrival{}
		if a.c.state == serving && !s.ending {
			s.serve(a.c, a.buf)
		}
	}
	s.arrived, s.taken = s.arrived[:0], 0
}

// serve executes what has arrived, at the last reading of the wall clock. There is one for all that was
// read together (TIME-17): each command had arrived before, none is answered, so it lies between call
// and return of each (TIME-5).
func (s *Server) serve(c *conn, buf []byte) {
	rest := s.execute(c, buf)
	s.x.Settle()
	s.settle(c)
	s.keep(c, rest)
	s.count(c)
}

// goOn serves those that had sent more than the last turn could take (LOOP-18).
func (s *Server) goOn() {
	if len(s.goingOn) == 0 {
		return
	}
	s.x.Begin(s.readClock())
	for i, c := range s.goingOn {
		s.goingOn[i] = nil
		c.behind, c.served = false, s.turns
		if c.state == serving && !s.ending {
			s.serve(c, c.in)
		}
	}
}

// receive reads once. A connection without a frame under way, or with a short one, reads into what is
// free of the arena (the short one is carried there); a longer one grows in its own buffer. A large
// argument is read to where it can stay when the store takes it, and so is what follows one.
func (s *Server) receive(c *conn) (buf []byte, err error) {
	need := 0
	if c.dec != nil {
		need = c.dec.Need()
	}
	switch {
	case need > 0: // exactly to the end of the argument, so that nothing behind it has to move
		s.extend(c, min(need, max(trustBytesMax, len(c.in)))+tailBytes, true)
	case len(c.in) > carryBytesMax:
		need = readBytesMax
		if c.block.Bytes == nil || len(c.in) == cap(c.in) {
			s.extend(c, max(growBytesMin, len(c.in)), false)
		}
	case c.large > 0 && len(c.in) == 0:
		need = c.large
		s.extend(c, need, true)
	default:
		arena := s.arena[s.taken:]
		carried := copy(arena, c.in)
		n, err := s.k.Read(c.fd, arena[carried:carried+readBytesMax])
		s.stats.received(n, err)
		if err == nil { // else nothing of it will be served, and it is free for the next
			s.taken += carried + n
		}
		return arena[:carried+n], err
	}
	c.large = 0
	n, err := s.k.Read(c.fd, c.in[len(c.in):min(cap(c.in), len(c.in)+need)])
	s.stats.received(n, err)
	c.in = c.in[:len(c.in)+n]
	return c.in, err
}

// extend makes room for n more bytes behind the frame under way: in a block, if it is or was one with
// a large argument.
func (s *Server) extend(c *conn, n int, large bool) {
	switch {
	case cap(c.in)-len(c.in) >= n && c.in != nil:
	case large || c.block.Bytes != nil:
		block := s.memory.Block(len(c.in) + n)
		in := append(block.Bytes[:0], c.in...)
		s.freeInput(c)
		c.in, c.block = in, block
	default:
		c.in = s.pool.more(c.in, n)
	}
}

// freeInput gives back the memory of the frame under way.
func (s *Server) freeInput(c *conn) {
	if c.block.Bytes != nil {
		s.memory.Free(c.block)
		c.block = store.Block{}
	} else {
		s.pool.put(c.in)
	}
	c.in = nil
}

// execute runs the complete frames of buf in order (CONN-3) and returns what is left over. After
// a frame that ends the connection nothing is left. Of a pipeline some frames are decoded ahead, so
// that the memory of their keys is on its way when they are executed. What is too much for one turn is
// left to goOn, and what is behind a command that waits is left until that is answered (BLOCK-9).
func (s *Server) execute(c *conn, buf []byte) (rest []byte) {
	s.current = c
	s.lend(c)
	c.OutMax = len(c.Out) + s.hardLimit - c.owed()
	dec := s.decoder(c)
	replied, enough := len(c.Out)+replyBytesMax, false
	for commands := 0; len(buf) > 0 && !c.Waiting(); {
		if commands >= commandsMax || enough {
			s.fallBehind(c)
			return buf
		}
		frames := dec.Ahead(buf, s.decodeLimits(c), s.frames[:0])
		switch len(frames) {
		case 0:
			args, n, err := dec.Next(buf, s.decodeLimits(c))
			if err != nil {
				text := "ERR " + err.Error()
				if s.observer != nil {
					s.observer.Malformed(c.ID, text)
				}
				s.x.CountError(text)
				c.Out = resp.AppendError(c.Out, text)
				c.CloseAfter = true // WIRE-13
				return nil
			}
			if n == 0 {
				return buf
			}
			if len(args) == 0 {
				buf = buf[n:] // WIRE-8
				continue
			}
			if c.block.Bytes != nil && n == len(buf) {
				s.runLarge(c, args, n)
				return nil
			}
			frames = append(frames, resp.Frame{Args: args, Bytes: n})
		case 1:
		default:
			s.x.Warm(&c.Session, frames)
		}
		commands += len(frames)
		for _, f := range frames {
			buf = buf[f.Bytes:]
			s.run(c, f.Args)
			// One test for all that can end a batch: QUIT, CLIENT KILL, the output limit, SHUTDOWN.
			if c.CloseAfter || c.CloseNow != "" || c.owed() >= s.hardLimit || s.ending {
				return nil
			}
			if enough = len(c.Out) >= replied || c.direct == s.turns; enough || c.Waiting() {
				break
			}
		}
	}
	return buf
}

// fallBehind lets what a client has sent go on in the next turn (LOOP-18).
func (s *Server) fallBehind(c *conn) {
	if !c.behind {
		c.behind = true
		s.behind = append(s.behind, c)
	}
}

// runLarge executes a frame that a block holds, alone: a value of it may stay where it is, and the
// block become the store's. Then the next frame of the connection is likely to be another such.
func (s *Server) runLarge(c *conn, args [][]byte, n int) {
	s.x.Offered = &c.block
	s.run(c, args)
	s.x.Offered = nil
	if c.block.Bytes == nil {
		c.in = nil
		if n <= hintBytesMax {
			c.large = n
		}
	}
}

// decodeLimits are those of a stranger until the connection has authenticated (WIRE-23).
func (s *Server) decodeLimits(c *conn) *resp.Limits {
	if !c.Authenticated() && s.cfg.RequirePass != "" {
		return &s.strangerLimits
	}
	return &s.limits
}

// decoder is that of the frame under way, or one of the server's that every frame which arrives
// whole goes through. It stays the connection's while a frame is incomplete (keep).
func (s *Server) decoder(c *conn) *resp.Decoder {
	if c.dec != nil {
		return c.dec
	}
	if n := len(s.decoders); n > 0 {
		c.dec = s.decoders[n-1]
		s.decoders = s.decoders[:n-1]
	} else {
		c.dec = new(resp.Decoder)
	}
	return c.dec
}

// keep stores the beginning of an incomplete frame until more of it arrives.
func (s *Server) keep(c *conn, rest []byte) {
	if len(rest) == 0 || c.state != serving {
		s.dropInput(c)
		return
	}
	if len(c.in) > 0 && &rest[len(rest)-1] == &c.in[len(c.in)-1] { // it already is there
		if len(rest) < len(c.in) {
			c.in = c.in[:copy(c.in, rest)]
		}
		return
	}
	room, need := len(rest), c.dec.Need()
	if need > 0 {
		room += min(need, trustBytesMax) + tailBytes
	}
	c.in = c.in[:0]
	s.extend(c, room, need > 0)
	c.in = append(c.in, rest...)
}

// dropInput takes the buffer and the decoder from a connection that has no frame under way, or
// whose frame is given up.
func (s *Server) dropInput(c *conn) {
	if c.dec != nil {
		if c.state != serving {
			*c.dec = resp.Decoder{} // in the middle of something
		}
		if len(s.decoders) < decodersMax {
			s.decoders = append(s.decoders, c.dec)
		}
		c.dec = nil
	}
	s.freeInput(c)
}
