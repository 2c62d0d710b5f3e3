package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// This file is the generator that costs less than any server: the bytes of the requests are made
// before, and only digits are changed in them; one thread serves all connections; it reads from all
// that are ready before it writes to them, so that the server finds many requests at once and seldom
// sleeps; and replies are counted, not parsed.

// asker is one connection.
type asker struct {
	fd      int
	out     []byte // the requests of a batch
	digits  []int  // where the numbers of keys stand in out
	written int    // of out
	left    int    // bytes, or lines, of replies that are still to come
	blocked bool   // waits for room to write
}

// ask asks a server for the time of a sample and returns how many requests were answered.
func ask(ctx context.Context, addr string, w Workload, pipeline, keys int, opt Options) (requests int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		return 0, os.NewSyscallError("epoll_create1", err)
	}
	defer syscall.Close(epoll)
	g := &generator{epoll: epoll, w: w, pipeline: pipeline, keys: uint64(keys), seed: 1, in: make([]byte, 256<<10)}
	defer g.close()
	for range opt.Clients {
		if err := g.connect(addr); err != nil {
			return 0, err
		}
	}
	until := time.Now().Add(opt.Sample)
	for i := range g.askers {
		if err := g.send(&g.askers[i]); err != nil {
			return 0, err
		}
	}
	events := make([]syscall.EpollEvent, opt.Clients)
	for rounds := 0; rounds%64 != 0 || time.Now().Before(until); rounds++ {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		n, err := syscall.EpollWait(epoll, events, int(answerTime.Milliseconds()))
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, os.NewSyscallError("epoll_wait", err)
		}
		if n == 0 {
			return 0, fmt.Errorf("no answer within %v", answerTime)
		}
		done, err := g.turn(events[:n])
		if err != nil {
			return 0, err
		}
		requests += done
	}
	return requests, nil
}

type generator struct {
	epoll    int
	askers   []asker
	w        Workload
	pipeline int
	keys     uint64
	seed     uint64
	in       []byte
	ready    []*asker
}

func (g *generator) connect(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := c.(*net.TCPConn).File() // a descriptor of ours, which blocks
	if err != nil {
		return err
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	a := asker{fd: fd}
	for range g.pipeline {
		a.out = appendRequest(a.out, expand(g.w.Words, g.w.ValueBytes, 0)...)
	}
	for at := 0; ; {
		i := bytes.Index(a.out[at:], []byte(":000000000000\r"))
		if i < 0 {
			break
		}
		a.digits = append(a.digits, at+i+1)
		at += i + 13
	}
	g.askers = append(g.askers, a)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	return g.watch(syscall.EPOLL_CTL_ADD, len(g.askers)-1, syscall.EPOLLIN)
}

func (g *generator) watch(op, i int, events uint32) error {
	fd := g.askers[i].fd
	e := syscall.EpollEvent{Events: events, Fd: int32(i)}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(g.epoll, op, fd, &e))
}

func (g *generator) close() {
	for _, a := range g.askers {
		_ = syscall.Close(a.fd)
	}
}

// turn reads from all that are ready, and then writes to those that have all their answers.
func (g *generator) turn(events []syscall.EpollEvent) (done int, err error) {
	g.ready = g.ready[:0]
	for _, e := range events {
		a := &g.askers[e.Fd]
		if e.Events&syscall.EPOLLOUT != 0 {
			g.ready = append(g.ready, a)
		}
		if e.Events&^syscall.EPOLLOUT == 0 {
			continue
		}
		if err := g.read(a); err != nil {
			return 0, err
		}
		if a.left == 0 {
			done += g.pipeline
			g.change(a)
			g.ready = append(g.ready, a)
		}
	}
	for _, a := range g.ready {
		if err := g.send(a); err != nil {
			return 0, err
		}
	}
	return done, nil
}

// read takes what is there.
func (g *generator) read(a *asker) error {
	n, err := syscall.Read(a.fd, g.in)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return errors.New("the server closed a connection")
	case a.left == g.owed() && (g.in[0] == '-' || bytes.HasPrefix(g.in[:n], []byte("$-1"))):
		return fmt.Errorf("it answered %.100q", g.in[:n])
	case g.w.reply == 0:
		a.left -= bytes.Count(g.in[:n], []byte{'\n'})
	default:
		a.left -= n
	}
	if a.left < 0 {
		return fmt.Errorf("replies have another length than expected: %.100q", g.in[:n])
	}
	return nil
}

// owed is the bytes, or lines, of the replies to a batch.
func (g *generator) owed() int { return g.pipeline * max(1, g.w.reply) }

// change chooses other keys.
func (g *generator) change(a *asker) {
	for _, at := range a.digits {
		g.seed = g.seed*6364136223846793005 + 1442695040888963407
		key := g.seed >> 33 % g.keys
		for i, most := at+11, g.keys; most > 0; i, most = i-1, most/10 {
			a.out[i] = '0' + byte(key%10)
			key /= 10
		}
	}
	a.written = 0
}

// send writes what is left of a batch.
func (g *generator) send(a *asker) error {
	if a.written == 0 {
		a.left = g.owed()
	}
	n, err := syscall.Write(a.fd, a.out[a.written:])
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		return os.NewSyscallError("write", err)
	}
	a.written += max(0, n)
	if full := a.written < len(a.out); full != a.blocked {
		a.blocked = full
		events := uint32(syscall.EPOLLIN)
		if full {
			events |= syscall.EPOLLOUT
		}
		for i := range g.askers {
			if &g.askers[i] == a {
				return g.watch(syscall.EPOLL_CTL_MOD, i, events)
			}
		}
	}
	return nil
}

// redisBenchmark lets the program of that name ask.
func redisBenchmark(ctx context.Context, addr string, w Workload, pipeline int, opt Options) (s Sample, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return s, err
	}
	// So many requests as take about the time of a sample, at a rate that any server reaches.
	s.Requests = int(opt.Sample.Seconds() * 60_000 * float64(min(pipeline, 16)))
	args := append([]string{"-h", host, "-p", port, "-c", strconv.Itoa(opt.Clients), "-n", strconv.Itoa(s.Requests),
		"-P", strconv.Itoa(pipeline), "-r", strconv.Itoa(opt.Keys), "--csv"}, w.Reference...)
	out, err := exec.CommandContext(ctx, "redis-benchmark", args...).Output()
	if err != nil {
		return s, fmt.Errorf("redis-benchmark: %w", err)
	}
	s.P50, s.P99, err = latencies(bytes.NewReader(out))
	return s, err
}
