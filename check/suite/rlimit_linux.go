package suite

import "golang.org/x/sys/unix"

// limitDescriptors sets how many descriptors a running process may have.
func limitDescriptors(pid, n int) error {
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		return err
	}
	return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(n), Max: old.Max}, nil)
}
