package check_test

import (
	"context"
	"fmt"

	"rondo/check"
	"rondo/check/target"
)

// A test of a server that is started for it. In a test file this is
//
//	func TestMyServerIsARedis(t *testing.T) { ... t.Context() ... t.Errorf(...) }
func ExampleRun() {
	t, err := target.Exec("my-server --port {port}", nil) // or target.At("127.0.0.1:6379")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Stop()
	r, err := check.Run(context.Background(), t, check.Options{Quick: true, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range r.Cases {
		if c.Verdict == "fail" {
			fmt.Println(c.Name, c.Clauses, c.Reason)
		}
	}
	for _, h := range r.Histories {
		for _, v := range h.Violations {
			fmt.Println(h.Name, v.Clause, v.Sentence)
		}
	}
	if r.Exit() != 0 { // 0: nothing is broken, and there is a verdict on everything
		fmt.Println(r.Conclusion())
		_ = r.Write("report")
	}
}
