package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rondo/check/wire"
)

// fake is a server with one thread, a mutex, and one weakness or none. It is a process of its own,
// since one weakness is to end, and one is to have no descriptors.
type fake struct {
	weak     string
	thread   sync.Mutex
	values   map[string][]byte // as replies, since some are large
	counters map[string]int
	accepted atomic.Int64
}

const (
	waitsForTheRest = "a request that has begun is waited for"
	cutsTheSlow     = "who sends nothing for a while is closed"
	blocksOnWrites  = "a reply is written by the thread"
	refusesSome     = "some of many connections are closed"
	stray           = "with many connections answers are cut short"
	diesAtReset     = "a reset ends the process"
	givesUp         = "who takes nothing for a while is closed"
	deafForever     = "an error of accept ends the accepting"
	countsTwice     = "with many connections INCR counts twice"
	halts           = "with many connections the thread halts"
)

const (
	many      = 100 // connections
	shortTime = 100 * time.Millisecond
)

func serveFake(addr, weak string) error {
	f := &fake{weak: weak, values: map[string][]byte{}, counters: map[string]int{}}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			if f.weak == deafForever {
				select {}
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		n := f.accepted.Add(1)
		if f.weak == refusesSome && n%many == 0 {
			c.Close()
			continue
		}
		if f.weak == halts && n == many {
			f.thread.Lock()
			time.AfterFunc(2*testWindow, f.thread.Unlock)
		}
		go f.serve(c)
	}
}

// serve reads on one goroutine and writes on another, so that the thread waits for neither.
func (f *fake) serve(c net.Conn) {
	defer c.Close()
	replies := make(chan []byte, 1<<14)
	defer close(replies)
	go f.write(c, replies)
	var in []byte
	chunk := make([]byte, 64<<10)
	for {
		if f.weak == cutsTheSlow && len(in) > 0 {
			_ = c.SetReadDeadline(time.Now().Add(shortTime))
		}
		n, err := c.Read(chunk)
		if f.weak == diesAtReset && err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			os.Exit(1)
		}
		if err != nil {
			return
		}
		in = append(in, chunk[:n]...)
		if in, err = f.execute(c, in, replies); err != nil {
			return
		}
	}
}

// execute runs what is there of a connection's requests.
func (f *fake) execute(c net.Conn, in []byte, replies chan []byte) ([]byte, error) {
	f.thread.Lock()
	defer f.thread.Unlock()
	for {
		args, n, err := wire.RequestLimits{BulkBytesMax: 1 << 20}.Parse(in)
		if err != nil {
			return nil, err
		}
		switch {
		case n > 0:
		case f.weak == waitsForTheRest && len(in) > 0:
			more := make([]byte, 1)
			if _, err := c.Read(more); err != nil {
				return nil, err
			}
			in = append(in, more...)
			continue
		default:
			return in, nil
		}
		in = in[n:]
		reply := f.reply(args)
		if f.weak == blocksOnWrites {
			_, _ = c.Write(reply)
		} else {
			replies <- reply
		}
	}
}

func (f *fake) write(c net.Conn, replies chan []byte) {
	for reply := range replies {
		if f.weak == givesUp {
			_ = c.SetWriteDeadline(time.Now().Add(shortTime))
		}
		if _, err := c.Write(reply); err != nil {
			c.Close()
		}
	}
}

// arity is of what it knows.
var arity = map[string]int{"PING": 1, "ECHO": 2, "SET": 3, "DEL": 2, "GET": 2, "INCR": 2}

func (f *fake) reply(args [][]byte) []byte {
	crowded := f.accepted.Load() > many
	name := ""
	if len(args) == arity[strings.ToUpper(string(args[0]))] {
		name = strings.ToUpper(string(args[0]))
	}
	switch name {
	case "PING":
		return []byte("+PONG\r\n")
	case "ECHO":
		if f.weak == stray && crowded {
			return bulk(args[1][1:])
		}
		return bulk(args[1])
	case "SET":
		f.values[string(args[1])] = bulk(args[2])
		return []byte("+OK\r\n")
	case "DEL":
		delete(f.values, string(args[1]))
		delete(f.counters, string(args[1]))
		return []byte(":1\r\n")
	case "GET":
		if v, ok := f.values[string(args[1])]; ok {
			return v
		}
		return []byte("$-1\r\n")
	case "INCR":
		n := f.counters[string(args[1])] + 1
		if f.weak == countsTwice && crowded {
			n++
		}
		f.counters[string(args[1])] = n
		f.values[string(args[1])] = bulk([]byte(strconv.Itoa(n)))
		return fmt.Appendf(nil, ":%d\r\n", n)
	}
	return []byte("-ERR unknown command\r\n")
}
