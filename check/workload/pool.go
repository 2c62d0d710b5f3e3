package workload

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// pool keeps the connections that no client uses at the moment. A client of the history is one
// client of one group; that the next group uses its connection again costs nothing and hides
// nothing: no transaction and no watch is left on it.
type pool struct {
	run    *run
	mu     sync.Mutex
	free   []*wire.Conn
	dialed int
}

// get returns a connection that answers.
func (p *pool) get() (*wire.Conn, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		conn := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return conn, nil
	}
	p.dialed++
	n := p.dialed
	p.mu.Unlock()
	return p.dial(n)
}

func (p *pool) put(conn *wire.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, conn)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.free {
		conn.Close()
	}
	p.free = nil
}

// dial opens the n-th connection. A server that has no room for it, or is not there for a moment,
// is asked again for a while: how many connections it serves is for the suite to judge.
func (p *pool) dial(n int) (*wire.Conn, error) {
	for deadline := time.Now().Add(p.run.patience()); ; {
		conn, err := p.try(n)
		if err == nil || p.run.over.Load() || time.Now().After(deadline) {
			return conn, err
		}
		time.Sleep(DialPause)
	}
}

// try connects and waits for the first answer, since a server that has no room says so there. Every
// fourth connection speaks RESP3, which must make no difference to a history.
func (p *pool) try(n int) (*wire.Conn, error) {
	conn, err := p.run.target.Dial()
	if err != nil {
		return nil, err
	}
	conn.KeepLog(false)
	resp3 := p.run.target.Caps().RESP3 && n%4 == 0
	greeting := []string{"PING"}
	if resp3 {
		greeting = []string{"HELLO", "3"}
	}
	reply, err := conn.Do(greeting...)
	switch {
	case err == nil && p.run.refused(reply):
		err = errors.New(reply.Str)
	case err == nil && reply.Kind == model.Error && !strings.HasPrefix(reply.Str, "ERR max number"):
		p.run.broke(map[bool]string{false: "CONN-1", true: "WIRE-19"}[resp3],
			fmt.Sprintf("%s failed: %s", strings.Join(greeting, " "), reply.Str))
	case err == nil && reply.Kind == model.Error:
		err = errors.New(reply.Str)
	case err == nil:
		return conn, nil
	}
	conn.Close()
	return nil, err
}
