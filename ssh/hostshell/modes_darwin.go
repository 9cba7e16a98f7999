package hostshell

import "golang.org/x/sys/unix"

const (
	getTermios    = unix.TIOCGETA
	setTermios    = unix.TIOCSETA
	posixDisabled = 0xff // _POSIX_VDISABLE
)
