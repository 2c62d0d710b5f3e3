package faults

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"rondo/check/rhythm"
	"rondo/check/target"
)

// stoppedPeers stops a process in the middle of its replies. It ends well if that process, when it
// goes on, gets the rest of them, byte for byte.
func stoppedPeers(s *stage) error {
	if len(s.opt.Peer) == 0 {
		return errors.New("no command that runs a peer was given")
	}
	if _, _, err := s.value(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, connLimit+s.opt.Window)
	defer cancel()
	words := append(append([]string{}, s.opt.Peer...), s.t.Addr(), s.key("value"))
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), target.PassVariable+"="+s.t.Access().Pass)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err == nil {
		_ = rhythm.Pause(s.ctx, stoppedLead)
		err = cmd.Process.Signal(syscall.SIGSTOP)
		_ = s.hold()
		if goOn := cmd.Process.Signal(syscall.SIGCONT); err == nil {
			err = goOn
		}
		if err != nil {
			return err
		}
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		return broken(fmt.Sprintf("peers that were stopped did not get their replies: %s (%v)",
			strings.TrimSpace(complaint.String()), err))
	}
	return nil
}

// Peer takes replies of a server, on some connections, until in ends; then it takes those that are
// missing. It says on out when it has begun. The error is about a reply that is not right.
func Peer(addr, key string, in io.Reader, out io.Writer) error {
	t, err := target.Open(target.Access{Addr: addr, Pass: os.Getenv(target.PassVariable)})
	if err != nil {
		return err
	}
	s := &stage{t: t, ctx: context.Background()}
	c, err := s.gather(takers, t.Socket)
	if err != nil {
		return err
	}
	defer c.reset()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	fmt.Fprintln(out, "begun")
	ask := request("GET", key)
	return c.each(func(_ int, conn net.Conn) error { return takeUntil(conn, ask, ended) })
}

// takeUntil asks for the value again and again, some requests at a time.
func takeUntil(c net.Conn, ask []byte, ended chan struct{}) error {
	asks, value := bytes.Repeat(ask, valueAsks), bulk(pattern())
	for {
		select {
		case <-ended:
			return nil
		default:
		}
		if err := c.SetDeadline(time.Now().Add(connLimit)); err != nil {
			return err
		}
		if err := write(c, asks); err != nil {
			return err
		}
		for range valueAsks {
			if err := expect(c, value); err != nil {
				return err
			}
		}
	}
}
