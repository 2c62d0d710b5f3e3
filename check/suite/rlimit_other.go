//go:build !linux

package suite

import "errors"

// limitDescriptors sets how many descriptors a running process may have.
func limitDescriptors(pid, n int) error {
	return errors.New("only Linux lets the limits of another process be set")
}
