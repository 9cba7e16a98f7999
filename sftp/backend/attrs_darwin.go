package backend

import (
	"io/fs"
	"syscall"

	"github.com/wirelark/wirelark/sftp"
)

// attrsOf returns all that the system tells about a file.
func attrsOf(fi fs.FileInfo) sftp.Attrs {
	a := sftp.AttrsOf(fi)
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		a.SetOwner(st.Uid, st.Gid)
		a.ATime, _ = st.Atimespec.Unix()
	}
	return a
}

func linksOf(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink) //nolint:unconvert // its size depends on the machine
	}
	return 0
}

// inode is the identity of a file on one host.
type inode struct{ dev, ino uint64 }

func identityOf(fi fs.FileInfo) any {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return inode{uint64(st.Dev), st.Ino} //nolint:unconvert // its size depends on the system
	}
	return nil
}
