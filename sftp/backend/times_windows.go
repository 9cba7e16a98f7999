package backend

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// setTimes sets the times of an open file, which must be open for writing.
func setTimes(f *os.File, atime, mtime time.Time) error {
	a := windows.NsecToFiletime(atime.UnixNano())
	m := windows.NsecToFiletime(mtime.UnixNano())
	return control(f, func(fd int) error { return windows.SetFileTime(windows.Handle(fd), nil, &a, &m) })
}
