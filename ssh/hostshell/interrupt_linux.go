package hostshell

import (
	"os"

	"golang.org/x/sys/unix"
)

// interruptible returns a file for the same terminal whose reads and writes are
// woken by Close, and closes f. If that cannot be, it returns f.
func interruptible(f *os.File) *os.File {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return f
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd) // nobody has used it
		return f
	}
	name := f.Name()
	_ = f.Close() // the other one is open
	return os.NewFile(uintptr(fd), name)
}
