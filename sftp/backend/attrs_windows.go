package backend

import (
	"io/fs"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
)

// attrsOf returns all that the system tells about a file.
func attrsOf(fi fs.FileInfo) sftp.Attrs {
	a := sftp.AttrsOf(fi)
	if d, ok := fi.Sys().(*syscall.Win32FileAttributeData); ok {
		a.ATime = time.Unix(0, d.LastAccessTime.Nanoseconds()).Unix()
	}
	return a
}

func linksOf(fs.FileInfo) uint64 { return 0 }

// identityOf knows none: Go keeps the file's index to itself.
func identityOf(fs.FileInfo) any { return nil }
