package evict

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rondo/check/mutant"
	"rondo/check/target"
)

// serve is a mutant that chooses by the policy exactly, or by the opposite.
func serve(t *testing.T, fault string) Server {
	t.Helper()
	s, addr, err := mutant.Start(fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	tg, err := target.At(addr)
	if err != nil {
		t.Fatal(err)
	}
	return Server{Name: "fault: " + fault, Target: tg}
}

// TestRun: who knows all makes no mistake, and who has it the wrong way round makes nothing else.
func TestRun(t *testing.T) {
	good, bad := serve(t, ""), serve(t, "evicts the best")
	opt := Options{Keys: 1, Time: 200 * time.Millisecond, Seed: 1, Progress: func(string) {}}
	if _, err := Run(t.Context(), []Server{good}, Policies, opt); !errors.Is(err, errTaken) {
		t.Fatalf("a server that nobody gave away: %v", err)
	}
	good.Target.AllowFlush()
	bad.Target.AllowFlush()
	policies := []string{"allkeys-lru", "volatile-lfu", "volatile-ttl"}
	r, err := Run(t.Context(), []Server{good, bad}, policies, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range r.Results {
		if row[0].Policy != policies[i] || row[0].Mistaken > 0.2 || row[1].Mistaken < 0.5 {
			t.Errorf("%s: %.2f of what was evicted was wrong, and %.2f where all is", row[0].Policy, row[0].Mistaken, row[1].Mistaken)
		}
		if row[0].HitRate < row[1].HitRate+0.05 || row[0].Held < 150 || row[0].Held > keysMin {
			t.Errorf("%s: hit rates %.2f and %.2f, %d keys held", row[0].Policy, row[0].HitRate, row[1].HitRate, row[0].Held)
		}
	}
	var text, page strings.Builder
	if err := errors.Join(r.Markdown(&text), r.HTML(&page)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "\n"); n != 4+len(policies) {
		t.Errorf("%d lines:\n%s", n, &text)
	}
	if n := strings.Count(page.String(), "<polyline"); n != 2*len(policies) || !strings.Contains(page.String(), good.Name) {
		t.Errorf("%d curves on the page", n)
	}
	c, err := good.Target.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if reply, err := c.Do("CONFIG", "GET", "maxmemory*"); err != nil || !strings.Contains(reply.String(), `"0"`) {
		t.Errorf("left behind: %v %v", reply, err)
	}
}

// TestPicture: each old key is in one of the two paths, in its column.
func TestPicture(t *testing.T) {
	c := Result{Gone: make([]bool, 2*columns+1)} // three rows
	c.Gone[0], c.Gone[4] = true, true
	if got := string(c.Picture(true)); got != `d="M0 0h3v3h-3zM4 4h3v3h-3z"` {
		t.Error(got)
	}
	if n := strings.Count(string(c.Picture(false)), "M"); n != len(c.Gone)-2 {
		t.Errorf("%d keys are left", n)
	}
	if c.Height() != 3*cell || c.Width() != 134*cell {
		t.Errorf("%d by %d", c.Width(), c.Height())
	}
}
