package target

import "golang.org/x/sys/unix"

// LimitDescriptors sets how many descriptors a running process may have; lift gives back what it had.
func LimitDescriptors(pid, n int) (lift func() error, err error) {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		return nil, err
	}
	lift = func() error { return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &old, nil) }
	return lift, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(n), Max: old.Max}, nil)
}
