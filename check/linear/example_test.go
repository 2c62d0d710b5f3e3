package linear_test

import (
	"fmt"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/model"
)

// A history of one's own: two clients, and a value that is read long after its deadline. The times
// are nanoseconds on one clock; nothing is known of the server's.
func ExampleCheck() {
	words := func(s ...string) (out [][]byte) {
		for _, w := range s {
			out = append(out, []byte(w))
		}
		return out
	}
	ok, v := model.OK(), model.Str("v")
	h := &history.History{Ops: []history.Op{
		{Client: 1, Call: 0, Return: 1_000_000, Cmd: words("SET", "k", "v", "PX", "5"), Reply: &ok},
		{Client: 2, Call: 20_000_000, Return: 21_000_000, Cmd: words("GET", "k"), Reply: &v},
	}}
	res := linear.Check(h, linear.Options{})
	fmt.Println(res.Verdict)
	for _, c := range res.Components {
		fmt.Println(c.Keys, c.Clause, len(c.Core))
	}
	// Output:
	// illegal
	// [k] TIME-5 2
}
