//go:build !debug

package store

// ledger is of no use in a build that does not check refs: nothing of it is left there.
type ledger struct{}

const checked = false

func (*slabs) check(ref)   {}
func (*ledger) add(ref)    {}
func (*ledger) remove(ref) {}
