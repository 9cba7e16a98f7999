//go:build unix

package packet

import (
	"net"
	"syscall"
)

// socketPending reports whether a read of the socket behind nc would return at
// once, which includes the end of the stream; known is false when nc is no
// socket of the system.
func socketPending(nc net.Conn) (waiting, known bool) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true, true // closed
	}
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch err {
		case syscall.ENOTSOCK:
		case syscall.EAGAIN, syscall.EINTR:
			known = true
		default: // a byte, the end (n == 0) or an error that a read will tell
			waiting, known = n >= 0 || err != nil, true
		}
	})
	if err != nil {
		return true, true
	}
	return waiting, known
}
