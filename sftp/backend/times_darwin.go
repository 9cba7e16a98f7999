package backend

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// setTimes sets the times of an open file.
func setTimes(f *os.File, atime, mtime time.Time) error {
	tv := []unix.Timeval{unix.NsecToTimeval(atime.UnixNano()), unix.NsecToTimeval(mtime.UnixNano())}
	return control(f, func(fd int) error { return unix.Futimes(fd, tv) })
}
