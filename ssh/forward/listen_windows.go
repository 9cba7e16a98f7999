package forward

import (
	"errors"
	"syscall"
)

// closeToOthers does nothing: access to a socket follows from its folder.
func closeToOthers(_, _ string, _ syscall.RawConn) error { return nil }

// errInUse is WSAEADDRINUSE.
const errInUse = syscall.Errno(10048)

func isInUse(err error) bool { return errors.Is(err, errInUse) }
