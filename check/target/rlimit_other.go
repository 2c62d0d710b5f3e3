//go:build !linux

package target

import "errors"

// LimitDescriptors sets how many descriptors a running process may have; lift gives back what it had.
func LimitDescriptors(pid, n int) (lift func() error, err error) {
	return nil, errors.New("only Linux lets the limits of another process be set")
}
