//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has been running on a processor, its
// system calls included; 0: unknown.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
