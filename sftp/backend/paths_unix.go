//go:build !windows

package backend

import "syscall"

// openNonblock keeps an open from waiting for the other end of a FIFO.
const openNonblock = syscall.O_NONBLOCK

func toHost(name string) string         { return name }
func fromHost(p string) string          { return p }
func targetToHost(target string) string { return target }

func targetFromHost(target string) string { return target }
