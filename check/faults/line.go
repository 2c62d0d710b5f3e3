package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A line that loses packets takes a network of its own: `unshare --net` gives this program, and the
// server that it starts, a loopback device that nobody else has. There a queue of the system's traffic
// control stands before all that certain ports send or are sent, and before nothing else.

// The ports of clients behind the bad line: lossyCount from this one on, as the mask says.
const (
	lossyPort = 20_000
	lossyMask = "0xfff8"
)

// aloneVariable tells this program that its network is its own.
const aloneVariable = "RONDO_NETWORK_IS_OURS"

// Alone says whether it is.
func Alone() bool { return os.Getenv(aloneVariable) != "" }

// Elsewhere makes a fault in a network of its own: with command, which is this program, judging the
// same server and printing its report as JSON, when the name of the fault is added.
func Elsewhere(command []string) func(context.Context, string) (Result, error) {
	return func(ctx context.Context, kind string) (Result, error) {
		words := []string{"--net"}
		if os.Geteuid() != 0 {
			words = append(words, "--map-root-user")
		}
		words = append(words, "sh", "-c", `ip link set lo up && exec "$@"`, "sh")
		cmd := exec.CommandContext(ctx, "unshare", append(append(words, command...), kind)...)
		cmd.Env = append(os.Environ(), aloneVariable+"=1")
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		err := cmd.Run()
		var r Report
		if wrong := json.Unmarshal(out.Bytes(), &r); wrong != nil || len(r.Results) != 1 {
			return Result{}, fmt.Errorf("there is no network of our own: %w: %s", errors.Join(err, wrong),
				strings.TrimSpace(complaint.String()))
		}
		return r.Results[0], nil
	}
}

// lossyLine ends well if every client behind the bad line gets what it asks for.
func lossyLine(s *stage) error {
	how, err := spoil()
	if err != nil {
		return skipped(err.Error())
	}
	ask, reply, err := s.value()
	if err != nil {
		return err
	}
	c, err := s.gather(lossyCount, s.behindTheLine())
	if err != nil {
		return err
	}
	defer c.reset()
	until, n := time.Now().Add(s.opt.Window), atomic.Int64{}
	err = c.each(func(_ int, conn net.Conn) error {
		for first := true; first || time.Now().Before(until); first = false {
			if err := write(conn, ask); err != nil {
				return err
			}
			if err := expect(conn, reply); err != nil {
				return err
			}
			n.Add(1)
		}
		return nil
	})
	lost := dropped()
	s.note = fmt.Sprintf("%s: %d packets lost, %d replies", how, lost, n.Load())
	switch {
	case err != nil:
		return broken("a client behind the bad line got no right answer: " + err.Error())
	case lost == 0:
		return skipped("the line lost nothing")
	}
	return nil
}

// behindTheLine dials from one of the ports after the other.
func (s *stage) behindTheLine() func() (net.Conn, error) {
	var n atomic.Int64
	return func() (net.Conn, error) {
		port := lossyPort + int(n.Add(1)-1)
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, Timeout: connLimit}
		return from.DialContext(s.ctx, "tcp", s.t.Addr())
	}
}

// spoil makes the line of those ports slow and lossy, and says how.
func spoil() (how string, err error) {
	for _, line := range []string{
		"ip link set lo mtu 1500", // or packets would be so large that few are lost
		"tc qdisc add dev lo root handle 1: htb",
		"tc class add dev lo parent 1: classid 1:2 htb rate 40mbit",
		fmt.Sprintf(filter, "sport", lossyPort, lossyMask),
		fmt.Sprintf(filter, "dport", lossyPort, lossyMask),
	} {
		if err := command(line); err != nil {
			return "", err
		}
	}
	if command("tc qdisc add dev lo parent 1:2 netem delay 20ms loss 1%") == nil {
		return "40 Mbit/s, 20 ms, 1 % loss", nil
	}
	// A system without netem: a queue that is soon full delays, and loses what it cannot hold.
	return "40 Mbit/s, a queue of 20 packets", command("tc qdisc add dev lo parent 1:2 pfifo limit 20")
}

const filter = "tc filter add dev lo parent 1: protocol ip prio 1 u32 match ip %s %d %s flowid 1:2"

func command(line string) error {
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, bytes.TrimSpace(out))
	}
	return nil
}

var droppedCount = regexp.MustCompile(`dropped (\d+)`)

// dropped is how many packets the queue of the line has lost.
func dropped() (n int) {
	out, err := exec.Command("tc", "-s", "qdisc", "show", "dev", "lo", "parent", "1:2").CombinedOutput()
	if m := droppedCount.FindSubmatch(out); err == nil && m != nil {
		n, _ = strconv.Atoi(string(m[1]))
	}
	return n
}
