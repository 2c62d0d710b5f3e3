package suite

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A server at an address cannot be started again. When it refuses some connections in a row the run
// is over: the cases that had a connection when it went are candidates for what ended it, and are
// errors that name each other, since no case alone can tell. The others are not run.

// departed is a server that went away.
type departed struct {
	how        string // the error of the last try to connect; "": it is there
	candidates []int  // cases that had a connection
}

// wentAway tries to connect to a server at an address, again and again within a bound, and says how
// it refuses; "" if it is there. back: it was gone for a moment.
func (r *runner) wentAway() (how string, back bool) {
	for try := range goneTries {
		if try > 0 {
			time.Sleep(gonePause)
		}
		c, err := r.target.Dial()
		if err == nil {
			c.Close()
			return "", try > 0
		}
		if !notThere(err) {
			return "", false
		}
		how = err.Error()
	}
	return how, false
}

// notThere tells that nobody accepted a connection from other errors of opening one.
func notThere(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "dial"
}

// gone says how the server went away, if it did.
func (r *runner) gone() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left.how
}

// blameDeparture explains a failure beside which nobody listens any more.
func (r *runner) blameDeparture(i int, res Result, connected bool) Result {
	how, back := r.wentAway()
	switch {
	case back:
		res.Verdict, res.Reason = Error, "the server was gone for a moment while this case ran: "+res.Reason
	case how == "":
	case !connected:
		res = lostServer(res, how)
	default:
		res.Verdict, res.Reason = Error, "the server went away while this case ran: "+how
	}
	if how != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.left.how = how
		if connected {
			r.left.candidates = append(r.left.candidates, i)
		}
	}
	return res
}

// lostServer is the result of a case that the server did not live to see.
func lostServer(res Result, how string) Result {
	res.Verdict, res.Reason = NotRun, "the server has gone: "+how
	res.Sent, res.Expected, res.Actual, res.Wire = "", "", "", nil
	return res
}

// nameCandidates lets each case that may have ended the server name the others.
func (r *runner) nameCandidates() {
	for _, i := range r.left.candidates {
		var others []string
		for _, j := range r.left.candidates {
			if j != i {
				others = append(others, r.results[j].Name)
			}
		}
		slices.Sort(others)
		text := "; no other case ran"
		if len(others) > 0 {
			text = fmt.Sprintf("; so did %s, and one of them may have ended it: run each by itself", strings.Join(others, ", "))
		}
		r.results[i].Reason += text
	}
}
