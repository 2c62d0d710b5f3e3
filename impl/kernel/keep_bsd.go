//go:build freebsd || netbsd || dragonfly

package kernel

import "golang.org/x/sys/unix"

// keepIdle is the option of the idle time before the first probe.
const keepIdle = unix.TCP_KEEPIDLE
