package rhythm

import "golang.org/x/sys/unix"

// Descriptors is how many this process may have; 0 if it is not known.
func Descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur, 1<<20))
}
