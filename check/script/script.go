// Package script holds a conversation with a server: it runs the spec's own examples and those of
// testdata/script step by step and says where an answer differs.
package script

import (
	"rondo/check/target"
	"rondo/check/wire"
	"rondo/spec"
)

// Mismatch says where a conversation went another way than its script.
type Mismatch struct {
	Line             int    // of the script's file
	Step             string // the line as written
	Expected, Actual string
	Wire             []wire.Entry // of the connection that the step is about
	Err              error        // not nil: the harness or the environment failed, no evidence
}

// Run holds the conversation with the target; nil means that all went as written. Keys get the
// prefix, so that conversations with different prefixes may run side by side.
func Run(t *target.Target, s spec.Script, prefix string) *Mismatch { panic("todo") }

// Rewrite returns the text of the script with every expectation that does not match replaced by
// what the target answered.
func Rewrite(t *target.Target, s spec.Script, prefix string) (string, error) { panic("todo") }
