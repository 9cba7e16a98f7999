package backend

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// setTimes sets the times of an open file, also of one opened with O_PATH.
func setTimes(f *os.File, atime, mtime time.Time) error {
	ts := []unix.Timespec{unix.NsecToTimespec(atime.UnixNano()), unix.NsecToTimespec(mtime.UnixNano())}
	return control(f, func(fd int) error { return unix.UtimesNanoAt(fd, "", ts, unix.AT_EMPTY_PATH) })
}
