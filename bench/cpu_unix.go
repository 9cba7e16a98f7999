//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has been running on a processor, its
// system calls included; 0: unknown.
func cpuTime() time.Duration { return usageOf(syscall.RUSAGE_SELF) }

// childTime is cpuTime of all processes that this one has started and that
// have ended.
func childTime() time.Duration { return usageOf(syscall.RUSAGE_CHILDREN) }

func usageOf(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
