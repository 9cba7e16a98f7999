//go:build unix

package forward

import (
	"errors"
	"syscall"
)

// closeToOthers gives a socket its mode before it has a name, where the system
// keeps it (Linux); Listen sets it again for the others.
func closeToOthers(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = syscall.Fchmod(int(fd), 0o600) // other systems refuse, which does no harm
	})
}

func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
