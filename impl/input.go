package impl

import (
	"errors"
	"io"

	"rondo/impl/kernel"
	"rondo/impl/resp"
)

// From the socket to the executor:
//
//	readable -> receive (one read) -> execute (each complete frame) -> keep (the incomplete rest)

// readable handles one readiness of a connection: one read, however much more there is (LOOP-7).
// Level-triggered polling brings the rest in the next turn, after everybody else's.
func (s *Server) readable(c *conn) {
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
	// The one reading of the wall clock for every command of this read (TIME-17): each had
	// arrived before, none is answered, so it lies between call and return of each (TIME-5).
	s.readClock()
	c.active = s.mono
	rest := s.execute(c, buf)
	s.settle(c)
	s.keep(c, rest)
}

// receive reads once. A connection without a frame under way, or with a short one, reads into the
// arena (the short one is carried to its front); a longer one grows in its own buffer, and a
// large argument is read to where it stays until the store takes it.
func (s *Server) receive(c *conn) (buf []byte, err error) {
	need := 0
	if c.dec != nil {
		need = c.dec.Need()
	}
	if need == 0 && len(c.in) <= carryBytesMax {
		carried := copy(s.arena, c.in)
		n, err := s.k.Read(c.fd, s.arena[carried:carried+readBytesMax])
		s.stats.received(n, err)
		return s.arena[:carried+n], err
	}
	room := max(growBytesMin, len(c.in))
	if need > 0 { // exactly to the end of the argument, so that nothing behind it has to move
		room = min(need, max(trustBytesMax, len(c.in)))
	}
	c.in = s.pool.more(c.in, room)
	end := min(cap(c.in), len(c.in)+readBytesMax)
	if need > 0 {
		end = min(cap(c.in), len(c.in)+need)
	}
	n, err := s.k.Read(c.fd, c.in[len(c.in):end])
	s.stats.received(n, err)
	c.in = c.in[:len(c.in)+n]
	return c.in, err
}

// execute runs the complete frames of buf in order (CONN-3) and returns what is left over. After
// a frame that ends the connection nothing is left. Of a pipeline some frames are decoded ahead, so
// that the memory of their keys is on its way when they are executed.
func (s *Server) execute(c *conn, buf []byte) (rest []byte) {
	s.current = c
	s.lend(c)
	c.OutMax = c.sent + s.hardLimit
	dec := s.decoder(c)
	for len(buf) > 0 {
		frames := dec.Ahead(buf, s.decodeLimits(c), s.frames[:0])
		switch len(frames) {
		case 0:
			args, n, err := dec.Next(buf, s.decodeLimits(c))
			if err != nil {
				s.stats.protocolErrors++
				c.Out = resp.AppendError(c.Out, "ERR "+err.Error())
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
			frames = append(frames, resp.Frame{Args: args, Bytes: n})
		case 1:
		default:
			s.x.Warm(&c.Session, frames)
		}
		for _, f := range frames {
			buf = buf[f.Bytes:]
			s.x.Run(&c.Session, f.Args)
			// One test for all that can end a batch: QUIT, CLIENT KILL, the output limit, SHUTDOWN.
			if c.CloseAfter || c.CloseNow != "" || c.owed() >= s.hardLimit || s.ending {
				return nil
			}
		}
	}
	return nil
}

// decodeLimits are those of a stranger until the connection has authenticated (WIRE-23).
func (s *Server) decodeLimits(c *conn) *resp.Limits {
	if !c.Authenticated && s.cfg.RequirePass != "" {
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
	room := len(rest) + min(c.dec.Need(), trustBytesMax)
	c.in = append(s.pool.more(c.in[:0], room), rest...)
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
	s.pool.put(c.in)
	c.in = nil
}
