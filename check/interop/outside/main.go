// Command outside is a module of somebody else: it uses Rondo's packages through a require and a
// replace to a checkout, as the README shows. CI builds and runs it.
package main

import (
	"fmt"
	"os"
	"strings"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/model"
)

// Two clients: the second reads a value that was gone before its read began.
const recording = `{"client":1,"call":0,"return":1000000,"cmd":["SET","k","v","PX","5"],"reply":{"simple":"OK"}}
{"client":2,"call":20000000,"return":21000000,"cmd":["GET","k"],"reply":"v"}
`

func main() {
	h, err := history.Read(strings.NewReader(recording))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	res := linear.Check(h, linear.Options{})
	if res.Verdict != linear.Illegal {
		fmt.Fprintf(os.Stderr, "a value served 14 ms after its deadline is %s\n", res.Verdict)
		os.Exit(1)
	}
	fmt.Println(res.Components[0].Clause, res.Components[0].Sentence)

	env := &model.Concrete{Ms: 1}
	state := model.Initial(model.Options{Databases: 1})
	_, out := model.Step(env, state, 1, [][]byte{[]byte("PING")})
	fmt.Println(out[0].Msg)
}
