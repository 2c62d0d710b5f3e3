package kernel

import "golang.org/x/sys/unix"

// keepIdle is the option of the idle time before the first probe, which Darwin names differently.
const keepIdle = unix.TCP_KEEPALIVE
