package hostshell

import "golang.org/x/sys/unix"

const (
	getTermios    = unix.TCGETS
	setTermios    = unix.TCSETS
	posixDisabled = 0 // _POSIX_VDISABLE
)
