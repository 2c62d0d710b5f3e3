package rhythm

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"rondo/check/wire"
)

// This file is what other clients do to the one thread by being slow, greedy or many.

// read asks on a connection of its own and hands over the lines of the reply while more says so. A
// first line that is an error is returned as one.
func (s *stage) read(words []string, more func(line []byte) bool) error {
	c, closed, err := s.socket()
	if err != nil {
		return err
	}
	defer closed()
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	if _, err := c.Write(wire.AppendCommand(nil, args...)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(c, 64<<10)
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && line[0] == '-':
			return refused{words[0], string(line[1 : len(line)-2])}
		case !more(line):
			return nil
		}
	}
}

// slowValues are what the slow reader asks for.
func slowValues(s *stage) error {
	if err := s.flush(); err != nil {
		return err
	}
	value := make([]byte, slowValue)
	return s.flood(1, 1, func(b []byte, _ int) []byte {
		return wire.AppendCommand(b, []byte("SET"), []byte(bigKey), value)
	})
}

func slowReader(s *stage) error {
	c, closed, err := s.socket()
	if err != nil {
		return err
	}
	defer closed()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(slowReads) // or the kernel would read in its place
	}
	var out []byte
	for range max(s.opt.Big/slowValue, 1) {
		out = wire.AppendCommand(out, []byte("GET"), []byte(bigKey))
	}
	if _, err := c.Write(out); err != nil {
		return err
	}
	in := make([]byte, slowReads)
	taken := 0
	for until := time.Now().Add(min(slowTime, s.opt.Limit/2)); time.Now().Before(until); {
		n, err := c.Read(in)
		taken += n
		if err == io.EOF {
			s.note = "the server closed the connection"
			return nil
		}
		if err != nil {
			return err
		}
		if err := Pause(s.ctx, slowPause); err != nil {
			return err
		}
	}
	s.note = fmt.Sprintf("%d MB taken when it left", taken>>20)
	return nil
}

// deepPipeline writes and reads at the same time, or both sides would wait for the other.
func deepPipeline(s *stage) error {
	c, closed, err := s.socket()
	if err != nil {
		return err
	}
	defer closed()
	var out []byte
	for range pipelineDepth {
		out = append(out, probeSends[1]...)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write(out)
		wrote <- err
	}()
	in := bufio.NewReaderSize(c, 64<<10)
	for range 2 * pipelineDepth { // a value has two lines
		if _, err := in.ReadSlice('\n'); err != nil {
			return err
		}
	}
	return <-wrote
}

// connections opens many at once, each of which asks once, and closes them at once.
func connections(s *stage) error {
	most := stormConns
	if limit := Descriptors(); limit > 0 {
		most = min(most, limit/2)
	}
	s.note = grouped(most) + " connections, " + strconv.Itoa(stormRounds) + " times"
	for range stormRounds {
		if err := s.dialMany(most); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) dialMany(n int) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	var conns []net.Conn
	for i := range stormDialers {
		wg.Go(func() {
			for range (n + stormDialers - 1 - i) / stormDialers {
				c, err := s.dialOne()
				mu.Lock()
				if err != nil {
					failed = err
				} else {
					conns = append(conns, c)
				}
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, c := range conns {
		c.Close()
	}
	return failed
}

func (s *stage) dialOne() (net.Conn, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	c, err := s.t.Socket()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // ports that wait after a close would be used up
	}
	_ = c.SetDeadline(time.Now().Add(s.opt.Limit))
	var line [64]byte
	_, err = c.Write(probeSends[0])
	if err == nil {
		_, err = c.Read(line[:])
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
