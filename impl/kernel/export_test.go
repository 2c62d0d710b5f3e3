//go:build linux || darwin || freebsd || netbsd || dragonfly

package kernel

// CountWaits makes an OS count its calls of the poller, from which a test sees that it sleeps
// and does not spin.
func (o *OS) CountWaits() *int {
	c := &countingPoller{poller: o.poller}
	o.poller = c
	return &c.waits
}

type countingPoller struct {
	poller
	waits int
}

func (c *countingPoller) wait(ev []Event, timeout int64) (int, error) {
	c.waits++
	return c.poller.wait(ev, timeout)
}

// WorkersMax is the bound that a test holds the workers to.
const WorkersMax = workersMax
