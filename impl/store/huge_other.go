//go:build !linux

package store

import "errors"

// HugePages is why there are no huge pages to ask for.
func HugePages() error { return errors.New("only Linux has huge pages that can be asked for so") }

func mapHuge() ([]byte, bool) { return nil, false }
