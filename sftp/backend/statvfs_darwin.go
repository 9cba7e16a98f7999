package backend

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/wirelark/wirelark/sftp"
)

func statVFSPath(p string) (sftp.StatVFSReply, error) {
	var st unix.Statfs_t
	err := unix.Statfs(p, &st)
	return vfsOf(&st), err
}

func statVFSFile(f *os.File) (sftp.StatVFSReply, error) {
	var st unix.Statfs_t
	err := control(f, func(fd int) error { return unix.Fstatfs(fd, &st) })
	return vfsOf(&st), err
}

// maxName is NAME_MAX, which statfs(2) does not tell on this system.
const maxName = 255

func vfsOf(st *unix.Statfs_t) sftp.StatVFSReply {
	r := sftp.StatVFSReply{
		Bsize:   uint64(st.Bsize),
		Frsize:  uint64(st.Bsize),
		Blocks:  st.Blocks,
		Bfree:   st.Bfree,
		Bavail:  st.Bavail,
		Files:   st.Files,
		Ffree:   st.Ffree,
		Favail:  st.Ffree,
		FSID:    uint64(uint32(st.Fsid.Val[0]))<<32 | uint64(uint32(st.Fsid.Val[1])),
		Namemax: maxName,
	}
	if st.Flags&unix.MNT_RDONLY != 0 {
		r.Flag |= sftp.VFSReadOnly
	}
	if st.Flags&unix.MNT_NOSUID != 0 {
		r.Flag |= sftp.VFSNoSetUID
	}
	return r
}
